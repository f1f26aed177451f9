/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_rtsp.c - RTSP (RFC 2326): the ports of media that SETUP agrees on.
 *
 * An inside client's SETUP names its ports in Transport: client_port=a-b, and perhaps its address
 * in destination=; both are replaced by those of expectations from the server, and put back in the
 * answer.  An inside server's answer names its ports in server_port=a-b, and perhaps its address in
 * source=; these are replaced by those of expectations from the client.  Media over the control
 * connection (interleaved) and multicast need nothing.
 *
 * It cannot read a connection that is encrypted or in HTTP.  Bodies, and the addresses of an inside
 * server in Content-Base and RTP-Info, stay as they are; a client gets by, since it has a
 * connection.  Media are awaited from the server that is talked to, not from another.
 * Risk: an inside client opens ports of its own, above 1023, to the server that it has chosen.
 */
#include "helper_text.h"

#define HELD_MAX 2048
#define PORTS    4 /* a message */

static const char version[] = "RTSP/1.0";

/* A Transport field that is being rewritten, and what was announced by it. */
struct rewrite {
	const struct text_place *message;
	struct text_out out;
	const char *port_name, *address_name;
	struct expectation wanted[PORTS];
	int announced;
	bool changed;
};

/* The other's view of a port that the inside end names, or the reverse. */
static bool other_port(struct rewrite *r, uint32_t first, bool pair, uint16_t *port)
{
	struct link *link = r->message->link;
	struct alias_link *expected;
	struct expectation *wanted;

	if (r->message->dir == IN) {
		expected = expect_with_port(link, IN, IPPROTO_UDP, htons((uint16_t)first));
		if (expected)
			*port = ntohs(expected->local_port);
		return expected != NULL;
	}
	if (first < 1024 || r->announced == PORTS)
		return false;
	wanted = &r->wanted[r->announced];
	*wanted = (struct expectation){
		.helper = &helper_rtsp,
		.proto = IPPROTO_UDP,
		.pair = pair,
		.inside = link->view[OUT].local,
		.inside_port = htons((uint16_t)first),
		.remote = link->view[IN].peer,
	};
	expected = expect_add(r->message->la, link, wanted);
	if (!expected)
		return false;
	r->announced++;
	*port = ntohs(expected->alias_port);
	return true;
}

/* "=a" or "=a-b", b being the next port; false: it is not that, or has no other view. */
static bool rewrite_ports(struct rewrite *r, struct text_span s)
{
	uint32_t first, last;
	bool pair = false;
	uint16_t port;

	if (!text_char(&s, '=') || !text_number(&s, 65535, &first))
		return false;
	last = first;
	if (text_char(&s, '-')) {
		if (!text_number(&s, 65535, &last) || last - first > 1)
			return false;
		pair = last > first;
	}
	text_blanks(&s);
	if (s.at != s.end || !other_port(r, first, pair, &port))
		return false;
	text_print(&r->out, "%s=%u", r->port_name, port);
	if (pair)
		text_print(&r->out, "-%u", port + 1u);
	return true;
}

static bool rewrite_address(struct rewrite *r, struct text_span s)
{
	const struct link *link = r->message->link;
	uint32_t own = r->message->dir == OUT ? link->view[OUT].local : link->view[IN].local;
	uint32_t other = r->message->dir == OUT ? link->view[IN].local : link->view[OUT].local;
	char text[TEXT_ADDRESS];
	uint32_t addr;

	if (!text_char(&s, '=') || !text_address(&s, &addr) || s.at != s.end || addr != own)
		return false;
	text_print(&r->out, "%s=%s", r->address_name, text_of_address(other, text));
	return true;
}

static void rewrite_parameter(struct rewrite *r, struct text_span s)
{
	const char *blanks = s.at;
	struct text_span value;

	text_blanks(&s);
	text_put(&r->out, blanks, s.at);
	value = s;
	if ((text_word(&value, r->port_name) && rewrite_ports(r, value)) ||
	    (value = s, text_word(&value, r->address_name) && rewrite_address(r, value)))
		r->changed = true;
	else
		text_put(&r->out, s.at, s.end);
}

/* Does the parameter, without its value, occur in the list? */
static bool has_parameter(struct text_span list, const char *name)
{
	do {
		struct text_span s = list;

		text_blanks(&s);
		if (text_word(&s, name) && (s.at == s.end || *s.at == ';' || *s.at == '='))
			return true;
	} while (text_find(&list, ';') && text_char(&list, ';'));
	return false;
}

/* One of the alternatives: the protocol and parameters behind semicolons. */
static void rewrite_transport(struct rewrite *r, struct text_span s)
{
	bool unicast_udp = !has_parameter(s, "multicast") && !has_parameter(s, "interleaved");

	while (s.at < s.end) {
		struct text_span part = s;

		if (text_find(&s, ';')) {
			part.end = s.at++;
		} else {
			s.at = s.end;
		}
		if (unicast_udp)
			rewrite_parameter(r, part);
		else
			text_put(&r->out, part.at, part.end);
		if (part.end < s.end)
			text_put(&r->out, part.end, part.end + 1);
	}
}

static bool rewrite_field(struct rewrite *r, struct text_span value)
{
	const char *from = value.at, *to = value.end;

	while (value.at < value.end) {
		struct text_span part = value;

		if (text_find(&value, ','))
			part.end = value.at++;
		else
			value.at = value.end;
		rewrite_transport(r, part);
		if (part.end < value.end)
			text_put(&r->out, part.end, part.end + 1);
	}
	if (r->changed && !r->out.full &&
	    text_replace(r->message, from, to, r->out.text, r->out.len))
		return true;
	while (r->announced)
		expect_cancel(r->message->la, r->message->link, &r->wanted[--r->announced]);
	return false;
}

/* Are a message's ports to be translated, and by which names? */
static bool names_ports(const struct text_place *message, struct text_span line, struct rewrite *r)
{
	bool server = helper_server_inside(message->link);

	r->port_name = server ? "server_port" : "client_port";
	r->address_name = server ? "source" : "destination";
	if (!server && message->dir == OUT)
		return text_word(&line, "SETUP ");
	return server == (message->dir == OUT) && text_word(&line, version) &&
	       text_word(&line, " 200");
}

static bool translate(const struct text_place *message)
{
	struct text_span s = {message->text, message->text + message->len}, line;
	struct rewrite r = {.message = message};
	char text[1024];

	r.out = (struct text_out){.text = text, .size = sizeof(text)};
	if (!text_line(&s, &line) || !names_ports(message, line, &r))
		return false;
	while (text_line(&s, &line) && line.at < line.end)
		if (text_field(&line, "Transport", NULL))
			return rewrite_field(&r, line);
	return false;
}

static enum text_measure measure(const char *text, uint32_t len, uint32_t *need, uint32_t *total)
{
	if (*text != '$')
		return text_measure_message(version, NULL, text, len, need, total);
	/* A packet of media (section 10.12). */
	if (len < 4)
		return TEXT_MORE;
	*need = 4;
	*total = 4 + ((uint32_t)(uint8_t)text[2] << 8 | (uint8_t)text[3]);
	return TEXT_UNIT;
}

static uint32_t resume(const char *text, uint32_t len)
{
	return text_resume_message(version, text, len);
}

static const struct text_protocol protocol = {measure, translate, resume, HELD_MAX, true};

static void out(struct libalias *la, struct link *link, struct packet *p)
{
	text_run(la, link, p, OUT, &protocol);
}

static void in(struct libalias *la, struct link *link, struct packet *p)
{
	if (!helper_server_inside(link))
		text_run(la, link, p, IN, &protocol);
}

/* HTTP has OPTIONS, too; its first line then shows that it is not RTSP. */
static enum helper_verdict begins(const uint8_t *first, uint32_t len)
{
	static const char *const methods[] = {"OPTIONS ",       "DESCRIBE ",      "SETUP ",
					      "ANNOUNCE ",      "PLAY ",          "RECORD ",
					      "GET_PARAMETER ", "SET_PARAMETER ", NULL};

	return text_begins_with(first, len, methods);
}

const struct helper helper_rtsp = {
	.name = "rtsp",
	.sets = {"smedia", "raudio"},
	.protos = HELPER_TCP,
	.ports = (const uint16_t[]){554, 7070, 0},
	.streams = {TEXT_STREAM_SIZE(HELD_MAX), TEXT_STREAM_SIZE(HELD_MAX)},
	.begins = begins,
	.out = out,
	.in = in,
};
