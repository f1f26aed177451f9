// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks of this machine, once whatever the number of forwards: what the kernel can do, whether it
 * forwards at all, and what would keep any forward from working.
 */
#include "doctor.h"
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

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

	if (!support_setting(file, &value))
		return;
	support_setting_text(file, name);
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

/* Chains of the old interface, which nf_tables does not show. */
static void check_legacy(struct doctor *doctor)
{
	static const char *const files[][2] = {{"/proc/net/ip_tables_names", "iptables-legacy"},
					       {"/proc/net/ip6_tables_names", "ip6tables-legacy"}};

	for (size_t i = 0; i < 2; i++) {
		FILE *file = fopen(files[i][0], "re");
		char name[64];

		while (file && fgets(name, sizeof(name), file)) {
			name[strcspn(name, "\n")] = '\0';
			doctor_say(doctor, DOCTOR_WARN, "legacy", NULL, NULL,
				   "rules of %s may be in its table %s and cannot be examined; "
				   "`%s -t %s -S` shows them",
				   files[i][1], name, files[i][1], name);
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
