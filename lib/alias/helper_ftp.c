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
 * A 227 or 229 counts only if the client has said PASV or EPSV since the last, and not as a line of
 * a longer reply (RFC 959, section 4.2): a server repeats in its replies what clients and files
 * say.
 *
 * It cannot read a control connection that is encrypted (AUTH TLS), nor EPRT with an IPv6 address.
 * Risk: whoever can have an inside host send a line of his choice on a connection to port 21 opens
 * a port of that host above 1023, for one connection from the server.
 */
#include "helper_text.h"

#include <netinet/tcp.h>
#include <strings.h>

#define HELD_MAX 192
#define WORD     4 /* letters of PASV and EPSV */

/* What an outside client asks, byte by byte, and an inside server answers. */
struct dialogue {
	bool heard_known, said_known;
	uint8_t letters;      /* of the client's line that were heard, up to WORD */
	uint8_t questions;    /* PASV and EPSV that were not answered */
	uint16_t reply;       /* code of a reply of several lines that has not ended, or 0 */
	uint32_t heard, said; /* sequence numbers behind what has been looked at */
	char word[WORD];
};

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

static struct dialogue *dialogue(const struct link *link)
{
	return helper_state(link);
}

/* Looks for questions in what the client says; what was missed or is said again is left out. */
static void listen_to(struct dialogue *d, uint32_t seq, const uint8_t *data, uint32_t len)
{
	uint32_t at = d->heard_known ? d->heard - seq : 0;

	if (at > len) {
		if ((int32_t)at > 0)
			return;
		d->letters = WORD; /* somewhere in a line */
		at = 0;
	}
	d->heard_known = true;
	d->heard = seq + len;
	for (; at < len; at++) {
		if (data[at] == '\n') {
			d->letters = 0;
		} else if (d->letters < WORD) {
			d->word[d->letters++] = (char)data[at];
			if (d->letters == WORD && d->questions < UINT8_MAX &&
			    (!strncasecmp(d->word, "PASV", WORD) ||
			     !strncasecmp(d->word, "EPSV", WORD)))
				d->questions++;
		}
	}
}

/* Is this line of the server a reply of its own?  Notes where longer ones begin and end. */
static bool is_reply(struct dialogue *d, const struct text_place *line)
{
	struct text_span s = {line->text, line->text + line->len};
	uint32_t code;

	if (!text_number(&s, 999, &code) || s.at != line->text + 3)
		return false;
	if (!d->reply && text_char(&s, '-'))
		d->reply = (uint16_t)code;
	if (d->reply && (code != d->reply || !text_char(&s, ' ')))
		return false;
	d->reply = 0;
	return true;
}

/* Is this line of the server the answer to a question? */
static bool is_answer(const struct text_place *line)
{
	struct dialogue *d = dialogue(line->link);
	struct text_span s = {line->text, line->text + line->len};

	if (line->again)
		return true;
	if (d->said_known && (int32_t)(line->seq - d->said) < 0)
		return false;
	d->said_known = true;
	d->said = line->seq + line->len;
	if (!is_reply(d, line) || !d->questions ||
	    (!text_word(&s, "227 ") && !text_word(&s, "229 ")))
		return false;
	d->questions--;
	return true;
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

	if ((helper_server_inside(link) && !is_answer(line)) ||
	    !parse(&s, helper_server_inside(link), &a))
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
	uint32_t offset, len;
	const uint8_t *data = helper_payload(p, &offset, &len);

	if (!helper_server_inside(link))
		return;
	if (len && !(p->l4[13] & TH_RST))
		listen_to(dialogue(link), ntohl(load32(p->l4 + 4)), data, len);
	text_run(la, link, p, IN, &protocol[IN]);
}

static void record(struct record_cursor *c, const struct link *link)
{
	struct dialogue *d = dialogue(link);

	record_flags(c, &d->heard_known, &d->said_known);
	record_number32(c, &d->heard);
	record_number32(c, &d->said);
	record_number8(c, &d->questions);
}

const struct helper helper_ftp = {
	.name = "ftp",
	.protos = HELPER_TCP,
	.ports = (const uint16_t[]){21, 0},
	.state_size = sizeof(struct dialogue),
	.streams = {TEXT_STREAM_SIZE(HELD_MAX), TEXT_STREAM_SIZE(0)},
	.begins = text_begins,
	.out = out,
	.in = in,
	.record = record,
};
