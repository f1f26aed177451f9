/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment.c - later fragments, which have no ports.
 *
 * When a first fragment was translated, what became of its addresses is remembered by (source,
 * destination, protocol, id) and its later fragments get the same.  Incoming ones that come before
 * their header are the caller's to hand over (LibAliasSaveFragment) and to fetch again.
 *
 * Both kinds are entries of one hash with fixed buckets and one list in order of age; all have the
 * same time-out, so expiry looks at the head only.  Numbers and bytes are limited: when there are
 * too many, the oldest header is forgotten, and a fragment is not accepted.  First fragments too
 * short for their transport header, and later ones that would overwrite it, never get here
 * (packet.c).
 */
#include "engine.h"
#include "hash.h"

#include <stdlib.h>

#define BUCKETS 256

enum kind { HEADER_OUT, HEADER_IN, SAVED };

struct fragment {
	LIST_ENTRY(fragment) bucket;
	TAILQ_ENTRY(fragment) age;
	uint32_t src, dst; /* dst is 0 for SAVED: the header that asks has a new one */
	uint16_t id;
	uint8_t proto, kind;
	uint32_t deadline;
	uint32_t new_src, new_dst;
	void *data;
	uint32_t bytes;
};

LIST_HEAD(bucket, fragment);
TAILQ_HEAD(ages, fragment);

struct fragment_table {
	struct bucket buckets[BUCKETS];
	struct ages saved, headers;
	uint32_t header_count, saved_count, saved_bytes;
};

int fragment_init(struct libalias *la)
{
	la->fragments = calloc(1, sizeof(*la->fragments));
	if (!la->fragments)
		return -1;
	TAILQ_INIT(&la->fragments->saved);
	TAILQ_INIT(&la->fragments->headers);
	return 0;
}

static void release(struct libalias *la, void *data)
{
	if (la->fragment_free)
		la->fragment_free(data, la->fragment_free_arg);
	else
		free(data);
}

static void forget(struct libalias *la, struct fragment *f)
{
	struct fragment_table *table = la->fragments;

	LIST_REMOVE(f, bucket);
	if (f->kind == SAVED) {
		TAILQ_REMOVE(&table->saved, f, age);
		table->saved_count--;
		table->saved_bytes -= f->bytes;
		la->stats.fragments--;
		if (f->data)
			release(la, f->data);
	} else {
		TAILQ_REMOVE(&table->headers, f, age);
		table->header_count--;
	}
	free(f);
}

void fragment_clear(struct libalias *la)
{
	struct fragment *f;

	while ((f = TAILQ_FIRST(&la->fragments->saved)))
		forget(la, f);
	while ((f = TAILQ_FIRST(&la->fragments->headers)))
		forget(la, f);
}

void fragment_free(struct libalias *la)
{
	if (!la->fragments)
		return;
	fragment_clear(la);
	free(la->fragments);
	la->fragments = NULL;
}

void fragment_expire(struct libalias *la)
{
	struct fragment *f;

	while ((f = TAILQ_FIRST(&la->fragments->saved)) && (int32_t)(la->now - f->deadline) > 0)
		forget(la, f);
	while ((f = TAILQ_FIRST(&la->fragments->headers)) && (int32_t)(la->now - f->deadline) > 0)
		forget(la, f);
}

static struct bucket *bucket_of(struct libalias *la, uint32_t src, uint16_t id, uint8_t proto)
{
	return &la->fragments
			->buckets[hash_words(la->key, src, (uint32_t)proto << 16 | id) % BUCKETS];
}

static struct fragment *find(struct libalias *la, enum kind kind, uint32_t src, uint32_t dst,
			     uint16_t id, uint8_t proto)
{
	struct fragment *f, *oldest = NULL;

	LIST_FOREACH(f, bucket_of(la, src, id, proto), bucket)
		if (f->kind == kind && f->src == src && f->dst == dst && f->id == id &&
		    f->proto == proto)
			oldest = f;
	return oldest;
}

static struct fragment *add(struct libalias *la, enum kind kind, uint32_t src, uint32_t dst,
			    uint16_t id, uint8_t proto)
{
	struct fragment *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->kind = (uint8_t)kind;
	f->src = src;
	f->dst = dst;
	f->id = id;
	f->proto = proto;
	f->deadline = la->now + la->timeout[ALIAS_TIMEOUT_FRAGMENT];
	LIST_INSERT_HEAD(bucket_of(la, src, id, proto), f, bucket);
	if (kind == SAVED)
		TAILQ_INSERT_TAIL(&la->fragments->saved, f, age);
	else
		TAILQ_INSERT_TAIL(&la->fragments->headers, f, age);
	return f;
}

bool fragment_header(struct libalias *la, enum direction dir, uint32_t src, uint32_t dst,
		     const struct packet *p)
{
	enum kind kind = dir == OUT ? HEADER_OUT : HEADER_IN;
	struct fragment_table *table = la->fragments;
	struct fragment *f = find(la, kind, src, dst, p->id, p->proto);

	if (!f) {
		if (!la->limit[ALIAS_LIMIT_FRAGMENTS])
			return false;
		if (table->header_count >= la->limit[ALIAS_LIMIT_FRAGMENTS])
			forget(la, TAILQ_FIRST(&table->headers));
		f = add(la, kind, src, dst, p->id, p->proto);
		if (!f)
			return false;
		table->header_count++;
	}
	f->new_src = p->src;
	f->new_dst = p->dst;
	return true;
}

bool fragment_translate(struct libalias *la, struct packet *p, enum direction dir)
{
	struct fragment *f =
		find(la, dir == OUT ? HEADER_OUT : HEADER_IN, p->src, p->dst, p->id, p->proto);

	if (!f)
		return false;
	packet_rewrite(p, f->new_src, f->new_dst, 0, 0);
	return true;
}

int LibAliasSaveFragment(struct libalias *la, void *ptr)
{
	struct fragment_table *table = la->fragments;
	const uint8_t *ip = ptr;
	uint32_t bytes = ptr ? ntohs(load16(ip + 2)) : 0;
	struct fragment *f;

	if (bytes < 20 || table->saved_count >= la->limit[ALIAS_LIMIT_FRAGMENTS] ||
	    (uint64_t)table->saved_bytes + bytes > la->limit[ALIAS_LIMIT_FRAGMENT_BYTES])
		return PKT_ALIAS_ERROR;
	f = add(la, SAVED, load32(ip + 12), 0, load16(ip + 4), ip[9]);
	if (!f)
		return PKT_ALIAS_ERROR;
	f->data = ptr;
	f->bytes = bytes;
	table->saved_count++;
	table->saved_bytes += bytes;
	la->stats.fragments++;
	return PKT_ALIAS_OK;
}

void *LibAliasGetFragment(struct libalias *la, void *header)
{
	const uint8_t *ip = header;
	struct fragment *f = find(la, SAVED, load32(ip + 12), 0, load16(ip + 4), ip[9]);
	void *data;

	if (!f)
		return NULL;
	data = f->data;
	f->data = NULL;
	forget(la, f);
	return data;
}

void LibAliasFragmentIn(struct libalias *la, void *header, void *fragment)
{
	uint8_t *from = header, *to = fragment;

	(void)la;
	store16(to + 10,
		sum_apply(load16(to + 10), sum_change32(load32(to + 16), load32(from + 16))));
	memcpy(to + 16, from + 16, 4);
}
