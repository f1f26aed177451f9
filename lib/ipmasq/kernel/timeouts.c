// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long the kernel keeps idle connections: sysctls of this network namespace.
 *
 * conntrack has finer states than the three that the original had names for; each name sets all
 * states that it meant.  When one cannot be set, those before it get their old values again.
 */
#include "timeouts.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DIRECTORY "/proc/sys/net/netfilter/nf_conntrack_"

static const struct {
	const char *name;
	size_t offset; /* in struct ipmasq_timeouts */
} sysctls[] = {
	{"tcp_timeout_established", offsetof(struct ipmasq_timeouts, tcp)},
	{"tcp_timeout_fin_wait", offsetof(struct ipmasq_timeouts, tcpfin)},
	{"tcp_timeout_close_wait", offsetof(struct ipmasq_timeouts, tcpfin)},
	{"tcp_timeout_last_ack", offsetof(struct ipmasq_timeouts, tcpfin)},
	{"tcp_timeout_time_wait", offsetof(struct ipmasq_timeouts, tcpfin)},
	{"udp_timeout", offsetof(struct ipmasq_timeouts, udp)},
	{"udp_timeout_stream", offsetof(struct ipmasq_timeouts, udp)},
};

#define N_SYSCTLS (sizeof(sysctls) / sizeof(sysctls[0]))

static FILE *open_sysctl(size_t i, const char *mode)
{
	char path[128];

	snprintf(path, sizeof(path), DIRECTORY "%s", sysctls[i].name);
	return fopen(path, mode);
}

static int read_sysctl(size_t i, uint32_t *value)
{
	FILE *file = open_sysctl(i, "re");
	int n;

	if (!file)
		return -1;
	n = fscanf(file, "%u", value);
	fclose(file);
	return n == 1 ? 0 : -1;
}

static int write_sysctl(size_t i, uint32_t value)
{
	FILE *file = open_sysctl(i, "we");
	int n;

	if (!file)
		return -1;
	n = fprintf(file, "%u\n", value);
	return fclose(file) == 0 && n > 0 ? 0 : -1;
}

int kernel_timeouts(struct ipmasq_engine *engine, const struct ipmasq_timeouts *timeouts,
		    struct ipmasq_error *error)
{
	uint32_t old[N_SYSCTLS];
	size_t i;

	(void)engine;
	for (i = 0; i < N_SYSCTLS; i++) {
		uint32_t value;

		memcpy(&value, (const char *)timeouts + sysctls[i].offset, sizeof(value));
		if (value && (read_sysctl(i, &old[i]) < 0 || write_sysctl(i, value) < 0))
			break;
		if (!value)
			old[i] = 0;
	}
	if (i == N_SYSCTLS)
		return 0;
	ipmasq_fail(error, errno, "cannot set " DIRECTORY "%s: %s", sysctls[i].name,
		    strerror(errno));
	while (i-- > 0)
		if (old[i])
			write_sysctl(i, old[i]);
	return -1;
}
