// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet of which not everything is known: the first one of a connection by a forward, the inside
 * host's answer, or a question of this machine's own.
 *
 * What a program usually sends stands in it where it matters (length, time to live, flags); what
 * differs from packet to packet is unknown.
 */
#include "doctor_ruleset.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <string.h>

#define SOURCE_PORT       40000u
#define TTL               58
#define TCP_SYN           0x02
#define TCP_SYN_ACK       0x12
#define STATE_ESTABLISHED 2u
#define STATE_NEW         8u

struct ipmasq_address packet_stranger(uint8_t family)
{
	struct ipmasq_address address = {.family = family};

	inet_pton(family, family == AF_INET ? "62.77.88.99" : "2a01:77:88:99::1", address.bytes);
	return address;
}

static void put_address(struct packet *packet, bool source, const struct ipmasq_address *address,
			enum byte state)
{
	size_t length = ipmasq_address_length(packet->family);
	size_t at = packet->family == AF_INET ? (source ? 12 : 16) : (source ? 8 : 24);

	memcpy(packet->network + at, address->bytes, length);
	memset(packet->network_state + at, state, length);
}

static void put_stranger(struct packet *packet, bool source)
{
	const struct ipmasq_address *remote = &packet->forward->remote;
	struct ipmasq_address stranger = packet_stranger(packet->family);

	if (ipmasq_address_is_any(remote))
		put_address(packet, source, &stranger, BYTE_STRANGER);
	else
		put_address(packet, source, remote, BYTE_KNOWN);
}

/* The outside address; of a forward of any, one of them. */
static void put_alias(struct packet *packet, bool source)
{
	const struct ipmasq_address *entry = &packet->forward->entry;

	put_address(packet, source, entry,
		    ipmasq_address_is_any(entry) ? BYTE_UNKNOWN : BYTE_KNOWN);
}

static void put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A port; 0: it is not known. */
static void put_port(struct packet *packet, bool source, uint16_t port)
{
	size_t at = source ? 0 : 2;

	put_u16(packet->transport + at, port);
	memset(packet->transport_state + at, port ? BYTE_KNOWN : BYTE_UNKNOWN, 2);
}

static void put_ports(struct packet *packet, uint16_t source, uint16_t destination)
{
	put_port(packet, true, source);
	put_port(packet, false, destination);
}

static void put_network(struct packet *packet)
{
	bool v4 = packet->family == AF_INET;

	packet->network[0] = v4 ? 0x45 : 0x60;
	packet->network[v4 ? 9 : 6] = packet->protocol;
	packet->network_state[v4 ? 9 : 6] = packet->protocol ? BYTE_KNOWN : BYTE_UNKNOWN;
	packet->network[v4 ? 8 : 7] = TTL;
	if (v4) {
		put_u16(packet->network + 2, PACKET_LENGTH_V4);
		packet->network[6] = 0x40;                           /* DF */
		memset(packet->network_state + 4, BYTE_UNKNOWN, 2);  /* identification */
		memset(packet->network_state + 10, BYTE_UNKNOWN, 2); /* checksum */
		memset(packet->network_state + 20, BYTE_UNKNOWN, NETWORK_HEADER - 20);
	} else {
		put_u16(packet->network + 4, PACKET_LENGTH_V6 - NETWORK_HEADER);
		memset(packet->network_state + 1, BYTE_UNKNOWN, 3); /* flow label */
	}
}

static void put_transport(struct packet *packet, bool answer)
{
	memset(packet->transport_state, BYTE_UNKNOWN, TRANSPORT_HEADER);
	if (packet->protocol == IPPROTO_TCP) {
		packet->transport[12] = 0xa0; /* with options: 40 bytes */
		packet->transport[13] = answer ? TCP_SYN_ACK : TCP_SYN;
		put_u16(packet->transport + 14, 64240); /* the window */
		memset(packet->transport_state + 12, BYTE_KNOWN, 4);
		memset(packet->transport_state + 18, BYTE_KNOWN, 2); /* no urgent data */
	} else if (packet->protocol == IPPROTO_UDP) {
		put_u16(packet->transport + 4, PACKET_LENGTH_V4 - 20);
		memset(packet->transport_state + 4, BYTE_KNOWN, 2);
	}
}

static void begin_answer(struct packet *packet, const struct forward *forward)
{
	packet->ct_state = STATE_ESTABLISHED;
	packet->ct_status = IPS_SEEN_REPLY | IPS_CONFIRMED | IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
	put_address(packet, true, &forward->inside, BYTE_KNOWN);
	put_ports(packet, forward->inside_port, SOURCE_PORT);
}

void packet_begin(struct packet *packet, enum packet_kind kind, const struct net *net,
		  const struct forward *forward)
{
	const struct net_link *outside = net_link(net, forward->in);
	const struct net_link *inside = net_link(net, forward->out);

	*packet = (struct packet){
		.family = forward->alias.family,
		.protocol = forward->protocol,
		.in = kind == PACKET_FIRST ? outside : inside,
		.out = kind == PACKET_ANSWER ? outside : inside,
		.answer = kind == PACKET_ANSWER || kind == PACKET_REPLY,
		.ct_state = STATE_NEW,
		.forward = forward,
	};
	put_network(packet);
	put_transport(packet, packet->answer); /* ports come below */
	switch (kind) {
	case PACKET_FIRST:
		packet->own_address = forward->of_any || forward->owned;
		put_stranger(packet, true);
		put_alias(packet, false);
		put_ports(packet, SOURCE_PORT, forward->port);
		if (forward->mark) /* from anywhere to anywhere */
			memset(packet->network_state + (packet->family == AF_INET ? 12 : 8),
			       BYTE_UNKNOWN, 2 * ipmasq_address_length(packet->family));
		break;
	case PACKET_ANSWER:
		packet->own = forward->local;
		begin_answer(packet, forward);
		packet->ct_status |= IPS_DST_NAT;
		put_stranger(packet, false);
		break;
	case PACKET_QUESTION:
		packet->own = true;
		put_address(packet, true, &forward->near, BYTE_KNOWN);
		put_address(packet, false, &forward->inside, BYTE_KNOWN);
		put_ports(packet, SOURCE_PORT, forward->inside_port);
		break;
	case PACKET_REPLY:
		packet->own_address = true;
		begin_answer(packet, forward);
		put_address(packet, false, &forward->near, BYTE_KNOWN);
	}
}

uint32_t packet_length(const struct packet *packet)
{
	return packet->family == AF_INET ? PACKET_LENGTH_V4 : PACKET_LENGTH_V6;
}

void packet_translate(struct packet *packet)
{
	const struct forward *forward = packet->forward;

	if (packet->answer) {
		put_alias(packet, true);
		put_port(packet, true, forward->port);
		return;
	}
	put_address(packet, false, &forward->inside, BYTE_KNOWN);
	put_port(packet, false, forward->inside_port);
	packet->own_address = forward->local;
	if (forward->mark)
		packet->mark = (struct packet_mark){forward->mark, BYTE_KNOWN};
	packet->ct_status |= IPS_DST_NAT | IPS_DST_NAT_DONE;
	packet->translated = true;
}

void packet_set_mark(struct packet *packet, struct packet_mark *mark, uint32_t value,
		     enum byte state, enum certainty certainty)
{
	if (packet->way > certainty)
		certainty = packet->way;
	packet->marked |= state == BYTE_KNOWN && value == packet->forward->mark;
	packet->perhaps_marked |= state != BYTE_KNOWN;
	if (certainty <= MOST) {
		*mark = (struct packet_mark){value, state};
		return;
	}
	if (value == mark->value && state <= mark->state)
		return;
	if (certainty == SOME && state != BYTE_UNKNOWN && mark->state != BYTE_UNKNOWN)
		mark->state = BYTE_STRANGER; /* most keep what they have */
	else
		mark->state = BYTE_UNKNOWN;
}
