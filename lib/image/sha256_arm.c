/* SHA-256 with ARMv8's cryptographic extension (Arm Architecture Reference Manual, SHA256H and its three neighbours), which a processor may
 * have or not: the kernel tells (arch/arm64/elf_hwcaps.rst). */
#if (defined(__aarch64__) || defined(__ARM_PCS_VFP)) && !defined(__ARM_BIG_ENDIAN)
#include "image/sha256.h"

#include <arm_neon.h>
#include <sys/auxv.h>

#ifdef __aarch64__
#define ARMV8 "+crypto"
#define HAS (getauxval(AT_HWCAP) & HWCAP_SHA2)
#else
#define ARMV8 "arch=armv8-a,fpu=crypto-neon-fp-armv8"
#define HAS (getauxval(AT_HWCAP2) & HWCAP2_SHA2)
#endif

bool sha256_cpu_has(void)
{
	return HAS;
}

__attribute__((target(ARMV8), optimize("O2")))
static void one_block(uint32x4_t *abcd, uint32x4_t *efgh, const unsigned char *p)
{
	uint32x4_t m[4], a = *abcd, e = *efgh;

	#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
		uint32x4_t w, old = a;

		if (i < 4)
			m[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p + 16 * i)));
		else
			m[i & 3] = vsha256su1q_u32(vsha256su0q_u32(m[i & 3], m[(i + 1) & 3]), m[(i + 2) & 3], m[(i + 3) & 3]);
		w = vaddq_u32(m[i & 3], vld1q_u32(sha256_k + 4 * i));
		a = vsha256hq_u32(a, e, w);
		e = vsha256h2q_u32(e, old, w);
	}
	*abcd = vaddq_u32(*abcd, a);
	*efgh = vaddq_u32(*efgh, e);
}

__attribute__((target(ARMV8), optimize("O2")))
void sha256_cpu_blocks(uint32_t h[8], const unsigned char *p, size_t n)
{
	uint32x4_t abcd = vld1q_u32(h), efgh = vld1q_u32(h + 4);

	for (; n; n--, p += 64)
		one_block(&abcd, &efgh, p);
	vst1q_u32(h, abcd);
	vst1q_u32(h + 4, efgh);
}

#endif
