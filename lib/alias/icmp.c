/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.c - ICMP errors, which quote the packet that they are about.
 *
 * An error that arrives quotes a packet as it left, so the quoted source is the alias end; one that
 * leaves quotes a packet as it was delivered.  In both the quoted packet belongs to the opposite
 * direction's view of a link, which says what to put back: the quoted addresses, ports and
 * checksums and the outer addresses (RFC 5508, REQ-4 to 6); an outgoing error of a router that has
 * an alias address of its own comes from that.  An error neither makes a link nor
 * keeps one alive (RFC 5508, REQ-3), and one that belongs to no link is left alone.
 */
#include "engine.h"

#include <netinet/ip_icmp.h>

bool icmp_is_error(uint8_t type)
{
	switch (type) {
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return true;
	default:
		return false;
	}
}

/* The packet that an error quotes: what is there of it. */
struct quote {
	uint8_t *ip, *l4;
	uint32_t l4_len;
	uint8_t proto;
	uint32_t src, dst;
	uint16_t src_port, dst_port;
};

static bool quote_parse(const struct packet *p, struct quote *q)
{
	uint32_t header, room = p->l4_len - 8;
	const uint8_t *call;

	q->ip = p->l4 + 8;
	if (room < 20 || q->ip[0] >> 4 != 4)
		return false;
	header = (uint32_t)(q->ip[0] & 15) * 4;
	if (header < 20 || header + 8 > room)
		return false;
	if (ntohs(load16(q->ip + 6)) & IP_OFFMASK)
		return false;
	q->l4 = q->ip + header;
	q->l4_len = room - header;
	q->proto = q->ip[9];
	q->src = load32(q->ip + 12);
	q->dst = load32(q->ip + 16);
	q->src_port = q->dst_port = 0;
	switch (q->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		q->src_port = load16(q->l4);
		q->dst_port = load16(q->l4 + 2);
		return true;
	case IPPROTO_ICMP:
		/* No error about an error. */
		if (icmp_is_error(q->l4[0]))
			return false;
		q->src_port = q->dst_port = load16(q->l4 + 4);
		return true;
	case IPPROTO_GRE:
		call = packet_call_id(q->l4, q->l4_len);
		if (call)
			q->dst_port = call_port(load16(call));
		return true;
	default:
		return true;
	}
}

/* A checksum inside the quote: the change to its own value counts for the outer one as well. */
static uint64_t patch_sum(uint8_t *field, uint64_t change, bool udp)
{
	uint16_t from = load16(field), to;

	if (udp && !from)
		return 0;
	to = sum_apply(from, change);
	if (udp && !to)
		to = 0xffff;
	store16(field, to);
	return sum_change16(from, to);
}

/* Gives the quote other ends; returns the change of the outer ICMP checksum. */
static uint64_t quote_rewrite(struct quote *q, uint32_t src, uint32_t dst, uint16_t src_port,
			      uint16_t dst_port)
{
	uint64_t addresses = sum_change32(q->src, src) + sum_change32(q->dst, dst);
	uint64_t total = addresses, ports;

	store32(q->ip + 12, src);
	store32(q->ip + 16, dst);
	total += patch_sum(q->ip + 10, addresses, false);
	switch (q->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		ports = sum_change16(q->src_port, src_port) + sum_change16(q->dst_port, dst_port);
		store16(q->l4, src_port);
		store16(q->l4 + 2, dst_port);
		total += ports;
		if (q->proto == IPPROTO_UDP)
			total += patch_sum(q->l4 + 6, addresses + ports, true);
		else if (q->l4_len >= 18)
			total += patch_sum(q->l4 + 16, addresses + ports, false);
		break;
	case IPPROTO_ICMP:
		ports = sum_change16(q->src_port, src_port);
		store16(q->l4 + 4, src_port);
		total += ports + patch_sum(q->l4 + 2, ports, false);
		break;
	case IPPROTO_GRE:
		if (q->dst_port && dst_port && dst_port != q->dst_port) {
			store16(packet_call_id(q->l4, q->l4_len), call_port(dst_port));
			total += sum_change16(call_port(q->dst_port), call_port(dst_port));
		}
		break;
	default:
		break;
	}
	return total;
}

/* The quoted sequence number as the quoted packet's sender knows it. */
static uint64_t quote_sequence(const struct link *link, struct quote *q, enum direction quoted)
{
	uint32_t from, to;
	uint64_t change;

	if (q->proto != IPPROTO_TCP || !link->side || !link->side->changes[quoted])
		return 0;
	from = load32(q->l4 + 4);
	to = htonl(tcp_sequence_back(link->side, quoted, ntohl(from)));
	store32(q->l4 + 4, to);
	change = sum_change32(from, to);
	if (q->l4_len >= 18)
		change += patch_sum(q->l4 + 16, change, false);
	return change;
}

/* Where an outgoing error comes from: its sender may have an alias address of its own. */
static uint32_t error_source(struct libalias *la, const struct packet *p, const struct link *link)
{
	uint32_t alias = link->view[IN].local;

	return p->src == link->view[OUT].local ? alias : redirect_alias_address(la, p->src, alias);
}

/* The view of a quote, as the direction of the error sees it. */
static struct view quote_view(const struct quote *q, enum direction dir)
{
	struct view view;

	/* dir IN: the quote went out, its source is our end.  dir OUT: it came in, its destination
	 * is. */
	if (dir == IN)
		view = (struct view){q->src, q->dst, q->src_port, q->dst_port};
	else
		view = (struct view){q->dst, q->src, q->dst_port, q->src_port};
	if (q->proto == IPPROTO_ICMP)
		view.peer_port = 0;
	return view;
}

struct link *icmp_error_link(struct libalias *la, const struct packet *p, enum direction dir)
{
	struct view view;
	struct quote q;

	if (!quote_parse(p, &q))
		return NULL;
	view = quote_view(&q, dir);
	return link_of_view(la, dir, &view, q.proto);
}

int icmp_error(struct libalias *la, struct packet *p, enum direction dir)
{
	enum direction quoted = !dir;
	const struct view *to;
	struct link *link;
	struct view view;
	struct quote q;
	uint64_t change;
	uint32_t peer;
	uint16_t peer_port;

	if (!quote_parse(p, &q))
		return PKT_ALIAS_IGNORED;
	view = quote_view(&q, dir);
	link = link_of_view(la, dir, &view, q.proto);
	if (!link)
		return PKT_ALIAS_IGNORED;
	to = &link->view[!dir];
	peer = link->flags & LINK_ANY_PEER ? view.peer : to->peer;
	peer_port = link->flags & LINK_ANY_PEER ? view.peer_port : to->peer_port;
	if (q.proto == IPPROTO_ICMP)
		peer_port = to->local_port;
	if (dir == IN)
		change = quote_rewrite(&q, to->local, peer, to->local_port, peer_port);
	else
		change = quote_rewrite(&q, peer, to->local, peer_port, to->local_port);
	change += quote_sequence(link, &q, quoted);
	store16(p->l4 + 2, sum_apply(load16(p->l4 + 2), change));
	if (dir == IN)
		packet_rewrite(p, p->src == view.peer ? peer : p->src, to->local, 0, 0);
	else
		packet_rewrite(p, error_source(la, p, link), p->dst == view.peer ? peer : p->dst, 0,
			       0);
	return PKT_ALIAS_OK;
}
