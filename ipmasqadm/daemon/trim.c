// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The start runs through code that is never run again: name services, modules' tables, the compiler
 * of the seccomp filter.  Its pages are those of files, so they can be dropped: the kernel maps a
 * page again when it is run after all.  Only executable segments, which nothing has written to.
 */
#include "trim.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

static int drop_code(struct dl_phdr_info *object, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size, (void)data;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t begin = (object->dlpi_addr + segment->p_vaddr) & -page;
		uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz) & -page;

		if (segment->p_type == PT_LOAD && segment->p_flags == (PF_R | PF_X) && end > begin)
			madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void trim_memory(void)
{
	malloc_trim(0);
	dl_iterate_phdr(drop_code, NULL);
}
