// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules for the tests; see rules.h. */
#include "rules.h"

#include <arpa/inet.h>
#include <ipmasq/error.h>
#include <stdlib.h>
#include <string.h>

struct ipmasq_address test_address(const char *text)
{
	struct ipmasq_address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton(address.family, text, address.bytes) != 1)
		abort();
	return address;
}

struct ipmasq_match test_match(uint8_t protocol, const char *alias, uint16_t port)
{
	struct ipmasq_match match = {
		.protocol = protocol,
		.alias = test_address(alias),
		.ports = {port, port},
	};

	match.family = match.remote.family = match.alias.family;
	return match;
}

struct ipmasq_target test_target(const char *address, uint16_t port, uint32_t weight)
{
	return (struct ipmasq_target){
		.address = test_address(address),
		.port = port,
		.weight = weight,
		.left = weight,
	};
}

struct ipmasq_rule *test_redirect(const char *owner, const char *alias, uint16_t port)
{
	struct ipmasq_match match = test_match(IPPROTO_TCP, alias, port);
	struct ipmasq_rule *rule = ipmasq_redirect_new(owner, &match);

	if (!rule)
		abort();
	return rule;
}

struct ipmasq_rule *test_pool(const char *alias, uint16_t port, const char *const *addresses,
			      uint32_t n)
{
	struct ipmasq_rule *rule = test_redirect("portfw", alias, port);
	struct ipmasq_error error;

	for (uint32_t i = 0; i < n; i++) {
		struct ipmasq_target target = test_target(addresses[i], 80, IPMASQ_WEIGHT_DEFAULT);

		if (ipmasq_redirect_put_target(&rule->redirect, &target, false, &error) < 0)
			abort();
	}
	return rule;
}

struct ipmasq_rule *test_plain(const char *alias, uint16_t port, const char *host)
{
	return test_pool(alias, port, &host, 1);
}
