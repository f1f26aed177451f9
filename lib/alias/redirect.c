/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect.c - static redirects: finding the one that a new conversation obeys.
 *
 * Redirects are looked up once per link, by hashing.  There are a few classes, from the most to the
 * least specific (port with both remote parts given, ..., whole address); a redirect is entered
 * under the key of its class for incoming packets and, if both its inside end and its alias address
 * are known, for outgoing ones.  A look-up tries the classes that have members, so it costs the
 * same with ten and 100,000 redirects.
 *
 * Entries with equal keys form a list, by rank and newest first; only its head is in the hash index.
 * Where the caller has given ranks, all classes are tried and the lowest rank wins.  An
 * address of 0 stands for the aliasing address: a look-up for that address tries both and takes the
 * newer. A port range is entered as the few power-of-two blocks that make it up; a look-up tries
 * the block sizes that are in use.
 */
#include "engine.h"
#include "redirect.h"
#include "hash.h"

#include <errno.h>
#include <stdlib.h>

enum class {
	PORT_REMOTE_BOTH,
	PORT_REMOTE_ADDR,
	PORT_REMOTE_PORT,
	PORT_ANY,
	/* The same for whatever address a packet was sent to, and so on. */
	TO_ALL_PORT_REMOTE_BOTH,
	TO_ALL_PORT_REMOTE_ADDR,
	TO_ALL_PORT_REMOTE_PORT,
	TO_ALL_PORT_ANY,
	OUTGOING,
	MARK,
	RANGE_REMOTE,
	RANGE,
	TO_ALL_RANGE_REMOTE,
	TO_ALL_RANGE,
	PROTO_REMOTE,
	PROTO,
	TO_ALL_PROTO_REMOTE,
	TO_ALL_PROTO,
	ADDR,
	/* UDP ports of redirects for one remote, which no mapping for all remotes may take. */
	HELD,
	TO_ALL_HELD,
	HELD_RANGE,
	TO_ALL_HELD_RANGE,
};

_Static_assert(TO_ALL_HELD_RANGE + 1 == REDIRECT_CLASSES, "one counter a class");

/* The parts of a view that the keys of a class have. */
#define HAS_PORT      0x01
#define HAS_PEER      0x02
#define HAS_PEER_PORT 0x04
#define HAS_PROTO     0x08
#define OF_PORTS      0x10 /* TCP and UDP only */
#define IN_BLOCKS     0x20 /* of ports */
#define TO_ALL        0x40 /* local is INADDR_NONE */

#define OF_PORT (OF_PORTS | HAS_PORT | HAS_PROTO)

static const uint8_t class_parts[REDIRECT_CLASSES] = {
	[PORT_REMOTE_BOTH] = OF_PORT | HAS_PEER | HAS_PEER_PORT,
	[PORT_REMOTE_ADDR] = OF_PORT | HAS_PEER,
	[PORT_REMOTE_PORT] = OF_PORT | HAS_PEER_PORT,
	[PORT_ANY] = OF_PORT,
	[TO_ALL_PORT_REMOTE_BOTH] = OF_PORT | HAS_PEER | HAS_PEER_PORT | TO_ALL,
	[TO_ALL_PORT_REMOTE_ADDR] = OF_PORT | HAS_PEER | TO_ALL,
	[TO_ALL_PORT_REMOTE_PORT] = OF_PORT | HAS_PEER_PORT | TO_ALL,
	[TO_ALL_PORT_ANY] = OF_PORT | TO_ALL,
	[OUTGOING] = OF_PORTS | HAS_PROTO | HAS_PEER | HAS_PEER_PORT,
	[MARK] = OF_PORTS | HAS_PROTO,
	[RANGE_REMOTE] = OF_PORT | IN_BLOCKS | HAS_PEER,
	[RANGE] = OF_PORT | IN_BLOCKS,
	[TO_ALL_RANGE_REMOTE] = OF_PORT | IN_BLOCKS | HAS_PEER | TO_ALL,
	[TO_ALL_RANGE] = OF_PORT | IN_BLOCKS | TO_ALL,
	[PROTO_REMOTE] = HAS_PROTO | HAS_PEER,
	[PROTO] = HAS_PROTO,
	[TO_ALL_PROTO_REMOTE] = HAS_PROTO | HAS_PEER | TO_ALL,
	[TO_ALL_PROTO] = HAS_PROTO | TO_ALL,
	[ADDR] = 0,
	[HELD] = OF_PORT,
	[TO_ALL_HELD] = OF_PORT | TO_ALL,
	[HELD_RANGE] = OF_PORT | IN_BLOCKS,
	[TO_ALL_HELD_RANGE] = OF_PORT | IN_BLOCKS | TO_ALL,
};

/* What is compared; parts that a class does not use are 0. */
struct key {
	uint32_t local;
	uint32_t peer; /* the mark in class MARK */
	uint16_t local_port, peer_port;
	uint8_t proto, class, dir;
	uint8_t bits; /* of the port that count, for ranges */
};

struct entry {
	struct key key;
	uint32_t redirect;
	uint32_t older, newer; /* same key */
	uint32_t sibling;      /* next entry of the same redirect */
};

_Static_assert(sizeof(struct entry) == 32, "an entry does not straddle cache lines");

static uint32_t key_hash(const struct libalias *la, const struct key *key)
{
	uint64_t addresses = (uint64_t)key->peer << 32 | key->local;
	uint64_t rest = (uint64_t)key->peer_port << 48 | (uint64_t)key->local_port << 32 |
			(uint32_t)key->proto << 24 | (uint32_t)key->class << 16 |
			(uint32_t)key->dir << 8 | key->bits;

	return hash_words(la->key, addresses, rest);
}

static bool key_equal(const struct key *a, const struct key *b)
{
	return a->local == b->local && a->peer == b->peer && a->local_port == b->local_port &&
	       a->peer_port == b->peer_port && a->proto == b->proto && a->class == b->class &&
	       a->dir == b->dir && a->bits == b->bits;
}

static struct entry *entry_at(const struct libalias *la, uint32_t id)
{
	return pool_at(&la->redirect_keys, id);
}

static struct alias_link *redirect_at(const struct libalias *la, uint32_t id)
{
	return pool_at(&la->redirects, id);
}

/* The newest entry of a key, 0 = none. */
static uint32_t entry_find(const struct libalias *la, const struct key *key, uint32_t hash)
{
	struct index_bucket *bucket = index_bucket_of(&la->redirect_index, hash);
	int slot = -1;
	uint32_t id;

	while ((id = index_next(&la->redirect_index, &bucket, &slot, hash)))
		if (key_equal(&entry_at(la, id)->key, key))
			return id;
	return 0;
}

int redirect_table_init(struct libalias *la)
{
	pool_init(&la->redirects, sizeof(struct alias_link));
	pool_init(&la->redirect_keys, sizeof(struct entry));
	pool_init(&la->servers, sizeof(struct alias_server));
	return index_init(&la->redirect_index);
}

void redirect_table_free(struct libalias *la)
{
	for (uint32_t id = 0; (id = pool_next(&la->redirects, id));)
		if (redirect_at(la, id)->id == id)
			free(redirect_at(la, id)->servers);
	pool_clear(&la->redirects);
	pool_clear(&la->redirect_keys);
	pool_clear(&la->servers);
	index_free(&la->redirect_index);
}

struct alias_link *redirect_new(struct libalias *la, uint8_t kind)
{
	uint32_t id = pool_alloc(&la->redirects);
	struct alias_link *redirect;

	if (!id)
		return NULL;
	redirect = redirect_at(la, id);
	redirect->id = id;
	redirect->kind = kind;
	redirect->socket = -1;
	redirect->age = ++la->redirect_age;
	return redirect;
}

struct alias_link *redirect_live(const struct libalias *la, uint32_t id, uint64_t age)
{
	struct alias_link *r;

	if (!pool_holds(&la->redirects, id))
		return NULL;
	r = redirect_at(la, id);
	return r->id == id && (uint32_t)r->age == (uint32_t)age ? r : NULL;
}

const struct alias_link *redirect_of(const struct libalias *la, const struct link *link)
{
	return link->server ? redirect_at(la, server_at(la, link->server)->redirect) : NULL;
}

static uint32_t rank_of(const struct libalias *la, uint32_t id)
{
	return redirect_at(la, entry_at(la, id)->redirect)->rank;
}

/* Puts an entry into the list of its key, before those of its rank. */
static int entry_link(struct libalias *la, uint32_t id)
{
	struct entry *entry = entry_at(la, id);
	uint32_t hash = key_hash(la, &entry->key), next = entry_find(la, &entry->key, hash);
	uint32_t before = 0;

	while (next && rank_of(la, next) < rank_of(la, id)) {
		before = next;
		next = entry_at(la, next)->older;
	}
	if (before)
		entry_at(la, before)->older = id;
	else if (next)
		index_replace(&la->redirect_index, hash, next, id);
	else if (index_insert(&la->redirect_index, hash, id))
		return -1;
	if (next)
		entry_at(la, next)->newer = id;
	entry->newer = before;
	entry->older = next;
	return 0;
}

static void entry_unlink(struct libalias *la, uint32_t id)
{
	struct entry *entry = entry_at(la, id);
	uint32_t hash = key_hash(la, &entry->key);

	if (entry->older)
		entry_at(la, entry->older)->newer = entry->newer;
	if (entry->newer)
		entry_at(la, entry->newer)->older = entry->older;
	else if (entry->older)
		index_replace(&la->redirect_index, hash, id, entry->older);
	else
		index_remove(&la->redirect_index, hash, id);
}

static int entry_add(struct libalias *la, struct alias_link *redirect, const struct key *key)
{
	uint32_t id = pool_alloc(&la->redirect_keys);
	struct entry *entry;

	if (!id)
		return -1;
	entry = entry_at(la, id);
	entry->key = *key;
	entry->redirect = redirect->id;
	if (entry_link(la, id)) {
		pool_free(&la->redirect_keys, id);
		return -1;
	}
	entry->sibling = redirect->keys;
	redirect->keys = id;
	if (!la->class_count[key->dir][key->class]++)
		la->classes[key->dir] |= 1u << key->class;
	if (key->bits)
		la->range_count[key->bits]++;
	if (!key->local)
		la->zero_keys++;
	return 0;
}

static void entry_remove(struct libalias *la, uint32_t id)
{
	struct entry *entry = entry_at(la, id);

	if (!--la->class_count[entry->key.dir][entry->key.class])
		la->classes[entry->key.dir] &= ~(1u << entry->key.class);
	if (entry->key.bits)
		la->range_count[entry->key.bits]--;
	if (!entry->key.local)
		la->zero_keys--;
	entry_unlink(la, id);
	pool_free(&la->redirect_keys, id);
}

static void entries_remove(struct libalias *la, struct alias_link *redirect, int dir)
{
	uint32_t id, next, kept = 0;

	for (id = redirect->keys; id; id = next) {
		next = entry_at(la, id)->sibling;
		if (dir < 0 || entry_at(la, id)->key.dir == dir) {
			entry_remove(la, id);
		} else {
			entry_at(la, id)->sibling = kept;
			kept = id;
		}
	}
	redirect->keys = kept;
}

static bool to_all(const struct alias_link *r)
{
	return r->alias == INADDR_NONE && r->kind != REDIRECT_ADDR;
}

static enum class class_of(const struct alias_link *r) {
	bool all = to_all(r);

	switch ((enum redirect_kind)r->kind){
		case REDIRECT_PORT : if (r->remote && r->remote_port) return all
			? TO_ALL_PORT_REMOTE_BOTH
			: PORT_REMOTE_BOTH;
		if (r->remote) return all ? TO_ALL_PORT_REMOTE_ADDR : PORT_REMOTE_ADDR;
		if (r->remote_port) return all ? TO_ALL_PORT_REMOTE_PORT : PORT_REMOTE_PORT;
		return all ? TO_ALL_PORT_ANY : PORT_ANY;
		case REDIRECT_RANGE : if (r->remote) return all ? TO_ALL_RANGE_REMOTE
								: RANGE_REMOTE;
		return all ? TO_ALL_RANGE : RANGE;
		case REDIRECT_MARK : return MARK;
		case REDIRECT_OUTGOING : return OUTGOING;
		case REDIRECT_PROTO : if (r->remote) return all ? TO_ALL_PROTO_REMOTE
								: PROTO_REMOTE;
		return all ? TO_ALL_PROTO : PROTO;
		default : return ADDR;
	}
}

/* Bits of the port that are the same in the largest aligned block of ports from low to high. */
static uint8_t block_bits(uint32_t low, uint32_t high)
{
	uint8_t bits = 16;

	while (bits > 1 && !(low & ((1u << (17 - bits)) - 1)) &&
	       low + (1u << (17 - bits)) - 1 <= high)
		bits--;
	return bits;
}

/* The key for incoming packets; of a range, that of the first block. */
static struct key key_in(const struct alias_link *r)
{
	struct key key = {.local = r->alias,
			  .peer = r->remote,
			  .local_port = r->alias_port,
			  .peer_port = r->remote_port,
			  .proto = r->proto,
			  .class = (uint8_t)class_of(r),
			  .dir = IN};

	if (r->kind == REDIRECT_MARK)
		key.peer = r->mark;
	if (r->kind == REDIRECT_RANGE)
		key.bits = block_bits(ntohs(r->alias_port), ntohs(r->alias_port_high));
	return key;
}

/* Enters the range as aligned power-of-two blocks. */
static int range_enter(struct libalias *la, struct alias_link *r, struct key *key)
{
	uint32_t low = ntohs(r->alias_port), high = ntohs(r->alias_port_high);

	while (low <= high) {
		key->local_port = htons((uint16_t)low);
		key->bits = block_bits(low, high);
		if (entry_add(la, r, key))
			return -1;
		low += 1u << (16 - key->bits);
	}
	return 0;
}

/* A mapping for all remotes has no place on a port that one remote's redirect waits on. */
static int hold_port(struct libalias *la, struct alias_link *r)
{
	struct key key = {.local = r->alias, .proto = r->proto, .dir = IN};

	if (r->proto != IPPROTO_UDP || !(r->remote || r->remote_port))
		return 0;
	if (r->kind == REDIRECT_RANGE) {
		key.class = to_all(r) ? TO_ALL_HELD_RANGE : HELD_RANGE;
		return range_enter(la, r, &key);
	}
	key.class = to_all(r) ? TO_ALL_HELD : HELD;
	key.local_port = r->alias_port;
	return entry_add(la, r, &key);
}

int redirect_enter(struct libalias *la, struct alias_link *r)
{
	struct key in = key_in(r), out = in;

	if ((r->kind == REDIRECT_PORT || r->kind == REDIRECT_RANGE) && hold_port(la, r))
		return -1;
	if (r->kind == REDIRECT_RANGE)
		return range_enter(la, r, &in);
	if (r->kind != REDIRECT_OUTGOING && entry_add(la, r, &in))
		return -1;
	if (r->kind == REDIRECT_MARK || to_all(r))
		return 0;
	out.dir = OUT;
	out.local = r->local;
	out.local_port = r->local_port;
	return entry_add(la, r, &out);
}

/* Do both redirects match the same packets? */
static bool match_equal(const struct alias_link *a, const struct alias_link *b)
{
	return a->kind == b->kind && a->proto == b->proto && a->remote == b->remote &&
	       a->remote_port == b->remote_port && a->alias == b->alias &&
	       a->alias_port == b->alias_port && a->alias_port_high == b->alias_port_high &&
	       a->mark == b->mark;
}

uint32_t redirect_find_server(const struct libalias *la, const struct alias_link *like,
			      uint32_t addr, uint16_t port)
{
	struct key key = key_in(like);
	const struct alias_link *r;
	uint32_t server;

	for (uint32_t id = entry_find(la, &key, key_hash(la, &key)); id;
	     id = entry_at(la, id)->older) {
		r = redirect_at(la, entry_at(la, id)->redirect);
		if (r->dynamic || !match_equal(r, like))
			continue;
		server = server_find(la, r, addr, port);
		if (server)
			return server;
	}
	return 0;
}

void redirect_no_outgoing(struct libalias *la, struct alias_link *redirect)
{
	entries_remove(la, redirect, OUT);
}

void redirect_set_rank(struct libalias *la, struct alias_link *redirect, uint32_t rank)
{
	la->ranked += (rank != 0) - (redirect->rank != 0);
	redirect->rank = rank;
	for (uint32_t id = redirect->keys; id; id = entry_at(la, id)->sibling) {
		if (!entry_at(la, id)->older && !entry_at(la, id)->newer)
			continue;
		/* Others stay in the list, so linking needs no memory. */
		entry_unlink(la, id);
		(void)entry_link(la, id);
	}
}

void redirect_delete(struct libalias *la, struct alias_link *redirect)
{
	entries_remove(la, redirect, -1);
	la->ranked -= redirect->rank != 0;
	servers_free(la, redirect);
	pool_free(&la->redirects, redirect->id);
}

/* Of one class. */
static bool is_newer(const struct alias_link *r, const struct alias_link *best)
{
	if (!best || r->rank != best->rank)
		return !best || r->rank < best->rank;
	return r->age > best->age;
}

bool redirect_goes_first(const struct alias_link *a, const struct alias_link *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return class_of(a) != class_of(b) ? class_of(a) < class_of(b) : a->age > b->age;
}

/* The first of best and what the key leads to, the address being exact or the aliasing one. */
static struct alias_link *newest(const struct libalias *la, struct alias_link *best,
				 struct key *key)
{
	uint32_t local = key->local, id;
	struct alias_link *found;

	for (int i = 0; i < 2; i++) {
		id = entry_find(la, key, key_hash(la, key));
		if (id) {
			found = redirect_at(la, entry_at(la, id)->redirect);
			if (is_newer(found, best))
				best = found;
		}
		if (local != la->alias || !local || !la->zero_keys)
			break;
		key->local = 0;
	}
	key->local = local;
	return best;
}

static struct alias_link *find_range(const struct libalias *la, struct key *key)
{
	uint16_t port = ntohs(key->local_port);
	struct alias_link *best = NULL;

	for (uint8_t bits = 1; bits <= 16; bits++) {
		if (!la->range_count[bits])
			continue;
		key->bits = bits;
		key->local_port = htons((uint16_t)(port & 0xffff << (16 - bits)));
		best = newest(la, best, key);
	}
	return best;
}

static struct alias_link *find_mark(const struct libalias *la, struct key *key, uint32_t mark)
{
	struct alias_link *best;

	key->local = 0;
	key->peer = mark;
	best = newest(la, NULL, key);
	key->proto = 0;
	return newest(la, best, key);
}

static struct alias_link *find_in_class(const struct libalias *la, enum class class,
					enum direction dir, const struct view *view, uint8_t proto,
					uint32_t mark)
{
	bool ports = proto == IPPROTO_TCP || proto == IPPROTO_UDP;
	uint8_t parts = class_parts[class];
	struct key key = {.local = parts & TO_ALL ? INADDR_NONE : view->local,
			  .peer = parts & HAS_PEER ? view->peer : 0,
			  .local_port = parts & HAS_PORT ? view->local_port : 0,
			  .peer_port = parts & HAS_PEER_PORT ? view->peer_port : 0,
			  .proto = parts & HAS_PROTO ? proto : 0,
			  .class = (uint8_t) class,
			  .dir = (uint8_t)dir};

	if (parts & OF_PORTS && !ports)
		return NULL;
	if (class == MARK)
		return mark ? find_mark(la, &key, mark) : NULL;
	if (parts & IN_BLOCKS)
		return find_range(la, &key);
	return newest(la, NULL, &key);
}

/* As bits. */
static uint32_t to_all_classes(void)
{
	uint32_t classes = 0;

	for (uint32_t class = 0; class < REDIRECT_CLASSES; class ++)
		if (class_parts[class] & TO_ALL)
			classes |= 1u << class;
	return classes;
}

static struct alias_link *find_classes(const struct libalias *la, enum direction dir,
				       const struct view *view, uint8_t proto, uint32_t mark,
				       enum class first, enum class last)
{
	uint32_t classes = la->classes[dir] & (UINT32_MAX << first) & ((2u << last) - 1);
	struct alias_link *best = NULL, *found;

	if (dir == IN && la->own_set && classes & to_all_classes() && !is_own(la, view->local))
		classes &= ~to_all_classes();
	for (; classes && !(best && (!best->rank || !la->ranked)); classes &= classes - 1) {
		found = find_in_class(la, (enum class)__builtin_ctz(classes), dir, view, proto,
				      mark);
		if (found && (!best || found->rank < best->rank))
			best = found;
	}
	return best;
}

struct alias_link *redirect_find(struct libalias *la, enum direction dir, const struct view *view,
				 uint8_t proto, uint32_t mark)
{
	if (!la->redirects.used)
		return NULL;
	return find_classes(la, dir, view, proto, mark, PORT_REMOTE_BOTH, ADDR);
}

const struct alias_link *redirect_of_port(const struct libalias *la, const struct view *in,
					  uint8_t proto)
{
	return find_classes(la, IN, in, proto, 0, PORT_REMOTE_BOTH, TO_ALL_RANGE);
}

bool redirect_holds_port(const struct libalias *la, const struct view *in, uint8_t proto)
{
	const struct alias_link *found = redirect_of_port(la, in, proto);

	if (found || la->mode & PKT_ALIAS_KEEP_PORTS)
		return found && (found->dynamic || !(la->mode & PKT_ALIAS_KEEP_PORTS));
	return proto == IPPROTO_UDP && view_any_peer(in) &&
	       find_classes(la, IN, in, proto, 0, HELD, TO_ALL_HELD_RANGE);
}
