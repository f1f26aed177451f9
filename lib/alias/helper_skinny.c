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
#include "helper_text.h"

#define HEADER         12
#define VERSION_AT     4
#define ID_AT          8
#define LENGTH_MAX     8192 /* a message is at most a few screens of text */
#define VERSION_MAX    0x20
#define NEED           44 /* bytes, for the last field of announcing[] */
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

static uint32_t little32(const void *at)
{
	const uint8_t *p = at;

	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The length of a message, or 0: this is none.  Fewer bytes than a length: the longest. */
static uint32_t skinny_length(const void *head, uint32_t len)
{
	uint32_t length = len < VERSION_AT ? LENGTH_MAX : little32(head);
	uint32_t version = len < ID_AT ? 0 : little32((const char *)head + VERSION_AT);

	return length < HEADER - ID_AT || length > LENGTH_MAX || version > VERSION_MAX
		       ? 0
		       : length + ID_AT;
}

static const struct skinny_message *message_of(uint32_t id)
{
	for (size_t i = 0; i < ANNOUNCING; i++)
		if (announcing[i].id == id)
			return &announcing[i];
	return NULL;
}

static bool is_zero(const struct text_place *message, uint8_t at)
{
	return !at || (message->len >= at + 4u && !little32(message->text + at));
}

/* Are all the fields there, and is the address the sender's own? */
static bool is_senders(const struct text_place *message, const struct skinny_message *kind,
		       const struct layout *at)
{
	if (!is_zero(message, kind->status) || !is_zero(message, at->kind) ||
	    (at->port && message->len < at->port + 4u))
		return false;
	return !at->address ||
	       (message->len >= at->address + 4u &&
		load32(message->text + at->address) == message->link->view[OUT].local);
}

/* The alias port at which media for this port are awaited, host order; 0: none. */
static uint16_t await_media(const struct text_place *message, uint32_t port)
{
	const struct expectation media = {
		.helper = &helper_skinny,
		.proto = IPPROTO_UDP,
		.pair = true,
		.inside = message->link->view[OUT].local,
		.inside_port = htons((uint16_t)port),
	};
	const struct alias_link *awaited;

	if (port < 1024 || port > 65535)
		return 0;
	awaited = expect_add(message->la, message->link, &media);
	return awaited ? ntohs(awaited->alias_port) : 0;
}

static void store32_at(const struct text_place *message, uint8_t at, const void *value)
{
	text_replace(message, message->text + at, message->text + at + 4, value, 4);
}

static bool from_inside(const struct text_place *message)
{
	const struct skinny_message *kind = message_of(little32(message->text + ID_AT));
	uint8_t named[4] = {0};
	const struct layout *at;

	/* Changed or not: each may be the first in a segment that is sent again. */
	if (!kind)
		return true;
	at = little32(message->text + VERSION_AT) >= LONG_ADDRESSES ? &kind->v17 : &kind->old;
	if (!is_senders(message, kind, at))
		return true;
	if (at->port) {
		uint16_t port = await_media(message, little32(message->text + at->port));

		if (!port)
			return true;
		named[0] = (uint8_t)port;
		named[1] = (uint8_t)(port >> 8);
		store32_at(message, at->port, named);
	}
	if (at->address)
		store32_at(message, at->address, &message->link->view[IN].local);
	return true;
}

static enum text_measure measure(const char *text, uint32_t len, uint32_t *need, uint32_t *total)
{
	*total = skinny_length(text, len);
	if (!*total)
		return TEXT_ALIEN;
	if (len < HEADER)
		return TEXT_MORE;
	*need = message_of(little32(text + ID_AT)) ? NEED : HEADER;
	if (*need > *total)
		*need = *total;
	return TEXT_UNIT;
}

static uint32_t resume(const char *text, uint32_t len)
{
	return len >= HEADER && skinny_length(text, len) ? 0 : TEXT_NOWHERE;
}

static const struct text_protocol protocol = {measure, from_inside, resume, NEED, true};

static void skinny_out(struct libalias *la, struct link *link, struct packet *p)
{
	text_run(la, link, p, OUT, &protocol);
}

/* With a message's length and version; whether it is one is seen from each message's. */
static enum helper_verdict skinny_begins(const uint8_t *first, uint32_t len)
{
	if (!skinny_length(first, len))
		return HELPER_NO;
	return len < ID_AT ? HELPER_MAYBE : HELPER_YES;
}

static const uint16_t skinny_ports[] = {2000, 0};

const struct helper helper_skinny = {
	.name = "skinny",
	.protos = HELPER_TCP,
	.ports = skinny_ports,
	.streams = {TEXT_STREAM_SIZE(NEED), 0},
	.begins = skinny_begins,
	.out = skinny_out,
};
