# shellcheck shell=sh
# Kernels that lack something. $OLD says what (enosys.c).

PATH=$WORK:$PATH
OLD=

# tool NAME SOURCE..
tool() {
	_name=$1
	shift
	musl-gcc -static -Os -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -iquote "$TOP/lib" -idirafter /usr/include \
		-idirafter "/usr/include/$(gcc -print-multiarch)" -o "$_name" "$@" || exit 1
}

# old CMD..: as a kernel without $OLD would run it
old() {
	# shellcheck disable=SC2086 # words
	run_cap enosys $OLD -- "$@"
}
