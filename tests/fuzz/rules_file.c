// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: a rules file through `ipmasqadm restore`, on an engine in memory that holds a
 * rule already.
 *
 * Beyond not crashing: a file that is refused changes nothing, and what `save` would write of
 * the rules is a file that makes the same rules.
 */
#include "command.h"
#include "fuzz.h"
#include "rules_file.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void write_whole(int fd, const void *bytes, size_t size)
{
	if (ftruncate(fd, 0) < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		abort();
}

/* One memory file for all inputs; the target opens it by name, as it would any other. */
static int memory_file(char name[static 64])
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("rules", 0);
	if (fd < 0)
		abort();
	snprintf(name, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static int restore(struct memory_engine *memory, const void *bytes, size_t size, bool add)
{
	struct session session = {
		.engine = &memory->engine, .out = stdout, .err = stderr, .flags.numeric = true};
	char command[] = "restore", flag[] = "-a", name[64];
	char *replacing[] = {command, name, NULL}, *adding[] = {command, flag, name, NULL};

	write_whole(memory_file(name), bytes, size);
	return add ? (int)rules_file_restore(&session, 3, adding)
		   : (int)rules_file_restore(&session, 2, replacing);
}

static void start_with_a_rule(struct memory_engine *memory)
{
	struct result result;

	memory_engine_open(memory);
	command_run(memory, "portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80", &result);
	result_free(&result);
}

/* The first byte says whether the file replaces or adds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_engine memory, before, again;
	bool add = size && (data[0] & 1);
	char *lines;

	if (!size)
		return 0;
	start_with_a_rule(&memory);
	start_with_a_rule(&before);
	start_with_a_rule(&again);
	if (restore(&memory, data + 1, size - 1, add) != IPMASQ_OK)
		fuzz_require(memory_engine_equal(&memory, &before),
			     "a file that was refused changed something");
	lines = command_format_all(&memory);
	fuzz_require(restore(&again, lines, strlen(lines), false) == IPMASQ_OK,
		     "a saved file cannot be restored");
	fuzz_require(memory_engine_equal(&memory, &again), "a saved file makes other rules");
	free(lines);
	memory_engine_close(&again);
	memory_engine_close(&before);
	memory_engine_close(&memory);
	return 0;
}
