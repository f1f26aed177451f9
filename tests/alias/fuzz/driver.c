/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.c - runs a fuzz target without libFuzzer: over the files and directories that are named,
 * or, with "-random SEED COUNT", over inputs of its own.  An input that fails ends the process.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "fuzz.h"

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);
	size_t len;

	if (!file || !data) {
		perror(path);
		return 1;
	}
	len = fread(data, 1, 1 << 20, file);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	fclose(file);
	return 0;
}

static int run_path(const char *path)
{
	struct dirent *entry;
	struct stat st;
	char name[4096];
	int result = 0;
	DIR *dir;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	if (!dir)
		return 1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		result |= run_file(name);
	}
	closedir(dir);
	return result;
}

static int run_random(unsigned int seed, unsigned int count)
{
	uint8_t data[1024];

	for (unsigned int i = 0; i < count; i++) {
		size_t len;

		srandom(seed + i);
		len = (size_t)random() % sizeof(data);
		for (size_t k = 0; k < len; k++)
			data[k] = (uint8_t)(random() >> 8);
		LLVMFuzzerTestOneInput(data, len);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int result = 0;

	if (argc == 4 && !strcmp(argv[1], "-random"))
		return run_random((unsigned int)strtoul(argv[2], NULL, 10),
				  (unsigned int)strtoul(argv[3], NULL, 10));
	for (int i = 1; i < argc; i++)
		result |= run_path(argv[i]);
	return result;
}
