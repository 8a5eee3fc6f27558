#include "image/progress.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 24

void progress_begin(struct progress *p, const char *what, int64_t total, bool quiet)
{
	*p = (struct progress){ .what = what, .total = total, .begun = clock_boot_ms(), .on = !quiet && isatty(STDERR_FILENO) };
}

/* "[#####     ]  45%", or nothing where the end isn't known. */
static void bar(char *out, size_t size, int64_t bytes, int64_t total)
{
	int full = (int)(total > 0 ? bytes * BAR / total : 0);
	static const char marks[] = "########################";

	*out = 0;
	if (total > 0 && bytes <= total)
		snprintf(out, size, " [%-*.*s] %3d%%", BAR, full, marks, (int)(bytes * 100 / total));
}

void progress_size(void *progress, int64_t total)
{
	((struct progress *)progress)->total = total;
}

void progress_update(void *progress, int64_t bytes)
{
	struct progress *p = progress;
	char line[160], done[16], rate[16], part[64];
	int64_t now;
	int n;

	if (!p->on)
		return;
	now = clock_boot_ms();
	if (now - p->shown < 100)
		return;
	p->shown = now;
	num_human(bytes, done);
	num_human(bytes * 1000 / (now - p->begun + 1), rate);
	bar(part, sizeof part, bytes, p->total);
	n = snprintf(line, sizeof line, "\r%.30s:%s %6s  %6s/s\033[K", p->what, part, done, rate);
	write_all(STDERR_FILENO, line, (size_t)n);
}

void progress_end(struct progress *p)
{
	if (p->on && p->shown)
		write_all(STDERR_FILENO, "\r\033[K", 4);
}
