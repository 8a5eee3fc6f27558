/* https: each request is handed to curl(1), else to GNU's wget(1), found on the host: they know TLS, whom to trust, and proxies. Inside http*.c only. */
#ifndef IMAGE_HTTP_TOOL_H
#define IMAGE_HTTP_TOOL_H

#include "image/http.h"

/* H->fd becomes where the answer to Q comes from, as if it were the server's connection. 0 or -errno, told. */
int http_tool_ask(struct http *h, const struct http_request *q, struct err *err);

/* Once H->fd has come to its end: 0, or why that wasn't the answer's, -errno, told. */
int http_tool_end(struct http *h, struct err *err);

#endif
