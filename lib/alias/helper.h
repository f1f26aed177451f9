/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper.h - the interface of protocol helpers.
 *
 * A helper knows one protocol that names addresses or ports in its payload.  It is a table entry
 * and a file: the engine attaches it to a link when either end of a new link has one of its ports,
 * and calls it with each packet of the link that carries its whole transport header and is no
 * fragment.
 *
 * The packet's addresses and ports are translated already, its TCP sequence numbers are still the
 * sender's.  A helper changes payload with helper_replace(), which keeps checksums, lengths and
 * sequence numbers right for this and all later packets, and announces connections with
 * expect_add(). It trusts nothing in the payload: the address named must be the sender's own, ports
 * above 1023, messages start where messages can start.
 */
#ifndef LIBALIAS_HELPER_H
#define LIBALIAS_HELPER_H

#include "engine.h"

struct helper {
	const char *name;
	uint8_t proto;
	uint16_t port;     /* watched by default, host order; 0 = none */
	size_t state_size; /* of what it keeps for each link */
	/* One or both; NULL = not interested in that direction. */
	void (*out)(struct libalias *la, struct link *link, struct packet *p);
	void (*in)(struct libalias *la, struct link *link, struct packet *p);
	void (*end)(struct libalias *la, struct link *link); /* the link is going; or NULL */
};

extern const struct helper helper_ftp;
extern const struct helper helper_pptp;

void helper_defaults(struct libalias *la);

/* The helper for a new link, if one watches its ports. */
void helper_attach(struct libalias *la, struct link *link);

/* The payload of a TCP or UDP packet and its offset from p->data. */
static inline uint8_t *helper_payload(const struct packet *p, uint32_t *offset, uint32_t *len)
{
	uint32_t header = p->proto == IPPROTO_TCP ? (uint32_t)(p->l4[12] >> 4) * 4 : 8;

	*offset = p->header + header;
	*len = p->l4_len - header;
	return p->l4 + header;
}

/*
 * Replaces old_len bytes of payload at offset; seq is the sender's sequence number of the first
 * (TCP only).  false: no room, nothing was changed.
 */
bool helper_replace(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
		    uint32_t offset, uint32_t seq, uint32_t old_len, const void *new,
		    uint32_t new_len);

/* The helper's own state, zeroed when the link began. */
static inline void *helper_state(const struct link *link)
{
	return link->side + 1;
}

#endif
