#include "image/tar_place.h"

#include <string.h>

/* Appends NAME's components to OUT, `..` taking one back but none that stood there before. */
static void add_clean(const char *name, struct buf *out, size_t base)
{
	while (*name) {
		size_t n = strcspn(name, "/");

		if (n == 2 && name[0] == '.' && name[1] == '.') {
			while (out->len > base && out->p[--out->len] != '/')
				;
		} else if (n && !(n == 1 && name[0] == '.')) {
			if (out->len > base)
				buf_char(out, '/');
			buf_add(out, name, n);
		}
		name += n + (name[n] == '/');
	}
}

int tar_clean(const struct tar_extract *t, const char *name, struct buf *out)
{
	struct buf clean = { 0 };
	const char *p;
	bool kept;

	buf_str(&clean, "");
	add_clean(name, &clean, 0);
	clean.p[clean.len] = 0;
	p = clean.p;
	for (int n = t->strip; n && *p; n--) {
		p += strcspn(p, "/");
		p += *p == '/';
	}
	kept = *p || !t->strip;
	out->len = 0;
	add_clean(t->into ? t->into : "", out, 0);
	if (*p && out->len)
		buf_char(out, '/');
	if (*p && t->rename) {
		buf_str(out, t->rename);
		p += strcspn(p, "/");
	}
	buf_str(out, p);
	buf_free(&clean);
	return kept;
}
