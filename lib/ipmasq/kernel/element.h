/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Set elements to and from netlink messages, straight into and out of the message buffers: a
 * table of 50,000 forwards passes through here, so no object is made for each.
 */
#ifndef IPMASQ_KERNEL_ELEMENT_H
#define IPMASQ_KERNEL_ELEMENT_H

#include "netlink.h"
#include "schema.h"

#define ELEMENT_KEY_MAX     64 /* NFT_DATA_VALUE_MAXLEN */
#define ELEMENT_COMMENT_MAX 64

struct element {
	uint8_t key[ELEMENT_KEY_MAX];
	uint32_t key_length;
	uint8_t data[ELEMENT_KEY_MAX];
	uint32_t data_length;              /* 0: none */
	char chain[SCHEMA_NAME_MAX];       /* a verdict map's `goto chain`, empty: none */
	char comment[ELEMENT_COMMENT_MAX]; /* empty: none */
	bool interval_end;
	uint64_t packets, bytes;
	uint64_t expires; /* ms; 0: never; read only */
};

/* Appends a concatenated field, padded to 32 bits as nf_tables wants it. */
void element_key_add(struct element *element, const void *field, uint32_t length);
void element_data_add(struct element *element, const void *field, uint32_t length);

/* Adds to, or deletes from, one set after the other in as few messages as possible. */
struct element_writer {
	struct transaction *transaction;
	uint16_t type; /* NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM */
	char set[SCHEMA_NAME_MAX];
	uint32_t set_id;          /* of a set that the same transaction makes, or 0 */
	struct nlmsghdr *message; /* the open one, or NULL */
	struct nlattr *list;
};

int element_write(struct element_writer *writer, const char *set, uint32_t set_id,
		  const struct element *element);
int element_writer_close(struct element_writer *writer);

/* Called for an element; anything but 0 ends the reading. */
typedef int (*element_visit)(const struct element *element, void *data);

/* Reads all elements.  errno ENOENT: no such set; EINTR: they changed meanwhile. */
int element_dump(struct netlink *netlink, const char *set, element_visit visit, void *data);

/* Reads the one with this key.  errno ENOENT: no such element, or set. */
int element_get(struct netlink *netlink, const char *set, const struct element *key,
		element_visit visit, void *data);

#endif
