/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everybody's ruleset, and a packet that is led through it.
 *
 * A byte of the packet is known, or a stranger's, or unknown.  A stranger's byte, of the address of
 * somebody outside, is in no set that somebody has written down and equals nothing; what depends on
 * an unknown byte cannot be told.
 */
#ifndef IPMASQADM_DOCTOR_RULESET_H
#define IPMASQADM_DOCTOR_RULESET_H

#include "doctor.h"

#include <libnftnl/rule.h>

struct ask;

struct chain {
	const char *table, *name; /* owned by the ruleset */
	uint8_t family;           /* NFPROTO_* */
	bool base, nat, drops;    /* has a hook; of type nat; its policy is drop */
	bool ours;                /* the table is ours; it has no rules here */
	uint32_t hook;
	int32_t priority;
	char device[IF_NAMESIZE];
	size_t order; /* when it was listed */
	struct nftnl_rule **rules;
	size_t n_rules;
};

struct ruleset {
	struct ask *ask;
	struct nftnl_table_list *tables;
	struct nftnl_chain_list *list;
	struct nftnl_set_list *sets;
	struct chain *chains;
	size_t n_chains;
	bool dormant;        /* our own table sleeps */
	unsigned int unread; /* rules in which is what libnftnl does not know */
};

/* Reads it all, or as far as a packet that goes through needs it; -1 with errno. */
int ruleset_read(struct ruleset *ruleset);
void ruleset_free(struct ruleset *ruleset);

const struct chain *ruleset_chain(const struct ruleset *ruleset, const struct chain *of,
				  const char *name);

/* What a set says of a key. */
enum found { FOUND_NO, FOUND_YES, FOUND_UNKNOWN };
struct found_element {
	uint8_t data[64];
	uint32_t length;
	bool has_verdict;
	int32_t verdict;
	char chain[128];
};
enum found ruleset_look_up(const struct ruleset *ruleset, const struct chain *of, const char *set,
			   const uint8_t *key, struct found_element *element);
/* The length of a set's key, 0: no such set. */
uint32_t ruleset_key_length(const struct ruleset *ruleset, const struct chain *of, const char *set);

enum byte { BYTE_KNOWN, BYTE_STRANGER, BYTE_UNKNOWN };

#define NETWORK_HEADER   40
#define TRANSPORT_HEADER 20

struct packet {
	uint8_t family, protocol;
	uint8_t network[NETWORK_HEADER], network_state[NETWORK_HEADER];
	uint8_t transport[TRANSPORT_HEADER], transport_state[TRANSPORT_HEADER];
	const struct net_link *in, *out; /* NULL: not known */
	bool has_in, has_out, tracked;   /* the hook has them */
	bool answer;                     /* of the inside host */
	bool own_address;                /* it goes to an address of this machine */
	uint32_t mark, ct_mark, ct_state, ct_status;
	const struct forward *forward;
};

#define REGISTERS 64 /* bytes */

struct registers {
	uint8_t data[REGISTERS], state[REGISTERS];
};

enum certainty {
	SURE,
	SOME, /* for some strangers, not for all */
	UNSURE,
};

enum effect_kind {
	EFFECT_NONE, /* the next rule */
	EFFECT_ACCEPT,
	EFFECT_DROP,
	EFFECT_RETURN,
	EFFECT_JUMP,
	EFFECT_GOTO,
	EFFECT_TRANSLATE, /* takes the connection elsewhere */
	EFFECT_UNTRACK,
	EFFECT_QUEUE,
};

/* What a rule does with a packet. */
struct effect {
	enum effect_kind kind;
	enum certainty certainty;
	char chain[128];
	const char *blind; /* the expression that could not be told */
};

/* Runs one expression; false: the rule does not match. */
bool expression_run(const struct ruleset *ruleset, const struct chain *chain,
		    const struct nftnl_expr *expression, struct packet *packet,
		    struct registers *registers, struct effect *effect);

/* The same for matches and targets of iptables. */
bool compat_run(const struct nftnl_expr *expression, const char *kind, const struct packet *packet,
		struct effect *effect);

/* Notes that a match is not certain. */
void effect_doubt(struct effect *effect, enum certainty certainty, const char *blind);

#endif
