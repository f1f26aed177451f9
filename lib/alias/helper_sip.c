/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_sip.c - SIP (RFC 3261) over UDP and TCP: where calls are signalled and media go.
 *
 * The sender's own address and port in Via, Contact, Record-Route and Route of what leaves become
 * those of the alias, and the alias in these, and in the request's address, of what comes in
 * becomes the inside end, so that each end sees its own.  Session descriptions that leave are for
 * helper_sdp.c; Content-Length follows.  From, To, Call-ID and all the rest stay.  A Contact or Via
 * with another port than the connection's makes that port await the peer.  Over TCP helper_stream.c
 * puts messages together; in a datagram there is one.
 *
 * It cannot read what is encrypted, compressed or in several parts, nor messages of more than 8 KB,
 * over TCP 4 KB; host names are left to who resolves them.  Phones that care for NAT themselves
 * (STUN, ICE, rport) do better without it.
 * Risk: media are awaited from anyone, as nobody knows from where they come; whoever can have an
 * inside host send a message of his choice to port 5060 opens ports of that host above 1023.
 */
#include "helper_sip.h"

#define HELD_MAX     4096
#define MESSAGE_MAX  8192
#define DEFAULT_PORT 5060
#define CONTACT_TIME 3600 /* seconds that a registration holds, usually */

static const char version[] = "SIP/2.0";

struct alias_link *sip_announce(struct sip_message *m, struct expectation wanted)
{
	struct alias_link *expected;

	if (m->announced_count == SIP_ANNOUNCED)
		return NULL;
	wanted.helper = &helper_sip;
	wanted.inside = m->place->link->view[OUT].local;
	expected = expect_add(m->place->la, m->place->link, &wanted);
	if (expected) {
		m->announced[m->announced_count++] = wanted;
		m->changed = true;
	}
	return expected;
}

/* The other end's view of a port for signalling; 0: it has none. */
static uint16_t other_port(struct sip_message *m, uint32_t port)
{
	const struct link *link = m->place->link;
	enum direction dir = m->place->dir;
	struct expectation wanted = {.proto = link->proto,
				     .inside_port = htons((uint16_t)port),
				     .remote = link->view[IN].peer,
				     .timeout = CONTACT_TIME};
	struct alias_link *r;

	if (port == ntohs(link->view[dir].local_port))
		return ntohs(link->view[!dir].local_port);
	if (dir == IN) {
		r = expect_with_port(link, IN, link->proto, wanted.inside_port);
		return r ? ntohs(r->local_port) : 0;
	}
	r = port < 1024 ? NULL : sip_announce(m, wanted);
	return r ? ntohs(r->alias_port) : 0;
}

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '.' || c == '-' || c == '_';
}

/* The sender's own address, and its port if it has one, is at s: writes the other's. */
static bool rewrite_host(struct sip_message *m, struct text_span *s, bool parameter,
			 struct text_out *out)
{
	struct text_span at = *s, colon;
	uint32_t addr, port = DEFAULT_PORT;
	char text[TEXT_ADDRESS];
	bool given = false;
	uint16_t other;

	if (!text_address(&at, &addr) || addr != m->own || (at.at < at.end && is_name(*at.at)))
		return false;
	colon = at;
	if (text_char(&colon, ':') && text_number(&colon, 65535, &port)) {
		given = true;
		at = colon;
	}
	other = parameter ? 0 : other_port(m, port);
	/* What comes in without a port is for the inside end all the same. */
	if (!other && !parameter && (given || m->place->dir == OUT))
		return false;
	text_print(out, "%s", text_of_address(m->other, text));
	if (other && (given || other != DEFAULT_PORT))
		text_print(out, ":%u", other);
	m->changed = true;
	*s = at;
	return true;
}

/* "rport=PORT", which the other end has put into Via. */
static bool rewrite_rport(struct sip_message *m, struct text_span *s, struct text_out *out)
{
	const struct link *link = m->place->link;
	struct text_span at = *s;
	uint32_t port;

	if (m->place->dir != IN || !text_word(&at, ";rport=") || !text_number(&at, 65535, &port) ||
	    port != ntohs(link->view[IN].local_port))
		return false;
	text_print(out, ";rport=%u", ntohs(link->view[OUT].local_port));
	m->changed = true;
	*s = at;
	return true;
}

/* Writes a field's value or a request's first line, the sender's own addresses replaced. */
static void rewrite_value(struct sip_message *m, struct text_span s, struct text_out *out)
{
	char before = ' ';

	while (s.at < s.end) {
		if (*s.at == ';' && rewrite_rport(m, &s, out)) {
			before = '0';
		} else if (*s.at >= '0' && *s.at <= '9' && !is_name(before) &&
			   rewrite_host(m, &s, before == '=', out)) {
			before = '0';
		} else {
			before = *s.at;
			text_put(out, s.at, s.at + 1);
			s.at++;
		}
	}
}

static bool names_hosts(struct text_span *line)
{
	static const struct {
		const char *name, *brief;
	} fields[] = {{"Via", "v"}, {"Contact", "m"}, {"Record-Route", NULL}, {"Route", NULL}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (text_field(line, fields[i].name, fields[i].brief))
			return true;
	return false;
}

/* Writes the header, with the body's new length where it says one. */
static void rewrite_header(struct sip_message *m, struct text_span header, uint32_t body_len,
			   struct text_out *out)
{
	struct text_span line, value;
	bool first = true;

	while (text_line(&header, &line)) {
		value = line;
		if (first ? m->place->dir == IN : names_hosts(&value)) {
			text_put(out, line.at, value.at);
			rewrite_value(m, value, out);
		} else if (text_field(&value, "Content-Length", "l")) {
			text_put(out, line.at, value.at);
			text_print(out, " %u", body_len);
		} else {
			text_put(out, line.at, line.end);
		}
		text_put(out, line.end, header.at);
		first = false;
	}
}

static bool has_description(struct text_span header)
{
	struct text_span line;

	while (text_line(&header, &line))
		if (text_field(&line, "Content-Type", "c")) {
			text_blanks(&line);
			return text_word(&line, "application/sdp");
		}
	return false;
}

static bool replace_message(struct sip_message *m, const struct text_out *out)
{
	const struct text_place *place = m->place;

	if (!m->changed)
		return false;
	if (!out->full &&
	    text_replace(place, place->text, place->text + place->len, out->text, out->len))
		return true;
	while (m->announced_count)
		expect_cancel(place->la, place->link, &m->announced[--m->announced_count]);
	return false;
}

static bool translate(const struct text_place *place)
{
	const struct link *link = place->link;
	struct sip_message m = {.place = place,
				.own = link->view[place->dir].local,
				.other = link->view[!place->dir].local};
	char text[MESSAGE_MAX], described[MESSAGE_MAX];
	struct text_out out = {text, 0, sizeof(text), false};
	struct text_out body_out = {described, 0, sizeof(described), false};
	uint32_t header_len = text_header(place->text, place->len);
	uint32_t body_len = place->len - header_len;
	struct text_span header = {place->text, place->text + header_len};
	struct text_span body;

	if (!header_len ||
	    !text_header_number(place->text, header_len, "Content-Length", "l", &body_len))
		return false;
	if (body_len > place->len - header_len)
		body_len = place->len - header_len;
	body = (struct text_span){header.end, header.end + body_len};
	if (place->dir == OUT && has_description(header))
		sdp_rewrite(&m, body, &body_out);
	else
		text_put(&body_out, body.at, body.end);
	rewrite_header(&m, header, body_out.len, &out);
	text_put(&out, body_out.text, body_out.text + body_out.len);
	text_put(&out, body.end, place->text + place->len);
	out.full |= body_out.full;
	return replace_message(&m, &out);
}

/* A message counts once it is there as a whole, because its header has the body's length. */
static enum text_measure measure(const char *text, uint32_t len, uint32_t *need, uint32_t *total)
{
	enum text_measure result = text_measure_message(version, "l", text, len, need, total);

	if (result == TEXT_UNIT)
		*need = *total;
	return result;
}

static uint32_t resume(const char *text, uint32_t len)
{
	return text_resume_message(version, text, len);
}

static const struct text_protocol protocol = {measure, translate, resume, HELD_MAX, true};

static void run(struct libalias *la, struct link *link, struct packet *p, enum direction dir)
{
	struct text_place place = {.la = la, .link = link, .p = p, .dir = dir};

	if (p->proto == IPPROTO_TCP) {
		text_run(la, link, p, dir, &protocol);
		return;
	}
	place.text = (const char *)helper_payload(p, &place.offset, &place.len);
	if (resume(place.text, place.len) == 0)
		translate(&place);
}

static void out(struct libalias *la, struct link *link, struct packet *p)
{
	run(la, link, p, OUT);
}

static void in(struct libalias *la, struct link *link, struct packet *p)
{
	run(la, link, p, IN);
}

/* HTTP has OPTIONS, too; its first line then shows that it is not SIP. */
static enum helper_verdict begins(const uint8_t *first, uint32_t len)
{
	static const char *const words[] = {
		"INVITE ",  "REGISTER ",  "OPTIONS ", "ACK ",     "BYE ",    "CANCEL ",
		"MESSAGE ", "SUBSCRIBE ", "NOTIFY ",  "PUBLISH ", "UPDATE ", "INFO ",
		"PRACK ",   "REFER ",     "SIP/2.0 ", "\r\n",     NULL};

	return text_begins_with(first, len, words);
}

const struct helper helper_sip = {
	.name = "sip",
	.protos = HELPER_TCP | HELPER_UDP,
	.ports = (const uint16_t[]){5060, 0},
	.streams = {TEXT_STREAM_SIZE(HELD_MAX), TEXT_STREAM_SIZE(HELD_MAX)},
	.begins = begins,
	.out = out,
	.in = in,
};
