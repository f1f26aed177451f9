/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_sdp.c - session descriptions (SDP, RFC 4566) in SIP messages of inside ends.
 *
 * The address in o= and c= is replaced if it is the sender's own.  Each m= line whose connection
 * address, of its own or the session's c=, is the sender's gets the port of an expectation: a pair
 * for RTP and RTCP (RFC 3550), TCP where the line says so.  a=rtcp: (RFC 3605) follows, as the port
 * behind or with one of its own.  Port 0, which is a refusal, and ports below 1024 stay.
 *
 * Where media come from is not known, since offers are made before the other end speaks: they are
 * awaited from anyone.  Candidates of ICE (a=candidate:) stay, they are for ends that need no help.
 */
#include "helper_sip.h"

#define ANSWER_TIME 300 /* seconds; a call may ring long before media come */

/* The address of a c= line, whose "c=" was read; 0: it has none of IPv4. */
static uint32_t connection_address(struct text_span line)
{
	uint32_t addr;

	if (!text_word(&line, "IN IP4 ") || !text_address(&line, &addr))
		return 0;
	return addr;
}

/* The next line with its end; what has no newline is a line, too. */
static bool next_line(struct text_span *s, struct text_span *line)
{
	if (s->at == s->end)
		return false;
	if (!text_line(s, line)) {
		line->end = s->end;
		s->at = s->end;
	}
	return true;
}

/* The address of the first c= line before the next m= line, or otherwise this one. */
static uint32_t section_address(struct text_span s, uint32_t otherwise)
{
	struct text_span line;

	while (next_line(&s, &line) && !text_word(&line, "m="))
		if (text_word(&line, "c="))
			return connection_address(line);
	return otherwise;
}

/* What a section's m= line was made of, for its a=rtcp: line. */
struct section {
	uint32_t port, alias_port; /* 0: nothing was replaced */
	bool own;
};

/* "m=audio 5004 RTP/AVP 0", "m=" being read; false: nothing was written. */
static bool rewrite_media(struct sip_message *m, struct text_span line, struct section *section,
			  struct text_out *out)
{
	struct expectation wanted = {.proto = IPPROTO_UDP, .timeout = ANSWER_TIME};
	struct text_span s = line, protocol;
	struct alias_link *expected;
	const char *number;

	if (!text_find(&s, ' '))
		return false;
	number = ++s.at;
	if (!text_number(&s, 65535, &section->port) || section->port < 1024 || !section->own)
		return false;
	/* Of several ports, as in "5004/2", the first is the one. */
	protocol = s;
	if (!text_find(&protocol, ' '))
		return false;
	protocol.at++;
	wanted.pair = text_word(&protocol, "RTP/");
	if (text_word(&protocol, "TCP"))
		wanted.proto = IPPROTO_TCP;
	wanted.inside_port = htons((uint16_t)section->port);
	expected = sip_announce(m, wanted);
	if (!expected)
		return false;
	section->alias_port = ntohs(expected->alias_port);
	text_put(out, line.at - 2, number);
	text_print(out, "%u", section->alias_port);
	text_put(out, s.at, line.end);
	return true;
}

/* "a=rtcp:5005 IN IP4 10.0.0.2", up to the colon being read. */
static bool rewrite_rtcp(struct sip_message *m, struct text_span line,
			 const struct section *section, struct text_out *out)
{
	struct expectation wanted = {.proto = IPPROTO_UDP, .timeout = ANSWER_TIME};
	struct alias_link *expected;
	char text[TEXT_ADDRESS];
	uint32_t port, addr;

	if (!section->alias_port || !text_number(&line, 65535, &port) || port < 1024)
		return false;
	if (port == section->port + 1) {
		port = section->alias_port + 1;
	} else {
		wanted.inside_port = htons((uint16_t)port);
		expected = sip_announce(m, wanted);
		if (!expected)
			return false;
		port = ntohs(expected->alias_port);
	}
	text_print(out, "a=rtcp:%u", port);
	if (text_word(&line, " IN IP4 ") && text_address(&line, &addr))
		text_print(out, " IN IP4 %s",
			   text_of_address(addr == m->own ? m->other : addr, text));
	text_put(out, line.at, line.end);
	return true;
}

/* Replaces the sender's own address at the end of a line, or before a slash. */
static bool rewrite_address(struct sip_message *m, struct text_span line, const char *start,
			    struct text_out *out)
{
	char text[TEXT_ADDRESS];
	struct text_span s = line;
	uint32_t addr;

	while (text_find(&s, ' ')) {
		const char *from = ++s.at;

		if (!text_address(&s, &addr) || addr != m->own || (s.at < s.end && *s.at != '/'))
			continue;
		text_put(out, start, from);
		text_print(out, "%s", text_of_address(m->other, text));
		text_put(out, s.at, line.end);
		m->changed = true;
		return true;
	}
	return false;
}

static bool rewrite_line(struct sip_message *m, struct text_span line, struct section *section,
			 struct text_out *out)
{
	const char *start = line.at;

	if (text_word(&line, "m="))
		return rewrite_media(m, line, section, out);
	if (text_word(&line, "a=rtcp:"))
		return rewrite_rtcp(m, line, section, out);
	if (text_word(&line, "o=") || text_word(&line, "c="))
		return rewrite_address(m, line, start, out);
	return false;
}

void sdp_rewrite(struct sip_message *m, struct text_span body, struct text_out *out)
{
	uint32_t session = section_address(body, 0);
	struct section section = {0};
	struct text_span line, s;

	while (next_line(&body, &line)) {
		s = line;
		if (text_word(&s, "m="))
			section = (struct section){.own = section_address(body, session) == m->own};
		if (!rewrite_line(m, line, &section, out))
			text_put(out, line.at, line.end);
		text_put(out, line.end, body.at);
	}
}
