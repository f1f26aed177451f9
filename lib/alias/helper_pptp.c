/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_pptp.c - PPTP (RFC 2637): calls are agreed on by control messages and carried by GRE.
 *
 * Each end numbers a call as it likes, and a GRE packet carries the number that its receiver gave
 * the call.  So the inside end's number is replaced by one that no other call with the same remote
 * host has, in the control messages of both directions; the remote end's stays as it is.
 *
 * A call is two links of protocol GRE, one for each way, since a packet names only its receiver's
 * number; it stands, as call_port() has it, in the place of the receiver's port, and the sender's
 * is 0:
 *
 *   incoming  view[IN] alias:number < remote:0      view[OUT] inside:its number < remote:0
 *   outgoing  view[OUT] inside:0 > remote:number    view[IN]  alias:0 > remote:number
 *
 * The first is made when the inside end names its number, the second when both are known.  They end
 * a while after the call, or with the control connection.  It makes no difference which end is the
 * server.  Calls are only made once both ends have started the control connection.
 */
#include "helper_text.h"

#define CONTROL_HEAD 12
#define MARK_AT      2   /* the type of message and the magic cookie */
#define MESSAGE_MAX  220 /* Incoming-Call-Request is the longest */
#define CALLS        16

/* Types of control messages. */
enum {
	START_REQUEST = 1,
	START_REPLY = 2,
	OUTGOING_CALL_REQUEST = 7,
	OUTGOING_CALL_REPLY,
	INCOMING_CALL_REQUEST,
	INCOMING_CALL_REPLY,
	INCOMING_CALL_CONNECTED,
	CALL_CLEAR_REQUEST,
	CALL_DISCONNECT_NOTIFY,
	WAN_ERROR_NOTIFY,
	SET_LINK_INFO,
};

/* Where they have the sender's and the receiver's number; 0: they do not. */
static const struct layout {
	uint8_t own, peer;
	bool opens;
} layouts[SET_LINK_INFO + 1] = {
	[OUTGOING_CALL_REQUEST] = {12, 0, true},    [OUTGOING_CALL_REPLY] = {12, 14, true},
	[INCOMING_CALL_REQUEST] = {12, 0, true},    [INCOMING_CALL_REPLY] = {12, 14, true},
	[INCOMING_CALL_CONNECTED] = {0, 12, false}, [CALL_CLEAR_REQUEST] = {12, 0, false},
	[CALL_DISCONNECT_NOTIFY] = {12, 0, false},  [WAN_ERROR_NOTIFY] = {0, 12, false},
	[SET_LINK_INFO] = {0, 12, false},
};

#define RESULT_AT 16 /* in both replies; 1 = connected */
#define NEED      (RESULT_AT + 1)

struct call {
	uint16_t inside, alias, remote; /* numbers; remote 0: not known */
	bool used, over;
};

/* Two streams follow it in the helper's state. */
struct pptp {
	bool started[2];
	uint8_t asked_at;
	uint16_t asked[CALLS]; /* the remote end's numbers in its last requests */
	struct call calls[CALLS];
} __attribute__((aligned(8)));

/* The length of a control message, or 0: this is none.  Fewer bytes than a head: the longest. */
static uint32_t control_length(const char *message, uint32_t len)
{
	static const uint8_t mark[] = {0, 1, 0x1a, 0x2b, 0x3c, 0x4d};
	uint32_t length = len < sizeof(uint16_t) ? MESSAGE_MAX : ntohs(load16(message));
	uint32_t marked = len < MARK_AT ? 0 : len - MARK_AT;

	return length < CONTROL_HEAD || length > MESSAGE_MAX ||
			       memcmp(message + MARK_AT, mark,
				      marked < sizeof(mark) ? marked : sizeof(mark)) != 0
		       ? 0
		       : length;
}

static struct view incoming(const struct link *control, enum direction dir, const struct call *call)
{
	const struct view *view = &control->view[dir];

	return (struct view){view->local, view->peer, dir == IN ? call->alias : call->inside, 0};
}

static struct view outgoing(const struct link *control, enum direction dir, const struct call *call)
{
	const struct view *view = &control->view[dir];

	return (struct view){view->local, view->peer, 0, call->remote};
}

/*
 * The link with both views, or NULL; a later call by another control connection may have them.
 * After a restart it is found here by what made it.
 */
static struct link *call_link(struct libalias *la, const struct link *control,
			      const struct view *out, const struct view *in)
{
	struct link *link = link_find(la, OUT, out, IPPROTO_GRE);
	uint32_t id = link_id(la, control);

	if (!link || link != link_find(la, IN, in, IPPROTO_GRE))
		return NULL;
	if (!link->control)
		link->control = id;
	return link->control == id ? link : NULL;
}

static struct link *incoming_link(struct libalias *la, const struct link *control,
				  const struct call *call)
{
	struct view out = incoming(control, OUT, call), in = incoming(control, IN, call);

	return call_link(la, control, &out, &in);
}

static struct link *outgoing_link(struct libalias *la, const struct link *control,
				  const struct call *call)
{
	struct view out = outgoing(control, OUT, call), in = outgoing(control, IN, call);

	return call->remote ? call_link(la, control, &out, &in) : NULL;
}

/* Numbers are given again: who has been told one last has it. */
static void take_over(struct libalias *la, enum direction dir, const struct view *view)
{
	struct link *stale = link_find(la, dir, view, IPPROTO_GRE);

	if (stale)
		link_delete(la, stale);
}

/* A link of a call lives as long as the control connection, which ends it. */
static bool make_link(struct libalias *la, const struct link *control, const struct view *out,
		      const struct view *in)
{
	struct link *link = link_create(la, out, in, IPPROTO_GRE, LINK_EXPECTED);

	if (!link)
		return false;
	link->timer = ALIAS_TIMEOUT_TCP_ESTABLISHED;
	link->helper = helper_number(&helper_pptp);
	link->control = link_id(la, control);
	firewall_open(la, link);
	return true;
}

static bool make_incoming(struct libalias *la, const struct link *control, struct call *call)
{
	struct view out = incoming(control, OUT, call), in = incoming(control, IN, call);

	take_over(la, OUT, &out);
	if (!port_choose(la, &in, IPPROTO_GRE, call->inside) || !make_link(la, control, &out, &in))
		return false;
	call->alias = in.local_port;
	return true;
}

static void make_outgoing(struct libalias *la, const struct link *control, const struct call *call)
{
	struct view out = outgoing(control, OUT, call), in = outgoing(control, IN, call);

	if (!call->remote || call_link(la, control, &out, &in))
		return;
	take_over(la, OUT, &out);
	take_over(la, IN, &in);
	make_link(la, control, &out, &in);
}

/* The call's links go after a while, or come back. */
static void set_timers(struct libalias *la, const struct link *control, const struct call *call,
		       uint8_t timer)
{
	struct link *links[] = {incoming_link(la, control, call), outgoing_link(la, control, call)};

	for (int i = 0; i < 2; i++)
		if (links[i] && links[i]->timer != timer) {
			links[i]->timer = timer;
			expire_sooner(la, links[i]);
		}
}

static struct call *call_by_inside(struct pptp *pptp, uint16_t number)
{
	for (int i = 0; i < CALLS; i++)
		if (pptp->calls[i].used && pptp->calls[i].inside == number)
			return &pptp->calls[i];
	return NULL;
}

static struct call *call_by_alias(struct pptp *pptp, uint16_t number)
{
	for (int i = 0; i < CALLS; i++)
		if (pptp->calls[i].used && pptp->calls[i].alias == number)
			return &pptp->calls[i];
	return NULL;
}

static struct call *call_by_remote(struct pptp *pptp, uint16_t number)
{
	for (int i = 0; number && i < CALLS; i++)
		if (pptp->calls[i].used && pptp->calls[i].remote == number)
			return &pptp->calls[i];
	return NULL;
}

static void forget(struct libalias *la, const struct link *control, struct call *call)
{
	struct link *link = incoming_link(la, control, call);

	if (link)
		link_delete(la, link);
	link = outgoing_link(la, control, call);
	if (link)
		link_delete(la, link);
	*call = (struct call){0};
}

/* The inside end opens a call, or says so again. */
static struct call *open_call(struct libalias *la, const struct link *control, struct pptp *pptp,
			      uint16_t number)
{
	struct call *call = call_by_inside(pptp, number);

	if (call && incoming_link(la, control, call)) {
		call->over = false;
		set_timers(la, control, call, ALIAS_TIMEOUT_TCP_ESTABLISHED);
		return call;
	}
	for (int i = 0; !call && i < CALLS; i++)
		if (!pptp->calls[i].used)
			call = &pptp->calls[i];
	for (int i = 0; !call && i < CALLS; i++)
		if (pptp->calls[i].over)
			call = &pptp->calls[i];
	if (!call) {
		la->stats.refused_limit++;
		return NULL;
	}
	if (call->used)
		forget(la, control, call);
	*call = (struct call){.inside = number};
	call->used = make_incoming(la, control, call);
	return call->used ? call : NULL;
}

static void end_call(struct libalias *la, const struct link *control, struct call *call)
{
	call->over = true;
	set_timers(la, control, call, ALIAS_TIMEOUT_OTHER);
}

static void learn_remote(struct libalias *la, const struct link *control, struct call *call,
			 uint16_t number)
{
	struct link *link;

	if (call->remote != number) {
		link = outgoing_link(la, control, call);
		if (link)
			link_delete(la, link);
	}
	call->remote = number;
	make_outgoing(la, control, call);
}

static bool was_asked(const struct pptp *pptp, uint16_t number)
{
	for (int i = 0; i < CALLS; i++)
		if (pptp->asked[i] == number)
			return number;
	return false;
}

static void note_asked(struct pptp *pptp, uint16_t number)
{
	if (was_asked(pptp, number))
		return;
	pptp->asked[pptp->asked_at] = number;
	pptp->asked_at = (uint8_t)((pptp->asked_at + 1) % CALLS);
}

static void store_number(const struct text_place *message, uint8_t at, uint16_t number)
{
	const char *field = message->text + at;

	number = call_port(number);
	text_replace(message, field, field + sizeof(number), (const char *)&number, sizeof(number));
}

/* From the inside end: its own number is changed. */
static void leaving(const struct text_place *message, const struct layout *layout, uint16_t own,
		    uint16_t peer)
{
	struct pptp *pptp = helper_state(message->link);
	struct call *call;

	/* A reply is to a request. */
	if (!own || (layout->opens && layout->peer && !was_asked(pptp, peer)))
		return;
	call = layout->opens ? open_call(message->la, message->link, pptp, own)
			     : call_by_inside(pptp, own);
	if (!call)
		return;
	store_number(message, layout->own, call->alias);
	if (layout->opens && layout->peer)
		learn_remote(message->la, message->link, call, peer);
}

/* From the remote end: the inside end's number is put back. */
static void arriving(const struct text_place *message, const struct layout *layout, uint16_t own,
		     uint16_t peer)
{
	struct pptp *pptp = helper_state(message->link);
	struct call *call = peer ? call_by_alias(pptp, peer) : NULL;

	if (layout->opens && !layout->peer)
		note_asked(pptp, own);
	if (!call)
		return;
	store_number(message, layout->peer, call->inside);
	if (layout->own)
		learn_remote(message->la, message->link, call, own);
}

static void call_ended(const struct text_place *message, uint16_t own, uint16_t peer)
{
	struct pptp *pptp = helper_state(message->link);
	struct call *call;

	if (message->dir == OUT)
		call = call_by_inside(pptp, own);
	else
		call = peer ? call_by_alias(pptp, peer) : call_by_remote(pptp, own);
	if (call)
		end_call(message->la, message->link, call);
}

/* Has the call that the message is about failed or ended? */
static bool is_end(const struct text_place *message, uint16_t type)
{
	if (type == OUTGOING_CALL_REPLY || type == INCOMING_CALL_REPLY)
		return message->len > RESULT_AT && message->text[RESULT_AT] != 1;
	return type == CALL_DISCONNECT_NOTIFY;
}

static bool control_message(const struct text_place *message)
{
	struct pptp *pptp = helper_state(message->link);
	uint16_t type = ntohs(load16(message->text + 8)), own = 0, peer = 0;
	const struct layout *layout;

	if (type == START_REQUEST || type == START_REPLY)
		pptp->started[message->dir] = true;
	if (type > SET_LINK_INFO || !pptp->started[OUT] || !pptp->started[IN])
		return true;
	layout = &layouts[type];
	if (layout->own && message->len >= layout->own + sizeof(own))
		own = call_port(load16(message->text + layout->own));
	if (layout->peer && message->len >= layout->peer + sizeof(peer))
		peer = call_port(load16(message->text + layout->peer));
	if (message->dir == OUT)
		leaving(message, layout, own, peer);
	else
		arriving(message, layout, own, peer);
	if (is_end(message, type))
		call_ended(message, own, peer);
	/* Changed or not: each may be the first in a segment that is sent again. */
	return true;
}

static enum text_measure measure(const char *text, uint32_t len, uint32_t *need, uint32_t *total)
{
	*total = control_length(text, len);
	*need = *total < NEED ? *total : NEED;
	if (!*total)
		return TEXT_ALIEN;
	return len < CONTROL_HEAD ? TEXT_MORE : TEXT_UNIT;
}

static uint32_t resume(const char *text, uint32_t len)
{
	return len >= CONTROL_HEAD && control_length(text, len) ? 0 : TEXT_NOWHERE;
}

static const struct text_protocol protocol = {measure, control_message, resume, NEED, true};

static void pptp_out(struct libalias *la, struct link *link, struct packet *p)
{
	text_run(la, link, p, OUT, &protocol);
}

static void pptp_in(struct libalias *la, struct link *link, struct packet *p)
{
	text_run(la, link, p, IN, &protocol);
}

static void pptp_end(struct libalias *la, struct link *link)
{
	struct pptp *pptp = helper_state(link);

	for (int i = 0; i < CALLS; i++)
		if (pptp->calls[i].used)
			forget(la, link, &pptp->calls[i]);
}

static void record_call(struct record_cursor *c, struct call *call)
{
	record_flags(c, &call->used, &call->over);
	if (!call->used)
		return;
	record_bytes(c, &call->inside, sizeof(call->inside));
	record_bytes(c, &call->alias, sizeof(call->alias));
	record_bytes(c, &call->remote, sizeof(call->remote));
	/* Such a link is of no call. */
	call->used = call->inside && call->alias;
}

static void pptp_record(struct record_cursor *c, const struct link *link)
{
	struct pptp *pptp = helper_state(link);

	record_flags(c, &pptp->started[OUT], &pptp->started[IN]);
	record_number8(c, &pptp->asked_at);
	pptp->asked_at %= CALLS;
	record_bytes(c, pptp->asked, sizeof(pptp->asked));
	for (int i = 0; i < CALLS; i++)
		record_call(c, &pptp->calls[i]);
}

/* With a Start-Control-Connection-Request. */
static enum helper_verdict pptp_begins(const uint8_t *first, uint32_t len)
{
	static const uint8_t request[] = {0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d};

	if (memcmp(first, request, len < sizeof(request) ? len : sizeof(request)) != 0)
		return HELPER_NO;
	return len < sizeof(request) ? HELPER_MAYBE : HELPER_YES;
}

static const uint16_t pptp_ports[] = {1723, 0};

const struct helper helper_pptp = {
	.name = "pptp",
	.protos = HELPER_TCP,
	.ports = pptp_ports,
	.begins = pptp_begins,
	.state_size = sizeof(struct pptp),
	.streams = {TEXT_STREAM_SIZE(NEED), TEXT_STREAM_SIZE(NEED)},
	.out = pptp_out,
	.in = pptp_in,
	.end = pptp_end,
	.record = pptp_record,
};
