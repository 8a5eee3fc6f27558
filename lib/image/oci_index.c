/* OCI image layouts (image-spec, image-layout.md): index.json, perhaps further indexes, manifests. And skopeo's `dir:`, which has the one or
 * the other as manifest.json, blobs by digest beside it, and manifests below that as HEX.manifest.json. */
#include "image/image_load.h"

#include "image/sha256.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 4

static int read_index(struct load *l, const struct json *index, const char *name, int depth, struct err *err);

/* Where a descriptor's blob is; END, of a manifest: how its name ends in a `dir:`. 0 or -EINVAL. */
static int blob_name(const struct load *l, const struct json *descriptor, const char *end, char **out, struct err *err)
{
	const char *digest = json_str(descriptor, "digest");

	if (!digest || !starts_with(digest, "sha256:") || !sha256_is_hex(digest + 7))
		return err_msg(err, -EINVAL, "\"%.80s\" is no sha256 digest", digest ? digest : "");
	if (l->a.kind == ARCHIVE_REMOTE && *end)
		*out = xasprintf("manifests/%s", digest);
	else
		*out = l->flat ? xasprintf("%s%s", digest + 7, end) : xasprintf("blobs/sha256/%s", digest + 7);
	return 0;
}

/* What the descriptor calls its image: containerd's full name, or OCI's. */
static const char *name_of(const struct json *descriptor, const char *otherwise)
{
	const struct json *a = json_get(descriptor, "annotations");
	const char *name = json_str(a, "io.containerd.image.name");

	if (!name)
		name = json_str(a, "org.opencontainers.image.ref.name");
	return name ? name : otherwise;
}

static int read_manifest(struct load *l, const struct json *m, const char *name, struct err *err)
{
	const struct json *list = json_get(m, "layers");
	struct strs names = { 0 }, layers = { 0 };
	int64_t *sizes = NULL;
	char *config = NULL, *layer;
	int rc = blob_name(l, json_get(m, "config"), "", &config, err);

	for (const struct json *j = list && list->type == JSON_ARRAY ? list->child : NULL; j && rc == 0; j = j->next) {
		rc = blob_name(l, j, "", &layer, err);
		if (rc == 0) {
			strs_add(&layers, layer);
			sizes = xrealloc(sizes, layers.n * sizeof *sizes);
			sizes[layers.n - 1] = json_int(j, "size", -1);
			free(layer);
		}
	}
	if (name && image_name_check(name, &layer, NULL) == 0) { /* any word may stand there */
		strs_add(&names, layer);
		free(layer);
	}
	if (rc == 0)
		rc = load_add(l, config, &names, &layers, err);
	if (rc == 0)
		l->v[l->n - 1].sizes = sizes;
	else
		free(sizes);
	strs_free(&names);
	strs_free(&layers);
	free(config);
	return rc;
}

/* A manifest, or an index of manifests for several platforms. */
static int read_document(struct load *l, const struct json *j, const char *name, int depth, struct err *err)
{
	return json_get(j, "manifests") ? read_index(l, j, name, depth, err) : read_manifest(l, j, name, err);
}

static int read_blob(struct load *l, const struct json *descriptor, const char *name, int depth, struct err *err)
{
	struct buf text = { 0 };
	struct json *j = NULL;
	char *blob = NULL;
	int rc = blob_name(l, descriptor, ".manifest.json", &blob, err);

	if (rc == 0 && ++l->manifests > LOAD_MANIFESTS_MAX)
		rc = err_msg(err, -E2BIG, "more than %d manifests", LOAD_MANIFESTS_MAX);
	if (rc == 0)
		rc = archive_text(&l->a, blob, json_str(descriptor, "digest") + 7, &text, err);
	if (rc == 0) {
		j = json_parse(text.p, text.len, err);
		rc = j ? read_document(l, j, name, depth + 1, err) : err_prefix(err, "%s", blob);
	}
	json_free(j);
	buf_free(&text);
	free(blob);
	return rc;
}

static int rank(const struct load *l, const struct json *descriptor)
{
	const struct json *p = json_get(descriptor, "platform");

	return platform_rank(l->platform, json_str(p, "os"), json_str(p, "architecture"), json_str(p, "variant"));
}

/* What tells about an image (an attestation) is none. */
static bool is_image(const struct json *descriptor)
{
	const char *os = json_str(json_get(descriptor, "platform"), "os");

	return !os || strcmp(os, "unknown");
}

/* Whether two are one image for several platforms: of one name, and said to be for some. */
static bool alike(const struct json *a, const struct json *b)
{
	const char *x = name_of(a, ""), *y = name_of(b, "");

	return a == b || (is_image(b) && json_get(a, "platform") && json_get(b, "platform") && strcmp(x, y) == 0);
}

static int none_fits(const struct load *l, const struct json *list, const struct json *of, const char *name, struct err *err)
{
	struct buf has = { 0 };
	char want[80];

	for (const struct json *j = list; j; j = j->next) {
		const struct json *p = json_get(j, "platform");
		const char *variant = json_str(p, "variant");

		if (alike(of, j) && has.len < 200)
			buf_fmt(&has, "%s%.20s/%.20s%s%.20s", has.len ? ", " : "", json_str(p, "os") ? json_str(p, "os") : "?",
				json_str(p, "architecture") ? json_str(p, "architecture") : "?", variant ? "/" : "", variant ? variant : "");
	}
	err_msg(err, -ENOEXEC, "%.100s%sit is for %s, not for %s", name ? name : "", name ? ": " : "", has.p, platform_wanted(l->platform, want));
	buf_free(&has);
	return -ENOEXEC;
}

/* Of those alike DESCRIPTOR: how many, and the best rank. */
static int best_rank(const struct load *l, const struct json *list, const struct json *descriptor, int *best)
{
	int n = 0;

	*best = -1;
	for (const struct json *j = list; j; j = j->next) {
		if (!alike(descriptor, j))
			continue;
		n++;
		*best = rank(l, j) > *best ? rank(l, j) : *best;
	}
	return n;
}

static int read_index(struct load *l, const struct json *index, const char *name, int depth, struct err *err)
{
	const struct json *list = json_get(index, "manifests");
	int rc = 0, best;

	if (!list || list->type != JSON_ARRAY)
		return err_msg(err, -EINVAL, "an index without manifests");
	if (depth > DEPTH_MAX)
		return err_msg(err, -ELOOP, "indexes within indexes, more than %d deep", DEPTH_MAX);
	if (json_count(list) > LOAD_MANIFESTS_MAX)
		return err_msg(err, -E2BIG, "more than %d manifests", LOAD_MANIFESTS_MAX);
	for (const struct json *j = list->child; j && rc == 0; j = j->next) {
		if (!is_image(j))
			continue;
		if (best_rank(l, list->child, j, &best) > 1 && best < 0)
			rc = none_fits(l, list->child, j, name_of(j, name), err);
		else if (best < 0 || rank(l, j) == best) /* a single one's config says whom it is for */
			rc = read_blob(l, j, name_of(j, name), depth, err);
	}
	return rc;
}

int load_dir(struct load *l, const struct json *manifest, struct err *err)
{
	l->flat = true;
	return read_document(l, manifest, NULL, 0, err) < 0 ? err_prefix(err, "manifest.json") : 0;
}

int load_manifest(struct load *l, const struct buf *text, const char *name, struct err *err)
{
	struct json *j = json_parse(text->p, text->len, err);
	int rc = j ? 0 : err->code;

	if (j && json_int(j, "schemaVersion", 2) == 1)
		rc = err_msg(err, -ENOTSUP, "its manifest is of docker's first kind, which is not supported");
	if (rc == 0)
		rc = read_document(l, j, name, 0, err);
	json_free(j);
	return rc;
}

int load_oci(struct load *l, const struct buf *text, struct err *err)
{
	struct json *index = json_parse(text->p, text->len, err);
	int rc = index ? read_index(l, index, NULL, 0, err) : err_prefix(err, "index.json");

	json_free(index);
	return rc;
}
