/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_irc.c - IRC (RFC 2812): direct connections between clients (DCC), offered in a message.
 *
 * The format of an offer is that of "The Client-To-Client Protocol" (CTCP; Zeuge, Rollo, Mesander
 * 1994) and its DCC section: PRIVMSG or NOTICE to a nick whose text is \001DCC SEND file address
 * port size\001 or \001DCC CHAT chat address port\001, the address a decimal number.  Address and
 * port of an inside client's offer are replaced by those of an expectation.  A peer that wants the
 * rest of a file answers RESUME with the port that it was told, which becomes the inside one;
 * ACCEPT with the inside port is changed as the offer was.
 *
 * It cannot read a connection that is encrypted, nor the offers of clients of a server inside; an
 * offer with port 0, where the other side is to listen, stays as it is.
 * Risk: nobody knows from where the peer will come, so that the port is open to the first who
 * tries. Whoever can have an inside host send a line of his choice to port 6667 opens a port of
 * that host above 1023.
 */
#include "helper_text.h"

#define HELD_MAX 512 /* the longest message of RFC 2812 */

static const char *const words[] = {"PRIVMSG ", "NOTICE "};

/* The text of a message to somebody; false: it is none. */
static bool parse_message(struct text_span *s)
{
	if (!text_word(s, words[0]) && !text_word(s, words[1]))
		return false;
	text_blanks(s);
	if (!text_find(s, ' '))
		return false;
	text_blanks(s);
	return text_char(s, ':');
}

/* A file's name, which may be in quotation marks; "chat" is like one. */
static bool parse_name(struct text_span *s)
{
	bool quoted = text_char(s, '"');

	return text_find(s, quoted ? '"' : ' ') && (!quoted || text_char(s, '"')) &&
	       text_char(s, ' ');
}

enum kind { NONE, OFFER, RESUME, ACCEPT };

/* The kind of DCC message, the span then being at its address or port. */
static enum kind parse_dcc(struct text_span *s)
{
	static const struct {
		const char *word;
		enum kind kind;
	} kinds[] = {{"SEND ", OFFER}, {"CHAT ", OFFER}, {"RESUME ", RESUME}, {"ACCEPT ", ACCEPT}};

	if (!parse_message(s) || !text_word(s, "\001DCC "))
		return NONE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (text_word(s, kinds[i].word))
			return parse_name(s) ? kinds[i].kind : NONE;
	return NONE;
}

/* Behind an address and port comes a blank or the end. */
static bool at_end_of_word(const struct text_span *s)
{
	return s->at < s->end && (*s->at == ' ' || *s->at == '\001');
}

static bool translate_offer(const struct text_place *line, struct text_span *s)
{
	struct link *link = line->link;
	struct expectation wanted = {.helper = &helper_irc, .proto = IPPROTO_TCP};
	const char *from = s->at;
	struct alias_link *expected;
	uint32_t addr, port;
	char text[32];
	int len;

	if (!text_number(s, UINT32_MAX, &addr) || !text_char(s, ' ') ||
	    !text_number(s, 65535, &port) || !at_end_of_word(s))
		return false;
	if (htonl(addr) != link->view[OUT].local || port < 1024)
		return false;
	wanted.inside = link->view[OUT].local;
	wanted.inside_port = htons((uint16_t)port);
	expected = expect_add(line->la, link, &wanted);
	if (!expected)
		return false;
	len = snprintf(text, sizeof(text), "%u %u", ntohl(expected->alias),
		       ntohs(expected->alias_port));
	if (text_replace(line, from, s->at, text, (uint32_t)len))
		return true;
	expect_cancel(line->la, link, &wanted);
	return false;
}

/* The port of an offer that is still awaited, in the other's terms. */
static bool translate_port(const struct text_place *line, struct text_span *s)
{
	const char *from = s->at;
	struct alias_link *r;
	uint32_t port;
	char text[8];
	int len;

	if (!text_number(s, 65535, &port) || !at_end_of_word(s))
		return false;
	r = expect_with_port(line->link, line->dir, IPPROTO_TCP, htons((uint16_t)port));
	if (!r)
		return false;
	len = snprintf(text, sizeof(text), "%u",
		       ntohs(line->dir == OUT ? r->alias_port : r->local_port));
	return text_replace(line, from, s->at, text, (uint32_t)len);
}

static bool translate_out(const struct text_place *line)
{
	struct text_span s = {line->text, line->text + line->len};

	switch (parse_dcc(&s)) {
	case OFFER:
		return translate_offer(line, &s);
	case ACCEPT:
		return translate_port(line, &s);
	default:
		return false;
	}
}

/* What the server passes on begins with who said it, and that with tags if the client likes. */
static bool translate_in(const struct text_place *line)
{
	struct text_span s = {line->text, line->text + line->len};

	if (text_char(&s, '@') && (!text_find(&s, ' ') || !text_char(&s, ' ')))
		return false;
	if (!text_char(&s, ':') || !text_find(&s, ' ') || !text_char(&s, ' ') ||
	    parse_dcc(&s) != RESUME)
		return false;
	return translate_port(line, &s);
}

static enum text_measure measure_line(const char *text, uint32_t len, uint32_t *need,
				      uint32_t *total)
{
	const char *newline = memchr(text, '\n', len);

	if (!newline)
		return TEXT_OTHER;
	*need = *total = (uint32_t)(newline - text) + 1;
	return TEXT_UNIT;
}

static enum text_measure measure_out(const char *text, uint32_t len, uint32_t *need,
				     uint32_t *total)
{
	if (measure_line(text, len, need, total) == TEXT_UNIT)
		return TEXT_UNIT;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_may_become(text, len, words[i]))
			return TEXT_MORE;
	return TEXT_OTHER;
}

static const struct text_protocol protocol[] = {
	[OUT] = {measure_out, translate_out, text_resume_line, HELD_MAX, false},
	[IN] = {measure_line, translate_in, text_resume_line, HELD_MAX, false},
};

static void out(struct libalias *la, struct link *link, struct packet *p)
{
	/* A server speaks for others. */
	if (!helper_server_inside(link))
		text_run(la, link, p, OUT, &protocol[OUT]);
}

static void in(struct libalias *la, struct link *link, struct packet *p)
{
	if (!helper_server_inside(link))
		text_run(la, link, p, IN, &protocol[IN]);
}

const struct helper helper_irc = {
	.name = "irc",
	.protos = HELPER_TCP,
	.ports = (const uint16_t[]){6667, 0},
	.streams = {TEXT_STREAM_SIZE(HELD_MAX), TEXT_STREAM_SIZE(HELD_MAX)},
	.begins = text_begins,
	.out = out,
	.in = in,
};
