/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_quake.c - Quake over UDP (ports 26000 and 27000): a server answers on a port of its own
 * for each player.
 *
 * Layout: the Unofficial Quake Specs, section 5 (the network protocol), which agree with the source
 * that id Software published.  A control packet begins with 80 00 and its whole length (16 bits,
 * network byte order), then one byte that says what it is:
 *
 *	01 connection request  "QUAKE", a zero, 3
 *	81 accepted            the server's new port, 32 bits, little endian
 *
 * A client goes on from the same port to the new one, and the server ignores what comes from
 * another address or port than the request.  With the client inside, what it sends there gets the
 * alias port that the request had; with the server inside, the new port is awaited at an alias port
 * and the answer names that.  QuakeWorld, Quake II and III stay on one port: they need no helper.
 */
#include "helper.h"

#define CODE_AT      4
#define REQUEST      0x01
#define REQUEST_LEN  12
#define ACCEPTED     0x81
#define PORT_AT      5
#define ACCEPTED_LEN 9

struct quake {
	bool asked;                /* one answer may make one way */
	uint16_t port, alias_port; /* what the last answer was about, network order */
};

/* The code of a control packet, or -1. */
static int control_code(const uint8_t *data, uint32_t len)
{
	if (len <= CODE_AT || data[0] != 0x80 || data[1] != 0 || ntohs(load16(data + 2)) != len)
		return -1;
	return data[CODE_AT];
}

static bool is_request(const uint8_t *data, uint32_t len)
{
	static const uint8_t game[] = {'Q', 'U', 'A', 'K', 'E', 0, 3};

	return control_code(data, len) == REQUEST && len >= REQUEST_LEN &&
	       !memcmp(data + CODE_AT + 1, game, sizeof(game));
}

/* The port that an answer names, network order; 0: this is none, or its port will not do. */
static uint16_t accepted_port(const uint8_t *data, uint32_t len)
{
	uint32_t port;

	if (control_code(data, len) != ACCEPTED || len < ACCEPTED_LEN)
		return 0;
	port = data[PORT_AT] | (uint32_t)data[PORT_AT + 1] << 8 |
	       (uint32_t)data[PORT_AT + 2] << 16 | (uint32_t)data[PORT_AT + 3] << 24;
	return port < 1024 || port > 65535 ? 0 : htons((uint16_t)port);
}

static void client_goes_on(struct libalias *la, struct link *link, uint16_t port)
{
	const struct expectation game = {
		.helper = &helper_quake,
		.proto = IPPROTO_UDP,
		.inside = link->view[OUT].local,
		.inside_port = link->view[OUT].local_port,
		.remote = link->view[IN].peer,
		.remote_port = port,
		.alias_port = link->view[IN].local_port,
	};

	expect_add(la, link, &game);
}

/* The alias port at which the inside server's new port is awaited; 0: none. */
static uint16_t await_client(struct libalias *la, struct link *link, uint16_t port)
{
	const struct expectation game = {
		.helper = &helper_quake,
		.proto = IPPROTO_UDP,
		.inside = link->view[OUT].local,
		.inside_port = port,
		.remote = link->view[IN].peer,
	};
	const struct alias_link *awaited = expect_add(la, link, &game);

	return awaited ? awaited->alias_port : 0;
}

/* From the end that contacted the other. */
static void from_client(struct link *link, const uint8_t *data, uint32_t len)
{
	struct quake *quake = helper_state(link);

	if (is_request(data, len))
		quake->asked = true;
}

static void quake_out(struct libalias *la, struct link *link, struct packet *p)
{
	struct quake *quake = helper_state(link);
	uint32_t offset, len;
	const uint8_t *data = helper_payload(p, &offset, &len);
	uint8_t named[4] = {0};
	uint16_t port;

	if (!helper_server_inside(link)) {
		from_client(link, data, len);
		return;
	}
	port = accepted_port(data, len);
	if (!port || (!quake->asked && port != quake->port))
		return;
	if (port != quake->port || !quake->alias_port) {
		quake->port = port;
		quake->alias_port = await_client(la, link, port);
	}
	quake->asked = false;
	if (!quake->alias_port)
		return;
	named[0] = (uint8_t)ntohs(quake->alias_port);
	named[1] = (uint8_t)(ntohs(quake->alias_port) >> 8);
	helper_replace(la, link, p, OUT, offset + PORT_AT, 0, sizeof(named), named, sizeof(named));
}

static void quake_in(struct libalias *la, struct link *link, struct packet *p)
{
	struct quake *quake = helper_state(link);
	uint32_t offset, len;
	const uint8_t *data = helper_payload(p, &offset, &len);
	uint16_t port;

	if (helper_server_inside(link)) {
		from_client(link, data, len);
		return;
	}
	port = accepted_port(data, len);
	if (!port || !quake->asked)
		return;
	quake->asked = false;
	client_goes_on(la, link, port);
}

static const uint16_t quake_ports[] = {26000, 27000, 0};

const struct helper helper_quake = {
	.name = "quake",
	.protos = HELPER_UDP,
	.ports = quake_ports,
	.state_size = sizeof(struct quake),
	.out = quake_out,
	.in = quake_in,
};
