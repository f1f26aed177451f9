// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the bytes of a control connection, through the parser of requests.
 *
 * Beyond not crashing: the requests are the same whether the bytes come at once or one by one, no
 * more than a limit is ever held, and half a request at the end is none.
 */
#include "fuzz.h"
#include "request.h"

#include <ipmasq/address.h>
#include <stdbool.h>
#include <string.h>

static bool same_words(const struct request *a, const struct request *b)
{
	if (a->argc != b->argc)
		return false;
	for (int i = 0; i < a->argc; i++)
		if (strcmp(a->argv[i], b->argv[i]) != 0)
			return false;
	return !a->argv[a->argc] && !b->argv[b->argc];
}

static bool same(const struct request *a, const struct request *b)
{
	return same_words(a, b) && !a->body == !b->body && a->body_length == b->body_length &&
	       (!a->body || memcmp(a->body, b->body, a->body_length) == 0);
}

/* The bytes behind one connection, fed `step` at a time. */
struct connection {
	struct request_reader reader;
	const uint8_t *data;
	size_t left, step;
};

static enum request_state next_request(struct connection *connection)
{
	struct request_reader *reader = &connection->reader;

	while (request_look(reader) == REQUEST_MORE && connection->left) {
		size_t size;
		char *space = request_space(reader, &size);

		fuzz_require(space && size, "more is wanted and there is no place for it");
		if (size > connection->step)
			size = connection->step;
		if (size > connection->left)
			size = connection->left;
		memcpy(space, connection->data, size);
		request_add(reader, size);
		connection->data += size;
		connection->left -= size;
		fuzz_require(reader->room <= 2 * (REQUEST_LINE_MAX + REQUEST_BODY_MAX),
			     "more room than two limits");
	}
	return request_end(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct connection whole = {.data = data, .left = size, .step = size};
	struct connection slow = {.data = data, .left = size, .step = 1};
	enum request_state state;

	do {
		state = next_request(&whole);
		fuzz_require(next_request(&slow) == state,
			     "bytes that came singly say something else");
		if (state == REQUEST_WHOLE)
			fuzz_require(same(&whole.reader.request, &slow.reader.request),
				     "the same bytes, two requests");
		if (state == REQUEST_WRONG || state == REQUEST_BROKEN)
			fuzz_require(whole.reader.error.text[0], "refused without a word");
		if (state == REQUEST_WHOLE || state == REQUEST_WRONG) {
			request_done(&whole.reader);
			request_done(&slow.reader);
		}
	} while (state == REQUEST_WHOLE || state == REQUEST_WRONG);
	request_reader_free(&whole.reader);
	request_reader_free(&slow.reader);
	return 0;
}
