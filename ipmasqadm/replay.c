// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/replay.so: a capture file through a rehearsal, and what each flow in it became.
 *
 * Every IPv4 packet of the capture goes through the engine at the time that it was captured at, so
 * time-outs come as they would have come; nothing sleeps.  With -w the packets as they leave are
 * written to another capture, refused ones are left out; whatever is not a whole IPv4 datagram is
 * copied as it is.  A flow is what has the same protocol, addresses and ports in the capture.
 */
#include "command.h"
#include "rehearsal.h"

#include <errno.h>
#include <ipmasq/listing.h>
#include <netinet/ip.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINK_HEADER_MAX 64
#define ETHERTYPE_IPV4  0x0800
#define ETHERTYPE_VLAN  0x8100
#define ETHERTYPE_QINQ  0x88a8

/* The ends of a packet; ports in host byte order, an echo's identifier is its source port. */
struct ends {
	struct in_addr source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol;
};

struct flow {
	struct ends before, after; /* of the first packet */
	uint64_t packets, bytes;
	uint8_t verdict; /* of the first packet */
	char *rule;
	struct flow *next; /* in the order of the capture */
};

struct replay {
	struct session *session;
	const struct arguments *arguments;
	struct rehearsal rehearsal;
	pcap_t *in;
	pcap_dumper_t *out;
	int link;    /* DLT_* of the capture */
	void *index; /* of the flows, tsearch(3) */
	struct flow *first, **end;
	uint32_t now; /* seconds, for the engine */
	uint64_t packets, others, truncated;
	uint64_t verdicts[USER_HOLD + 1];
	struct pcap_pkthdr header; /* of the packet at hand */
	size_t link_length;        /* of its link header, behind which the datagram is aligned: */
	_Alignas(struct iphdr) unsigned char frame[LINK_HEADER_MAX + 65536];
};

struct arguments {
	const char *capture, *output, *rules, *address;
	struct ipmasq_address outside;
};

static const char usage[] = "usage: ipmasqadm replay IN.pcap [-w OUT.pcap] [-r RULES] -i ADDR";

/* Where the value of an option goes; NULL: there is no such option. */
static const char **place_of(struct arguments *arguments, int letter)
{
	switch (letter) {
	case 'w':
		return &arguments->output;
	case 'r':
		return &arguments->rules;
	case 'i':
		return &arguments->address;
	default:
		return NULL;
	}
}

static int take_words(const struct session *session, struct arguments *arguments, int argc,
		      char **argv, struct ipmasq_error *error)
{
	int letter;

	optind = 0; /* the shell calls this more than once */
	opterr = 0;
	while ((letter = getopt(argc, argv, "-:w:r:i:")) != -1) {
		const char **place = place_of(arguments, letter);

		if (letter == ':')
			return ipmasq_usage(error, "-%c needs a value; %s", optopt, usage);
		if (place && *place)
			return ipmasq_usage(error, "-%c is given twice", letter);
		if (letter == 1 && !arguments->capture)
			place = &arguments->capture;
		if (!place)
			return command_wrong_word(session, argv[0],
						  letter == 1 ? optarg : argv[optind - 1], error);
		*place = optarg;
	}
	if (optind < argc)
		return command_wrong_word(session, argv[0], argv[optind], error);
	return 0;
}

static int parse(const struct session *session, int argc, char **argv, struct arguments *arguments,
		 struct ipmasq_error *error)
{
	if (take_words(session, arguments, argc, argv, error) < 0)
		return -1;
	if (!arguments->capture)
		return ipmasq_usage(error, "name the capture file; %s", usage);
	if (!arguments->address)
		return ipmasq_usage(error, "-i with the outside address is needed; %s", usage);
	if (ipmasq_parse_address(&arguments->outside, arguments->address, AF_INET,
				 session->flags.numeric, error) < 0)
		return -1;
	if (ipmasq_address_is_any(&arguments->outside))
		return ipmasq_usage(error, "'%s' is no host's address, which -i needs",
				    arguments->address);
	if (arguments->output && strcmp(arguments->output, "-") == 0)
		return ipmasq_usage(error, "-w needs a file: standard output has the listing");
	return 0;
}

static uint32_t clock_of(void *data)
{
	return *(const uint32_t *)data;
}

static int compare_flows(const void *a, const void *b)
{
	return memcmp(&((const struct flow *)a)->before, &((const struct flow *)b)->before,
		      sizeof(struct ends));
}

/* The flow of these ends, made if it is new; NULL: out of memory. */
static struct flow *flow_of(struct replay *replay, const struct ends *ends)
{
	struct flow *flow = calloc(1, sizeof(*flow)), **node;

	if (!flow)
		return NULL;
	flow->before = *ends;
	node = tsearch(flow, &replay->index, compare_flows);
	if (!node || *node != flow) {
		free(flow);
		return node ? *node : NULL;
	}
	*replay->end = flow;
	replay->end = &flow->next;
	return flow;
}

/* Ports where the datagram has them; a later fragment has none. */
static void ends_of(const unsigned char *data, struct ends *ends)
{
	const struct iphdr *ip = (const void *)data;
	const unsigned char *transport = data + ip->ihl * 4u;
	size_t length = ntohs(ip->tot_len) - ip->ihl * 4u;
	uint16_t ports[3] = {0};

	memset(ends, 0, sizeof(*ends)); /* they are compared with their padding */
	ends->source.s_addr = ip->saddr;
	ends->destination.s_addr = ip->daddr;
	ends->protocol = ip->protocol;
	if (ip->frag_off & htons(IP_OFFMASK) || length < 8)
		return;
	memcpy(ports, transport, sizeof(ports));
	if (ip->protocol == IPPROTO_ICMP) {
		ends->source_port = ntohs(ports[2]);
	} else if (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP ||
		   ip->protocol == IPPROTO_SCTP) {
		ends->source_port = ntohs(ports[0]);
		ends->destination_port = ntohs(ports[1]);
	}
}

static unsigned int type_at(const unsigned char *frame, size_t at)
{
	return (unsigned int)frame[at] << 8 | frame[at + 1];
}

/* How long the link header of a frame with an IPv4 datagram is; -1: there is none in it. */
static int link_header(int link, const unsigned char *frame, size_t length)
{
	size_t at = 12;

	switch (link) {
	case DLT_RAW:
	case DLT_IPV4:
		return 0;
	case DLT_NULL:
	case DLT_LOOP:
		return length < 4 ? -1 : 4;
	case DLT_LINUX_SLL:
		at = SLL_HDR_LEN - 2;
		break;
	case DLT_LINUX_SLL2:
		return length >= SLL2_HDR_LEN && type_at(frame, 0) == ETHERTYPE_IPV4 ? SLL2_HDR_LEN
										     : -1;
	default:
		break;
	}
	while (at + 2 <= length && at < LINK_HEADER_MAX - 4) {
		unsigned int type = type_at(frame, at);

		if (type == ETHERTYPE_IPV4)
			return (int)at + 2;
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ)
			return -1;
		at += 4;
	}
	return -1;
}

static bool link_known(int link)
{
	return link == DLT_RAW || link == DLT_IPV4 || link == DLT_NULL || link == DLT_LOOP ||
	       link == DLT_LINUX_SLL || link == DLT_LINUX_SLL2 || link == DLT_EN10MB;
}

/* Writes the frame whose datagram is `length` bytes now. */
static void write_frame(struct replay *replay, size_t length)
{
	struct pcap_pkthdr header = replay->header;

	header.caplen = header.len = (bpf_u_int32)(replay->link_length + length);
	if (replay->out)
		pcap_dump((unsigned char *)replay->out, &header,
			  replay->frame + LINK_HEADER_MAX - replay->link_length);
}

/* A fragment that was held goes on behind its header. */
static void released(void *arg, unsigned int worker, uint32_t id, void *data, int length)
{
	struct replay *replay = arg;
	struct replay *copy;

	(void)worker;
	(void)id;
	if (!data || !replay->out)
		return;
	copy = malloc(sizeof(*copy)); /* the header's frame is still to be written */
	if (!copy)
		return;
	*copy = *replay;
	memcpy(copy->frame + LINK_HEADER_MAX, data, (size_t)length);
	write_frame(copy, (size_t)length);
	free(copy);
}

static int note_flow(struct replay *replay, const struct ends *before,
		     const struct user_packet *packet, uint64_t bytes)
{
	struct flow *flow = flow_of(replay, before);

	if (!flow)
		return -1;
	if (!flow->packets) {
		flow->verdict = packet->verdict;
		flow->rule = rehearsal_rule_line(packet);
		ends_of(packet->data, &flow->after);
	}
	flow->packets++;
	flow->bytes += bytes;
	return 0;
}

/* A whole datagram at the end of the link header. */
static int translate(struct replay *replay, size_t length)
{
	struct user_packet packet = {
		.data = replay->frame + LINK_HEADER_MAX,
		.size = (int)(sizeof(replay->frame) - LINK_HEADER_MAX),
	};
	struct ends before;

	ends_of(packet.data, &before);
	rehearsal_pass(&replay->rehearsal, &packet);
	replay->verdicts[packet.verdict]++;
	if (packet.verdict == USER_KEEP || packet.verdict == USER_CHANGED)
		write_frame(replay, ntohs(((const struct iphdr *)packet.data)->tot_len));
	return note_flow(replay, &before, &packet, length);
}

static bool is_ipv4(const unsigned char *data, size_t captured)
{
	return captured && data[0] >> 4 == 4;
}

static bool whole(const unsigned char *data, size_t captured, size_t *length)
{
	struct iphdr ip;

	if (captured < sizeof(ip))
		return false;
	memcpy(&ip, data, sizeof(ip)); /* the capture's buffer is not aligned */
	*length = ntohs(ip.tot_len);
	return ip.ihl >= 5 && *length >= ip.ihl * 4u && *length <= captured;
}

static int take_frame(struct replay *replay, const unsigned char *frame)
{
	size_t captured = replay->header.caplen, length;
	int link = link_header(replay->link, frame, captured);

	replay->packets++;
	if ((uint32_t)replay->header.ts.tv_sec > replay->now) { /* packets may be out of order */
		replay->now = (uint32_t)replay->header.ts.tv_sec;
		user_tick(replay->rehearsal.user, 0);
	}
	if (link >= 0 && !is_ipv4(frame + link, captured - (size_t)link))
		link = -1;
	if (link < 0 || captured > sizeof(replay->frame) ||
	    !whole(frame + link, captured - (size_t)link, &length)) {
		replay->others += link < 0;
		replay->truncated += link >= 0;
		if (replay->out)
			pcap_dump((unsigned char *)replay->out, &replay->header, frame);
		return 0;
	}
	replay->link_length = (size_t)link;
	memcpy(replay->frame + LINK_HEADER_MAX - link, frame, (size_t)link + length);
	return translate(replay, length);
}

static enum ipmasq_status fail(struct session *session, const char *what, const char *why)
{
	fprintf(session->err, "replay: cannot %s: %s\n", what, why);
	return IPMASQ_FAILED;
}

/* `why` may be libpcap's, which sometimes begins with the file's name. */
static enum ipmasq_status fail_file(const struct replay *replay, const char *what, const char *name,
				    const char *why)
{
	size_t length = strlen(name);

	if (strncmp(why, name, length) == 0 && strncmp(why + length, ": ", 2) == 0)
		why += length + 2;
	fprintf(replay->session->err, "replay: cannot %s %s: %s\n", what, name, why);
	return IPMASQ_FAILED;
}

static enum ipmasq_status run_capture(struct replay *replay)
{
	struct pcap_pkthdr *header;
	const unsigned char *frame;
	int rc;

	while ((rc = pcap_next_ex(replay->in, &header, &frame)) == 1) {
		replay->header = *header;
		if (take_frame(replay, frame) < 0)
			return fail(replay->session, "keep the flows", "out of memory");
	}
	if (rc == PCAP_ERROR)
		return fail_file(replay, "read", replay->arguments->capture,
				 pcap_geterr(replay->in));
	if (replay->out && pcap_dump_flush(replay->out) != 0)
		return fail_file(replay, "write", replay->arguments->output, strerror(errno));
	return IPMASQ_OK;
}

static const struct ipmasq_column columns[] = {
	{"prot", false},    {"source", false},  {"sport", true},      {"dest", false},
	{"dport", true},    {"verdict", false}, {"newsource", false}, {"newsport", true},
	{"newdest", false}, {"newdport", true}, {"packets", true},    {"bytes", true},
	{"rule", false},
};

/* The cells of one end, text in `room`. */
static void end_cells(const struct ipmasq_context *context, struct in_addr address, uint16_t port,
		      char room[2][64], const char *cells[2])
{
	struct ipmasq_address a = {.family = AF_INET, .in4 = address};

	cells[0] = ipmasq_host_name(context, &a, room[0], sizeof(room[0]));
	snprintf(room[1], sizeof(room[1]), "%u", port);
	cells[1] = room[1];
}

static int list_flow(struct ipmasq_context *context, struct ipmasq_listing *listing,
		     const struct flow *flow)
{
	static const char *const verdicts[] = {"unchanged", "translated", "dropped", "held"};
	const struct ends *after = &flow->after;
	const char *name = ipmasq_protocol_name(flow->before.protocol);
	char room[4][2][64], number[3][24];
	const char *cells[sizeof(columns) / sizeof(columns[0])];

	snprintf(number[0], sizeof(number[0]), "%u", flow->before.protocol);
	snprintf(number[1], sizeof(number[1]), "%llu", (unsigned long long)flow->packets);
	snprintf(number[2], sizeof(number[2]), "%llu", (unsigned long long)flow->bytes);
	cells[0] = name ? name : number[0];
	end_cells(context, flow->before.source, flow->before.source_port, room[0], cells + 1);
	end_cells(context, flow->before.destination, flow->before.destination_port, room[1],
		  cells + 3);
	cells[5] = verdicts[flow->verdict];
	end_cells(context, after->source, after->source_port, room[2], cells + 6);
	end_cells(context, after->destination, after->destination_port, room[3], cells + 8);
	cells[10] = number[1];
	cells[11] = number[2];
	cells[12] = flow->rule ? flow->rule : "-";
	return ipmasq_listing_row(listing, cells, &context->error);
}

static enum ipmasq_status list(struct replay *replay)
{
	struct ipmasq_context context = replay->session->flags;
	struct ipmasq_listing *listing;

	context.out = replay->session->out;
	listing = ipmasq_listing_open(&context, "flows", columns,
				      sizeof(columns) / sizeof(columns[0]));
	if (!listing)
		goto fail;
	for (const struct flow *flow = replay->first; flow; flow = flow->next) {
		if (list_flow(&context, listing, flow) < 0) {
			ipmasq_listing_drop(listing);
			goto fail;
		}
	}
	if (ipmasq_listing_print(listing, &context.error) < 0)
		goto fail;
	if (!context.json)
		fprintf(context.out,
			"%llu packets: %llu translated, %llu unchanged, %llu dropped, %llu held, "
			"%llu not IPv4, %llu cut short by the capture\n",
			(unsigned long long)replay->packets,
			(unsigned long long)replay->verdicts[USER_CHANGED],
			(unsigned long long)replay->verdicts[USER_KEEP],
			(unsigned long long)replay->verdicts[USER_DROP],
			(unsigned long long)replay->verdicts[USER_HOLD],
			(unsigned long long)replay->others, (unsigned long long)replay->truncated);
	return IPMASQ_OK;
fail:
	return fail(replay->session, "list the flows", context.error.text);
}

/* Whether the capture is read from the file of this name, which writing would destroy. */
static bool is_file(pcap_t *capture, const char *name)
{
	struct stat in, out;
	FILE *file = pcap_file(capture);

	return file && fstat(fileno(file), &in) == 0 && stat(name, &out) == 0 &&
	       in.st_dev == out.st_dev && in.st_ino == out.st_ino && S_ISREG(in.st_mode);
}

static enum ipmasq_status open_captures(struct replay *replay)
{
	const char *capture = replay->arguments->capture, *output = replay->arguments->output;
	char text[PCAP_ERRBUF_SIZE] = "";

	replay->in = pcap_open_offline(capture, text);
	if (!replay->in)
		return fail_file(replay, "read", capture, text);
	replay->link = pcap_datalink(replay->in);
	if (!link_known(replay->link)) {
		snprintf(text, sizeof(text), "its link type, %s, is not understood",
			 pcap_datalink_val_to_description_or_dlt(replay->link));
		return fail_file(replay, "read", capture, text);
	}
	if (!output)
		return IPMASQ_OK;
	if (is_file(replay->in, output))
		return fail_file(replay, "write", output, "it is what is read; name another one");
	replay->out = pcap_dump_open(replay->in, output);
	return replay->out ? IPMASQ_OK
			   : fail_file(replay, "write", output, pcap_geterr(replay->in));
}

static enum ipmasq_status replay_all(struct replay *replay)
{
	const struct arguments *arguments = replay->arguments;
	enum ipmasq_status status =
		rehearsal_open(&replay->rehearsal, replay->session, "replay", arguments->rules);

	if (status != IPMASQ_OK)
		return status;
	user_set_clock(replay->rehearsal.user, clock_of, &replay->now);
	user_set_fragment(replay->rehearsal.user, released, replay);
	status = rehearsal_place(&replay->rehearsal, replay->session, NULL, &arguments->outside,
				 arguments->outside.in4);
	if (status == IPMASQ_OK)
		status = open_captures(replay);
	if (status != IPMASQ_OK)
		return status;
	/* Of a capture that breaks off, what there is: tcpdump was killed, or still runs. */
	status = run_capture(replay);
	return list(replay) == IPMASQ_OK ? status : IPMASQ_FAILED;
}

static void replay_free(struct replay *replay)
{
	for (struct flow *flow = replay->first, *next; flow; flow = next) {
		next = flow->next;
		tdelete(flow, &replay->index, compare_flows);
		free(flow->rule);
		free(flow);
	}
	if (replay->out)
		pcap_dump_close(replay->out);
	if (replay->in)
		pcap_close(replay->in);
	rehearsal_close(&replay->rehearsal);
	free(replay);
}

static enum ipmasq_status run(struct session *session, int argc, char **argv)
{
	struct arguments arguments = {0};
	struct ipmasq_error error;
	struct replay *replay;
	enum ipmasq_status status;

	if (parse(session, argc, argv, &arguments, &error) < 0) {
		fprintf(session->err, "replay: %s\n", error.text);
		return error.status;
	}
	replay = calloc(1, sizeof(*replay));
	if (!replay)
		return fail(session, "begin", "out of memory");
	replay->session = session;
	replay->end = &replay->first;
	replay->arguments = &arguments;
	status = replay_all(replay);
	replay_free(replay);
	return status;
}

extern const struct command_part command_part;
const struct command_part command_part = {.run = run};
