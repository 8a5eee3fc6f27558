/* What registries answer, whatever it is: a manifest and a blob are asked for, with a password in hand.
 *
 * The input is what servers say, one connection after the other, between lines of "==". Told of the password is the registry alone, or whom it names
 * there; and nothing that was answered adds a line to what is asked next. */
#include "check.h"

#include "image/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIZE 100                     /* of the blob, as its manifest tells */
#define CONNECTIONS 40
#define FDS 1024

static struct {
	const char *data;
	size_t left;
	int connections;
	bool registry[FDS];          /* by descriptor: whether that leads there */
} server;

int __wrap_http_connect(const struct url *u, int timeout_ms, struct err *err);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);

/* Past the next line that parts two connections. */
static void next_connection(void)
{
	const char *end = server.connections ? memmem(server.data, server.left, "\n==\n", 4) : server.data - 4;

	server.left = end ? server.left - (size_t)(end + 4 - server.data) : 0;
	server.data = end ? end + 4 : server.data;
	server.connections++;
}

int __wrap_http_connect(const struct url *u, int timeout_ms, struct err *err)
{
	int fd;

	(void)timeout_ms;
	CHECK(*u->host && *u->port && *u->path == '/' && !u->tls);
	if (server.connections == CONNECTIONS)
		return err_msg(err, -ENETDOWN, "enough");
	next_connection();
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fd < FDS);
	server.registry[fd] = strcmp(u->host, "127.0.0.1") == 0 && strcmp(u->port, "80") == 0;
	return fd;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	static const char host[] = "Host: ";
	const char *text = memmem(data, len, "\r\n\r\n", 4);

	(void)flags;
	CHECK(starts_with(data, "GET /") && text == (const char *)data + len - 4);
	CHECK(memmem(data, len, host, sizeof host - 1));
	CHECK(server.registry[fd] || !memmem(data, len, "\nAuthorization:", 15));
	for (size_t i = 0; i < len; i++)
		CHECK(((const char *)data)[i] != '\n' || ((const char *)data)[i - 1] == '\r');
	return (ssize_t)len;
}

ssize_t __wrap_recv(int fd, void *data, size_t len, int flags)
{
	const char *end = memmem(server.data, server.left, "\n==\n", 4);
	size_t n = end ? (size_t)(end + 1 - server.data) : server.left;

	(void)fd;
	(void)flags;
	n = n < len ? n : len;
	if (end && n == (size_t)(end + 1 - server.data) && n == 1)
		return 0; /* the newline is the mark's */
	n -= end && n == (size_t)(end + 1 - server.data);
	memcpy(data, server.data, n);
	server.data += n;
	server.left -= n;
	return (ssize_t)n;
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
	(void)t;
	(void)left;
	return 0;
}

static void get_manifest(struct registry *r)
{
	struct buf text = { 0 };
	struct err err = { 0 };

	if (check_told(registry_manifest(r, "latest", &text, &err), &err) == 0)
		CHECK(text.p && text.p[text.len] == 0);
	buf_free(&text);
}

static void get_blob(struct registry *r)
{
	struct registry_blob b;
	struct err err = { 0 };
	char data[33];
	size_t got = 0;
	ssize_t n;

	registry_blob_init(&b, r, "0000000000000000000000000000000000000000000000000000000000000000", SIZE);
	while ((n = b.s.read(&b.s, data, sizeof data, &err)) > 0)
		got += (size_t)n;
	check_told((int)n, &err);
	CHECK(got <= SIZE && (n < 0 || got == SIZE));
	registry_blob_end(&b);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	const struct registry_options options = { .credentials = "user:secret" };
	const struct image_reference name = { .host = (char *)"127.0.0.1", .path = (char *)"n", .tag = (char *)"latest" };
	struct registry r;

	server.data = (const char *)data;
	server.left = len;
	server.connections = 0;
	CHECK(registry_open(&r, &name, &options, NULL) == 0);
	get_manifest(&r);
	get_blob(&r);
	registry_close(&r);
	return 0;
}
