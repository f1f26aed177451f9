/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alias.c - the path of a packet: LibAliasIn() and LibAliasOut().
 *
 * A packet is parsed, its link is looked up by the view of its direction, made if need be, and the
 * packet is rewritten to the other view.  A new outgoing link asks, in this order: a proxy rule, a
 * redirect, the masquerade rules or the default aliasing address.  A new incoming one: a redirect,
 * then the target address unless incoming connections are denied.  Everything that few packets need
 * (helpers, sequence numbers, encodings) hangs on the link's side record and flags, so that the
 * common packet pays for two tests.
 */
#include "helper.h"

#include <errno.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>

void alias_enter(struct libalias *la)
{
	la->new_link = false;
	if (clock_advance(la)) {
		fragment_expire(la);
		expect_expire(la);
	}
	if (la->wheel_time != la->now)
		expire_some(la, 8);
}

static bool is_private(const struct libalias *la, uint32_t addr)
{
	static const struct {
		uint32_t net, mask;
		unsigned int modes;
	} nets[] = {
		{0x0a000000, 0xff000000, PKT_ALIAS_UNREGISTERED_ONLY | PKT_ALIAS_UNREGISTERED_CGN},
		{0xac100000, 0xfff00000, PKT_ALIAS_UNREGISTERED_ONLY | PKT_ALIAS_UNREGISTERED_CGN},
		{0xc0a80000, 0xffff0000, PKT_ALIAS_UNREGISTERED_ONLY | PKT_ALIAS_UNREGISTERED_CGN},
		{0x64400000, 0xffc00000, PKT_ALIAS_UNREGISTERED_CGN},
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if ((la->mode & nets[i].modes) && (ntohl(addr) & nets[i].mask) == nets[i].net)
			return true;
	return false;
}

/* Does this packet keep its source unless a redirect says otherwise? */
static bool keeps_source(const struct libalias *la, uint32_t src)
{
	if (!la->alias || (la->mode & PKT_ALIAS_PROXY_ONLY))
		return true;
	return (la->mode & (PKT_ALIAS_UNREGISTERED_ONLY | PKT_ALIAS_UNREGISTERED_CGN)) &&
	       !is_private(la, src);
}

static bool has_query_id(uint8_t type)
{
	return type == ICMP_ECHO || type == ICMP_ECHOREPLY || type == ICMP_TIMESTAMP ||
	       type == ICMP_TIMESTAMPREPLY;
}

static bool may_begin(const struct packet *p)
{
	return p->proto != IPPROTO_ICMP || p->icmp_type == ICMP_ECHO ||
	       p->icmp_type == ICMP_TIMESTAMP;
}

static bool has_ports(const struct packet *p)
{
	return p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_ICMP;
}

/* The source that packets get by mode and rules; false: they are none of ours. */
static bool alias_of(const struct libalias *la, const struct packet *p, uint32_t *alias)
{
	*alias = 0;
	if (!(la->mode & PKT_ALIAS_MASQUERADE_RULES)) {
		*alias = keeps_source(la, p->src) ? p->src : la->alias;
		return true;
	}
	if (!masquerade_find(la, p->src, p->dst, p->proto, alias))
		return false;
	if (!*alias)
		*alias = la->alias ? la->alias : p->src;
	return true;
}

/* The source of what has its port by other means: by mode, redirect of its address or rule. */
static uint32_t alias_of_address(struct libalias *la, const struct packet *p)
{
	uint32_t alias;

	if (!(la->mode & PKT_ALIAS_MASQUERADE_RULES))
		return keeps_source(la, p->src) ? p->src : redirect_alias_address(la, p->src, 0);
	return redirect_alias_address(la, p->src, alias_of(la, p, &alias) ? alias : p->src);
}

static struct link *begin_out(struct libalias *la, const struct packet *p, int *result)
{
	const struct view *view = &p->view;
	const struct proxy_rule *rule = proxy_find(la, p);
	struct view out = *view, in = *view;
	struct alias_link *redirect;
	uint8_t flags = 0;

	*result = PKT_ALIAS_ERROR;
	if (rule) {
		flags = rule->encoding;
		in.peer = rule->server;
		in.peer_port = rule->server_port ? rule->server_port : view->peer_port;
		in.local = alias_of_address(la, p);
	} else {
		redirect = redirect_find(la, OUT, view, p->proto, 0);
		if (redirect)
			return redirect_link_out(la, redirect, p, view);
		if (!alias_of(la, p, &in.local)) {
			*result = PKT_ALIAS_IGNORED;
			return NULL;
		}
		/* A helper watches conversations, so each has a link of its own. */
		if (p->proto == IPPROTO_UDP && (la->mode & PKT_ALIAS_UDP_EIM) &&
		    !helper_watches(la, view, p->proto)) {
			if (!mapping_begin(la)) {
				la->stats.refused_memory++;
				return NULL;
			}
			flags = LINK_ANY_PEER;
			in.peer = out.peer = 0;
			in.peer_port = out.peer_port = 0;
		}
	}
	/* The packet's own look-up and the choice of the port have seen that both views are free.
	 */
	if (has_ports(p)) {
		if (!port_choose(la, &in, p->proto, view->local_port))
			return NULL;
		flags |= LINK_KNOWN_FREE;
	}
	return link_create(la, &out, &in, p->proto, flags);
}

/*
 * Whether an incoming packet without redirect makes a link.  Where masquerade rules say what is
 * ours it does if its answers would be masqueraded, so that they keep their source.
 */
static bool is_let_in(const struct libalias *la, const struct view *view, uint8_t proto)
{
	uint32_t alias;

	if (la->mode & PKT_ALIAS_DENY_INCOMING)
		return false;
	return !(la->mode & PKT_ALIAS_MASQUERADE_RULES) ||
	       (!is_own(la, view->local) &&
		masquerade_find(la, view->local, view->peer, proto, &alias));
}

static struct link *begin_in(struct libalias *la, const struct packet *p, int *result)
{
	const struct view *view = &p->view;
	struct alias_link *redirect = redirect_find(la, IN, view, p->proto, p->mark);
	struct view out = *view;

	*result = PKT_ALIAS_ERROR;
	if (redirect)
		return redirect_link_in(la, redirect, p, view);
	if (la->mode & PKT_ALIAS_PROXY_ONLY) {
		*result = PKT_ALIAS_OK;
		return NULL;
	}
	if (!is_let_in(la, view, p->proto)) {
		*result = PKT_ALIAS_IGNORED;
		return NULL;
	}
	if (la->target == INADDR_NONE && la->alias)
		out.local = la->alias;
	else if (la->target != INADDR_NONE && la->target != INADDR_ANY)
		out.local = la->target;
	return link_create(la, &out, view, p->proto, LINK_INCOMING);
}

/* What a link with a side record or an encoding needs beyond new addresses. */
static int translate_more(struct libalias *la, struct packet *p, struct link *link,
			  enum direction dir)
{
	uint32_t seq = p->proto == IPPROTO_TCP ? ntohl(load32(p->l4 + 4)) : 0, came = p->len;
	int result = PKT_ALIAS_OK;

	if (link->side && link->side->helper && !p->more)
		helper_run(la, link, p, dir);
	if (dir == OUT && link->flags & LINK_ENCODE_TCP && link->side && tcp_begins(link, p, dir))
		proxy_begin(link);
	if (p->proto == IPPROTO_TCP && link->side)
		tcp_adjust(link, p, dir);
	if (dir == OUT && (link->flags & (LINK_ENCODE_IP | LINK_ENCODE_TCP)))
		result = proxy_encode(la, link, p, seq);
	if (p->len > came)
		packet_allow_fragments(p);
	return result;
}

/* Strangers may use an endpoint-independent mapping, not keep it alive (RFC 7857, section 7). */
static bool keeps_alive(const struct link *link, const struct packet *p, enum direction dir)
{
	if (dir == IN)
		return !(link->flags & LINK_ANY_PEER);
	return link->timer != ALIAS_TIMEOUT_TCP_CLOSING || !tcp_is_reset(p);
}

static int translate(struct libalias *la, struct packet *p, struct link *link, enum direction dir)
{
	const struct view *to = &link->view[!dir];
	uint32_t peer = to->peer, src = p->src, dst = p->dst;
	uint16_t peer_port = to->peer_port;
	int result = PKT_ALIAS_OK;

	/* Two lines at once: the record and the helper's state behind it. */
	if (link->side) {
		__builtin_prefetch(link->side);
		__builtin_prefetch(link->side + 1);
	}
	if (link->server)
		server_count(la, link, p->len);
	if (link->last != la->now && keeps_alive(link, p, dir))
		link->last = la->now;
	if (link->flags & LINK_ANY_PEER) {
		peer = dir == OUT ? p->dst : p->src;
		peer_port = dir == OUT ? p->dst_port : p->src_port;
	}
	if (p->proto == IPPROTO_ICMP)
		peer_port = to->local_port;
	if (dir == OUT)
		packet_rewrite(p, to->local, peer, to->local_port, peer_port);
	else
		packet_rewrite(p, peer, to->local, peer_port, to->local_port);
	if (p->proto == IPPROTO_TCP)
		tcp_track(la, link, dir, p->l4);
	if (link->side || (link->flags & (LINK_ENCODE_IP | LINK_ENCODE_TCP)))
		result = translate_more(la, p, link, dir);
	if (p->more && result == PKT_ALIAS_OK) {
		if (!fragment_header(la, dir, src, dst, p))
			return PKT_ALIAS_ERROR;
		if (dir == IN)
			return PKT_ALIAS_FOUND_HEADER_FRAGMENT;
	}
	return result;
}

/* The link of a packet.  GRE of no call that is known goes by its addresses, like any protocol. */
static struct link *find_link(struct libalias *la, enum direction dir, struct packet *p)
{
	struct link *link = link_of_packet(la, dir, p);

	if (link || p->proto != IPPROTO_GRE || !p->dst_port)
		return link;
	p->dst_port = 0;
	packet_view(la, p, dir);
	return link_of_packet(la, dir, p);
}

int alias_out(struct libalias *la, struct packet *p, bool create)
{
	struct link *link;
	uint32_t alias;
	int result;

	if (!p->first) {
		if (fragment_translate(la, p, OUT))
			return PKT_ALIAS_OK;
		alias = alias_of_address(la, p);
		if ((la->mode & PKT_ALIAS_MASQUERADE_RULES) && alias == p->src)
			return PKT_ALIAS_IGNORED;
		packet_rewrite(p, alias, p->dst, 0, 0);
		return PKT_ALIAS_OK;
	}
	if (p->proto == IPPROTO_ICMP && !has_query_id(p->icmp_type))
		return icmp_is_error(p->icmp_type) ? icmp_error(la, p, OUT) : PKT_ALIAS_IGNORED;
	link = find_link(la, OUT, p);
	if (!link) {
		if (!create || !may_begin(p))
			return PKT_ALIAS_IGNORED;
		if ((la->mode & PKT_ALIAS_PROXY_ONLY) && !proxy_find(la, p))
			return PKT_ALIAS_OK;
		link = begin_out(la, p, &result);
		if (!link)
			return result;
		helper_attach(la, link, p);
	}
	return translate(la, p, link, OUT);
}

/* What arrives and stays as it is; so do its later fragments. */
static int left_alone(struct libalias *la, const struct packet *p)
{
	if (p->more && !(la->mode & PKT_ALIAS_PROXY_ONLY))
		(void)fragment_header(la, IN, p->src, p->dst, p);
	return PKT_ALIAS_IGNORED;
}

/*
 * Who calls again from the same port when both ends have closed begins a new session, which another
 * server of a pool may get (RFC 2391, section 2), or whoever a changed redirect names now.
 */
static bool calls_again(const struct link *link, const struct packet *p)
{
	const uint8_t closed = TCP_FIN(OUT) | TCP_FIN(IN);

	return link->flags & LINK_INCOMING && p->proto == IPPROTO_TCP &&
	       (p->l4[13] & (TH_SYN | TH_ACK | TH_RST)) == TH_SYN &&
	       (link->tcp_state & closed) == closed;
}

int alias_in(struct libalias *la, struct packet *p)
{
	struct link *link;
	int result;

	if (!p->first) {
		if (fragment_translate(la, p, IN) || (la->mode & PKT_ALIAS_PROXY_ONLY))
			return PKT_ALIAS_OK;
		return PKT_ALIAS_UNRESOLVED_FRAGMENT;
	}
	if (p->proto == IPPROTO_ICMP && !has_query_id(p->icmp_type))
		return icmp_is_error(p->icmp_type) ? icmp_error(la, p, IN) : PKT_ALIAS_IGNORED;
	link = find_link(la, IN, p);
	if (link && calls_again(link, p)) {
		link_delete(la, link);
		link = NULL;
	}
	if (!link) {
		if (!may_begin(p))
			return left_alone(la, p);
		link = begin_in(la, p, &result);
		if (!link)
			return result == PKT_ALIAS_IGNORED ? left_alone(la, p) : result;
		helper_attach(la, link, p);
	}
	return translate(la, p, link, IN);
}

int LibAliasIn(struct libalias *la, void *ptr, int maxpacketsize)
{
	struct packet p;

	alias_enter(la);
	if (!packet_parse(la, &p, ptr, maxpacketsize))
		return PKT_ALIAS_IGNORED;
	if (la->mode & PKT_ALIAS_REVERSE) {
		packet_view(la, &p, OUT);
		return alias_out(la, &p, true);
	}
	packet_view(la, &p, IN);
	return alias_in(la, &p);
}

int LibAliasOutTry(struct libalias *la, void *ptr, int maxpacketsize, int create)
{
	struct packet p;

	alias_enter(la);
	if (!packet_parse(la, &p, ptr, maxpacketsize))
		return PKT_ALIAS_IGNORED;
	if (la->mode & PKT_ALIAS_REVERSE) {
		packet_view(la, &p, IN);
		return alias_in(la, &p);
	}
	packet_view(la, &p, OUT);
	return alias_out(la, &p, create != 0);
}

int LibAliasOut(struct libalias *la, void *ptr, int maxpacketsize)
{
	return LibAliasOutTry(la, ptr, maxpacketsize, 1);
}

int LibAliasUnaliasOut(struct libalias *la, void *ptr, int maxpacketsize)
{
	const struct view *to;
	struct link *link;
	struct view view;
	struct packet p;
	bool any;

	alias_enter(la);
	if (!packet_parse(la, &p, ptr, maxpacketsize) || !p.first ||
	    (p.proto == IPPROTO_ICMP && !has_query_id(p.icmp_type)))
		return PKT_ALIAS_IGNORED;
	/* Its source is the alias end of the outside's view. */
	view = (struct view){p.src, p.dst, p.src_port, p.proto == IPPROTO_ICMP ? 0 : p.dst_port};
	link = link_of_view(la, IN, &view, p.proto);
	if (!link)
		return PKT_ALIAS_IGNORED;
	to = &link->view[OUT];
	any = link->flags & LINK_ANY_PEER;
	packet_rewrite(&p, to->local, any ? p.dst : to->peer, to->local_port,
		       any                       ? p.dst_port
		       : p.proto == IPPROTO_ICMP ? to->local_port
						 : to->peer_port);
	return PKT_ALIAS_OK;
}

static struct link *link_used_by(struct libalias *la, struct packet *p, enum direction dir)
{
	if (!p->first)
		return NULL;
	if (p->proto == IPPROTO_ICMP && icmp_is_error(p->icmp_type))
		return icmp_error_link(la, p, dir);
	if (p->proto == IPPROTO_ICMP && !has_query_id(p->icmp_type))
		return NULL;
	packet_view(la, p, dir);
	return link_of_packet(la, dir, p);
}

int LibAliasFindLink(struct libalias *la, const void *ptr, int incoming,
		     struct alias_link_info *info)
{
	enum direction dir = !incoming == !(la->mode & PKT_ALIAS_REVERSE) ? OUT : IN;
	struct link *link = NULL;
	struct packet p = {0};

	clock_advance(la);
	/* Nothing is written through p. */
	if (packet_read(&p, (void *)(uintptr_t)ptr, 65535))
		link = link_used_by(la, &p, dir);
	if (!link) {
		errno = ESRCH;
		return -1;
	}
	link_describe(la, link, info);
	return 0;
}
