/* URLs of http and https (RFC 3986), as far as registries use them. */
#ifndef IMAGE_URL_H
#define IMAGE_URL_H

#include "base/err.h"
#include <stdbool.h>

struct url {
	bool tls;                    /* https */
	char *host;                  /* without an IPv6 address's brackets */
	char *port;                  /* digits */
	char *path;                  /* with its query; begins with a slash; nothing in it that ends a request's line */
};

/* 0 or -EINVAL, told. OUT is to be freed after success. */
int url_parse(const char *text, struct url *out, struct err *err);

/* REFERENCE as it was found in an answer from BASE: a whole URL, //host/path or /path. 0 or -EINVAL, told. */
int url_resolve(const struct url *base, const char *reference, struct url *out, struct err *err);

/* Whether both are of one scheme, host and port: only then what is told to one may be told to the other (RFC 6454). */
bool url_same_origin(const struct url *a, const struct url *b);

/* "host", or "host:port" where the port isn't the scheme's own: the Host header's value; malloc'ed. */
char *url_authority(const struct url *u);
/* All of it, malloc'ed. */
char *url_text(const struct url *u);

void url_free(struct url *u);

/* Whether S may stand in a request, and ends nothing there: no blank, no control character, nothing that isn't ASCII. */
bool url_is_word(const char *s);

#endif
