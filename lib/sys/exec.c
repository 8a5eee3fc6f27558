#include "sys/exec.h"

#include "base/buf.h"
#include "base/kernel.h"
#include "sys/program.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* The value of KEY ("PATH="), or NULL. */
static const char *env_get(char **envp, const char *key)
{
	for (; envp && *envp; envp++)
		if (starts_with(*envp, key))
			return *envp + strlen(key);
	return NULL;
}

static int refused(const char *path, int code, struct err *err)
{
	program_why(path, code, err);
	err->exit = 126;
	return code;
}

static bool there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

/* One attempt: what the kernel said, as -errno, or -ENOENT only if there is nothing of that name (ENOENT may also
 * mean its interpreter, which is told as -ELIBBAD). */
static int attempt(const char *path, char **argv, char **envp)
{
	int code;

	execve(path, argv, envp);
	code = -errno;
	return code == -ENOENT && there(path) ? -ELIBBAD : code;
}

static bool absent(int code)
{
	return code == -ENOENT || code == -ENOTDIR;
}

/* Tries each directory of PATH. A file that is there but can't be started is in CULPRIT afterwards, its reason
 * returned; -ENOENT if there is none. A lack of permission or of an interpreter lets the search go on, as in
 * musl's execvp. */
static int search(const char *path, char **argv, char **envp, char culprit[PATH_MAX])
{
	int found = -ENOENT;
	bool on = true;

	for (const char *next = path; on && next; path = next + 1) {
		char try[PATH_MAX];
		size_t n = strcspn(path, ":");
		int len = snprintf(try, sizeof try, "%.*s%s%s", (int)n, path, n ? "/" : "", argv[0]);
		int code = len < (int)sizeof try ? attempt(try, argv, envp) : -ENOENT;

		next = path[n] ? path + n : NULL;
		on = absent(code) || code == -EACCES || code == -ELIBBAD;
		if (!on || (found == -ENOENT && !absent(code))) {
			found = code;
			memcpy(culprit, try, sizeof try);
		}
	}
	return found;
}

int exec_command(char **argv, char **envp, struct err *err)
{
	const char *set = env_get(envp, "PATH="), *path = set ? set : default_path;
	char culprit[PATH_MAX];
	struct err none = { 0 };
	int code;

	err = err ? err : &none;
	if (strchr(argv[0], '/')) {
		code = attempt(argv[0], argv, envp);
		if (!absent(code))
			return refused(argv[0], code, err);
		err_sys(err, code, "%s", argv[0]);
	} else {
		code = *argv[0] ? search(path, argv, envp, culprit) : -ENOENT;
		if (code != -ENOENT)
			return refused(culprit, code, err);
		err_msg(err, code, "%s: command not found in PATH (%.300s)", *argv[0] ? argv[0] : "\"\"", path);
	}
	err->exit = 127;
	return code;
}

int exec_shell(char **envp, struct err *err)
{
	const char *shell = env_get(envp, "SHELL=");
	char *own[] = { (char *)shell, NULL }, *usual[] = { "sh", NULL };
	int code;

	if (!shell || !*shell)
		return exec_command(usual, envp, err);
	code = exec_command(own, envp, err);
	if (absent(code))
		exec_command(usual, envp, NULL);
	return code;
}
