// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parser of the control socket's bytes; it knows neither sockets nor rules.
 *
 * A request is a line in the grammar of rules files.  Behind the line `restore [-a] NAME BYTES`
 * follow so many bytes of a rules file.  Room grows with what really comes, never by what a client
 * says will come, and a line or a file beyond its limit is broken: since nobody knows where the
 * next request begins, the connection ends with it.  A line that is whole but wrong (a NUL byte,
 * too many words) is answered and the next one read.  Half a line is never carried out: `-L ... 80`
 * may have been meant to be `8080`.
 */
#include "request.h"

#include <errno.h>
#include <ipmasq/address.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 1024u

void request_reader_free(struct request_reader *reader)
{
	free(reader->line);
	free(reader->bytes);
	*reader = (struct request_reader){0};
}

/* How many bytes are wanted, as far as that is known. */
static size_t limit(const struct request_reader *reader)
{
	if (reader->state != REQUEST_MORE)
		return 0;
	return reader->line ? reader->request.body_length : REQUEST_LINE_MAX;
}

char *request_space(struct request_reader *reader, size_t *size)
{
	size_t most = limit(reader), room = reader->room ? reader->room : ROOM_FIRST;
	char *bytes;

	*size = 0;
	while (room <= reader->length)
		room *= 2;
	if (room > reader->room) {
		bytes = realloc(reader->bytes, room);
		if (!bytes)
			return NULL;
		reader->bytes = bytes;
		reader->room = room;
	}
	if (reader->length < most)
		*size = (most < room ? most : room) - reader->length;
	return reader->bytes + reader->length;
}

void request_add(struct request_reader *reader, size_t length)
{
	reader->length += length;
}

static void take_out(struct request_reader *reader, size_t length)
{
	reader->length -= length;
	memmove(reader->bytes, reader->bytes + length, reader->length);
	reader->searched = 0;
}

/* The first word that is no flag, or argc. */
static int command_of(const struct request *request)
{
	int i = 0;

	while (i < request->argc && request->argv[i][0] == '-')
		i++;
	return i;
}

static enum request_state parse_restore(struct request_reader *reader, int command)
{
	struct request *request = &reader->request;
	const char *word = request->argc - command > 2 ? request->argv[request->argc - 1] : "";
	uint32_t bytes;

	if (ipmasq_parse_number(&bytes, word, "number of bytes", 0, REQUEST_BODY_MAX,
				&reader->error) < 0) {
		ipmasq_usage(&reader->error,
			     "restore: here it is `restore [-a] NAME BYTES`, and behind the line a "
			     "rules file of so many bytes, at most %u; '%.64s' is no such number",
			     REQUEST_BODY_MAX, word);
		return REQUEST_BROKEN;
	}
	request->argv[--request->argc] = NULL;
	request->body_length = bytes;
	return REQUEST_MORE;
}

/* Cuts the line of so many bytes into words. */
static enum request_state parse_line(struct request_reader *reader, size_t length)
{
	static char nothing[1];
	struct request *request = &reader->request;
	struct ipmasq_error error;
	bool open_word = length && strchr(" \t", reader->line[length - 1]);
	int command;

	request->argc = line_split(reader->line, length, request->argv, &error);
	if (request->argc < 0) {
		ipmasq_usage(&reader->error, "ipmasqd: %s", error.text);
		return REQUEST_WRONG;
	}
	command = command_of(request);
	if (command == request->argc)
		return REQUEST_WHOLE;
	if (strcmp(request->argv[command], "restore") == 0)
		return parse_restore(reader, command);
	if (open_word && strcmp(request->argv[command], "complete") == 0) {
		request->argv[request->argc++] = nothing; /* the word that is to be completed */
		request->argv[request->argc] = NULL;
	}
	return REQUEST_WHOLE;
}

/* Takes the line of so many bytes, and its end, out of what has come. */
static enum request_state take_line(struct request_reader *reader, size_t length)
{
	reader->line = malloc(length + 1);
	if (!reader->line) {
		ipmasq_fail(&reader->error, ENOMEM, "ipmasqd: out of memory");
		return REQUEST_BROKEN;
	}
	memcpy(reader->line, reader->bytes, length);
	reader->line[length] = '\0';
	take_out(reader, length + 1);
	return parse_line(reader, length);
}

static enum request_state find_line(struct request_reader *reader)
{
	const char *end = reader->length > reader->searched
				  ? memchr(reader->bytes + reader->searched, '\n',
					   reader->length - reader->searched)
				  : NULL;

	if (end)
		return take_line(reader, (size_t)(end - reader->bytes));
	reader->searched = reader->length;
	if (reader->length < REQUEST_LINE_MAX)
		return REQUEST_MORE;
	ipmasq_usage(&reader->error, "ipmasqd: a line of more than %u bytes", REQUEST_LINE_MAX);
	return REQUEST_BROKEN;
}

enum request_state request_look(struct request_reader *reader)
{
	if (reader->state == REQUEST_MORE && !reader->line)
		reader->state = find_line(reader);
	if (reader->state == REQUEST_MORE && reader->line &&
	    reader->length >= reader->request.body_length) {
		reader->request.body = reader->bytes;
		reader->state = REQUEST_WHOLE;
	}
	return reader->state;
}

enum request_state request_end(struct request_reader *reader)
{
	if (request_look(reader) != REQUEST_MORE || (!reader->length && !reader->line))
		return reader->state;
	request_break(reader,
		      reader->line
			      ? "ipmasqd: the rules file ends before it is whole; nothing was done"
			      : "ipmasqd: the line has no end; nothing was done");
	return reader->state;
}

void request_break(struct request_reader *reader, const char *why)
{
	ipmasq_usage(&reader->error, "%s", why);
	reader->state = REQUEST_BROKEN;
}

void request_done(struct request_reader *reader)
{
	if (reader->state == REQUEST_WHOLE)
		take_out(reader, reader->request.body_length);
	free(reader->line);
	reader->line = NULL;
	reader->request = (struct request){0};
	reader->state = REQUEST_MORE;
	if (!reader->length && reader->room > REQUEST_LINE_MAX) /* a file's room is not kept */
		request_reader_free(reader);
}
