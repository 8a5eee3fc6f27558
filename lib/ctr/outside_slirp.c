/* slirp4netns(1): the container is 10.0.2.100; ports are asked for by its API's socket. */
#include "base/file.h"
#include "ctr/outside_way.h"
#include "sys/init.h"
#include "base/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LOG "slirp4netns.log"
#define PATIENCE_MS 20000

static int ask(const char *path, const char *request, struct buf *answer)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct pollfd p = { -1, POLLIN, 0 };
	char part[512];
	ssize_t n = 0;
	int r;

	if (strlen(path) >= sizeof at.sun_path)
		return -ENAMETOOLONG;
	strcpy(at.sun_path, path);
	p.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = p.fd < 0 || connect(p.fd, (struct sockaddr *)&at, sizeof at) < 0 ? -errno : write_all(p.fd, request, strlen(request));
	if (!r)
		shutdown(p.fd, SHUT_WR);
	while (!r && poll(&p, 1, PATIENCE_MS) > 0 && (n = read(p.fd, part, sizeof part)) > 0 && answer->len < 4096)
		buf_add(answer, part, (size_t)n);
	if (p.fd >= 0)
		close(p.fd);
	return r;
}

/* The answer is {"return": ..} or {"error": {"desc": ..}}. */
static int publish(const char *socket, const struct port *p, struct err *err)
{
	struct buf request = { 0 }, answer = { 0 };
	int r;

	buf_fmt(&request, "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"%s\",\"host_addr\":\"%s\",\"host_port\":%d,\"guest_port\":%d}}",
		p->protocol, p->host_ip ? p->host_ip : "0.0.0.0", (int)p->host_port, (int)p->port);
	r = ask(socket, request.p, &answer);
	if (r < 0)
		err_sys(err, r, "ask slirp4netns for port %d", (int)p->host_port);
	else if (!answer.len || !strstr(answer.p, "\"return\""))
		r = err_msg(err, -EADDRINUSE, "port %d/%s: slirp4netns answers %.200s", (int)p->host_port, p->protocol,
			    answer.len ? answer.p : "nothing");
	buf_free(&request);
	buf_free(&answer);
	return r;
}

/* Why it ended, by its own last words. */
static int ended(const struct way *w, struct err *err)
{
	struct buf said = { 0 };

	file_read(w->record->run, LOG, &said, 1 << 16);
	err_msg(err, -ECHILD, "%s: %s", w->program, tool_last_line(&said));
	buf_free(&said);
	return -ECHILD;
}

static int start(const struct way *w, const char *socket, int log, pid_t *pid, struct err *err)
{
	char *api = xasprintf("--api-socket=%s", socket);
	char *argv[] = { w->program, "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox", "--enable-seccomp",
			 "--netns-type=path", api, "-r", "3", w->netns, "tap0", NULL };
	struct pollfd p = { -1, POLLIN, 0 };
	int ready[2], r = 0;
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0) {
		free(api);
		return err_sys(err, -errno, "make a pipe");
	}
	*pid = tool_start(argv, &(struct tool_files){ -1, log, log, ready[1] });
	close(ready[1]);
	p.fd = ready[0];
	if (*pid < 0)
		r = err_sys(err, *pid, "start %s", w->program);
	else if (poll(&p, 1, PATIENCE_MS) <= 0 || read(ready[0], &c, 1) != 1)
		r = ended(w, err);
	close(ready[0]);
	free(api);
	return r;
}

int outside_slirp(const struct way *w, pid_t *pid, struct err *err)
{
	char *socket = xasprintf("%s/slirp4netns.sock", w->run);
	const struct port *p = w->record->state.ports.v;
	int log = openat(w->record->run, LOG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), r;

	r = log < 0 ? err_sys(err, -errno, "make %s/" LOG, w->run) : start(w, socket, log, pid, err);
	for (size_t i = 0; i < w->record->state.ports.n && !r; i++)
		r = publish(socket, &p[i], err);
	if (r < 0 && *pid > 0) {
		kill(*pid, SIGKILL);
		child_wait(*pid);
		*pid = 0;
	}
	if (log >= 0)
		close(log);
	free(socket);
	return r;
}
