// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Set elements on the wire (NFTA_SET_ELEM_*).
 *
 * Writing: elements of one set are gathered in one message until its nest of elements nears
 * the 64 KiB that a netlink attribute can have.  Reading: every attribute is checked for its
 * length before it is used; what we do not know is skipped.
 */
#include "element.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_FULL 60000u /* leaves room for one more element below 64 KiB */

static void field_add(uint8_t *bytes, uint32_t *used, const void *field, uint32_t length)
{
	memset(bytes + *used, 0, (length + 3u) & ~3u);
	memcpy(bytes + *used, field, length);
	*used += (length + 3u) & ~3u;
}

void element_key_add(struct element *element, const void *field, uint32_t length)
{
	field_add(element->key, &element->key_length, field, length);
}

void element_data_add(struct element *element, const void *field, uint32_t length)
{
	field_add(element->data, &element->data_length, field, length);
}

static void put_value(struct nlmsghdr *message, uint16_t type, const void *value, uint32_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put(message, NFTA_DATA_VALUE, length, value);
	mnl_attr_nest_end(message, nest);
}

static void put_goto(struct nlmsghdr *message, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_GOTO));
	mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(message, verdict);
	mnl_attr_nest_end(message, data);
}

static void put_counter(struct nlmsghdr *message, uint64_t packets, uint64_t bytes)
{
	struct nlattr *expression = mnl_attr_nest_start(message, NFTA_SET_ELEM_EXPR);
	struct nlattr *data;

	mnl_attr_put_strz(message, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
	mnl_attr_put_u64(message, NFTA_COUNTER_BYTES, htobe64(bytes));
	mnl_attr_put_u64(message, NFTA_COUNTER_PACKETS, htobe64(packets));
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, expression);
}

static void put_comment(struct nlmsghdr *message, const char *comment)
{
	/* nft(8)'s user data: type, length, value. */
	uint8_t data[2 + ELEMENT_COMMENT_MAX];
	size_t length = strlen(comment) + 1;

	data[0] = NFTNL_UDATA_SET_ELEM_COMMENT;
	data[1] = (uint8_t)length;
	memcpy(data + 2, comment, length);
	mnl_attr_put(message, NFTA_SET_ELEM_USERDATA, 2 + length, data);
}

static void put_element(struct nlmsghdr *message, const struct element *element, bool key_only)
{
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	if (element->interval_end)
		mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	put_value(message, NFTA_SET_ELEM_KEY, element->key, element->key_length);
	if (element->data_length && !key_only)
		put_value(message, NFTA_SET_ELEM_DATA, element->data, element->data_length);
	if (element->chain[0] && !key_only)
		put_goto(message, element->chain);
	if ((element->packets || element->bytes) && !key_only)
		put_counter(message, element->packets, element->bytes);
	if (element->comment[0] && !key_only)
		put_comment(message, element->comment);
	mnl_attr_nest_end(message, nest);
}

static void put_set(struct nlmsghdr *message, const char *table, const char *set)
{
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
}

int element_writer_close(struct element_writer *writer)
{
	if (!writer->message)
		return 0;
	mnl_attr_nest_end(writer->message, writer->list);
	writer->message = NULL;
	return transaction_added(writer->transaction);
}

int element_write(struct element_writer *writer, const char *set, uint32_t set_id,
		  const struct element *element)
{
	bool add = writer->type == NFT_MSG_NEWSETELEM;

	if (writer->message && (strcmp(writer->set, set) != 0 || writer->set_id != set_id ||
				writer->message->nlmsg_len > MESSAGE_FULL)) {
		if (element_writer_close(writer) < 0)
			return -1;
	}
	if (!writer->message) {
		snprintf(writer->set, sizeof(writer->set), "%s", set);
		writer->set_id = set_id;
		writer->message = transaction_message(writer->transaction, writer->type,
						      add ? NLM_F_CREATE | NLM_F_EXCL : 0);
		put_set(writer->message, writer->transaction->table, set);
		if (set_id)
			mnl_attr_put_u32(writer->message, NFTA_SET_ELEM_LIST_SET_ID, htonl(set_id));
		writer->list = mnl_attr_nest_start(writer->message, NFTA_SET_ELEM_LIST_ELEMENTS);
	}
	put_element(writer->message, element, !add);
	return 0;
}

/* Copies the NFTA_DATA_VALUE, or the chain of the NFTA_DATA_VERDICT, in `attribute`. */
static void read_data(const struct nlattr *attribute, uint8_t *value, uint32_t *length, char *chain)
{
	const struct nlattr *inner, *part;

	mnl_attr_for_each_nested(inner, attribute) {
		uint16_t size = mnl_attr_get_payload_len(inner);

		if (mnl_attr_get_type(inner) == NFTA_DATA_VALUE && size <= ELEMENT_KEY_MAX) {
			memcpy(value, mnl_attr_get_payload(inner), size);
			*length = size;
		} else if (mnl_attr_get_type(inner) == NFTA_DATA_VERDICT && chain) {
			mnl_attr_for_each_nested(part, inner) {
				if (mnl_attr_get_type(part) == NFTA_VERDICT_CHAIN &&
				    mnl_attr_validate(part, MNL_TYPE_NUL_STRING) == 0)
					snprintf(chain, SCHEMA_NAME_MAX, "%s",
						 mnl_attr_get_str(part));
			}
		}
	}
}

static void read_counter(const struct nlattr *attribute, struct element *element)
{
	const struct nlattr *inner, *value;

	mnl_attr_for_each_nested(inner, attribute) {
		if (mnl_attr_get_type(inner) != NFTA_EXPR_DATA)
			continue;
		mnl_attr_for_each_nested(value, inner) {
			if (mnl_attr_validate(value, MNL_TYPE_U64) < 0)
				continue;
			if (mnl_attr_get_type(value) == NFTA_COUNTER_BYTES)
				element->bytes = be64toh(mnl_attr_get_u64(value));
			else if (mnl_attr_get_type(value) == NFTA_COUNTER_PACKETS)
				element->packets = be64toh(mnl_attr_get_u64(value));
		}
	}
}

static void read_comment(const struct nlattr *attribute, struct element *element)
{
	const char *text =
		userdata_text(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute),
			      NFTNL_UDATA_SET_ELEM_COMMENT);

	if (text)
		snprintf(element->comment, sizeof(element->comment), "%s", text);
}

static void read_element(const struct nlattr *nest, struct element *element)
{
	const struct nlattr *attribute;

	/* The big arrays are only valid as far as their lengths say. */
	element->key_length = element->data_length = 0;
	element->chain[0] = element->comment[0] = '\0';
	element->interval_end = false;
	element->packets = element->bytes = element->expires = 0;
	mnl_attr_for_each_nested(attribute, nest) {
		switch (mnl_attr_get_type(attribute)) {
		case NFTA_SET_ELEM_KEY:
			read_data(attribute, element->key, &element->key_length, NULL);
			break;
		case NFTA_SET_ELEM_DATA:
			read_data(attribute, element->data, &element->data_length, element->chain);
			break;
		case NFTA_SET_ELEM_FLAGS:
			if (mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
				element->interval_end = ntohl(mnl_attr_get_u32(attribute)) &
							NFT_SET_ELEM_INTERVAL_END;
			break;
		case NFTA_SET_ELEM_EXPR:
			read_counter(attribute, element);
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			if (mnl_attr_validate(attribute, MNL_TYPE_U64) == 0)
				element->expires = be64toh(mnl_attr_get_u64(attribute));
			break;
		case NFTA_SET_ELEM_USERDATA:
			read_comment(attribute, element);
			break;
		}
	}
}

struct reading {
	element_visit visit;
	void *data;
	int rc;
};

static int read_elements(const struct nlmsghdr *message, void *data)
{
	struct reading *reading = data;
	const struct nlattr *attribute, *nest;
	struct element element;

	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attribute) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(nest, attribute) {
			read_element(nest, &element);
			if (!reading->rc)
				reading->rc = reading->visit(&element, reading->data);
		}
	}
	return MNL_CB_OK;
}

int element_dump(struct netlink *netlink, const char *set, element_visit visit, void *data)
{
	struct reading reading = {visit, data, 0};
	struct nlmsghdr *request = netlink_request(netlink, NFT_MSG_GETSETELEM, 0);

	put_set(request, SCHEMA_TABLE, set);
	if (netlink_dump(netlink, read_elements, &reading) < 0)
		return -1;
	return reading.rc;
}

int element_get(struct netlink *netlink, const char *set, const struct element *key,
		element_visit visit, void *data)
{
	struct reading reading = {visit, data, 0};
	struct nlmsghdr *request = netlink_request(netlink, NFT_MSG_GETSETELEM, 0);
	struct nlattr *list;

	put_set(request, SCHEMA_TABLE, set);
	list = mnl_attr_nest_start(request, NFTA_SET_ELEM_LIST_ELEMENTS);
	put_element(request, key, true);
	mnl_attr_nest_end(request, list);
	if (netlink_ask(netlink, read_elements, &reading) < 0)
		return -1;
	return reading.rc;
}
