// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/trace.so: what becomes of a packet, and by which rule.
 *
 * The first packet of a conversation is made from the words of the call and goes through a
 * rehearsal (rehearsal.h).  On the rules of a file this needs no privilege and no network.
 */
#include "command.h"
#include "rehearsal.h"

#include <errno.h>
#include <ipmasq/words.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE 2048

static const struct ipmasq_option options[] = {
	{'P', 'p', 0, 1, "PROTO", "the packet's protocol"},
	{'S', 's', IPMASQ_PAIR | IPMASQ_LAST_OPEN, 2, "ADDR PORT", "where it comes from"},
	{'D', 'd', IPMASQ_PAIR | IPMASQ_LAST_OPEN, 2, "ADDR PORT", "where it goes"},
	{'m', 0, 0, 1, "MARK", "its firewall mark"},
	{'r', 0, 0, 1, "RULES", "by the rules of this file, not the engine's"},
	{'M', 0, 0, 1, "ADDR", "the outside address; without it this machine's way there says"},
	{'i', 0, 0, 1, "IFACE", "the outside interface; without it the one of the address"},
	{0},
};

/* One packet, as the words say and as it is afterwards. */
struct trace {
	uint8_t protocol;
	struct ipmasq_address source, destination, alias;
	uint16_t source_port, destination_port; /* host order */
	uint32_t mark;
	const char *file, *interface;
};

/* Bytes of the headers that the engine looks at. */
struct datagram {
	struct iphdr ip;
	union {
		struct tcphdr tcp;
		struct udphdr udp;
		struct icmphdr icmp;
		uint16_t ports[16];
	};
};

static int parse_end(struct ipmasq_context *context, const struct ipmasq_words *words, char letter,
		     uint8_t protocol, struct ipmasq_address *address, uint16_t *port)
{
	bool has_ports =
		protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;

	if (!words->given[(unsigned char)letter])
		return ipmasq_usage(&context->error, "-%c with an address%s is needed", letter,
				    has_ports ? " and a port" : "");
	if (ipmasq_words_pair(context, words, letter, AF_INET, protocol, !has_ports, address,
			      port) < 0)
		return -1;
	if (address->family != AF_INET || ipmasq_address_is_any(address))
		return ipmasq_usage(&context->error,
				    "'%s' is no host's IPv4 address, which trace needs after -%c",
				    words->value[(unsigned char)letter][0], letter);
	return 0;
}

static int parse(struct ipmasq_context *context, const struct ipmasq_words *words,
		 struct trace *trace)
{
	if (!words->given['P'])
		return ipmasq_usage(&context->error, "-P with a protocol is needed");
	if (ipmasq_parse_protocol(&trace->protocol, words->value['P'][0], context->numeric,
				  &context->error) < 0 ||
	    parse_end(context, words, 'S', trace->protocol, &trace->source, &trace->source_port) <
		    0 ||
	    parse_end(context, words, 'D', trace->protocol, &trace->destination,
		      &trace->destination_port) < 0)
		return -1;
	if (words->given['m'] && ipmasq_parse_number(&trace->mark, words->value['m'][0], "mark", 1,
						     UINT32_MAX, &context->error) < 0)
		return -1;
	if (words->given['M'] && ipmasq_parse_address(&trace->alias, words->value['M'][0], AF_INET,
						      context->numeric, &context->error) < 0)
		return -1;
	if (words->given['i'] && ipmasq_check_interface(words->value['i'][0], &context->error) < 0)
		return -1;
	trace->file = words->value['r'][0];
	trace->interface = words->value['i'][0];
	return 0;
}

static uint16_t length_of(uint8_t protocol)
{
	return (uint16_t)(sizeof(struct iphdr) + (protocol == IPPROTO_TCP   ? sizeof(struct tcphdr)
						  : protocol == IPPROTO_UDP ? sizeof(struct udphdr)
						  : protocol == IPPROTO_ICMP
							  ? sizeof(struct icmphdr)
							  : 32));
}

/* The first packet of a conversation: SYN, a datagram, an echo request, whatever bytes. */
static void build(const struct trace *trace, struct datagram *datagram)
{
	*datagram = (struct datagram){.ip = {.version = 4,
					     .ihl = 5,
					     .ttl = 64,
					     .protocol = trace->protocol,
					     .saddr = trace->source.in4.s_addr,
					     .daddr = trace->destination.in4.s_addr}};
	datagram->ip.tot_len = htons(length_of(trace->protocol));
	if (trace->protocol == IPPROTO_ICMP) {
		datagram->icmp.type = ICMP_ECHO;
		datagram->icmp.un.echo.id = htons(trace->source_port);
		return;
	}
	datagram->ports[0] = htons(trace->source_port);
	datagram->ports[1] = htons(trace->destination_port);
	if (trace->protocol == IPPROTO_TCP) {
		datagram->tcp.doff = 5;
		datagram->tcp.syn = 1;
	} else if (trace->protocol == IPPROTO_UDP) {
		datagram->udp.len = htons(sizeof(datagram->udp));
	}
}

/* An encoding may have put an option in front of the ports. */
static void after(const struct datagram *datagram, struct trace *trace)
{
	const uint8_t *transport = (const uint8_t *)datagram + datagram->ip.ihl * 4u;
	uint16_t words[4];

	memcpy(words, transport, sizeof(words));
	trace->source.in4.s_addr = datagram->ip.saddr;
	trace->destination.in4.s_addr = datagram->ip.daddr;
	if (trace->protocol == IPPROTO_ICMP) {
		trace->source_port = ntohs(words[2]); /* its id */
		return;
	}
	trace->source_port = ntohs(words[0]);
	trace->destination_port = ntohs(words[1]);
}

static const char *verdict_word(enum user_verdict verdict)
{
	return verdict == USER_CHANGED ? "translated"
	       : verdict == USER_KEEP  ? "unchanged"
				       : "dropped";
}

/* A rule's line has no control characters: words of the grammars are graphic. */
static void print_json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_json(FILE *out, enum user_verdict verdict, const char *rule,
		       const struct trace *trace)
{
	char source[IPMASQ_ADDRESS_TEXT], destination[IPMASQ_ADDRESS_TEXT];

	fprintf(out, "{\"verdict\": \"%s\", \"rule\": ", verdict_word(verdict));
	if (rule)
		print_json_string(out, rule);
	else
		fputs("null", out);
	fprintf(out,
		", \"after\": {\"src\": \"%s\", \"sport\": %u, \"dst\": \"%s\", \"dport\": %u}}\n",
		ipmasq_address_text(&trace->source, source), trace->source_port,
		ipmasq_address_text(&trace->destination, destination), trace->destination_port);
}

static void print_ends(FILE *out, const struct trace *trace)
{
	char source[IPMASQ_ADDRESS_TEXT], destination[IPMASQ_ADDRESS_TEXT];

	fprintf(out, "%s %u > %s %u", ipmasq_address_text(&trace->source, source),
		trace->source_port, ipmasq_address_text(&trace->destination, destination),
		trace->destination_port);
}

static void print_text(FILE *out, enum user_verdict verdict, const char *rule,
		       const struct trace *before, const struct trace *trace)
{
	print_ends(out, before);
	fprintf(out, "\n%s", verdict_word(verdict));
	if (verdict == USER_CHANGED) {
		fputs(": ", out);
		print_ends(out, trace);
	}
	fprintf(out, "\n%s%s\n", rule ? "by " : "no rule matches", rule ? rule : "");
}

static enum ipmasq_status show(struct session *session, struct rehearsal *rehearsal,
			       const struct trace *before)
{
	union {
		struct datagram datagram;
		char bytes[BUFFER_SIZE]; /* an encoding may make it longer */
	} buffer;
	struct user_packet packet = {.data = &buffer, .size = sizeof(buffer), .mark = before->mark};
	struct trace trace = *before;
	char *rule;

	build(before, &buffer.datagram);
	rehearsal_pass(rehearsal, &packet);
	after(&buffer.datagram, &trace);
	rule = rehearsal_rule_line(&packet);
	if (session->flags.json)
		print_json(session->out, packet.verdict, rule, &trace);
	else
		print_text(session->out, packet.verdict, rule, before, &trace);
	free(rule);
	return IPMASQ_OK;
}

static enum ipmasq_status run(struct session *session, int argc, char **argv)
{
	struct ipmasq_context context = session->flags;
	struct rehearsal rehearsal = {0};
	struct ipmasq_words words;
	struct trace trace = {0};
	enum ipmasq_status status;

	if (ipmasq_words_scan(&context, options, argc, argv, &words) < 0 ||
	    parse(&context, &words, &trace) < 0) {
		fprintf(session->err, "trace: %s\n", context.error.text);
		return context.error.status;
	}
	status = rehearsal_open(&rehearsal, session, "trace", trace.file);
	if (status == IPMASQ_OK)
		status = rehearsal_place(&rehearsal, session, trace.interface, &trace.alias,
					 trace.destination.in4);
	if (status == IPMASQ_OK)
		status = show(session, &rehearsal, &trace);
	rehearsal_close(&rehearsal);
	return status;
}

extern const struct command_part command_part;
const struct command_part command_part = {.run = run, .options = options};
