// SPDX-License-Identifier: GPL-2.0-or-later
/* The user engine in the tests; see user_lab.h. */
#include "user_lab.h"
#include "command.h"

extern const struct ipmasq_plugin portfw_plugin, mfw_plugin, autofw_plugin, addrfw_plugin,
	masq_plugin, proxy_plugin, helper_plugin;

static const struct ipmasq_plugin *const plugins[] = {
	&portfw_plugin, &mfw_plugin,   &autofw_plugin, &addrfw_plugin,
	&masq_plugin,   &proxy_plugin, &helper_plugin,
};

struct lab lab;

static const struct ipmasq_plugin *plugin_named(const char *name)
{
	for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++)
		if (strcmp(plugins[i]->name, name) == 0)
			return plugins[i];
	fail_msg("no plugin %s", name);
	return NULL;
}

static uint32_t clock_of_lab(void *arg)
{
	(void)arg;
	return lab.now;
}

static void released(void *arg, unsigned int worker, uint32_t id, void *data, int length)
{
	(void)arg;
	(void)worker;
	assert_int_equal(id, 77);
	if (!data) {
		lab.n_dropped++;
		return;
	}
	lab.n_released++;
	assert_in_range(length, 20, sizeof(lab.released));
	memcpy(lab.released, data, (size_t)length);
}

void lab_open(unsigned int workers)
{
	struct in_addr own[] = {addr(ALIAS), addr(SECOND), addr(GATEWAY)};

	memset(&lab, 0, sizeof(lab));
	lab.now = 1000;
	lab.user = user_open(workers, &lab.error);
	assert_non_null(lab.user);
	user_set_clock(lab.user, clock_of_lab, NULL);
	user_set_fragment(lab.user, released, NULL);
	assert_int_equal(user_set_addresses(lab.user, "eth0", own, 3, &lab.error), 0);
	lab.engine = user_engine(lab.user);
}

void lab_close(void)
{
	free(lab.output);
	ipmasq_engine_close(lab.engine);
}

int lab_setup_one(void **state)
{
	(void)state;
	lab_open(1);
	return 0;
}

int lab_setup_four(void **state)
{
	(void)state;
	lab_open(4);
	return 0;
}

int lab_teardown(void **state)
{
	(void)state;
	lab_close();
	return 0;
}

int lab_run(const char *line)
{
	struct ipmasq_context context = {0};
	struct command command;
	size_t length;
	int status;

	command_split(&command, line);
	free(lab.output);
	lab.output = NULL;
	context.numeric = true;
	context.out = open_memstream(&lab.output, &length);
	context.table = ipmasq_table_open(lab.engine, &context.error);
	assert_true(context.out && context.table);
	status = plugin_named(command.argv[0])->run(&context, command.argc, command.argv);
	if (lab.allocations)
		*lab.allocations = lab.allow;
	if (status == IPMASQ_OK &&
	    ipmasq_table_commit(context.table, context.kill ? IPMASQ_COMMIT_KILL : 0,
				&context.error) < 0)
		status = (int)context.error.status;
	if (lab.allocations)
		*lab.allocations = -1;
	ipmasq_table_close(context.table);
	fclose(context.out);
	lab.error = context.error;
	return status;
}

void lab_ok(const char *line)
{
	int status = lab_run(line);

	if (status != IPMASQ_OK)
		fail_msg("%s: exit %d, %s", line, status, lab.error.text);
}

struct writing {
	const struct ipmasq_plugin *plugin;
	FILE *out;
};

static int write_line(const char *line, void *data)
{
	return fprintf(data, "%s\n", line) < 0 ? -1 : 0;
}

static int write_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct writing *writing = data;

	return ipmasq_plugin_format(writing->plugin, rule, write_line, writing->out);
}

static char *rules_of(const char *name)
{
	struct ipmasq_table *table = ipmasq_table_open(lab.engine, &lab.error);
	struct writing writing = {.plugin = plugin_named(name)};
	size_t length;
	char *text;

	writing.out = open_memstream(&text, &length);
	assert_true(table && writing.out);
	assert_int_equal(ipmasq_table_walk(table, name, write_rule, &writing, &lab.error), 0);
	fclose(writing.out);
	ipmasq_table_close(table);
	return text;
}

void lab_rules(const char *plugin, const char *lines)
{
	char *text = rules_of(plugin);

	assert_string_equal(text, lines);
	free(text);
}

void lab_refused(const char *line, const char *words)
{
	struct command command;
	char *before, *after;

	command_split(&command, line);
	before = rules_of(command.argv[0]);
	assert_int_equal(lab_run(line), IPMASQ_FAILED);
	if (!strstr(lab.error.text, words))
		fail_msg("%s: \"%s\" does not say %s", line, lab.error.text, words);
	after = rules_of(command.argv[0]);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* One blank between words, none at the ends of lines. */
static void squeeze(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == ' ' && (to == text || to[-1] == ' ' || to[-1] == '\n'))
			continue;
		if (*from == '\n' && to > text && to[-1] == ' ')
			to--;
		*to++ = *from;
	}
	*to = '\0';
}

void lab_lists(const char *line, const char *rows)
{
	char *at;

	lab_ok(line);
	squeeze(lab.output);
	at = strchr(lab.output, '\n');
	assert_string_equal(at ? at + 1 : "", rows);
}

enum user_verdict lab_send(enum user_hook hook)
{
	struct user_packet packet = {
		.data = lab.packet,
		.size = sizeof(lab.packet),
		.mark = lab.mark,
		.hook = (uint8_t)hook,
		.onward = lab.onward,
		.id = 77,
	};
	unsigned int worker = user_worker_of(lab.user, lab.packet, total_length(lab.packet), hook);

	assert_true(sums_right(lab.packet));
	user_translate(lab.user, worker, &packet, 1);
	assert_true(sums_right(lab.packet));
	return (enum user_verdict)packet.verdict;
}

enum user_verdict lab_udp(enum user_hook hook, struct ends ends)
{
	build_udp(lab.packet, ends, "hello", 5);
	return lab_send(hook);
}

enum user_verdict lab_tcp(enum user_hook hook, uint8_t flags, struct ends ends)
{
	build_tcp(lab.packet, ends, flags, flags & TH_SYN ? 1 : 2, 2, NULL, 0);
	return lab_send(hook);
}

void lab_becomes_at(enum user_hook hook, uint8_t protocol, struct ends before, struct ends after,
		    const char *file, int line)
{
	bool same = strcmp(before.src, after.src) == 0 && strcmp(before.dst, after.dst) == 0 &&
		    before.src_port == after.src_port && before.dst_port == after.dst_port;
	enum user_verdict verdict =
		protocol == IPPROTO_TCP ? lab_tcp(hook, TH_SYN, before) : lab_udp(hook, before);

	assert_ends_at(lab.packet, after, file, line);
	_assert_int_equal(verdict, same ? USER_KEEP : USER_CHANGED, file, line);
}

const char *lab_served_by(uint8_t protocol, uint16_t from, uint16_t to)
{
	static char text[INET_ADDRSTRLEN];
	struct ends ends = ENDS(CLIENT, from, ALIAS, to);
	enum user_verdict verdict = protocol == IPPROTO_TCP
					    ? lab_tcp(USER_FROM_OUTSIDE, TH_SYN, ends)
					    : lab_udp(USER_FROM_OUTSIDE, ends);

	if (verdict != USER_CHANGED)
		return "";
	inet_ntop(AF_INET, lab.packet + 16, text, sizeof(text));
	return text;
}

uint32_t lab_links(void)
{
	struct user_status status;

	user_get_status(lab.user, &status);
	return status.alias.links;
}
