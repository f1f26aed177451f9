// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file of links of the user engine: bytes as they come or, with a first byte that is odd,
 * records whose lengths and checksums are put right, so that what they say gets as far as libalias.
 * Packets of both directions then meet what was taken up.
 */
#include "fuzz.h"

#include <string.h>
#include <user/user.h>

#define RECORDS_MAX 32
#define RECORD_HEAD 5 /* instance and address, in the input; then a length and so many bytes */

static uint32_t crc32(const uint8_t *data, size_t length)
{
	uint32_t crc = UINT32_MAX;

	for (size_t bit = 0; bit < 8 * length; bit++) {
		crc ^= data[bit / 8] >> bit % 8 & 1u;
		crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void put32(FILE *file, uint32_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
				 (uint8_t)(value >> 8), (uint8_t)value};

	fwrite(bytes, sizeof(bytes), 1, file);
}

static void write_record(FILE *file, const uint8_t *head, const uint8_t *data, size_t length)
{
	uint8_t record[8 + 256] = {0, (uint8_t)length, head[0] & 1, 0};

	memcpy(record + 4, head + 1, 4);
	memcpy(record + 8, data, length);
	fwrite(record, 8 + length, 1, file);
	put32(file, crc32(record, 8 + length));
}

/* What the input is a sketch of. */
static void write_file(FILE *file, const uint8_t *data, size_t size)
{
	uint8_t end[RECORD_HEAD] = {0};

	fwrite("ipmasqL\n\0\0\0\1", 12, 1, file);
	while (end[4] < RECORDS_MAX && size > RECORD_HEAD) {
		size_t length = data[RECORD_HEAD];

		if (!length || size < RECORD_HEAD + 1 + length)
			break;
		write_record(file, data, data + RECORD_HEAD + 1, length);
		data += RECORD_HEAD + 1 + length;
		size -= RECORD_HEAD + 1 + length;
		end[4]++;
	}
	write_record(file, end, data, 0);
}

static uint32_t stopped(void *arg)
{
	(void)arg;
	return 1000;
}

static void send_packets(struct user *user, const uint8_t *data, size_t size)
{
	uint8_t buffer[2048];

	for (uint8_t hook = 0; hook < USER_HOOKS; hook++) {
		struct user_packet packet = {.data = buffer, .size = sizeof(buffer), .hook = hook};

		memset(buffer, 0, sizeof(buffer));
		memcpy(buffer, data, size < sizeof(buffer) ? size : sizeof(buffer));
		user_translate(user, user_worker_of(user, buffer, sizeof(buffer), hook), &packet,
			       1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct in_addr own = {htonl(0xc6336401)};
	struct ipmasq_error error;
	struct user *user = user_open(2, &error);
	FILE *file = tmpfile();

	fuzz_require(user && file, "no memory or no file");
	user_set_clock(user, stopped, NULL);
	user_set_addresses(user, "eth0", &own, 1, &error);
	if (size && data[0] & 1)
		write_file(file, data + 1, size - 1);
	else if (size)
		fwrite(data + 1, size - 1, 1, file);
	rewind(file);
	if (user_load_links(user, file, &error) < 0)
		fuzz_require(error.text[0], "a failure without a word");
	else
		send_packets(user, data, size);
	fclose(file);
	user_close(user);
	return 0;
}
