/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_netbios.c - NetBIOS over UDP (RFC 1001, RFC 1002): names and datagrams that say addresses.
 *
 * Name service (UDP 137): a message has the layout of DNS, and records of type NB and A carry
 * addresses: registrations, refreshes and answers.  The inside host's own address leaves as its
 * alias address and comes back as its own; addresses of other hosts stay.
 *
 * Datagram service (UDP 138): each header repeats the address and port that the datagram comes
 * from, and the receiver answers to these.
 *
 * Nothing is awaited, and no length changes.  Of a message that is not laid out as the RFC says,
 * what comes before the fault has been changed and the rest is left alone.
 */
#include "helper.h"

#define DATAGRAM_PORT 138

/* RFC 1002, section 4.2.1: id, flags and the numbers of questions and of three kinds of records. */
#define NAME_HEADER   12
#define QUESTIONS_AT  4
#define RECORDS_AT    6
#define QUESTION_TAIL 4  /* type, class */
#define RECORD_TAIL   10 /* type, class, time to live, length of the data */
#define TYPE_A        1
#define TYPE_NB       32
#define CLASS_IN      1
#define NB_ENTRY      6 /* flags, address */
#define LABEL_MAX     63
#define NAME_MAX      255

/* Section 4.4.1: type, flags, id, source address, source port. */
#define DATAGRAM_HEADER  10
#define DATAGRAM_FIRST   0x10
#define DATAGRAM_LAST    0x16
#define DATAGRAM_ADDRESS 4
#define DATAGRAM_SOURCE  8

/* The address of the inside host in the payload at `at`: out it becomes the alias, in it comes
 * back. */
static bool exchange_address(struct libalias *la, struct link *link, struct packet *p,
			     enum direction dir, uint32_t at)
{
	uint32_t from = link->view[dir].local, to = link->view[!dir].local, offset, len;
	const uint8_t *data = helper_payload(p, &offset, &len);

	if (load32(data + at) != from)
		return false;
	return helper_replace(la, link, p, dir, offset + at, 0, sizeof(to), &to, sizeof(to));
}

/* Moves *at behind a name: labels up to an empty one or a pointer. */
static bool skip_name(const uint8_t *data, uint32_t len, uint32_t *at)
{
	uint32_t first = *at;

	while (*at < len && *at - first < NAME_MAX) {
		uint8_t label = data[*at];

		if ((label & 0xc0) == 0xc0) {
			*at += 2;
			return *at <= len;
		}
		if (label > LABEL_MAX)
			return false;
		*at += label + 1u;
		if (!label)
			return *at <= len;
	}
	return false;
}

/* A record's data. */
static void exchange_record(struct libalias *la, struct link *link, struct packet *p,
			    enum direction dir, uint16_t type, uint32_t at, uint32_t len)
{
	if (type == TYPE_A && len == 4)
		exchange_address(la, link, p, dir, at);
	for (uint32_t i = 0; type == TYPE_NB && i + NB_ENTRY <= len; i += NB_ENTRY)
		exchange_address(la, link, p, dir, at + i + 2);
}

static void name_service(struct libalias *la, struct link *link, struct packet *p,
			 enum direction dir)
{
	uint32_t offset, len, at = NAME_HEADER, records = 0;
	const uint8_t *data = helper_payload(p, &offset, &len);

	if (len < NAME_HEADER)
		return;
	for (uint32_t i = ntohs(load16(data + QUESTIONS_AT)); i; i--) {
		if (!skip_name(data, len, &at) || len - at < QUESTION_TAIL)
			return;
		at += QUESTION_TAIL;
	}
	for (uint32_t i = 0; i < 3; i++)
		records += ntohs(load16(data + RECORDS_AT + 2 * i));
	for (; records; records--) {
		uint16_t type, class;
		uint32_t size;

		if (!skip_name(data, len, &at) || len - at < RECORD_TAIL)
			return;
		type = ntohs(load16(data + at));
		class = ntohs(load16(data + at + 2));
		size = ntohs(load16(data + at + 8));
		at += RECORD_TAIL;
		if (size > len - at)
			return;
		if (class == CLASS_IN)
			exchange_record(la, link, p, dir, type, at, size);
		at += size;
	}
}

static void datagram(struct libalias *la, struct link *link, struct packet *p)
{
	uint32_t offset, len;
	const uint8_t *data = helper_payload(p, &offset, &len);
	uint16_t port = link->view[IN].local_port;

	if (len < DATAGRAM_HEADER || data[0] < DATAGRAM_FIRST || data[0] > DATAGRAM_LAST ||
	    load16(data + DATAGRAM_SOURCE) != link->view[OUT].local_port ||
	    !exchange_address(la, link, p, OUT, DATAGRAM_ADDRESS))
		return;
	helper_replace(la, link, p, OUT, offset + DATAGRAM_SOURCE, 0, sizeof(port), &port,
		       sizeof(port));
}

static bool is_datagram_service(const struct link *link)
{
	const struct view *view = &link->view[OUT];

	return view->peer_port == htons(DATAGRAM_PORT) || view->local_port == htons(DATAGRAM_PORT);
}

static void netbios_out(struct libalias *la, struct link *link, struct packet *p)
{
	if (is_datagram_service(link))
		datagram(la, link, p);
	else
		name_service(la, link, p, OUT);
}

static void netbios_in(struct libalias *la, struct link *link, struct packet *p)
{
	if (!is_datagram_service(link))
		name_service(la, link, p, IN);
}

static const uint16_t netbios_ports[] = {137, DATAGRAM_PORT, 0};

const struct helper helper_netbios = {
	.name = "netbios",
	.sets = {"nbt"}, /* the name of FreeBSD's module */
	.protos = HELPER_UDP,
	.ports = netbios_ports,
	.out = netbios_out,
	.in = netbios_in,
};
