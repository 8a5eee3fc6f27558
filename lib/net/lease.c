#include "net/lease.h"
#include "base/file.h"
#include "base/num.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_leases(int run, const char *network, bool make)
{
	char path[128];
	int r;

	snprintf(path, sizeof path, "net/%.100s", network);
	r = make ? dir_make_all(run, path, 0700) : 0;
	return r < 0 ? r : dir_open(run, path);
}

/* Where to begin looking: after the one that was given last, so that those given back come last. */
static uint64_t read_hint(int dir, int family)
{
	char text[24];
	ssize_t n = readlinkat(dir, family == AF_INET6 ? ".next6" : ".next", text, sizeof text - 1);
	uint64_t v;

	if (n <= 0)
		return 1;
	text[n] = 0;
	return num_u64(text, &v) == 0 && v ? v : 1;
}

static void write_hint(int dir, int family, uint64_t n)
{
	const char *name = family == AF_INET6 ? ".next6" : ".next";
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	unlinkat(dir, name, 0);
	if (symlinkat(text, dir, name) < 0 && errno != EEXIST)
		return;
}

static int take(int dir, const struct address *a, const char *owner)
{
	char name[ADDRESS_TEXT];

	return symlinkat(owner, dir, address_text(a, name)) < 0 ? -errno : 0;
}

static int take_next(int dir, const struct subnet *sub, const struct address *gateway, const char *owner, struct address *out)
{
	uint64_t hosts = subnet_hosts(sub), start = read_hint(dir, sub->base.family);

	for (uint64_t i = 0; i < hosts; i++) {
		uint64_t n = (start - 1 + i) % hosts + 1;
		int r;

		if (!subnet_nth(sub, n, out) || !subnet_is_host(sub, out) || address_equal(out, gateway))
			continue;
		r = take(dir, out, owner);
		if (!r)
			write_hint(dir, sub->base.family, n + 1);
		if (r != -EEXIST)
			return r;
	}
	return -ENOSPC;
}

int lease_take(int run, const char *network, const struct subnet *sub, const struct address *gateway, const struct address *wanted,
	       const char *owner, struct address *out, struct err *err)
{
	char text[ADDRESS_TEXT];
	int dir = open_leases(run, network, true), r;

	if (dir < 0)
		return err_sys(err, dir, "open the leases of network %s", network);
	if (!wanted->family) {
		r = take_next(dir, sub, gateway, owner, out);
		if (r == -ENOSPC)
			err_msg(err, r, "network %s: no address is free", network);
		else if (r < 0)
			err_sys(err, r, "take an address of network %s", network);
	} else if (!subnet_is_host(sub, wanted)) {
		r = err_msg(err, -EINVAL, "address %s: is no host's address of network %s", address_text(wanted, text), network);
	} else {
		*out = *wanted;
		r = address_equal(wanted, gateway) ? -EEXIST : take(dir, wanted, owner);
		if (r == -EEXIST)
			err_msg(err, r, "address %s of network %s is taken", address_text(wanted, text), network);
		else if (r < 0)
			err_sys(err, r, "take address %s of network %s", address_text(wanted, text), network);
	}
	close(dir);
	return r;
}

int lease_release(int run, const char *network, const char *address, const char *id)
{
	char owner[1024];
	int dir = open_leases(run, network, false), r = 0;
	ssize_t n;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	n = readlinkat(dir, address, owner, sizeof owner - 1);
	if (n < 0 || ((size_t)n >= strlen(id) && !strncmp(owner, id, strlen(id)) && unlinkat(dir, address, 0) < 0))
		r = errno == ENOENT || errno == EINVAL ? 0 : -errno; /* EINVAL: no lease */
	close(dir);
	return r;
}

int lease_rename(int run, const char *network, const char *address, const char *owner)
{
	int dir = open_leases(run, network, true), r;

	if (dir < 0)
		return dir;
	unlinkat(dir, ".new", 0); /* what a crash left */
	r = symlinkat(owner, dir, ".new") < 0 || renameat(dir, ".new", dir, address) < 0 ? -errno : 0;
	if (r < 0)
		unlinkat(dir, ".new", 0);
	close(dir);
	return r;
}

void lease_sweep(int run, const char *network)
{
	int dir = open_leases(run, network, false);

	if (dir < 0)
		return;
	unlinkat(dir, ".new", 0);
	close(dir);
}

int lease_each(int run, const char *network, void (*call)(void *arg, const char *address, const char *owner), void *arg)
{
	int dir = open_leases(run, network, false), r;
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *e;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (!d) {
		close(dir);
		return -ENOMEM;
	}
	while (errno = 0, (e = readdir(d))) {
		char owner[1024];
		ssize_t n = e->d_name[0] == '.' ? -1 : readlinkat(dirfd(d), e->d_name, owner, sizeof owner - 1);

		if (n <= 0)
			continue;
		owner[n] = 0;
		call(arg, e->d_name, owner);
	}
	r = -errno;
	closedir(d);
	return r;
}
