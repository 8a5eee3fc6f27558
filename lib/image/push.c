/* An image to a registry (OCI distribution-spec, "Push"): what it hasn't got of the layers, then the config, then the manifest that names them. */
#include "image/registry.h"
#include "image/save.h"
#include "image/sha256.h"
#include "image/store.h"

#include "base/interrupt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct push {
	int store;
	struct registry *r;
	const struct image_reference *name;
	struct image_save save;
	int64_t done;
	void (*progress)(void *arg, int64_t bytes);
	void *progress_arg;
};

/* A blob to be sent: a text, or a layer's tar. */
struct blob {
	struct http_body body;
	struct sink s;               /* counts what is sent */
	struct sink *to;
	struct push *p;
	const char *digest;
	int64_t length;
	const struct buf *text;
	const struct layer_tar *layer;
};

static int count_write(struct sink *s, const void *data, size_t len, struct err *err)
{
	struct blob *b = (struct blob *)((char *)s - offsetof(struct blob, s));
	int rc = interrupted() ? err_sys(err, -EINTR, "send") : b->to->write(b->to, data, len, err);

	b->p->done += (int64_t)len;
	if (b->p->progress)
		b->p->progress(b->p->progress_arg, b->p->done);
	return rc;
}

static int blob_write(struct http_body *body, struct sink *to, struct err *err)
{
	struct blob *b = (struct blob *)body;

	b->to = to;
	if (b->text)
		return b->s.write(&b->s, b->text->p, b->text->len, err);
	return layer_tar_write(b->p->store, b->layer, &b->s, err);
}

/* 1, 0 or -errno. */
static int has_blob(struct push *p, const char *digest, struct err *err)
{
	struct http_request q = { .method = "HEAD" };
	struct http_answer a;
	struct url from;
	char *path = xasprintf("blobs/sha256:%s", digest);
	int rc = registry_ask(p->r, &q, path, NULL, &a, &from, err);

	free(path);
	if (rc < 0)
		return rc;
	if (a.status == 200 || a.status == 404) {
		rc = a.status == 200;
		http_end(&a);
	} else {
		rc = registry_refused(&a, &from, err);
	}
	url_free(&from);
	return rc;
}

/* Where else on that registry the image's layer may be. */
struct search {
	const struct image_reference *here;
	const char *diff_id;
	char *path;
};

static int see(void *arg, const struct image *img, const char *name)
{
	struct search *s = arg;
	struct image_reference other;

	if (!name || s->path || !strs_has(&img->layers, s->diff_id))
		return 0;
	image_name_split(name, &other);
	if (other.host && strcmp(other.host, s->here->host) == 0 && strcmp(other.path, s->here->path))
		s->path = xstrdup(other.path);
	image_reference_free(&other);
	return 0;
}

static char *elsewhere(const struct push *p, const char *diff_id)
{
	struct search s = { p->name, diff_id, NULL };

	image_each(p->store, see, &s, NULL);
	return s.path;
}

/* Begins an upload; with FROM the registry may take the blob from that repository: 1 then. Else 0, and *TO is where to send it. */
static int begin(struct push *p, const char *digest, const char *from, struct url *to, struct err *err)
{
	struct http_request q = { .method = "POST" };
	struct http_answer a;
	struct url there;
	char *path = from ? xasprintf("blobs/uploads/?mount=sha256:%s&from=%s", digest, from) : xstrdup("blobs/uploads/");
	int rc = registry_ask(p->r, &q, path, NULL, &a, &there, err);

	free(path);
	if (rc < 0)
		return rc;
	if (from && a.status / 100 == 4) { /* what we may not take from there we may send */
		http_end(&a);
		rc = begin(p, digest, NULL, to, err);
	} else if (a.status != 201 && a.status != 202) {
		rc = registry_refused(&a, &there, err);
	} else {
		const char *location = http_header(&a, "location");

		rc = a.status == 201 ? 1 : location ? url_resolve(&there, location, to, err) : err_msg(err, -EPROTO, "it takes a blob without saying where to");
		http_end(&a);
	}
	url_free(&there);
	return rc;
}

/* Asks Q of *TO, and wants STATUS; *TO becomes where the answer leads to, if it does. What is asked of elsewhere is asked without our password, and
 * a blob isn't sent in the clear by who was told https. */
static int go_on(struct push *p, struct http_request *q, int status, struct url *to, struct err *err)
{
	struct http_answer a;
	struct url from, next;
	const char *location;
	int rc;

	if (p->r->base.tls && !to->tls)
		return err_msg(err, -EPROTO, "it redirects from https to http");
	strs_add(&q->headers, "Content-Type: application/octet-stream");
	rc = registry_ask(p->r, q, NULL, to, &a, &from, err);
	strs_free(&q->headers);
	if (rc < 0)
		return rc;
	location = http_header(&a, "location");
	if (a.status != status) {
		rc = registry_refused(&a, &from, err);
	} else {
		rc = location ? url_resolve(&from, location, &next, err) : 0;
		if (location && rc == 0) {
			url_free(to);
			*to = next;
		}
		http_end(&a);
	}
	url_free(&from);
	return rc;
}

/* As docker does it, which every registry knows: all of it by PATCH, then its digest. */
static int send_once(struct push *p, struct blob *b, const char *from, struct err *err)
{
	struct http_request all = { .method = "PATCH", .body = &b->body, .len = b->length }, end = { .method = "PUT" };
	struct url to = { 0 };
	int64_t before = p->done;
	int rc = begin(p, b->digest, from, &to, err);

	if (rc == 0) {
		rc = go_on(p, &all, 202, &to, err);
		if (rc == 0) {
			char *path = xasprintf("%s%cdigest=sha256:%s", to.path, strchr(to.path, '?') ? '&' : '?', b->digest);

			free(to.path);
			to.path = path;
			rc = go_on(p, &end, 201, &to, err);
		}
		if (rc < 0)
			p->done = before;
	}
	url_free(&to);
	return rc < 0 ? rc : 0;
}

static int send_blob(struct push *p, struct blob *b, const char *from, struct err *err)
{
	int rc = send_once(p, b, from, err);

	for (int i = 1; http_was_cut(rc) && i < REGISTRY_TRIES && !interrupted(); i++) {
		registry_pause(i);
		rc = send_once(p, b, NULL, err);
	}
	return rc;
}

static struct blob blob(struct push *p, const char *digest, int64_t length)
{
	return (struct blob){ .body = { blob_write }, .s = { count_write }, .p = p, .digest = digest, .length = length };
}

/* The blob that it came as, if the registry has that. 1, 0 or -errno. */
static int is_packed_there(struct push *p, struct layer_tar *t, const char *from, struct err *err)
{
	struct layer_packed packed;
	struct url unused = { 0 };
	int rc;

	if (!layer_packed(p->store, t->diff_id, &packed))
		return 0;
	rc = has_blob(p, packed.hex, err);
	if (rc == 0 && from)
		rc = begin(p, packed.hex, from, &unused, err);
	url_free(&unused);
	if (rc > 0) {
		memcpy(t->digest, packed.hex, sizeof t->digest);
		t->length = packed.length;
		t->packing = packed.zstd ? "+zstd" : "+gzip";
	}
	return rc;
}

static int push_layer(struct push *p, struct layer_tar *t, struct err *err)
{
	char *from = elsewhere(p, t->diff_id);
	struct blob b = blob(p, t->digest, t->length);
	int rc = is_packed_there(p, t, from, err);

	if (rc == 0)
		rc = has_blob(p, t->digest, err);
	b.layer = t;
	if (rc == 0)
		rc = send_blob(p, &b, from, err);
	else
		p->done += t->length;
	free(from);
	return rc < 0 ? err_prefix(err, "layer %.12s", t->diff_id) : 0;
}

static int push_config(struct push *p, const struct image_saved *v, struct err *err)
{
	struct blob b = blob(p, v->id, (int64_t)v->config.len);
	int rc = has_blob(p, v->id, err);

	b.text = &v->config;
	return rc ? rc : send_blob(p, &b, NULL, err);
}

static int push_manifest(struct push *p, const struct image_saved *v, char digest[65], struct err *err)
{
	struct http_request q = { .method = "PUT" };
	struct buf text = { 0 };
	struct http_answer a;
	struct url from;
	char *path = xasprintf("manifests/%s", p->name->tag);
	int rc;

	image_save_manifest(&p->save, v, &text);
	sha256_hex(text.p, text.len, digest);
	q.text = text.p;
	q.len = (int64_t)text.len;
	strs_add(&q.headers, "Content-Type: " IMAGE_MEDIA "manifest.v1+json");
	rc = registry_ask(p->r, &q, path, NULL, &a, &from, err);
	if (rc == 0) {
		if (a.status == 201)
			http_end(&a);
		else
			rc = registry_refused(&a, &from, err);
		url_free(&from);
	}
	strs_free(&q.headers);
	buf_free(&text);
	free(path);
	return rc;
}

static int push(struct push *p, struct image_push *how, struct err *err)
{
	const struct image_saved *v = p->save.images;
	int rc = 0;

	if (how->sized)
		how->sized(how->progress_arg, p->save.length);
	for (size_t i = 0; i < p->save.nlayers && rc == 0; i++)
		rc = interrupted() ? err_sys(err, -EINTR, "push") : push_layer(p, &p->save.layers[i], err);
	if (rc == 0)
		rc = push_config(p, v, err);
	return rc < 0 ? rc : push_manifest(p, v, how->digest, err);
}

int image_push(int store, const char *name, struct image_push *how, struct err *err)
{
	struct image_reference ref = { 0 };
	struct registry r = { 0 };
	struct push p = { .store = store, .r = &r, .name = &ref, .progress = how->progress, .progress_arg = how->progress_arg };
	char *canonical = NULL;
	int rc = image_name_check(name, &canonical, err);

	if (rc < 0)
		return rc;
	image_name_split(canonical, &ref);
	rc = ref.tag ? image_save_add(&p.save, store, name, err) : err_msg(err, -EINVAL, "a digest is what comes of a push: give a tag");
	if (rc == 0)
		rc = registry_open(&r, &ref, how->registry, err);
	if (rc == 0) {
		rc = push(&p, how, err);
		registry_close(&r);
	}
	image_save_free(&p.save);
	image_reference_free(&ref);
	free(canonical);
	return rc;
}
