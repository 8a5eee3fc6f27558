#include "sys/seccomp_text.h"
#include "base/buf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 16 /* code 4, jt 2, jf 2, k 8 */

char *seccomp_to_text(const struct sock_filter *code, size_t n)
{
	char *text = xmalloc(n * DIGITS + 1);

	*text = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(text + i * DIGITS, DIGITS + 1, "%04x%02x%02x%08x", code[i].code, code[i].jt, code[i].jf, code[i].k);
	return text;
}

/* Of N digits. */
static unsigned long hex(const char *s, size_t n)
{
	char digits[DIGITS + 1] = "";

	memcpy(digits, s, n);
	return strtoul(digits, NULL, 16);
}

size_t seccomp_from_text(const char *text, struct sock_filter **code)
{
	size_t len = text ? strlen(text) : 0, n = len / DIGITS;
	struct sock_filter *f;

	*code = NULL;
	if (!n || len % DIGITS || n > BPF_MAXINSNS || strspn(text, "0123456789abcdef") != len)
		return 0;
	*code = f = xmalloc(n * sizeof *f);
	for (size_t i = 0; i < n; i++, text += DIGITS)
		f[i] = (struct sock_filter){ (unsigned short)hex(text, 4), (unsigned char)hex(text + 4, 2), (unsigned char)hex(text + 6, 2),
					     (unsigned)hex(text + 8, 8) };
	return n;
}
