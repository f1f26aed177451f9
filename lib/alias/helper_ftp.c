/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_ftp.c - FTP (RFC 959, RFC 2428): data connections announced on the control connection.
 *
 * An inside client says PORT or EPRT, an inside server answers 227 or 229.  The address and port
 * are replaced by those of an expectation from the other end; nothing else is touched.  What an
 * outside client says with PORT or EPRT stays as it is: the inside server connects there, and is
 * awaited so that it leaves from the address that the client called, masqueraded otherwise or not.
 * helper_stream.c finds the lines and puts together those that are split.
 *
 * It cannot read a control connection that is encrypted (AUTH TLS), nor EPRT with an IPv6 address.
 * Risk: whoever can have an inside host send a line of his choice on a connection to port 21 opens
 * a port of that host above 1023, for one connection from the server.
 */
#include "helper_text.h"

#define HELD_MAX 192

/* What a line announces, and where in it. */
struct announcement {
	uint32_t addr; /* 0: none in it (229) */
	uint16_t port;
	const char *from, *to; /* the part to replace */
	enum { COMMAS, EPRT_BARS, EPSV_BARS } style;
	char bar;
};

/* h1,h2,h3,h4,p1,p2 */
static bool parse_commas(struct text_span *s, struct announcement *a)
{
	uint32_t part[6];

	a->from = s->at;
	for (int i = 0; i < 6; i++)
		if ((i && !text_char(s, ',')) || !text_number(s, 255, &part[i]))
			return false;
	a->to = s->at;
	a->style = COMMAS;
	a->addr = htonl(part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3]);
	a->port = htons((uint16_t)(part[4] << 8 | part[5]));
	return true;
}

static bool parse_bar(struct text_span *s, struct announcement *a)
{
	if (s->at == s->end || *s->at < 33 || *s->at > 126 || (*s->at >= '0' && *s->at <= '9'))
		return false;
	a->bar = *s->at++;
	return true;
}

static bool parse_last_port(struct text_span *s, struct announcement *a)
{
	uint32_t port;

	if (!text_number(s, 65535, &port) || !text_char(s, a->bar))
		return false;
	a->to = s->at;
	a->port = htons((uint16_t)port);
	return true;
}

/* |1|address|port| */
static bool parse_eprt(struct text_span *s, struct announcement *a)
{
	a->from = s->at;
	a->style = EPRT_BARS;
	return parse_bar(s, a) && text_char(s, '1') && text_char(s, a->bar) &&
	       text_address(s, &a->addr) && text_char(s, a->bar) && parse_last_port(s, a);
}

/* (|||port|) */
static bool parse_epsv(struct text_span *s, struct announcement *a)
{
	if (!text_find(s, '('))
		return false;
	a->from = ++s->at;
	a->style = EPSV_BARS;
	return parse_bar(s, a) && text_char(s, a->bar) && text_char(s, a->bar) &&
	       parse_last_port(s, a);
}

static bool parse_pasv(struct text_span *s, struct announcement *a)
{
	while (s->at < s->end && (*s->at < '0' || *s->at > '9'))
		s->at++;
	return parse_commas(s, a);
}

static const struct command {
	const char *word;
	bool server; /* said by the server */
	bool (*parse)(struct text_span *s, struct announcement *a);
} commands[] = {
	{"PORT ", false, parse_commas},
	{"EPRT ", false, parse_eprt},
	{"227 ", true, parse_pasv},
	{"229 ", true, parse_epsv},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

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

static bool parse(struct text_span *s, bool server, struct announcement *a)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].server == server && text_word(s, commands[i].word))
			return commands[i].parse(s, a);
	return false;
}

static bool translate_out(const struct text_place *line)
{
	struct link *link = line->link;
	struct text_span s = {line->text, line->text + line->len};
	struct expectation wanted = {.helper = &helper_ftp, .proto = IPPROTO_TCP};
	struct announcement a = {0};
	struct alias_link *expected;
	uint32_t len;
	char text[48];

	if (!parse(&s, helper_server_inside(link), &a))
		return false;
	/* A bounce, or a service that was never meant to be reached (RFC 2577). */
	if ((a.addr && a.addr != link->view[OUT].local) || ntohs(a.port) < 1024)
		return false;
	wanted.inside = link->view[OUT].local;
	wanted.inside_port = a.port;
	wanted.remote = link->view[IN].peer;
	expected = expect_add(line->la, link, &wanted);
	if (!expected)
		return false;
	len = write_announcement(&a, expected->alias, expected->alias_port, text, sizeof(text));
	if (text_replace(line, a.from, a.to, text, len))
		return true;
	expect_cancel(line->la, link, &wanted);
	return false;
}

static bool hear_in(const struct text_place *line)
{
	const struct link *link = line->link;
	struct text_span s = {line->text, line->text + line->len};
	struct expectation wanted = {.helper = &helper_ftp, .proto = IPPROTO_TCP};
	struct announcement a = {0};

	if (!parse(&s, false, &a) || a.addr != link->view[IN].peer || ntohs(a.port) < 1024)
		return false;
	wanted.inside = link->view[OUT].local;
	wanted.remote = a.addr;
	wanted.remote_port = a.port;
	(void)expect_add(line->la, line->link, &wanted); /* without it, it leaves as any other */
	return false;
}

static enum text_measure measure(const char *text, uint32_t len, uint32_t *need, uint32_t *total)
{
	const char *newline = memchr(text, '\n', len);

	if (newline) {
		*need = *total = (uint32_t)(newline - text) + 1;
		return TEXT_UNIT;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (text_may_become(text, len, commands[i].word))
			return TEXT_MORE;
	return TEXT_OTHER;
}

static const struct text_protocol protocol[] = {
	[OUT] = {measure, translate_out, text_resume_line, HELD_MAX, false},
	[IN] = {measure, hear_in, text_resume_line, 0, false},
};

static void out(struct libalias *la, struct link *link, struct packet *p)
{
	text_run(la, link, p, OUT, &protocol[OUT]);
}

static void in(struct libalias *la, struct link *link, struct packet *p)
{
	if (helper_server_inside(link))
		text_run(la, link, p, IN, &protocol[IN]);
}

const struct helper helper_ftp = {
	.name = "ftp",
	.protos = HELPER_TCP,
	.ports = (const uint16_t[]){21, 0},
	.streams = {TEXT_STREAM_SIZE(HELD_MAX), TEXT_STREAM_SIZE(0)},
	.begins = text_begins,
	.out = out,
	.in = in,
};
