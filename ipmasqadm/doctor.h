/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The doctor: what it looks at, and what it says of it.
 *
 *   doctor.c             the command: words, the forwards, the order of the checks
 *   doctor_gather.c      the forwards there are
 *   doctor_report.c      findings: kept, once each, printed
 *   doctor_machine.c     checks of this machine
 *   doctor_forward.c     checks of one forward
 *   doctor_net.c         links, addresses, routes, neighbours, listeners, by netlink
 *   doctor_probe.c       does the service inside answer, all asked at once
 *   doctor_flows.c       what conntrack has seen of a forward
 *   doctor_ruleset.c     everybody's chains, rules and sets
 *   doctor_packet.c      a packet, and how its translation changes it
 *   doctor_walk.c        its way through them
 *   doctor_expression.c  one expression of a rule, for that packet
 *   doctor_meta.c        the same for what the kernel knows beside the packet's bytes
 *   doctor_compat.c      the same for iptables' extensions
 *   doctor_mend.c        the rule that would let the packet pass
 */
#ifndef IPMASQADM_DOCTOR_H
#define IPMASQADM_DOCTOR_H

#include <ipmasq/plugin.h>
#include <net/if.h>

enum verdict { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct finding {
	enum verdict verdict;
	char check[24];    /* what was looked at */
	char about[160];   /* the forward; empty: this machine */
	char text[768];    /* what was found */
	char mend[768];    /* a command, or what to do; empty with DOCTOR_OK */
	unsigned int more; /* other forwards of which the same was found */
};

struct report {
	struct finding *list;
	size_t n;
	bool full; /* memory was out */
};

/* One way that new connections take: a match and one of its targets. */
struct forward {
	uint8_t protocol; /* 0: any */
	struct ipmasq_address alias, inside;
	struct ipmasq_address remote; /* who may connect; any: everybody */
	uint16_t port, inside_port;   /* 0: any */
	uint16_t port_high;           /* of a range, with `several` */
	uint32_t mark;                /* fwmark; 0: not looked at */
	uint32_t rank;                /* the lower one goes first */
	bool of_any, hidden;          /* of any address of this machine; by another forward */
	bool several;                 /* of more ports than the one that is looked at */
	bool proxy;                   /* what goes out goes to a proxy, `inside` */
	char name[160];

	/* Found out on the way. */
	unsigned int in, out;           /* interfaces; 0: not known */
	bool owned;                     /* the outside address is on an interface */
	bool local;                     /* the inside host is this machine */
	bool unreachable;               /* no need to ask it */
	bool deaf;                      /* a filter of this machine keeps it from asking */
	struct ipmasq_address entry;    /* an own address that strangers call */
	struct ipmasq_address near;     /* with which address this machine asks the inside host */
	struct ipmasq_address hop;      /* whom to ask for by ARP or ND */
	struct ipmasq_address stranger; /* an own address from which the inside host has to answer
					   by way of a router; family AF_UNSPEC: there is none */
	unsigned int answered, unanswered; /* connections, by conntrack */
};

struct net_link {
	unsigned int index;
	char name[IF_NAMESIZE];
	bool up, carrier, loopback, bridge;
	bool inner; /* of a kind by which nothing comes in: loopback, dummy, VRF */
};

struct net_address {
	struct ipmasq_address address;
	uint8_t bits;
	unsigned int link;
};

struct net {
	struct net_link *links;
	struct net_address *addresses;
	size_t n_links, n_addresses;
};

struct net_route {
	uint8_t type; /* RTN_* */
	uint8_t bits; /* of the destination of the route that was taken */
	unsigned int out;
	struct ipmasq_address gateway; /* family AF_UNSPEC: on the link */
};

struct doctor {
	struct ipmasq_context *context;
	struct report report;
	struct net net;
	struct forward *forwards;
	size_t n_forwards, n_all; /* looked at, there are */
};

/* What was asked for; `named` false: everything. */
struct question {
	bool named;
	uint8_t protocol; /* 0: any */
	struct ipmasq_address alias;
	uint16_t port;
	bool fault; /* the answer: something is wrong */
};

/* Protocols that put addresses into what they say, and need a helper to be forwarded. */
struct helped {
	uint8_t protocol;
	uint16_t port;
	const char *helper; /* NULL: the last one */
};
extern const struct helped helped[];

/* What there is beside the forwards that were asked for. */
struct gathered {
	uint8_t other_protocol; /* of a forward of the same port, 0: there is none */
	bool other_address;
	bool helpers[8]; /* there are, as in helped[] */
};

/* Takes the forwards from the rules; -1 with an error. */
int gather_forwards(struct doctor *doctor, const struct question *question,
		    struct gathered *gathered);

/* Whether it says which service of the inside host is meant. */
static inline bool forward_names_service(const struct forward *forward)
{
	return forward->inside_port &&
	       (forward->protocol == IPPROTO_TCP || forward->protocol == IPPROTO_UDP);
}

/* Adds a finding; `mend` may be NULL. */
void doctor_say(struct doctor *doctor, enum verdict verdict, const char *check,
		const struct forward *forward, const char *mend, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Prints the findings; 0, or -1 with an error. */
int doctor_print(struct doctor *doctor);
bool doctor_found_fault(const struct report *report);

/* Links and addresses; -1 with errno. */
int net_read(struct net *net);
void net_free(struct net *net);
const struct net_link *net_link(const struct net *net, unsigned int index);
const char *net_link_name(const struct net *net, unsigned int index);
bool net_same(const struct ipmasq_address *a, const struct ipmasq_address *b, uint8_t bits);

/*
 * The route to an address, of a packet from `from` (NULL: of this machine) that came in by `in` (0:
 * by none); -1 with errno (ENETUNREACH...).
 */
int net_route(const struct ipmasq_address *to, const struct ipmasq_address *from, unsigned int in,
	      struct net_route *route);

/* The link by which packets to nobody in particular leave, of `from` and `in` as above; 0: none. */
unsigned int net_default_link(uint8_t family, const struct ipmasq_address *from, unsigned int in);

/* The state (NUD_*) of a neighbour, 0: none. */
unsigned int net_neighbour(const struct ipmasq_address *address, unsigned int link);

/* Whether something is attached to a link that may mark packets before any table sees them. */
bool net_marks(void);

/* Whether a program of this machine waits at this address (any: at whichever) and port. */
bool net_listens(uint8_t protocol, const struct ipmasq_address *address, uint16_t port);

/* Reads the answered and unanswered connections of the forwards; -1 with errno. */
int flows_count(struct forward *forwards, size_t n);

int machine_check(struct doctor *doctor); /* -1 with an error */
void forward_check(struct doctor *doctor, struct forward *forward);
void probe_check(struct doctor *doctor);
int ruleset_check(struct doctor *doctor); /* -1 with an error */

#endif
