// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An allow list of system calls; any other ends the process, which the kernel logs.
 *
 * There is no execve, no fork, no ptrace, no mount, no change of owner or mode.  Files open for
 * reading only, as the look-up of names does (/etc/hosts, /etc/resolv.conf, a module of nsswitch);
 * whoever tries to write is told EACCES and lives, since libraries try.  Sockets may be made, for
 * name servers and syslog.  Written with the calls of more than one C library's version in mind:
 * what is new is often a newer spelling of an old call.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>

#ifdef __SANITIZE_ADDRESS__ /* LeakSanitizer traces this process from one that it forks */
static const bool traced = true;
#else
static const bool traced = false;
#endif

/* By what they are for. */
static const int allowed[] = {
	/* memory and threads */
	SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(mremap),
	SCMP_SYS(munmap), SCMP_SYS(futex), SCMP_SYS(membarrier), SCMP_SYS(rseq),
	SCMP_SYS(restart_syscall), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* signals and time */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(tgkill), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(nanosleep), SCMP_SYS(time),
	/* descriptors */
	SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl), SCMP_SYS(fsync),
	SCMP_SYS(fstat), SCMP_SYS(ioctl), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(read),
	SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait), SCMP_SYS(poll), SCMP_SYS(ppoll),
	/* sockets */
	SCMP_SYS(accept4), SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(getpeername),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto),
	SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(socket),
	/* looking at files */
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(getcwd),
	SCMP_SYS(getdents64), SCMP_SYS(newfstatat), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx),
	/* who and what this is */
	SCMP_SYS(getegid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpid), SCMP_SYS(getppid),
	SCMP_SYS(getrandom), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(prlimit64), SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
};

/* `argument`: the position of the flags among the call's. */
static int only_reading(scmp_filter_ctx filter, int call, unsigned int argument)
{
	int rc = seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, call, 1,
		SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));

	for (scmp_datum_t mode = O_WRONLY; mode <= O_RDWR && rc == 0; mode++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 1,
				      SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, O_ACCMODE, mode));
	return rc;
}

int sandbox_enter(struct ipmasq_error *error)
{
	scmp_filter_ctx filter;
	int rc;

	if (traced)
		return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	rc = filter ? 0 : -ENOMEM;

	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (rc == 0)
		rc = only_reading(filter, SCMP_SYS(openat), 2);
	if (rc == 0)
		rc = only_reading(filter, SCMP_SYS(open), 1);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc < 0)
		return ipmasq_fail(error, -rc, "cannot set the seccomp filter: %s", strerror(-rc));
	return 0;
}
