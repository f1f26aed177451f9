// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shell on a terminal: the part `shell`, which brings readline.
 *
 * readline is fed byte by byte from a loop that waits for input and signals at once, so that
 * Ctrl-C is an event like a key and no handler runs inside readline: it abandons the line.  A
 * command runs in a child process, which Ctrl-C ends whatever it is doing (a name server that does
 * not answer, a listing that follows); a commit is one message to the kernel, so it is done or it
 * is not.  What is pasted with several lines comes as one text and is run line by line up to the
 * first that fails.
 *
 * This process keeps the lines of an open transaction, and never talks to the engine itself: two
 * processes must not share a socket of it.
 */
#include "shell_terminal.h"
#include "command.h"

#include <readline/readline.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted; /* Ctrl-C */
static volatile sig_atomic_t ended;       /* the terminal is gone, or we are told to go */

/* What readline has for us: a text, or the end of input. */
static struct {
	bool any;
	char *text;
} accepted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void on_end(int number)
{
	(void)number;
	ended = 1;
}

/* Signals come in `waiting` only; what it is set to lets them. */
static void take_signals(sigset_t *waiting)
{
	struct sigaction interrupt = {.sa_handler = on_interrupt}, end = {.sa_handler = on_end};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	signal(SIGTSTP, SIG_IGN);
}

static void give_signals_back(const sigset_t *waiting)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_SETMASK, waiting, NULL);
}

static sigset_t waiting_mask;

static _Noreturn void run_in_child(struct shell *shell, shell_task task, const char *text)
{
	int status;

	give_signals_back(&waiting_mask);
	status = (int)task(shell, text);
	if (fflush(NULL) != 0 && status == IPMASQ_OK)
		status = IPMASQ_FAILED;
	_exit(status);
}

/* In a child; Ctrl-C reaches it by the terminal, as it reaches us. */
static int run_apart(struct shell *shell, shell_task task, const char *text)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		run_in_child(shell, task, text);
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			child = -1;
	if (child < 0) {
		fprintf(shell->session->err, "shell: cannot run it: %s\n", strerror(errno));
		return IPMASQ_FAILED;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) != SIGINT)
		fprintf(shell->session->err, "shell: the command died: %s\n",
			strsignal(WTERMSIG(status)));
	else
		fputc('\n', shell->session->out);
	return WTERMSIG(status) == SIGINT ? SHELL_INTERRUPTED : IPMASQ_FAILED;
}

static void take_text(char *text)
{
	accepted.any = true;
	accepted.text = text;
	rl_callback_handler_remove();
}

/* The Ctrl-C that has ended a command waits for us, too; it is not meant for the next line. */
static void forget_interrupt(void)
{
	const struct timespec now = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigtimedwait(&set, NULL, &now);
	interrupted = 0;
}

static void abandon_line(void)
{
	rl_echo_signal_char(SIGINT);
	rl_callback_sigcleanup();
	rl_free_line_state();
	rl_replace_line("", 1);
	rl_crlf();
	rl_on_new_line();
	rl_redisplay();
}

/* `ipmasqadm> `, with an open transaction and the status of a command that failed in it. */
static void make_prompt(const struct shell *shell, char *prompt, size_t size)
{
	char failure[32] = "";

	if (shell->status)
		snprintf(failure, sizeof(failure), " (exit %d)", shell->status);
	snprintf(prompt, size, "ipmasqadm%s%s> ", shell->pending.begun ? " transaction" : "",
		 failure);
}

/* Reads a text into `accepted`; without one, its end or ours. */
static void read_text(const struct shell *shell)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char prompt[80];

	make_prompt(shell, prompt, sizeof(prompt));
	accepted.any = false;
	accepted.text = NULL;
	forget_interrupt();
	rl_callback_handler_install(prompt, take_text);
	while (!accepted.any && !ended) {
		int n = ppoll(&input, 1, NULL, &waiting_mask);

		if (interrupted)
			abandon_line();
		else if (n > 0)
			rl_callback_read_char();
		else if (n < 0 && errno != EINTR)
			break;
		interrupted = 0;
	}
	if (!accepted.any)
		rl_callback_handler_remove();
}

/* Runs the lines of a text up to the first that fails. */
static void run_text(struct shell *shell, struct history *history, char *text)
{
	size_t number = 0;
	int status = IPMASQ_OK;

	for (char *line; !status && !shell->leave && (line = strsep(&text, "\r\n"));) {
		number++;
		history_add(history, line);
		status = shell_line(shell, line);
	}
	if (status && text && text[strspn(text, " \t\r\n")])
		fprintf(shell->session->err, "shell: what was pasted behind line %zu was not run\n",
			number);
}

static void leave_transaction(struct shell *shell)
{
	if (shell->pending.begun)
		fprintf(shell->session->err, "shell: the transaction was not committed; what was "
					     "typed in it is dropped\n");
	pending_drop(&shell->pending);
}

static enum ipmasq_status run(struct session *session, int argc, char **argv)
{
	struct shell shell = {.session = session, .terminal = true, .apart = run_apart};
	struct history history;

	(void)argc;
	(void)argv;
	rl_readline_name = "ipmasqadm";
	rl_catch_signals = 0;
	rl_initialize();
	rl_variable_bind("enable-bracketed-paste", "on");
	completion_open(&shell);
	history_open(&history);
	take_signals(&waiting_mask);
	while (!shell.leave && !ended) {
		read_text(&shell);
		if (!accepted.text) {
			fputc('\n', session->out);
			break;
		}
		run_text(&shell, &history, accepted.text);
		free(accepted.text);
	}
	leave_transaction(&shell);
	history_close(&history);
	return (enum ipmasq_status)shell.status;
}

extern const struct command_part command_part;
const struct command_part command_part = {.run = run};
