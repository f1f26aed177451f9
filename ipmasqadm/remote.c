// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The client's end of ipmasqd's control socket; ipmasqd(8) has the protocol.
 *
 * A command line goes out as it was typed, the session's flags before it, and what comes back is
 * copied to where the session's output and messages go, so that a caller cannot tell one engine
 * from the other.  Files stay on this side: `restore` sends the bytes behind the line, `save`
 * gets them as output.  One call is one connection.  When the daemon goes away in the middle of
 * an answer, whether the change was made is not known, and the message says so.
 */
#include "remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER_SIZE 32 /* of a block of the answer: a word and a number */
#define COPY_SIZE   16384

int remote_engine(const char *word, const char **path, struct ipmasq_error *error)
{
	*path = NULL;
	if (strcmp(word, "kernel") == 0)
		return 0;
	if (strcmp(word, "user") == 0)
		*path = CONTROL_SOCKET;
	else if (strchr(word, '/'))
		*path = word;
	else
		return ipmasq_usage(
			error,
			"there is no engine '%s': it is `kernel`, `user`, or the path of "
			"an ipmasqd's socket, with a slash in it",
			word);
	return 0;
}

/* Whether a line can carry the word; an empty last one is a blank at the end, for completion. */
static bool can_be_sent(const char *word, bool last)
{
	return (*word || last) && *word != '#' && !word[strcspn(word, " \t\r\n")];
}

static int check_words(const struct session *session, int argc, char **argv)
{
	bool completion = strcmp(argv[0], "complete") == 0;

	for (int i = 0; i < argc; i++) {
		if (can_be_sent(argv[i], completion && i == argc - 1))
			continue;
		fprintf(session->err,
			"%s: '%s' cannot be sent to ipmasqd: a word is not empty, has no blank and "
			"no line end in it, and does not begin with #\n",
			i ? argv[0] : "ipmasqadm", argv[i]);
		return -1;
	}
	return 0;
}

static void put_flags(FILE *line, const struct ipmasq_context *flags)
{
	const struct {
		bool set;
		const char *word;
	} words[] = {{flags->numeric, "-n "},  {flags->verbose, "-v "},
		     {flags->json, "--json "}, {flags->dry_run, "--dry-run "},
		     {flags->kill, "--kill "}, {flags->help, "-h "}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].set)
			fputs(words[i].word, line);
}

static int connect_to(const struct session *session)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = session->remote;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(session->err, "ipmasqadm: '%s' is too long for the path of a socket\n",
			path);
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	fprintf(session->err, "ipmasqadm: cannot reach ipmasqd at %s: %s%s\n", path,
		strerror(errno),
		errno == ENOENT || errno == ECONNREFUSED ? "; is ipmasqd running?"
		: errno == EACCES ? "; root and the socket's group may, see ipmasqd(8)"
				  : "");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A daemon that refuses early closes early: what it has said is still to be read. */
static void send_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		bytes += n;
		length -= (size_t)n;
	}
}

static int copy(FILE *from, FILE *to, unsigned long long length)
{
	char bytes[COPY_SIZE];

	while (length) {
		size_t n = fread(bytes, 1, length < COPY_SIZE ? (size_t)length : COPY_SIZE, from);

		if (!n)
			return -1;
		fwrite(bytes, 1, n, to);
		length -= n;
	}
	return 0;
}

/* `WORD NUMBER`; false for anything else. */
static bool read_header(FILE *answer, char word[static HEADER_SIZE], unsigned long long *number)
{
	char line[HEADER_SIZE], *end;
	size_t length;

	if (!fgets(line, sizeof(line), answer))
		return false;
	length = strcspn(line, " ");
	if (line[length] != ' ' || line[length + 1] < '0' || line[length + 1] > '9')
		return false;
	memcpy(word, line, length);
	word[length] = '\0';
	errno = 0;
	*number = strtoull(line + length + 1, &end, 10);
	return !errno && *end == '\n';
}

/* Copies the blocks of an answer; the status, or -1 when it is not whole. */
static int read_answer(const struct session *session, FILE *answer)
{
	unsigned long long number;
	char word[HEADER_SIZE];

	while (read_header(answer, word, &number)) {
		if (strcmp(word, "end") == 0)
			return number <= IPMASQ_USAGE ? (int)number : -1;
		if (strcmp(word, "out") == 0   ? copy(answer, session->out, number) < 0
		    : strcmp(word, "err") == 0 ? copy(answer, session->err, number) < 0
					       : true)
			return -1;
	}
	return -1;
}

static enum ipmasq_status exchange(const struct session *session, const char *line,
				   size_t line_length, const struct rules_text *body)
{
	int fd = connect_to(session), status;
	FILE *answer;

	if (fd < 0)
		return IPMASQ_FAILED;
	answer = fdopen(fd, "r");
	if (!answer) {
		fprintf(session->err, "ipmasqadm: %s\n", strerror(errno));
		close(fd);
		return IPMASQ_FAILED;
	}
	send_all(fd, line, line_length);
	if (body)
		send_all(fd, body->text, body->length);
	shutdown(fd, SHUT_WR);
	status = read_answer(session, answer);
	fclose(answer);
	if (status >= 0)
		return (enum ipmasq_status)status;
	fprintf(session->err,
		"ipmasqadm: ipmasqd at %s went away in the middle of its answer; whether the "
		"change was made is not known, list the rules to see\n",
		session->remote);
	return IPMASQ_FAILED;
}

static enum ipmasq_status out_of_memory(const struct session *session)
{
	fputs("ipmasqadm: out of memory\n", session->err);
	return IPMASQ_FAILED;
}

enum ipmasq_status remote_command(const struct session *session, int argc, char **argv)
{
	enum ipmasq_status status;
	char *text = NULL;
	size_t length;
	FILE *line;

	if (check_words(session, argc, argv) < 0)
		return IPMASQ_USAGE;
	line = open_memstream(&text, &length);
	if (!line)
		return out_of_memory(session);
	put_flags(line, &session->flags);
	for (int i = 0; i < argc; i++)
		fprintf(line, "%s%s", i ? " " : "", argv[i]);
	fputc('\n', line);
	status = fclose(line) == 0 ? exchange(session, text, length, NULL) : out_of_memory(session);
	free(text);
	return status;
}

/* The name is for messages only; what a word cannot have in it is shown as `?`. */
static void put_name(FILE *line, const char *name)
{
	for (const char *at = name; *at; at++)
		fputc(strchr(" \t\r\n", *at) || (at == name && strchr("#-", *at) && at[1]) ? '?'
											   : *at,
		      line);
}

enum ipmasq_status remote_restore(const struct session *session, const struct rules_text *rules)
{
	enum ipmasq_status status;
	char *text = NULL;
	size_t length;
	FILE *line = open_memstream(&text, &length);

	if (!line)
		return out_of_memory(session);
	put_flags(line, &session->flags);
	fputs(rules->add ? "restore -a " : "restore ", line);
	put_name(line, rules->name);
	fprintf(line, " %zu\n", rules->length);
	status =
		fclose(line) == 0 ? exchange(session, text, length, rules) : out_of_memory(session);
	free(text);
	return status;
}
