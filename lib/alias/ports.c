/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports.c - choosing the alias port of a new link.
 *
 * What must be unique is (alias address, alias port, remote address, remote port, protocol), so
 * each remote endpoint has the whole port range to itself.  The local port is tried first
 * (SAME_PORTS), then a few random ones of the same parity (RFC 4787, REQ-4), which is enough unless
 * most are taken.
 *
 * Once random probing has failed for an endpoint, it gets a record with a bitmap of its ports.  A
 * word of the bitmap is filled in, by look-ups, when it is first needed; a summary says which words
 * may have room.  From then on a free port costs a few steps however full the range is, and that
 * none is left is known at once.  link.c reports each link made and deleted while records exist.
 * There are few such endpoints: each record has its place by hash, and the next in that place
 * replaces it.
 */
#include "engine.h"
#include "hash.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define RANDOM_TRIES 6
#define ENDPOINTS    256 /* a power of two: slots by hash, one record each */
#define WORDS        (65536 / 64)
#define DEFAULT_LOW  1024
#define DEFAULT_HIGH 65535

struct endpoint {
	uint32_t alias, remote;
	uint16_t remote_port;
	uint8_t proto;
	uint64_t used[WORDS];       /* valid where known */
	uint64_t known[WORDS / 64]; /* words that were filled in */
	uint64_t full[WORDS / 64];  /* known words without a free port */
	uint16_t low, high;
};

static uint64_t rotate(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

/* Ports must not be guessed (RFC 6056), so they are really random; a call serves 64 of them. */
uint32_t random_number(struct libalias *la)
{
	if (!la->random_left) {
		ssize_t got = getrandom(la->random, sizeof(la->random), 0);

		la->random_left = got > 0 ? (unsigned int)got / sizeof(la->random[0]) : 0;
		/* Not in practice; then the words of the last time are stirred by the hash's key.
		 */
		if (!la->random_left)
			return hash_words(la->key, la->random[0]++, la->now);
	}
	return la->random[--la->random_left];
}

static void range_of(const struct libalias *la, uint16_t *low, uint16_t *high)
{
	*low = la->port_low ? la->port_low : DEFAULT_LOW;
	*high = la->port_high ? la->port_high : DEFAULT_HIGH;
}

/* Ports of static redirects are not for dynamic links. */
bool port_free(struct libalias *la, const struct view *in, uint8_t proto, uint16_t port)
{
	struct view view = *in;

	view.local_port = htons(port);
	if (link_find(la, IN, &view, proto) ||
	    (proto == IPPROTO_UDP && la->exact_counted && mapping_conflict(la, &view)))
		return false;
	if (!la->stats.redirects && !la->stats.expectations)
		return true;
	return !redirect_holds_port(la, &view, proto);
}

static uint32_t endpoint_slot(const struct libalias *la, const struct view *in, uint8_t proto)
{
	return hash_words(la->key, (uint64_t)in->local << 32 | in->peer,
			  (uint64_t)in->peer_port << 8 | proto) %
	       ENDPOINTS;
}

static bool endpoint_is(const struct endpoint *e, const struct view *in, uint8_t proto)
{
	return e && e->alias == in->local && e->remote == in->peer &&
	       e->remote_port == in->peer_port && e->proto == proto;
}

static struct endpoint *endpoint_find(const struct libalias *la, const struct view *in,
				      uint8_t proto)
{
	struct endpoint *e;

	if (!la->endpoint_count)
		return NULL;
	e = la->endpoints[endpoint_slot(la, in, proto)];
	return endpoint_is(e, in, proto) ? e : NULL;
}

static struct endpoint *endpoint_make(struct libalias *la, const struct view *in, uint8_t proto)
{
	struct endpoint **slot;

	if (!la->endpoints) {
		la->endpoints = calloc(ENDPOINTS, sizeof(struct endpoint *));
		if (!la->endpoints)
			return NULL;
	}
	slot = &la->endpoints[endpoint_slot(la, in, proto)];
	if (!*slot) {
		*slot = malloc(sizeof(struct endpoint));
		if (!*slot)
			return NULL;
		la->endpoint_count++;
	}
	memset(*slot, 0, sizeof(struct endpoint));
	(*slot)->alias = in->local;
	(*slot)->remote = in->peer;
	(*slot)->remote_port = in->peer_port;
	(*slot)->proto = proto;
	range_of(la, &(*slot)->low, &(*slot)->high);
	return *slot;
}

static void word_full(struct endpoint *e, uint32_t word, bool full)
{
	if (full)
		e->full[word / 64] |= 1ull << word % 64;
	else
		e->full[word / 64] &= ~(1ull << word % 64);
}

static void word_fill_in(struct libalias *la, struct endpoint *e, const struct view *in,
			 uint8_t proto, uint32_t word)
{
	uint64_t used = 0;

	for (uint32_t i = 0; i < 64; i++) {
		uint32_t port = word * 64 + i;

		if (port < e->low || port > e->high || !port_free(la, in, proto, (uint16_t)port))
			used |= 1ull << i;
	}
	e->used[word] = used;
	e->known[word / 64] |= 1ull << word % 64;
	word_full(e, word, used == UINT64_MAX);
}

/* The next word from start on, cyclically, that is not known to be full; -1: all are. */
static int32_t word_with_room(const struct endpoint *e, uint32_t start)
{
	for (uint32_t i = 0; i <= WORDS / 64; i++) {
		uint32_t group = (start / 64 + i) % (WORDS / 64);
		uint64_t room = ~e->full[group];

		if (i == 0)
			room &= UINT64_MAX << start % 64;
		if (room)
			return (int32_t)(group * 64 + (uint32_t)__builtin_ctzll(room));
	}
	return -1;
}

static int32_t endpoint_take(struct libalias *la, struct endpoint *e, const struct view *in,
			     uint8_t proto)
{
	uint32_t span = (uint32_t)e->high - e->low + 1;
	int32_t word;

	for (uint32_t tries = 0; tries < 2 * WORDS; tries++) {
		uint32_t start = e->low + random_number(la) % span, turn = random_number(la) % 64;
		uint64_t room;
		int32_t port;

		word = word_with_room(e, start / 64);
		if (word < 0)
			return -1;
		if (!(e->known[word / 64] & 1ull << word % 64))
			word_fill_in(la, e, in, proto, (uint32_t)word);
		room = ~e->used[word];
		if (!room)
			continue;
		room = turn ? rotate(room, 64 - (int)turn) : room;
		port = word * 64 + (int32_t)(((uint32_t)__builtin_ctzll(room) + turn) % 64);
		if (!la->redirects.used || port_free(la, in, proto, (uint16_t)port))
			return port;
		/* A redirect has come since; when one goes the port is looked up again. */
		e->used[word] |= 1ull << port % 64;
		word_full(e, (uint32_t)word, e->used[word] == UINT64_MAX);
	}
	return -1;
}

bool port_choose(struct libalias *la, struct view *in, uint8_t proto, uint16_t wanted)
{
	uint16_t low, high, port = ntohs(wanted);
	struct endpoint *e;
	uint32_t span;
	int32_t found;

	range_of(la, &low, &high);
	span = (uint32_t)high - low + 1;
	if ((la->mode & PKT_ALIAS_SAME_PORTS) && port &&
	    (!la->port_low || la->mode & PKT_ALIAS_KEEP_PORTS || (port >= low && port <= high)) &&
	    port_free(la, in, proto, port)) {
		in->local_port = wanted;
		return true;
	}
	e = endpoint_find(la, in, proto);
	for (int i = 0; !e && i < RANDOM_TRIES; i++) {
		uint32_t at = random_number(la) % span;

		if (i < RANDOM_TRIES / 2 && span > 1 && ((low + at) ^ port) & 1)
			at = at + 1 < span ? at + 1 : at - 1;
		if (port_free(la, in, proto, (uint16_t)(low + at))) {
			in->local_port = htons((uint16_t)(low + at));
			return true;
		}
	}
	if (!e)
		e = endpoint_make(la, in, proto);
	if (!e) {
		la->stats.refused_memory++;
		return false;
	}
	found = endpoint_take(la, e, in, proto);
	/* Links that are over but not yet gone still hold their ports. */
	if (found < 0 && expire_some(la, 256) && endpoint_find(la, in, proto) == e)
		found = endpoint_take(la, e, in, proto);
	if (found < 0) {
		la->stats.refused_ports++;
		return false;
	}
	in->local_port = htons((uint16_t)found);
	return true;
}

static void endpoint_note(struct endpoint *e, uint16_t port, bool used)
{
	uint32_t word = port / 64;

	if (port < e->low || port > e->high || !(e->known[word / 64] & 1ull << word % 64))
		return;
	if (used)
		e->used[word] |= 1ull << port % 64;
	else
		e->used[word] &= ~(1ull << port % 64);
	word_full(e, word, e->used[word] == UINT64_MAX);
}

/* A mapping came or went: that is so for each exact endpoint of its alias address. */
static void endpoints_note_mapping(struct libalias *la, uint32_t alias, uint16_t port, bool used)
{
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		struct endpoint *e = la->endpoints[i];

		if (e && e->alias == alias && e->proto == IPPROTO_UDP)
			endpoint_note(e, port, used);
	}
}

void port_note(struct libalias *la, const struct view *in, uint8_t proto, bool used)
{
	const struct view any = {.local = in->local};
	struct endpoint *e = endpoint_find(la, in, proto);
	uint16_t port = ntohs(in->local_port);

	if (e)
		endpoint_note(e, port, used);
	if (proto != IPPROTO_UDP || !la->exact_counted)
		return;
	if (view_any_peer(in)) {
		if (la->endpoint_count > (e != NULL))
			endpoints_note_mapping(la, in->local, port, used);
		return;
	}
	e = endpoint_find(la, &any, proto);
	if (e)
		endpoint_note(
			e, port,
			used || mapping_conflict(la, &(struct view){.local = in->local,
								    .local_port = in->local_port}));
}

/* The word is looked up again when it is needed: links may have the port, too. */
void port_release(struct libalias *la, uint32_t alias, uint16_t port, uint8_t proto)
{
	uint32_t word = ntohs(port) / 64;

	for (uint32_t i = 0; la->endpoint_count && i < ENDPOINTS; i++) {
		struct endpoint *e = la->endpoints[i];

		if (!e || e->alias != alias || e->proto != proto)
			continue;
		e->known[word / 64] &= ~(1ull << word % 64);
		word_full(e, word, false);
	}
}

void port_clear(struct libalias *la)
{
	if (la->endpoints)
		for (uint32_t i = 0; i < ENDPOINTS; i++)
			free(la->endpoints[i]);
	free(la->endpoints);
	la->endpoints = NULL;
	la->endpoint_count = 0;
}

int port_hold(struct libalias *la, uint16_t port, uint8_t proto)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = port};
	bool taken;
	int fd;

	if (!(la->mode & PKT_ALIAS_USE_SOCKETS))
		return -1;
	fd = socket(AF_INET, (proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (!bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		return fd;
	taken = errno == EADDRINUSE;
	close(fd);
	return taken ? -2 : -1;
}
