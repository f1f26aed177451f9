/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy.c - transparent proxying: rules, and telling the server the original destination.
 *
 * Rules are a list by index, newest first within an index.  The first that matches the packet that
 * starts a conversation decides; the link then has different peers in its two views and the rule is
 * not needed any more.  What the server itself sends is not sent back to it.
 *
 * encode_ip_hdr puts an option of 8 bytes behind the fixed IP header of each packet:
 *	0x64, 8, address (4), port (2), network order.
 * encode_tcp_stream puts "[DEST address port]", a newline and a space before it if the length would
 * be odd otherwise, in front of the first byte of the stream; whenever that byte is sent again the
 * text is, too.  What does not fit any more is left to the sender to send again.
 */
#include "engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#define WORD_MAX 64

static bool parse_number(uint32_t *out, const char *word, uint32_t max)
{
	unsigned long value;
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	value = strtoul(word, &end, 10);
	if (*end || errno || value > max)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool parse_port(uint16_t *out, const char *word)
{
	uint32_t port;

	if (!parse_number(&port, word, 65535) || !port)
		return false;
	*out = htons((uint16_t)port);
	return true;
}

static bool parse_address(uint32_t *out, const char *word)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, word, &addr) != 1)
		return false;
	*out = addr.s_addr;
	return true;
}

static bool parse_server(struct proxy_rule *rule, char *word)
{
	char *colon = strchr(word, ':');

	if (colon) {
		*colon = '\0';
		if (!parse_port(&rule->server_port, colon + 1))
			return false;
	}
	return parse_address(&rule->server, word);
}

static bool parse_net(uint32_t *net, uint32_t *mask, char *word)
{
	char *slash = strchr(word, '/');
	uint32_t bits = 32;

	if (slash) {
		*slash = '\0';
		if (!parse_number(&bits, slash + 1, 32))
			return false;
	}
	*mask = bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
	if (!parse_address(net, word))
		return false;
	*net &= *mask;
	return true;
}

static bool parse_type(uint8_t *encoding, const char *word)
{
	static const struct {
		const char *name;
		uint8_t encoding;
	} types[] = {
		{"encode_ip_hdr", LINK_ENCODE_IP},
		{"encode_tcp_stream", LINK_ENCODE_TCP},
		{"no_encode", 0},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(word, types[i].name)) {
			*encoding = types[i].encoding;
			return true;
		}
	return false;
}

static bool parse_proto(uint8_t *proto, const char *word)
{
	if (!strcasecmp(word, "tcp"))
		*proto = IPPROTO_TCP;
	else if (!strcasecmp(word, "udp"))
		*proto = IPPROTO_UDP;
	else
		return false;
	return true;
}

/* One pair of words; *delete_index is set by the delete command. */
static bool parse_pair(struct proxy_rule *rule, const char *name, char *value, int *delete_index)
{
	uint32_t number;

	if (!strcasecmp(name, "type"))
		return parse_type(&rule->encoding, value);
	if (!strcasecmp(name, "port"))
		return parse_port(&rule->port, value);
	if (!strcasecmp(name, "server"))
		return parse_server(rule, value);
	if (!strcasecmp(name, "proto"))
		return parse_proto(&rule->proto, value);
	if (!strcasecmp(name, "src"))
		return parse_net(&rule->src, &rule->src_mask, value);
	if (!strcasecmp(name, "dst"))
		return parse_net(&rule->dst, &rule->dst_mask, value);
	if (strcasecmp(name, "rule") && strcasecmp(name, "delete"))
		return false;
	if (!parse_number(&number, value, INT_MAX))
		return false;
	if (!strcasecmp(name, "delete"))
		*delete_index = (int)number;
	else
		rule->index = (int)number;
	return true;
}

/* The next word of *cmd; 0: none is left, -1: too long. */
static int next_word(const char **cmd, char word[WORD_MAX])
{
	size_t len;

	*cmd += strspn(*cmd, " \t\r\n");
	len = strcspn(*cmd, " \t\r\n");
	if (!len)
		return 0;
	if (len >= WORD_MAX)
		return -1;
	memcpy(word, *cmd, len);
	word[len] = '\0';
	*cmd += len;
	return 1;
}

/* Parses cmd; returns the number of pairs or -1. */
static int parse_rule(struct proxy_rule *rule, const char *cmd, int *delete_index)
{
	char name[WORD_MAX], value[WORD_MAX];
	int pairs = 0, got;

	while ((got = next_word(&cmd, name)) > 0) {
		if (next_word(&cmd, value) <= 0 || !parse_pair(rule, name, value, delete_index))
			return -1;
		pairs++;
	}
	return got < 0 ? -1 : pairs;
}

static int delete_rules(struct libalias *la, int index)
{
	struct proxy_rule *rule, *next;
	int result = -1;

	for (rule = TAILQ_FIRST(&la->proxies); rule; rule = next) {
		next = TAILQ_NEXT(rule, entry);
		if (rule->index != index)
			continue;
		TAILQ_REMOVE(&la->proxies, rule, entry);
		free(rule);
		result = 0;
	}
	if (result)
		errno = ESRCH;
	return result;
}

int LibAliasProxyRule(struct libalias *la, const char *cmd)
{
	struct proxy_rule parsed = {0}, *rule, *other;
	int delete_index = -1, pairs;

	pairs = cmd ? parse_rule(&parsed, cmd, &delete_index) : -1;
	if (pairs > 0 && delete_index >= 0) {
		if (pairs == 1)
			return delete_rules(la, delete_index);
		pairs = -1;
	}
	if (pairs <= 0 || !parsed.server ||
	    (parsed.encoding == LINK_ENCODE_TCP && parsed.proto == IPPROTO_UDP)) {
		errno = EINVAL;
		return -1;
	}
	if (parsed.encoding == LINK_ENCODE_TCP)
		parsed.proto = IPPROTO_TCP;
	rule = malloc(sizeof(*rule));
	if (!rule)
		return -1;
	*rule = parsed;
	TAILQ_FOREACH(other, &la->proxies, entry)
		if (other->index >= rule->index)
			break;
	if (other)
		TAILQ_INSERT_BEFORE(other, rule, entry);
	else
		TAILQ_INSERT_TAIL(&la->proxies, rule, entry);
	return 0;
}

const struct proxy_rule *proxy_find(const struct libalias *la, const struct packet *p)
{
	const struct proxy_rule *rule;

	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return NULL;
	TAILQ_FOREACH(rule, &la->proxies, entry)
		if ((!rule->proto || rule->proto == p->proto) && p->src != rule->server &&
		    (!rule->port || rule->port == p->dst_port) &&
		    (p->src & rule->src_mask) == rule->src &&
		    (p->dst & rule->dst_mask) == rule->dst)
			return rule;
	return NULL;
}

void proxy_clear(struct libalias *la)
{
	struct proxy_rule *rule;

	while ((rule = TAILQ_FIRST(&la->proxies))) {
		TAILQ_REMOVE(&la->proxies, rule, entry);
		free(rule);
	}
}

static bool encode_ip(const struct link *link, struct packet *p)
{
	uint8_t option[8] = {0x64, 8};

	memcpy(option + 2, &link->view[OUT].peer, 4);
	memcpy(option + 6, &link->view[OUT].peer_port, 2);
	return packet_add_option(p, option, sizeof(option));
}

static uint32_t dest_text(const struct link *link, char text[48])
{
	char address[INET_ADDRSTRLEN];
	int len;

	inet_ntop(AF_INET, &link->view[OUT].peer, address, sizeof(address));
	len = snprintf(text, 48, "[DEST %s %u]", address, ntohs(link->view[OUT].peer_port));
	strcpy(text + len, len % 2 ? "\n" : " \n");
	return (uint32_t)(len + 2 - len % 2);
}

/*
 * The text is counted from the SYN on, so that data which overtakes the first keeps its place.
 * Works on the packet after tcp_adjust(): its sequence number is already moved by the text, whose
 * place is that much earlier; so is that of what comes before all data.
 */
static bool encode_stream(struct libalias *la, struct link *link, struct packet *p, uint32_t seq)
{
	uint32_t header = (uint32_t)(p->l4[12] >> 4) * 4, len, room, payload;
	struct link_side *side;
	char text[48];

	len = dest_text(link, text);
	if (p->l4[13] & TH_SYN) {
		side = link_side(la, link);
		if (!side)
			return false;
		if (!side->dest_known) {
			side->dest_known =
				tcp_record_change(side, OUT, seq + 1, seq + 1, (int32_t)len);
			side->stream_start = seq + 1;
		}
		return side->dest_known;
	}
	side = link->side;
	payload = p->l4_len - header;
	if (!side || !side->dest_known || seq != side->stream_start)
		return true;
	tcp_set_sequence(p, seq);
	if (!payload)
		return true;
	if (p->size < p->header + header + len + 1)
		return false;
	room = (p->size < 65535 ? p->size : 65535) - p->header - header - len;
	if (payload > room) {
		packet_replace(p, p->header + header + room, payload - room, "", 0);
		tcp_clear_flags(p, TH_FIN);
	}
	return packet_replace(p, p->header + header, 0, text, len);
}

void proxy_begin(struct link *link)
{
	link->side->dest_known = false;
	tcp_forget_changes(link->side);
}

int proxy_encode(struct libalias *la, struct link *link, struct packet *p, uint32_t seq)
{
	bool done = true;

	if (link->flags & LINK_ENCODE_TCP)
		done = encode_stream(la, link, p, seq);
	else if (link->flags & LINK_ENCODE_IP)
		done = encode_ip(link, p);
	if (done)
		return PKT_ALIAS_OK;
	la->stats.refused_encoding++;
	return PKT_ALIAS_ERROR;
}
