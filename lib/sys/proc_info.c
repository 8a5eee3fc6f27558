#include "sys/proc_info.h"
#include "base/file.h"
#include "base/num.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* "PID (NAME) STATE PPID ..": the name may hold any byte, so that fields are counted from its last parenthesis. */
static int parse_stat(char *text, struct proc_info *out, char **name)
{
	char *end = strrchr(text, ')');

	*name = strchr(text, '(');
	if (!end || !*name || !word_at(end + 1, 21))
		return -EINVAL;
	out->state = *word_at(end + 1, 0);
	out->ppid = (pid_t)strtol(word_at(end + 1, 1), NULL, 10);
	out->cpu_s = (int64_t)((strtoull(word_at(end + 1, 11), NULL, 10) + strtoull(word_at(end + 1, 12), NULL, 10)) / getauxval(AT_CLKTCK));
	out->rss = (int64_t)(strtoull(word_at(end + 1, 21), NULL, 10) * getauxval(AT_PAGESZ));
	*end = 0;
	++*name;
	return 0;
}

/* The arguments stand one after the other, each with a NUL. */
static char *join(struct buf *b)
{
	while (b->len && !b->p[b->len - 1])
		b->len--;
	for (size_t i = 0; i < b->len; i++)
		if (!b->p[i])
			b->p[i] = ' ';
	return xstrndup(b->p, b->len);
}

static int read_dir(int dir, struct proc_info *out)
{
	struct buf stat = { 0 }, args = { 0 };
	char *name;
	int r = file_read(dir, "stat", &stat, 4096);

	if (!r)
		r = parse_stat(stat.p, out, &name);
	if (!r) {
		file_read(dir, "cmdline", &args, 65536);
		out->command = args.len ? join(&args) : xasprintf("[%s]", name);
	}
	buf_free(&args);
	buf_free(&stat);
	return r;
}

int proc_info(pid_t pid, struct proc_info *out)
{
	char path[32];
	struct stat st;
	int dir, r;

	*out = (struct proc_info){ 0 };
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	dir = dir_open(AT_FDCWD, path);
	if (dir < 0)
		return dir;
	r = fstat(dir, &st) < 0 ? -errno : 0;
	out->uid = st.st_uid;
	if (!r)
		r = read_dir(dir, out);
	close(dir);
	return r;
}
