/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * punch.c - what ipmasqd does about PKT_ALIAS_PUNCH_FW, for holes.sh: libalias with the kernel's
 * holes.
 *
 *	punch MARK BASE COUNT
 *
 * It has an inside host, 10.0.0.11, tell the remote one, 198.51.100.2, of connections, in packets
 * that it hands to libalias, and does what the lines that it reads say; it answers with a line,
 * first with "ready" and its pid:
 *
 *	ftp PORT        the remote host's port 20 has connected to PORT inside
 *	call NUMBER     a call of PPTP with this number inside
 *	end-call NUMBER it ends
 *	end             all links end
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <alias.h>
#include <ipmasq/error.h>
#include <kernel/holes.h>

#define INSIDE "10.0.0.11"
#define ALIAS  "198.51.100.1"
#define REMOTE "198.51.100.2"

static struct libalias *la;
static uint32_t now = 1000;

static uint32_t read_clock(void *arg)
{
	(void)arg;
	return now;
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A TCP segment through libalias; the checksums are of no account here. */
static int pass(bool out, unsigned int sport, unsigned int dport, uint8_t flags,
		unsigned int number, const void *data, size_t len)
{
	uint8_t p[1500] = {0x45};

	put16(p + 2, (unsigned int)(40 + len));
	p[8] = 64;
	p[9] = IPPROTO_TCP;
	inet_pton(AF_INET, out ? INSIDE : REMOTE, p + 12);
	inet_pton(AF_INET, out ? REMOTE : ALIAS, p + 16);
	put16(p + 20, sport);
	put16(p + 22, dport);
	put16(p + 26, number);
	p[32] = 0x50;
	p[33] = flags;
	if (len)
		memcpy(p + 40, data, len);
	return out ? LibAliasOut(la, p, sizeof(p)) : LibAliasIn(la, p, sizeof(p));
}

static bool ftp(unsigned int port)
{
	static unsigned int source = 4000;
	char line[64];
	int len = snprintf(line, sizeof(line), "PORT 10,0,0,11,%u,%u\r\n", port >> 8, port & 255);

	source++;
	pass(true, source, 21, TH_SYN, 99, NULL, 0);
	pass(false, 21, source, TH_SYN | TH_ACK, 99, NULL, 0);
	pass(true, source, 21, TH_ACK, 100, "USER a\r\n", 8);
	pass(true, source, 21, TH_ACK, 108, line, (size_t)len);
	return pass(false, 20, port, TH_SYN, 1, NULL, 0) == PKT_ALIAS_OK;
}

/* A control message of PPTP with two numbers. */
static size_t message(uint8_t *m, unsigned int type, size_t len, unsigned int a, unsigned int b)
{
	static const uint8_t magic[] = {0x1a, 0x2b, 0x3c, 0x4d};

	memset(m, 0, len);
	put16(m, (unsigned int)len);
	put16(m + 2, 1);
	memcpy(m + 4, magic, sizeof(magic));
	put16(m + 8, type);
	put16(m + 12, a);
	put16(m + 14, b);
	return len;
}

static unsigned int seq[2]; /* of the control connection, by direction; 0: there is none */

static bool control(bool out, unsigned int type, size_t len, unsigned int a, unsigned int b)
{
	uint8_t m[256];
	bool done;

	message(m, type, len, a, b);
	if (type == 8)
		m[16] = 1; /* connected */
	done = pass(out, out ? 3000 : 1723, out ? 1723 : 3000, TH_ACK, seq[out], m, len) ==
	       PKT_ALIAS_OK;
	seq[out] += (unsigned int)len;
	return done;
}

static bool call(unsigned int number)
{
	if (!seq[0]) {
		pass(true, 3000, 1723, TH_SYN, 99, NULL, 0);
		pass(false, 1723, 3000, TH_SYN | TH_ACK, 99, NULL, 0);
		seq[0] = seq[1] = 100;
		control(true, 1, 156, 0, 0);
		control(false, 2, 156, 0, 0);
	}
	control(true, 7, 168, number, 0);
	return control(false, 8, 32, number + 1000, number);
}

/* The call is disconnected, and GRE may come for a minute yet. */
static bool end_call(unsigned int number)
{
	bool done = control(false, 13, 148, number + 1000, 0);

	now += 61;
	LibAliasExpire(la, 1000);
	return done;
}

static bool obey(const char *line)
{
	unsigned int port;

	if (sscanf(line, "ftp %u", &port) == 1 && port > 1023 && port < 65536)
		return ftp(port);
	if (sscanf(line, "call %u", &port) == 1)
		return call(port);
	if (sscanf(line, "end-call %u", &port) == 1)
		return end_call(port);
	if (strcmp(line, "end\n") != 0)
		return false;
	LibAliasReset(la);
	seq[0] = seq[1] = 0;
	return true;
}

int main(int argc, char **argv)
{
	struct ipmasq_error error;
	struct ipmasq_holes *holes;
	struct in_addr alias;
	char line[64];

	if (argc != 4)
		return 2;
	if (ipmasq_holes_open(&holes, (uint32_t)strtoul(argv[1], NULL, 0), &error)) {
		fprintf(stderr, "punch: %s\n", error.text);
		return 1;
	}
	la = LibAliasInit(NULL);
	inet_pton(AF_INET, ALIAS, &alias);
	LibAliasSetClock(la, read_clock, NULL);
	LibAliasSetAddress(la, alias);
	LibAliasSetMode(la, 0, PKT_ALIAS_USE_SOCKETS);
	LibAliasSetHelper(la, "ftp", 0, 1);
	LibAliasSetHelper(la, "pptp", 0, 1);
	LibAliasSetFirewall(la, &ipmasq_holes_firewall, holes);
	LibAliasSetFWBase(la, (unsigned int)atoi(argv[2]), (unsigned int)atoi(argv[3]));
	LibAliasSetMode(la, PKT_ALIAS_PUNCH_FW, PKT_ALIAS_PUNCH_FW);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		puts(obey(line) ? "done" : "failed");
		fflush(stdout);
	}
	LibAliasUninit(la);
	ipmasq_holes_close(holes);
	return 0;
}
