// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipmasqd: the user engine as a daemon.
 *
 * The start opens everything with root's rights, in the order in which it can be taken back: the
 * files' child, modules, engine, rules, links, control socket, datapath.  Then the rights go, the
 * datapath's threads start, the seccomp filter closes, and whoever waits is told.  From there on
 * this thread serves signals, addresses and the control socket by one poll(2), and nothing it does
 * makes a packet wait but a commit's moment.  The end goes the same way back: nobody is heard, what
 * is queued is translated, links are saved, rules and files removed.
 */
#include "addresses.h"
#include "background.h"
#include "control.h"
#include "daemon.h"
#include "datapath.h"
#include "files.h"
#include "log.h"
#include "notify.h"
#include "punch.h"
#include "rules.h"
#include "sandbox.h"
#include "standard.h"
#include "trim.h"

#include <errno.h>
#include <ipmasq/listing.h>
#include <ipmasq/plugin.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <user/user.h>

#define TICK_MS          1000
#define HANDOVER_SECONDS 5 /* that saved links wait for the next ipmasqd */

static int load_module(const char *name, void *data)
{
	struct ipmasq_error error;

	(void)data;
	if (!ipmasq_plugin_load(name, &error))
		log_message(LOG_WARNING, "%s", error.text);
	return 0;
}

/* What is opened on first use otherwise, when its directory may be out of reach. */
static int load_modules(struct ipmasq_error *error)
{
	static const struct ipmasq_column column = {"none", false};
	struct ipmasq_context context = {.out = stdout};
	struct ipmasq_listing *listing;

	if (ipmasq_plugin_names(load_module, NULL, error) < 0)
		return -1;
	listing = ipmasq_listing_open(&context, "none", &column, 1);
	if (!listing) {
		*error = context.error;
		return -1;
	}
	ipmasq_listing_drop(listing);
	return 0;
}

static int write_pid(struct ipmasqd *daemon, struct ipmasq_error *error)
{
	char line[16];

	snprintf(line, sizeof(line), "%d\n", getpid());
	if (!daemon->options.pid)
		return 0;
	if (files_write_pid(line) < 0)
		return ipmasq_fail(error, errno, "cannot write %s: %s", daemon->options.pid,
				   files_reason(errno));
	daemon->pid_written = true;
	return 0;
}

/* The engine with its rules and links; nothing of the kernel's is changed yet. */
static int start_engine(struct ipmasqd *daemon, struct ipmasq_error *error)
{
	daemon->user = user_open(daemon->options.workers, error);
	if (!daemon->user)
		return -1;
	daemon->addresses = addresses_open(daemon->options.interface, daemon->user, error);
	if (!daemon->addresses)
		return -1;
	if (daemon->options.punch) {
		daemon->punch = punch_open(daemon->user, daemon->options.workers,
					   daemon->options.punch, error);
		if (!daemon->punch)
			return -1;
	}
	if (rules_load(daemon) < 0)
		return ipmasq_fail(error, EINVAL, "not started: the rules have to be right first");
	rules_load_links(daemon);
	return 0;
}

static int start_datapath(struct ipmasqd *daemon, struct ipmasq_error *error)
{
	const struct options *options = &daemon->options;
	const struct datapath_options datapath = {
		.interface = options->interface,
		.tun = options->tun,
		.workers = options->workers,
		.queue = options->queue,
		.fail_open = options->fail_open,
	};

	daemon->datapath = datapath_open(&datapath, daemon->user, error);
	return daemon->datapath ? 0 : -1;
}

/* All that takes privileges; the signals are blocked from here on. */
static int start_privileged(struct ipmasqd *daemon, struct ipmasq_error *error)
{
	const struct options *options = &daemon->options;
	const struct files files = {
		.rules = options->rules ? options->rules : RULES_FILE,
		.state = options->state,
		.pid = options->pid,
		.socket = options->socket,
	};

	if (privilege_check(&daemon->privilege, options->user, error) < 0)
		return -1;
	if (!options->foreground && background_start() < 0)
		return ipmasq_fail(error, errno, "cannot go into the background: %s",
				   strerror(errno));
	notify_open();
	if (load_modules(error) < 0 || files_start(&files, error) < 0 ||
	    start_engine(daemon, error) < 0)
		return -1;
	daemon->control = control_open(options->socket, daemon, error);
	if (!daemon->control || start_datapath(daemon, error) < 0)
		return -1;
	return write_pid(daemon, error);
}

static int start(struct ipmasqd *daemon, struct ipmasq_error *error)
{
	clock_gettime(CLOCK_MONOTONIC, &daemon->started);
	if (start_privileged(daemon, error) < 0 || privilege_drop(&daemon->privilege, error) < 0 ||
	    control_start(daemon->control, error) < 0 ||
	    datapath_start(daemon->datapath, error) < 0 || sandbox_enter(error) < 0)
		return -1;
	return 0;
}

static void tell_ready(const struct ipmasqd *daemon, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "%s: %s as %s, control socket %.100s", what,
		 daemon->options.interface, daemon->privilege.name, daemon->options.socket);
	log_message(LOG_NOTICE, "%s", text);
	notify_ready(text);
}

static void reload(const struct ipmasqd *daemon)
{
	notify_reloading();
	if (rules_load(daemon) == 0)
		tell_ready(daemon, "rules read again");
	else
		tell_ready(daemon, "the old rules stay");
}

/* What has come by signal; false: it is the end. */
static bool take_signals(const struct ipmasqd *daemon, int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP)
			return false;
		reload(daemon);
	}
	return true;
}

/* Until a signal ends it; -1 when the datapath does. */
static int serve(struct ipmasqd *daemon, int signals, struct ipmasq_error *error)
{
	struct pollfd fds[] = {
		{.fd = signals, .events = POLLIN},
		{.fd = addresses_fd(daemon->addresses), .events = POLLIN},
		{.fd = control_fd(daemon->control), .events = POLLIN},
		{.fd = files_fd()},
	};
	struct timespec now;
	time_t ticked = 0;

	for (;;) {
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), TICK_MS) < 0 && errno != EINTR)
			return ipmasq_fail(error, errno, "cannot wait for events: %s",
					   strerror(errno));
		if (fds[0].revents && !take_signals(daemon, signals))
			return 0;
		if (fds[1].revents)
			addresses_update(daemon->addresses);
		if (fds[2].revents)
			control_run(daemon->control);
		if (fds[3].revents) {
			log_message(LOG_ERR,
				    "the process that opens files has ended: the rules file is not "
				    "read again, and links are not saved; restart ipmasqd");
			fds[3].fd = -1;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec == ticked)
			continue;
		ticked = now.tv_sec;
		control_tick(daemon->control);
		if (!datapath_alive(daemon->datapath, error))
			return -1;
	}
}

/* All of it, however far the start has come. */
static void stop(struct ipmasqd *daemon)
{
	if (daemon->control)
		files_remove_socket();
	control_close(daemon->control);
	if (daemon->datapath) {
		datapath_stop(daemon->datapath, daemon->options.state ? HANDOVER_SECONDS : 0);
		rules_save_links(daemon);
		datapath_close(daemon->datapath);
	}
	addresses_close(daemon->addresses);
	punch_close(daemon->punch);
	user_close(daemon->user);
	if (daemon->pid_written)
		files_remove_pid();
	files_end();
}

/* The signals as a descriptor, blocked in all threads. */
static int open_signals(struct ipmasq_error *error)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? ipmasq_fail(error, errno, "cannot wait for signals: %s", strerror(errno))
		      : fd;
}

int main(int argc, char **argv)
{
	struct ipmasqd daemon = {0};
	struct ipmasq_error error;
	int status, signals, rc = -1;

	standard_hold();
	log_open();
	if (options_parse(&daemon.options, argc, argv, &status) < 0)
		return status;
	signals = open_signals(&error);
	if (signals >= 0 && start(&daemon, &error) == 0) {
		if (!daemon.options.foreground)
			log_use_syslog();
		tell_ready(&daemon, "translating");
		if (!daemon.options.foreground)
			background_ready();
		trim_memory();
		rc = serve(&daemon, signals, &error);
		notify_stopping();
	}
	if (rc < 0)
		log_message(LOG_ERR, "%s", error.text);
	stop(&daemon);
	return rc < 0 ? (int)error.status : IPMASQ_OK;
}
