/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_text.c - reading words of text protocols.
 */
#include "helper_text.h"

#include <arpa/inet.h>
#include <strings.h>

bool text_number(struct text_span *s, uint32_t max, uint32_t *value)
{
	const char *at = s->at;
	uint64_t n = 0;

	for (; at < s->end && *at >= '0' && *at <= '9'; at++) {
		n = n * 10 + (uint32_t)(*at - '0');
		if (n > max)
			return false;
	}
	if (at == s->at)
		return false;
	s->at = at;
	*value = (uint32_t)n;
	return true;
}

bool text_address(struct text_span *s, uint32_t *addr)
{
	struct text_span at = *s;
	uint32_t host = 0, part;

	for (int i = 0; i < 4; i++) {
		if (i && !text_char(&at, '.'))
			return false;
		if (!text_number(&at, 255, &part))
			return false;
		host = host << 8 | part;
	}
	*s = at;
	*addr = htonl(host);
	return true;
}

bool text_char(struct text_span *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

bool text_word(struct text_span *s, const char *word)
{
	size_t len = strlen(word);

	if (text_left(s) < len || strncasecmp(s->at, word, len))
		return false;
	s->at += len;
	return true;
}

bool text_find(struct text_span *s, char c)
{
	const char *found = s->at < s->end ? memchr(s->at, c, text_left(s)) : NULL;

	if (!found)
		return false;
	s->at = found;
	return true;
}

void text_blanks(struct text_span *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

bool text_line(struct text_span *s, struct text_span *line)
{
	line->at = line->end = s->at;
	if (!text_find(s, '\n'))
		return false;
	line->end = s->at++;
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	return true;
}

bool text_may_become(const char *text, uint32_t len, const char *word)
{
	size_t all = strlen(word);

	return len && !strncasecmp(text, word, len < all ? len : all);
}

const char *text_of_address(uint32_t addr, char text[TEXT_ADDRESS])
{
	const struct in_addr in = {addr};

	return inet_ntop(AF_INET, &in, text, TEXT_ADDRESS);
}

enum helper_verdict text_begins(const uint8_t *first, uint32_t len)
{
	static const char *const web[] = {"GET ",	  "POST ",  "PUT ",    "HEAD ", "CONNECT ",
					  "DELETE ", "TRACE ", "OPTIONS ", "PATCH ", "PRI "};
	enum helper_verdict verdict = HELPER_YES;

	/* TLS, HTTP/2 and STUN begin with a byte that is no text. */
	if (len && (first[0] & 0x80 || (first[0] < ' ' && first[0] != '\r' && first[0] != '\n')))
		return HELPER_NO;
	for (size_t i = 0; i < sizeof(web) / sizeof(web[0]); i++) {
		uint32_t all = (uint32_t)strlen(web[i]);

		if (!memcmp(first, web[i], len < all ? len : all)) {
			if (len >= all)
				return HELPER_NO;
			verdict = HELPER_MAYBE;
		}
	}
	return verdict;
}
