/* The architecture that we are built for, as seccomp's users call it. The build's table of system calls is made of this too. */
#ifndef SYS_SECCOMP_ARCH_H
#define SYS_SECCOMP_ARCH_H

#include <linux/audit.h>

/* The kernel's number of it; libseccomp's name; Go's name, which docker's profiles use in conditions. */
#if defined(__x86_64__)
#define SECCOMP_ARCH AUDIT_ARCH_X86_64
#define SECCOMP_ARCH_NAME "SCMP_ARCH_X86_64"
#define SECCOMP_ARCH_GO "amd64"
#elif defined(__aarch64__)
#define SECCOMP_ARCH AUDIT_ARCH_AARCH64
#define SECCOMP_ARCH_NAME "SCMP_ARCH_AARCH64"
#define SECCOMP_ARCH_GO "arm64"
#elif defined(__arm__)
#define SECCOMP_ARCH AUDIT_ARCH_ARM
#define SECCOMP_ARCH_NAME "SCMP_ARCH_ARM"
#define SECCOMP_ARCH_GO "arm"
#elif defined(__riscv) && __riscv_xlen == 64
#define SECCOMP_ARCH AUDIT_ARCH_RISCV64
#define SECCOMP_ARCH_NAME "SCMP_ARCH_RISCV64"
#define SECCOMP_ARCH_GO "riscv64"
#elif defined(__i386__)
#define SECCOMP_ARCH AUDIT_ARCH_I386
#define SECCOMP_ARCH_NAME "SCMP_ARCH_X86"
#define SECCOMP_ARCH_GO "386"
#elif defined(__s390x__)
#define SECCOMP_ARCH AUDIT_ARCH_S390X
#define SECCOMP_ARCH_NAME "SCMP_ARCH_S390X"
#define SECCOMP_ARCH_GO "s390x"
#else
#error "which AUDIT_ARCH_ is this? see lib/sys/seccomp_arch.h"
#endif

#endif
