# shellcheck shell=sh
# The world in which crashsweep and faultsweep try an act (acts.sh): a small host of its own, a store with an image, and what is compared.
# $WORK is scratch, $TAG the store's.

# In fresh namespaces.
make_world() {
	# shellcheck source=test/host_lib.sh
	. "$TOP/test/host_lib.sh"
	make_host "$WORK" || exit
	CTRBOX_ROOT=$WORK/root CTRBOX_RUN=$WORK/run CTRBOX_IMAGES=$WORK PATH=$BUILD/bin:$BUILD/sweep:$PATH LC_ALL=C
	export CTRBOX_ROOT CTRBOX_RUN CTRBOX_IMAGES PATH LC_ALL
	unset CTRBOX_DEBUG
	cd "$WORK" || exit
	make_images
	ctr-net create --subnet 10.9.0.0/24 n >/dev/null
	ctr-run --rm --net n -p 8080:80 --userns auto -v /data busybox true || exit
	case $ACT in pull | push) serve_images ;; build) make_context ;; esac
	mkdir mnt
	ctr-image mount busybox mnt && ctr-image umount mnt
	TAG=$(cat root/tag)
	echo "$TAG" >"$RESULTS/$ACT.tag"
	becomes no_veth
	look base
}

# A registry that has `two`, and takes what it is given.
serve_images() {
	ctr-image load -q -i images.tar >/dev/null
	ctr-image save --format oci -o two.tar two
	ctr-image rm one two
	mkdir -p layout taken/blobs/sha256
	tar -C layout -xf two.tar
	python3 "$TOP/test/registry.py" layout port /dev/null &
	until [ -s port ]; do sleep 0.05; done
}

# What becomes an image `one`.
make_context() {
	mkdir context
	cp one/file context
	cat >context/Containerfile <<-END
		FROM busybox AS first
		COPY file /
		RUN --network=none --mount=type=cache,target=/cache touch /made /cache/made
		FROM busybox
		COPY --from=first /file /made /
	END
	ctr-image build -q -t one context >/dev/null && undo_build || exit
}

# The kernel takes them some time after their namespace.
no_veth() {
	look now
	! grep -q "^interface v[a-z]*[0-9a-f]\{10\}" now.host
}

# Small ones: what is looked at hundreds of times.
make_images() {
	mkdir -p tree/bin tree/etc tree/tmp one/d two
	tar -xOf "$BUILD/busybox.tar" ./bin/busybox >tree/bin/busybox 2>/dev/null || tar -xOf "$BUILD/busybox.tar" bin/busybox >tree/bin/busybox
	chmod 755 tree/bin/busybox
	for a in sh true sleep touch; do ln -s busybox "tree/bin/$a"; done
	echo root:x:0:0:root:/:/bin/sh >tree/etc/passwd
	tar -C tree -c . | ctr-image import -c 'CMD ["sh"]' busybox >/dev/null || exit
	echo 1 >one/file
	ln one/file one/d/link
	echo 2 >two/file
	tar -C one -c . >one.tar
	gzip -k one.tar
	ctr-image import one <one.tar >/dev/null
	ctr-create --name two one /none >/dev/null
	ctr-cp two/file two:/second
	ctr-commit two two >/dev/null
	ctr-rm two >/dev/null
	ctr-image save -o images.tar one two
	ctr-image rm one two
}

# look NAME: files NAME.host and NAME.store say what there is.
look() {
	state "$TAG" "$1.host" "$1.store"
}

# like NAME: it is as it was then.
like() {
	look now
	cmp -s now.host "$1.host" && cmp -s now.store "$1.store"
}

# Whether it becomes so: who was killed may take a moment to end, and hold locks until then.
becomes() {
	tries=100
	until "$@"; do
		[ $tries -gt 0 ] || return
		tries=$((tries - 1))
		sleep 0.02
		ctr-gc >/dev/null 2>&1
	done
}

# No container runs: then there is nothing on the host but what was there before the act or is there after it, nothing that both have is missing, and
# nothing half-made is in the store.
clean() {
	[ -z "$(ctr-ps -q)" ] || return 0
	look now
	! grep -F .tmp now.store && { cmp -s now.host base.host || between; }
}

between() {
	sort -u base.host before.host after.host | comm -13 - now.host >extra
	comm -12 base.host before.host | comm -12 - after.host | comm -23 - now.host >missing
	[ ! -s extra ] && [ ! -s missing ]
}

# differs NAME: from then.
differs() {
	diff "$1.host" now.host
	diff "$1.store" now.store
}
