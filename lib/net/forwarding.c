#include "net/forwarding.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	int family;
	const char *path, *note;
} settings[] = {
	{ AF_INET, "/proc/sys/net/ipv4/ip_forward", "ctrbox-forwards-ipv4" },
	{ AF_INET6, "/proc/sys/net/ipv6/conf/all/forwarding", "ctrbox-forwards-ipv6" },
};

int forwarding_lock(void)
{
	return dir_lock(AT_FDCWD, "/proc/sys/net", -1);
}

static bool is_set(const char *path, char value)
{
	struct buf b = { 0 };
	bool same = file_read(AT_FDCWD, path, &b, 16) == 0 && b.len && *b.p == value;

	buf_free(&b);
	return same;
}

bool forwarding_is_ours(struct netlink *nl, int family)
{
	struct link lo;

	return link_find(nl, "lo", &lo, NULL) == 0 && strstr(lo.alias, settings[family == AF_INET6].note);
}

static int note(struct netlink *nl, const char *text, struct err *err)
{
	struct buf alias = { 0 };
	struct link lo;
	int r = link_find(nl, "lo", &lo, err);

	if (r < 0 || strstr(lo.alias, text))
		return r;
	buf_fmt(&alias, "%s%s%s", lo.alias, *lo.alias ? " " : "", text);
	r = link_set_alias(nl, lo.index, alias.p, err);
	buf_free(&alias);
	return r;
}

/* A host that forwards ignores router advertisements unless told to take them nevertheless: an uplink would lose its default route.
 * Documentation/networking/ip-sysctl.rst, accept_ra. */
static int keep_advertisements(void *arg, const struct link *l)
{
	char path[80];

	(void)arg;
	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/accept_ra", l->name);
	if (is_set(path, '1'))
		file_put(AT_FDCWD, path, "2");
	return 0;
}

int forwarding_on(struct netlink *nl, bool ipv6, struct err *err)
{
	int r = 0;

	for (int i = 0; i < (ipv6 ? 2 : 1) && !r; i++) {
		if (!is_set(settings[i].path, '0')) /* on, or a kernel without it */
			continue;
		if (settings[i].family == AF_INET6)
			r = link_each(nl, keep_advertisements, NULL, err);
		if (!r)
			r = note(nl, settings[i].note, err);
		if (r < 0)
			return r;
		r = file_put(AT_FDCWD, settings[i].path, "1");
		if (r < 0)
			err_sys(err, r, "switch forwarding on: write %s", settings[i].path);
	}
	return r;
}

static int is_network(void *arg, const struct link *l)
{
	(void)arg;
	return (l->group & LINK_GROUP_MASK) == LINK_GROUP;
}

/* TEXT without WORD and the space that parted them. */
static void strike(char *text, const char *word)
{
	char *at = strstr(text, word);
	size_t n = strlen(word);

	if (!at)
		return;
	n += at[n] == ' ';
	memmove(at, at + n, strlen(at + n) + 1);
	n = strlen(text);
	if (n && text[n - 1] == ' ')
		text[n - 1] = 0;
}

void forwarding_back(struct netlink *nl)
{
	struct link lo;

	for (int tries = 0; link_each(nl, is_network, NULL, NULL); tries++) { /* a ptp container's end goes a moment after it */
		if (tries == 10)
			return;
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	}
	if (link_find(nl, "lo", &lo, NULL) < 0)
		return;
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (strstr(lo.alias, settings[i].note)) {
			file_put(AT_FDCWD, settings[i].path, "0");
			strike(lo.alias, settings[i].note);
			link_set_alias(nl, lo.index, lo.alias, NULL);
		}
}
