#include "sys/memory.h"
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK (256 * 1024) /* deeper than starting a container goes; whole pages, be they of 64K */

extern char __executable_start, etext; /* the linker's: ld(1), PROVIDE */

__attribute__((noinline)) void memory_release(void)
{
	uintptr_t page = (uintptr_t)getpagesize(), text = (uintptr_t)&__executable_start;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(page - 1);

	/* a page is left for madvise itself; the part of the range where no stack is yet answers ENOMEM */
	madvise((void *)(here - page - STACK), STACK, MADV_DONTNEED);
	madvise((void *)text, ((uintptr_t)&etext - text) & ~(page - 1), MADV_DONTNEED);
}
