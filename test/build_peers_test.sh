#!/bin/sh
# The same Containerfiles built by buildah and by ctr-image build: the same trees (mtime aside) and configs. Where buildah
# isn't as docker is, test/build/dense/differences says so.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; quoted is what another shell expands
. "$(dirname "$0")/lib.sh"
. "$TOP/test/load_lib.sh"
. "$TOP/test/peers_lib.sh"
. "$TOP/test/build_lib.sh"
need_debian

oneTimeSetUp() {
	hide_var_lib
	peers_store one
	of_busybox >/dev/null
	both busybox -f "$FILES/busybox/Containerfile" busybox || fail 'no busybox to build on'
	many_kinds dense
	cp "$FILES/dense/.dockerignore" dense/
}

oneTimeTearDown() { show_var_lib; }

# buildah of Debian 12 knows RUN --mount, but not its --network: here there is nothing but lo anyway.
theirs() {
	_name=$1 _file=$3
	shift 3
	sed 's/^RUN --network=none/RUN/' "$_file" >theirs.file
	timeout 120 buildah build -q --isolation chroot --format docker -t "$_name" -f theirs.file "$@" >theirs.log 2>&1 || {
		tail -n 5 theirs.log
		return 1
	}
}

# both NAME -f FILE [OPTION..] CONTEXT: built by both.
both() {
	theirs "$@" || return
	run_cap timeout 120 ctr-image build -t "$@"
	assert_rc 0
	[ "$rc" = 0 ]
}

# A config as lines, for `diff`: Env.0="A=1".
leaves='paths(if type == "object" or type == "array" then length == 0 else true end) as $p | ($p | map(tostring) | join(".")) + "=" + (getpath($p) | tojson)'

# compare NAME [DIFFERENCES..]: trees and configs of both; nothing differs but what those files have.
compare() {
	{ their_tree "$1"; their_config "$1" | jq -r "$leaves"; } >theirs.seen
	{ our_tree "$1"; our_config "$1" | jq -r "$leaves"; } >ours.seen
	assertEquals "$1 is full" 0 "$([ "$(wc -l <theirs.seen)" -gt 300 ]; echo $?)"
	diff theirs.seen ours.seen | grep '^[<>]' | sort >differ
	_image=$1
	shift
	cat /dev/null "$@" | grep '^[<>]' | sort >expected
	assertEquals "$_image: expected (<) and found (>)" '' "$(diff expected differ)"
}

test_busybox() {
	compare busybox
}

test_debian() {
	both packages -f "$FILES/debian/Containerfile" --target packages "$debian"
	both debian -f "$FILES/debian/Containerfile" "$debian"
	compare debian "$FILES/debian/differences"
	for name in nginx redis flask; do
		both $name -f "$FILES/$name/Containerfile" "$FILES/$name"
		compare $name "$FILES/debian/differences"
	done
}

test_every_instruction() {
	both dense -f "$FILES/dense/Containerfile" --build-arg GIVEN=given --build-arg WITHOUT=with dense
	compare dense "$FILES/dense/differences" "$FILES/dense/differences.config"
	both child -f "$FILES/dense/Containerfile.child" dense
	compare child "$FILES/dense/differences" "$FILES/dense/differences.child"
}

# What buildah can't read, as docker's documentation has it.
test_heredocs_and_patterns() {
	run_cap timeout 60 ctr-image build -t docker -f "$FILES/dense/Containerfile.docker" dense
	assert_rc 0
	mkdir -p mounted
	ctr-image mount docker mounted
	(cd mounted && find . -type f -printf '%m %U:%G %p\n' | sort -k3 && find . -type f ! -name '*.txt' | sort | xargs head -n -0) >seen
	umount mounted
	cat >expected <<'END'
644 0:0 ./cat
644 0:0 ./expanded
644 0:0 ./literal
644 0:0 ./named
644 0:0 ./names/[4].txt
644 0:0 ./none/run
644 0:0 ./run
644 0:0 ./script
751 3:4 ./several/one
751 3:4 ./several/two
==> ./cat <==
through the shell word.tar.gz
after

==> ./expanded <==
word.tar.gz an env $W 'x' "y" \

==> ./literal <==
$W ${E} \$W

==> ./named <==
[

==> ./none/run <==
in word.tar.gz
/bin/sh an env

==> ./run <==
in word.tar.gz
/bin/sh an env

==> ./script <==
a shell of its own

==> ./several/one <==
word.tar.gz

==> ./several/two <==
tabbed $W
END
	assertEquals '' "$(diff expected seen)"
	run_cap timeout 60 ctr-image build -t docker --target Heredocs -f "$FILES/dense/Containerfile.docker" dense
	assert_rc 0
	run_cap eval "our_config docker | jq -r '.Env[]' | grep -v PATH"
	assert_out "$(printf '%s\n' 'E=an env' SHORT=word.tar SHORTER=word END=tar.gz LAST=gz OTHER=word-gz 'ALL=woRd.taR.gz')"
}

# refused LINE ERE: stdin, on top of busybox, is refused in that line, and there is no image.
refused() {
	{ echo 'FROM busybox'; cat; } >refused.file
	run_cap timeout 60 ctr-image build -t refused -f refused.file dense
	assert_rc 1
	assert_err_match "refused\.file:$1: .*$2"
	run_cap ctr-image rm refused
	assert_fails 1 refused
}

# docker refuses them; buildah does a few of these.
test_what_copying_refuses() {
	refused 3 'sub: .*no directory' <<-'END'
		RUN mkdir -p /a /else && ln -s /else /a/sub
		COPY d /a
	END
	refused 3 'sub: .*no directory' <<-'END'
		RUN mkdir /a && echo file >/a/sub
		COPY d /a
	END
	refused 3 'one: .*directory' <<-'END'
		RUN mkdir -p /a/one
		COPY d /a
	END
	refused 3 'f: .*directory' <<-'END'
		RUN mkdir -p /a/f
		COPY f /a/
	END
	refused 3 '/file' <<-'END'
		RUN echo file >/file
		COPY d /file
	END
	refused 3 '/file' <<-'END'
		RUN echo file >/file
		COPY f /file/
	END
	refused 3 '/file' <<-'END'
		RUN echo file >/file
		COPY f /file/below
	END
	echo 'COPY nothing /a/' | refused 2 nothing
	echo 'COPY nothing* none? /a/' | refused 2 'none\?: there is nothing'
	echo 'COPY left/out/in /a/' | refused 2 left/out/in
	echo 'COPY ../dense/f /a/' | refused 2 dense/f
	echo 'COPY ../../../etc/passwd /a/' | refused 2 etc/passwd
	echo 'COPY d/dangling /a/' | refused 2 d/dangling
	echo 'COPY f globs/3.txt /a' | refused 2 slash
	echo 'COPY --from=nobody f /a' | refused 2 nobody
	echo 'COPY --chown=nosuchuser f /a' | refused 2 nosuchuser
}

. shunit2
