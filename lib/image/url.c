#include "image/url.h"

#include "base/buf.h"
#include "base/num.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_MAX 8192

bool url_is_word(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static bool port_ok(const char *s)
{
	int64_t n;

	return num_range(s, 1, 65535, &n) == 0;
}

/* "host", "host:port", "[address]:port" of N bytes. */
static bool set_authority(struct url *u, const char *s, size_t n)
{
	const char *end = s + n, *host_end, *port = NULL;

	if (n && *s == '[') {
		host_end = memchr(s, ']', n);
		if (!host_end || (host_end + 1 < end && host_end[1] != ':'))
			return false;
		port = host_end + 1 < end ? host_end + 2 : NULL;
		s++;
	} else {
		host_end = memchr(s, ':', n);
		port = host_end ? host_end + 1 : NULL;
		host_end = host_end ? host_end : end;
	}
	u->host = xstrndup(s, (size_t)(host_end - s));
	u->port = port ? xstrndup(port, (size_t)(end - port)) : xstrdup(u->tls ? "443" : "80");
	return *u->host && !strpbrk(u->host, "@%\\") && port_ok(u->port);
}

static int refuse(struct url *u, const char *text, struct err *err)
{
	url_free(u);
	return err_msg(err, -EINVAL, "\"%.200s\" is no URL of http or https", text);
}

int url_parse(const char *text, struct url *out, struct err *err)
{
	const char *rest;
	size_t n;

	*out = (struct url){ .tls = strncasecmp(text, "https://", 8) == 0 };
	if (!url_is_word(text) || strlen(text) > URL_MAX || (!out->tls && strncasecmp(text, "http://", 7)))
		return refuse(out, text, err);
	rest = text + (out->tls ? 8 : 7);
	n = strcspn(rest, "/?#");
	if (!set_authority(out, rest, n))
		return refuse(out, text, err);
	rest += n;
	n = strcspn(rest, "#");
	out->path = xasprintf("%s%.*s", *rest == '/' ? "" : "/", (int)n, rest);
	return 0;
}

int url_resolve(const struct url *base, const char *reference, struct url *out, struct err *err)
{
	char *authority, *text;
	int rc;

	if (*reference != '/')
		return url_parse(reference, out, err);
	authority = reference[1] == '/' ? xstrdup("") : url_authority(base);
	text = xasprintf("%s://%s%s", base->tls ? "https" : "http", authority, reference + (reference[1] == '/' ? 2 : 0));
	rc = url_parse(text, out, err);
	free(authority);
	free(text);
	return rc;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->tls == b->tls && strcasecmp(a->host, b->host) == 0 && strcmp(a->port, b->port) == 0;
}

char *url_authority(const struct url *u)
{
	bool six = strchr(u->host, ':'), usual = strcmp(u->port, u->tls ? "443" : "80") == 0;

	return xasprintf("%s%s%s%s%s", six ? "[" : "", u->host, six ? "]" : "", usual ? "" : ":", usual ? "" : u->port);
}

char *url_text(const struct url *u)
{
	char *authority = url_authority(u), *text = xasprintf("http%s://%s%s", u->tls ? "s" : "", authority, u->path);

	free(authority);
	return text;
}

void url_free(struct url *u)
{
	free(u->host);
	free(u->port);
	free(u->path);
	*u = (struct url){ 0 };
}
