# shellcheck shell=sh
# What the tests of building images share: contexts, and an image as its tree and its config. Sourced after lib.sh.

# shellcheck disable=SC2034 # of those who source this
FILES=$TOP/test/build # each folder with a Containerfile
debian=$BUILD/debian

need_debian() {
	[ -e "$debian/root.tar" ] || {
		echo "no $debian/root.tar: make debian, which needs a mirror of Debian"
		exit 1
	}
}

# of_busybox: the context of FILES/busybox; Debian's is $debian itself, which nothing is copied of.
of_busybox() {
	mkdir -p busybox
	cp "$BUILD/busybox.tar" busybox/
	echo busybox
}

# many_kinds DIR: a context with all that a COPY may find.
many_kinds() (
	mkdir -p "$1" && cd "$1" || exit
	mkdir -p d/sub/deep d/empty globs/a globs/b left/kept/whole left/out ours plain
	echo one >d/one
	ln d/one d/linked
	ln d/one d/sub/linked
	ln -s one d/link
	ln -s sub d/sublink
	ln -s /nowhere/at/all d/dangling
	echo two >d/sub/two
	echo three >d/sub/deep/three
	printf 'blank' >"d/two words"
	chmod 600 d/one
	chmod 755 d/sub/two
	chmod 1777 d/sub/deep
	chmod 750 d/sub
	chmod 700 d
	chown -R 1234:1235 d
	setfattr -n user.kind -v 'of file' d/sub/two
	setfattr -n user.kind -v directory d/sub/deep
	ln -s d/sub/two to-a-file
	ln -s d/sub to-a-directory
	echo f >f
	chmod 640 f
	echo setuid >special
	chmod 6755 special
	echo a >globs/a/1.txt
	echo b >globs/b/1.txt
	echo c >globs/b/2.text
	echo d >globs/3.txt
	mkdir odd && echo '[' >'odd/[4].txt'
	echo in | tee left/kept/whole/in left/out/in left/in >left/kept/in
	echo in | tee plain/x.log plain/y >plain/keep.log
	echo 'not a tar' >ours/looks.tar.gz
	printf 'not a tar' | gzip -n >ours/packed.gz
	archives
)

# Archives whose first entry is `./`: a tree that may be laid over another.
archives() {
	mkdir -p tree/merged/inner tree/replaced
	echo archived | tee tree/merged/inner/file tree/replaced/file >tree/top
	ln tree/top tree/merged/hard
	ln -s ../top tree/merged/soft
	mkfifo tree/fifo
	mknod tree/null c 1 3
	chmod 711 tree/merged
	chmod 751 tree
	chown -R 5:6 tree/merged
	chmod 4711 tree/merged/inner/file
	tar -cf t.tar -C tree .
	gzip -nk t.tar
	zstd -q -k t.tar
	tar -cf inner.tar -C tree merged
	rm -r tree
}

# see_without_times DIR: see_tree of load_lib.sh; and what installing Debian's packages makes anew each time goes.
see_without_times() {
	see_tree "$1" | sed -E 's/^(. [0-7]+ [0-9]+:[0-9]+) [0-9.-]+ /\1 /' |
		grep -vE '^[0-9a-f]+ +\./var/(log/.*\.log|cache/ldconfig/aux-cache)$'
}

# our_tree NAME, their_tree NAME
our_tree() {
	mkdir -p mounted
	ctr-image mount "$1" mounted || return
	see_without_times mounted
	umount mounted
}

# `buildah from` would run what it has ONBUILD.
their_tree() {
	see_without_times "$(podman image mount "localhost/$1")"
	podman image umount "localhost/$1" >/dev/null
}

# Of a config, what a Containerfile says, without what is empty.
said='{Env, Cmd, Entrypoint, WorkingDir, User, Labels, ExposedPorts, Volumes, StopSignal, Healthcheck, OnBuild, Shell}
	| del(.Labels."io.buildah.version") | with_entries(select(.value | . != null and . != "" and . != [] and . != {}))'

our_config() {
	rm -rf saved.tar
	ctr-image save --format docker -o saved.tar "$1" &&
		tar -xOf saved.tar "$(tar -xOf saved.tar manifest.json | jq -r '.[0].Config')" | jq -S ".config | $said"
}

their_config() { buildah inspect --type image "$1" | jq -S ".Docker.config | $said"; }
