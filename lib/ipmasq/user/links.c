// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links across a restart.
 *
 * The file is a header and records of one link each, in big-endian order:
 *
 *   header   magic (8 bytes), version (4)
 *   record   length of the link (2), which instance (1), 0 (1), address that it is steered by (4),
 *            the link as libalias packs it, CRC-32 of all that (4)
 *   end      as a record of length 0, its address the number of records before it
 *
 * A file is read twice, first to see that all of it is whole, so that half a file leaves nothing
 * behind.  What it says is then for libalias to judge, which takes no record that is not sound.  As
 * when a forward is removed, flows of UDP whose forward is gone end, and TCP connections finish.
 */
#include "internal.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <string.h>

#define MAGIC      "ipmasqL\n"
#define FORMAT     1u
#define HEAD       8u /* of a record */
#define CHECK      4u
#define RECORD_MAX (HEAD + ALIAS_RECORD_MAX + CHECK)
#define AT_ONCE    64u /* links while a worker is locked */

enum instance { BORDER, INNER, INSTANCES };

struct record {
	uint8_t bytes[RECORD_MAX];
	uint16_t length; /* of the link */
	enum instance instance;
	uint32_t key; /* address, network order; at the end a number, big-endian */
};

static uint32_t crc32(const uint8_t *data, size_t length)
{
	uint32_t crc = UINT32_MAX;

	while (length--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void put32(uint8_t *to, uint32_t value)
{
	value = htonl(value);
	memcpy(to, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return ntohl(value);
}

/* Completes a record whose link is in place already, and writes it. */
static int write_record(FILE *file, struct record *record)
{
	size_t size = HEAD + record->length;

	record->bytes[0] = (uint8_t)(record->length >> 8);
	record->bytes[1] = (uint8_t)record->length;
	record->bytes[2] = (uint8_t)record->instance;
	record->bytes[3] = 0;
	memcpy(record->bytes + 4, &record->key, sizeof(record->key));
	put32(record->bytes + size, crc32(record->bytes, size));
	return fwrite(record->bytes, size + CHECK, 1, file) == 1 ? 0 : -1;
}

static struct libalias *instance_of(const struct worker *worker, enum instance instance)
{
	return instance == BORDER ? worker->border : worker->inner;
}

/* Packs the next few links; how many there were. */
static unsigned int pack(struct worker *worker, enum instance instance, unsigned int *cursor,
			 struct record records[AT_ONCE])
{
	struct libalias *la = instance_of(worker, instance);
	unsigned int n = 0;

	pthread_mutex_lock(&worker->lock);
	for (; n < AT_ONCE; n++) {
		struct record *record = &records[n];
		struct alias_link_info info;
		unsigned int at = *cursor;

		if (!LibAliasNextLink(la, &at, &info))
			break;
		record->length = (uint16_t)LibAliasPackLink(la, cursor, record->bytes + HEAD);
		if (!record->length)
			break;
		record->instance = instance;
		record->key = instance == BORDER ? info.remote_addr.s_addr : info.local_addr.s_addr;
	}
	pthread_mutex_unlock(&worker->lock);
	return n;
}

static int save_instance(struct worker *worker, enum instance instance, FILE *file,
			 uint32_t *written)
{
	struct record records[AT_ONCE];
	unsigned int cursor = 0, n;

	while ((n = pack(worker, instance, &cursor, records))) {
		for (unsigned int i = 0; i < n; i++)
			if (write_record(file, &records[i]) < 0)
				return -1;
		*written += n;
	}
	return 0;
}

int user_save_links(struct user *user, FILE *file, struct ipmasq_error *error)
{
	struct record end = {.length = 0};
	uint8_t version[4];
	uint32_t written = 0;
	int rc = 0;

	put32(version, FORMAT);
	if (fwrite(MAGIC, strlen(MAGIC), 1, file) != 1 ||
	    fwrite(version, sizeof(version), 1, file) != 1)
		rc = -1;
	for (unsigned int w = 0; w < user->n_workers; w++)
		for (enum instance instance = 0; instance < INSTANCES && rc == 0; instance++)
			rc = save_instance(&user->workers[w], instance, file, &written);
	end.key = htonl(written);
	if (rc < 0 || write_record(file, &end) < 0 || fflush(file) != 0)
		return ipmasq_fail(error, errno, "cannot save the links: %s", strerror(errno));
	return 0;
}

/* 1 and a record, 0 at the end, or -1 with errno: EINVAL when it is none. */
static int read_record(FILE *file, struct record *record)
{
	size_t size;

	errno = 0;
	if (fread(record->bytes, HEAD, 1, file) != 1)
		goto fail;
	record->length = (uint16_t)(record->bytes[0] << 8 | record->bytes[1]);
	record->instance = record->bytes[2];
	memcpy(&record->key, record->bytes + 4, sizeof(record->key));
	size = HEAD + record->length;
	if (record->length > ALIAS_RECORD_MAX || record->instance >= INSTANCES ||
	    record->bytes[3] || fread(record->bytes + HEAD, record->length + CHECK, 1, file) != 1 ||
	    get32(record->bytes + size) != crc32(record->bytes, size))
		goto fail;
	return record->length != 0;
fail:
	if (!ferror(file) || !errno)
		errno = EINVAL;
	return -1;
}

static int read_header(FILE *file, struct ipmasq_error *error)
{
	uint8_t header[sizeof(MAGIC) - 1 + 4];

	if (fread(header, sizeof(header), 1, file) != 1 ||
	    memcmp(header, MAGIC, sizeof(MAGIC) - 1) != 0)
		return ipmasq_fail(error, EINVAL, "this is no file of links");
	if (get32(header + sizeof(MAGIC) - 1) != FORMAT)
		return ipmasq_fail(error, EINVAL,
				   "these links were saved by another version (%u, not %u); start "
				   "without them",
				   get32(header + sizeof(MAGIC) - 1), FORMAT);
	return 0;
}

/* Whether every record is whole and none is missing. */
static int check(FILE *file, struct ipmasq_error *error)
{
	struct record record;
	uint32_t n = 0;
	int rc;

	while ((rc = read_record(file, &record)) > 0)
		n++;
	if (rc == 0 && ntohl(record.key) == n)
		return 0;
	if (rc < 0 && errno != EINVAL)
		return ipmasq_fail(error, errno, "cannot read the links: %s", strerror(errno));
	return ipmasq_fail(error, EINVAL,
			   "the links are not whole after the first %u; start without them", n);
}

/* What libalias does not take is over, taken or not sound; only memory is worth an error. */
static int load_record(struct user *user, const struct record *record)
{
	struct worker *worker = &user->workers[steer(user, (struct in_addr){record->key})];
	int rc;

	pthread_mutex_lock(&worker->lock);
	rc = LibAliasUnpackLink(instance_of(worker, record->instance), record->bytes + HEAD,
				record->length);
	await_note(worker);
	pthread_mutex_unlock(&worker->lock);
	return rc < 0 && errno == ENOMEM ? -1 : 0;
}

int user_load_links(struct user *user, FILE *file, struct ipmasq_error *error)
{
	struct record record;
	long begin = ftell(file);
	int rc;

	if (begin < 0)
		return ipmasq_fail(error, errno, "cannot read the links: they must be in a file");
	if (read_header(file, error) < 0 || check(file, error) < 0)
		return -1;
	if (fseek(file, begin, SEEK_SET) < 0 || read_header(file, error) < 0)
		return ipmasq_fail(error, EIO, "cannot read the links a second time");
	while ((rc = read_record(file, &record)) > 0)
		if (load_record(user, &record) < 0)
			return ipmasq_fail(error, ENOMEM, "out of memory for the links");
	redirect_revise(user, NULL);
	watchers_revise(user);
	return rc < 0 ? ipmasq_fail(error, EIO, "cannot read the links a second time") : 0;
}
