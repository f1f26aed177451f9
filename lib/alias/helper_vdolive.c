/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_vdolive.c - VDO Live: the UDP port that a player names on its control connection.
 *
 * VDOnet's description is no longer public; the layout is the one that Linux 2.2's
 * ip_masq_vdolive.c, written with VDOnet's consent, states.  Words are 32 bits, in network order.
 * Of the client's messages two count, told by their second word: 6, the first of the connection,
 * with "VDO Live" in bytes 24 to 31, and 1, with "VDO Live" in bytes 8 to 15; the word behind is
 * the client's UDP port.  It is replaced by that of an expectation from the server.
 *
 * A message must be at the start of a segment and whole, since its length is unknown.  A server
 * inside needs nothing: its media go out by themselves.
 * Risk: an inside client opens a port of its own, above 1023, to the server that it has chosen.
 */
#include "helper.h"

static const struct kind {
	uint32_t tag, name; /* the second word; where "VDO Live" is */
} kinds[] = {{6, 24}, {1, 8}};

#define KINDS     (sizeof(kinds) / sizeof(kinds[0]))
#define NAME_SIZE 8

/* Each kind comes once, or again as it was. */
struct vdolive {
	uint32_t seq[KINDS], port[KINDS]; /* port 0: it has not come */
};

/* The kind of message that begins here; -1: none. */
static int kind_of(const uint8_t *data, uint32_t len)
{
	for (size_t i = 0; i < KINDS; i++)
		if (len >= kinds[i].name + NAME_SIZE + 4 &&
		    ntohl(load32(data + 4)) == kinds[i].tag &&
		    !memcmp(data + kinds[i].name, "VDO Live", NAME_SIZE))
			return (int)i;
	return -1;
}

static void out(struct libalias *la, struct link *link, struct packet *p)
{
	struct vdolive *vdo = helper_state(link);
	struct expectation wanted = {.helper = &helper_vdolive, .proto = IPPROTO_UDP};
	uint32_t seq = ntohl(load32(p->l4 + 4)), offset, len, at, port, alias_port;
	const uint8_t *data = helper_payload(p, &offset, &len);
	struct alias_link *expected;
	int kind = kind_of(data, len);

	if (helper_server_inside(link) || kind < 0)
		return;
	at = kinds[kind].name + NAME_SIZE;
	port = ntohl(load32(data + at));
	if (port < 1024 || port > 65535 ||
	    (vdo->port[kind] && (vdo->seq[kind] != seq || vdo->port[kind] != port)))
		return;
	wanted.inside = link->view[OUT].local;
	wanted.inside_port = htons((uint16_t)port);
	wanted.remote = link->view[IN].peer;
	expected = expect_add(la, link, &wanted);
	if (!expected)
		return;
	alias_port = htonl(ntohs(expected->alias_port));
	if (!helper_replace(la, link, p, OUT, offset + at, seq + at, 4, &alias_port, 4)) {
		expect_cancel(la, link, &wanted);
		return;
	}
	vdo->port[kind] = port;
	vdo->seq[kind] = seq;
}

/* The first message tells itself by its second word. */
static enum helper_verdict begins(const uint8_t *first, uint32_t len)
{
	if (len < 8)
		return HELPER_MAYBE;
	return ntohl(load32(first + 4)) == kinds[0].tag ? HELPER_YES : HELPER_NO;
}

const struct helper helper_vdolive = {
	.name = "vdolive",
	.protos = HELPER_TCP,
	.ports = (const uint16_t[]){7000, 0},
	.state_size = sizeof(struct vdolive),
	.begins = begins,
	.out = out,
};
