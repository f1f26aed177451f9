/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_links.c - what a packet costs, phase by phase: that of a new link, of one that is there,
 * one by one and in batches, of a stranger, and with helpers that change the stream or watch other
 * ports.
 */
#include "engine.h"
#include "engine_packets.h"

#include <stdio.h>
#include <netinet/tcp.h>

#define HELPED_MAX 2000000u /* links with a helper are not small */

static void ftp_syn(uint8_t *p, uint32_t flow)
{
	tcp_packet(p, inside_of(flow), port_of(flow), remote_of(flow), 21, TH_SYN, 99, "");
}

static void ftp_command(uint8_t *p, uint32_t flow)
{
	char text[64];
	uint32_t a = inside_of(flow);

	snprintf(text, sizeof(text), "PORT %u,%u,%u,%u,100,1\r\n", a >> 24, a >> 16 & 255,
		 a >> 8 & 255, a & 255);
	tcp_packet(p, a, port_of(flow), remote_of(flow), 21, TH_ACK, 100, text);
}

static void ftp_data(uint8_t *p, uint32_t flow)
{
	tcp_packet(p, inside_of(flow), port_of(flow), remote_of(flow), 21, TH_ACK, 200, "NOOP\r\n");
}

static void ftp_answer(uint8_t *p, uint32_t flow)
{
	tcp_packet(p, remote_of(flow), 21, ALIAS_ADDRESS, port_of(flow), TH_ACK, 300, "200 OK\r\n");
	put32(p + 28, 206); /* what ftp_data() has sent, and so what was changed */
}

static void run_helped(uint32_t n, double plain)
{
	double bound = n >= 1000000 ? 2.5 : 3;
	uint32_t rounds = (REPEAT + n - 1) / n;
	struct libalias *la = engine();

	LibAliasSetHelper(la, "ftp", 0, 1);
	singly(la, n, 0, ftp_syn, LibAliasOut, PKT_ALIAS_OK);
	singly(la, n, 0, ftp_command, LibAliasOut, PKT_ALIAS_OK);
	report("TCP data out, shifted by a helper",
	       singly(la, n, rounds, ftp_data, LibAliasOut, PKT_ALIAS_OK), plain, bound);
	report("TCP data in, shifted by a helper",
	       singly(la, n, rounds, ftp_answer, LibAliasIn, PKT_ALIAS_OK), plain, bound);
	LibAliasUninit(la);
	report_refused(n);
}

static void set_helpers(struct libalias *la, int enable)
{
	static const char *const names[] = {"cuseeme", "ftp",  "irc", "netbios", "pna",  "pptp",
					    "quake",   "rtsp", "sip", "skinny",  "tftp", "vdolive"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		refused += LibAliasSetHelper(la, names[i], 0, enable) != 0;
}

static void report_more(const char *phase, const double ns[2])
{
	printf("  %-36s %8.1f ns  %+5.1f ns (bound 1)%s\n", phase, ns[1], ns[1] - ns[0],
	       ns[1] - ns[0] > 1 ? "  BEYOND" : "");
}

/* What helpers on other ports cost the links of an instance: without and with all, by turns. */
static void run_watched(uint32_t n, struct libalias *la, double plain)
{
	double new[2] = {1e9, 1e9}, out[2] = {1e9, 1e9}, in[2] = {1e9, 1e9}, ns;
	uint32_t rounds = (REPEAT + n - 1) / n;

	for (int turn = 0; turn < 2 * TRIES; turn++) {
		int with = turn & 1;

		set_helpers(la, with);
		for (int i = 0; i < (n >= 1000000 ? 1 : 16); i++) {
			LibAliasReset(la);
			ns = singly(la, n, 0, flow_out, LibAliasOut, PKT_ALIAS_OK);
			new[with] = ns < new[with] ? ns : new[with];
		}
		ns = singly(la, n, rounds, flow_out, LibAliasOut, PKT_ALIAS_OK);
		out[with] = ns < out[with] ? ns : out[with];
		ns = singly(la, n, rounds, flow_in, LibAliasIn, PKT_ALIAS_OK);
		in[with] = ns < in[with] ? ns : in[with];
	}
	report("new link, all helpers loaded", new[1], plain, 6);
	report_more("existing out, all helpers loaded", out);
	report_more("existing in, all helpers loaded", in);
	report_refused(n);
}

void run_size(uint32_t n)
{
	bool large = n >= 1000000;
	uint32_t rounds = (REPEAT + n - 1) / n;
	double plain = floor_run(n, false), huge = floor_run(n, true), ns;
	struct alias_stats stats;
	struct libalias *la;

	printf("%u links: floor %.1f ns (in huge pages %.1f ns)\n", n, plain, huge);
	la = engine();
	ns = 1e9;
	for (int i = 0; i < (large ? TRIES : 16); i++) {
		double one;

		LibAliasReset(la);
		one = singly(la, n, 0, flow_out, LibAliasOut, PKT_ALIAS_OK);
		ns = one < ns ? one : ns;
	}
	report("new link", ns, plain, 6);
	report("existing out", singly(la, n, rounds, flow_out, LibAliasOut, PKT_ALIAS_OK), plain,
	       large ? 2 : 2.5);
	report("existing in", singly(la, n, rounds, flow_in, LibAliasIn, PKT_ALIAS_OK), plain,
	       large ? 2 : 2.5);
	report("existing out, batched", batched(la, n, rounds, flow_out, LibAliasOutBatch), plain,
	       large ? 0.7 : 0);
	report("existing in, batched", batched(la, n, rounds, flow_in, LibAliasInBatch), plain,
	       large ? 0.7 : 0);
	LibAliasSetMode(la, PKT_ALIAS_DENY_INCOMING, PKT_ALIAS_DENY_INCOMING);
	report("stranger refused", singly(la, n, rounds, stranger, LibAliasIn, PKT_ALIAS_IGNORED),
	       plain, 2);
	LibAliasGetStats(la, &stats);
	printf("  %-36s %8.1f bytes  (bound 128)%s\n", "memory of a link",
	       (double)stats.bytes / stats.links,
	       stats.bytes > stats.links * 128ull && n > 1000 ? "  BEYOND" : "");
	report_refused(n);
	run_watched(n, la, plain);
	LibAliasUninit(la);
	if (n <= HELPED_MAX)
		run_helped(n, plain);
}
