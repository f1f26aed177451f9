/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper.c - which helper watches which port, and which one a link gets; helper.h has the
 * interface.
 *
 * A packet on a link without helper pays nothing.  A new link asks a bitmap of ports, one for TCP
 * and one for UDP; only if that says yes the list of watched ports is walked.  All helpers that
 * watch the port are candidates, by their place in the table.  Of several, and to keep the only
 * one, the client's first bytes decide: they are collected in the order of the stream, and helpers
 * that cannot begin like that are out.
 *
 * Modules, as FreeBSD has them, are process-wide: loading one makes its helpers watch their default
 * ports in each instance there is and will be.
 */
#include "helper_text.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>

static const struct helper *const helpers[] = {
	&helper_cuseeme, &helper_ftp,  &helper_irc, &helper_netbios, &helper_pna,  &helper_pptp,
	&helper_quake,   &helper_rtsp, &helper_sip, &helper_skinny,  &helper_tftp, &helper_vdolive,
};

/* Of a link that had a helper: it may get one again when it is used for another connection. */
static const struct helper none = {.name = ""};

#define HELPERS   (sizeof(helpers) / sizeof(helpers[0]))
#define MAP_WORDS (65536 / 64)

_Static_assert(HELPERS < 32, "candidates are bits of a word, and numbers fit a link");

static atomic_uint loaded; /* helpers by number */

static unsigned int proto_bit(uint8_t proto)
{
	return proto == IPPROTO_TCP ? HELPER_TCP : proto == IPPROTO_UDP ? HELPER_UDP : 0;
}

/* The helpers of this name, or of the set of this name. */
static uint32_t helpers_named(const char *name)
{
	uint32_t found = 0;

	for (size_t i = 0; i < HELPERS; i++) {
		const struct helper *h = helpers[i];

		if (!strcmp(h->name, name) || (h->sets[0] && !strcmp(h->sets[0], name)) ||
		    (h->sets[1] && !strcmp(h->sets[1], name)))
			found |= 1u << i;
	}
	return found;
}

uint8_t helper_number(const struct helper *helper)
{
	uint8_t i = 0;

	while (i < HELPERS && helpers[i] != helper)
		i++;
	return i < HELPERS ? i + 1 : 0;
}

const struct helper *helper_named(const char *name)
{
	for (size_t i = 0; i < HELPERS; i++)
		if (!strcmp(helpers[i]->name, name))
			return helpers[i];
	return NULL;
}

const char *helper_name(uint8_t number)
{
	return number ? helpers[number - 1]->name : NULL;
}

int LibAliasHelperHas(const char *name, const char *helper)
{
	return (helpers_named(name) & helpers_named(helper)) != 0;
}

static uint64_t *map_of(const struct libalias *la, unsigned int proto)
{
	return la->watched[proto == HELPER_UDP];
}

static bool map_has(const uint64_t *map, uint16_t port)
{
	return map && map[port / 64] & 1ull << port % 64;
}

/* Brings the bitmaps in line with the list. */
static void map_port(struct libalias *la, unsigned int proto, uint16_t port)
{
	uint64_t *map = map_of(la, proto), bit = 1ull << port % 64;

	map[port / 64] &= ~bit;
	for (int i = 0; i < la->helper_ports; i++)
		if (la->helper_port[i].port == port &&
		    helpers[la->helper_port[i].helper]->protos & proto)
			map[port / 64] |= bit;
}

static int maps_make(struct libalias *la)
{
	for (int i = 0; i < 2; i++)
		if (!la->watched[i]) {
			la->watched[i] = calloc(MAP_WORDS, sizeof(uint64_t));
			if (!la->watched[i])
				return -1;
		}
	return 0;
}

/* Helper number watches a port, network order, or no longer; by_module: because it is loaded. */
static int watch(struct libalias *la, uint8_t number, uint16_t port, bool enable, bool by_module)
{
	int i;

	for (i = 0; i < la->helper_ports; i++)
		if (la->helper_port[i].port == port && la->helper_port[i].helper == number)
			break;
	if (i == la->helper_ports && !enable)
		return 0;
	if (i < la->helper_ports && enable) {
		la->helper_port[i].by_module &= by_module;
		return 0;
	}
	if (enable) {
		if (i == HELPER_PORTS) {
			errno = ENOSPC;
			return -1;
		}
		if (maps_make(la))
			return -1;
		la->helper_port[i].helper = number;
		la->helper_port[i].port = port;
		la->helper_port[i].by_module = by_module;
		la->helper_ports++;
	} else {
		la->helper_port[i] = la->helper_port[--la->helper_ports];
	}
	for (unsigned int proto = HELPER_TCP; proto <= HELPER_UDP; proto <<= 1)
		if (helpers[number]->protos & proto)
			map_port(la, proto, port);
	return 0;
}

static int watch_defaults(struct libalias *la, uint8_t number, bool enable, bool by_module)
{
	for (const uint16_t *port = helpers[number]->ports; *port; port++)
		if (watch(la, number, htons(*port), enable, by_module))
			return -1;
	return 0;
}

int LibAliasSetHelper(struct libalias *la, const char *name, unsigned int port, int enable)
{
	uint32_t named = helpers_named(name);

	if (!named || port > 65535) {
		errno = named ? EINVAL : ENOENT;
		return -1;
	}
	for (uint8_t i = 0; i < HELPERS; i++) {
		if (!(named & 1u << i))
			continue;
		if (port ? watch(la, i, htons((uint16_t)port), enable, false)
			 : watch_defaults(la, i, enable, false))
			return -1;
	}
	return 0;
}

void helper_init(struct libalias *la)
{
	uint32_t modules = atomic_load(&loaded);

	for (uint8_t i = 0; i < HELPERS; i++)
		if (modules & 1u << i)
			(void)watch_defaults(la, i, true, true);
}

void helper_free(struct libalias *la)
{
	free(la->watched[0]);
	free(la->watched[1]);
}

static void load(struct libalias *la, void *arg)
{
	(void)arg;
	helper_init(la);
}

static void unload(struct libalias *la, void *arg)
{
	(void)arg;
	for (int i = la->helper_ports - 1; i >= 0; i--)
		if (la->helper_port[i].by_module)
			watch(la, la->helper_port[i].helper, la->helper_port[i].port, false, true);
}

int LibAliasLoadModule(char *path)
{
	const char *name = path ? strrchr(path, '/') : NULL;
	uint32_t modules;
	char plain[32];
	size_t len;

	if (!path)
		return EINVAL;
	name = name ? name + 1 : path;
	if (!strncmp(name, "lib", 3))
		name += 3;
	if (!strncmp(name, "alias_", 6))
		name += 6;
	len = strcspn(name, ".");
	if (len >= sizeof(plain))
		return ENOENT;
	memcpy(plain, name, len);
	plain[len] = '\0';
	modules = helpers_named(plain);
	if (!modules)
		return ENOENT;
	if ((atomic_fetch_or(&loaded, modules) & modules) == modules)
		return EEXIST;
	instance_each(load, NULL);
	return 0;
}

int LibAliasUnLoadAllModule(void)
{
	atomic_store(&loaded, 0);
	instance_each(unload, NULL);
	return 0;
}

int helper_refresh(const char *path)
{
	FILE *file = fopen(path, "re");
	int result = 0, error;
	char line[256];

	if (!file)
		return errno;
	LibAliasUnLoadAllModule();
	while (fgets(line, sizeof(line), file)) {
		char *word = line + strspn(line, " \t");

		word[strcspn(word, " \t\r\n#")] = '\0';
		if (!*word)
			continue;
		error = LibAliasLoadModule(word);
		if (error && error != EEXIST && !result)
			result = error;
	}
	fclose(file);
	return result;
}

int LibAliasRefreshModules(void)
{
	return helper_refresh("/etc/libalias.conf");
}

bool helper_watches(const struct libalias *la, const struct view *view, uint8_t proto)
{
	const uint64_t *map = map_of(la, proto_bit(proto));

	return map_has(map, view->peer_port) || map_has(map, view->local_port);
}

/* The helpers that watch one of these ports, as bits. */
static uint32_t watchers(const struct libalias *la, unsigned int proto, uint16_t a, uint16_t b)
{
	const uint64_t *map = map_of(la, proto);
	uint32_t found = 0;

	if (!map_has(map, a) && (a == b || !map_has(map, b)))
		return 0;
	for (int i = 0; i < la->helper_ports; i++)
		if ((la->helper_port[i].port == a || la->helper_port[i].port == b) &&
		    helpers[la->helper_port[i].helper]->protos & proto)
			found |= 1u << la->helper_port[i].helper;
	return found;
}

/* The state that the largest of these helpers keeps. */
static size_t state_of(uint32_t candidates, unsigned int proto)
{
	size_t state = 0;

	for (; candidates; candidates &= candidates - 1) {
		const struct helper *helper = helpers[__builtin_ctz(candidates)];
		size_t size = helper->state_size;

		if (proto == HELPER_TCP)
			size += helper->streams[OUT] + helper->streams[IN];
		state = size > state ? size : state;
	}
	return state;
}

/*
 * The helpers that watch a port of the link's server.  Who is called is the server: a caller may
 * choose any port, and an alias port is chosen for him.  Datagrams may go either way.
 */
static uint32_t link_watchers(const struct libalias *la, const struct link *link,
			      bool *server_inside)
{
	const struct view *out = &link->view[OUT], *in = &link->view[IN];
	unsigned int proto = proto_bit(link->proto);
	uint32_t found = 0;

	if (!proto || !map_of(la, proto))
		return 0;
	*server_inside = link->flags & LINK_INCOMING;
	if (proto == HELPER_UDP || !*server_inside)
		found = watchers(la, proto, out->peer_port, in->peer_port);
	if (proto == HELPER_UDP)
		*server_inside = !found;
	if (!*server_inside)
		return found;
	return watchers(la, proto, out->local_port,
			link->flags & LINK_INCOMING ? in->local_port : out->local_port);
}

static bool attach(struct libalias *la, struct link *link, uint32_t candidates, bool server_inside,
		   bool begun)
{
	struct link_side *side = link_side(la, link);

	if (!side)
		return false;
	side->candidates = candidates;
	side->helper = helpers[__builtin_ctz(side->candidates)];
	side->server_inside = server_inside;
	side->begun = begun;
	side->has_state = false; /* another helper's may be smaller */
	return true;
}

void helper_attach(struct libalias *la, struct link *link, const struct packet *p)
{
	bool server_inside, datagrams = link->proto == IPPROTO_UDP;
	uint32_t candidates = link_watchers(la, link, &server_inside);

	if (!candidates || (!datagrams && (p->l4[13] & (TH_SYN | TH_ACK)) != TH_SYN))
		return;
	/* Datagrams begin anew each time: their helpers look for themselves. */
	(void)attach(la, link, candidates, server_inside, datagrams);
}

void helper_revise(struct libalias *la, struct link *link)
{
	struct link_side *side = link->side;
	bool server_inside;
	uint32_t candidates;

	if (link->proto != IPPROTO_UDP || link->flags & LINK_ANY_PEER)
		return;
	candidates = link_watchers(la, link, &server_inside);
	if (side && side->helper) {
		if (candidates & helpers_named(side->helper->name))
			return;
		helper_detach(la, link);
		side->helper = NULL;
	}
	if (candidates)
		(void)attach(la, link, candidates, server_inside, true);
}

void helper_record(struct record_cursor *c, const struct link *link)
{
	const struct helper *helper = link->side->helper;

	if (!link->side->has_state)
		return;
	if (link->proto == IPPROTO_TCP)
		text_record(c, link);
	if (helper->record)
		helper->record(c, link);
}

void helper_resume(struct libalias *la, struct link *link, const char *name,
		   struct record_cursor *state)
{
	bool server_inside;
	uint32_t candidates = link_watchers(la, link, &server_inside) & helpers_named(name);
	size_t size = state_of(candidates, proto_bit(link->proto));

	if (!candidates || !attach(la, link, candidates, server_inside, true) || !state->left ||
	    !link_side_with_state(la, link, size))
		return;
	helper_record(state, link);
	if (state->overrun || state->left)
		memset(helper_state(link), 0, size);
}

/* A connection begins, perhaps another one with the ends of one that is over. */
static __attribute__((noinline)) void restart(struct libalias *la, struct link *link)
{
	struct link_side *side = link->side;

	if (side->first_len || side->begun)
		helper_detach(la, link);
	if (side->has_state)
		memset(helper_state(link), 0, state_of(side->candidates, HELPER_TCP));
	side->helper = helpers[__builtin_ctz(side->candidates)];
	side->alone = !(side->candidates & (side->candidates - 1));
	tcp_forget_changes(side);
	side->first_len = 0;
	side->begun = false;
}

/*
 * Is this the SYN by which a connection begins?  From outside it may be forged, after a forged RST:
 * then what there is goes on until the server inside answers with a SYN that is new.
 */
static bool begins_anew(const struct link *link, const struct packet *p, enum direction dir)
{
	const struct link_side *side = link->side;

	if (!side->server_inside)
		return dir == OUT && tcp_begins(link, p, OUT);
	if (dir == IN)
		return !side->begun && !side->first_len && tcp_begins(link, p, IN);
	return (side->begun || side->first_len) && tcp_answers(link, p, OUT) &&
	       side->start[OUT] != ntohl(load32(p->l4 + 4)) + 1;
}

/* The candidates that can begin like this; the first that must is it. */
static void judge(struct link_side *side)
{
	uint32_t left = 0;

	for (uint32_t rest = side->candidates; rest; rest &= rest - 1) {
		const struct helper *helper = helpers[__builtin_ctz(rest)];
		enum helper_verdict verdict =
			helper->begins ? helper->begins(side->first, side->first_len) : HELPER_YES;

		if (verdict == HELPER_YES) {
			side->helper = helper;
			side->begun = true;
			return;
		}
		if (verdict == HELPER_MAYBE)
			left |= rest & -rest;
	}
	side->helper = left ? helpers[__builtin_ctz(left)] : &none;
	side->begun = !left;
	side->alone = !(left & (left - 1));
}

/* May the helper see this packet before it is known that the stream is its own? */
static __attribute__((noinline)) bool may_see(struct link_side *side, const struct packet *p,
					      enum direction dir)
{
	uint32_t seq = ntohl(load32(p->l4 + 4)), offset, len, at;
	const uint8_t *data = helper_payload(p, &offset, &len);

	if (len && dir == (side->server_inside ? IN : OUT)) {
		at = seq - side->start[dir];
		/* A part in between is missing, or this is none of the stream's. */
		if (at > side->first_len)
			return false;
		for (at = side->first_len - at; at < len && side->first_len < HELPER_FIRST; at++)
			side->first[side->first_len++] = data[at];
		judge(side);
	}
	return side->begun || side->alone;
}

/* Who only sends SYNs from outside, perhaps by forged addresses, gets none of this memory. */
static __attribute__((noinline)) bool make_state(struct libalias *la, struct link *link)
{
	size_t size = state_of(link->side->candidates, proto_bit(link->proto));

	if (link->side->server_inside && link->timer == ALIAS_TIMEOUT_TCP_OPENING)
		return false;
	return link_side_with_state(la, link, size);
}

void helper_run(struct libalias *la, struct link *link, struct packet *p, enum direction dir)
{
	struct link_side *side = link->side;

	/* Bytes behind the datagram would get in the way of changing its length. */
	if (p->proto == IPPROTO_UDP && ntohs(load16(p->l4 + 4)) != p->l4_len)
		return;
	if (p->proto == IPPROTO_TCP && p->l4[13] & TH_SYN) {
		if (begins_anew(link, p, dir))
			restart(la, link);
		side->start[dir] = ntohl(load32(p->l4 + 4)) + 1;
		side->start_known[dir] = true;
		return;
	}
	if (!side->has_state && !make_state(la, link))
		return;
	side = link->side;
	if (!side->begun && !may_see(side, p, dir))
		return;
	if (dir == OUT && side->helper->out)
		side->helper->out(la, link, p);
	if (dir == IN && side->helper->in)
		side->helper->in(la, link, p);
}

void helper_detach(struct libalias *la, struct link *link)
{
	const struct helper *helper = link->side->helper;

	link->side->helper = helper ? &none : NULL;
	if (helper && helper->end && link->side->has_state)
		helper->end(la, link);
}

bool helper_replace(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
		    uint32_t offset, uint32_t seq, uint32_t old_len, const void *new,
		    uint32_t new_len)
{
	struct link_side *side = link_side(la, link);

	if (!side || p->len - old_len + new_len > p->size || p->len - old_len + new_len > 65535)
		return false;
	if (p->proto == IPPROTO_TCP &&
	    !tcp_record_change(side, dir, seq, seq + old_len, (int32_t)(new_len - old_len)))
		return false;
	return packet_replace(p, offset, old_len, new, new_len);
}
