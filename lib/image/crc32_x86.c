/* CRC-32 by x86's PCLMULQDQ: four registers are folded over the data at once (Intel, "Fast CRC Computation for Generic Polynomials
 * Using PCLMULQDQ"). The constants are powers of x modulo the polynomial, bits reflected. */
#if defined(__x86_64__) || defined(__i386__)
#include "image/crc32.h"

#include <cpuid.h>
#include <immintrin.h>

#define FOLD_64 _mm_set_epi64x(0x1c6e41596, 0x154442bd4)   /* x^(512-32), x^(512+32) */
#define FOLD_16 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)   /* x^(128-32), x^(128+32) */

bool crc32_cpu_has(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_PCLMUL);
}

__attribute__((target("pclmul,sse4.1"), optimize("O2")))
static inline __m128i fold(__m128i x, __m128i k, __m128i next)
{
	return _mm_xor_si128(next, _mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x00), _mm_clmulepi64_si128(x, k, 0x11)));
}

__attribute__((target("pclmul,sse4.1"), optimize("O2")))
uint32_t crc32_cpu_blocks(uint32_t crc, const unsigned char *p, size_t n)
{
	const __m128i *v = (const __m128i *)p;
	__m128i a = _mm_xor_si128(_mm_loadu_si128(v), _mm_cvtsi32_si128((int)crc));
	__m128i b = _mm_loadu_si128(v + 1), c = _mm_loadu_si128(v + 2), d = _mm_loadu_si128(v + 3);
	unsigned char rest[16];

	while (--n) {
		v += 4;
		a = fold(a, FOLD_64, _mm_loadu_si128(v));
		b = fold(b, FOLD_64, _mm_loadu_si128(v + 1));
		c = fold(c, FOLD_64, _mm_loadu_si128(v + 2));
		d = fold(d, FOLD_64, _mm_loadu_si128(v + 3));
	}
	b = fold(a, FOLD_16, b);
	c = fold(b, FOLD_16, c);
	d = fold(c, FOLD_16, d);
	_mm_storeu_si128((__m128i *)rest, d);
	return crc32_plain(0, rest, sizeof rest);
}

#endif
