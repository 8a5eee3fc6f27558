#include "ctr/options.h"
#include <errno.h>
#include <string.h>

/* Names of the ipc namespace; everything below fs.mqueue is too: namespaces(7). */
static const char *const ipc_names[] = {
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
	"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
};

/* Letters, digits, _ and - between single dots: no way up or out of /proc/sys. */
static bool plain_name(const char *s, size_t n)
{
	bool part = false;

	for (size_t i = 0; i < n; i++) {
		bool word = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
			    s[i] == '_' || s[i] == '-';

		if (!word && (s[i] != '.' || !part))
			return false;
		part = word;
	}
	return part;
}

/* A second setting can't hide in a value (CVE-2022-0811). */
static bool plain_value(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t.,:_/-")];
}

static bool of_ipc(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof ipc_names / sizeof *ipc_names; i++)
		if (strlen(ipc_names[i]) == n && !strncmp(ipc_names[i], name, n))
			return true;
	return starts_with(name, "fs.mqueue.");
}

int sysctl_check(const char *setting, const struct spec *spec, struct err *err)
{
	size_t n = strcspn(setting, "=");

	if (!setting[n] || !plain_name(setting, n) || !plain_value(setting + n + 1))
		return err_msg(err, -EINVAL, "--sysctl %s: not NAME=VALUE", setting);
	if (of_ipc(setting, n) ? ns_is_host(spec->ipc) : starts_with(setting, "net.") && ns_is_host(spec->net))
		return err_msg(err, -EPERM, "--sysctl %s: would change the host's, whose namespace is used", setting);
	if (!of_ipc(setting, n) && !starts_with(setting, "net."))
		return err_msg(err, -EPERM, "--sysctl %s: belongs to no namespace of the container's", setting);
	return 0;
}
