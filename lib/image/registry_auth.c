/* Who we are, told to a registry that asks: a password (RFC 7617), or a token that another service gives for it (distribution's token
 * authentication specification). */
#include "image/registry.h"

#include "base/file.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOKEN_MAX 65536
#define LOGIN_MAX 1048576

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64(const char *text)
{
	size_t n = strlen(text);
	struct buf out = { 0 };

	buf_str(&out, "");
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < n ? (unsigned char)text[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_char(&out, i + k > n ? '=' : alphabet[v >> (18 - 6 * k) & 63]);
	}
	return out.p;
}

static char *login_in(const char *path, const char *host)
{
	struct buf text = { 0 };
	struct json *j = file_read(AT_FDCWD, path, &text, LOGIN_MAX) == 0 && text.len ? json_parse(text.p, text.len, NULL) : NULL;
	const struct json *auths = json_get(j, "auths");
	char *secure = xasprintf("https://%s", host), *found;
	const char *login = json_str(json_get(auths, host), "auth");

	if (!login)
		login = json_str(json_get(auths, secure), "auth");
	found = login && *login && strspn(login, alphabet) + strspn(login + strspn(login, alphabet), "=") == strlen(login) ? xstrdup(login) : NULL;
	free(secure);
	json_free(j);
	buf_free(&text);
	return found;
}

char *registry_login(const char *host)
{
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	char *path, *found;

	if (!(dir && *dir) && !(home && *home))
		return NULL;
	path = dir && *dir ? xasprintf("%s/config.json", dir) : xasprintf("%s/.docker/config.json", home);
	found = login_in(path, host);
	free(path);
	return found;
}

/* KEY's value in a challenge's `key="value",key=value`, malloc'ed; NULL if it isn't there. */
static char *parameter(const char *list, const char *key)
{
	struct buf value = { 0 };

	while (*list) {
		const char *name = list + strspn(list, " \t,"), *equals = strchr(name, '=');
		bool quoted = equals && equals[1] == '"', wanted;

		if (!equals)
			break;
		wanted = (size_t)(equals - name) == strlen(key) && strncasecmp(name, key, strlen(key)) == 0;
		value.len = 0;
		buf_str(&value, "");
		for (list = equals + 1 + quoted; *list && *list != (quoted ? '"' : ','); list++) {
			if (quoted && *list == '\\' && list[1])
				list++;
			buf_char(&value, *list);
		}
		list += *list && quoted;
		if (wanted)
			return value.p;
	}
	buf_free(&value);
	return NULL;
}

static void put_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		bool plain = strchr(alphabet, *s) ? *s != '+' : strchr("-._~:", *s) != NULL;

		if (plain)
			buf_char(b, *s);
		else
			buf_fmt(b, "%%%02X", (unsigned char)*s);
	}
}

/* Whether a password may be told to REALM. Over plain HTTP anybody on the way could name a realm of his own. */
static bool may_be_told(const struct registry *r, const struct url *realm)
{
	return url_same_origin(realm, &r->base) || (r->base.tls && realm->tls);
}

static int use_token(struct registry *r, struct http_answer *a, struct err *err)
{
	struct buf text = { 0 };
	struct json *j;
	const char *token;
	int rc = source_text(&a->s, TOKEN_MAX, &text, err);

	j = rc == 0 && text.len ? json_parse(text.p, text.len, NULL) : NULL;
	token = json_str(j, "token");
	if (!token)
		token = json_str(j, "access_token");
	if (token && url_is_word(token)) {
		free(r->authorization);
		r->authorization = xasprintf("Bearer %s", token);
	} else if (rc == 0) {
		rc = err_msg(err, -EPROTO, "it gives no token");
	}
	json_free(j);
	buf_free(&text);
	return rc;
}

static int ask_for_token(struct registry *r, const struct url *u, struct err *err)
{
	struct http_request q = { .method = "GET", .url = u };
	struct http http;
	struct http_answer a;
	int rc;

	if (r->basic && may_be_told(r, u))
		strs_fmt(&q.headers, "Authorization: Basic %s", r->basic);
	http_init(&http, r->http.timeout_ms, r->http.insecure);
	rc = http_ask(&http, &q, &a, err);
	strs_free(&q.headers);
	if (rc < 0)
		return rc;
	if (a.status == 200)
		rc = use_token(r, &a, err);
	else
		rc = err_msg(err, a.status == 401 || a.status == 403 ? -EACCES : -EPROTO, "it gives no token: %d", a.status);
	http_end(&a);
	http_close(&http);
	return rc == -EACCES ? err_hint(err, "--creds USER:PASSWORD") : rc;
}

static int get_token(struct registry *r, const char *challenge, struct err *err)
{
	char *realm = parameter(challenge, "realm"), *service = parameter(challenge, "service"), *scope = parameter(challenge, "scope");
	struct buf text = { 0 };
	struct url u;
	int rc;

	buf_str(&text, realm ? realm : "");
	buf_str(&text, realm && strchr(realm, '?') ? "&" : "?");
	if (service) {
		buf_str(&text, "service=");
		put_escaped(&text, service);
	}
	if (scope) {
		buf_str(&text, service ? "&scope=" : "scope=");
		put_escaped(&text, scope);
	}
	rc = realm ? url_parse(text.p, &u, err) : err_msg(err, -EPROTO, "it wants a token from nowhere");
	if (rc == 0) {
		rc = ask_for_token(r, &u, err);
		if (rc < 0)
			err_prefix(err, "%.200s", realm);
		url_free(&u);
	}
	buf_free(&text);
	free(realm);
	free(service);
	free(scope);
	return rc;
}

/* The challenge of that SCHEME, past its name; NULL: none. */
static const char *challenged(const struct http_answer *a, const char *scheme)
{
	static const char header[] = "www-authenticate: ";
	size_t n = strlen(scheme);

	for (size_t i = 0; i < a->headers.n; i++) {
		const char *value = a->headers.v[i] + sizeof header - 1;

		if (starts_with(a->headers.v[i], header) && strncasecmp(value, scheme, n) == 0 && (value[n] == ' ' || !value[n]))
			return value + n;
	}
	return NULL;
}

int registry_authorize(struct registry *r, const struct http_answer *a, struct err *err)
{
	const char *bearer = challenged(a, "Bearer");

	if (bearer)
		return get_token(r, bearer, err);
	if (!challenged(a, "Basic"))
		return err_msg(err, -EACCES, "%s: it wants to know who asks, in no way that is known", r->base.host);
	if (!r->basic) {
		err_msg(err, -EACCES, "%s: it wants a user and a password", r->base.host);
		return err_hint(err, "--creds USER:PASSWORD");
	}
	free(r->authorization);
	r->authorization = xasprintf("Basic %s", r->basic);
	return 0;
}
