/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_cuseeme.c - CU-SeeMe video conferences with a reflector (UDP 7648).
 *
 * There is no RFC.  Layout: the "CU-SeeMe data header" and "open continue" packet of the CU-SeeMe
 * consortium's technical documents, as Linux 2.2's masquerading module and its manual describe
 * them; everything is in network byte order and not padded:
 *
 *	 0 family, port, address of the receiver      26 number of clients (open continue only)
 *	 8 family, port, address of the sender        28 sequence number, name of the user, flags
 *	16 sequence number                            56 clients of 12 bytes each, first the address
 *	20 message, data type, length of the packet
 *
 * The sender's address and port leave as the alias ones, the receiver's come back as the inside
 * ones, and so does the inside host's address in the reflector's list of clients.  The reflector
 * sends audio and video to the port that it has itself, from whichever it likes: that is awaited
 *once the inside host has named itself as the sender: a browser's datagrams (STUN) do not.
 */
#include "helper.h"

#define RECEIVER_PORT    2
#define RECEIVER_ADDRESS 4
#define SENDER_PORT      10
#define SENDER_ADDRESS   12
#define DATA_TYPE        22
#define HEADER           26
#define OPEN_CONTINUE    101
#define CLIENT_COUNT     26
#define CLIENTS          56
#define CLIENT_SIZE      12

static void exchange(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
		     uint32_t at, const void *value, uint32_t len)
{
	uint32_t offset, all;

	helper_payload(p, &offset, &all);
	helper_replace(la, link, p, dir, offset + at, 0, len, value, len);
}

/* The inside host's end in the header; false: there is somebody else's. */
static bool exchange_end(struct libalias *la, struct link *link, struct packet *p,
			 enum direction dir, uint32_t port_at, uint32_t address_at)
{
	const struct view *from = &link->view[dir], *to = &link->view[!dir];
	uint32_t offset, len;
	const uint8_t *data = helper_payload(p, &offset, &len);

	if (load32(data + address_at) != from->local)
		return false;
	exchange(la, link, p, dir, address_at, &to->local, sizeof(to->local));
	if (load16(data + port_at) == from->local_port)
		exchange(la, link, p, dir, port_at, &to->local_port, sizeof(to->local_port));
	return true;
}

static void exchange_clients(struct libalias *la, struct link *link, struct packet *p,
			     enum direction dir)
{
	uint32_t from = link->view[dir].local, to = link->view[!dir].local, offset, len, at;
	const uint8_t *data = helper_payload(p, &offset, &len);

	if (ntohs(load16(data + DATA_TYPE)) != OPEN_CONTINUE || len < CLIENTS)
		return;
	at = CLIENTS;
	for (uint32_t i = ntohs(load16(data + CLIENT_COUNT)); i && at + CLIENT_SIZE <= len; i--) {
		if (load32(data + at) == from)
			exchange(la, link, p, dir, at, &to, sizeof(to));
		at += CLIENT_SIZE;
	}
}

static bool has_header(const struct packet *p)
{
	uint32_t offset, len;

	helper_payload(p, &offset, &len);
	return len >= HEADER;
}

static void cuseeme_out(struct libalias *la, struct link *link, struct packet *p)
{
	const struct expectation media = {
		.helper = &helper_cuseeme,
		.proto = IPPROTO_UDP,
		.inside = link->view[OUT].local,
		.inside_port = link->view[OUT].peer_port,
		.remote = link->view[IN].peer,
		.alias_port = link->view[OUT].peer_port,
	};
	bool is_senders;

	if (!has_header(p))
		return;
	is_senders = exchange_end(la, link, p, OUT, SENDER_PORT, SENDER_ADDRESS);
	exchange_clients(la, link, p, OUT);
	if (is_senders && !helper_server_inside(link) && ntohs(media.inside_port) > 1023)
		expect_add(la, link, &media);
}

static void cuseeme_in(struct libalias *la, struct link *link, struct packet *p)
{
	if (!has_header(p))
		return;
	exchange_end(la, link, p, IN, RECEIVER_PORT, RECEIVER_ADDRESS);
	exchange_clients(la, link, p, IN);
}

static const uint16_t cuseeme_ports[] = {7648, 0};

const struct helper helper_cuseeme = {
	.name = "cuseeme",
	.protos = HELPER_UDP,
	.ports = cuseeme_ports,
	.out = cuseeme_out,
	.in = cuseeme_in,
};
