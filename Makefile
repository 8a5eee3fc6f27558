# ctrbox: one static binary, many applets. `make help` lists what can be made.
#
# Yours to set: ARCH CC CROSS_COMPILE HOSTCC CFLAGS LDFLAGS DESTDIR PREFIX BINDIR MANDIR APPLETS WERROR V BUILD.
# A new applet is one new file applets/ctr-x.c with `int ctr_x_main(int argc, char **argv)`; one of many subcommands may have more
# in applets/ctr-x/.

BUILD ?= build
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
CFLAGS ?= -Os
HOSTCC ?= cc
# ARCH=aarch64 (or another of tools/cross.list) builds below build/aarch64, with Debian's cross compiler and musl.
ARCHES := $(strip $(shell sed 's/\#.*//; s/ .*//' tools/cross.list))
ifneq ($(ARCH),)
ifeq ($(filter $(ARCH),$(ARCHES)),)
$(error ARCH=$(ARCH): no such processor here ($(ARCHES)): use CROSS_COMPILE)
endif
CROSS_CC := $(BUILD)/cross/$(ARCH)/gcc
CC := $(CROSS_CC)
NATIVE_BUILD := $(BUILD)
override BUILD := $(BUILD)/$(ARCH)
CROSS_BUSYBOX := $(BUILD)/busybox
endif
ifeq ($(origin CC),default)
CC := $(if $(CROSS_COMPILE),$(CROSS_COMPILE)gcc,musl-gcc)
endif
VERSION := $(shell cat VERSION)

# musl-gcc searches only musl's own headers: the kernel's come after them.
KERNEL_HEADERS ?= $(if $(filter musl-gcc,$(notdir $(firstword $(CC)))),-idirafter /usr/include \
	-idirafter /usr/include/$(shell gcc -print-multiarch 2>/dev/null))
MUST_CFLAGS := -std=gnu11 -D_GNU_SOURCE -iquote lib -I$(BUILD) -Wall -Wextra $(if $(WERROR),-Werror) \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fno-pie -ffile-prefix-map=$(CURDIR)=. $(KERNEL_HEADERS)
# Sorted by alignment, sections leave fewer holes.
MUST_LDFLAGS := -static -Wl,--gc-sections -Wl,--sort-section=alignment -Wl,-z,noseparate-code -Wl,-z,norelro \
	-Wl,--build-id=none
STRIP_FLAGS ?= -s
# V=1 shows the commands; -s shows nothing.
Q := $(if $(V),,@)
TELL := $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@echo)

ALL_APPLETS := $(patsubst applets/%.c,%,$(sort $(wildcard applets/ctr-*.c)))
APPLETS ?= $(ALL_APPLETS)
SELECTED := $(sort $(APPLETS))
ifneq ($(filter-out $(ALL_APPLETS),$(SELECTED)),)
$(error no such applet: $(filter-out $(ALL_APPLETS),$(SELECTED)))
endif

SOURCES := applets/main.c $(SELECTED:%=applets/%.c) $(sort $(wildcard $(SELECTED:%=applets/%/*.c))) \
	$(sort $(shell find lib -name '*.c'))
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o)

.PHONY: all install image initramfs small-kernel debian demo demo-vm test test-faults test-escapes-bite fuzz bench size lint asan test-asan busybox dist test-cross cross cross-setup test-vm cross-qemu clean help FORCE
.DELETE_ON_ERROR:

all: $(BUILD)/ctrbox $(BUILD)/bin/.made

$(BUILD)/ctrbox: $(OBJECTS) $(BUILD)/link.words
	$(TELL) '  LINK $@'
	$(Q)$(CC) $(CFLAGS) $(OBJECTS) $(MUST_LDFLAGS) $(STRIP_FLAGS) $(LDFLAGS) -o $@

$(BUILD)/obj/%.o: %.c $(BUILD)/compile.words
	@mkdir -p $(@D)
	$(TELL) '  CC   $<'
	$(Q)$(CC) $(MUST_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/applets/main.o: $(BUILD)/applets.h
$(BUILD)/obj/lib/sys/seccomp.o: $(BUILD)/seccomp_default.h

# The default seccomp profile becomes a program for the target's system calls by a tool that runs here: it is made of the same compiler that
# the box has for its users' profiles.
$(BUILD)/seccomp_default.h: lib/sys/seccomp.profile $(BUILD)/host/seccomp $(BUILD)/syscalls
	$(TELL) '  MAKE $@'
	$(Q)$(BUILD)/host/seccomp $< $(BUILD)/syscalls >$@

$(BUILD)/syscalls: tools/syscalls lib/sys/seccomp_arch.h $(BUILD)/compile.words
	$(Q)tools/syscalls $(CC) $(MUST_CFLAGS) $(CFLAGS) >$@

HOST_SOURCES := tools/seccomp.c lib/sys/seccomp_compile.c lib/sys/caps.c \
	$(addprefix lib/base/,buf.c clock.c err.c fields.c file.c io.c json.c json_parse.c num.c say.c)
$(BUILD)/host/seccomp: $(HOST_SOURCES) lib/sys/seccomp_compile.h $(wildcard lib/base/*.h)
	@mkdir -p $(@D)
	$(TELL) '  HOST $@'
	$(Q)$(HOSTCC) -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra $(if $(WERROR),-Werror) -iquote lib $(HOST_SOURCES) -o $@

ifneq ($(CROSS_CC),)
$(CROSS_CC): tools/cross tools/cross.list
	tools/setup --cross $(ARCH)
	tools/cross $(ARCH) $(@D)
endif

# These are rewritten only when they say something new: a change of flags, of the folder or of APPLETS
# then makes again exactly what depends on it.
say_anew = @mkdir -p $(BUILD); printf '%s\n' $(1) >$@.new; \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(BUILD)/compile.words: $(CROSS_CC) FORCE
	$(call say_anew,'$(CC) $(MUST_CFLAGS) $(CFLAGS)')
$(BUILD)/link.words: FORCE
	$(call say_anew,'$(CC) $(CFLAGS) $(OBJECTS) $(MUST_LDFLAGS) $(STRIP_FLAGS) $(LDFLAGS)')
$(BUILD)/applets.h: FORCE
	$(call say_anew,'#define VERSION "$(VERSION)"' $(foreach a,$(SELECTED),'APPLET("$(a)"$(comma) $(subst -,_,$(a))_main)'))
comma := ,

$(BUILD)/bin/.made: $(BUILD)/applets.h
	@rm -rf $(@D); mkdir -p $(@D)
	@for a in ctrbox $(SELECTED); do ln -s ../ctrbox $(@D)/$$a; done; touch $@

-include $(OBJECTS:.o=.d)

install: all
	install -d $(DESTDIR)$(BINDIR)
	install -m 755 $(BUILD)/ctrbox $(DESTDIR)$(BINDIR)/ctrbox
	for a in $(SELECTED); do ln -sf ctrbox $(DESTDIR)$(BINDIR)/$$a; done
	for page in $(wildcard man/*.[1-8]); do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done

image: $(BUILD)/busybox.tar
$(BUILD)/busybox.tar: tools/image $(wildcard rootfs/directories rootfs/etc/*) $(CROSS_BUSYBOX)
	tools/setup
	$(CROSS_BUSYBOX:%=BUSYBOX=%) tools/image $@
ifneq ($(CROSS_BUSYBOX),)
$(CROSS_BUSYBOX): tools/deb tools/cross.list
	@mkdir -p $(@D)
	tools/deb $$(awk '$$1 == "$(ARCH)" { print $$6, $$2 }' tools/cross.list) busybox-static $@.deb
	dpkg-deb --fsys-tarfile $@.deb | tar -xO --wildcards '*bin/busybox' >$@
	chmod 755 $@; rm $@.deb
endif

# What boots and starts containers (README, "Starting at boot"). FILES=DIR: what is in it besides, as etc/ctrbox/boot.d/NAME. LINUX=DIR: where
# the kernel's modules/*.ko are, if it isn't Debian's for ARCH (build/vm/linux-small has them built in: no folder or an empty one will do).
DEBIANS_LINUX := $(or $(NATIVE_BUILD),$(BUILD))/vm/linux$(ARCH:%=-%)
LINUX ?= $(DEBIANS_LINUX)
initramfs: $(LINUX)
	$(MAKE) all image
	BUILD='$(abspath $(BUILD))' tools/initramfs '$(BUILD)/initramfs.cpio' -k '$(LINUX)' $(FILES)
$(DEBIANS_LINUX):
	tools/setup
	tools/vm/kernel $@
# For little memory; it takes minutes.
small-kernel: $(BUILD)/vm/linux-small
$(BUILD)/vm/linux-small:
	tools/setup
	tools/vm/kernel $@ small

demo-vm: $(LINUX)
	$(MAKE) all image
	BUILD='$(abspath $(BUILD))' tools/demo-vm '$(LINUX)'

# What the end-to-end tests install from; fetched once.
debian: $(BUILD)/debian/root.tar
$(BUILD)/debian/root.tar: tools/debian
	tools/setup
	@mkdir -p $(BUILD)
	tools/debian $(@D) nginx redis-server python3-flask python3-redis docker-registry

demo:
	tools/setup
	$(MAKE) all image
	BUILD='$(abspath $(BUILD))' tools/demo

busybox:
	tools/setup
	$(MAKE) all image
	BUILD='$(abspath $(BUILD))' tools/demo --shell

# Without a mirror of Debian the tests that need one fail, and the others are still run.
test:
	tools/setup
	$(MAKE) all image
	-$(MAKE) debian $(DEBIANS_LINUX)
	BUILD='$(abspath $(BUILD))' test/run

# In virtual machines: `make test-vm MODE=v1 TESTS="run_test.sh exec_test.sh" KERNEL="bullseye 5.10"` chooses (test/run-guest).
# ARCH=aarch64 are those with another processor; with TESTS that of the two which has a Debian. KERNEL=small: boot_test.sh with that kernel.
SMALL := $(filter small,$(KERNEL))
GUESTS ?= $(if $(SMALL),test/boot_test.sh,$(CHOSEN_GUESTS))
CHOSEN_GUESTS = $(if $(ARCH),$(if $(TESTS),test/vm/$(ARCH).guest,$(wildcard test/vm/$(ARCH)*.guest)),$(if $(MODE)$(TESTS)$(KERNEL),test/vm/$(or $(MODE),v2).guest,$(wildcard test/vm/*.guest)))
test-vm: BUILD_HERE = $(or $(NATIVE_BUILD),$(BUILD))
test-vm:
	tools/setup
	$(MAKE) ARCH= BUILD='$(BUILD_HERE)' all image
	$(if $(findstring /aarch64,$(GUESTS)),$(MAKE) ARCH=aarch64 BUILD='$(BUILD_HERE)' all image)
	$(if $(SMALL),$(MAKE) small-kernel)
	BUILD='$(abspath $(BUILD_HERE))' TESTS='$(TESTS)' KERNEL='$(KERNEL)' $(if $(SMALL),LINUX='$(abspath $(BUILD)/vm/linux-small)') \
		test/run $(GUESTS)

# All that can die is killed at each of its system calls (tools/crashsweep); many commands meet on the same names (tools/races).
test-faults:
	tools/setup
	$(MAKE) all image
	BUILD='$(abspath $(BUILD))' tools/races 300
	BUILD='$(abspath $(BUILD))' tools/longlife
	BUILD='$(abspath $(BUILD))' tools/crashsweep $(ACTS)
	BUILD='$(abspath $(BUILD))' tools/faultsweep $(ACTS)
	BUILD='$(abspath $(BUILD))' STEP=1 TIMEOUT=1800 test/run powercut_test.sh
	$(MAKE) test-asan TESTS='run_test.sh exec_test.sh image_test.sh tar_test.sh commit_test.sh net_test.sh logs_test.sh restart_test.sh volume_test.sh ps_test.sh'

# Takes the defences out of a copy of the source, one by one, and wants the tests of each to fail.
test-escapes-bite:
	tools/setup
	$(MAKE) all image
	BUILD='$(abspath $(BUILD))' tools/escapes-bite

# SECONDS of each target, of TARGETS or all.
SECONDS ?= 60
fuzz:
	tools/setup
	$(MAKE) all
	BUILD='$(abspath $(BUILD))' tools/fuzz/run $(SECONDS) $(TARGETS)

bench: all image $(BUILD)/bench/floor $(BUILD)/bench/pair $(BUILD)/bench/net $(BUILD)/bench/seccomp $(BUILD)/bench/decode
	BUILD='$(abspath $(BUILD))' tools/bench/run
	BUILD='$(abspath $(BUILD))' NET=none tools/bench/many

$(BUILD)/bench/net: tools/bench/net_world.c
# They speak netlink, unpack and load filters as we do.
$(BUILD)/bench/%: tools/bench/%.c $(BUILD)/compile.words $(BUILD)/ctrbox
	@mkdir -p $(@D)
	$(CC) $(MUST_CFLAGS) $(CFLAGS) $(filter %.c,$^) $(filter $(BUILD)/obj/lib/base/% $(BUILD)/obj/lib/image/% $(BUILD)/obj/lib/net/% \
		$(BUILD)/obj/lib/sys/caps.o $(BUILD)/obj/lib/sys/seccomp%,$(OBJECTS)) \
		$(MUST_LDFLAGS) $(STRIP_FLAGS) $(LDFLAGS) -o $@

# For every processor that ARCH= knows.
cross: $(ARCHES:%=cross-%)
cross-setup:
	tools/setup --cross
$(ARCHES:%=cross-%): cross-%: cross-setup
	$(MAKE) ARCH=$* all
cross-qemu: $(BUILD)/cross/qemu/.made
$(BUILD)/cross/qemu/.made: tools/qemu-user tools/cross.list
	tools/qemu-user $(@D)
	@touch $@

# Not part of `test`: it takes a minute or two.
test-cross: all image cross cross-qemu
	BUILD='$(abspath $(BUILD))' test/run cross.sh

size: all
	tools/size $(SELECTED)

lint: $(BUILD)/applets.h $(BUILD)/seccomp_default.h $(BUILD)/compile.words
	shellcheck $$(grep -lE '^#!/bin/sh|^# shellcheck shell' test/* test/vm/* tools/* tools/*/* rootfs/boot/* .ci/* 2>/dev/null)
	@if command -v cppcheck >/dev/null; then set -x; cppcheck --quiet --enable=warning,portability --inline-suppr \
		--error-exitcode=1 -j$$(nproc) -D_GNU_SOURCE -D__x86_64__ -Ilib -I$(BUILD) applets lib; fi
	BUILD='$(BUILD)' tools/lint/analyzer $(SOURCES)
	@if command -v clang-tidy >/dev/null; then set -x; BUILD='$(BUILD)' tools/lint/tidy $(SOURCES); fi

# The box with gcc's sanitizers, which test/run takes as any other: what they find is in build/asan/findings (tools/asan).
asan:
	@mkdir -p $(BUILD)/asan
	$(HOSTCC) -O1 -g -Wall -Wextra -DFINDINGS='"$(abspath $(BUILD))/asan/findings"' -c tools/asan/findings.c -o $(BUILD)/asan/findings.o
	$(MAKE) all image BUILD=$(BUILD)/asan CC=gcc KERNEL_HEADERS= STRIP_FLAGS= \
		MUST_LDFLAGS='-no-pie -static-libasan -static-libubsan $(abspath $(BUILD))/asan/findings.o' \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'

# Tests with that box; TESTS="run_test.sh exec_test.sh" chooses.
test-asan: asan
	tools/setup
	BUILD='$(abspath $(BUILD))/asan' tools/asan/run $(TESTS)

dist:
	@tools/dist '$(BUILD)/ctrbox-$(VERSION).tar.gz'

clean:
	rm -rf $(filter-out $(addprefix $(BUILD)/,debian cross vm),$(wildcard $(BUILD)/*))

help:
	@printf '%s\n' \
		'make            build/ctrbox and build/bin/ctr-* (symlinks to it)' \
		'make demo       a container from beginning to end, on this machine, as root' \
		'make busybox    one word to a shell in a container' \
		'make test       every test, as root; the last line is "N passed, N failed"' \
		'make ARCH=riscv64   for another processor: build/riscv64/ctrbox ($(ARCHES))' \
		'make test-cross     builds for each of them and runs that under qemu-user' \
		'make test-vm    some of them in virtual machines with other cgroups; MODE=v2|v1|single|hybrid TESTS=.. KERNEL=..; ARCH=aarch64' \
		'make test-faults     kills each command at each of its system calls, refuses it each, and runs many at once; ACTS="start stop"' \
		'make test-escapes-bite   shows that each test of an escape fails without its defence' \
		'make fuzz SECONDS=60   rubbish for all that takes bytes from strangers (TARGETS="json tar")' \
		'make image      build/busybox.tar and .tar.gz, the default image' \
		'make initramfs  build/initramfs.cpio and .cpio.gz, which start containers at boot (FILES=DIR LINUX=DIR)' \
		'make demo-vm    boots one in a virtual machine, and tells how soon its containers run (LINUX=DIR ARCH=aarch64)' \
		'make small-kernel   build/vm/linux-small, for machines with little memory (LINUX=build/vm/linux-small, KERNEL=small)' \
		'make install    into $$(DESTDIR)$$(BINDIR) and $$(DESTDIR)$$(MANDIR)' \
		'make size       what each applet adds to the binary' \
		'make bench      how fast it is, against the least a program could do' \
		'make lint       shellcheck, cppcheck, gcc -fanalyzer, clang-tidy: those that are installed' \
		'make asan       build/asan/ctrbox by gcc with its sanitizers' \
		'make test-asan  the tests with that one; TESTS="run_test.sh exec_test.sh"' \
		'make debian     build/debian, what the end-to-end tests fetch from a Debian mirror' \
		'make dist       build/ctrbox-$(VERSION).tar.gz, the source' \
		'make clean      empties build/ but for what was fetched: debian, cross and vm' \
		'make APPLETS="ctr-run ctr-ps"  a smaller box' \
		'variables: ARCH CC CROSS_COMPILE HOSTCC CFLAGS LDFLAGS DESTDIR PREFIX BINDIR MANDIR APPLETS WERROR=1 V=1 BUILD=DIR'
