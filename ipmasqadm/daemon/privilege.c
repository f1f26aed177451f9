// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two capabilities are what moving packets needs: CAP_NET_ADMIN for queues, rules and verdicts,
 * CAP_NET_RAW for what a datapath sends itself.  Everything else that root has was used when
 * sockets and devices were opened; files.c keeps the rest apart.
 */
#include "privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define OWN_USER   "ipmasqd"
#define OTHER_USER "nobody"

static int find_user(struct privilege *privilege, const char *user, struct ipmasq_error *error)
{
	const struct passwd *entry = getpwnam(user ? user : OWN_USER);

	if (!entry && !user)
		entry = getpwnam(OTHER_USER);
	if (!entry)
		return ipmasq_fail(
			error, ENOENT,
			"there is no user '%s'; -u names the one to become, -u root none",
			user ? user : OTHER_USER);
	privilege->uid = entry->pw_uid;
	privilege->gid = entry->pw_gid;
	snprintf(privilege->name, sizeof(privilege->name), "%s", entry->pw_name);
	return 0;
}

int privilege_check(struct privilege *privilege, const char *user, struct ipmasq_error *error)
{
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
		return ipmasq_fail(error, EPERM,
				   "no permission: CAP_NET_ADMIN is needed; run it as root");
	if (geteuid() == 0 || user) {
		if (find_user(privilege, user, error) < 0)
			return -1;
		if (geteuid() != 0 && privilege->uid != geteuid())
			return ipmasq_fail(error, EPERM, "only root can become '%s'", user);
		return 0;
	}
	privilege->uid = geteuid();
	privilege->gid = getegid();
	snprintf(privilege->name, sizeof(privilege->name), "uid %u", privilege->uid);
	return 0;
}

int privilege_drop(const struct privilege *privilege, struct ipmasq_error *error)
{
	static const unsigned int wanted[] = {CAP_NET_ADMIN, CAP_NET_RAW};
	bool has[sizeof(wanted) / sizeof(wanted[0])];
	int rc;

	for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++)
		has[i] = capng_have_capability(CAPNG_PERMITTED, wanted[i]);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++)
		if (has[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, wanted[i]);
	if (privilege->uid == geteuid())
		rc = capng_apply(geteuid() == 0 ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
	else
		rc = capng_change_id((int)privilege->uid, (int)privilege->gid,
				     CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (rc < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return ipmasq_fail(
			error, EPERM,
			"cannot become '%s'; in a user namespace without that user, -u root "
			"keeps the one there is",
			privilege->name);
	return 0;
}
