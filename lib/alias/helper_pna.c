/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_pna.c - PNA, the control protocol of RealAudio players before RTSP.
 *
 * The layout is the one that Progressive Networks published for firewalls in 1996, as the comments
 * of Linux 2.2's ip_masq_raudio.c and FreeBSD's alias_smedia.c pass it on: the client begins with
 * "PNA", a version of two bytes and options, each an id and a length of two bytes each and the
 * value; id 0 ends them.  Options 1 and 7 are the client's UDP ports, two bytes.  They are replaced
 * by those of expectations from the server.  Nothing behind the options is read.
 *
 * A server inside needs nothing: its media go out by themselves.  Versions from 256 on are unknown
 * and stay as they are.
 * Risk: an inside client opens ports of its own, above 1023, to the server that it has chosen.
 */
#include "helper_text.h"

#define HELD_MAX        512
#define OPTION_END      0
#define OPTION_UDP_PORT 1
#define OPTION_ROBUST   7 /* another UDP port, for a stream with redundancy */

struct option {
	uint16_t id, len;
	uint32_t at; /* of the value */
};

static uint16_t get16(const char *text)
{
	return ntohs(load16(text));
}

/* The option behind this one; false: it is not there in full. */
static bool next_option(const char *text, uint32_t len, struct option *o)
{
	uint32_t at = o->at + o->len;

	if (at + 4 > len)
		return false;
	*o = (struct option){get16(text + at), get16(text + at + 2), at + 4};
	if (o->id == OPTION_END)
		o->len = 0;
	return o->at + o->len <= len;
}

static enum text_measure measure(const char *text, uint32_t len, uint32_t *need, uint32_t *total)
{
	struct option o = {.at = 5};

	if (memcmp(text, "PNA", len < 3 ? len : 3) || (len > 3 && text[3]))
		return TEXT_OTHER;
	while (next_option(text, len, &o))
		if (o.id == OPTION_END) {
			*need = *total = o.at;
			return TEXT_UNIT;
		}
	return TEXT_MORE;
}

static bool translate_port(const struct text_place *message, const char *at)
{
	struct link *link = message->link;
	const struct expectation wanted = {
		.helper = &helper_pna,
		.proto = IPPROTO_UDP,
		.inside = link->view[OUT].local,
		.inside_port = load16(at),
		.remote = link->view[IN].peer,
	};
	struct alias_link *expected;

	if (ntohs(wanted.inside_port) < 1024)
		return false;
	expected = expect_add(message->la, link, &wanted);
	if (!expected)
		return false;
	if (text_replace(message, at, at + 2, (const char *)&expected->alias_port, 2))
		return true;
	expect_cancel(message->la, link, &wanted);
	return false;
}

static bool translate(const struct text_place *message)
{
	struct option o = {.at = 5};
	bool changed = false;

	while (next_option(message->text, message->len, &o) && o.id != OPTION_END)
		if ((o.id == OPTION_UDP_PORT || o.id == OPTION_ROBUST) && o.len == 2)
			changed |= translate_port(message, message->text + o.at);
	return changed;
}

static uint32_t resume(const char *text, uint32_t len)
{
	(void)text;
	(void)len;
	return TEXT_NOWHERE;
}

static const struct text_protocol protocol = {measure, translate, resume, HELD_MAX, false};

static void out(struct libalias *la, struct link *link, struct packet *p)
{
	if (!helper_server_inside(link))
		text_run(la, link, p, OUT, &protocol);
}

static enum helper_verdict begins(const uint8_t *first, uint32_t len)
{
	if (memcmp(first, "PNA", len < 3 ? len : 3))
		return HELPER_NO;
	return len < 3 ? HELPER_MAYBE : HELPER_YES;
}

const struct helper helper_pna = {
	.name = "pna",
	.sets = {"smedia", "raudio"},
	.protos = HELPER_TCP,
	.ports = (const uint16_t[]){7070, 7071, 0},
	.streams = {TEXT_STREAM_SIZE(HELD_MAX), 0},
	.begins = begins,
	.out = out,
};
