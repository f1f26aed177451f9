/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - what the engine's files share: the instance, the link record and who does what.
 *
 * A link joins two views of one conversation: view[OUT] as the inside sees it (inside address,
 * address that it talks to), view[IN] as the outside sees it (alias address, remote address).  An
 * outgoing packet is found by view[OUT] and rewritten to view[IN], an incoming one the other way
 * round; so both directions, proxying (the two peers differ) and hairpins are the same code.
 *
 * From the top:  alias.c, batch.c, compat.c  entry points
 *                icmp.c tcp*.c fragment.c proxy.c helper*.c   one protocol matter each
 *                link.c mapping.c masquerade.c ports.c redirect*.c server.c record.c expect.c
 *                expire.c  the table of links and what makes them
 *                packet.c index.c pool.c tally.c checksum.h hash.h   no knowledge of the above
 */
#ifndef LIBALIAS_ENGINE_H
#define LIBALIAS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/queue.h>
#include "alias.h"
#include "checksum.h"
#include "hash.h"
#include "index.h"
#include "tally.h"

enum direction { OUT, IN };

/* One view of a conversation; network byte order.  The local end is ours, the peer's the other. */
struct view {
	uint32_t local, peer;
	uint16_t local_port, peer_port;
};

#define LINK_USED       0x01
#define LINK_INCOMING   0x02 /* made by an incoming packet */
#define LINK_ENCODE_IP  0x04 /* proxied with encode_ip_hdr */
#define LINK_ENCODE_TCP 0x08 /* proxied with encode_tcp_stream */
#define LINK_ANY_PEER   0x10 /* endpoint-independent: peers are 0 in both views */
#define LINK_EXPECTED   0x20 /* a helper awaited it */
#define LINK_KNOWN_FREE 0x40 /* for link_create() only */

/* What tcp.c has seen of a connection, two bits each: 1 << OUT, 1 << IN. */
#define TCP_SYN(d) (1u << (d))
#define TCP_ACK(d) (4u << (d))
#define TCP_FIN(d) (16u << (d))
#define TCP_RST    64u
#define TCP_TURNED 128u /* opened again by the other side than made the link */

struct link_side;

/* In timer_prev, with a slot's number; there are at most 2^30 links. */
#define TIMER_SLOT 0x80000000u

/* One cache line. */
struct link {
	struct view view[2];
	uint8_t proto;
	uint8_t flags;                     /* LINK_* */
	uint8_t timer : 3;                 /* enum alias_timeout */
	uint8_t helper : 5;                /* that awaited it: its number, or 0 */
	uint8_t tcp_state;                 /* TCP_* */
	uint32_t last;                     /* time of the last packet */
	uint32_t timer_next, timer_prev;   /* ids in a slot, whose number the first has before it */
	struct link_side *side;            /* what few links need, or NULL */
	uint32_t server;                   /* of the redirect that made it, 0 = none */
	uint32_t server_next, server_prev; /* ids in the list of its links */
	union {
		uint32_t tcp_start; /* sequence number after the answering side's SYN */
		uint32_t control;   /* of a PPTP call: id of the link that made it */
	};
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct link) == 64, "a link is one cache line");
#define LINK_SHIFT 15 /* links in a slab of POOL_SLAB_BYTES */

/* A change of length in a TCP stream; positions as the sender counts, delta in force from end on.
 */
struct sequence_change {
	uint32_t start, end;
	int32_t delta;
	uint32_t unit; /* where the message that it is in starts */
	uint32_t length;
	char *text; /* of the message as it went, with the first of its changes; or NULL */
};

/* At most, of each direction, what is not acknowledged: */
#define SEQUENCE_CHANGES 512
#define SEQUENCE_TEXT    (128u << 10) /* bytes */
/* And of all links, beyond which messages are translated anew when they are sent again. */
#define SEQUENCE_TEXTS ((size_t)32 << 20)

struct helper;

#define HELPER_FIRST 8 /* bytes of a client's stream by which a helper knows its protocol */

/* What each packet of such a link reads comes first; a helper's state follows the record. */
struct link_side {
	const struct helper *helper; /* if !begun, the first candidate */
	uint32_t stream_start;       /* sequence number of the first outgoing byte */
	uint16_t changes[2];
	bool dest_known; /* stream_start is valid */
	bool begun;      /* helper is settled */
	bool has_state;  /* the helper's is behind the record */
	bool server_inside;
	bool passed_known[2];
	bool start_known[2]; /* by direction, if a SYN told them */
	struct {
		uint32_t end;
		int32_t delta;
	} newest[2];              /* the same as the last change's, if there is one */
	uint32_t passed[2];       /* as the receiver counts: behind all data sent to it */
	uint32_t acknowledged[2]; /* as the sender counts, while there are changes */
	uint32_t change_text[2];  /* bytes */
	/* What is behind this is for other packets: 64 bytes so far. */
	struct sequence_change *change[2]; /* by direction, oldest first */
	uint16_t change_room[2];
	size_t *texts;          /* the bytes of all links of the instance */
	int32_t change_base[2]; /* the delta before the first */
	uint32_t id;            /* of the link */
	uint32_t hole;          /* number of a firewall hole plus 1 */
	uint32_t candidates;    /* helpers that it may be, by number */
	uint32_t start[2];      /* sequence numbers of first bytes */
	uint8_t first[HELPER_FIRST];
	uint8_t first_len;
	bool alone; /* if !begun: there is one candidate left */
	uint32_t expectation_count;
	LIST_HEAD(, alias_link) expectations;
	LIST_ENTRY(link_side) entry;
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct link_side, change) == 64, "one cache line for most packets");

/* A packet that has been looked at and found whole. */
struct packet {
	uint8_t *data;
	uint32_t size;   /* of the buffer */
	uint32_t len;    /* of the datagram */
	uint32_t header; /* length of the IP header */
	uint8_t proto;
	bool first; /* offset 0 */
	bool more;  /* more fragments */
	uint8_t icmp_type;
	uint16_t id;
	uint32_t src, dst;
	uint16_t src_port, dst_port; /* ICMP queries: the id; PPTP: the receiver's call id */
	uint32_t mark;
	uint8_t *l4;
	uint32_t l4_len;
	struct view view; /* as its direction sees it, once packet_view() was called */
	uint32_t hash;    /* by which its link is found */
	bool any_peer;    /* the hash leaves the peer out */
};

/* Where links of a redirect lead: its local end, or one of its pool (server.c). */
struct alias_server {
	uint32_t links;    /* first of them, 0 = none */
	uint32_t redirect; /* whose it is */
	uint32_t addr;
	uint16_t port;
	uint32_t weight;
	struct alias_traffic traffic;
} __attribute__((aligned(64)));

/* A static redirect (redirect.c) or a helper's expectation (expect.c). */
struct alias_link {
	/* The first line is what a new link needs. */
	uint32_t id;
	uint32_t local, remote, alias;
	uint16_t local_port, remote_port, alias_port, alias_port_high;
	uint8_t proto;
	uint8_t kind; /* enum redirect_kind */
	bool dynamic;
	uint32_t rank; /* lower = first */
	uint32_t server_count;
	uint64_t age; /* larger = newer */
	uint64_t hits;
	uint32_t *servers;   /* the pool: ids */
	uint32_t own_server; /* its local end's */
	uint32_t server_at;
	uint32_t server_left;
	uint32_t mark;
	uint32_t keys; /* first of its entries in the redirect index */
	void *cookie;
	/* expectations only */
	LIST_ENTRY(alias_link) expected, sibling; /* in its time slot; of its control connection */
	uint32_t master;                          /* id of the control connection's link */
	uint32_t deadline;
	int socket; /* that holds the port, or -1 */
	const struct helper *helper;
	bool awaited; /* in another instance, before it was given to this one */
} __attribute__((aligned(64)));

LIST_HEAD(expectation_list, alias_link);
LIST_HEAD(side_list, link_side);

struct masquerade_rule {
	uint32_t net; /* host order */
	uint8_t bits;
	uint8_t proto; /* 0 = all */
	uint32_t alias;
};

struct proxy_rule {
	TAILQ_ENTRY(proxy_rule) entry;
	int index;
	uint8_t encoding; /* LINK_ENCODE_* or 0 */
	uint8_t proto;    /* 0 = TCP and UDP */
	uint16_t port, server_port;
	uint32_t server, src, src_mask, dst, dst_mask;
};

TAILQ_HEAD(proxy_list, proxy_rule);

#define WHEEL_SLOTS      1024
#define HELPER_PORTS     64
#define EXPECT_SLOTS     64
#define REDIRECT_CLASSES 23

struct endpoint;
struct fragment_table;

struct libalias {
	/* Read for each packet. */
	uint32_t now;
	uint32_t alias; /* LibAliasSetAddress() */
	unsigned int mode;
	struct pool links;
	struct index views[2];
	uint64_t key[4]; /* of the hash */
	uint32_t timeout[ALIAS_TIMEOUT_COUNT];
	uint32_t exact_udp, any_peer_udp; /* UDP links by kind */
	bool exact_counted;               /* exact_ports is kept */
	bool new_link;
	uint32_t (*clock)(void *arg);
	void *clock_arg;

	/* expire.c */
	uint32_t wheel_time;
	uint32_t wheel[WHEEL_SLOTS];

	/* redirect.c */
	struct pool redirects, redirect_keys, servers;
	struct index redirect_index;
	uint32_t class_count[2][REDIRECT_CLASSES];
	uint32_t classes[2];      /* those with members, a bit each */
	uint32_t range_count[17]; /* range entries by prefix length of the port */
	uint32_t ranked;          /* redirects whose rank is not 0 */
	uint32_t zero_keys;       /* entries for the aliasing address, whatever it is */
	uint64_t redirect_age;
	uint32_t target; /* LibAliasSetTarget() */
	bool own_set;    /* LibAliasSetOwnAddresses() */
	uint32_t *own;   /* sorted */
	uint32_t own_count, own_room;

	/* masquerade.c */
	struct masquerade_rule *masquerade;
	uint32_t masquerade_count;
	uint64_t masquerade_bits; /* prefix lengths in use, a bit each */

	/* ports.c */
	uint16_t port_low, port_high; /* host order */
	uint32_t random[64];          /* from getrandom(2), a handful at a time */
	unsigned int random_left;
	struct endpoint **endpoints;
	uint32_t endpoint_count;

	/* the rest */
	struct proxy_list proxies;
	struct expectation_list expectations[EXPECT_SLOTS]; /* by deadline */
	uint32_t expect_time;                               /* slots before it are done */
	struct side_list sides;
	size_t texts; /* bytes of messages that may be sent again */
	struct fragment_table *fragments;
	struct tally hosts;       /* links by inside address */
	struct tally exact_ports; /* exact UDP links by alias address and port */
	uint32_t limit[ALIAS_LIMIT_COUNT];
	struct alias_stats stats;
	uint64_t *watched[2]; /* ports, network order, of helpers of TCP and UDP; or NULL */
	struct {
		uint16_t port;  /* network order */
		uint8_t helper; /* by number */
		bool by_module;
	} helper_port[HELPER_PORTS];
	int helper_ports; /* the first so many are in use */
	unsigned int skinny_port;
	void (*fragment_free)(void *fragment, void *arg);
	void *fragment_free_arg;
	const struct alias_firewall *firewall;
	void *firewall_arg;
	unsigned int hole_base, hole_count, hole_next;
	uint8_t *holes; /* in use, by number - hole_base */
	FILE *log;
	char *log_path;
	LIST_ENTRY(libalias) instance;
};

/* link.c - the table of links */
static inline struct link *link_at(const struct libalias *la, uint32_t id)
{
	return (struct link *)(la->links.memory[id >> LINK_SHIFT]) +
	       (id & ((1u << LINK_SHIFT) - 1));
}

int link_table_init(struct libalias *la);
void link_table_free(struct libalias *la);
/* Built from the fields, not read as words: a word that was just stored by halves is slow to load.
 */
static inline uint32_t link_hash(const struct libalias *la, const struct view *view, uint8_t proto)
{
	uint64_t addresses = (uint64_t)view->peer << 32 | view->local;
	uint64_t rest = (uint64_t)proto << 32 | (uint32_t)view->peer_port << 16 | view->local_port;

	return hash_words(la->key, addresses, rest);
}

/* The live link with this view, or NULL; an expired one is deleted. */
struct link *link_find(struct libalias *la, enum direction dir, const struct view *view,
		       uint8_t proto);
struct link *link_find_hashed(struct libalias *la, enum direction dir, const struct view *view,
			      uint8_t proto, uint32_t hash);
/* Are all UDP links endpoint-independent, so that peers do not count in look-ups? */
static inline bool link_peers_ignored(const struct libalias *la, uint8_t proto)
{
	return proto == IPPROTO_UDP && la->any_peer_udp && !la->exact_udp;
}
/* The link with this view, or the endpoint-independent one of its local end; GRE: of its ends. */
struct link *link_of_view(struct libalias *la, enum direction dir, const struct view *view,
			  uint8_t proto);
/* The same for a packet that packet_view() has prepared. */
struct link *link_of_packet(struct libalias *la, enum direction dir, const struct packet *p);
/*
 * Makes a link; NULL with errno: a limit (ENOSPC), a taken view (EEXIST) or no memory, counted in
 * the statistics.  With LINK_KNOWN_FREE in flags the caller has just seen that nobody has the
 * views.
 */
struct link *link_create(struct libalias *la, const struct view *out, const struct view *in,
			 uint8_t proto, uint8_t flags);
void link_delete(struct libalias *la, struct link *link);
uint32_t link_id(const struct libalias *la, const struct link *link);
/* The next live link, for walks: *cursor begins at 0. */
struct link *link_next(const struct libalias *la, uint32_t *cursor);
void link_describe(const struct libalias *la, const struct link *link,
		   struct alias_link_info *info);
void link_clear(struct libalias *la);
/* The link's side record, made if need be; NULL: no memory. */
struct link_side *link_side(struct libalias *la, struct link *link);
/* Makes it, or moves it to, one with room for a helper's zeroed state behind; NULL: no memory. */
struct link_side *link_side_with_state(struct libalias *la, struct link *link, size_t state);
static inline bool link_expired(const struct libalias *la, const struct link *link)
{
	return la->now - link->last > la->timeout[link->timer];
}

/* hosts.c - links of each inside address, for the limit */
bool host_has_room(struct libalias *la, uint32_t addr);
void host_count_link(struct libalias *la, uint32_t addr, int change);
int host_recount(struct libalias *la);
void host_clear(struct libalias *la);

/* mapping.c - endpoint-independent UDP mappings beside exact UDP links */
static inline bool view_any_peer(const struct view *view)
{
	return !view->peer && !view->peer_port;
}
/* Before the first mapping: counts the exact links there are; false: no memory. */
bool mapping_begin(struct libalias *la);
/* There are no mappings, nor will there be. */
void mapping_end(struct libalias *la);
/* The rest is for while la->exact_counted only, which it is when there is a mapping. */
/* Room to count an exact link; false: no memory. */
bool mapping_reserve_exact(struct libalias *la, const struct view *in);
void mapping_count_exact(struct libalias *la, const struct view *in, uint32_t change);
/* Has a UDP link of the other kind this view's alias address and port? */
bool mapping_conflict(struct libalias *la, const struct view *in);

/* expire.c - the timer wheel */
void expire_add(struct libalias *la, struct link *link, uint32_t id);
void expire_remove(struct libalias *la, struct link *link);
/* The link's time-out may have become shorter. */
void expire_sooner(struct libalias *la, struct link *link);
int expire_some(struct libalias *la, int max);
uint32_t clock_now(struct libalias *la);
/* Brings la->now up to date; has it changed? */
bool clock_advance(struct libalias *la);

/* ports.c - choosing alias ports */
/* A free port for view (alias address, remote); SAME_PORTS tries wanted.  false: none. */
bool port_choose(struct libalias *la, struct view *in, uint8_t proto, uint16_t wanted);
/* Is this port free for view? */
bool port_free(struct libalias *la, const struct view *in, uint8_t proto, uint16_t port);
void port_note(struct libalias *la, const struct view *in, uint8_t proto, bool used);
/* A redirect that held this port has gone. */
void port_release(struct libalias *la, uint32_t alias, uint16_t port, uint8_t proto);
void port_clear(struct libalias *la);
uint32_t random_number(struct libalias *la);
/* A socket on the port, so that the machine's own programs keep off; -1: none, -2: in use. */
int port_hold(struct libalias *la, uint16_t port, uint8_t proto);

/* redirect.c - static redirects */
int redirect_table_init(struct libalias *la);
void redirect_table_free(struct libalias *la);
struct alias_link *redirect_new(struct libalias *la, uint8_t kind);
int redirect_enter(struct libalias *la, struct alias_link *redirect);
void redirect_delete(struct libalias *la, struct alias_link *redirect);
/* The redirect for new packets of this view of direction dir, or NULL. */
struct alias_link *redirect_find(struct libalias *la, enum direction dir, const struct view *view,
				 uint8_t proto, uint32_t mark);
/* What is of a lower rank goes first. */
void redirect_set_rank(struct libalias *la, struct alias_link *redirect, uint32_t rank);
/* Is it one of LibAliasSetOwnAddresses()? */
bool is_own(const struct libalias *la, uint32_t addr);
/* The redirect of ports that wants incoming packets of this view, or NULL. */
const struct alias_link *redirect_of_port(const struct libalias *la, const struct view *in,
					  uint8_t proto);
/* Does it keep dynamic links off the port? */
bool redirect_holds_port(const struct libalias *la, const struct view *in, uint8_t proto);
struct link *redirect_link_out(struct libalias *la, struct alias_link *redirect,
			       const struct packet *p, const struct view *out);
struct link *redirect_link_in(struct libalias *la, struct alias_link *redirect,
			      const struct packet *p, const struct view *in);
/* The alias address of an inside one: by redirect, or otherwise this one (0: the default one). */
uint32_t redirect_alias_address(struct libalias *la, uint32_t inside, uint32_t otherwise);
/* The redirect that made the link, if it still is there. */
const struct alias_link *redirect_of(const struct libalias *la, const struct link *link);

/* server.c - what redirects lead to: their links and traffic */
static inline struct alias_server *server_at(const struct libalias *la, uint32_t id)
{
	return pool_at(&la->servers, id);
}

/* The link, which the redirect has made, is of this server. */
void server_add_link(struct libalias *la, uint32_t server, struct link *link, uint32_t id);
void server_remove_link(struct libalias *la, struct link *link);
/* All links are gone. */
void server_clear_links(struct libalias *la);

static inline void server_count(const struct libalias *la, const struct link *link, uint32_t bytes)
{
	struct alias_traffic *traffic = &server_at(la, link->server)->traffic;

	traffic->packets++;
	traffic->bytes += bytes;
}

/* masquerade.c - which sources get which alias address */
/* The alias address for what src sends to dst, 0 = the aliasing address; false: no rule. */
bool masquerade_find(const struct libalias *la, uint32_t src, uint32_t dst, uint8_t proto,
		     uint32_t *alias);
void masquerade_clear(struct libalias *la);

/* expect.c - connections that helpers await; the helpers' side is in helper.h */
void expect_used(struct libalias *la, struct alias_link *redirect, struct link *link);
void expect_expire(struct libalias *la);
void expect_forget_master(struct libalias *la, struct link_side *master);

/* helper.c */
/* The link goes on without its helper, or ends; what the helper made besides ends. */
void helper_detach(struct libalias *la, struct link *link);

/* firewall.c - holes for PKT_ALIAS_PUNCH_FW */
void firewall_open(struct libalias *la, struct link *link);
void firewall_close(struct libalias *la, struct link *link);
void firewall_clear(struct libalias *la);

/* packet.c - looking at packets and changing them */
/* false: it is malformed, which packet_parse() counts. */
bool packet_read(struct packet *p, void *data, int size);
bool packet_parse(struct libalias *la, struct packet *p, void *data, int size);
void packet_rewrite(struct packet *p, uint32_t src, uint32_t dst, uint16_t src_port,
		    uint16_t dst_port);
/* Sets p->view and p->hash. */
void packet_view(const struct libalias *la, struct packet *p, enum direction dir);
/* Replaces old_len bytes at offset (from data) of a TCP or UDP packet; false: no room. */
bool packet_replace(struct packet *p, uint32_t offset, uint32_t old_len, const void *new,
		    uint32_t new_len);
/* What has grown may be too long for its way, and its sender cannot know: it may be fragmented. */
void packet_allow_fragments(struct packet *p);
bool packet_add_option(struct packet *p, const void *option, uint32_t len);
/* The call id in the GRE header of a PPTP call, or NULL: it is another kind of GRE. */
uint8_t *packet_call_id(uint8_t *gre, uint32_t len);

/*
 * A call id as a port of a view, and back.  Port 0 is no call, and pptpd gives its first call id 0:
 * that is 65535 here, and 65535, which would be the last of so many calls, is no call.
 */
static inline uint16_t call_port(uint16_t id)
{
	return id == 0 ? 0xffff : id == 0xffff ? 0 : id;
}

static inline uint16_t load16(const void *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static inline uint32_t load32(const void *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static inline void store16(void *p, uint16_t value)
{
	memcpy(p, &value, sizeof(value));
}

static inline void store32(void *p, uint32_t value)
{
	memcpy(p, &value, sizeof(value));
}

/* tcp.c - connection state */
bool tcp_is_reset(const struct packet *p);
/* After tcp_track(): is p a SYN by which dir's end begins the connection, perhaps anew? */
bool tcp_begins(const struct link *link, const struct packet *p, enum direction dir);
/* Is it a SYN that answers one which has not been acknowledged in turn? */
bool tcp_answers(const struct link *link, const struct packet *p, enum direction dir);
void tcp_track(struct libalias *la, struct link *link, enum direction dir, const uint8_t *tcp);
void tcp_clear_flags(struct packet *p, uint8_t flags);

/* tcp_sequence.c - sequence numbers */
void tcp_adjust(struct link *link, struct packet *p, enum direction dir);
/*
 * Data at [start, end) is going to change its length; also when it is sent again.  false: it went
 * otherwise before, or data behind it did, or too much is not acknowledged, or no memory.
 */
bool tcp_record_change(struct link_side *side, enum direction dir, uint32_t start, uint32_t end,
		       int32_t change);
/* Is there room to remember a unit of so many bytes? */
static inline bool tcp_has_room(const struct link_side *side, enum direction dir, uint32_t length)
{
	return side->change_text[dir] + length <= SEQUENCE_TEXT;
}
/* The unit of text at [start, end) was translated, and goes like this when it is sent again. */
void tcp_remember_unit(struct link_side *side, enum direction dir, uint32_t start, uint32_t end,
		       const void *text, uint32_t length);
/* Is this place, as most that come, behind all units that were translated? */
static inline bool tcp_behind_changes(const struct link_side *side, enum direction dir,
				      uint32_t seq)
{
	return !side->changes[dir] || (int32_t)(side->newest[dir].end - seq) < 0;
}
/* The first change of the unit that was translated and starts there, or is the next; or NULL. */
const struct sequence_change *tcp_unit_from(const struct link_side *side, enum direction dir,
					    uint32_t seq);
/* Is this place in such a unit, behind its start and before the end of its changes? */
bool tcp_in_unit(const struct link_side *side, enum direction dir, uint32_t seq);
/* Remembers changes of an earlier process; 0, or -1: no memory. */
int tcp_restore_changes(struct link_side *side, enum direction dir,
			const struct sequence_change *list, uint8_t n);
/* A connection begins. */
void tcp_forget_changes(struct link_side *side);
void tcp_set_sequence(struct packet *p, uint32_t seq);
uint32_t tcp_sequence_out(const struct link_side *side, enum direction dir, uint32_t seq);
uint32_t tcp_sequence_back(const struct link_side *side, enum direction dir, uint32_t seq);

/* icmp.c */
bool icmp_is_error(uint8_t type);
/* The link of the packet that an error of this direction quotes, or NULL. */
struct link *icmp_error_link(struct libalias *la, const struct packet *p, enum direction dir);
int icmp_error(struct libalias *la, struct packet *p, enum direction dir);

/* fragment.c */
int fragment_init(struct libalias *la);
void fragment_free(struct libalias *la);
void fragment_clear(struct libalias *la);
void fragment_expire(struct libalias *la);
/* Translates a later fragment as its header was; false: the header is not known. */
bool fragment_translate(struct libalias *la, struct packet *p, enum direction dir);
/* The header fragment of a datagram from src to dst is now p; false: too many at once. */
bool fragment_header(struct libalias *la, enum direction dir, uint32_t src, uint32_t dst,
		     const struct packet *p);

/* proxy.c */
const struct proxy_rule *proxy_find(const struct libalias *la, const struct packet *p);
void proxy_clear(struct libalias *la);
/* The inside end begins a connection, perhaps anew: what is known of the last one is void. */
void proxy_begin(struct link *link);
/* Tells the proxy the destination; seq is the number that the packet came with. */
int proxy_encode(struct libalias *la, struct link *link, struct packet *p, uint32_t seq);

/* instance.c */
void instance_each(void (*visit)(struct libalias *la, void *arg), void *arg);

/* log.c */
void log_links(struct libalias *la);
void log_mode(struct libalias *la);

/* alias.c - translating a packet that packet_view() has prepared */
int alias_in(struct libalias *la, struct packet *p);
int alias_out(struct libalias *la, struct packet *p, bool create);
/* Brings the time up to date and does a little housekeeping. */
void alias_enter(struct libalias *la);

#endif
