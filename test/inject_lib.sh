# shellcheck shell=sh
# inject (inject.c): a command killed, refused or looked at, at any of its system calls.

# make_inject DIRECTORY: makes DIRECTORY/inject, and has it found.
make_inject() {
	{
		echo 'static const char *const call_names[] = {'
		sed -n 's/^\([a-z0-9_]*\) \([0-9]*\)$/[\2] = "\1",/p' "$BUILD/syscalls"
		echo '};'
	} >"$1/inject_names.h"
	musl-gcc -static -Os -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$1" -iquote "$TOP/test" -o "$1/inject" \
		"$TOP/test/inject.c" "$TOP/test/inject_follow.c" || exit 1
	PATH=$1:$PATH
}
