// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The links of all workers: in listings, after a change of the rules, and their time-outs.
 *
 * Links are copied out, or looked at, some at a time, so that a worker never waits for whoever
 * prints them, nor long for a commit.
 */
#include "internal.h"

#include <limits.h>
#include <string.h>

#define AT_ONCE 256u

static void set_address(struct ipmasq_address *address, struct in_addr in4)
{
	address->family = AF_INET;
	address->in4 = in4;
}

static bool is_translated(const struct alias_link_info *link)
{
	return link->local_addr.s_addr != link->alias_addr.s_addr ||
	       link->local_port != link->alias_port ||
	       link->dest_addr.s_addr != link->remote_addr.s_addr ||
	       link->dest_port != link->remote_port;
}

static struct ipmasq_connection connection_of(const struct alias_link_info *link)
{
	struct ipmasq_connection connection = {.protocol = link->proto, .expires = link->timeout};

	set_address(&connection.inside, link->local_addr);
	set_address(&connection.outside, link->remote_addr);
	set_address(&connection.alias, link->alias_addr);
	if (link->proto == IPPROTO_TCP || link->proto == IPPROTO_UDP) {
		connection.inside_port = ntohs(link->local_port);
		connection.outside_port = ntohs(link->remote_port);
		connection.alias_port = ntohs(link->alias_port);
	}
	return connection;
}

static bool wanted(const struct ipmasq_connection_filter *filter,
		   const struct ipmasq_connection *connection)
{
	const struct ipmasq_net *net = &filter->inside;
	uint32_t mask = net->bits ? htonl(UINT32_MAX << (32 - net->bits)) : 0;

	if (net->address.family == AF_INET6 ||
	    (net->address.family &&
	     (connection->inside.in4.s_addr & mask) != net->address.in4.s_addr))
		return false;
	return !filter->port || filter->port == connection->inside_port ||
	       filter->port == connection->outside_port || filter->port == connection->alias_port;
}

/* The next few translated links of a worker; 0 at the end. */
static unsigned int next_links(struct worker *worker, unsigned int *cursor,
			       struct alias_link_info links[AT_ONCE])
{
	unsigned int n = 0;

	pthread_mutex_lock(&worker->lock);
	while (n < AT_ONCE && LibAliasNextLink(worker->border, cursor, &links[n]))
		n += is_translated(&links[n]);
	pthread_mutex_unlock(&worker->lock);
	return n;
}

void revise_links(struct user *user,
		  void (*some)(struct libalias *la, unsigned int *cursor, int max,
			       const void *data),
		  const void *data)
{
	for (struct worker *worker = user->workers; worker < user->workers + user->n_workers;
	     worker++) {
		unsigned int cursor = 0;

		while (cursor != UINT_MAX) {
			pthread_mutex_lock(&worker->lock);
			some(worker->border, &cursor, AT_ONCE, data);
			pthread_mutex_unlock(&worker->lock);
		}
	}
}

int user_connections(struct ipmasq_engine *engine, const struct ipmasq_connection_filter *filter,
		     ipmasq_connection_visit visit, void *data, struct ipmasq_error *error)
{
	struct user *user = user_of(engine);
	struct alias_link_info links[AT_ONCE];

	(void)error;
	for (unsigned int w = 0; w < user->n_workers; w++) {
		unsigned int cursor = 0, n;

		while ((n = next_links(&user->workers[w], &cursor, links))) {
			for (unsigned int i = 0; i < n; i++) {
				struct ipmasq_connection connection = connection_of(&links[i]);
				int rc = wanted(filter, &connection) ? visit(&connection, data) : 0;

				if (rc)
					return rc;
			}
		}
	}
	return 0;
}

int user_timeouts(struct ipmasq_engine *engine, const struct ipmasq_timeouts *timeouts,
		  struct ipmasq_error *error)
{
	struct user *user = user_of(engine);
	const struct {
		enum alias_timeout which;
		uint32_t seconds;
	} list[] = {
		{ALIAS_TIMEOUT_TCP_ESTABLISHED, timeouts->tcp},
		{ALIAS_TIMEOUT_TCP_CLOSING, timeouts->tcpfin},
		{ALIAS_TIMEOUT_UDP, timeouts->udp},
	};

	(void)error; /* what a command line can say fits libalias */
	for (unsigned int w = 0; w < user->n_workers; w++) {
		struct worker *worker = &user->workers[w];

		pthread_mutex_lock(&worker->lock);
		for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
			if (!list[i].seconds)
				continue;
			LibAliasSetTimeout(worker->border, list[i].which, list[i].seconds);
			LibAliasSetTimeout(worker->inner, list[i].which, list[i].seconds);
		}
		pthread_mutex_unlock(&worker->lock);
	}
	return 0;
}
