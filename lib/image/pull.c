/* An image from a registry is an archive whose texts and layers are asked for. */
#include "image/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct remote {
	struct archive_remote archive;
	struct registry *registry;
};

static int read_config(struct registry *r, const char *hex, struct buf *out, struct err *err)
{
	struct registry_blob from;
	int rc;

	registry_blob_init(&from, r, hex, -1);
	rc = source_text(&from.s, ARCHIVE_TEXT_MAX, out, err);
	registry_blob_end(&from);
	return rc;
}

/* "manifests/sha256:HEX", "blobs/sha256/HEX" */
static int text(struct archive_remote *from, const char *name, struct buf *out, struct err *err)
{
	struct registry *r = ((struct remote *)from)->registry;
	const char *hex = archive_blob_hex(name);
	int rc = hex ? read_config(r, hex, out, err) : registry_manifest(r, name + strlen("manifests/"), out, err);

	return rc == -ENOENT ? -EINVAL : rc; /* what it names it should have */
}

static int read_manifest(struct load *l, struct registry *r, const char *name, const struct image_reference *ref, struct err *err)
{
	struct buf manifest = { 0 };
	int rc = registry_manifest(r, ref->digest ? ref->digest : ref->tag, &manifest, err);

	if (rc == 0)
		rc = load_manifest(l, &manifest, name, err);
	if (rc == 0 && !l->n)
		rc = err_msg(err, -EINVAL, "no image is in it");
	buf_free(&manifest);
	return rc;
}

static int pull(int store, const char *name, const struct image_reference *ref, struct registry *r, struct image_pull *how, struct err *err)
{
	struct remote remote = { { text }, r };
	struct load l;
	int rc = load_begin(&l, store, &how->load, err);

	if (rc < 0)
		return rc;
	l.a.kind = ARCHIVE_REMOTE;
	l.a.remote = &remote.archive;
	rc = read_manifest(&l, r, name, ref, err);
	if (rc == 0)
		rc = fetch_layers(&l, r, how->sized, err);
	if (rc == 0)
		rc = load_finish(&l, &how->load, err);
	load_end(&l);
	return rc;
}

int image_pull(int store, const char *name, struct image_pull *how, struct err *err)
{
	struct image_reference ref;
	struct registry r;
	char *canonical = NULL;
	int rc = image_name_check(name, &canonical, err);

	if (rc < 0)
		return rc;
	image_name_split(canonical, &ref);
	rc = registry_open(&r, &ref, how->registry, err);
	if (rc == 0)
		rc = pull(store, canonical, &ref, &r, how, err);
	registry_close(&r);
	image_reference_free(&ref);
	free(canonical);
	return rc;
}
