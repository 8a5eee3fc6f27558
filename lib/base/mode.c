#include "base/mode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The place of *P in LETTERS, *P behind it then; or -1. */
static int letter(const char **p, const char *letters)
{
	const char *at = **p ? strchr(letters, **p) : NULL;

	*p += at != NULL;
	return at ? (int)(at - letters) : -1;
}

/* What is behind + - or =: another's bits as they are, or letters. */
static mode_t read_bits(const char **p, mode_t now)
{
	const mode_t any_x = S_ISDIR(now) || now & 0111 ? 0111 : 0;
	const mode_t bits[] = { 0444, 0222, 0111, any_x, 06000, 01000 };
	int i = letter(p, "ogu");
	mode_t sum = 0;

	if (i >= 0)
		return (now >> 3 * i & 7) * 0111;
	while ((i = letter(p, "rwxXst")) >= 0)
		sum |= bits[i];
	return sum;
}

/* "WHO" and one or more of "+BITS". */
static int change(const char **p, mode_t *mode)
{
	static const mode_t whose[] = { 04700, 02070, 01007, 07777 };
	mode_t who = 0, bits;
	int i, n = 0;

	while ((i = letter(p, "ugoa")) >= 0)
		who |= whose[i];
	who = who ? who : 07777;
	for (; (i = letter(p, "+-=")) >= 0; n++) {
		bits = read_bits(p, *mode) & who;
		*mode = (i == 1 ? *mode & ~bits : *mode | bits) & ~(i == 2 ? who & ~bits : 0);
	}
	return n ? 0 : -EINVAL;
}

int mode_change(const char *text, mode_t *mode)
{
	size_t digits = strspn(text, "01234567");

	if (digits && !text[digits]) {
		unsigned long bits = strtoul(text, NULL, 8);

		*mode = (*mode & S_IFMT) | (bits & 07777);
		return bits > 07777 ? -EINVAL : 0;
	}
	while (change(&text, mode) == 0)
		if (!*text)
			return 0;
		else if (*text++ != ',')
			return -EINVAL;
	return -EINVAL;
}
