/* digest_tool [plain|poor] FILE <CASES: lib/image's SHA-256 and CRC-32 of parts of FILE. A case is a line "AT LEN STEP", a part and the bytes
 * that are added at a time; a line "SHA256 CRC32" answers it. First comes "sha256 N crc32 N": 1 where the processor's instructions are used.
 * `plain` does without them; `poor` makes the kernel's word on them (AT_HWCAP) say that there are none. */
#include "image/crc32.h"
#include "image/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* The auxiliary vector lies behind the environment, where libc looks too. */
static void be_poor(void)
{
	char **after = environ;
	unsigned long *aux;

	while (*after++)
		;
	for (aux = (unsigned long *)after; aux[0] != AT_NULL; aux += 2)
		if (aux[0] == AT_HWCAP || aux[0] == AT_HWCAP2)
			aux[1] = 0;
}

static void answer(const unsigned char *p, size_t len, size_t step, bool plain)
{
	struct sha256 s;
	uint32_t crc = plain ? ~0u : 0;
	char hex[65];

	sha256_init(&s);
	s.fast = s.fast && !plain;
	for (size_t n; len; p += n, len -= n) {
		n = len < step ? len : step;
		sha256_add(&s, p, n);
		crc = plain ? crc32_plain(crc, p, n) : crc32_add(crc, p, n);
	}
	sha256_end(&s, hex);
	printf("%s %08x\n", hex, (unsigned)(plain ? ~crc : crc));
}

int main(int argc, char **argv)
{
	bool plain = argc == 3 && !strcmp(argv[1], "plain"), poor = argc == 3 && !strcmp(argv[1], "poor");
	static unsigned char data[2 << 20];
	unsigned long at, len, step;
	FILE *f = fopen(argv[argc - 1], "re");
	size_t have = f ? fread(data, 1, sizeof data, f) : 0;

	if (!have)
		return 1;
	if (poor)
		be_poor();
	printf("sha256 %d crc32 %d\n", !plain && sha256_cpu_has(), !plain && crc32_cpu_has());
	crc32_add(0, data, 1); /* fills the tables */
	while (scanf("%lu %lu %lu", &at, &len, &step) == 3) {
		if (at > have || len > have - at || !step)
			return 1;
		answer(data + at, len, step, plain);
	}
	return 0;
}
