/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper.c - which helper watches which port, and what helpers share; helper.h has the interface.
 */
#include "helper.h"

#include <errno.h>
#include <stdlib.h>

static const struct helper *const helpers[] = {
	&helper_ftp,
	&helper_pptp,
};

#define HELPERS (sizeof(helpers) / sizeof(helpers[0]))

static const struct helper *helper_named(const char *name)
{
	for (size_t i = 0; i < HELPERS; i++)
		if (!strcmp(helpers[i]->name, name))
			return helpers[i];
	return NULL;
}

int LibAliasSetHelper(struct libalias *la, const char *name, unsigned int port, int enable)
{
	const struct helper *helper = helper_named(name);
	int i;

	if (!helper || !port || port > 65535) {
		errno = helper ? EINVAL : ENOENT;
		return -1;
	}
	for (i = 0; i < la->helper_ports; i++)
		if (la->helper_port[i].port == htons((uint16_t)port) &&
		    la->helper_port[i].helper->proto == helper->proto)
			break;
	if (i < la->helper_ports && !enable) {
		la->helper_port[i] = la->helper_port[--la->helper_ports];
		return 0;
	}
	if (!enable)
		return 0;
	if (i == HELPER_PORTS) {
		errno = ENOSPC;
		return -1;
	}
	if (i == la->helper_ports)
		la->helper_ports++;
	la->helper_port[i].helper = helper;
	la->helper_port[i].port = htons((uint16_t)port);
	return 0;
}

void helper_defaults(struct libalias *la)
{
	la->helper_ports = 0;
	for (size_t i = 0; i < HELPERS; i++)
		if (helpers[i]->port)
			LibAliasSetHelper(la, helpers[i]->name, helpers[i]->port, 1);
}

int LibAliasLoadModule(char *path)
{
	const char *name = path ? strrchr(path, '/') : NULL;
	char plain[32];
	size_t len;

	if (!path)
		return EINVAL;
	name = name ? name + 1 : path;
	if (!strncmp(name, "lib", 3))
		name += 3;
	if (!strncmp(name, "alias_", 6))
		name += 6;
	len = strcspn(name, ".");
	if (len >= sizeof(plain))
		return ENOENT;
	memcpy(plain, name, len);
	plain[len] = '\0';
	return helper_named(plain) ? 0 : ENOENT;
}

int LibAliasUnLoadAllModule(void)
{
	return 0;
}

int LibAliasRefreshModules(void)
{
	return 0;
}

void helper_attach(struct libalias *la, struct link *link)
{
	const struct view *out = &link->view[OUT], *in = &link->view[IN];
	const struct helper *helper;
	struct link_side *side;
	uint16_t port;

	for (int i = 0; i < la->helper_ports; i++) {
		helper = la->helper_port[i].helper;
		port = la->helper_port[i].port;
		if (helper->proto != link->proto ||
		    (out->peer_port != port && in->peer_port != port && out->local_port != port &&
		     in->local_port != port))
			continue;
		side = link_side_for_helper(la, link, helper->state_size);
		if (side)
			side->helper = helper;
		return;
	}
}

void helper_detach(struct libalias *la, struct link *link)
{
	const struct helper *helper = link->side->helper;

	if (helper && helper->end)
		helper->end(la, link);
}

bool helper_replace(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
		    uint32_t offset, uint32_t seq, uint32_t old_len, const void *new,
		    uint32_t new_len)
{
	struct link_side *side = link_side(la, link);

	if (!side || p->len - old_len + new_len > p->size || p->len - old_len + new_len > 65535)
		return false;
	if (p->proto == IPPROTO_TCP &&
	    !tcp_record_change(side, dir, seq, seq + old_len, (int32_t)(new_len - old_len)))
		return false;
	return packet_replace(p, offset, old_len, new, new_len);
}
