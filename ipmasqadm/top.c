// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `top`: the forwards by what they carry, again and again.
 *
 * A frame is a transaction that changes nothing: all redirects with their counters, the rates from
 * the difference to the frame before, the busiest first.  On a terminal each frame takes the place
 * of the one before, on its other screen, so that what stood there is there again afterwards; q,
 * Ctrl-C and SIGTERM end it the same way.  With -b, or where no terminal is, frames follow each
 * other with an empty line between them.
 */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <ipmasq/listing.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_DEFAULT 2u
#define SECONDS_MAX     3600u
#define LINES_MIN       3

#define SCREEN_BEGIN "\033[?1049h\033[?25l"
#define SCREEN_FRAME "\033[H\033[J"
#define SCREEN_END   "\033[?25h\033[?1049l"

/* What one target of a redirect has carried so far, and how fast. */
struct sample {
	char prot[8], alias[IPMASQ_ADDRESS_TEXT], port[16], inside[IPMASQ_ADDRESS_TEXT];
	char owner[IPMASQ_OWNER_SIZE], mark[16];
	uint16_t inside_port;
	struct ipmasq_counters counters;
	uint64_t packet_rate, byte_rate;
};

struct samples {
	struct sample *list;
	size_t n, room;
	int64_t at; /* ms */
};

struct top {
	struct session *session;
	struct samples before, now;
	bool screen;
	uint32_t seconds, count; /* 0: until it is ended */
	size_t rows;             /* that fit, 0: all */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Order by what makes a target the same one. */
static int by_key(const void *a, const void *b)
{
	const struct sample *one = a, *other = b;

	return memcmp(one, other, offsetof(struct sample, counters));
}

static int by_rate(const void *a, const void *b)
{
	const struct sample *one = a, *other = b;

	if (one->byte_rate != other->byte_rate)
		return one->byte_rate < other->byte_rate ? 1 : -1;
	if (one->counters.bytes != other->counters.bytes)
		return one->counters.bytes < other->counters.bytes ? 1 : -1;
	return by_key(a, b);
}

static struct sample *new_sample(struct samples *samples)
{
	if (samples->n == samples->room) {
		size_t room = samples->room ? samples->room * 2 : 64;
		struct sample *list = reallocarray(samples->list, room, sizeof(*list));

		if (!list)
			return NULL;
		samples->list = list;
		samples->room = room;
	}
	return memset(&samples->list[samples->n++], 0, sizeof(struct sample));
}

static int take_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct ipmasq_redirect *redirect = &rule->redirect;
	const struct ipmasq_match *match = &redirect->match;
	const char *protocol = ipmasq_protocol_name(match->protocol);
	struct samples *samples = data;

	for (uint32_t i = 0; rule->kind == IPMASQ_REDIRECT && i < redirect->n_targets; i++) {
		struct sample *sample = new_sample(samples);

		if (!sample)
			return -1;
		snprintf(sample->owner, sizeof(sample->owner), "%s", rule->owner);
		snprintf(sample->prot, sizeof(sample->prot), "%s", protocol ? protocol : "any");
		ipmasq_address_text(&match->alias, sample->alias);
		ipmasq_address_text(&redirect->targets[i].address, sample->inside);
		snprintf(sample->port, sizeof(sample->port),
			 match->ports.low == match->ports.high ? "%u" : "%u-%u", match->ports.low,
			 match->ports.high);
		snprintf(sample->mark, sizeof(sample->mark), "%#x", match->mark);
		sample->inside_port = redirect->targets[i].port;
		sample->counters = redirect->targets[i].counters;
	}
	return 0;
}

/* A counter that went back was begun anew. */
static uint64_t rate(uint64_t before, uint64_t now, int64_t ms)
{
	return now > before && ms > 0 ? (now - before) * 1000 / (uint64_t)ms : 0;
}

/* `before` is in the order of by_key(). */
static void compute_rates(struct samples *now, const struct samples *before)
{
	for (size_t i = 0; i < now->n && before->n; i++) {
		struct sample *sample = &now->list[i];
		const struct sample *old =
			bsearch(sample, before->list, before->n, sizeof(*sample), by_key);

		if (!old)
			continue;
		sample->packet_rate =
			rate(old->counters.packets, sample->counters.packets, now->at - before->at);
		sample->byte_rate =
			rate(old->counters.bytes, sample->counters.bytes, now->at - before->at);
	}
}

static const struct ipmasq_column columns[] = {
	{"module", false}, {"prot", false},      {"localaddr", false}, {"lport", false},
	{"mark", false},   {"rediraddr", false}, {"rport", true},      {"packets/s", true},
	{"bytes/s", true}, {"packets", true},    {"bytes", true},
};

static int print_sample(struct ipmasq_listing *listing, const struct sample *sample,
			struct ipmasq_error *error)
{
	char numbers[5][24];
	const char *cells[] = {sample->owner, sample->prot,   sample->alias, sample->port,
			       sample->mark,  sample->inside, numbers[0],    numbers[1],
			       numbers[2],    numbers[3],     numbers[4]};
	const uint64_t values[] = {sample->inside_port, sample->packet_rate, sample->byte_rate,
				   sample->counters.packets, sample->counters.bytes};

	for (size_t i = 0; i < 5; i++)
		snprintf(numbers[i], sizeof(numbers[i]), "%" PRIu64, values[i]);
	return ipmasq_listing_row(listing, cells, error);
}

static int print_samples(struct ipmasq_context *context, const struct samples *samples, size_t rows)
{
	struct ipmasq_listing *listing =
		ipmasq_listing_open(context, "top", columns, sizeof(columns) / sizeof(columns[0]));

	if (!listing)
		return -1;
	for (size_t i = 0; i < samples->n && (!rows || i < rows); i++) {
		if (print_sample(listing, &samples->list[i], &context->error) < 0) {
			ipmasq_listing_drop(listing);
			return -1;
		}
	}
	return ipmasq_listing_print(listing, &context->error);
}

static int frame(struct ipmasq_context *context, void *data)
{
	struct top *top = data;
	int rc;

	top->now.n = 0; /* of a try before */
	top->now.at = now_ms();
	ipmasq_table_want_counters(context->table);
	rc = ipmasq_table_walk(context->table, NULL, take_rule, &top->now, &context->error);
	if (rc < 0)
		return context->error.status
			       ? (int)context->error.status
			       : (ipmasq_fail(&context->error, ENOMEM, "out of memory"),
				  IPMASQ_FAILED);
	compute_rates(&top->now, &top->before);
	if (top->now.n)
		qsort(top->now.list, top->now.n, sizeof(struct sample), by_rate);
	if (top->screen)
		fputs(SCREEN_FRAME, context->out);
	return print_samples(context, &top->now, top->rows) < 0 ? (int)context->error.status
								: IPMASQ_OK;
}

/* The frame that was shown is the one before. */
static void keep_frame(struct top *top)
{
	struct samples old = top->before;

	if (top->now.n)
		qsort(top->now.list, top->now.n, sizeof(struct sample), by_key);
	top->before = top->now;
	top->now = old;
}

static void measure_screen(struct top *top)
{
	struct winsize size;

	if (top->screen && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row >= LINES_MIN)
		top->rows = size.ws_row - 2u;
}

/* Waits for the next frame; false: it is ended. */
static bool wait_for_next(const struct top *top, int signals)
{
	int64_t until = now_ms() + (int64_t)top->seconds * 1000, left;
	struct pollfd polls[] = {{.fd = signals, .events = POLLIN},
				 {.fd = top->screen ? STDIN_FILENO : -1, .events = POLLIN}};

	while ((left = until - now_ms()) > 0) {
		char key;

		if (poll(polls, 2, (int)left) < 0 && errno != EINTR)
			return false;
		if (polls[0].revents)
			return false;
		if (polls[1].revents && (read(STDIN_FILENO, &key, 1) != 1 || key == 'q'))
			return false;
	}
	return true;
}

static enum ipmasq_status show_frames(struct top *top, int signals)
{
	enum ipmasq_status status = IPMASQ_OK;

	for (uint32_t n = 1;; n++) {
		measure_screen(top);
		status = session_transaction(top->session, "top", frame, top);
		keep_frame(top);
		if (status != IPMASQ_OK || n == top->count || !wait_for_next(top, signals))
			return status;
		if (!top->screen && !top->session->flags.json)
			fputc('\n', top->session->out);
	}
}

static enum ipmasq_status run_frames(struct top *top)
{
	struct termios saved, raw;
	enum ipmasq_status status;
	sigset_t ends, before;
	int signals;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	signals = signalfd(-1, &ends, SFD_CLOEXEC);
	top->screen = top->screen && tcgetattr(STDIN_FILENO, &saved) == 0;
	if (top->screen) {
		raw = saved;
		raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
		fputs(SCREEN_BEGIN, top->session->out);
	}
	status = show_frames(top, signals);
	if (top->screen) {
		fputs(SCREEN_END, top->session->out);
		fflush(top->session->out);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	}
	while (signals >= 0 && poll(&(struct pollfd){.fd = signals, .events = POLLIN}, 1, 0) > 0) {
		struct signalfd_siginfo ended; /* or it would come as soon as it is let in */

		if (read(signals, &ended, sizeof(ended)) <= 0)
			break;
	}
	if (signals >= 0)
		close(signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}

static int parse_words(struct top *top, int argc, char **argv, struct ipmasq_error *error)
{
	for (int i = 1; i < argc; i++) {
		bool seconds = strncmp(argv[i], "-d", 2) == 0,
		     count = strncmp(argv[i], "-N", 2) == 0;
		const char *value;

		if (strcmp(argv[i], "-b") == 0) {
			top->screen = false;
			continue;
		}
		if (!seconds && !count)
			return command_wrong_word(top->session, argv[0], argv[i], error);
		value = argv[i][2] ? argv[i] + 2 : argv[++i];
		if (!value)
			return ipmasq_usage(error, "-%c needs a number", seconds ? 'd' : 'N');
		if (ipmasq_parse_number(seconds ? &top->seconds : &top->count, value,
					seconds ? "number of seconds" : "number of frames", 1,
					seconds ? SECONDS_MAX : UINT32_MAX, error) < 0)
			return -1;
	}
	return 0;
}

enum ipmasq_status top_run(struct session *session, int argc, char **argv)
{
	struct top top = {.session = session, .seconds = SECONDS_DEFAULT};
	struct ipmasq_error error;
	enum ipmasq_status status;

	top.screen = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !session->flags.json;
	if (parse_words(&top, argc, argv, &error) < 0) {
		fprintf(session->err, "top: %s\n", error.text);
		return error.status;
	}
	if (session->remote) {
		fputs("top: it shows the kernel's forwards; what those of ipmasqd carry, "
		      "`portfw -L -v` says\n",
		      session->err);
		return IPMASQ_FAILED;
	}
	if (session->out != stdout) {
		fputs("top: it is for this machine's console only\n", session->err);
		return IPMASQ_FAILED;
	}
	status = run_frames(&top);
	free(top.before.list);
	free(top.now.list);
	return status;
}
