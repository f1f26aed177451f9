/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alias.h - the public interface of libalias, a packet engine for network address translation.
 *
 * A caller makes an instance, gives it an aliasing address and hands it packets: those that leave
 * go through LibAliasOut(), those that arrive through LibAliasIn().  The packets are IPv4 datagrams
 * without a link header; they are changed in place.  libalias opens no device and starts no thread.
 *
 * Conventions: addresses (struct in_addr) and ports are in network byte order unless said
 * otherwise; times are in seconds; a function that returns int and is not a packet function returns
 * 0 on success and -1, with errno set, on failure.  An instance must not be used by two threads at
 * once; different instances are independent.
 *
 * The LibAlias* names follow the manual of 2004 and today's FreeBSD; the PacketAlias* names are the
 * older interface to one global instance.  What libalias adds is in the last third of the file.
 */
#ifndef ALIAS_H
#define ALIAS_H

#include <sys/types.h>
#include <stdint.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LIBALIAS_BUF_SIZE 128

/* An instance of the engine. */
struct libalias;

/* A static redirect, as the LibAliasRedirect* functions return it. */
struct alias_link;

/* Mode bits, for LibAliasSetMode(). */
#define PKT_ALIAS_LOG                  0x01 /* a line in the log for each link made or deleted */
#define PKT_ALIAS_DENY_INCOMING        0x02 /* what arrives without link or redirect is ignored */
#define PKT_ALIAS_SAME_PORTS           0x04 /* try the local port as alias port first (default) */
#define PKT_ALIAS_USE_SOCKETS          0x08 /* hold awaited ports with a socket (default) */
#define PKT_ALIAS_UNREGISTERED_ONLY    0x10 /* alias RFC 1918 sources only */
#define PKT_ALIAS_RESET_ON_ADDR_CHANGE 0x20 /* new address: dynamic links go (default) */
#define PKT_ALIAS_PROXY_ONLY           0x40 /* obey proxy rules only */
#define PKT_ALIAS_REVERSE              0x80 /* exchange LibAliasIn() and LibAliasOut() */
#define PKT_ALIAS_PUNCH_FW             0x100 /* open holes through LibAliasSetFirewall()'s operations */
#define PKT_ALIAS_SKIP_GLOBAL          0x200   /* kept for FreeBSD's ipfw; no effect here */
#define PKT_ALIAS_UNREGISTERED_CGN     0x400   /* like UNREGISTERED_ONLY, 100.64.0.0/10 too */
#define PKT_ALIAS_UDP_EIM              0x800   /* UDP: one mapping for all remotes (RFC 4787) */
#define PKT_ALIAS_MASQUERADE_RULES     0x10000 /* alias what LibAliasMasquerade() names only */
#define PKT_ALIAS_KEEP_PORTS           0x20000 /* SAME_PORTS wherever no link has the port */

/* The 1997 manual's spelling. */
#define PKT_ALIAS_USE_SAME_PORTS PKT_ALIAS_SAME_PORTS

/* What the packet functions return. */
#define PKT_ALIAS_ERROR                 (-1) /* refused: no port, no memory or a limit; drop the packet */
#define PKT_ALIAS_OK                    1 /* translated */
#define PKT_ALIAS_IGNORED               2 /* left as it was: malformed, unknown or denied */
#define PKT_ALIAS_UNRESOLVED_FRAGMENT   3 /* its first fragment has not been seen */
#define PKT_ALIAS_FOUND_HEADER_FRAGMENT 4 /* translated, and saved fragments can follow now */

/*
 * Initialization and control
 */

/*
 * LibAliasInit - make an instance (NULL), or return one to its initial state.
 * Dynamic links, redirects, proxy rules, limits and hooks go.  Modes SAME_PORTS, USE_SOCKETS and
 * RESET_ON_ADDR_CHANGE are set.  Returns the instance, or NULL with errno.
 */
struct libalias *LibAliasInit(struct libalias *la);

/* LibAliasUninit - close firewall holes and free the instance; exit(3) does it for those left. */
void LibAliasUninit(struct libalias *la);

/*
 * LibAliasSetAddress - the address that outgoing packets get.
 * Where it really changes and RESET_ON_ADDR_CHANGE is set, all dynamic links go.  Redirects with a
 * zero address follow it.
 */
void LibAliasSetAddress(struct libalias *la, struct in_addr addr);

/*
 * LibAliasSetAliasPortRange - choose alias ports from low..high, host byte order; 0, 0 =
 * 1024..65535. With SAME_PORTS the local port is kept only where it lies in the range, so that
 * instances which share an address can each own a slice.  With KEEP_PORTS it is kept outside of the
 * range, too, for instances that never meet the same remote host, and where a static redirect waits
 * for others.  No helper awaits a connection there.
 */
void LibAliasSetAliasPortRange(struct libalias *la, u_short low, u_short high);

/* LibAliasSetMode - set the bits of mask to those of flags; returns the mode that it was. */
unsigned int LibAliasSetMode(struct libalias *la, unsigned int flags, unsigned int mask);

/* LibAliasSetFWBase - numbers base..base+num-1 are for holes; the range is cleared now. */
void LibAliasSetFWBase(struct libalias *la, unsigned int base, unsigned int num);

/* LibAliasSkinnyPort, LibAliasSetSkinnyPort - the Skinny station's TCP port, host order; 0 = off.
 */
void LibAliasSkinnyPort(struct libalias *la, unsigned int port);
void LibAliasSetSkinnyPort(struct libalias *la, unsigned int port);

/*
 * Packet handling: ptr is an IPv4 datagram, maxpacketsize the size of its buffer, which a helper
 * may fill but never exceed.  They return a PKT_ALIAS_* code.
 */
int LibAliasIn(struct libalias *la, void *ptr, int maxpacketsize);
int LibAliasOut(struct libalias *la, void *ptr, int maxpacketsize);

/* LibAliasOutTry - as LibAliasOut(); with create == 0 a packet without a link is IGNORED. */
int LibAliasOutTry(struct libalias *la, void *ptr, int maxpacketsize, int create);

/* LibAliasUnaliasOut - give an aliased outgoing packet its inside addresses and ports back. */
int LibAliasUnaliasOut(struct libalias *la, void *ptr, int maxpacketsize);

/*
 * Redirects.  They return NULL with errno (EINVAL, ENOMEM) on failure.  Zero local or alias
 * addresses mean LibAliasSetAddress()'s, also when it changes; zero remote address or port means
 * any.  The most specific redirect wins, then the newest; a port redirect beats a protocol's, that
 * an address's.
 *
 * Of a port's, a range's or a protocol's, alias address INADDR_NONE (255.255.255.255) means
 * whatever address a packet was sent to.  Such a redirect gives way to any of its kind that names
 * an alias address, and says nothing about what its inside end sends on its own account.
 */

/* LibAliasRedirectPort - proto (IPPROTO_TCP, _UDP) traffic from remote to alias goes to local. */
struct alias_link *LibAliasRedirectPort(struct libalias *la, struct in_addr local_addr,
					unsigned short local_port, struct in_addr remote_addr,
					unsigned short remote_port, struct in_addr alias_addr,
					unsigned short alias_port, unsigned char proto);

/* LibAliasRedirectAddr - static NAT of a whole address, both directions. */
struct alias_link *LibAliasRedirectAddr(struct libalias *la, struct in_addr local_addr,
					struct in_addr alias_addr);

/* LibAliasRedirectProto - all of one IP protocol from remote_addr to alias_addr goes to local_addr.
 */
struct alias_link *LibAliasRedirectProto(struct libalias *la, struct in_addr local_addr,
					 struct in_addr remote_addr, struct in_addr alias_addr,
					 unsigned char proto);

/*
 * LibAliasAddServer - add a server to the pool of a port or address redirect (LSNAT, RFC 2391).
 * New sessions go round the pool; a session stays with its server.
 */
int LibAliasAddServer(struct libalias *la, struct alias_link *link, struct in_addr addr,
		      unsigned short port);

/*
 * LibAliasRedirectDynamic - delete the redirect once a packet has used it.  Fully specified port
 * redirects only (EINVAL).  The pointer is dead after that.
 */
int LibAliasRedirectDynamic(struct libalias *la, struct alias_link *link);

/* LibAliasRedirectDelete - delete a redirect and its pool; links that it made live on. */
void LibAliasRedirectDelete(struct libalias *la, struct alias_link *link);

/*
 * LibAliasProxyRule - add or delete a transparent proxy rule; cmd is pairs of words, see
 * libalias(3): type, port, server, rule, delete, proto, src, dst.  -1 and EINVAL if it is not one,
 * ESRCH if there is none to delete.
 */
int LibAliasProxyRule(struct libalias *la, const char *cmd);

/*
 * Incoming fragments
 */

/*
 * LibAliasSaveFragment - keep a fragment for which LibAliasIn() said UNRESOLVED_FRAGMENT.
 * ptr becomes the library's: it is freed (free(3), or LibAliasSetFragmentFree()'s) if the header
 * does not come in time.  PKT_ALIAS_OK, or PKT_ALIAS_ERROR (malformed or too many) and ptr stays
 * yours.
 */
int LibAliasSaveFragment(struct libalias *la, void *ptr);

/* LibAliasGetFragment - the next saved fragment of this header's datagram, now yours; or NULL. */
void *LibAliasGetFragment(struct libalias *la, void *header);

/* LibAliasFragmentIn - give fragment the destination of its header fragment. */
void LibAliasFragmentIn(struct libalias *la, void *header, void *fragment);

/*
 * Miscellaneous
 */

/*
 * LibAliasSetTarget - where incoming packets without link and redirect go: an address,
 * INADDR_ANY (as addressed, the default) or INADDR_NONE (the aliasing address).
 */
void LibAliasSetTarget(struct libalias *la, struct in_addr addr);

/* LibAliasCheckNewLink - did the last packet make a link? */
int LibAliasCheckNewLink(struct libalias *la);

/* LibAliasInternetChecksum - the Internet checksum (RFC 1071) of nbytes at buffer. */
unsigned short LibAliasInternetChecksum(struct libalias *la, unsigned short *buffer, int nbytes);

/*
 * Modules, as FreeBSD's engine has them; here the helpers are built in and watch nothing until they
 * are loaded or LibAliasSetHelper() names them.  These are for all instances, so no other thread
 * may use one meanwhile, and return 0 or an error number.
 *
 * LibAliasLoadModule - "ftp", "alias_ftp" or a path that ends in such a name: these helpers watch
 * their default ports in all instances that there are and will be.  ENOENT: no such module; EEXIST:
 * it is loaded.  LibAliasUnLoadAllModule - that ends, for new links.  LibAliasRefreshModules -
 * unloads all, then loads what /etc/libalias.conf names, one a line, # begins a comment.  If there
 * is no such file nothing changes (ENOENT).
 */
int LibAliasLoadModule(char *path);
int LibAliasUnLoadAllModule(void);
int LibAliasRefreshModules(void);

/*
 * The interface of 1997: one global instance.  Each does what its LibAlias* namesake does, except
 * that PacketAliasSetTarget(0) sends unknown incoming packets to the aliasing address.
 */
void PacketAliasInit(void);
void PacketAliasUninit(void);
void PacketAliasReset(void); /* all dynamic links go */
void PacketAliasSetAddress(struct in_addr addr);
void PacketAliasSetAliasPortRange(u_short low, u_short high);
void PacketAliasSetFWBase(unsigned int base, unsigned int num);
void PacketAliasSkinnyPort(unsigned int port);
void PacketAliasSetSkinnyPort(unsigned int port);
unsigned int PacketAliasSetMode(unsigned int flags, unsigned int mask);
int PacketAliasIn(void *ptr, int maxpacketsize);
int PacketAliasOut(void *ptr, int maxpacketsize);
int PacketAliasOutTry(void *ptr, int maxpacketsize, int create);
int PacketUnaliasOut(void *ptr, int maxpacketsize);
int PacketAliasAddServer(struct alias_link *link, struct in_addr addr, unsigned short port);
struct alias_link *PacketAliasRedirectAddr(struct in_addr local_addr, struct in_addr alias_addr);
int PacketAliasRedirectDynamic(struct alias_link *link);
void PacketAliasRedirectDelete(struct alias_link *link);
struct alias_link *PacketAliasRedirectPort(struct in_addr local_addr, unsigned short local_port,
					   struct in_addr remote_addr, unsigned short remote_port,
					   struct in_addr alias_addr, unsigned short alias_port,
					   unsigned char proto);
struct alias_link *PacketAliasRedirectProto(struct in_addr local_addr, struct in_addr remote_addr,
					    struct in_addr alias_addr, unsigned char proto);
void PacketAliasFragmentIn(void *header, void *fragment);
void *PacketAliasGetFragment(void *header);
int PacketAliasSaveFragment(void *ptr);
int PacketAliasCheckNewLink(void);
unsigned short PacketAliasInternetChecksum(unsigned short *buffer, int nbytes);
void PacketAliasSetTarget(struct in_addr addr);
int PacketAliasProxyRule(const char *cmd);

/*
 * Additions of this library
 */

/* A packet of a batch. */
struct alias_packet {
	void *data;        /* the datagram */
	int size;          /* of its buffer: maxpacketsize */
	unsigned int mark; /* firewall mark, host order; 0 = none */
	int result;        /* out: PKT_ALIAS_* */
};

/*
 * LibAliasInBatch, LibAliasOutBatch - n packets in order, as n calls would, but with the memory
 * accesses of several packets under way at once.  Return how many results are PKT_ALIAS_OK.
 */
int LibAliasInBatch(struct libalias *la, struct alias_packet *packets, int n);
int LibAliasOutBatch(struct libalias *la, struct alias_packet *packets, int n);

/* LibAliasReset - all dynamic links and fragments go, redirects and rules stay. */
void LibAliasReset(struct libalias *la);

/*
 * LibAliasAddServerWeight - a server that gets weight (1..65535) sessions in each round; of weight
 * 0, one that keeps its turn for ever.
 */
int LibAliasAddServerWeight(struct libalias *la, struct alias_link *link, struct in_addr addr,
			    unsigned short port, unsigned int weight);

/*
 * LibAliasRedirectPortRange - as LibAliasRedirectPort() for alias ports low..high (network order).
 * local_port is where low goes, 0 keeps ports as they are.  Any port redirect beats a range.
 */
struct alias_link *LibAliasRedirectPortRange(struct libalias *la, struct in_addr local_addr,
					     unsigned short local_port, struct in_addr remote_addr,
					     struct in_addr alias_addr, unsigned short low,
					     unsigned short high, unsigned char proto);

/*
 * LibAliasRedirectMark - new incoming connections that carry this mark (not 0) go to local; proto 0
 * is both TCP and UDP, local_port 0 keeps the port.  Port redirects beat it, it beats ranges.
 */
struct alias_link *LibAliasRedirectMark(struct libalias *la, struct in_addr local_addr,
					unsigned short local_port, unsigned int mark,
					unsigned char proto);

/*
 * LibAliasRedirectSetRank - where redirects of different ranks match, the lowest rank wins,
 * whatever is more specific or newer; all begin with 0.
 */
void LibAliasRedirectSetRank(struct libalias *la, struct alias_link *link, unsigned int rank);

/*
 * LibAliasRedirectInherit - links and traffic of those servers of from which link has, too, become
 * link's, as when it takes the place of from; and its hits.
 */
void LibAliasRedirectInherit(struct libalias *la, struct alias_link *link, struct alias_link *from);

/*
 * LibAliasSetOwnAddresses - the addresses that alias address INADDR_NONE of a redirect stands for;
 * addresses NULL: all there are, as in the beginning.  They are copied.  ENOMEM, but not if there
 * were as many before.
 */
int LibAliasSetOwnAddresses(struct libalias *la, const struct in_addr *addresses, int count);

/* LibAliasRedirectSetCookie, LibAliasRedirectCookie - a pointer of the caller's with a redirect. */
void LibAliasRedirectSetCookie(struct libalias *la, struct alias_link *link, void *cookie);
void *LibAliasRedirectCookie(const struct alias_link *link);

/* LibAliasRedirectHits - how many links the redirect has made. */
unsigned long long LibAliasRedirectHits(const struct alias_link *link);

/*
 * What the links of a server carry, both directions: IP datagrams and their bytes as they arrive,
 * without ICMP errors and the later fragments of datagrams in pieces; and the links themselves.
 */
struct alias_traffic {
	uint64_t packets, bytes, connections;
};

/* A server of a redirect's pool; a redirect without a pool has one, its local end. */
struct alias_server_info {
	struct in_addr addr;
	u_short port;
	unsigned int weight;
	unsigned int left; /* sessions before its turn ends; of those that wait, the weight */
	int head;          /* it is its turn: it gets the next session */
	struct alias_traffic traffic;
};

/*
 * LibAliasRedirectServer - the server of this index, from 0 in the order of LibAliasAddServer().
 * ERANGE behind the last.
 */
int LibAliasRedirectServer(const struct libalias *la, const struct alias_link *link,
			   unsigned int index, struct alias_server_info *info);

/*
 * LibAliasRedirectSchedule - it is this server's turn now, with left sessions to go: 0, or more
 * than its weight, is its weight.  ERANGE.
 */
int LibAliasRedirectSchedule(struct libalias *la, struct alias_link *link, unsigned int index,
			     unsigned int left);

/* LibAliasRedirectSetTraffic - counts to go on from, as when a redirect replaces another. ERANGE.
 */
int LibAliasRedirectSetTraffic(struct libalias *la, struct alias_link *link, unsigned int index,
			       const struct alias_traffic *traffic);

/*
 * LibAliasRedirectEnd - end the links that the redirect has made to the inside end addr:port, each
 * 0 for any, of this protocol, 0 for all.  Returns how many there were.  It looks at the redirect's
 * own links only.
 */
unsigned int LibAliasRedirectEnd(struct libalias *la, struct alias_link *link, struct in_addr addr,
				 u_short port, unsigned char proto);

/*
 * LibAliasRevise - look at up to max links, *cursor beginning at 0, and end those of proto (0:
 * all), with an alias port from low to high (network order), that would be other ones now: another
 * redirect goes first; a link from outside has none any more; the machine's own answers bypass one.
 * Returns how many were ended; *cursor is UINT_MAX at the end of the links.
 */
unsigned int LibAliasRevise(struct libalias *la, unsigned int *cursor, int max, unsigned char proto,
			    u_short low, u_short high);

/*
 * Masquerade rules: what leaves net/bits for another, of proto or (0) of every one, gets this
 * alias address; INADDR_ANY is LibAliasSetAddress()'s, also when it changes.  They count with mode
 * PKT_ALIAS_MASQUERADE_RULES, instead of the aliasing address and of UNREGISTERED_ONLY and
 * UNREGISTERED_CGN: an outgoing packet that has no link, redirect or proxy rule makes a link if a
 * rule matches, else it is IGNORED; a proxied one without rule keeps its source.  The longest
 * prefix wins, then a rule for its protocol.  A rule is for new links; existing ones go on as they
 * are.  An incoming packet that has no link or redirect is let in, unless incoming ones are denied,
 * only where its answers would be masqueraded, and never for one of LibAliasSetOwnAddresses().
 *
 * LibAliasMasquerade - add a rule, or change the alias of that which is there; bits of net behind
 * the prefix do not count.  EINVAL: bits over 32; ENOMEM.
 * LibAliasMasqueradeDelete - ESRCH: there is no rule of just this net, bits and proto.
 */
int LibAliasMasquerade(struct libalias *la, struct in_addr net, int bits, unsigned char proto,
		       struct in_addr alias);
int LibAliasMasqueradeDelete(struct libalias *la, struct in_addr net, int bits,
			     unsigned char proto);

/* Time-outs, in seconds without a packet. */
enum alias_timeout {
	ALIAS_TIMEOUT_ICMP,            /* 60, RFC 5508 */
	ALIAS_TIMEOUT_UDP,             /* 300, RFC 4787 */
	ALIAS_TIMEOUT_OTHER,           /* 60: any other IP protocol */
	ALIAS_TIMEOUT_TCP_OPENING,     /* 240, RFC 5382 */
	ALIAS_TIMEOUT_TCP_ESTABLISHED, /* 86400; RFC 5382 asks for 7440 at least */
	ALIAS_TIMEOUT_TCP_CLOSING,     /* 240, RFC 7857 */
	ALIAS_TIMEOUT_FRAGMENT,        /* 30 */
	ALIAS_TIMEOUT_EXPECTATION,     /* 120: a helper's awaited connection */
	ALIAS_TIMEOUT_COUNT
};

/* LibAliasSetTimeout - EINVAL for an unknown one or 0; holds for existing links, too. */
int LibAliasSetTimeout(struct libalias *la, enum alias_timeout which, unsigned int seconds);
unsigned int LibAliasGetTimeout(const struct libalias *la, enum alias_timeout which);

/* Limits; a packet that needs a link beyond one is refused (PKT_ALIAS_ERROR). */
enum alias_limit {
	ALIAS_LIMIT_LINKS,          /* 16777216: links in all */
	ALIAS_LIMIT_LINKS_PER_HOST, /* 0 = none: links of one inside address */
	ALIAS_LIMIT_FRAGMENTS,      /* 1024: saved fragments, and datagrams in pieces */
	ALIAS_LIMIT_FRAGMENT_BYTES, /* 4194304: of saved fragments */
	ALIAS_LIMIT_EXPECTATIONS,   /* 16: awaited connections of one control connection */
	ALIAS_LIMIT_COUNT
};

/* LibAliasSetLimit - EINVAL for an unknown one or a value out of range. */
int LibAliasSetLimit(struct libalias *la, enum alias_limit which, unsigned int value);
unsigned int LibAliasGetLimit(const struct libalias *la, enum alias_limit which);

/*
 * LibAliasSetClock - the time, in seconds that never go back, comes from clock(arg); NULL = the
 * system's monotonic clock.  Set it before the first packet.
 */
void LibAliasSetClock(struct libalias *la, uint32_t (*clock)(void *arg), void *arg);

/*
 * LibAliasExpire - examine up to max links whose time has come; the packet functions do a few each,
 * so this is for idle time.  Returns how many were examined: fewer than max = all done.
 */
int LibAliasExpire(struct libalias *la, int max);

/* Counters. */
struct alias_stats {
	uint64_t links_created, links_expired;
	uint64_t refused_ports;                /* no alias port free for the remote endpoint */
	uint64_t refused_limit;                /* a limit was reached */
	uint64_t refused_memory;               /* malloc failed */
	uint64_t refused_taken;                /* the tuple belongs to another link */
	uint64_t refused_encoding;             /* a proxy encoding did not fit in the packet */
	uint64_t malformed;                    /* packets with impossible lengths or headers */
	uint64_t bytes;                        /* memory of links and their indexes */
	uint32_t links, tcp, udp, icmp, other; /* live links */
	uint32_t redirects, expectations, fragments;
};
void LibAliasGetStats(const struct libalias *la, struct alias_stats *stats);

/* A link, for listing.  A call of PPTP is two, one for each way; their ports are call ids. */
struct alias_link_info {
	struct in_addr local_addr, alias_addr, remote_addr;
	struct in_addr dest_addr; /* as the inside addressed it; differs from remote when proxied */
	u_short local_port, alias_port, remote_port, dest_port;
	unsigned char proto;
	unsigned char incoming;            /* made by an incoming packet */
	unsigned int timeout;              /* seconds until it expires */
	const struct alias_link *redirect; /* that made it, or NULL */
	const char *helper;                /* that awaited it since the start, or NULL */
};

/*
 * LibAliasNextLink - walk the links: *cursor starts at 0; 1 and *info, or 0 at the end.  Links may
 * come and go between two calls.
 */
int LibAliasNextLink(struct libalias *la, unsigned int *cursor, struct alias_link_info *info);

/*
 * LibAliasFindLink - the link that a whole datagram at ptr would use, an ICMP error that of the
 * packet which it quotes, if it left (0) or arrived (1); nothing is made or changed.  ESRCH: none.
 */
int LibAliasFindLink(struct libalias *la, const void *ptr, int incoming,
		     struct alias_link_info *info);

/* A connection that a helper awaits of anyone; network byte order. */
struct alias_awaited {
	struct in_addr inside, alias;
	unsigned short inside_port, alias_port;
	unsigned char proto;
	const void *helper; /* the library's: who awaits it */
};

/*
 * LibAliasTakeAwaited - for a program with an instance for each group of remotes: takes from this
 * instance what a helper awaits of anyone, if the whole datagram at ptr, which came in (incoming
 * not 0) or leaves, is of it.  What leaves leaves it awaited for a little while, as others may
 * answer. ESRCH: nothing of the kind is awaited.
 *
 * LibAliasInAwaited, LibAliasOutAwaited - LibAliasIn() or LibAliasOut() of another instance, to
 * which the datagram's remote host belongs, for what was taken.
 */
int LibAliasTakeAwaited(struct libalias *la, const void *ptr, int incoming,
			struct alias_awaited *awaited);
int LibAliasInAwaited(struct libalias *la, void *ptr, int maxpacketsize,
		      const struct alias_awaited *awaited);
int LibAliasOutAwaited(struct libalias *la, void *ptr, int maxpacketsize,
		       const struct alias_awaited *awaited);

/*
 * Links across a restart.  A record of a link is opaque, has the same bytes on every machine and is
 * good for any later version of the library.  It has the views of the link, the time it was idle,
 * its TCP state, changes of sequence numbers, the redirect and server that made it, and how far its
 * helper has read.
 */
#define ALIAS_RECORD_MAX 1024

/*
 * LibAliasPackLink - write the next link's record to ALIAS_RECORD_MAX bytes at record; *cursor
 * starts at 0 as for LibAliasNextLink().  The record's length, or 0 at the end.
 */
int LibAliasPackLink(struct libalias *la, unsigned int *cursor, void *record);

/*
 * LibAliasUnpackLink - make the link of a record.  Its redirect is found again by what it matches
 * and the server by its address and port, so set up address, mode, redirects and helpers before;
 * where they are gone the link lives on without.  EINVAL: it is
 * no record; ETIMEDOUT: the link's time is over; EEXIST: a link has its addresses and ports;
 * ENOSPC: a limit; ENOMEM.
 */
int LibAliasUnpackLink(struct libalias *la, const void *record, int length);

/* LibAliasSetFragmentFree - what frees saved fragments instead of free(3); NULL = free(3). */
void LibAliasSetFragmentFree(struct libalias *la, void (*release)(void *fragment, void *arg),
			     void *arg);

/*
 * A hole in a firewall: a connection between exactly these ends, both directions.  Of a PPTP call
 * (GRE) local_port is the inside end's call id, and remote_port is 0.
 */
struct alias_hole {
	unsigned int number; /* from LibAliasSetFWBase()'s range */
	unsigned char proto;
	struct in_addr local_addr, remote_addr;
	u_short local_port, remote_port;
};

/*
 * Firewall operations for PKT_ALIAS_PUNCH_FW; open returns 0 or -1.  They must not call into the
 * instance.
 */
struct alias_firewall {
	int (*open)(void *arg, const struct alias_hole *hole);
	void (*close)(void *arg, const struct alias_hole *hole);
	void (*clear)(void *arg, unsigned int base, unsigned int num);
};
void LibAliasSetFirewall(struct libalias *la, const struct alias_firewall *ops, void *arg);

/* LibAliasSetLogFile - PKT_ALIAS_LOG's file, opened when the mode is set; /var/log/alias.log. */
int LibAliasSetLogFile(struct libalias *la, const char *path);

/*
 * LibAliasSetHelper - the named protocol helper, or set of helpers, watches the port (host order;
 * 0: its default ports), or no longer.  It counts for new links.  ENOENT: no such helper, ENOSPC:
 * too many ports.
 *
 * LibAliasReviseHelpers - look at up to max links, *cursor as for LibAliasRevise(), and have those
 * of UDP watched by the helper that watches their ports now, if any does.  TCP connections keep
 * what they have, since a stream can only be read from its start.
 */
int LibAliasSetHelper(struct libalias *la, const char *name, unsigned int port, int enable);
void LibAliasReviseHelpers(struct libalias *la, unsigned int *cursor, int max);

/* LibAliasHelperHas - is this the helper, or has the set of this name it? */
int LibAliasHelperHas(const char *name, const char *helper);

#ifdef __cplusplus
}
#endif

#endif
