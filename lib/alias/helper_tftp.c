/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_tftp.c - TFTP (RFC 1350): the server answers from another port than it was asked at.
 *
 * A request to read or write of an inside client makes its own port open to the server's address,
 * whatever the port there, for the one transfer.  Nothing is rewritten.
 *
 * A server inside, behind a redirect, needs nothing but that its answers leave with the address
 * that the client asked: that is so for the aliasing address and for a host with one of its own,
 * not for a redirect of the port alone at another address.  Servers that answer from another
 * address are not understood (nor does RFC 1350 allow it). Risk: little; the server can reach the
 * port that it was asked from, at other ports of its own.
 */
#include "helper.h"

#include <strings.h>

#define OPCODE_READ  1
#define OPCODE_WRITE 2
#define ANSWER_TIME  30 /* seconds; clients ask again after a few */

static bool is_mode(const char *word)
{
	return !strcasecmp(word, "netascii") || !strcasecmp(word, "octet") ||
	       !strcasecmp(word, "mail");
}

/* An opcode, a file's name and a mode, both with a NUL behind them. */
static bool is_request(const uint8_t *data, uint32_t len)
{
	const uint8_t *name = data + 2, *end;

	if (len < 6 || data[0] || (data[1] != OPCODE_READ && data[1] != OPCODE_WRITE))
		return false;
	end = memchr(name, 0, len - 2);
	return end && end > name && memchr(end + 1, 0, len - (uint32_t)(end + 1 - data)) &&
	       is_mode((const char *)end + 1);
}

static void out(struct libalias *la, struct link *link, struct packet *p)
{
	const struct expectation wanted = {
		.helper = &helper_tftp,
		.proto = IPPROTO_UDP,
		.inside = link->view[OUT].local,
		.inside_port = link->view[OUT].local_port,
		.remote = link->view[IN].peer,
		.alias_port = link->view[IN].local_port,
		.timeout = ANSWER_TIME,
	};
	uint32_t offset, len;
	const uint8_t *data = helper_payload(p, &offset, &len);

	if (!helper_server_inside(link) && is_request(data, len))
		expect_add(la, link, &wanted);
}

const struct helper helper_tftp = {
	.name = "tftp",
	.sets = {"smedia"},
	.protos = HELPER_UDP,
	.ports = (const uint16_t[]){69, 0},
	.out = out,
};
