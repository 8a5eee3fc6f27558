#include "image/tar_write.h"

#include <stdlib.h>
#include <string.h>

struct tar_inode {
	dev_t dev;
	ino_t ino;
	char *name;               /* NULL: a free place */
};

static struct tar_inode *place_of(const struct tar_inodes *t, dev_t dev, ino_t ino)
{
	size_t i = (size_t)((ino ^ dev << 32) * 0x9e3779b97f4a7c15u >> 20);

	for (;; i++) {
		struct tar_inode *p = &t->v[i & (t->cap - 1)];

		if (!p->name || (p->ino == ino && p->dev == dev))
			return p;
	}
}

static void grow(struct tar_inodes *t)
{
	struct tar_inodes old = *t;

	t->cap = old.cap ? 2 * old.cap : 64;
	t->v = xcalloc(t->cap, sizeof *t->v);
	for (size_t i = 0; i < old.cap; i++)
		if (old.v[i].name)
			*place_of(t, old.v[i].dev, old.v[i].ino) = old.v[i];
	free(old.v);
}

const char *tar_inode_seen(struct tar_inodes *t, const struct stat *st, const char *name)
{
	struct tar_inode *p;

	if (2 * t->n >= t->cap)
		grow(t);
	p = place_of(t, st->st_dev, st->st_ino);
	if (p->name)
		return p->name;
	*p = (struct tar_inode){ st->st_dev, st->st_ino, xstrdup(name) };
	t->n++;
	return NULL;
}

void tar_inodes_free(struct tar_inodes *t)
{
	for (size_t i = 0; i < t->cap; i++)
		free(t->v[i].name);
	free(t->v);
	*t = (struct tar_inodes){ 0 };
}
