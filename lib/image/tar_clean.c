#include "image/tar_place.h"

#include "base/path.h"

#include <string.h>

int tar_clean(const struct tar_extract *t, const char *name, struct buf *out)
{
	struct buf clean = { 0 };
	const char *p;
	bool kept;

	path_clean(name, &clean);
	p = clean.p;
	for (int n = t->strip; n && *p; n--) {
		p += strcspn(p, "/");
		p += *p == '/';
	}
	kept = *p || !t->strip;
	out->len = 0;
	path_clean(t->into ? t->into : "", out);
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
