// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: what the kernel answers, through everything that decodes it.
 *
 * The input is a question (one byte) and pieces, each a kind (one byte), a length (two bytes,
 * low first) and that many bytes.  A request of the engine takes pieces up to the end of the
 * answer.  Rules that come out must be rules: of their owner, with as many targets as they say.
 *
 * The libraries take the kernel's word for what it writes itself: libmnl for the length in a
 * message's header (a negative one makes mnl_nlmsg_ok() run away), libnftnl for the shape of
 * rules and tables (an expression without a name is a null pointer, an attribute of another size
 * ends the program).  So the headers of a datagram are in order, and rules and tables come well
 * formed, with names and user data, which any program can set, of the input.
 */
#include "fake_kernel.h"
#include "fuzz.h"
#include "redirect.h"

#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#define PIECE_MAX 4096u

enum piece_kind {
	PIECE_MESSAGE,  /* the attributes of a message; of a rule or table: name, NUL, user data */
	PIECE_DATAGRAM, /* whole, header included */
	PIECE_END,      /* of the answer, with an errno value or none */
	PIECE_KINDS
};

struct piece {
	enum piece_kind kind;
	const uint8_t *bytes;
	size_t length;
};

static struct {
	const uint8_t *data;
	size_t size;
} input;

/* The next piece; false at the end of the input. */
static bool next_piece(struct piece *piece)
{
	if (input.size < 3)
		return false;
	piece->kind = input.data[0] % PIECE_KINDS;
	piece->length = input.data[1] | (size_t)input.data[2] << 8;
	input.data += 3;
	input.size -= 3;
	piece->bytes = input.data;
	if (piece->length > input.size)
		piece->length = input.size;
	input.data += piece->length;
	input.size -= piece->length;
	if (piece->length > PIECE_MAX)
		piece->length = PIECE_MAX;
	return true;
}

static struct nlmsghdr *begin_message(char *buffer)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8; /* nobody looks at the rest of it */
	header->nfgen_family = NFPROTO_INET;
	return message;
}

static void answer_message(const struct piece *piece)
{
	char buffer[PIECE_MAX + 64];
	struct nlmsghdr *message = begin_message(buffer);

	memcpy(buffer + message->nlmsg_len, piece->bytes, piece->length);
	message->nlmsg_len += (uint32_t)piece->length;
	fake_kernel_answer(buffer, message->nlmsg_len);
}

static void put_lookup(struct nlmsghdr *message, const char *map)
{
	struct nlattr *list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
	struct nlattr *expression = mnl_attr_nest_start(message, NFTA_LIST_ELEM), *data;

	mnl_attr_put_strz(message, NFTA_EXPR_NAME, "lookup");
	data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
	if (*map)
		mnl_attr_put_strz(message, NFTA_LOOKUP_SET, map);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, expression);
	mnl_attr_nest_end(message, list);
}

/* A rule that looks up, or a table: the piece is a name, NUL, user data. */
static void answer_object(uint16_t type, const struct piece *piece)
{
	char buffer[PIECE_MAX + 256], name[64] = "";
	struct nlmsghdr *message = begin_message(buffer);
	size_t length = strnlen((const char *)piece->bytes, piece->length);
	uint16_t userdata = type == NFT_MSG_GETRULE ? NFTA_RULE_USERDATA : NFTA_TABLE_USERDATA;

	memcpy(name, piece->bytes, length < sizeof(name) ? length : sizeof(name) - 1);
	if (type == NFT_MSG_GETRULE)
		put_lookup(message, name);
	else
		mnl_attr_put_strz(message, NFTA_TABLE_NAME, name);
	if (length < piece->length)
		mnl_attr_put(message, userdata, piece->length - length - 1,
			     piece->bytes + length + 1);
	fake_kernel_answer(buffer, message->nlmsg_len);
}

/* Whether the datagram is cut into messages as the kernel cuts it. */
static bool well_framed(const struct piece *piece)
{
	size_t at = 0;

	while (at + sizeof(struct nlmsghdr) <= piece->length) {
		struct nlmsghdr message;

		memcpy(&message, piece->bytes + at, sizeof(message));
		if (message.nlmsg_len < sizeof(message) || message.nlmsg_len > piece->length - at)
			return false;
		at += MNL_ALIGN(message.nlmsg_len);
	}
	return true;
}

static void queue_answers(uint16_t type)
{
	struct piece piece;

	piece.length = 0;
	while (next_piece(&piece) && piece.kind != PIECE_END) {
		if (type == NFT_MSG_GETRULE || type == NFT_MSG_GETTABLE)
			answer_object(type, &piece);
		else if (piece.kind == PIECE_MESSAGE)
			answer_message(&piece);
		else if (well_framed(&piece))
			fake_kernel_answer(piece.bytes, piece.length);
		piece.length = 0;
	}
	fake_kernel_answer_end(piece.length ? piece.bytes[0] : 0);
}

static int take(struct ipmasq_rule *rule, void *data)
{
	(void)data;
	fuzz_require(rule->kind == IPMASQ_REDIRECT && strcmp(rule->owner, "portfw") == 0,
		     "a rule of another kind or owner");
	for (uint32_t i = 0; i < rule->redirect.n_targets; i++)
		fuzz_require(rule->redirect.targets[i].left <= rule->redirect.targets[i].weight,
			     "more connections left than a turn has");
	ipmasq_rule_free(rule);
	return 0;
}

static void get(struct netlink *netlink, uint8_t question)
{
	struct ipmasq_match match = {
		.family = question & 1 ? AF_INET6 : AF_INET,
		.protocol = IPPROTO_TCP,
		.ports = {80, 80},
	};
	struct ipmasq_rule *rule = NULL;

	match.alias.family = match.remote.family = match.family;
	match.alias.bytes[0] = question & 2 ? 0 : 10;
	if (redirect_get(netlink, "portfw", &match, &rule) == 0 && rule)
		take(rule, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipmasq_error error;
	struct netlink netlink;
	uint32_t generation;

	if (!size)
		return 0;
	fake_kernel_open(&netlink);
	fake_kernel_on_request(queue_answers);
	input.data = data + 1;
	input.size = size - 1;
	switch (data[0] >> 2 & 3) {
	case 0:
		get(&netlink, data[0]);
		break;
	case 1:
		redirect_load(&netlink, "portfw", data[0] & 1, take, NULL);
		break;
	case 2:
		schema_present(&netlink, &error);
		break;
	default:
		netlink_generation(&netlink, &generation);
	}
	fake_kernel_close(&netlink);
	return 0;
}
