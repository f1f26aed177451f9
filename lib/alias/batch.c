/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.c - several packets at once, for speed.
 *
 * With many links each packet waits for memory twice: for the line of the index and for the link.
 * A batch overlaps the waits: all packets of a chunk are parsed and hashed and their index lines
 * fetched ahead, then the links that those lines name, and only then each packet takes the ordinary
 * way in order, finding everything in the cache.  The results are those of single calls.
 */
#include "engine.h"

#define CHUNK 32

static void prefetch_link(const struct libalias *la, enum direction dir, uint32_t hash)
{
	struct index_bucket *bucket = index_bucket_of(&la->views[dir], hash);

	for (int i = 0; i < INDEX_WAYS; i++)
		if (bucket->tag[i] == hash && bucket->id[i]) {
			__builtin_prefetch(link_at(la, bucket->id[i]), 1);
			return;
		}
}

static int run(struct libalias *la, struct alias_packet *packets, int n, enum direction dir)
{
	struct packet parsed[CHUNK];
	bool whole[CHUNK];
	int done = 0;

	for (int i = 0; i < n; i++) {
		whole[i] = packet_parse(la, &parsed[i], packets[i].data, packets[i].size);
		if (!whole[i])
			continue;
		parsed[i].mark = packets[i].mark;
		packet_view(la, &parsed[i], dir);
		index_prefetch(&la->views[dir], parsed[i].hash);
	}
	for (int i = 0; i < n; i++)
		if (whole[i])
			prefetch_link(la, dir, parsed[i].hash);
	for (int i = 0; i < n; i++) {
		if (!whole[i])
			packets[i].result = PKT_ALIAS_IGNORED;
		else if (dir == OUT)
			packets[i].result = alias_out(la, &parsed[i], true);
		else
			packets[i].result = alias_in(la, &parsed[i]);
		done += packets[i].result == PKT_ALIAS_OK;
	}
	return done;
}

static int batch(struct libalias *la, struct alias_packet *packets, int n, enum direction dir)
{
	int done = 0;

	if (la->mode & PKT_ALIAS_REVERSE)
		dir = !dir;
	for (int i = 0; i < n; i += CHUNK) {
		alias_enter(la);
		done += run(la, packets + i, n - i < CHUNK ? n - i : CHUNK, dir);
	}
	return done;
}

int LibAliasInBatch(struct libalias *la, struct alias_packet *packets, int n)
{
	return batch(la, packets, n, IN);
}

int LibAliasOutBatch(struct libalias *la, struct alias_packet *packets, int n)
{
	return batch(la, packets, n, OUT);
}
