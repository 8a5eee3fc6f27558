#include "image/http_tool.h"

#include "base/interrupt.h"
#include "base/io.h"
#include "base/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONFIG "/proc/self/fd/3"     /* where it reads what no argument may tell: those are seen by all */
#define SAID_MAX 65536
#define RANGE "Range: bytes="

static bool has_body(const struct http_request *q)
{
	return strcmp(q->method, "GET") && strcmp(q->method, "HEAD");
}

/* "KEY = "VALUE"" of curl's config. */
static void put_quoted(struct buf *b, const char *key, const char *value)
{
	buf_fmt(b, "%s = \"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_char(b, '\\');
		buf_char(b, *value);
	}
	buf_str(b, "\"\n");
}

/* HTTP/1.1 as it comes, head and chunks and all: http.c reads it. */
static void curl_config(struct buf *b, const struct http *h, const struct http_request *q, const char *url)
{
	bool head = strcmp(q->method, "HEAD") == 0;

	put_quoted(b, "url", url);
	buf_fmt(b, "silent\nshow-error\nhttp1.1\nraw\n%s\nsuppress-connect-headers\ngloboff\n", head ? "head" : "include");
	buf_fmt(b, "connect-timeout = %d\nspeed-time = %d\nspeed-limit = 1\n", h->timeout_ms / 1000 + 1, h->timeout_ms / 1000 + 1);
	put_quoted(b, "user-agent", "ctrbox");
	if (h->insecure)
		buf_str(b, "insecure\n");
	if (has_body(q)) { /* of a long one it tells no length: in chunks */
		put_quoted(b, "request", q->method);
		put_quoted(b, "header", "Expect:");
		put_quoted(b, q->body ? "upload-file" : "data-binary", q->body ? "-" : "@-");
	}
	for (size_t i = 0; i < q->headers.n; i++)
		put_quoted(b, "header", q->headers.v[i]);
}

/* A part that it didn't ask for by itself is an error to wget. */
static void wget_config(struct buf *b, const struct http *h, const struct http_request *q)
{
	buf_fmt(b, "timeout = %d\ntries = 1\nmax_redirect = 0\ncontent_on_error = on\nuser_agent = ctrbox\n", h->timeout_ms / 1000 + 1);
	if (h->insecure)
		buf_str(b, "check_certificate = off\n");
	for (size_t i = 0; i < q->headers.n; i++) {
		const char *header = q->headers.v[i], *from = starts_with(header, RANGE) ? header + strlen(RANGE) : NULL;

		if (from)
			buf_fmt(b, "start_pos = %.*s\n", (int)strcspn(from, "-"), from);
		else
			buf_fmt(b, "header = %s\n", header);
	}
}

/* A file without a name that holds B; or -errno, told. */
static int unnamed(const struct buf *b, struct err *err)
{
	int fd = memfd_create("ctrbox", MFD_CLOEXEC), rc;

	if (fd < 0)
		return err_sys(err, -errno, "make a file in memory");
	rc = write_all(fd, b->p, b->len);
	if (rc == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return err_sys(err, rc ? rc : -errno, "write a file in memory");
}

/* Busybox has a wget too, which trusts anybody. */
static bool is_gnu(char *path)
{
	char *argv[] = { path, "--version", NULL }, said[8] = "";
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	pid = tool_start(argv, &(struct tool_files){ -1, ends[1], ends[1], -1 });
	close(ends[1]);
	if (pid > 0) {
		read_full(ends[0], said, sizeof said);
		close(ends[0]);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	} else {
		close(ends[0]);
	}
	return memcmp(said, "GNU Wget", 8) == 0;
}

static int none(struct err *err)
{
	err_msg(err, -ENOENT, "https needs curl or GNU's wget, and neither is in $PATH");
	return err_hint(err, "skopeo copy docker://NAME docker-archive:/dev/stdout:NAME | ssh this-host ctr-image load");
}

/* Which of them; its path is malloc'ed. 0 or -ENOENT, told. */
static int find(struct http *h, bool sends, char **path, struct err *err)
{
	*path = tool_find("curl");
	h->apart = !*path;
	if (!*path && sends)
		return err_msg(err, -ENOENT, "to send anything by https needs curl: it isn't in $PATH");
	if (!*path)
		*path = tool_find("wget");
	if (*path && h->apart && !is_gnu(*path)) {
		free(*path);
		*path = NULL;
	}
	return *path ? 0 : none(err);
}

const char *http_tls(void)
{
	struct http h = { .fd = -1 };
	char *path;

	if (find(&h, false, &path, NULL) < 0)
		return NULL;
	free(path);
	return h.apart ? "wget" : "curl";
}

/* Its output comes by a socket, as a server's would, so that waiting for it has an end. */
static int start(struct http *h, char **argv, int input, const struct buf *config, struct err *err)
{
	struct timeval limit = { h->timeout_ms / 1000 + 5, 0 };
	int ends[2], third = unnamed(config, err), rc;

	if (third < 0)
		return third;
	h->said = unnamed(&(struct buf){ .p = "" }, err);
	if (h->said < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		rc = h->said < 0 ? h->said : err_sys(err, -errno, "make a socket pair");
		close(third);
		return rc;
	}
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	h->fd = ends[0];
	h->tool = tool_start(argv, &(struct tool_files){ input, ends[1], h->said, third });
	close(ends[1]);
	close(third);
	return h->tool < 0 ? err_sys(err, h->tool, "start %s", argv[0]) : 0;
}

/* All that it has said so far. */
static void read_said(const struct http *h, struct buf *out)
{
	ssize_t n;

	buf_reserve(out, SAID_MAX);
	n = pread(h->said, out->p, SAID_MAX - 1, 0);
	out->len = n > 0 ? (size_t)n : 0;
	out->p[out->len] = 0;
}

/* wget tells the head on stderr, each line behind two blanks, before it hands on any of the body. It becomes what came first. */
static int take_head(struct http *h, struct err *err)
{
	struct buf said = { 0 };
	char one;
	ssize_t n;

	do
		n = recv(h->fd, &one, 1, MSG_PEEK);
	while (n < 0 && errno == EINTR && !interrupted());
	if (n < 0)
		return err_sys(err, errno == EAGAIN ? -ETIMEDOUT : -errno, "receive");
	read_said(h, &said);
	for (char *line = said.p, *end; *line; line = end) {
		size_t len;

		end = line + strcspn(line, "\n");
		end += *end == '\n';
		len = (size_t)(end - line) - 2;
		if (!starts_with(line, "  ") || h->end + len + 2 > sizeof h->data)
			continue;
		memcpy(h->data + h->end, line + 2, len);
		h->end += len;
	}
	buf_free(&said);
	if (h->end) {
		memcpy(h->data + h->end, "\r\n", 2);
		h->end += 2;
	}
	return 0;
}

/* What it is to send goes by a socket: a pipe that it leaves would end us. An answer may come before all is sent: then that counts. */
static int upload(const struct http_request *q, int fd, struct err *err)
{
	struct send_sink to;
	int rc;

	send_sink_init(&to, fd);
	rc = q->body ? q->body->write(q->body, &to.s, err) : to.s.write(&to.s, q->text, (size_t)q->len, err);
	return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}

static int run(struct http *h, const struct http_request *q, char **argv, const struct buf *config, struct err *err)
{
	struct timeval limit = { h->timeout_ms / 1000 + 5, 0 };
	int up[2] = { -1, -1 }, rc;

	if (has_body(q) && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, up) < 0)
		return err_sys(err, -errno, "make a socket pair");
	rc = start(h, argv, up[0], config, err);
	if (up[0] >= 0) {
		close(up[0]);
		setsockopt(up[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
		rc = rc < 0 ? rc : upload(q, up[1], err);
		close(up[1]);
	}
	return rc;
}

int http_tool_ask(struct http *h, const struct http_request *q, struct err *err)
{
	struct buf config = { 0 };
	char *path, *url = url_text(q->url);
	int rc = find(h, has_body(q), &path, err);

	if (rc == 0) {
		char *curl[] = { path, "-q", "-K", CONFIG, NULL };
		char *wget[] = { path, "--config", CONFIG, "-nv", "-S", "-O", "-", url, NULL };

		if (h->apart)
			wget_config(&config, h, q);
		else
			curl_config(&config, h, q, url);
		rc = run(h, q, h->apart ? wget : curl, &config, err);
		free(path);
	}
	if (rc == 0 && h->apart)
		rc = take_head(h, err);
	buf_free(&config);
	free(url);
	return rc;
}

/* What it said last before it failed, but for the head. */
static void put_reason(const struct http *h, struct buf *out)
{
	struct buf said = { 0 };

	read_said(h, &said);
	buf_str(out, "");
	for (char *line = strtok(said.p, "\n"); line && !out->len; line = strtok(NULL, "\n"))
		if (*line != ' ' && (!h->apart || starts_with(line, "ERROR") || starts_with(line, "failed") || strstr(line, ": ")))
			buf_str(out, line);
	buf_free(&said);
}

/* Exit codes that mean that the network failed: of curl 7, 18, 28, 35, 52, 55 and 56, of wget 4. */
static bool is_cut(const struct http *h, int code)
{
	return h->apart ? code == 4 : code == 7 || code == 18 || code == 28 || code == 35 || code == 52 || code == 55 || code == 56;
}

int http_tool_end(struct http *h, struct err *err)
{
	struct buf reason = { 0 };
	int status = 0, code;

	while (h->tool > 0 && waitpid(h->tool, &status, 0) < 0 && errno == EINTR)
		;
	h->tool = 0;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
	if (!code || (h->apart && (code == 6 || code == 8))) /* the server said no, which is an answer */
		return 0;
	put_reason(h, &reason);
	code = is_cut(h, code) ? -ECONNRESET : -EPROTO;
	err_msg(err, code, "%s", reason.len ? reason.p : h->apart ? "wget failed" : "curl failed");
	buf_free(&reason);
	return code;
}
