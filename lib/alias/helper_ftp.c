/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_ftp.c - FTP (RFC 959, RFC 2428): data connections announced on the control connection.
 *
 * An inside client says PORT or EPRT, an inside server answers 227 or 229.  The address and port
 * are replaced by those of an expectation; nothing else is touched, and nothing that comes from
 * outside: those connections go out by themselves.
 *
 * A line counts only where a line can start: at the start of the stream, behind a newline, or where
 * a line that was translated began (it is being sent again).  A command that is split over segments
 * is held back: its first part is cut from the packet and kept; the next segment gets it put in
 * front.  The sender sees no acknowledgment for the part in between, and should it send either
 * piece again, the kept text makes the packet whole again.
 */
#include "helper.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <strings.h>

#define HELD_MAX 192
#define STARTS   8

struct ftp {
	bool known_server, server; /* the server is inside */
	bool line_known;
	uint8_t starts;
	uint32_t line;          /* sequence number of the start of the next line */
	uint32_t start[STARTS]; /* of lines that were translated */
	uint32_t held_seq;
	uint32_t held_len;
	char held[HELD_MAX];
};

/* A decimal number of at most max; *at moves behind it. */
static bool number(const char *line, uint32_t len, uint32_t *at, uint32_t max, uint32_t *out)
{
	uint32_t value = 0, first = *at;

	while (*at < len && line[*at] >= '0' && line[*at] <= '9') {
		value = value * 10 + (uint32_t)(line[*at] - '0');
		if (value > max)
			return false;
		(*at)++;
	}
	*out = value;
	return *at > first;
}

/* What a line announces, and where in it. */
struct announcement {
	uint32_t addr; /* 0: none in it (229) */
	uint16_t port;
	uint32_t from, to; /* the part to replace */
	enum { COMMAS, EPRT_BARS, EPSV_BARS } style;
	char bar;
};

/* h1,h2,h3,h4,p1,p2 */
static bool parse_commas(const char *line, uint32_t len, uint32_t at, struct announcement *a)
{
	uint32_t part[6];

	a->from = at;
	for (int i = 0; i < 6; i++) {
		if (i && (at >= len || line[at++] != ','))
			return false;
		if (!number(line, len, &at, 255, &part[i]))
			return false;
	}
	a->to = at;
	a->style = COMMAS;
	a->addr = htonl(part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3]);
	a->port = htons((uint16_t)(part[4] << 8 | part[5]));
	return true;
}

/* |1|address|port| */
static bool parse_eprt(const char *line, uint32_t len, uint32_t at, struct announcement *a)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr addr;
	uint32_t n = 0, port;

	a->from = at;
	if (at + 3 >= len)
		return false;
	a->bar = line[at];
	if (a->bar < 33 || a->bar > 126 || (a->bar >= '0' && a->bar <= '9') ||
	    line[at + 1] != '1' || line[at + 2] != a->bar)
		return false;
	at += 3;
	while (at < len && line[at] != a->bar && n < sizeof(text) - 1)
		text[n++] = line[at++];
	text[n] = '\0';
	if (at >= len || line[at++] != a->bar || inet_pton(AF_INET, text, &addr) != 1)
		return false;
	if (!number(line, len, &at, 65535, &port) || at >= len || line[at++] != a->bar)
		return false;
	a->to = at;
	a->style = EPRT_BARS;
	a->addr = addr.s_addr;
	a->port = htons((uint16_t)port);
	return true;
}

/* (|||port|) */
static bool parse_epsv(const char *line, uint32_t len, uint32_t at, struct announcement *a)
{
	uint32_t port;

	while (at < len && line[at] != '(')
		at++;
	if (at + 5 >= len)
		return false;
	a->bar = line[++at];
	if (a->bar < 33 || a->bar > 126 || (a->bar >= '0' && a->bar <= '9') ||
	    line[at + 1] != a->bar || line[at + 2] != a->bar)
		return false;
	a->from = at;
	at += 3;
	if (!number(line, len, &at, 65535, &port) || at >= len || line[at++] != a->bar)
		return false;
	a->to = at;
	a->style = EPSV_BARS;
	a->addr = 0;
	a->port = htons((uint16_t)port);
	return true;
}

static bool parse_pasv(const char *line, uint32_t len, uint32_t at, struct announcement *a)
{
	while (at < len && (line[at] < '0' || line[at] > '9'))
		at++;
	return parse_commas(line, len, at, a);
}

static const struct command {
	const char *word;
	bool server; /* said by the server */
	bool (*parse)(const char *line, uint32_t len, uint32_t at, struct announcement *a);
} commands[] = {
	{"PORT ", false, parse_commas},
	{"EPRT ", false, parse_eprt},
	{"227 ", true, parse_pasv},
	{"229 ", true, parse_epsv},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* The command that a line, or the first len bytes of one, begins with, among those of this end. */
static const struct command *command_of(const char *line, uint32_t len, bool server)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		size_t word = strlen(commands[i].word);

		if (commands[i].server == server && len &&
		    !strncasecmp(line, commands[i].word, len < word ? len : word))
			return &commands[i];
	}
	return NULL;
}

static uint32_t write_announcement(const struct announcement *a, uint32_t addr, uint16_t port,
				   char *text, size_t size)
{
	const uint8_t *b = (const uint8_t *)&addr;
	uint32_t n = ntohs(port);
	int len = 0;

	switch (a->style) {
	case COMMAS:
		len = snprintf(text, size, "%u,%u,%u,%u,%u,%u", b[0], b[1], b[2], b[3], n >> 8,
			       n & 255);
		break;
	case EPRT_BARS:
		len = snprintf(text, size, "%c1%c%u.%u.%u.%u%c%u%c", a->bar, a->bar, b[0], b[1],
			       b[2], b[3], a->bar, n, a->bar);
		break;
	case EPSV_BARS:
		len = snprintf(text, size, "%c%c%c%u%c", a->bar, a->bar, a->bar, n, a->bar);
		break;
	}
	return (uint32_t)len;
}

static void remember_start(struct ftp *ftp, uint32_t seq)
{
	for (int i = 0; i < STARTS && i < ftp->starts; i++)
		if (ftp->start[i] == seq)
			return;
	ftp->start[ftp->starts % STARTS] = seq;
	ftp->starts = ftp->starts < 2 * STARTS - 1 ? (uint8_t)(ftp->starts + 1) : STARTS;
}

static bool line_starts(const struct ftp *ftp, uint32_t seq)
{
	if (ftp->line_known && seq == ftp->line)
		return true;
	if (ftp->held_len && seq == ftp->held_seq)
		return true;
	for (int i = 0; i < STARTS && i < ftp->starts; i++)
		if (ftp->start[i] == seq)
			return true;
	return false;
}

/* Translates a whole line of len bytes at offset; returns its new length. */
static uint32_t translate_line(struct libalias *la, struct link *link, struct packet *p,
			       struct ftp *ftp, uint32_t offset, uint32_t seq, uint32_t len)
{
	const char *line = (const char *)p->data + offset;
	const struct command *command = command_of(line, len, ftp->server);
	struct announcement a = {0};
	struct expectation wanted = {.helper = &helper_ftp, .proto = IPPROTO_TCP};
	struct alias_link *expected;
	char text[48];
	uint32_t new_len;

	if (!command || len < strlen(command->word) ||
	    !command->parse(line, len, (uint32_t)strlen(command->word), &a))
		return len;
	/* A bounce, or a service that was never meant to be reached (RFC 2577). */
	if ((a.addr && a.addr != link->view[OUT].local) || ntohs(a.port) < 1024)
		return len;
	wanted.inside = link->view[OUT].local;
	wanted.inside_port = a.port;
	wanted.remote = link->view[IN].peer;
	expected = expect_add(la, link, &wanted);
	if (!expected)
		return len;
	new_len = write_announcement(&a, expected->alias, expected->alias_port, text, sizeof(text));
	if (!helper_replace(la, link, p, OUT, offset + a.from, seq + a.from, a.to - a.from, text,
			    new_len)) {
		expect_cancel(la, link, &wanted);
		return len;
	}
	remember_start(ftp, seq);
	return len - (a.to - a.from) + new_len;
}

/* Puts the part that is held in front of a packet that continues it, or repeats a piece of it. */
static bool join_held(struct ftp *ftp, struct packet *p, uint32_t *seq)
{
	uint32_t offset, len, before = *seq - ftp->held_seq, known;

	helper_payload(p, &offset, &len);
	if (before > ftp->held_len)
		return true;
	known = before + len;
	if (p->len + ftp->held_len > p->size)
		return false;
	if (known < ftp->held_len &&
	    !packet_replace(p, offset + len, 0, ftp->held + known, ftp->held_len - known))
		return false;
	if (!packet_replace(p, offset, 0, ftp->held, before))
		return false;
	*seq = ftp->held_seq;
	tcp_set_sequence(p, *seq);
	return true;
}

/* Keeps an unfinished line that may become a command and cuts it from the packet. */
static void hold(struct packet *p, struct ftp *ftp, uint32_t offset, uint32_t seq, uint32_t len)
{
	const char *line = (const char *)p->data + offset;

	if (len > HELD_MAX || !command_of(line, len, ftp->server))
		return;
	memcpy(ftp->held, line, len);
	ftp->held_len = len;
	ftp->held_seq = seq;
	packet_replace(p, offset, len, "", 0);
	tcp_clear_flags(p, TH_FIN);
}

static void ftp_out(struct libalias *la, struct link *link, struct packet *p)
{
	struct ftp *ftp = helper_state(link);
	uint32_t seq = ntohl(load32(p->l4 + 4)), offset, len, end;
	const uint8_t *data, *newline;
	bool start;

	if (p->l4[13] & TH_RST)
		return;
	if (!ftp->known_server) {
		ftp->known_server = true;
		ftp->server = helper_server_inside(link);
	}
	if (p->l4[13] & TH_SYN) {
		ftp->line = seq + 1;
		ftp->line_known = true;
		return;
	}
	data = helper_payload(p, &offset, &len);
	if (!len)
		return;
	if (ftp->held_len) {
		if (!join_held(ftp, p, &seq))
			return;
		helper_payload(p, &offset, &len);
	}
	start = line_starts(ftp, seq);
	while (len) {
		uint32_t line;

		data = p->data + offset;
		newline = memchr(data, '\n', len);
		if (!newline) {
			if (start)
				hold(p, ftp, offset, seq, len);
			return;
		}
		line = (uint32_t)(newline - data) + 1;
		end = offset + (start ? translate_line(la, link, p, ftp, offset, seq, line) : line);
		offset = end;
		seq += line;
		len -= line;
		start = true;
		if (!ftp->line_known || (int32_t)(seq - ftp->line) > 0) {
			ftp->line = seq;
			ftp->line_known = true;
		}
	}
}

const struct helper helper_ftp = {
	.name = "ftp",
	.protos = HELPER_TCP,
	.ports = (const uint16_t[]){21, 0},
	.state_size = sizeof(struct ftp),
	.out = ftp_out,
};
