/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.c - looking at a packet and changing it.
 *
 * packet_parse() is the only door: a packet that passes has an IP header that lies within the
 * datagram, a datagram that lies within the buffer, and (unless it is a later fragment) a transport
 * header that is there in full.  All later code may rely on p->len, p->header and p->l4_len and on
 * nothing that the packet says about itself.
 *
 * Every change keeps the checksums by differences (checksum.h).
 */
#include "engine.h"

#include <netinet/ip_icmp.h>

#define IP_TOTAL_LENGTH 2
#define IP_ID           4
#define IP_OFFSET       6
#define IP_PROTO        9
#define IP_SUM          10
#define IP_SRC          12
#define IP_DST          16
#define TCP_CHECKSUM    16
#define UDP_LENGTH      4
#define UDP_CHECKSUM    6
#define ICMP_CHECKSUM   2
#define ICMP_ID         4
#define GRE_CALL_ID     6

/* GRE version 1 of PPTP (RFC 2637, section 4.1): a key, which ends in the receiver's call id. */
uint8_t *packet_call_id(uint8_t *gre, uint32_t len)
{
	static const uint8_t protocol[] = {0x88, 0x0b};

	if (len < 8 || !(gre[0] & 0x20) || (gre[1] & 7) != 1 || memcmp(gre + 2, protocol, 2) != 0)
		return NULL;
	return gre + GRE_CALL_ID;
}

/* The shortest transport headers, and whether the message lengths agree. */
static bool transport_parse(struct packet *p)
{
	const uint8_t *call;
	uint32_t n;

	switch (p->proto) {
	case IPPROTO_TCP:
		if (p->l4_len < 20)
			return false;
		n = (uint32_t)(p->l4[12] >> 4) * 4;
		if (n < 20 || n > p->l4_len)
			return false;
		break;
	case IPPROTO_UDP:
		if (p->l4_len < 8)
			return false;
		n = ntohs(load16(p->l4 + UDP_LENGTH));
		if (n < 8 || (!p->more && n > p->l4_len))
			return false;
		break;
	case IPPROTO_ICMP:
		if (p->l4_len < 8)
			return false;
		p->icmp_type = p->l4[0];
		if (p->icmp_type == ICMP_ECHO || p->icmp_type == ICMP_TIMESTAMP)
			p->src_port = p->dst_port = load16(p->l4 + ICMP_ID);
		else if (p->icmp_type == ICMP_ECHOREPLY || p->icmp_type == ICMP_TIMESTAMPREPLY)
			p->src_port = p->dst_port = load16(p->l4 + ICMP_ID);
		return true;
	case IPPROTO_GRE:
		call = packet_call_id(p->l4, p->l4_len);
		if (call)
			p->dst_port = call_port(load16(call));
		return true;
	default:
		return true;
	}
	p->src_port = load16(p->l4);
	p->dst_port = load16(p->l4 + 2);
	return true;
}

bool packet_read(struct packet *p, void *data, int size)
{
	uint8_t *ip = data;
	uint16_t offset;

	p->mark = 0;
	p->icmp_type = 0;
	p->src_port = p->dst_port = 0;
	if (size < 20 || (ip[0] >> 4) != 4)
		return false;
	p->data = ip;
	p->size = (uint32_t)size;
	p->header = (uint32_t)(ip[0] & 15) * 4;
	p->len = ntohs(load16(ip + IP_TOTAL_LENGTH));
	if (p->header < 20 || p->header > p->len || p->len > p->size)
		return false;
	p->proto = ip[IP_PROTO];
	p->id = load16(ip + IP_ID);
	offset = ntohs(load16(ip + IP_OFFSET));
	p->first = (offset & IP_OFFMASK) == 0;
	p->more = (offset & IP_MF) != 0;
	p->src = load32(ip + IP_SRC);
	p->dst = load32(ip + IP_DST);
	p->l4 = ip + p->header;
	p->l4_len = p->len - p->header;
	if (p->first)
		return transport_parse(p);
	if ((offset & IP_OFFMASK) * 8u + p->l4_len > 65535 - 20 || !p->l4_len)
		return false;
	/* It would overwrite the TCP header that was translated (RFC 1858, RFC 3128). */
	return (offset & IP_OFFMASK) >= 3 || p->proto != IPPROTO_TCP;
}

bool packet_parse(struct libalias *la, struct packet *p, void *data, int size)
{
	if (packet_read(p, data, size))
		return true;
	la->stats.malformed++;
	return false;
}

void packet_view(const struct libalias *la, struct packet *p, enum direction dir)
{
	bool query = p->proto == IPPROTO_ICMP;
	struct view view;

	if (dir == OUT)
		view = (struct view){p->src, p->dst, p->src_port, query ? 0 : p->dst_port};
	else
		view = (struct view){p->dst, p->src, p->dst_port, query ? 0 : p->src_port};
	p->view = view;
	p->any_peer = link_peers_ignored(la, p->proto);
	if (p->any_peer) {
		view.peer = 0;
		view.peer_port = 0;
	}
	p->hash = link_hash(la, &view, p->proto);
}

static void apply_at(uint8_t *field, uint64_t change)
{
	store16(field, sum_apply(load16(field), change));
}

/* A UDP checksum of 0 is none and stays so; one that becomes 0 is sent as all ones (RFC 768). */
static void apply_udp(uint8_t *field, uint64_t change)
{
	uint16_t sum = load16(field);

	if (!sum)
		return;
	sum = sum_apply(sum, change);
	store16(field, sum ? sum : 0xffff);
}

void packet_rewrite(struct packet *p, uint32_t src, uint32_t dst, uint16_t src_port,
		    uint16_t dst_port)
{
	uint64_t change = sum_change32(p->src, src) + sum_change32(p->dst, dst);

	store32(p->data + IP_SRC, src);
	store32(p->data + IP_DST, dst);
	apply_at(p->data + IP_SUM, change);
	p->src = src;
	p->dst = dst;
	if (!p->first)
		return;
	switch (p->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		change += sum_change16(p->src_port, src_port) + sum_change16(p->dst_port, dst_port);
		store16(p->l4, src_port);
		store16(p->l4 + 2, dst_port);
		if (p->proto == IPPROTO_TCP)
			apply_at(p->l4 + TCP_CHECKSUM, change);
		else
			apply_udp(p->l4 + UDP_CHECKSUM, change);
		p->src_port = src_port;
		p->dst_port = dst_port;
		break;
	case IPPROTO_ICMP:
		if (src_port != p->src_port) {
			apply_at(p->l4 + ICMP_CHECKSUM, sum_change16(p->src_port, src_port));
			store16(p->l4 + ICMP_ID, src_port);
			p->src_port = p->dst_port = src_port;
		}
		break;
	case IPPROTO_GRE:
		if (p->dst_port && dst_port && dst_port != p->dst_port) {
			store16(p->l4 + GRE_CALL_ID, call_port(dst_port));
			p->dst_port = dst_port;
		}
		break;
	default:
		break;
	}
}

/* Sum of a block at any offset of the checksummed data: an odd one swaps the bytes (RFC 1071). */
static uint64_t sum_at(const uint8_t *data, uint32_t len, uint32_t offset)
{
	uint16_t sum = sum_fold(sum_block(data, len));

	return offset & 1 ? (uint16_t)(sum << 8 | sum >> 8) : (uint64_t)sum;
}

bool packet_replace(struct packet *p, uint32_t offset, uint32_t old_len, const void *new,
		    uint32_t new_len)
{
	uint32_t len = p->len - old_len + new_len, at = offset - p->header;
	uint16_t old_total = load16(p->data + IP_TOTAL_LENGTH);
	uint32_t tail = p->len - offset - old_len;
	/* Where the length stays, what is behind does, too. */
	uint32_t moved = old_len == new_len ? 0 : tail;
	uint64_t change;

	if (len > p->size || len > 65535)
		return false;
	change = (uint64_t)(uint16_t)~sum_fold(sum_at(p->data + offset, old_len + moved, at));
	memmove(p->data + offset + new_len, p->data + offset + old_len, moved);
	memcpy(p->data + offset, new, new_len);
	change += sum_at(p->data + offset, new_len + moved, at);
	store16(p->data + IP_TOTAL_LENGTH, htons((uint16_t)len));
	apply_at(p->data + IP_SUM, sum_change16(old_total, htons((uint16_t)len)));
	/* The pseudo header has the length of the segment. */
	change += sum_change16(htons((uint16_t)p->l4_len), htons((uint16_t)(len - p->header)));
	p->len = len;
	p->l4_len = len - p->header;
	if (p->proto == IPPROTO_TCP) {
		apply_at(p->l4 + TCP_CHECKSUM, change);
	} else if (p->proto == IPPROTO_UDP) {
		change += sum_change16(load16(p->l4 + UDP_LENGTH), htons((uint16_t)p->l4_len));
		store16(p->l4 + UDP_LENGTH, htons((uint16_t)p->l4_len));
		apply_udp(p->l4 + UDP_CHECKSUM, change);
	}
	return true;
}

void packet_allow_fragments(struct packet *p)
{
	uint16_t offset = load16(p->data + IP_OFFSET), id = load16(p->data + IP_ID), other = id;

	if (!(offset & htons(IP_DF)) || p->l4_len < 18)
		return;
	store16(p->data + IP_OFFSET, offset & (uint16_t)~htons(IP_DF));
	apply_at(p->data + IP_SUM, sum_change16(offset, load16(p->data + IP_OFFSET)));
	/* Fragments need an identification, which a whole datagram need not have (RFC 6864). */
	if (!id)
		other = load16(p->l4 + (p->proto == IPPROTO_TCP ? TCP_CHECKSUM : UDP_CHECKSUM));
	store16(p->data + IP_ID, other);
	apply_at(p->data + IP_SUM, sum_change16(id, other));
}

bool packet_add_option(struct packet *p, const void *option, uint32_t len)
{
	uint16_t old_first = load16(p->data), old_total = load16(p->data + IP_TOTAL_LENGTH);
	uint16_t total = htons((uint16_t)(p->len + len));
	uint64_t change;

	if (p->header + len > 60 || p->len + len > p->size || p->len + len > 65535)
		return false;
	/* Behind the fixed header: the options that are there may end with an end-of-list. */
	memmove(p->data + 20 + len, p->data + 20, p->len - 20);
	memcpy(p->data + 20, option, len);
	p->data[0] = (uint8_t)(0x40 | (p->header + len) / 4);
	store16(p->data + IP_TOTAL_LENGTH, total);
	change = sum_change16(old_first, load16(p->data)) + sum_change16(old_total, total) +
		 sum_block(option, len);
	apply_at(p->data + IP_SUM, change);
	p->len += len;
	p->header += len;
	p->l4 += len;
	return true;
}
