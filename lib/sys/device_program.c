/* The rules as a program of the kernel's virtual machine: for each a few tests that skip it, then "yes"; at the end "no". */
#include "base/kernel.h"
#include "sys/devices.h"
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

/* Registers. The kernel passes the context in the first. */
enum { RESULT, CONTEXT, TYPE, ACCESS, MAJOR, MINOR, SCRATCH };

static void add(struct array *program, uint8_t code, unsigned dst, unsigned src, int offset, int64_t value)
{
	struct bpf_insn *i = array_add(program, sizeof *i);

	*i = (struct bpf_insn){ .code = code, .dst_reg = dst & 15, .src_reg = src & 15, .off = (int16_t)offset, .imm = (int32_t)value };
}

static void load(struct array *program, unsigned reg, size_t offset)
{
	add(program, BPF_LDX | BPF_W | BPF_MEM, reg, CONTEXT, (int)offset, 0);
}

static void answer(struct array *program, int yes)
{
	add(program, BPF_ALU64 | BPF_MOV | BPF_K, RESULT, 0, 0, yes);
	add(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* To the next rule unless REG is VALUE; where that begins, is known when this one is whole. */
static void test(struct array *program, unsigned reg, int64_t value)
{
	add(program, BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, value);
}

static void add_rule(struct array *program, const struct device_rule *r)
{
	size_t start = program->n;
	struct bpf_insn *i;

	test(program, TYPE, r->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
	if (r->access != DEVICE_ALL) {
		add(program, BPF_ALU64 | BPF_MOV | BPF_X, SCRATCH, ACCESS, 0, 0);
		add(program, BPF_ALU64 | BPF_AND | BPF_K, SCRATCH, 0, 0, DEVICE_ALL & ~r->access);
		test(program, SCRATCH, 0);
	}
	if (r->major >= 0)
		test(program, MAJOR, r->major);
	if (r->minor >= 0)
		test(program, MINOR, r->minor);
	answer(program, 1);
	i = program->v;
	for (size_t n = start; n < program->n; n++)
		if (i[n].code == (BPF_JMP | BPF_JNE | BPF_K))
			i[n].off = (int16_t)(program->n - n - 1);
}

int device_program(const struct array *rules)
{
	struct array program = { 0 };
	union bpf_attr attr;
	int fd;

	load(&program, ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type)); /* access << 16 | type */
	add(&program, BPF_ALU64 | BPF_MOV | BPF_X, TYPE, ACCESS, 0, 0);
	add(&program, BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	add(&program, BPF_ALU64 | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
	load(&program, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	load(&program, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = 0; i < rules->n; i++)
		add_rule(&program, (const struct device_rule *)rules->v + i);
	answer(&program, 0);
	memset(&attr, 0, sizeof attr); /* a union's initializer needn't fill all of it */
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)program.v;
	attr.insn_cnt = (uint32_t)program.n;
	attr.license = (uint64_t)(uintptr_t)"";
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof attr);
	free(program.v);
	return fd;
}
