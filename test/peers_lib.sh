# shellcheck shell=sh
# buildah and podman, with all that they keep below $WORK; for peers_test.sh. Sourced after lib.sh and load_lib.sh.

# peers_store NAME: from here on they use this store of theirs.
peers_store() {
	_in=$WORK/peers/$1
	mkdir -p "$_in"
	export CONTAINERS_STORAGE_CONF="$_in/storage.conf" CONTAINERS_CONF="$_in/containers.conf"
	printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$_in/root" "$_in/run" >"$CONTAINERS_STORAGE_CONF"
	printf '[engine]\nlock_type = "file"\nevents_logger = "none"\ntmp_dir = "%s"\n' "$_in/libpod" >"$CONTAINERS_CONF"
}

# Layers of an image: base_layer DIR makes the lowest, each of the others changes what is mounted on DIR.
base_layer() {
	_long=$(head -c 120 /dev/zero | tr '\0' l)
	first_layer "$1"
	mkdir -p "$1/$_long/$_long/$_long" "$1/swap/dir" "$1/many/levels/of/directories" "$1/opaque/sub/dir"
	echo long >"$1/$_long/$_long/$_long/$_long"
	ln -s "../$_long/$_long" "$1/swap/long-link"
	ln "$1/$_long/$_long/$_long/$_long" "$1/swap/hard"
	printf 'Zo\303\253' >"$1/swap/sm\303\266rg\303\245s $(printf '\303\251') [*]"
	echo file >"$1/swap/file"
	echo one | tee "$1/many/levels/one" "$1/many/levels/of/two" >"$1/opaque/sub/dir/three"
	chown 70000:80000 "$1/many/levels/one"
	truncate -s 3M "$1/many/sparse"
	printf island | dd of="$1/many/sparse" bs=1 seek=1500000 conv=notrunc status=none
	seq 40000 >"$1/many/numbers"
	ln "$1/many/numbers" "$1/many/levels/of/numbers"
	chmod 2775 "$1/many/levels"
	chmod 2755 "$1/many/levels/one"
	setfattr -n user.dir -v "$(printf 'of a\ndirectory')" "$1/many/levels"
	echo capable | tee "$1/many/capable" >"$1/many/changed"
	setcap cap_net_raw,cap_sys_admin+eip "$1/many/capable"
	setcap cap_net_raw+ep "$1/many/changed"
	touch -d '1969-12-31 23:00:00' "$1/many/levels/of/two"
	touch -d '2100-01-02 03:04:05' "$1/many/levels/of"
}

second_layer() {
	rm "$1/gone" "$1/many/levels/of/numbers" "$1/loop"
	rm -r "$1/opaque" "$1/many/levels/of" "$1/swap/dir" "$1/swap/file"
	mkdir "$1/opaque" "$1/swap/file"
	echo upper >"$1/opaque/upper"
	echo 'in what was a file' >"$1/swap/file/in"
	echo 'a file now' >"$1/swap/dir"
	echo second >"$1/second"
	chmod 0711 "$1/deep" "$1/many/changed"
	chown 55:66 "$1/many/levels/one"
	mkfifo "$1/opaque/fifo"
	mknod "$1/opaque/zero" c 1 5
	ln "$1/second" "$1/opaque/second"
	rm "$1/null" && ln -s /etc "$1/null"
}

# What was removed is there again, and what was made again isn't.
third_layer() {
	rm -r "$1/swap/file" "$1/opaque/fifo" "$1/null"
	echo again | tee "$1/gone" >"$1/swap/file"
	mkdir -p "$1/many/levels/of/other" "$1/null"
	chmod 4711 "$1/many/levels/one"
	setfattr -n user.word -v other "$1/gone"
	ln "$1/gone" "$1/many/levels/of/other/gone"
}

# peer_image FORMAT NAME: three layers, the first by `buildah add`.
peer_image() {
	_c=$(buildah from scratch) && buildah add -q "$_c" base / >/dev/null &&
		buildah config --cmd sh --env 'WORD=from the config' --label tier=web --port 80 --stop-signal USR1 "$_c" &&
		buildah commit -q --rm --format "$1" "$_c" "$2" >/dev/null || return
	for _change in second_layer third_layer; do
		_c=$(buildah from "$2") && $_change "$(buildah mount "$_c")" && buildah umount "$_c" >/dev/null &&
			buildah commit -q --rm --format "$1" "$_c" "$2" >/dev/null || return
	done
}
