/* SHA-256 with the x86 SHA extensions (Intel SDM, SHA256RNDS2 and its two neighbours). */
#if defined(__x86_64__) || defined(__i386__)
#include "image/sha256.h"

#include <cpuid.h>
#include <immintrin.h>

bool sha256_cpu_has(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29);
}

/* Four rounds: S0 holds a b e f, S1 holds c d g h; they change places twice. */
#define ROUNDS(S0, S1, W) \
	do { \
		S1 = _mm_sha256rnds2_epu32(S1, S0, W); \
		S0 = _mm_sha256rnds2_epu32(S0, S1, _mm_shuffle_epi32(W, 0x0e)); \
	} while (0)

__attribute__((target("sha,sse4.1,ssse3"), optimize("O2")))
static void one_block(__m128i *s0, __m128i *s1, const unsigned char *p)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
	const __m128i *k = (const __m128i *)sha256_k;
	__m128i m[4], a = *s0, b = *s1, w;

	#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
		if (i < 4) {
			m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p + i), swap);
		} else {
			__m128i last = m[(i - 1) & 3];

			w = _mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]);
			w = _mm_add_epi32(w, _mm_alignr_epi8(last, m[(i + 2) & 3], 4));
			m[i & 3] = _mm_sha256msg2_epu32(w, last);
		}
		w = _mm_add_epi32(m[i & 3], _mm_load_si128(k + i));
		ROUNDS(a, b, w);
	}
	*s0 = _mm_add_epi32(*s0, a);
	*s1 = _mm_add_epi32(*s1, b);
}

__attribute__((target("sha,sse4.1,ssse3"), optimize("O2")))
void sha256_cpu_blocks(uint32_t h[8], const unsigned char *p, size_t n)
{
	__m128i s0 = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
	__m128i s1 = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);

	for (; n; n--, p += 64)
		one_block(&s0, &s1, p);
	h[0] = (uint32_t)_mm_extract_epi32(s0, 3);
	h[1] = (uint32_t)_mm_extract_epi32(s0, 2);
	h[4] = (uint32_t)_mm_extract_epi32(s0, 1);
	h[5] = (uint32_t)_mm_extract_epi32(s0, 0);
	h[2] = (uint32_t)_mm_extract_epi32(s1, 3);
	h[3] = (uint32_t)_mm_extract_epi32(s1, 2);
	h[6] = (uint32_t)_mm_extract_epi32(s1, 1);
	h[7] = (uint32_t)_mm_extract_epi32(s1, 0);
}

#endif
