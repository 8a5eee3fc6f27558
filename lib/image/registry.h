/* A repository of a registry (OCI distribution-spec; docker's registry API v2): what it has, by path below /v2/NAME/, with redirects followed and
 * what it asks for first (a token, a password) given to it, and to nobody else. */
#ifndef IMAGE_REGISTRY_H
#define IMAGE_REGISTRY_H

#include "image/http.h"
#include "image/image.h"

struct registry_options {
	bool plain_http;             /* no TLS; so it is with localhost and its addresses anyway */
	const char *credentials;     /* "user:password"; NULL: those of docker's config.json, if any */
	bool insecure;               /* with TLS, to whomever */
	int64_t timeout_ms;          /* 0: HTTP_TIMEOUT_MS */
};

struct registry {
	struct http http;
	struct url base;             /* whom it is asked of; its path is /v2/NAME/ */
	char *basic;                 /* what to answer who asks for a password: base64 of "user:password"; NULL: nothing */
	char *authorization;         /* the header that let us in so far, whole; NULL: none was asked for */
};

/* R becomes the repository NAME is in; nothing is asked yet. 0 or -errno, told. */
int registry_open(struct registry *r, const struct image_reference *name, const struct registry_options *o, struct err *err);
void registry_close(struct registry *r);

/* In a process of its own the connection is its parent's: another one is made. */
void registry_part(struct registry *r);

/* Asks Q of PATH below the repository, or of U (what an answer led to; PATH is NULL then). Who asks who we are is told, redirects of GET and HEAD are
 * followed. A is any other answer, to be ended or given to registry_refused. *FROM (may be NULL) is where it came from, to be freed. 0 or
 * -errno, told. */
int registry_ask(struct registry *r, struct http_request *q, const char *path, const struct url *u, struct http_answer *a, struct url *from, struct err *err);

/* What A, which came from there and isn't success, means: -ENOENT, -EACCES, -ECONNABORTED (another attempt may do better) or -EPROTO, told. Ends A. */
int registry_refused(struct http_answer *a, const struct url *from, struct err *err);

/* GETs PATH ("manifests/latest", "blobs/sha256:HEX"), with HEADERS besides. A is an answer of status 200 or 206, to be ended. 0; -ENOENT: it has no
 * such thing; -EACCES: it wants to know who asks; or another -errno: http_was_cut's may be tried again. All told. */
int registry_get(struct registry *r, const char *path, const struct strs *headers, struct http_answer *a, struct err *err);

/* Manifest NAME (a tag, or "sha256:HEX", which it must be then) into OUT. 0 or -errno, told. */
int registry_manifest(struct registry *r, const char *name, struct buf *out, struct err *err);

/* A blob as a source. A connection that is cut is made anew, and the blob read on where it was. */
struct registry_blob {
	struct source s;
	struct registry *r;
	char *path;
	int64_t at, size;            /* SIZE -1: not known beforehand */
	struct http_answer a;
	bool open, ended;
	int tries;                   /* since something came */
};
void registry_blob_init(struct registry_blob *b, struct registry *r, const char *hex, int64_t size);
void registry_blob_end(struct registry_blob *b);

/* For registry*.c: */

#define REGISTRY_TRIES 6             /* in a row that bring nothing */

/* After the Nth of them: not at all at first, then longer each time. */
void registry_pause(int n);

/* Takes from A, an answer of status 401, what is asked for, and gets it: R->authorization is what to try next. 0 or -errno, told. */
int registry_authorize(struct registry *r, const struct http_answer *a, struct err *err);

/* Base64 of TEXT (RFC 4648), malloc'ed. */
char *base64(const char *text);

/* The base64 of "user:password" that docker's config.json ($DOCKER_CONFIG, else ~/.docker) has for HOST, malloc'ed; NULL: none. */
char *registry_login(const char *host);

#endif
