#include "sys/caps.h"

#include "base/kernel.h"
#include "base/num.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#define BIT(cap) (UINT64_C(1) << (cap))

const uint64_t caps_default = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) | BIT(CAP_MKNOD) |
	BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) |
	BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);

/* In the order of their numbers, from 0; each ends with a NUL, the list with an empty name. */
static const char names[] =
	"CHOWN\0DAC_OVERRIDE\0DAC_READ_SEARCH\0FOWNER\0FSETID\0KILL\0SETGID\0SETUID\0SETPCAP\0LINUX_IMMUTABLE\0"
	"NET_BIND_SERVICE\0NET_BROADCAST\0NET_ADMIN\0NET_RAW\0IPC_LOCK\0IPC_OWNER\0SYS_MODULE\0SYS_RAWIO\0SYS_CHROOT\0"
	"SYS_PTRACE\0SYS_PACCT\0SYS_ADMIN\0SYS_BOOT\0SYS_NICE\0SYS_RESOURCE\0SYS_TIME\0SYS_TTY_CONFIG\0MKNOD\0LEASE\0"
	"AUDIT_WRITE\0AUDIT_CONTROL\0SETFCAP\0MAC_OVERRIDE\0MAC_ADMIN\0SYSLOG\0WAKE_ALARM\0BLOCK_SUSPEND\0AUDIT_READ\0"
	"PERFMON\0BPF\0CHECKPOINT_RESTORE\0";

/* The highest capability of this kernel: known to /proc, else the last one with a name. */
static int last_cap(void)
{
	char text[8] = "";
	int64_t last = CAP_CHECKPOINT_RESTORE;
	int fd = open("/proc/sys/kernel/cap_last_cap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return (int)last;
	if (read(fd, text, sizeof text - 1) > 0) {
		text[strcspn(text, "\n")] = '\0';
		num_range(text, 0, 63, &last);
	}
	close(fd);
	return (int)last;
}

uint64_t caps_all(void)
{
	return ~UINT64_C(0) >> (63 - last_cap());
}

int caps_parse(const char *name, uint64_t *mask, struct err *err)
{
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name, *known = names;

	if (strcasecmp(bare, "ALL") == 0) {
		*mask = caps_all();
		return 0;
	}
	for (int cap = 0; *known; cap++, known += strlen(known) + 1) {
		if (strcasecmp(bare, known) != 0)
			continue;
		*mask = BIT(cap);
		return 0;
	}
	return err_msg(err, -EINVAL, "%s: no such capability", name);
}

void caps_names(uint64_t mask, struct strs *out)
{
	const char *known = names;

	for (int cap = 0; cap < 64; cap++) {
		if (mask & BIT(cap) && *known)
			strs_fmt(out, "CAP_%s", known);
		else if (mask & BIT(cap))
			strs_fmt(out, "CAP_%d", cap);
		if (*known)
			known += strlen(known) + 1;
	}
}

int caps_bound(uint64_t mask)
{
	for (int cap = 0; cap < 64; cap++) {
		if (mask & BIT(cap) || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			return 0; /* beyond the last one */
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0) /* no matter if it isn't held */
			return -EPERM;
	}
	return 0;
}

int caps_set(uint64_t mask)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct half[2];

	if (syscall(SYS_capget, &head, half) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		uint32_t keep = (uint32_t)(mask >> (32 * i));

		half[i].permitted &= keep;
		half[i].effective &= keep;
		half[i].inheritable = 0;
	}
	/* EINVAL: a kernel before 4.3, which has no ambient set. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return (int)kernel_result(syscall(SYS_capset, &head, half));
}
