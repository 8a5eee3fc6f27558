# shellcheck shell=sh
# Images that skopeo and umoci made, kept in $BUILD/archives; for load_test.sh and its kin.

ARCHIVES=$BUILD/archives

# Called by oneTimeSetUp and oneTimeTearDown (which shunit2 calls twice): what skopeo and its kin note in /var/lib/containers goes.
hide_var_lib() { mount -t tmpfs none /var/lib; }
show_var_lib() { ! mountpoint -q /var/lib || umount /var/lib; }

# first_layer DIR: a tree with all that layers may hold.
first_layer() {
	make_rootfs "$1"
	mkdir -p "$1/deep/er" "$1/opaque" "$1/sticky"
	echo lower >"$1/opaque/lower"
	echo gone >"$1/gone"
	echo data >"$1/deep/er/file"
	ln "$1/deep/er/file" "$1/deep/hard"
	ln -s ../deep "$1/sticky/link"
	mkfifo "$1/fifo"
	mknod "$1/null" c 1 3
	mknod "$1/loop" b 7 0
	chmod 4755 "$1/deep/er/file"
	chmod 1777 "$1/sticky"
	chown 1234:3000000 "$1/deep/er"
	setfattr -n user.word -v value "$1/deep/er/file"
	setcap cap_net_bind_service+ep "$1/gone" 2>/dev/null || :
	touch -h -d '2001-02-03 04:05:06' "$1/sticky/link" "$1/fifo" "$1/deep/er"
}

# The archives: docker.tar, oci.tar, zstd.tar, and oci, a directory. One image of three layers in different clothes.
make_archives() {
	rm -rf tree more && first_layer tree && mkdir -p more/opaque more/deep &&
		echo second >more/second && echo upper >more/opaque/upper && chmod 0711 more/deep &&
		umoci init --layout "$1/oci" && umoci new --image "$1/oci:latest" &&
		umoci insert --image "$1/oci:latest" tree / &&
		umoci insert --image "$1/oci:latest" --opaque more/opaque /opaque &&
		umoci insert --image "$1/oci:latest" more/second /second &&
		umoci insert --image "$1/oci:latest" --whiteout /gone &&
		umoci config --image "$1/oci:latest" --config.cmd sh --config.env 'WORD=from the config' &&
		umoci gc --layout "$1/oci" &&
		skopeo copy -q "oci:$1/oci:latest" "docker-archive:$1/docker.tar:localhost/made:1" &&
		skopeo copy -q "oci:$1/oci:latest" "oci-archive:$1/oci.tar:localhost/made:2" &&
		skopeo copy -q --dest-compress --dest-compress-format zstd "oci:$1/oci:latest" "oci-archive:$1/zstd.tar:localhost/made:3" &&
		umoci raw unpack --image "$1/oci:latest" "$1/unpacked"
}

made_archives() {
	exec 6>>"$ARCHIVES.lock" && flock 6
	make_once
	_made=$?
	exec 6>&-
	return $_made
}

make_once() {
	[ -d "$ARCHIVES" ] && return
	rm -rf "$ARCHIVES.new"
	mkdir -p "$ARCHIVES.new"
	make_archives "$ARCHIVES.new" >"$WORK/.made" 2>&1 && mv "$ARCHIVES.new" "$ARCHIVES" && return
	cat "$WORK/.made"
	return 1
}

# What there is to see of a tree: type, mode, owner, mtime, links, size or device, target; xattrs; content.
see_tree() (
	cd "$1" || exit
	find . -mindepth 1 \( -type d -printf 'd %m %U:%G %T@ - %p\n' -o -printf '%y %m %U:%G %T@ %n %l %p\n' \) | sort -t . -k3
	find . -type f -printf '%s %p\n' | sort -k2
	find . \( -type b -o -type c \) -exec stat -c '%t %T %n' {} + | sort
	find . -type f -exec sha256sum {} + | sort -k2
	find . \( -type f -o -type d \) -print0 | sort -z | xargs -0 getfattr -h -d -m 'user|security.capability'
)

# same_tree NAME: whether the image's tree is what umoci unpacked.
same_tree() {
	mkdir -p mounted
	ctr-image mount "$1" mounted || return
	see_tree mounted >.is
	umount mounted
	see_tree "$ARCHIVES/unpacked" >.should
	diff .should .is
}

config_digest() {
	jq -r '.manifests[0].digest[7:]' "$ARCHIVES/oci/index.json" | sed "s|^|$ARCHIVES/oci/blobs/sha256/|" | xargs jq -r '.config.digest[7:]'
}
