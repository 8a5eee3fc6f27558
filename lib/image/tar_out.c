#include "image/tar_write.h"

#include "image/tar_read.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

int tar_out_flush(struct tar_out *o, struct err *err)
{
	size_t len = o->len;

	o->len = 0;
	return len ? o->to->write(o->to, o->data, len, err) : 0;
}

int tar_out_add(struct tar_out *o, const void *data, size_t len, struct err *err)
{
	const char *p = data;

	while (len) {
		size_t n = TAR_OUT - o->len;
		int rc;

		n = n < len ? n : len;
		memcpy(o->data + o->len, p, n);
		o->len += n;
		p += n;
		len -= n;
		rc = o->len == TAR_OUT ? tar_out_flush(o, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

int tar_out_zeros(struct tar_out *o, int64_t len, struct err *err)
{
	static const char zeros[TAR_BLOCK];
	int rc = 0;

	for (; len > 0 && rc == 0; len -= TAR_BLOCK)
		rc = tar_out_add(o, zeros, len < TAR_BLOCK ? (size_t)len : TAR_BLOCK, err);
	return rc;
}

/* "LEN KEY=VALUE\n", where LEN counts its own digits too. */
static void pax_add(struct buf *pax, const char *prefix, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(prefix) + strlen(key) + len + 3, total = rest, digits;

	do {
		digits = (size_t)snprintf(NULL, 0, "%zu", total);
		if (rest + digits == total)
			break;
		total = rest + digits;
	} while (1);
	buf_fmt(pax, "%zu %s%s=", total, prefix, key);
	buf_add(pax, value, len);
	buf_char(pax, '\n');
}

static void pax_text(struct buf *pax, const char *key, const char *value)
{
	pax_add(pax, "", key, value, strlen(value));
}

/* V into an octal field of LEN bytes with its NUL, or, where it has no room, into a pax record; the field holds 0 then. */
static void number(char *field, size_t len, int64_t v, struct buf *pax, const char *key)
{
	char text[24];

	if (v < 0 || v >> 3 * (len - 1)) {
		snprintf(text, sizeof text, "%lld", (long long)v);
		pax_text(pax, key, text);
		v = 0;
	}
	snprintf(text, sizeof text, "%0*llo", (int)len - 1, (unsigned long long)v);
	memcpy(field, text, len);
}

/* Whole seconds in the field; a record where there are nanoseconds, or it has no room. */
static void mtime(char *field, const struct timespec *t, struct buf *pax)
{
	bool before = t->tv_sec < 0 && t->tv_nsec;
	/* seconds are rounded down, but a decimal fraction counts away from zero */
	int64_t sec = before ? -(t->tv_sec + 1) : t->tv_sec;
	unsigned ns = (unsigned)(before ? 1000000000 - t->tv_nsec : t->tv_nsec);
	char text[48];

	if (!ns) {
		number(field, 12, sec, pax, "mtime");
		return;
	}
	snprintf(text, sizeof text, "%s%lld.%09u", before ? "-" : "", (long long)sec, ns);
	pax_text(pax, "mtime", text);
	number(field, 12, before || sec >> 33 ? 0 : sec, pax, "mtime");
}

/* The header's `name` and `prefix`, cut at a slash; false if it doesn't go. */
static bool split_name(struct tar_header *h, const char *name)
{
	size_t len = strlen(name), cut;

	if (len <= sizeof h->name) {
		memcpy(h->name, name, len);
		return true;
	}
	if (len > sizeof h->name + 1 + sizeof h->prefix)
		return false;
	for (cut = len - sizeof h->name - 1; name[cut] && (name[cut] != '/' || !name[cut + 1]); cut++)
		;
	if (!name[cut] || cut > sizeof h->prefix || cut == 0)
		return false;
	memcpy(h->prefix, name, cut);
	memcpy(h->name, name + cut + 1, len - cut - 1);
	return true;
}

static char type_of(const struct tar_headers *h)
{
	switch (h->st->st_mode & S_IFMT) {
	case S_IFLNK: return h->hard ? '1' : '2';
	case S_IFCHR: return h->hard ? '1' : '3';
	case S_IFBLK: return h->hard ? '1' : '4';
	case S_IFDIR: return '5';
	case S_IFIFO: return h->hard ? '1' : '6';
	}
	return h->hard ? '1' : '0';
}

static void sum(struct tar_header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned n = 0;

	memset(h->sum, ' ', sizeof h->sum);
	for (size_t i = 0; i < sizeof *h; i++)
		n += p[i];
	snprintf(h->sum, sizeof h->sum, "%06o", n);
	h->sum[7] = ' ';
}

static int put_block(struct tar_out *o, struct tar_header *h, struct err *err)
{
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	sum(h);
	return tar_out_add(o, h, sizeof *h, err);
}

/* The extended header before the entry's own; its own name is the same for all, since nobody uses it. */
static int put_pax(struct tar_out *o, const struct buf *pax, struct err *err)
{
	struct tar_header h = { .name = "PaxHeaders/x", .mode = "0000644", .uid = "0000000", .gid = "0000000", .mtime = "00000000000", .type = 'x' };
	int rc;

	number(h.size, sizeof h.size, (int64_t)pax->len, &(struct buf){ 0 }, "size");
	rc = put_block(o, &h, err);
	if (rc == 0)
		rc = tar_out_add(o, pax->p, pax->len, err);
	return rc == 0 ? tar_out_zeros(o, -(int64_t)pax->len & (TAR_BLOCK - 1), err) : rc;
}

static void put_xattrs(const struct tar_headers *t, struct buf *pax)
{
	size_t at = 0;

	for (size_t i = 0; t->xattr_names && i < t->xattr_names->n; at += t->xattr_lens[i++])
		pax_add(pax, "SCHILY.xattr.", t->xattr_names->v[i], t->xattr_values->p + at, t->xattr_lens[i]);
}

int tar_headers_put(struct tar_out *o, const struct tar_headers *t, struct err *err)
{
	struct tar_header h = { 0 };
	struct buf pax = { 0 };
	const struct stat *st = t->st;
	int rc = 0;

	if (!split_name(&h, t->name))
		pax_text(&pax, "path", t->name);
	if (t->link && strlen(t->link) > sizeof h.link)
		pax_text(&pax, "linkpath", t->link);
	else if (t->link)
		memcpy(h.link, t->link, strlen(t->link));
	h.type = type_of(t);
	number(h.mode, sizeof h.mode, st->st_mode & 07777, &pax, "");
	number(h.uid, sizeof h.uid, st->st_uid, &pax, "uid");
	number(h.gid, sizeof h.gid, st->st_gid, &pax, "gid");
	number(h.size, sizeof h.size, t->size, &pax, "size");
	if (h.type == '3' || h.type == '4') {
		number(h.major, sizeof h.major, major(st->st_rdev), &pax, "SCHILY.devmajor");
		number(h.minor, sizeof h.minor, minor(st->st_rdev), &pax, "SCHILY.devminor");
	}
	mtime(h.mtime, &st->st_mtim, &pax);
	put_xattrs(t, &pax);
	if (pax.len)
		rc = put_pax(o, &pax, err);
	buf_free(&pax);
	return rc == 0 ? put_block(o, &h, err) : rc;
}
