// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a fuzz target over files and the files of directories, for compilers without libFuzzer,
 * for valgrind, and to keep the corpus and old findings as tests.  No file at all is an error.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

static unsigned int n_inputs;

static int run_file(const char *name)
{
	FILE *file = fopen(name, "re");
	uint8_t *data;
	size_t size;

	if (!file) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}
	data = malloc(INPUT_MAX);
	if (!data)
		abort();
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	/* A block of exactly this size, so that valgrind and ASan see a byte too many. */
	data = realloc(data, size ? size : 1);
	if (!data)
		abort();
	fprintf(stderr, "%s\n", name);
	LLVMFuzzerTestOneInput(data, size);
	n_inputs++;
	free(data);
	return 0;
}

static int run_directory(const char *name)
{
	struct dirent **list;
	int n = scandir(name, &list, NULL, alphasort), rc = n < 0 ? -1 : 0;
	char path[4096];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", name, list[i]->d_name);
		if (list[i]->d_name[0] != '.' && run_file(path) < 0)
			rc = -1;
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = 0;

	for (int i = 1; i < argc; i++) {
		struct stat status;
		bool directory = stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode);

		if ((directory ? run_directory(argv[i]) : run_file(argv[i])) < 0)
			rc = 1;
	}
	if (!n_inputs) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...\n", argv[0]);
		return 2;
	}
	return rc;
}
