/* pasta(1): the container has the host's own address. */
#include "base/file.h"
#include "base/num.h"
#include "ctr/outside.h"
#include "ctr/outside_way.h"
#include "base/tool.h"
#include <errno.h>
#include <string.h>

static void add_pasta_ports(struct strs *args, const struct array *ports, const char *protocol, const char *option)
{
	const struct port *p = ports->v;
	bool none = true;

	for (size_t i = 0; i < ports->n; i++) {
		if (strcmp(p[i].protocol, protocol))
			continue;
		none = false;
		strs_add(args, option);
		strs_fmt(args, "%s%s%d:%d", p[i].host_ip ? p[i].host_ip : "", p[i].host_ip ? "/" : "", (int)p[i].host_port, (int)p[i].port);
	}
	if (none) {
		strs_add(args, option);
		strs_add(args, "none");
	}
}

/* It goes into the background once all is made, and ends when the file that names the namespace does. */
int outside_pasta(const struct way *w, pid_t *pid, struct err *err)
{
	static const char *const always[] = {
		"--config-net", "--quiet", "--no-map-gw", "--dns-forward", OUTSIDE_DNS, "-T", "none", "-U", "none",
	};
	struct strs args = { 0 };
	struct buf text = { 0 };
	int64_t n = 0;
	int r;

	strs_add(&args, w->program);
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		strs_add(&args, always[i]);
	add_pasta_ports(&args, &w->record->state.ports, "tcp", "-t");
	add_pasta_ports(&args, &w->record->state.ports, "udp", "-u");
	strs_add(&args, "-P");
	strs_fmt(&args, "%s/pasta.pid", w->run);
	strs_add(&args, "--netns");
	strs_add(&args, w->netns);
	r = tool_run(args.v, err);
	if (!r && file_read(w->record->run, "pasta.pid", &text, 32) == 0 && text.len) {
		text.p[strcspn(text.p, "\n")] = 0;
		if (num_range(text.p, 1, INT32_MAX, &n) < 0)
			r = err_msg(err, -EINVAL, "%s: its pid file holds no pid", w->program);
	}
	*pid = (pid_t)n;
	strs_free(&args);
	buf_free(&text);
	return r;
}
