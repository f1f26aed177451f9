/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules for the tests, written in one line. */
#ifndef TESTS_RULES_H
#define TESTS_RULES_H

#include <ipmasq/rule.h>

struct ipmasq_address test_address(const char *text);

/* What a redirect of `protocol` for one port matches. */
struct ipmasq_match test_match(uint8_t protocol, const char *alias, uint16_t port);

struct ipmasq_target test_target(const char *address, uint16_t port, uint32_t weight);

/* A redirect of `owner` without targets, TCP. */
struct ipmasq_rule *test_redirect(const char *owner, const char *alias, uint16_t port);

/* The same with `n` targets ADDRESSES[i]:80 of weight 10, the first at the head. */
struct ipmasq_rule *test_pool(const char *alias, uint16_t port, const char *const *addresses,
			      uint32_t n);

/* A redirect of portfw to one host, port 80, weight 10. */
struct ipmasq_rule *test_plain(const char *alias, uint16_t port, const char *host);

#endif
