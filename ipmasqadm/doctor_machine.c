// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks of this machine, once whatever the number of forwards: what the kernel can do, whether it
 * forwards at all, and what would keep any forward from working.
 */
#include "doctor.h"
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNTRACK_COUNT "net/netfilter/nf_conntrack_count"
#define CONNTRACK_MAX   "net/netfilter/nf_conntrack_max"
#define NEARLY_FULL     80u /* per cent */
#define FULL            98u

static int check_support(struct doctor *doctor)
{
	bool present[SUPPORT_FEATURES];

	if (support_read(present) < 0)
		return ipmasq_fail(
			&doctor->context->error, errno,
			"cannot ask the kernel what it can do: %s; CAP_NET_ADMIN is needed",
			strerror(errno));
	for (size_t i = 0; support_features[i].feature; i++) {
		const struct support *feature = &support_features[i];
		char mend[128];

		snprintf(mend, sizeof(mend), "boot a kernel with %s", feature->option);
		if (!present[i] && feature->needed)
			doctor_say(doctor, DOCTOR_FAIL, "kernel", NULL, mend,
				   "this kernel has no %s, which forwards need", feature->feature);
		else if (present[i])
			doctor_say(doctor, DOCTOR_OK, "kernel", NULL, NULL, "%s is there",
				   feature->feature);
	}
	return 0;
}

static void check_switch(struct doctor *doctor, const char *file, const char *family)
{
	char name[SUPPORT_SETTING_TEXT], mend[160];
	uint64_t value;

	support_setting_text(file, name);
	if (!support_setting(file, &value)) {
		doctor_say(doctor, DOCTOR_WARN, "forwarding", NULL, NULL,
			   "%s cannot be read: whether %s is forwarded is not known", name, family);
		return;
	}
	snprintf(mend, sizeof(mend), "sysctl -w %s=1", name);
	if (value)
		doctor_say(doctor, DOCTOR_OK, "forwarding", NULL, NULL, "%s is forwarded", family);
	else
		doctor_say(doctor, DOCTOR_FAIL, "forwarding", NULL, mend,
			   "%s is 0: no %s is forwarded", name, family);
}

static bool have_family(const struct doctor *doctor, uint8_t family)
{
	for (size_t i = 0; i < doctor->n_forwards; i++)
		if (doctor->forwards[i].inside.family == family && !doctor->forwards[i].local)
			return true;
	return false;
}

static void check_conntrack(struct doctor *doctor)
{
	uint64_t count, max, percent;
	char mend[128];

	if (!support_setting(CONNTRACK_COUNT, &count) || !support_setting(CONNTRACK_MAX, &max) ||
	    !max)
		return;
	percent = count * 100 / max;
	snprintf(mend, sizeof(mend), "sysctl -w net.netfilter.nf_conntrack_max=%" PRIu64, max * 2);
	if (percent < NEARLY_FULL)
		doctor_say(doctor, DOCTOR_OK, "conntrack", NULL, NULL,
			   "%" PRIu64 " of %" PRIu64 " connections", count, max);
	else
		doctor_say(doctor, percent < FULL ? DOCTOR_WARN : DOCTOR_FAIL, "conntrack", NULL,
			   mend,
			   "%" PRIu64 " of %" PRIu64 " connections are in use; no new one is taken "
			   "when they are full",
			   count, max);
}

/* The two families of the old interface, of which the numbers and most structures are alike. */
struct legacy {
	const char *file, *program;
	int family, level;
	size_t target_offset, entry_size; /* of an entry, and where it says where its target is */
};

static const struct legacy legacies[] = {
	{"/proc/net/ip_tables_names", "iptables-legacy", AF_INET, SOL_IP,
	 offsetof(struct ipt_entry, target_offset), sizeof(struct ipt_entry)},
	{"/proc/net/ip6_tables_names", "ip6tables-legacy", AF_INET6, SOL_IPV6,
	 offsetof(struct ip6t_entry, target_offset), sizeof(struct ip6t_entry)},
};

/* Whether the entry at `at` lets everything pass: the policy of a chain. */
static bool accepts(const struct legacy *legacy, const unsigned char *entries, size_t size,
		    size_t at)
{
	struct xt_standard_target target;
	uint16_t offset;

	if (at > size || size - at < legacy->entry_size)
		return false;
	memcpy(&offset, entries + at + legacy->target_offset, sizeof(offset));
	if (offset > size - at || size - at - offset < sizeof(target))
		return false;
	memcpy(&target, entries + at + offset, sizeof(target));
	return !target.target.u.user.name[0] && target.verdict == -NF_ACCEPT - 1;
}

/* Whether a table has no rule and no policy but to accept; what cannot be read is not. */
static bool legacy_is_idle(const struct legacy *legacy, const char *table)
{
	struct ipt_getinfo info = {0};
	struct ipt_get_entries *entries = NULL;
	socklen_t length = sizeof(info);
	int fd = socket(legacy->family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	unsigned int chains = 0;
	bool idle = false;

	snprintf(info.name, sizeof(info.name), "%.*s", XT_TABLE_MAXNAMELEN - 1, table);
	if (fd < 0 || getsockopt(fd, legacy->level, IPT_SO_GET_INFO, &info, &length) < 0)
		goto out;
	for (unsigned int hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		chains += info.valid_hooks >> hook & 1u;
	if (info.num_entries != chains + 1) /* the policies, and the end */
		goto out;
	length = (socklen_t)(sizeof(*entries) + info.size);
	entries = calloc(1, length);
	if (!entries)
		goto out;
	memcpy(entries->name, info.name, sizeof(entries->name));
	entries->size = info.size;
	idle = getsockopt(fd, legacy->level, IPT_SO_GET_ENTRIES, entries, &length) == 0;
	for (unsigned int hook = 0; hook < NF_INET_NUMHOOKS && idle; hook++)
		if (info.valid_hooks >> hook & 1u)
			idle = accepts(legacy, (const unsigned char *)entries->entrytable,
				       info.size, info.underflow[hook]);
out:
	free(entries);
	if (fd >= 0)
		close(fd);
	return idle;
}

/* Rules of the old interface, which nf_tables does not show. */
static void check_legacy(struct doctor *doctor)
{
	for (size_t i = 0; i < sizeof(legacies) / sizeof(legacies[0]); i++) {
		const struct legacy *legacy = &legacies[i];
		FILE *file = fopen(legacy->file, "re");
		char name[XT_TABLE_MAXNAMELEN + 1];

		while (file && fgets(name, sizeof(name), file)) {
			name[strcspn(name, "\n")] = '\0';
			if (!legacy_is_idle(legacy, name))
				doctor_say(
					doctor, DOCTOR_WARN, "legacy", NULL, NULL,
					"rules of %s are in its table %s and cannot be examined; "
					"`%s -t %s -S` shows them",
					legacy->program, name, legacy->program, name);
		}
		if (file)
			fclose(file);
	}
}

int machine_check(struct doctor *doctor)
{
	if (check_support(doctor) < 0)
		return -1;
	if (have_family(doctor, AF_INET))
		check_switch(doctor, "net/ipv4/ip_forward", "IPv4");
	if (have_family(doctor, AF_INET6))
		check_switch(doctor, "net/ipv6/conf/all/forwarding", "IPv6");
	check_conntrack(doctor);
	check_legacy(doctor);
	return 0;
}
