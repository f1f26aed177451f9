/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper.h - the interface of protocol helpers.
 *
 * A helper knows one protocol that names addresses or ports in its payload.  It is a table entry
 * and a file.  When a link is made on one of a helper's ports, helper.c attaches the helper to the
 * link, with zeroed state of its own; from then on it sees each packet of the link that carries its
 * whole transport header and is no fragment.  A TCP connection gets a helper at its SYN only, and
 * keeps it only if the client's first bytes can be the protocol's: a web page that makes a browser
 * talk to the port does not get through that.  Where several helpers watch one port these bytes
 * choose among them.  A helper sees no SYN; its state is zeroed when a connection begins anew.
 *
 * The packet's addresses and ports are translated already, its TCP sequence numbers are still the
 * sender's.  A helper changes payload with helper_replace(), which keeps checksums, lengths and
 * sequence numbers right for this and all later packets, and announces connections with
 * expect_add(). It trusts nothing in the payload: the address named must be the sender's own, ports
 * above 1023, messages start where messages can start.  helper_text.h has what text protocols
 * share.
 */
#ifndef LIBALIAS_HELPER_H
#define LIBALIAS_HELPER_H

#include "engine.h"
#include "record.h"

#define HELPER_TCP 1u
#define HELPER_UDP 2u

enum helper_verdict { HELPER_NO, HELPER_MAYBE, HELPER_YES };

struct helper {
	const char *name;
	const char *sets[2];   /* names of sets of helpers that it belongs to, or NULL */
	unsigned int protos;   /* HELPER_TCP, HELPER_UDP */
	const uint16_t *ports; /* watched by default, host order, up to a 0 */
	size_t state_size;     /* of what it keeps for each link */
	size_t streams[2];     /* and behind it for each TCP connection, by direction */
	/*
	 * Can a client's TCP stream begin with these bytes, at most HELPER_FIRST?  MAYBE: more of
	 * them will tell.  NULL: with anything; text_begins() is for text protocols.
	 */
	enum helper_verdict (*begins)(const uint8_t *first, uint32_t len);
	/* One or both; NULL = not interested in that direction. */
	void (*out)(struct libalias *la, struct link *link, struct packet *p);
	void (*in)(struct libalias *la, struct link *link, struct packet *p);
	/* The link is going, or is none of this protocol after all; or NULL. */
	void (*end)(struct libalias *la, struct link *link);
	/* Lists the fields of its state, streams aside, that a restart must not lose; or NULL. */
	void (*record)(struct record_cursor *c, const struct link *link);
};

extern const struct helper helper_cuseeme;
extern const struct helper helper_ftp;
extern const struct helper helper_irc;
extern const struct helper helper_netbios;
extern const struct helper helper_pna;
extern const struct helper helper_pptp;
extern const struct helper helper_quake;
extern const struct helper helper_rtsp;
extern const struct helper helper_sip;
extern const struct helper helper_skinny;
extern const struct helper helper_tftp;
extern const struct helper helper_vdolive;

/* In a new instance, the helpers of the modules that are loaded watch. */
void helper_init(struct libalias *la);
void helper_free(struct libalias *la);

/* The helper of this name, or NULL. */
const struct helper *helper_named(const char *name);

/* A number of a helper, from 1, that fits a link, 0 of NULL; its name, NULL of 0. */
uint8_t helper_number(const struct helper *helper);
const char *helper_name(uint8_t number);

/* Is there a helper that watches a port of this view? */
bool helper_watches(const struct libalias *la, const struct view *view, uint8_t proto);

/* Attaches to the link, which p has just made, the helpers that watch its ports. */
void helper_attach(struct libalias *la, struct link *link, const struct packet *p);

/*
 * Attaches the helper of this name, if it watches the link's ports, in the middle of a conversation
 * that was the helper's before a restart, with what the record has of its state; of no record, or
 * one that is not its own, it begins anew.
 */
void helper_resume(struct libalias *la, struct link *link, const char *name,
		   struct record_cursor *state);

/* Writes what helper_resume() reads of a link's helper, which has begun. */
void helper_record(struct record_cursor *c, const struct link *link);

/*
 * The ports that are watched may have changed: a flow of UDP, which may never end, gets or loses a
 * helper.  A TCP connection keeps what it has, since its stream can only be read from the start.
 */
void helper_revise(struct libalias *la, struct link *link);

/* Lets the link's helper see a packet. */
void helper_run(struct libalias *la, struct link *link, struct packet *p, enum direction dir);

/* LibAliasRefreshModules() of another file. */
int helper_refresh(const char *path);

/* The payload of a TCP or UDP packet, its offset from p->data and its length. */
static inline uint8_t *helper_payload(const struct packet *p, uint32_t *offset, uint32_t *len)
{
	uint32_t header = p->proto == IPPROTO_TCP ? (uint32_t)(p->l4[12] >> 4) * 4 : 8;

	*offset = p->header + header;
	*len = p->l4_len - header;
	return p->l4 + header;
}

/*
 * Replaces old_len bytes of payload at offset; seq is the sender's sequence number of the first
 * (TCP only).  false: no room, or the same part of the stream was changed otherwise before; then
 * nothing was changed.
 */
bool helper_replace(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
		    uint32_t offset, uint32_t seq, uint32_t old_len, const void *new,
		    uint32_t new_len);

/* The helper's own state, zeroed when the link began. */
static inline void *helper_state(const struct link *link)
{
	return link->side + 1;
}

/* Is the end that is contacted inside, behind a redirect? */
static inline bool helper_server_inside(const struct link *link)
{
	return link->side->server_inside;
}

/*
 * What a helper awaits: packets of proto from remote to the alias port go to the inside end, and
 * what that end sends leaves from the alias port.  The first packet that comes in makes a link and
 * ends it; so do the time-out and the end of the control connection.  Without an inside port it is
 * one connection that the inside end makes, from any port, to the remote one.  Network byte order.
 */
struct expectation {
	const struct helper *helper;
	uint8_t proto;        /* IPPROTO_TCP, IPPROTO_UDP */
	bool pair;            /* and inside_port + 1 at the next alias port: RTP and RTCP */
	uint32_t inside;      /* who awaits it */
	uint16_t inside_port; /* 0: what leaves */
	uint32_t remote;      /* 0: anyone */
	uint16_t remote_port; /* 0: any port */
	uint16_t alias_port;  /* this one or none; 0: the inside port if it is free, else another */
	uint32_t timeout;     /* seconds; 0: ALIAS_TIMEOUT_EXPECTATION */
};

/*
 * Awaits it on behalf of the control connection master; returns the redirect that has alias address
 * and port (the first of a pair).  What is awaited already is returned as it is.  NULL: the
 * connection's limit, no port or no memory.
 */
struct alias_link *expect_add(struct libalias *la, struct link *master,
			      const struct expectation *wanted);

/*
 * What master awaits of proto with this inside port (OUT) or alias port (IN); NULL: nothing.
 */
struct alias_link *expect_with_port(const struct link *master, enum direction dir, uint8_t proto,
				    uint16_t port);

/* It could not be announced after all. */
void expect_cancel(struct libalias *la, struct link *master, const struct expectation *wanted);

#endif
