#include "sys/devices.h"
#include "base/num.h"
#include <errno.h>
#include <string.h>

void device_rule_add(struct array *rules, char type, int64_t major, int64_t minor, unsigned access)
{
	struct device_rule *r = array_add(rules, sizeof *r);

	*r = (struct device_rule){ type, major, minor, access, true };
}

void device_rules_default(struct array *rules)
{
	static const struct device_rule usual[] = {
		{ 'c', -1, -1, DEVICE_MKNOD, false }, { 'b', -1, -1, DEVICE_MKNOD, false },
		{ 'c', 1, 3, DEVICE_ALL, false },     { 'c', 1, 5, DEVICE_ALL, false },
		{ 'c', 1, 7, DEVICE_ALL, false },     { 'c', 1, 8, DEVICE_ALL, false },
		{ 'c', 1, 9, DEVICE_ALL, false },     { 'c', 5, 0, DEVICE_ALL, false },
		{ 'c', 5, 1, DEVICE_ALL, false },     { 'c', 5, 2, DEVICE_ALL, false },
		{ 'c', 136, -1, DEVICE_ALL, false },
	};

	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		*(struct device_rule *)array_add(rules, sizeof *usual) = usual[i];
}

unsigned device_access(const char *letters)
{
	unsigned access = 0;

	for (const char *s = letters; *s; s++) {
		unsigned one = *s == 'r' ? DEVICE_READ : *s == 'w' ? DEVICE_WRITE : *s == 'm' ? DEVICE_MKNOD : 0;

		if (!one || access & one)
			return 0;
		access |= one;
	}
	return access;
}

/* "N" or "*", ended by END, into *OUT; what follows, or NULL. The kernel has 12 bits for a major and 20 for a minor number. */
static char *number(char *s, char end, int64_t max, int64_t *out)
{
	char *stop = strchr(s, end);

	if (!stop)
		return NULL;
	*stop = 0;
	*out = -1;
	return !strcmp(s, "*") || num_range(s, 0, max, out) == 0 ? stop + 1 : NULL;
}

int device_rule_parse(const char *text, struct array *rules, struct err *err)
{
	char copy[64], *s = copy;
	int64_t major, minor;
	unsigned access = 0;

	if (strlen(text) < sizeof copy && strchr("abc", *text) && *text && text[1] == ' ') {
		strcpy(copy, text + 2);
		s = number(s, ':', 0xfff, &major);
		s = s ? number(s, ' ', 0xfffff, &minor) : NULL;
		access = s ? device_access(s) : 0;
	}
	if (!access)
		return err_msg(err, -EINVAL, "device rule \"%s\": not like \"c 1:3 rwm\" (a, b or c, numbers or *, some of r w m)", text);
	/* v1 would take an `a` for everything, whatever follows it */
	if (*text != 'b')
		device_rule_add(rules, 'c', major, minor, access);
	if (*text != 'c')
		device_rule_add(rules, 'b', major, minor, access);
	return 0;
}
