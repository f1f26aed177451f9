/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One netlink socket to nf_tables: requests, dumps and transactions (libmnl, libnftnl).
 * All calls return 0, or -1 with errno as the kernel gave it.
 */
#ifndef IPMASQ_KERNEL_NETLINK_H
#define IPMASQ_KERNEL_NETLINK_H

#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <stdbool.h>
#include <stdint.h>

#define NETLINK_MESSAGE_MAX (UINT16_MAX + 4096) /* one message, a nest of elements at its end */

struct netlink {
	struct mnl_socket *socket;
	uint32_t sequence;
	char *buffer; /* NETLINK_MESSAGE_MAX bytes for a request and its answers */
	bool patient; /* a dump goes on when other parts of the ruleset change meanwhile */
};

int netlink_open(struct netlink *netlink);
void netlink_close(struct netlink *netlink);

/* A request of `type` (NFT_MSG_*) in the buffer, for the caller to add attributes to. */
struct nlmsghdr *netlink_request(struct netlink *netlink, uint16_t type, uint16_t flags);

/* Sends the request in the buffer; `callback` sees the answer.  errno ENOENT: no such object. */
int netlink_ask(struct netlink *netlink, mnl_cb_t callback, void *data);

/* Sends the dump request in the buffer.  errno EINTR: the objects changed meanwhile. */
int netlink_dump(struct netlink *netlink, mnl_cb_t callback, void *data);

/* The generation of the ruleset. */
int netlink_generation(struct netlink *netlink, uint32_t *generation);

/*
 * The text of attribute `type` in user data as nft(8) writes it (type, length, value), or NULL.
 * User data is anybody's: nothing of it is believed but what lies within `length`.
 */
const char *userdata_text(const void *userdata, size_t length, uint8_t type);

/* A transaction: every message in it takes effect, or none. */
struct transaction {
	struct netlink *netlink;
	const char *table; /* of family inet: what its messages are about */
	struct nftnl_batch *batch;
	uint32_t n_sets; /* numbers the sets that are made in it */
};

/* Begins one about a table that takes effect only in this generation (NULL: in any). */
int transaction_begin(struct transaction *transaction, struct netlink *netlink, const char *table,
		      const uint32_t *generation);

/* A message of `type` for the caller to add attributes to; then transaction_added(). */
struct nlmsghdr *transaction_message(struct transaction *transaction, uint16_t type,
				     uint16_t flags);
int transaction_added(struct transaction *transaction);

/*
 * Sends it.  errno ERESTART: another generation; EMSGSIZE: larger than the socket may send.
 * transaction_end() frees it, sent or not.
 */
int transaction_commit(struct transaction *transaction);
void transaction_end(struct transaction *transaction);

#endif
