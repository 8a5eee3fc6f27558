/* HTTP/1.1 (RFC 9110, RFC 9112) as a client: one connection at a time, kept while answers are read to their end. What a server says is
 * bounded: a line of 8 KB, 100 headers. */
#ifndef IMAGE_HTTP_H
#define IMAGE_HTTP_H

#include "base/buf.h"
#include "image/tar.h"
#include "image/url.h"

#define HTTP_TIMEOUT_MS 60000        /* for which nothing may come, or be taken */

struct http {
	int fd;                      /* -1: no connection */
	struct url to;               /* whom it leads to */
	int timeout_ms;
	bool insecure;               /* whoever it leads to by TLS is trusted */
	pid_t tool;                  /* the program that speaks TLS for it (http_tool.h); 0: none */
	int said;                    /* what that says on its stderr; -1: nothing */
	bool apart;                  /* the head comes there, and the body unchunked */
	unsigned char data[16384];   /* what was received and not yet taken: from POS to END */
	size_t pos, end;
};

struct http_request {
	const char *method;
	const struct url *url;
	struct strs headers;         /* "Name: value"; besides Host, User-Agent and what the body needs */
	const void *text;            /* its body; NULL: none, or BODY */
	int64_t len;                 /* of either */
	struct http_body *body;
};

/* A long body: WRITE writes the request's LEN bytes. 0 or -errno, told. */
struct http_body {
	int (*write)(struct http_body *b, struct sink *to, struct err *err);
};

/* What came: S is its body. */
struct http_answer {
	struct source s;
	struct http *h;
	int status;
	struct strs headers;         /* "name: value", names in lower case */
	enum { HTTP_NOTHING, HTTP_LENGTH, HTTP_CHUNKED, HTTP_TO_END } body;
	int64_t left;                /* bytes, of all or of the chunk; with HTTP_CHUNKED -1 before the first one */
	bool keep;                   /* the connection outlives it */
};

/* INSECURE: no certificate is verified. */
void http_init(struct http *h, int timeout_ms, bool insecure);
void http_close(struct http *h);

/* Sends Q and receives the head of its answer; a connection that is kept is used again if it leads there. 0, or -errno, told: then A is
 * nothing to be ended. */
int http_ask(struct http *h, const struct http_request *q, struct http_answer *a, struct err *err);

/* The header's value (NAME in lower case), or NULL. */
const char *http_header(const struct http_answer *a, const char *name);

/* The rest of it isn't wanted; what is small is read all the same, so that the connection is kept. */
void http_end(struct http_answer *a);

/* Whether RC, from http_ask or a body, is the connection's failure: another attempt may do better. */
bool http_was_cut(int rc);

/* The program that would speak TLS: "curl", "wget", or NULL. */
const char *http_tls(void);

/* For http*.c: a connection to U: a descriptor, or -errno, told; and a socket as a sink, which takes as long as its SO_SNDTIMEO allows. */
int http_connect(const struct url *u, int timeout_ms, struct err *err);
struct send_sink {
	struct sink s;
	int fd;
};
void send_sink_init(struct send_sink *s, int fd);

#endif
