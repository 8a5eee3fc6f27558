#include "sys/memory.h"
#include <stdint.h>
#include <sys/mman.h>

#define PAGE UINT64_C(4096) /* at least; where pages are larger, madvise refuses and nothing is lost */
#define STACK (256 * 1024)  /* deeper than starting a container goes */

extern char __executable_start, etext; /* the linker's: ld(1), PROVIDE */

__attribute__((noinline)) void memory_release(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1), text = (uintptr_t)&__executable_start;

	/* a page is left for madvise itself; the part of the range where no stack is yet answers ENOMEM */
	madvise((void *)(here - PAGE - STACK), STACK, MADV_DONTNEED);
	madvise((void *)text, ((uintptr_t)&etext - text) & ~(PAGE - 1), MADV_DONTNEED);
}
