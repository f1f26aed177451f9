/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - a text protocol's connection for the tests of helpers; stream.h says what each does.
 */
#include "stream.h"

int stream_setup(void **state, const char *helper)
{
	void *net;
	struct stream *s;

	net_setup(&net);
	s = realloc(net, sizeof(*s));
	assert_non_null(s);
	memset((char *)s + sizeof(s->net), 0, sizeof(*s) - sizeof(s->net));
	/* The clock's argument has moved. */
	net_clock(&s->net);
	s->next_port = 3000;
	*state = s;
	return LibAliasSetHelper(s->net.la, helper, 0, 1);
}

void stream_connect_at(struct stream *s, uint16_t port, uint32_t seq)
{
	s->tcp = connect_out(&s->net, INSIDE, s->next_port++, port, seq);
}

void stream_connect(struct stream *s, uint16_t port)
{
	stream_connect_at(s, port, 100);
}

void stream_accept(struct stream *s, uint16_t port)
{
	s->tcp = connect_in(&s->net, s->next_port++, port, port);
}

static const char *say(struct stream *s, const char *text, size_t len)
{
	say_out(&s->net, &s->tcp, text, len);
	return packet_text(s->net.packet);
}

const char *stream_say_at(struct stream *s, uint32_t seq, const char *text)
{
	s->tcp.seq = seq;
	return stream_say(s, text);
}

const char *stream_say(struct stream *s, const char *text)
{
	return say(s, text, strlen(text));
}

const char *stream_hear(struct stream *s, const char *text)
{
	say_in(&s->net, &s->tcp, text, strlen(text));
	return packet_text(s->net.packet);
}

void stream_split_anywhere(struct stream *s, uint16_t port, const char *first, const char *text,
			   const char *translated)
{
	size_t len = strlen(text);
	char got[8192];

	for (size_t at = 1; at < len; at++) {
		LibAliasReset(s->net.la);
		stream_connect(s, port);
		stream_say(s, first);
		strcpy(got, say(s, text, at));
		strcat(got, say(s, text + at, len - at));
		assert_string_equal(got, translated);
	}
	/* Byte by byte, it still comes out as a whole. */
	LibAliasReset(s->net.la);
	stream_connect(s, port);
	stream_say(s, first);
	got[0] = '\0';
	for (size_t at = 0; at < len; at++)
		strcat(got, say(s, text + at, 1));
	assert_string_equal(got, translated);
}

static void browse(struct stream *s, uint16_t port, const char *request, const char *text,
		   bool bytes)
{
	size_t len = strlen(request);

	LibAliasReset(s->net.la);
	stream_connect(s, port);
	if (bytes)
		for (size_t at = 0; at < len; at++)
			say(s, request + at, 1);
	else
		stream_say(s, request);
	assert_string_equal(stream_say(s, text), text);
	assert_string_equal(stream_say(s, text), text);
	assert_int_equal(expectations(&s->net), 0);
}

void stream_refuses_web(struct stream *s, uint16_t port, const char *text)
{
	static const char *const requests[] = {
		"POST / HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"GET /x HTTP/1.1\r\n\r\n",
		"PUT /x HTTP/1.1\r\n\r\n",
		"OPTIONS /x HTTP/1.1\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nAccess-Control-Request-Method: POST\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\026\003\001\002\001\001\r\n",
		"\001\001\r\n",
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		browse(s, port, requests[i], text, false);
		browse(s, port, requests[i], text, true);
	}
}

void stream_flood(struct stream *s, unsigned int port, const char *before, const char *behind)
{
	char line[2048];

	for (unsigned int i = 0; i < 3000; i++) {
		snprintf(line, sizeof(line), "%s%u%s", before, port + 2 * i, behind);
		stream_say(s, line);
	}
	assert_int_equal(expectations(&s->net),
			 LibAliasGetLimit(s->net.la, ALIAS_LIMIT_EXPECTATIONS));
}
