#include "sys/program.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/kernel.h"
#include <elf.h>
#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

enum { HEAD = 256, MAX_SEGMENTS = 128 };

struct program {
	int fd;
	unsigned char head[HEAD]; /* the kernel looks at as many bytes for #! */
	size_t len;
};

static const char *machine_name(unsigned machine)
{
	switch (machine) {
	case EM_X86_64: return "x86_64";
	case EM_386: return "i386";
	case EM_AARCH64: return "aarch64";
	case EM_ARM: return "arm";
	case EM_RISCV: return "riscv";
	case EM_MIPS: return "mips";
	case EM_PPC64: return "ppc64";
	case EM_PPC: return "ppc";
	case EM_S390: return "s390x";
	case 258: return "loongarch";
	default: return "another machine";
	}
}

static bool is_elf(const struct program *p)
{
	return p->len >= sizeof(Elf32_Ehdr) && memcmp(p->head, ELFMAG, SELFMAG) == 0;
}

/* SIZE bytes at OFFSET in the file's own byte order, host's when it returns. */
static uint64_t number(const struct program *p, const unsigned char *at, int size)
{
	bool little = p->head[EI_DATA] == ELFDATA2LSB;
	uint64_t n = 0;

	for (int i = 0; i < size; i++)
		n = n << 8 | at[little ? size - 1 - i : i];
	return n;
}

/* Reads the path that PT_INTERP names into OUT. */
static bool elf_interpreter(const struct program *p, char out[PATH_MAX])
{
	bool wide = p->head[EI_CLASS] == ELFCLASS64;
	uint64_t at = wide ? number(p, p->head + offsetof(Elf64_Ehdr, e_phoff), 8) :
			     number(p, p->head + offsetof(Elf32_Ehdr, e_phoff), 4);
	size_t count = number(p, p->head + (wide ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum)), 2);
	size_t size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	unsigned char segment[sizeof(Elf64_Phdr)];

	for (size_t i = 0; i < count && i < MAX_SEGMENTS; i++) {
		uint64_t offset, len;

		if (pread(p->fd, segment, size, (off_t)(at + i * size)) != (ssize_t)size)
			return false;
		if (number(p, segment, 4) != PT_INTERP)
			continue;
		offset = wide ? number(p, segment + offsetof(Elf64_Phdr, p_offset), 8) :
				number(p, segment + offsetof(Elf32_Phdr, p_offset), 4);
		len = wide ? number(p, segment + offsetof(Elf64_Phdr, p_filesz), 8) :
			     number(p, segment + offsetof(Elf32_Phdr, p_filesz), 4);
		if (len < 2 || len > PATH_MAX || pread(p->fd, out, len, (off_t)offset) != (ssize_t)len)
			return false;
		out[len - 1] = '\0';
		return true;
	}
	return false;
}

/* Reads the path after #! into OUT. */
static bool script_interpreter(const struct program *p, char out[PATH_MAX])
{
	const char *line = (const char *)p->head + 2;
	size_t n;

	if (p->len < 2 || memcmp(p->head, "#!", 2) != 0)
		return false;
	line += strspn(line, " \t");
	n = strcspn(line, " \t\n");
	memcpy(out, line, n);
	out[n] = '\0';
	return n > 0;
}

static int why_interpreter(const struct program *p, const char *path, int code, struct err *err)
{
	char interpreter[PATH_MAX], *carriage;

	if (!(is_elf(p) ? elf_interpreter(p, interpreter) : script_interpreter(p, interpreter)))
		return err_sys(err, code, "exec %s", path);
	if (faccessat(AT_FDCWD, interpreter, F_OK, 0) == 0)
		return err_sys(err, code, "%s: its interpreter %s", path, interpreter);
	carriage = strchr(interpreter, '\r');
	if (carriage)
		*carriage = '\0';
	err_msg(err, code, "%s: its interpreter %s%s is missing", path, interpreter, carriage ? "\\r" : "");
	return carriage ? err_hint(err, "lines end in carriage returns, as in DOS") : code;
}

static int why_format(const struct program *p, const char *path, int code, struct err *err)
{
	struct utsname host;
	const char *name;

	if (p->len == 0)
		return err_msg(err, code, "%s: is an empty file", path);
	if (!is_elf(p))
		return err_msg(err, code, "%s: is no program and has no #! line", path);
	name = machine_name((unsigned)number(p, p->head + offsetof(Elf64_Ehdr, e_machine), 2));
	uname(&host);
	if (starts_with(host.machine, name)) /* arm, armv7l; riscv, riscv64 */
		return err_sys(err, code, "exec %s", path);
	return err_msg(err, code, "%s: is for %s, this is %s", path, name, host.machine);
}

static int why_permission(const char *path, const struct stat *st, const struct program *p, int code, struct err *err)
{
	struct statvfs fs;

	if (S_ISDIR(st->st_mode))
		return err_msg(err, code, "%s: is a directory", path);
	if (!S_ISREG(st->st_mode))
		return err_msg(err, code, "%s: is no regular file", path);
	if (!(st->st_mode & 0111))
		return err_msg(err, code, "%s: is not executable: %s", path, strerror(-code));
	if (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOEXEC)
		return err_msg(err, code, "%s: is on a file system mounted noexec", path);
	return p->fd >= 0 && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? why_interpreter(p, path, code, err) :
										 err_sys(err, code, "exec %s", path);
}

int program_why(const char *path, int code, struct err *err)
{
	struct program p = { .fd = -1 };
	struct stat st;
	ssize_t n;

	if (stat(path, &st) < 0)
		return err_sys(err, code == -ELIBBAD ? -ENOENT : code, "exec %s", path);
	if (S_ISREG(st.st_mode))
		p.fd = open(path, O_RDONLY | O_CLOEXEC);
	n = p.fd < 0 ? 0 : read_full(p.fd, p.head, sizeof p.head - 1);
	p.len = n > 0 ? (size_t)n : 0;
	if (code == -EACCES)
		why_permission(path, &st, &p, code, err);
	else if (p.fd >= 0 && code == -ENOEXEC)
		why_format(&p, path, code, err);
	else if (p.fd >= 0 && code == -ELIBBAD)
		why_interpreter(&p, path, code, err);
	else
		err_sys(err, code, "exec %s", path);
	if (p.fd >= 0)
		close(p.fd);
	return code;
}
