/* CRC-32 by ARMv8's own instruction for it (Arm Architecture Reference Manual, CRC32X), which a processor may have or not: the kernel
 * tells (arch/arm64/elf_hwcaps.rst). */
#if defined(__aarch64__) && !defined(__ARM_BIG_ENDIAN)
#include "image/crc32.h"

#include <arm_acle.h>
#include <string.h>
#include <sys/auxv.h>

bool crc32_cpu_has(void)
{
	return getauxval(AT_HWCAP) & HWCAP_CRC32;
}

__attribute__((target("+crc"), optimize("O2")))
uint32_t crc32_cpu_blocks(uint32_t crc, const unsigned char *p, size_t n)
{
	for (n *= 8; n; n--, p += 8) {
		uint64_t v;

		memcpy(&v, p, sizeof v);
		crc = __crc32d(crc, v);
	}
	return crc;
}

#endif
