/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_skinny.c - Skinny, Cisco's SCCP (TCP 2000): phones that tell a call manager where to send
 * media.
 *
 * There is no RFC; the layouts are those that Wireshark's dissector and chan_skinny document.  All
 * numbers are little endian but addresses, which are bytes in order:
 *
 *	 0 length of what follows 8      8 which message it is
 *	 4 version of the header        12 its fields
 *
 * From version 17 on an address is a word that says which kind (0: IPv4) and 16 bytes.
 *
 * What an inside end says of itself is translated: the address in a RegisterMessage, and address
 * and port where media are awaited (IpPortMessage, OpenReceiveChannelAck; StartMediaTransmission
 * when the call manager is inside and serves the media itself).  RTP and RTCP are awaited at two
 * alias ports, from anyone: who will send is not known when the phone answers.  What comes from
 * outside needs no change.
 */
#include "messages.h"

#define HEADER         12
#define VERSION_AT     4
#define ID_AT          8
#define LENGTH_MAX     8192 /* a message is at most a few screens of text */
#define VERSION_MAX    0x20
#define LONG_ADDRESSES 17 /* version */

/* Where the fields are; 0: none. */
struct layout {
	uint8_t kind, address, port;
};

static const struct skinny_message {
	uint32_t id;
	uint8_t status; /* where a status is that has to be 0, or 0 */
	struct layout old, v17;
} announcing[] = {
	{0x0001, 0, {0, 36, 0}, {0, 36, 0}},     /* RegisterMessage */
	{0x0002, 0, {0, 0, 12}, {0, 0, 12}},     /* IpPortMessage */
	{0x0022, 12, {0, 16, 20}, {16, 20, 36}}, /* OpenReceiveChannelAck */
	{0x008a, 0, {0, 20, 24}, {20, 24, 40}},  /* StartMediaTransmission */
};

#define ANNOUNCING (sizeof(announcing) / sizeof(announcing[0]))

struct skinny {
	struct messages messages;
};

static uint32_t little32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t skinny_length(const uint8_t *head)
{
	uint32_t length = little32(head);

	return length < HEADER - ID_AT || length > LENGTH_MAX ||
			       little32(head + VERSION_AT) > VERSION_MAX
		       ? 0
		       : length + ID_AT;
}

static const struct message_format skinny_format = {
	.head = HEADER,
	.need = 44, /* the longest of announcing[] */
	.length = skinny_length,
};

static const struct skinny_message *message_of(uint32_t id)
{
	for (size_t i = 0; i < ANNOUNCING; i++)
		if (announcing[i].id == id)
			return &announcing[i];
	return NULL;
}

/* Are all the fields there, the address the sender's own, and can they be changed? */
static bool is_own(const struct message *msg, const struct skinny_message *kind,
		   const struct layout *at)
{
	if ((kind->status &&
	     (msg->len < kind->status + 4u || little32(msg->data + kind->status))) ||
	    (at->kind && (msg->len < at->kind + 4u || little32(msg->data + at->kind))))
		return false;
	if (at->port && !message_can_store(msg, at->port, 4))
		return false;
	return !at->address || (message_can_store(msg, at->address, 4) &&
				load32(msg->data + at->address) == msg->link->view[OUT].local);
}

/* The alias port at which media for this port are awaited, host order; 0: none. */
static uint16_t await_media(const struct message *msg, uint32_t port)
{
	const struct expectation media = {
		.helper = &helper_skinny,
		.proto = IPPROTO_UDP,
		.pair = true,
		.inside = msg->link->view[OUT].local,
		.inside_port = htons((uint16_t)port),
	};
	const struct alias_link *awaited;

	if (port < 1024 || port > 65535)
		return 0;
	awaited = expect_add(msg->la, msg->link, &media);
	return awaited ? ntohs(awaited->alias_port) : 0;
}

static void from_inside(struct message *msg)
{
	const struct skinny_message *kind = message_of(little32(msg->data + ID_AT));
	uint8_t named[4] = {0};
	const struct layout *at;

	if (!kind)
		return;
	at = little32(msg->data + VERSION_AT) >= LONG_ADDRESSES ? &kind->v17 : &kind->old;
	if (!is_own(msg, kind, at))
		return;
	if (at->port) {
		uint16_t port = await_media(msg, little32(msg->data + at->port));

		if (!port)
			return;
		named[0] = (uint8_t)port;
		named[1] = (uint8_t)(port >> 8);
		message_store(msg, at->port, named, sizeof(named));
	}
	if (at->address)
		message_store(msg, at->address, &msg->link->view[IN].local, 4);
}

static void skinny_out(struct libalias *la, struct link *link, struct packet *p)
{
	struct skinny *skinny = helper_state(link);

	messages_each(la, link, p, OUT, &skinny->messages, &skinny_format, from_inside);
}

/* With a message's length and version; whether it is one is seen from each message's. */
static enum helper_verdict skinny_begins(const uint8_t *first, uint32_t len)
{
	if (len < ID_AT)
		return HELPER_MAYBE;
	return skinny_length(first) ? HELPER_YES : HELPER_NO;
}

static const uint16_t skinny_ports[] = {2000, 0};

const struct helper helper_skinny = {
	.name = "skinny",
	.protos = HELPER_TCP,
	.ports = skinny_ports,
	.state_size = sizeof(struct skinny),
	.begins = skinny_begins,
	.out = skinny_out,
};
