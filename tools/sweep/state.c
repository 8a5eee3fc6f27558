/* What there is, as sorted lines, so that two moments can be compared: `state TAG HOST STORE`. File HOST gets what this host has of the store with
 * that TAG: groups in every hierarchy, mounts, loop devices on files below the working directory, interfaces, routes, rules, processes and what is in
 * $CTRBOX_RUN; file STORE what is in $CTRBOX_ROOT. It needs a millisecond or two: find, nft and ps take fifty. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char **lines;
static size_t count, room;

static void __attribute__((format(printf, 1, 2))) line(const char *format, ...)
{
	va_list args;

	if (count == room)
		lines = realloc(lines, (room = room * 2 + 256) * sizeof *lines);
	va_start(args, format);
	if (!lines || vasprintf(&lines[count++], format, args) < 0)
		exit(1);
	va_end(args);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void flush(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		exit(1);
	if (count)
		qsort(lines, count, sizeof *lines, by_text);
	for (size_t i = 0, same = 0; i < count; i++) {
		same = i && !strcmp(lines[i], lines[i - 1]) ? same + 1 : 0;
		fprintf(f, same ? "%s #%zu\n" : "%s\n", lines[i], same);
	}
	while (count)
		free(lines[--count]);
	if (fclose(f))
		exit(1);
}

/* Logs grow; times are of varying length in JSON; where the next address is looked for (.next) may be forgotten. */
static int file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	char link[256] = "";
	bool varies = !strncmp(path + at->base, "log", 3) || strstr(path, ".json");

	if (!strcmp(path + at->base, ".next"))
		return 0;
	if (kind == FTW_SL && readlink(path, link, sizeof link - 1) < 0)
		*link = 0;
	if (S_ISREG(st->st_mode))
		line("file %s %o %lld", path, st->st_mode, varies ? !!st->st_size : (long long)st->st_size);
	else
		line("file %s %o%s%s", path, st->st_mode, *link ? " -> " : "", link);
	return 0;
}

static int group(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)at;
	if (kind == FTW_D)
		line("cgroup %s", path);
	return 0;
}

/* Each line of FILE, and in group hierarchies the store's group. */
static void mounts(const char *tag)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char text[4096], point[2048], path[2200];

	while (f && fgets(text, sizeof text, f)) {
		char *kind = strstr(text, " - "), *end;

		text[strcspn(text, "\n")] = 0;
		if (!kind || sscanf(text, "%*s %*s %*s %*s %2047s", point) != 1)
			continue;
		end = strstr(kind, "/dev/loop"); /* any of them */
		if (!end)
			end = strstr(kind, "lowerdir="); /* the source says which image; what a layer is called is a comfort */
		line("mount %s%.*s", point, end ? (int)(end - kind) : (int)strlen(kind), kind);
		snprintf(path, sizeof path, "%s/ctrbox-%s", point, tag);
		if (!strncmp(kind, " - cgroup", 9) && !access(path, F_OK))
			nftw(path, group, 16, FTW_PHYS);
	}
	if (f)
		fclose(f);
}

/* Each line's first word. */
static void first_words(const char *what, const char *path)
{
	FILE *f = fopen(path, "re");
	char text[4096];

	while (f && fgets(text, sizeof text, f))
		line("%s %.*s", what, (int)strcspn(text, "\t\n"), text);
	if (f)
		fclose(f);
}

/* Loop devices on files in DIRECTORY, the world's. */
static void loops(const char *directory)
{
	DIR *d = opendir("/sys/block");
	struct dirent *e;
	char path[300], text[1024];

	while (d && (e = readdir(d))) {
		FILE *f;

		if (strncmp(e->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof path, "/sys/block/%s/loop/backing_file", e->d_name);
		f = fopen(path, "re");
		if (f && fgets(text, sizeof text, f) && strstr(text, directory))
			line("loop on %.*s", (int)strcspn(text, "\n"), text);
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
}

static void interfaces(void)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_index; i++)
		line("interface %s", i->if_name);
	if (all)
		if_freenameindex(all);
}

/* Those that live; not we. */
static void processes(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char path[300], text[512];

	while (d && (e = readdir(d))) {
		FILE *f;
		char *end;

		if (e->d_name[0] < '0' || e->d_name[0] > '9' || atoi(e->d_name) == getpid())
			continue;
		snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
		f = fopen(path, "re");
		if (f && fgets(text, sizeof text, f) && (end = strrchr(text, ')')) && end[2] != 'Z' && end[2] != 'X')
			line("process %.*s", (int)(end + 1 - text), text);
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
}

/* nf_tables: attributes of what a dump tells. What the kernel numbers anew each time isn't compared. */
struct attribute {
	uint16_t len, type;
	unsigned char data[];
};

#define EACH_ATTRIBUTE(a, from, n) \
	for (struct attribute *a = (void *)(from), *end_ = (void *)((char *)a + (n)); \
	     (char *)a + 4 <= (char *)end_ && a->len >= 4; a = (void *)((char *)a + ((a->len + 3) & ~3)))

static void tell(const char *what, unsigned char *from, size_t n, int handle, int position)
{
	char text[1024];
	size_t len = 0;

	EACH_ATTRIBUTE(a, from, n) {
		int type = a->type & 0x3fff;

		if (type == handle || type == position)
			continue;
		len += (size_t)snprintf(text + len, sizeof text - len, " %d:", type);
		for (size_t i = 0; i + 4 < a->len && len < sizeof text - 4; i++) {
			unsigned char c = a->data[i];

			len += (size_t)snprintf(text + len, sizeof text - len, c > ' ' && c < 127 ? "%c" : "%02x", c);
		}
		if (len > sizeof text - 16)
			break;
	}
	text[len < sizeof text ? len : sizeof text - 1] = 0;
	line("%s%s", what, text);
}

struct set {
	char table[256], name[256];
	uint8_t family;
};

struct dump {
	int fd;
	struct set sets[64];
	int nsets;
};

static void answer(struct dump *d, int type, unsigned char *body, size_t n)
{
	struct nfgenmsg *g = (void *)body;
	unsigned char *attributes = body + sizeof *g;

	n -= sizeof *g;
	if (type == NFT_MSG_GETTABLE) {
		tell("table", attributes, n, NFTA_TABLE_HANDLE, -1);
	} else if (type == NFT_MSG_GETCHAIN) {
		tell("chain", attributes, n, NFTA_CHAIN_HANDLE, -1);
	} else if (type == NFT_MSG_GETRULE) {
		tell("rule", attributes, n, NFTA_RULE_HANDLE, NFTA_RULE_POSITION);
	} else if (type == NFT_MSG_GETSET && d->nsets < 64) {
		struct set *s = &d->sets[d->nsets++];

		s->family = g->nfgen_family;
		EACH_ATTRIBUTE(a, attributes, n)
			if (a->type == NFTA_SET_TABLE || a->type == NFTA_SET_NAME)
				snprintf(a->type == NFTA_SET_NAME ? s->name : s->table, 256, "%s", (char *)a->data);
		line("set %s %s", s->table, s->name);
	} else if (type == NFT_MSG_GETSETELEM) {
		EACH_ATTRIBUTE(a, attributes, n)
			if ((a->type & 0x3fff) == NFTA_SET_ELEM_LIST_ELEMENTS)
				EACH_ATTRIBUTE(e, a->data, a->len - 4)
					tell("element", e->data, e->len - 4u, -1, -1);
	}
}

static size_t put(unsigned char *at, int type, const char *text)
{
	struct attribute *a = (void *)at;

	a->len = (uint16_t)(5 + strlen(text));
	a->type = (uint16_t)type;
	memcpy(a->data, text, strlen(text) + 1);
	return (a->len + 3u) & ~3u;
}

static void dump(struct dump *d, int type, const struct set *s)
{
	static unsigned char in[1 << 17];
	struct { struct nlmsghdr h; struct nfgenmsg g; unsigned char rest[600]; } m = {
		.h = { .nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.g = { .nfgen_family = s ? s->family : 0 } };
	size_t len = NLMSG_HDRLEN + sizeof m.g;

	if (s) {
		len += put((unsigned char *)&m + len, NFTA_SET_ELEM_LIST_TABLE, s->table);
		len += put((unsigned char *)&m + len, NFTA_SET_ELEM_LIST_SET, s->name);
	}
	m.h.nlmsg_len = (uint32_t)len;
	if (send(d->fd, &m, len, 0) < 0)
		return;
	for (ssize_t n; (n = recv(d->fd, in, sizeof in, 0)) > 0;)
		for (struct nlmsghdr *h = (void *)in; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				return;
			answer(d, type, NLMSG_DATA(h), h->nlmsg_len - NLMSG_HDRLEN);
		}
}

static void rules(void)
{
	static struct dump d;

	d.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	dump(&d, NFT_MSG_GETTABLE, NULL);
	dump(&d, NFT_MSG_GETCHAIN, NULL);
	dump(&d, NFT_MSG_GETRULE, NULL);
	dump(&d, NFT_MSG_GETSET, NULL);
	for (int i = 0; i < d.nsets; i++)
		dump(&d, NFT_MSG_GETSETELEM, &d.sets[i]);
	close(d.fd);
}

int main(int argc, char **argv)
{
	const char *root = getenv("CTRBOX_ROOT"), *run = getenv("CTRBOX_RUN");
	char here[1024];

	if (argc != 4 || !root || !run)
		return 2;
	mounts(argv[1]);
	loops(getcwd(here, sizeof here) ? here : "/");
	interfaces();
	first_words("route", "/proc/net/route");
	first_words("forwarding", "/proc/sys/net/ipv4/ip_forward");
	rules();
	processes();
	nftw(run, file, 16, FTW_PHYS);
	flush(argv[2]);
	nftw(root, file, 16, FTW_PHYS);
	flush(argv[3]);
	return 0;
}
