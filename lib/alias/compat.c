/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat.c - the PacketAlias* interface of 1997: one global instance behind the LibAlias* calls.
 *
 * PacketAliasInit() makes the instance, or returns it to its initial state.  Its target starts as
 * the aliasing address, and a target of 0 means that address, as the manual of the time says.
 */
#include "engine.h"

static struct libalias *global;

void PacketAliasInit(void)
{
	global = LibAliasInit(global);
	if (global)
		global->target = INADDR_NONE;
}

void PacketAliasUninit(void)
{
	LibAliasUninit(global);
	global = NULL;
}

void PacketAliasReset(void)
{
	LibAliasReset(global);
}

void PacketAliasSetAddress(struct in_addr addr)
{
	LibAliasSetAddress(global, addr);
}

void PacketAliasSetAliasPortRange(u_short low, u_short high)
{
	LibAliasSetAliasPortRange(global, low, high);
}

void PacketAliasSetFWBase(unsigned int base, unsigned int num)
{
	LibAliasSetFWBase(global, base, num);
}

void PacketAliasSkinnyPort(unsigned int port)
{
	LibAliasSkinnyPort(global, port);
}

void PacketAliasSetSkinnyPort(unsigned int port)
{
	LibAliasSkinnyPort(global, port);
}

unsigned int PacketAliasSetMode(unsigned int flags, unsigned int mask)
{
	return LibAliasSetMode(global, flags, mask);
}

int PacketAliasIn(void *ptr, int maxpacketsize)
{
	return LibAliasIn(global, ptr, maxpacketsize);
}

int PacketAliasOut(void *ptr, int maxpacketsize)
{
	return LibAliasOut(global, ptr, maxpacketsize);
}

int PacketAliasOutTry(void *ptr, int maxpacketsize, int create)
{
	return LibAliasOutTry(global, ptr, maxpacketsize, create);
}

int PacketUnaliasOut(void *ptr, int maxpacketsize)
{
	return LibAliasUnaliasOut(global, ptr, maxpacketsize);
}

int PacketAliasAddServer(struct alias_link *link, struct in_addr addr, unsigned short port)
{
	return LibAliasAddServer(global, link, addr, port);
}

struct alias_link *PacketAliasRedirectAddr(struct in_addr local_addr, struct in_addr alias_addr)
{
	return LibAliasRedirectAddr(global, local_addr, alias_addr);
}

int PacketAliasRedirectDynamic(struct alias_link *link)
{
	return LibAliasRedirectDynamic(global, link);
}

void PacketAliasRedirectDelete(struct alias_link *link)
{
	LibAliasRedirectDelete(global, link);
}

struct alias_link *PacketAliasRedirectPort(struct in_addr local_addr, unsigned short local_port,
					   struct in_addr remote_addr, unsigned short remote_port,
					   struct in_addr alias_addr, unsigned short alias_port,
					   unsigned char proto)
{
	return LibAliasRedirectPort(global, local_addr, local_port, remote_addr, remote_port,
				    alias_addr, alias_port, proto);
}

struct alias_link *PacketAliasRedirectProto(struct in_addr local_addr, struct in_addr remote_addr,
					    struct in_addr alias_addr, unsigned char proto)
{
	return LibAliasRedirectProto(global, local_addr, remote_addr, alias_addr, proto);
}

void PacketAliasFragmentIn(void *header, void *fragment)
{
	LibAliasFragmentIn(global, header, fragment);
}

void *PacketAliasGetFragment(void *header)
{
	return LibAliasGetFragment(global, header);
}

int PacketAliasSaveFragment(void *ptr)
{
	return LibAliasSaveFragment(global, ptr);
}

int PacketAliasCheckNewLink(void)
{
	return LibAliasCheckNewLink(global);
}

unsigned short PacketAliasInternetChecksum(unsigned short *buffer, int nbytes)
{
	return LibAliasInternetChecksum(global, buffer, nbytes);
}

void PacketAliasSetTarget(struct in_addr addr)
{
	if (addr.s_addr == INADDR_ANY)
		addr.s_addr = INADDR_NONE;
	LibAliasSetTarget(global, addr);
}

int PacketAliasProxyRule(const char *cmd)
{
	return LibAliasProxyRule(global, cmd);
}
