/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_text.c - reading and writing words of text protocols, and headers of messages.
 */
#include "helper_text.h"

#include <arpa/inet.h>
#include <stdarg.h>
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

enum helper_verdict text_begins_with(const uint8_t *first, uint32_t len, const char *const *words)
{
	enum helper_verdict verdict = HELPER_NO;

	for (; *words; words++) {
		uint32_t all = (uint32_t)strlen(*words);

		all = all < HELPER_FIRST ? all : HELPER_FIRST;
		if (memcmp(first, *words, len < all ? len : all))
			continue;
		if (len >= all)
			return HELPER_YES;
		verdict = HELPER_MAYBE;
	}
	return verdict;
}

enum helper_verdict text_begins(const uint8_t *first, uint32_t len)
{
	static const char *const web[] = {"GET ",     "POST ",   "PUT ",   "HEAD ",
					  "CONNECT ", "DELETE ", "TRACE ", "OPTIONS ",
					  "PATCH ",   "PRI ",    NULL};

	/* TLS, HTTP/2 and STUN begin with a byte that is no text. */
	if (len && (first[0] & 0x80 || (first[0] < ' ' && first[0] != '\r' && first[0] != '\n')))
		return HELPER_NO;
	return HELPER_YES - text_begins_with(first, len, web);
}

void text_put(struct text_out *out, const char *from, const char *to)
{
	uint32_t len = (uint32_t)(to - from);

	if (len > out->size - out->len) {
		out->full = true;
		return;
	}
	memcpy(out->text + out->len, from, len);
	out->len += len;
}

void text_print(struct text_out *out, const char *format, ...)
{
	char text[64];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		out->full = true;
	else
		text_put(out, text, text + len);
}

uint32_t text_header(const char *text, uint32_t len)
{
	struct text_span s = {text, text + len}, line;

	while (text_line(&s, &line))
		if (line.at == line.end)
			return (uint32_t)(s.at - text);
	return 0;
}

bool text_field(struct text_span *line, const char *name, const char *brief)
{
	struct text_span s = *line;

	for (int i = 0; i < 2; i++) {
		const char *word = i ? brief : name;

		if (!word || !text_word(&s, word))
			continue;
		text_blanks(&s);
		if (text_char(&s, ':')) {
			*line = s;
			return true;
		}
		s = *line;
	}
	return false;
}

bool text_header_number(const char *header, uint32_t len, const char *name, const char *brief,
			uint32_t *value)
{
	struct text_span s = {header, header + len}, line;
	bool found = false;

	while (text_line(&s, &line)) {
		if (!text_field(&line, name, brief))
			continue;
		text_blanks(&line);
		/* Two that differ would be read differently at both ends. */
		if (found || !text_number(&line, 1u << 24, value))
			return false;
		text_blanks(&line);
		if (line.at != line.end)
			return false;
		found = true;
	}
	return true;
}

/* A method, an address and the version, or the version and a number. */
static bool is_first_line(const struct text_span *line, const char *version)
{
	struct text_span s = *line;
	const char *start = s.at;
	size_t len = strlen(version);

	if (text_word(&s, version))
		return text_char(&s, ' ') && s.at < s.end && *s.at >= '1' && *s.at <= '6';
	while (s.at < s.end && ((*s.at >= 'A' && *s.at <= 'Z') || *s.at == '_'))
		s.at++;
	if (s.at == start || !text_char(&s, ' ') || text_left(&s) < len + 2)
		return false;
	s.at = s.end - len;
	return s.at[-1] == ' ' && text_word(&s, version);
}

enum text_measure text_measure_message(const char *version, const char *brief_length,
				       const char *text, uint32_t len, uint32_t *need,
				       uint32_t *total)
{
	struct text_span s = {text, text + len}, line;
	uint32_t blank = 0, body = 0;

	/* Empty lines keep a connection alive. */
	while (blank < len && (text[blank] == '\r' || text[blank] == '\n'))
		blank++;
	if (blank) {
		*need = *total = blank;
		return TEXT_UNIT;
	}
	if (!text_line(&s, &line)) {
		for (uint32_t i = 0; i < len; i++)
			if ((uint8_t)text[i] < ' ' && text[i] != '\r')
				return TEXT_ALIEN;
		return TEXT_MORE;
	}
	if (!is_first_line(&line, version))
		return TEXT_ALIEN;
	*need = text_header(text, len);
	if (!*need)
		return TEXT_MORE;
	if (!text_header_number(text, *need, "Content-Length", brief_length, &body))
		return TEXT_ALIEN;
	*total = *need + body;
	return TEXT_UNIT;
}

uint32_t text_resume_message(const char *version, const char *text, uint32_t len)
{
	struct text_span s = {text, text + len}, line;

	return text_line(&s, &line) && is_first_line(&line, version) ? 0 : TEXT_NOWHERE;
}
