#include "image/http_tool.h"

#include "base/interrupt.h"
#include "base/num.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192
#define HEADERS_MAX 100
#define INTERIM_MAX 20               /* answers of status 1xx before the one that counts */
#define REST_MAX 65536               /* bytes of a body that are read for the connection's sake */

void http_init(struct http *h, int timeout_ms, bool insecure)
{
	h->fd = h->said = -1;
	h->to = (struct url){ 0 };
	h->timeout_ms = timeout_ms;
	h->insecure = insecure;
	h->tool = 0;
	h->apart = false;
	h->pos = h->end = 0;
}

void http_close(struct http *h)
{
	if (h->fd >= 0)
		close(h->fd);
	if (h->said >= 0)
		close(h->said);
	if (h->tool > 0) {
		kill(h->tool, SIGKILL);
		while (waitpid(h->tool, NULL, 0) < 0 && errno == EINTR)
			;
	}
	url_free(&h->to);
	http_init(h, h->timeout_ms, h->insecure);
}

bool http_was_cut(int rc)
{
	return rc == -ECONNRESET || rc == -EPIPE || rc == -ETIMEDOUT || rc == -ECONNREFUSED || rc == -ECONNABORTED || rc == -EHOSTUNREACH || rc == -ENETUNREACH;
}

/* Sending */

static int sink_write(struct sink *s, const void *data, size_t len, struct err *err)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(((struct send_sink *)s)->fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR && !interrupted())
			continue;
		if (n < 0)
			return err_sys(err, errno == EAGAIN ? -ETIMEDOUT : -errno, "send");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

void send_sink_init(struct send_sink *s, int fd)
{
	*s = (struct send_sink){ { sink_write }, fd };
}

static void put_head(struct buf *b, const struct http_request *q)
{
	char *authority = url_authority(q->url);

	buf_fmt(b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ctrbox\r\n", q->method, q->url->path, authority);
	for (size_t i = 0; i < q->headers.n; i++)
		buf_fmt(b, "%s\r\n", q->headers.v[i]);
	if (strcmp(q->method, "GET") && strcmp(q->method, "HEAD"))
		buf_fmt(b, "Content-Length: %lld\r\n", (long long)q->len);
	buf_str(b, "\r\n");
	if (q->text)
		buf_add(b, q->text, (size_t)q->len);
	free(authority);
}

static int send_request(struct http *h, const struct http_request *q, struct err *err)
{
	struct send_sink to;
	struct buf b = { 0 };
	int rc;

	send_sink_init(&to, h->fd);
	put_head(&b, q);
	rc = to.s.write(&to.s, b.p, b.len, err);
	buf_free(&b);
	return rc == 0 && q->body ? q->body->write(q->body, &to.s, err) : rc;
}

/* Receiving */

static ssize_t receive(struct http *h, void *data, size_t len, struct err *err)
{
	ssize_t n;

	do
		n = interrupted() ? (errno = EINTR, -1) : recv(h->fd, data, len, 0);
	while (n < 0 && errno == EINTR && !interrupted());
	if (n < 0 && errno == EAGAIN)
		return err_msg(err, -ETIMEDOUT, "nothing came for %d seconds", h->timeout_ms / 1000);
	return n < 0 ? err_sys(err, -errno, "receive") : n;
}

/* What is there, at most LEN bytes: the count; 0 at the end. */
static ssize_t take(struct http *h, void *data, size_t len, struct err *err)
{
	size_t have = h->end - h->pos;

	if (!have)
		return receive(h, data, len, err);
	len = have < len ? have : len;
	memcpy(data, h->data + h->pos, len);
	h->pos += len;
	return (ssize_t)len;
}

/* A line without its end into LINE. 0; 1: the server closed before it; or -errno. */
static int take_line(struct http *h, struct buf *line, struct err *err)
{
	line->len = 0;
	buf_str(line, "");
	for (;;) {
		ssize_t n;
		unsigned char *end = memchr(h->data + h->pos, '\n', h->end - h->pos);
		size_t some = end ? (size_t)(end - h->data) - h->pos : h->end - h->pos;

		if (line->len + some > LINE_MAX_BYTES)
			return err_msg(err, -E2BIG, "a line of its answer is too long");
		buf_add(line, h->data + h->pos, some);
		h->pos += some + (end ? 1 : 0);
		if (end)
			break;
		n = receive(h, h->data, sizeof h->data, err);
		if (n <= 0)
			return n < 0 ? (int)n : 1;
		h->pos = 0;
		h->end = (size_t)n;
	}
	if (line->len && line->p[line->len - 1] == '\r')
		line->p[--line->len] = 0;
	return strlen(line->p) == line->len ? 0 : err_msg(err, -EPROTO, "its answer isn't HTTP");
}

/* The answer isn't whole. */
static int cut_off(struct http *h, struct err *err)
{
	int rc = h->tool > 0 ? http_tool_end(h, err) : 0;

	return rc ? rc : err_msg(err, -ECONNRESET, "the server closed the connection");
}

/* "name: value" with the name in lower case and no blanks around the value. */
static bool add_header(struct strs *headers, char *line)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (!colon || colon == line || strpbrk(line, " \t") == line)
		return false;
	for (char *p = line; p < colon; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
	value = colon + 1 + strspn(colon + 1, " \t");
	for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = 0;
	strs_fmt(headers, "%.*s: %s", (int)(colon - line), line, value);
	return true;
}

static int take_headers(struct http *h, struct strs *headers, struct err *err)
{
	struct buf line = { 0 };
	int rc;

	while ((rc = take_line(h, &line, err)) == 0 && line.len) {
		if (headers->n == HEADERS_MAX)
			rc = err_msg(err, -E2BIG, "its answer has too many headers");
		else if (!add_header(headers, line.p))
			rc = err_msg(err, -EPROTO, "its answer isn't HTTP");
		if (rc < 0)
			break;
	}
	buf_free(&line);
	return rc > 0 ? cut_off(h, err) : rc;
}

const char *http_header(const struct http_answer *a, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < a->headers.n; i++)
		if (strncmp(a->headers.v[i], name, n) == 0 && starts_with(a->headers.v[i] + n, ": "))
			return a->headers.v[i] + n + 2;
	return NULL;
}

/* How its body ends (RFC 9112, 6.3). */
static int frame(struct http_answer *a, const char *method, bool old, struct err *err)
{
	const char *coding = http_header(a, "transfer-encoding"), *length = http_header(a, "content-length"), *kept = http_header(a, "connection");

	a->keep = old ? kept && strcasecmp(kept, "keep-alive") == 0 : !kept || strcasecmp(kept, "close") != 0;
	a->body = HTTP_TO_END;
	if (strcmp(method, "HEAD") == 0 || a->status == 204 || a->status == 304) {
		a->body = HTTP_NOTHING;
	} else if (coding && !a->h->apart) {
		if (strcasecmp(coding, "chunked"))
			return err_msg(err, -ENOTSUP, "it answers with the transfer coding \"%.40s\"", coding);
		a->body = HTTP_CHUNKED;
		a->left = -1;
	} else if (length && !coding) {
		a->body = HTTP_LENGTH;
		if (num_i64(length, &a->left) < 0 || a->left < 0)
			return err_msg(err, -EPROTO, "its answer has the length \"%.40s\"", length);
	}
	a->keep = a->keep && a->body != HTTP_TO_END;
	return 0;
}

/* "HTTP/1.1 200 OK" */
static int read_status(const char *line, struct http_answer *a, bool *old, struct err *err)
{
	if (!starts_with(line, "HTTP/1.") || strspn(line + 7, "0123456789") != 1 || line[8] != ' ' || strspn(line + 9, "0123456789") != 3)
		return err_msg(err, -EPROTO, "its answer isn't HTTP/1.1");
	*old = line[7] == '0';
	a->status = (int)strtol(line + 9, NULL, 10);
	return 0;
}

/* 1: the server had closed it before it said anything. */
static int receive_head(struct http *h, const char *method, struct http_answer *a, struct err *err)
{
	struct buf line = { 0 };
	bool old = false;
	int rc, n = 0;

	do { /* until it is the final one */
		strs_free(&a->headers);
		rc = n++ < INTERIM_MAX ? 0 : err_msg(err, -EPROTO, "it answers that it will answer, for ever");
		if (rc == 0)
			rc = take_line(h, &line, err);
		if (rc == 0)
			rc = read_status(line.p, a, &old, err);
		if (rc == 0)
			rc = take_headers(h, &a->headers, err);
	} while (rc == 0 && a->status / 100 == 1);
	buf_free(&line);
	return rc == 0 ? frame(a, method, old, err) : rc;
}

/* The next chunk's size; 0: it was the last, and what follows it is read. */
static int next_chunk(struct http_answer *a, struct err *err)
{
	struct buf line = { 0 };
	struct strs trailers = { 0 };
	int rc = a->left == 0 ? take_line(a->h, &line, err) : 0; /* the end of the one before */
	size_t digits;

	if (rc == 0)
		rc = take_line(a->h, &line, err);
	digits = rc == 0 ? strspn(line.p, "0123456789abcdefABCDEF") : 0;
	if (rc == 0 && (!digits || digits > 15 || (line.p[digits] && !strchr("; \t", line.p[digits]))))
		rc = err_msg(err, -EPROTO, "its answer isn't chunked as it says");
	if (rc == 0) {
		a->left = strtoll(line.p, NULL, 16);
		rc = a->left ? 0 : take_headers(a->h, &trailers, err);
	}
	strs_free(&trailers);
	buf_free(&line);
	return rc > 0 ? cut_off(a->h, err) : rc;
}

static ssize_t body_read(struct source *s, void *data, size_t len, struct err *err)
{
	struct http_answer *a = (struct http_answer *)s;
	ssize_t n;

	if (a->body == HTTP_CHUNKED && a->left <= 0) {
		n = next_chunk(a, err);
		if (n < 0)
			return n;
		if (!a->left)
			a->body = HTTP_NOTHING;
	}
	if (a->body == HTTP_NOTHING || (a->body == HTTP_LENGTH && !a->left))
		return 0;
	if (a->body != HTTP_TO_END && (int64_t)len > a->left)
		len = (size_t)a->left;
	n = take(a->h, data, len, err);
	if (n == 0 && a->body != HTTP_TO_END)
		return cut_off(a->h, err);
	if (n == 0 && a->h->tool > 0)
		return http_tool_end(a->h, err);
	if (n > 0 && a->body != HTTP_TO_END)
		a->left -= n;
	return n;
}

void http_end(struct http_answer *a)
{
	char data[4096];
	size_t rest = 0;
	ssize_t n = 1;

	while (a->keep && n > 0 && rest < REST_MAX) {
		n = a->s.read(&a->s, data, sizeof data, NULL);
		rest += n > 0 ? (size_t)n : 0;
	}
	if (n || !a->keep)
		http_close(a->h);
	strs_free(&a->headers);
}

static int hand_in(struct http *h, const struct http_request *q, struct err *err)
{
	int rc;

	if (q->url->tls)
		return http_tool_ask(h, q, err);
	rc = h->fd < 0 ? http_connect(q->url, h->timeout_ms, err) : h->fd;
	if (rc < 0)
		return rc;
	if (h->fd < 0)
		h->to = (struct url){ false, xstrdup(q->url->host), xstrdup(q->url->port), NULL };
	h->fd = rc;
	return send_request(h, q, err);
}

/* 1: the connection was closed before it brought anything. */
static int attempt(struct http *h, const struct http_request *q, struct http_answer *a, struct err *err)
{
	int rc;

	*a = (struct http_answer){ .s = { body_read }, .h = h };
	rc = hand_in(h, q, err);
	if (rc == 0)
		rc = receive_head(h, q->method, a, err);
	if (rc == 0) {
		a->keep = a->keep && !h->tool;
		return 0;
	}
	if (rc > 0 && h->tool)
		rc = cut_off(h, err);
	strs_free(&a->headers);
	http_close(h);
	return rc;
}

/* A server may close a kept connection at any moment: then it wasn't the request's fault. A body can't be sent twice. */
int http_ask(struct http *h, const struct http_request *q, struct http_answer *a, struct err *err)
{
	bool kept;
	int rc;

	if (h->fd >= 0 && !url_same_origin(&h->to, q->url))
		http_close(h);
	if (q->body)
		http_close(h);
	kept = h->fd >= 0;
	rc = attempt(h, q, a, err);
	if (kept && (rc > 0 || rc == -ECONNRESET || rc == -EPIPE))
		rc = attempt(h, q, a, err);
	return rc > 0 ? cut_off(h, err) : rc;
}
