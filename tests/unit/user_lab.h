/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user engine in the tests: command lines of every plugin go in, packets built in memory go
 * through, on a clock that stands until the test moves it.
 *
 * The machine has an outside interface, eth0, with the address 198.51.100.1, and the addresses
 * 198.51.100.9 and 10.0.0.1 (inside).
 */
#ifndef TESTS_USER_LAB_H
#define TESTS_USER_LAB_H

#include "net.h" /* of libalias's tests: packets */

#include <ipmasq/connections.h>
#include <ipmasq/error.h>
#include <ipmasq/plugin.h>
#include <user/user.h>

#define SECOND  "198.51.100.9"
#define GATEWAY "10.0.0.1"
#define CLIENT  REMOTE

struct lab {
	struct user *user;
	struct ipmasq_engine *engine; /* of the commands */
	uint32_t now;
	struct ipmasq_error error; /* of the last command */
	char *output;              /* likewise */
	uint8_t packet[65536];
	uint32_t mark; /* of the packets to come */
	bool onward;
	/* Around each commit, unless NULL: *allocations is set to `allow`, then to -1. */
	int *allocations, allow;
	/* What was held and is known by now. */
	unsigned int n_released, n_dropped;
	uint8_t released[2048];
};

/* Each case has it anew. */
extern struct lab lab;

#define one_worker(f)   cmocka_unit_test_setup_teardown(f, lab_setup_one, lab_teardown)
#define four_workers(f) cmocka_unit_test_setup_teardown(f, lab_setup_four, lab_teardown)
int lab_setup_one(void **state);
int lab_setup_four(void **state);
int lab_teardown(void **state);

/* For a case that starts the engine again. */
void lab_open(unsigned int workers);
void lab_close(void);

/* Runs a command line of any plugin and commits; its exit status. */
int lab_run(const char *line);
/* It must succeed. */
void lab_ok(const char *line);
/* It must fail, say these words, and change nothing. */
void lab_refused(const char *line, const char *words);
/* The lines of the last output behind the headings, with one blank between words. */
void lab_lists(const char *line, const char *rows);
/* The command lines that make all rules of the plugin again. */
void lab_rules(const char *plugin, const char *lines);

/* Sends what is in lab.packet; the checksums must be right before and after. */
enum user_verdict lab_send(enum user_hook hook);
enum user_verdict lab_udp(enum user_hook hook, struct ends ends);
enum user_verdict lab_tcp(enum user_hook hook, uint8_t flags, struct ends ends);

/*
 * A packet goes this way, and is this then; USER_KEEP is meant if `after` is what it was.  protocol
 * is IPPROTO_UDP or, for a SYN, IPPROTO_TCP.
 */
#define lab_becomes(hook, protocol, before, after) \
	lab_becomes_at(hook, protocol, before, after, __FILE__, __LINE__)
void lab_becomes_at(enum user_hook hook, uint8_t protocol, struct ends before, struct ends after,
		    const char *file, int line);

#define from_outside(protocol, before, after) \
	lab_becomes(USER_FROM_OUTSIDE, protocol, before, after)
#define to_outside(protocol, before, after) lab_becomes(USER_TO_OUTSIDE, protocol, before, after)

/* Where a new connection from this port of a client outside goes; "" if nowhere. */
const char *lab_served_by(uint8_t protocol, uint16_t from, uint16_t to);

uint32_t lab_links(void);

#endif
