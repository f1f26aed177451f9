/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.c - what a packet costs in libalias, phase by phase, as a ratio to "the floor"; engine.h
 * names the parts.
 *
 * usage: engine [links...]	sizes to run instead of 1000 65536 1000000
 *	  engine check		fail if a ratio is far beyond its bound (for automatic runs)
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	bool check = argc > 1 && !strcmp(argv[1], "check");

	if (argc > 1 && !check) {
		for (int i = 1; i < argc; i++)
			run_size((uint32_t)strtoul(argv[i], NULL, 10));
		return 0;
	}
	run_size(1000);
	run_size(65536);
	run_size(1000000);
	bench_redirects();
	bench_masquerade();
	bench_checksum();
	bench_endpoint();
	bench_expiry(1000000);
	return check && far_off;
}
