/* ADD of what a web server has. */
#include "build/copy.h"

#include "image/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REDIRECTS_MAX 10

/* A file without a name, in the store if its file system has such. */
static int make_file(int store)
{
	int fd = openat(store, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? memfd_create("ctrbox", MFD_CLOEXEC) : fd;
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* GETs *U, and where that leads: A is the answer of status 200, to be ended; *U is where it came from. */
static int get(struct http *h, struct url *u, struct http_answer *a, struct err *err)
{
	for (int i = 0; i < REDIRECTS_MAX; i++) {
		struct http_request q = { .method = "GET", .url = u };
		const char *to;
		struct url next;
		int rc = http_ask(h, &q, a, err);

		if (rc < 0 || a->status == 200)
			return rc;
		to = is_redirect(a->status) ? http_header(a, "location") : NULL;
		rc = to ? url_resolve(u, to, &next, err) : err_msg(err, -ENOENT, "the server says %d", a->status);
		http_end(a);
		if (!rc && u->tls && !next.tls) {
			url_free(&next);
			rc = err_msg(err, -EPROTO, "leads from https to http");
		}
		if (rc < 0)
			return rc;
		url_free(u);
		*u = next;
	}
	return err_msg(err, -ELOOP, "more than %d redirects", REDIRECTS_MAX);
}

static int save(struct http_answer *a, int fd, struct sha256 *sha, struct err *err)
{
	struct fd_sink to;
	char data[16384];
	ssize_t n;
	int rc = 0;

	fd_sink_init(&to, fd);
	while (!rc && (n = a->s.read(&a->s, data, sizeof data, err)) != 0) {
		if (n < 0)
			return (int)n;
		sha256_add(sha, data, (size_t)n);
		rc = to.s.write(&to.s, data, (size_t)n, err);
	}
	return !rc && lseek(fd, 0, SEEK_SET) < 0 ? err_sys(err, -errno, "write") : rc;
}

static int fetch(struct url *u, int fd, const char *checksum, struct err *err)
{
	struct sha256 sha;
	struct http_answer a;
	struct http h;
	char hex[65];
	int rc;

	sha256_init(&sha);
	http_init(&h, HTTP_TIMEOUT_MS, false);
	rc = get(&h, u, &a, err);
	if (!rc) {
		rc = save(&a, fd, &sha, err);
		http_end(&a);
	}
	http_close(&h);
	sha256_end(&sha, hex);
	if (!rc && checksum && (strncmp(checksum, "sha256:", 7) || strcmp(checksum + 7, hex)))
		rc = err_msg(err, -EINVAL, "its digest is sha256:%s, not %.80s", hex, checksum);
	return rc;
}

/* It has its name there, or that of the destination. */
static char *name_of(const struct copy *c, const char *url)
{
	size_t n = strcspn(url, "?#");
	char *path = xstrndup(url, n), *slash = strrchr(strstr(path, "://") + 3, '/'), *name = slash && copy_is_name(slash + 1) ? xstrdup(slash + 1) : NULL;

	free(path);
	return name || c->dest_dir ? name : xstrdup("file");
}

int copy_fetch(struct copy *c, const char *url, struct err *err)
{
	const char *checksum = instruction_flag(c->from, "checksum");
	char *name = name_of(c, url);
	struct url u;
	int fd, rc;

	if (!name)
		return err_msg(err, -EINVAL, "%s: has no name for a file", url);
	rc = url_parse(url, &u, err);
	if (rc < 0) {
		free(name);
		return err_prefix(err, "%s", url);
	}
	fd = make_file(c->work->plan->build->store->root);
	rc = fd < 0 ? err_sys(err, -errno, "make a file") : fetch(&u, fd, checksum, err);
	url_free(&u);
	if (rc < 0) {
		free(name);
		if (fd >= 0)
			close(fd);
		return err_prefix(err, "%s", url);
	}
	copy_add_file(c, name, fd, 0600);
	free(name);
	return 0;
}
