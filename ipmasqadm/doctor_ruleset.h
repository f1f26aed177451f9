/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everybody's ruleset, and a packet that is led through it.
 *
 * A byte of the packet is known, or a stranger's, or unknown.  A stranger is somebody outside: his
 * address stands in the packet as one of the Internet that nobody in particular has.  What that
 * address passes, most strangers pass; what it does not pass, some perhaps do.  What depends on an
 * unknown byte cannot be told.
 */
#ifndef IPMASQADM_DOCTOR_RULESET_H
#define IPMASQADM_DOCTOR_RULESET_H

#include "doctor.h"

#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>

struct ask;
struct nftnl_set;
struct nftnl_obj;

/* What chains and sets are found by; the text is the ruleset's. */
struct place {
	uint8_t family; /* NFPROTO_* */
	const char *table, *name;
};

struct chain {
	struct place place;
	bool base, nat, drops; /* has a hook; of type nat; its policy is drop */
	bool unnamed;          /* part of the rule that jumps to it */
	bool ours;             /* the table is ours; it has no rules here */
	uint32_t hook;
	int32_t priority;
	const char *device;         /* NULL, or where it hooks in, */
	const char *const *devices; /* or NULL, or the list of these, ended by NULL */
	size_t order;               /* when it was listed */
	struct nftnl_rule **rules;
	size_t n_rules;
};

struct set {
	struct place place;
	const struct nftnl_set *set;
};

struct ruleset {
	struct ask *ask;
	struct nftnl_table_list *tables;
	struct nftnl_chain_list *list;
	struct nftnl_set_list *set_list;
	struct chain *chains; /* both sorted by place */
	struct set *sets;
	size_t n_chains, n_sets;
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
	char chain[NFT_NAME_MAXLEN];
};
enum found ruleset_look_up(const struct ruleset *ruleset, const struct chain *of, const char *set,
			   const uint8_t *key, struct found_element *element);
/* A set of the table, or NULL. */
const struct nftnl_set *ruleset_set(const struct ruleset *ruleset, const struct chain *of,
				    const char *name);

/* An object of the table (a quota, a limit...), to be freed; NULL: it cannot be read. */
struct nftnl_obj *ruleset_object(const struct ruleset *ruleset, const struct chain *of,
				 uint32_t type, const char *name);

enum byte { BYTE_KNOWN, BYTE_STRANGER, BYTE_UNKNOWN };

enum certainty {
	SURE,
	MOST, /* for all strangers but some */
	SOME, /* for some strangers, not for all */
	UNSURE,
};

#define LINK_HEADER      14
#define NETWORK_HEADER   40
#define TRANSPORT_HEADER 20
#define PACKET_LENGTH_V4 60u /* what a first packet of TCP usually has */
#define PACKET_LENGTH_V6 80u

struct packet_mark {
	uint32_t value;
	enum byte state;
};

struct packet {
	uint8_t family, protocol;
	uint8_t network[NETWORK_HEADER], network_state[NETWORK_HEADER];
	uint8_t transport[TRANSPORT_HEADER], transport_state[TRANSPORT_HEADER];
	const struct net_link *in, *out; /* NULL: not known */
	bool has_in, has_out, tracked;   /* the hook has them */
	bool answer;                     /* of the inside host */
	bool own;                        /* of a program of this machine */
	bool own_address;                /* it goes to an address of this machine */
	bool translated;                 /* our forward has taken it */
	bool marked, perhaps_marked;     /* a rule gives it the forward's mark, or may */
	uint32_t ct_state, ct_status;
	struct packet_mark mark, ct_mark;
	enum certainty way; /* how sure it is that it comes where it is */
	const struct forward *forward;
};

/*
 * The first packet of a connection by the forward, the inside host's answer to it, or a question of
 * this machine's own to the inside host.
 */
enum packet_kind { PACKET_FIRST, PACKET_ANSWER, PACKET_QUESTION, PACKET_REPLY };
void packet_begin(struct packet *packet, enum packet_kind kind, const struct net *net,
		  const struct forward *forward);
uint32_t packet_length(const struct packet *packet);

/* As our own table changes it: the first packet's destination, the answer's source. */
void packet_translate(struct packet *packet);

/* Sets a mark, by a rule that matches with this certainty. */
void packet_set_mark(struct packet *packet, struct packet_mark *mark, uint32_t value,
		     enum byte state, enum certainty certainty);

/* A stranger's address. */
struct ipmasq_address packet_stranger(uint8_t family);

#define REGISTERS 64 /* bytes */

struct registers {
	uint8_t data[REGISTERS], state[REGISTERS];
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
	char chain[NFT_NAME_MAXLEN];
	const char *blind; /* the expression that could not be told */
};

/* Runs one expression; false: the rule does not match. */
bool expression_run(const struct ruleset *ruleset, const struct chain *chain,
		    const struct nftnl_expr *expression, struct packet *packet,
		    struct registers *registers, struct effect *effect);

/* The same for matches and targets of iptables. */
bool compat_run(const struct nftnl_expr *expression, const char *kind, struct packet *packet,
		struct effect *effect);

/*
 * Writes the command that lets the packet, and its like, pass before `rule` of the chain, or, with
 * NULL, before the chain's policy; nothing when no command does.
 */
void mend_write(char *mend, size_t size, const struct ruleset *ruleset, const struct packet *packet,
		const struct chain *chain, const struct nftnl_rule *rule);
const char *mend_family(uint8_t family);

/* Notes that a match is not certain. */
void effect_doubt(struct effect *effect, enum certainty certainty, const char *blind);

#endif
