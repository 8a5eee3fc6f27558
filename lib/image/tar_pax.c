/* Extended headers: records "LEN KEY=VALUE\n". */
#include "base/num.h"
#include "image/tar_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct record {
	const char *key, *value;
	size_t len;               /* of the value, which may hold NULs */
};

/* Cuts the record at *P out, turning its '=' and its newline into NULs. 0 or -EINVAL. */
static int record_cut(char **p, char *end, struct record *r)
{
	char *q = *p, *eq;
	size_t len = 0;

	for (; q < end && *q >= '0' && *q <= '9'; q++) {
		if (len > TAR_PAX_MAX)
			return -EINVAL;
		len = len * 10 + (size_t)(*q - '0');
	}
	/* Records that were cut before (a global header's) end with NUL. */
	if (q == *p || q == end || *q++ != ' ' || len > (size_t)(end - *p) || *p + len <= q || ((*p)[len - 1] != '\n' && (*p)[len - 1]))
		return -EINVAL;
	for (eq = q; *eq && *eq != '='; eq++)
		if (eq == *p + len - 1)
			return -EINVAL;
	if (eq >= *p + len - 1)
		return -EINVAL;
	*eq = 0;
	*p += len;
	(*p)[-1] = 0;
	*r = (struct record){ q, eq + 1, (size_t)(*p - 1 - (eq + 1)) };
	return 0;
}

/* "1234.000000567", perhaps negative: seconds and the nanoseconds after them. */
static int pax_time(const char *s, int64_t *sec, int64_t *ns)
{
	bool negative = *s == '-';
	char *end;
	int64_t n = 0, scale = 100000000;

	errno = 0;
	*sec = strtoll(s, &end, 10);
	if (errno || end == s)
		return -EINVAL;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++, scale /= 10)
			n += scale * (*end - '0');
	if (*end)
		return -EINVAL;
	if (negative && n) {
		if (*sec == INT64_MIN)
			return -EINVAL;
		*sec -= 1;
		n = 1000000000 - n;
	}
	*ns = n;
	return 0;
}

static int pax_text(struct buf *to, const struct record *r)
{
	if (strlen(r->value) != r->len)
		return -EINVAL;
	to->len = 0;
	buf_add(to, r->value, r->len);
	return 0;
}

static int pax_id(const char *s, uint32_t *out)
{
	int64_t v;
	int rc = num_range(s, 0, UINT32_MAX - 1, &v);

	if (rc == 0)
		*out = (uint32_t)v;
	return rc;
}

static int pax_xattr(struct tar_entry *e, const struct record *r)
{
	const char *name = r->key + sizeof "SCHILY.xattr." - 1;

	if (!*name)
		return -EINVAL;
	for (size_t i = 0; i < e->nxattrs; i++) {
		if (strcmp(e->xattrs[i].name, name) == 0) {
			e->xattrs[i] = (struct tar_xattr){ name, r->value, r->len };
			return 0;
		}
	}
	/* a doubling array: an extended header holds some ten thousand at most */
	if ((e->nxattrs & (e->nxattrs - 1)) == 0)
		e->xattrs = xrealloc(e->xattrs, (e->nxattrs ? 2 * e->nxattrs : 1) * sizeof *e->xattrs);
	e->xattrs[e->nxattrs++] = (struct tar_xattr){ name, r->value, r->len };
	return 0;
}

/* Form 0.1: "AT,LEN,AT,LEN.." */
static int sparse_list(struct tar_entry *e, const char *s)
{
	while (*s) {
		char *end;
		long long at = strtoll(s, &end, 10), len;

		if (end == s || *end != ',')
			return -EINVAL;
		s = end + 1;
		len = strtoll(s, &end, 10);
		if (end == s || (*end && *end != ',') || tar_piece_add(e, at, len) < 0)
			return -EINVAL;
		s = *end ? end + 1 : end;
	}
	return 0;
}

/* GNU.sparse.*: 0.0 repeats `offset` and `numbytes`, 0.1 has `map`, 1.0 a table before the content (npieces stays 0). */
static int pax_sparse(struct tar_entry *e, const struct record *r)
{
	const char *key = r->key + sizeof "GNU.sparse." - 1;
	int64_t v;

	if (strcmp(key, "name") == 0) {
		e->sparse_name = true;
		return pax_text(&e->name, r);
	}
	if (strcmp(key, "map") == 0) {
		e->npieces = 0;
		e->sparse = true;
		return sparse_list(e, r->value);
	}
	if (num_i64(r->value, &v) < 0 || v < 0)
		return -EINVAL;
	if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0) {
		e->sparse = true;
		e->real_size = v;
	} else if (strcmp(key, "offset") == 0) {
		return tar_piece_add(e, v, 0);
	} else if (strcmp(key, "numbytes") == 0) {
		if (!e->npieces)
			return -EINVAL;
		e->pieces[e->npieces - 1].len = v;
	} else if (strcmp(key, "major") == 0 && v > 1) {
		return -EINVAL;
	}
	return 0;
}

static int record_apply(struct tar_entry *e, const struct record *r)
{
	const char *k = r->key;

	if (r->len == 0 && !starts_with(k, "SCHILY.xattr."))
		return 0; /* an empty value takes a keyword back: the plain header's holds */
	if (strcmp(k, "path") == 0)
		return e->sparse_name ? 0 : pax_text(&e->name, r);
	if (strcmp(k, "linkpath") == 0)
		return pax_text(&e->link, r);
	if (strcmp(k, "size") == 0)
		return num_i64(r->value, &e->size) < 0 || e->size < 0 ? -EINVAL : 0;
	if (strcmp(k, "uid") == 0)
		return pax_id(r->value, &e->uid);
	if (strcmp(k, "gid") == 0)
		return pax_id(r->value, &e->gid);
	if (strcmp(k, "mtime") == 0)
		return pax_time(r->value, &e->mtime, &e->mtime_ns);
	if (strcmp(k, "SCHILY.devmajor") == 0)
		return pax_id(r->value, &e->major);
	if (strcmp(k, "SCHILY.devminor") == 0)
		return pax_id(r->value, &e->minor);
	if (starts_with(k, "SCHILY.xattr."))
		return pax_xattr(e, r);
	if (starts_with(k, "GNU.sparse."))
		return pax_sparse(e, r);
	return 0; /* unknown keywords are to be ignored, says POSIX */
}

int tar_pax_apply(struct tar_entry *e, struct buf *text, struct err *err)
{
	char *p = text->p, *end = p + text->len;
	struct record r;

	while (p < end) {
		if (record_cut(&p, end, &r) < 0)
			return err_msg(err, -EINVAL, "garbled extended header");
		if (record_apply(e, &r) < 0)
			return err_msg(err, -EINVAL, "extended header %.40s=%.40s: bad value", r.key, r.value);
	}
	return 0;
}
