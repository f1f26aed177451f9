/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The six kinds of rule.  Plugins translate their words to these; engines implement these and
 * know no plugin.  A rule is identified by its kind, its owner (the plugin's name) and what it
 * matches; what it does with a match (the pool, the server, the address) is its body.
 *
 * Ports and weights are in host byte order, addresses in network byte order.
 */
#ifndef IPMASQ_RULE_H
#define IPMASQ_RULE_H

#include <ipmasq/address.h>

struct ipmasq_error;

#define IPMASQ_OWNER_SIZE     16      /* a plugin's name with its end */
#define IPMASQ_WEIGHT_DEFAULT 10u     /* PREF when none is given */
#define IPMASQ_WEIGHT_MAX     0xffffu /* so that a pool's sum fits the kernel's 32 bits */
#define IPMASQ_TARGETS_MAX    1024u   /* in one pool */
#define IPMASQ_HELPER_PORTS   8u

enum ipmasq_kind {
	IPMASQ_REDIRECT, /* new connections that match go to one of a pool of inside hosts */
	IPMASQ_TRIGGER,  /* an inside host's control traffic opens a port range to it */
	IPMASQ_PIN,      /* outgoing connections to these ports keep their source port */
	IPMASQ_PROXY,    /* outgoing packets that match go to a proxy server */
	IPMASQ_MASQ,     /* what leaves from a net gets the interface's or a given address */
	IPMASQ_HELPER,   /* a protocol helper watches these ports */
	IPMASQ_KINDS
};

/* An inclusive port range in host byte order; 0, 0 matches every port. */
struct ipmasq_ports {
	uint16_t low, high;
};

/* What new connections a redirect takes. */
struct ipmasq_match {
	uint8_t family;               /* AF_INET or AF_INET6, always set */
	uint8_t protocol;             /* IPPROTO_*, 0: any */
	struct ipmasq_address alias;  /* any: any address of this machine */
	struct ipmasq_ports ports;    /* alias ports */
	struct ipmasq_address remote; /* who connects; any: everybody */
	uint16_t remote_port;         /* 0: any */
	uint32_t mark;                /* fwmark; 0: not looked at */
};

/* What a host has got and sent by a redirect. */
struct ipmasq_counters {
	uint64_t packets, bytes;
};

/* One inside host of a pool. */
struct ipmasq_target {
	struct ipmasq_address address;
	uint16_t port;   /* 0: the packet's own port is kept */
	uint32_t weight; /* connections in a row (PREF) */
	uint32_t left;   /* connections left before the next entry's turn (pcnt); read only */
	struct ipmasq_counters counters; /* read only */
};

/* Targets in the order of the schedule, the head (whose turn it is) first. */
struct ipmasq_redirect {
	struct ipmasq_match match;
	bool restart;         /* a change: begin the schedule anew, even if the pool is the same */
	uint64_t connections; /* read only: that a pool has had */
	uint32_t n_targets;
	struct ipmasq_target *targets; /* owned by the rule, malloc(3) */
};

struct ipmasq_trigger {
	uint8_t control_protocol, protocol;
	uint16_t control_port;
	struct ipmasq_ports ports;
	bool insecure;  /* any outside host may use the range, not only the one contacted */
	bool permanent; /* does not lapse after the control connection was last seen */
};

struct ipmasq_pin {
	uint8_t protocol;
	struct ipmasq_ports ports;
};

enum ipmasq_encoding {
	IPMASQ_NO_ENCODE,
	IPMASQ_ENCODE_IP_HDR,
	IPMASQ_ENCODE_TCP_STREAM,
};

struct ipmasq_proxy {
	uint32_t index;
	uint8_t protocol; /* 0: tcp and udp */
	uint16_t port;    /* 0: any */
	struct ipmasq_net source, destination;
	enum ipmasq_encoding encoding;
	struct ipmasq_address server;
	uint16_t server_port; /* 0: unchanged */
};

struct ipmasq_masq {
	struct ipmasq_net source;
	uint8_t protocol;                      /* 0: any */
	char interface[IPMASQ_INTERFACE_SIZE]; /* empty: any */
	struct ipmasq_address alias;           /* any: the interface's own */
};

struct ipmasq_helper {
	char name[16];
	uint32_t n_ports;
	uint16_t ports[IPMASQ_HELPER_PORTS];
};

struct ipmasq_rule {
	enum ipmasq_kind kind;
	char owner[IPMASQ_OWNER_SIZE];
	uint64_t age; /* larger is newer, where the newest goes first; else 0; read only */
	union {
		struct ipmasq_redirect redirect;
		struct ipmasq_trigger trigger;
		struct ipmasq_pin pin;
		struct ipmasq_proxy proxy;
		struct ipmasq_masq masq;
		struct ipmasq_helper helper;
	};
};

/* A redirect of `owner` for `match` with no target yet, or NULL and errno ENOMEM. */
struct ipmasq_rule *ipmasq_redirect_new(const char *owner, const struct ipmasq_match *match);

/* A deep copy, or NULL and errno ENOMEM; the caller frees it with ipmasq_rule_free(). */
struct ipmasq_rule *ipmasq_rule_copy(const struct ipmasq_rule *rule);

/* A rule of this kind and owner with nothing else in it, or NULL and errno ENOMEM. */
struct ipmasq_rule *ipmasq_rule_new(enum ipmasq_kind kind, const char *owner);

/* Frees the rule and what it owns; NULL is allowed. */
void ipmasq_rule_free(struct ipmasq_rule *rule);

/*
 * Whether a redirect is of a range, of every port or of a remote host: such redirects overlap, and
 * the most specific, then the newest, goes first.  The others are of one port or one mark.
 */
bool ipmasq_match_is_wide(const struct ipmasq_match *match);

/* 0, or -1 with a usage error that says which field contradicts which. */
int ipmasq_rule_check(const struct ipmasq_rule *rule, struct ipmasq_error *error);

/* AF_INET or AF_INET6: of the packets that the rule is about. */
uint8_t ipmasq_rule_family(const struct ipmasq_rule *rule);

/* Same kind, owner and match: the two are one rule with perhaps different bodies. */
bool ipmasq_rule_same_key(const struct ipmasq_rule *a, const struct ipmasq_rule *b);

/* Same body as well; counters and whose turn it is are not compared. */
bool ipmasq_rule_same_body(const struct ipmasq_rule *a, const struct ipmasq_rule *b);

/* Order for listings and saved files: precedence of the owner, age, then match; as memcmp(3). */
int ipmasq_rule_compare(const struct ipmasq_rule *a, const struct ipmasq_rule *b);

/*
 * Which rule wins when several owners match: 0 first.  portfw, mfw, autofw, addrfw, then
 * everybody else.
 */
unsigned int ipmasq_owner_precedence(const char *owner);

/*
 * ipmasq_redirect_put_target - put `target` at the head of the schedule (`at_head`) or at its
 * end; a target with the same address and port only gets the new weight and a reloaded turn.
 * Returns 0, or -1 with an error (ENOMEM, pool full).
 */
int ipmasq_redirect_put_target(struct ipmasq_redirect *redirect, const struct ipmasq_target *target,
			       bool at_head, struct ipmasq_error *error);

/* Takes the target at `position` out. */
void ipmasq_redirect_take_target(struct ipmasq_redirect *redirect, uint32_t position);

#endif
