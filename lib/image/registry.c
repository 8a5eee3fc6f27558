#include "image/registry.h"

#include "base/interrupt.h"
#include "image/archive.h"
#include "image/sha256.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Without these, registries answer with docker's first kind of manifest, or that they have none. */
#define MANIFESTS "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, " \
		  "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
#define REDIRECTS_MAX 10
#define DAY_MS 86400000
#define ERROR_MAX 16384              /* bytes of what a registry says about an error */

/* Docker takes localhost's for one without TLS, and so does who tests one. */
static bool is_local(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || starts_with(host, "127.") || strcmp(host, "::1") == 0;
}

int registry_open(struct registry *r, const struct image_reference *name, const struct registry_options *o, struct err *err)
{
	char *text;
	int rc;

	*r = (struct registry){ 0 };
	http_init(&r->http, (int)(!o->timeout_ms ? HTTP_TIMEOUT_MS : o->timeout_ms < DAY_MS ? o->timeout_ms : DAY_MS), o->insecure);
	if (!name->host || strcmp(name->host, "localhost") == 0) {
		err_msg(err, -EINVAL, "which registry? The name tells none");
		return err_hint(err, "HOST[:PORT]/NAME[:TAG]");
	}
	text = xasprintf("https://%s/v2/%s/", name->host, name->path);
	rc = url_parse(text, &r->base, err);
	if (rc == 0 && (o->plain_http || is_local(r->base.host))) {
		url_free(&r->base);
		memcpy(text + 1, "http", 4);
		rc = url_parse(text + 1, &r->base, err);
	}
	free(text);
	if (rc == 0)
		r->basic = o->credentials ? base64(o->credentials) : registry_login(name->host);
	return rc;
}

void registry_close(struct registry *r)
{
	http_close(&r->http);
	url_free(&r->base);
	free(r->basic);
	free(r->authorization);
}

void registry_part(struct registry *r)
{
	http_close(&r->http);
}

/* One request, no redirect followed. What R is let in by goes along to the registry alone. */
static int ask_once(struct registry *r, const struct http_request *q, struct http_answer *a, struct err *err)
{
	struct http_request mine = *q;
	char *where;
	int rc;

	mine.headers = (struct strs){ 0 };
	strs_append(&mine.headers, &q->headers);
	if (r->authorization && url_same_origin(q->url, &r->base))
		strs_fmt(&mine.headers, "Authorization: %s", r->authorization);
	rc = http_ask(&r->http, &mine, a, err);
	strs_free(&mine.headers);
	if (rc < 0) {
		where = url_text(q->url);
		err_prefix(err, "%.250s", where);
		free(where);
	}
	return rc;
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* U becomes where A leads to. */
static int follow(struct url *u, struct http_answer *a, struct err *err)
{
	const char *location = http_header(a, "location");
	struct url to;
	int rc = location ? url_resolve(u, location, &to, err) : err_msg(err, -EPROTO, "it redirects without saying where to");

	if (rc == 0 && u->tls && !to.tls) {
		url_free(&to);
		rc = err_msg(err, -EPROTO, "it redirects from https to http");
	}
	http_end(a);
	if (rc < 0)
		return rc;
	url_free(u);
	*u = to;
	return 0;
}

/* The registry's own words, {"errors":[{"code","message"}]}. */
static void put_reason(struct http_answer *a, struct buf *out)
{
	struct buf text = { 0 };
	struct json *j;
	const struct json *list;
	const char *said;

	source_text(&a->s, ERROR_MAX, &text, NULL); /* else without them */
	j = text.len ? json_parse(text.p, text.len, NULL) : NULL;
	list = json_get(j, "errors");
	list = list && list->type == JSON_ARRAY ? list->child : NULL;
	said = list ? json_str(list, "message") : NULL;
	if (!said)
		said = list ? json_str(list, "code") : NULL;
	if (said)
		buf_fmt(out, ": %.200s", said);
	json_free(j);
	buf_free(&text);
}

int registry_refused(struct http_answer *a, const struct url *u, struct err *err)
{
	struct buf reason = { 0 };
	char *where = url_text(u);
	int status = a->status, code = status == 404 ? -ENOENT : status == 401 || status == 403 ? -EACCES : status == 429 || status / 100 == 5 ? -ECONNABORTED : -EPROTO;

	buf_str(&reason, "");
	put_reason(a, &reason);
	http_end(a);
	err_msg(err, code, "%.250s: %s %d%s", where, status == 404 ? "not found:" : code == -EACCES ? "denied:" : "it answers", status, reason.p);
	if (code == -EACCES)
		err_hint(err, "--creds USER:PASSWORD");
	buf_free(&reason);
	free(where);
	return code;
}

static bool may_follow(const struct http_request *q)
{
	return strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0;
}

/* U is where Q goes, and becomes where it got. */
static int ask(struct registry *r, struct http_request *q, struct url *u, struct http_answer *a, struct err *err)
{
	bool told = false;
	int rc;

	for (int redirects = 0; ; ) {
		q->url = u;
		rc = ask_once(r, q, a, err);
		if (rc < 0)
			return rc;
		if (a->status == 401 && !told && !q->body && url_same_origin(u, &r->base)) {
			told = true; /* once: the second time it is a no */
			rc = registry_authorize(r, a, err);
			http_end(a);
		} else if (is_redirect(a->status) && may_follow(q)) {
			rc = ++redirects > REDIRECTS_MAX ? err_msg(err, -ELOOP, "more than %d redirects", REDIRECTS_MAX) : follow(u, a, err);
			if (rc == -ELOOP)
				http_end(a);
		} else {
			return 0;
		}
		if (rc < 0)
			return rc;
	}
}

int registry_ask(struct registry *r, struct http_request *q, const char *path, const struct url *u, struct http_answer *a, struct url *from, struct err *err)
{
	struct url to = u ? *u : r->base;
	int rc;

	to.host = xstrdup(to.host);
	to.port = xstrdup(to.port);
	to.path = u ? xstrdup(u->path) : xasprintf("%s%s", r->base.path, path);
	rc = ask(r, q, &to, a, err);
	q->url = NULL; /* it was TO */
	if (rc == 0 && from)
		*from = to;
	else
		url_free(&to);
	return rc;
}

int registry_get(struct registry *r, const char *path, const struct strs *headers, struct http_answer *a, struct err *err)
{
	struct http_request q = { .method = "GET", .headers = *headers };
	struct url from;
	int rc = registry_ask(r, &q, path, NULL, a, &from, err);

	if (rc < 0)
		return rc;
	if (a->status != 200 && a->status != 206)
		rc = registry_refused(a, &from, err);
	url_free(&from);
	return rc;
}

/* DIGEST: what the registry says that it is, malloc'ed, or NULL. */
static int read_manifest(struct registry *r, const char *path, struct buf *out, char **digest, struct err *err)
{
	struct strs headers = { 0 };
	struct http_answer a;
	int rc;

	strs_add(&headers, "Accept: " MANIFESTS);
	rc = registry_get(r, path, &headers, &a, err);
	strs_free(&headers);
	if (rc < 0)
		return rc;
	out->len = 0;
	rc = source_text(&a.s, ARCHIVE_TEXT_MAX, out, err);
	*digest = xstrdup(http_header(&a, "docker-content-digest"));
	http_end(&a);
	return rc;
}

int registry_manifest(struct registry *r, const char *name, struct buf *out, struct err *err)
{
	char *path = xasprintf("manifests/%s", name), *said = NULL, is[65];
	int rc = read_manifest(r, path, out, &said, err);

	for (int i = 1; http_was_cut(rc) && i < REGISTRY_TRIES && !interrupted(); i++) {
		registry_pause(i);
		free(said);
		said = NULL;
		rc = read_manifest(r, path, out, &said, err);
	}
	buf_str(out, "");
	sha256_hex(out->p, out->len, is);
	if (starts_with(name, "sha256:") || !said || !starts_with(said, "sha256:")) {
		free(said);
		said = starts_with(name, "sha256:") ? xstrdup(name) : NULL;
	}
	if (rc == 0 && said && strcmp(said + 7, is))
		rc = err_msg(err, -EINVAL, "%.200s: corrupt: its digest is sha256:%s", path, is);
	free(said);
	free(path);
	return rc;
}
