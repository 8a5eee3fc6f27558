/* Names of images: [host[:port]/]path[:tag][@digest], as the distribution project's reference grammar has them. */
#include "image/image.h"
#include "image/store.h"
#include "image/sha256.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 250   /* it becomes a file's name */

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Lower-case letters and digits, with single `.`, `_`, `__` or any number of `-` between them. */
static bool component_ok(const char *s, size_t n)
{
	const char *end = s + n;

	for (;;) {
		size_t word = strspn(s, lower), dashes;

		if (word > (size_t)(end - s))
			word = (size_t)(end - s);
		if (!word)
			return false;
		s += word;
		if (s == end)
			return true;
		dashes = strspn(s, "-");
		if (!dashes)
			dashes = *s == '.' ? 1 : *s == '_' ? 1 + (s[1] == '_') : 0;
		if (!dashes || dashes >= (size_t)(end - s))
			return false;
		s += dashes;
	}
}

/* The first component is a host if it has a dot, a port, or is "localhost". Its length, or 0. */
static size_t host_length(const char *name)
{
	size_t n = strcspn(name, "/");

	if (!name[n])
		return 0;
	if (memchr(name, '.', n) || memchr(name, ':', n) || (n == 9 && memcmp(name, "localhost", 9) == 0))
		return n;
	return 0;
}

/* Also an IPv6 address in brackets. */
static bool host_ok(const char *s, size_t n)
{
	size_t word = *s == '[' ? 1 + strspn(s + 1, "0123456789abcdefABCDEF:") : strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

	if (*s == '[' ? s[word++] != ']' : !strspn(s, alnum))
		return false;
	if (s[word] == ':')
		word += 1 + strspn(s + word + 1, "0123456789");
	return word == n && s[n - 1] != ':';
}

static const char *path_wrong(const char *s, size_t n)
{
	if (!n)
		return "it is empty";
	if (strcspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") < n)
		return "upper case is for tags only";
	for (const char *end = s + n; s < end;) {
		size_t one = strcspn(s, "/");

		if (one > (size_t)(end - s))
			one = (size_t)(end - s);
		if (!component_ok(s, one))
			return "between slashes go a-z and 0-9, with . _ or - inside";
		s += one;
		if (s < end && ++s == end)
			return "it ends with a slash";
	}
	return NULL;
}

static const char *tag_wrong(const char *s, size_t n)
{
	if (!n || n > 128 || *s == '.' || *s == '-' ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") < n)
		return "a tag is up to 128 letters, digits, _ . -";
	return NULL;
}

int image_name_check(const char *name, char **out, struct err *err)
{
	size_t host = host_length(name), len = strcspn(name, "@"), path = host ? host + 1 : 0;
	size_t path_len = strcspn(name + path, ":@");
	const char *tag = name[path + path_len] == ':' ? name + path + path_len + 1 : NULL;
	const char *wrong = path_wrong(name + path, path_len), *added = tag || name[len] ? "" : ":latest";

	if (host && !host_ok(name, host))
		wrong = "its host isn't one";
	if (!wrong && tag)
		wrong = tag_wrong(tag, (size_t)(name + len - tag));
	if (!wrong && name[len] && (!starts_with(name + len, "@sha256:") || !sha256_is_hex(name + len + 8)))
		wrong = "a digest is sha256: and 64 hex digits";
	if (!wrong && !host && sha256_is_hex(name))
		wrong = "it is an id";
	if (!wrong && strlen(name) + strlen(added) > NAME_MAX_LENGTH)
		wrong = "it is too long";
	if (wrong)
		return err_msg(err, -EINVAL, "bad image name \"%.100s\": %s", name, wrong);
	*out = xasprintf("%s%s", name, added);
	return 0;
}

void image_name_split(const char *canonical, struct image_reference *out)
{
	size_t host = host_length(canonical), path = host ? host + 1 : 0;
	size_t len = strcspn(canonical, "@"), path_len = strcspn(canonical + path, ":@");
	const char *tag = canonical[path + path_len] == ':' ? canonical + path + path_len + 1 : NULL;

	out->host = host ? xstrndup(canonical, host) : NULL;
	out->path = xstrndup(canonical + path, path_len);
	out->tag = tag ? xstrndup(tag, (size_t)(canonical + len - tag)) : NULL;
	out->digest = canonical[len] ? xstrdup(canonical + len + 1) : NULL;
}

void image_reference_free(struct image_reference *r)
{
	free(r->host);
	free(r->path);
	free(r->tag);
	free(r->digest);
	*r = (struct image_reference){ 0 };
}

bool image_name_has_registry(const char *name)
{
	return host_length(name) && !starts_with(name, "localhost/");
}
