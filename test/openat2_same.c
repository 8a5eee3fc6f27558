/* Whether our walk of a path comes to where the kernel's openat2(2) does: `openat2_same DIR SEED COUNT` builds a tree with links of all kinds in DIR
 * and asks both COUNT times. Says "same COUNT reached REACHED", or what differs. */
#include "base/openat2.c"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static uint32_t state;

static unsigned dice(unsigned n)
{
	state = state * 1103515245 + 12345;
	return (state >> 16) % n;
}

static const char *const links[][2] = {
	{ "up", ".." },          { "top", "/" },              { "a/out", "../../../.." },   { "a/abs", "/b/c" },
	{ "a/self", "self" },    { "b/loop", "loop2" },       { "b/loop2", "loop" },        { "b/c/file", "/b/plain" },
	{ "b/slash", "c/" },     { "b/dots", "././c/../c" },  { "gone", "nowhere/x" },      { "b/c/up2", "../../a/./../b" },
	{ "thru", "plain/x" },   { "a/b", "abs/up2/c" },      { "a/proc", "/proc/self/cwd" }, { "deep", "b/c/up2/c/up2/c/up2/c" },
};

static const char *const words[] = {
	"a", "b", "c", "b/c", "a/out", "a/abs", "a/b", "b/c/up2", "a/sub", "b/slash", "b/dots", "b/c/file", "up", "top", "deep", ".", "..", "..", "", "a", "b", "top",
	"plain", "out", "abs", "self", "loop", "file", "slash", "dots", "gone", "up2", "thru", "none", "sub", "proc/self", "proc/thread-self/fd",
	"proc", "exe", "cwd", "root", "fd", "1", "proc/mounts", "proc/net",
};

static void build(int root)
{
	mkdirat(root, "a", 0755);
	mkdirat(root, "b", 0755);
	mkdirat(root, "b/c", 0755);
	close(openat(root, "plain", O_CREAT | O_WRONLY, 0644));
	close(openat(root, "b/plain", O_CREAT | O_WRONLY, 0644));
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (symlinkat(links[i][1], root, links[i][0]) < 0)
			perror(links[i][0]);
}

static void make_path(char *out)
{
	int n = 1 + (int)dice(5);

	*out = 0;
	if (dice(4) == 0)
		strcat(out, "/");
	while (n--) {
		strcat(out, words[dice(sizeof words / sizeof *words)]);
		if (n || dice(4) == 0)
			strcat(out, "/");
	}
}

static struct open_how make_how(void)
{
	static const int flags[] = { O_PATH, O_RDONLY | O_NONBLOCK, O_PATH | O_DIRECTORY, O_RDONLY | O_DIRECTORY, O_PATH | O_NOFOLLOW, O_RDONLY | O_NOFOLLOW | O_NONBLOCK };
	static const uint64_t resolve[] = { RESOLVE_IN_ROOT, RESOLVE_BENEATH, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
					    RESOLVE_BENEATH | RESOLVE_NO_XDEV };

	return (struct open_how){ .flags = (uint64_t)(flags[dice(sizeof flags / sizeof *flags)] | O_CLOEXEC),
				  .resolve = resolve[dice(sizeof resolve / sizeof *resolve)] | RESOLVE_NO_MAGICLINKS };
}

/* Where an answer has led to. A loop of links, a way out and a door that is shut are as good as each other. */
static void tell(int fd, char out[80])
{
	struct stat st;

	if (fd < 0)
		snprintf(out, 80, "error %d", fd == -ELOOP || fd == -EXDEV || fd == -EACCES ? 0 : fd);
	else if (fstat(fd, &st) < 0)
		snprintf(out, 80, "unknown");
	else
		snprintf(out, 80, "%lx %lx %o %x", (long)st.st_dev, (long)st.st_ino, st.st_mode, fcntl(fd, F_GETFL) & ~O_NOFOLLOW);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int root, reached = 0, count;

	if (argc != 4)
		return 2;
	root = open(argv[1], O_PATH | O_DIRECTORY);
	state = (uint32_t)atoi(argv[2]);
	count = atoi(argv[3]);
	build(root);
	for (int i = 0; i < count; i++) {
		struct open_how how = make_how();
		char path[400], ours[80], theirs[80];
		int fd;

		make_path(path);
		do /* whenever something is renamed anywhere */
			fd = (int)kernel_result(syscall(SYS_openat2, root, path, &how, sizeof how));
		while (fd == -EAGAIN);
		tell(fd, theirs);
		fd = walk_all(root, path, &how);
		reached += fd >= 0;
		tell(fd, ours);
		if (!strcmp(ours, theirs))
			continue;
		printf("%s flags %llx resolve %llx: ours %s, the kernel's %s\n", path, (long long)how.flags, (long long)how.resolve, ours, theirs);
		return 1;
	}
	printf("same %d reached %d\n", count, reached);
	return 0;
}
