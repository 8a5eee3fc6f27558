# shellcheck shell=sh
# shellcheck disable=SC2317 # called by name
# Acts on what is in the store: files, volumes, images. See acts.sh.

# Files.

act_cp_in() {
	"$@" ctr-cp one a:/tmp/one
}
prepare_cp_in() {
	a_has_files
}

act_cp_in_running() {
	"$@" ctr-cp - a:/tmp <one.tar
}
prepare_cp_in_running() {
	a_runs
}

act_cp_out() {
	"$@" ctr-cp a:/etc out
}
prepare_cp_out() {
	a_has_files
}
undo_cp_out() {
	undo
	rm -rf out
}

act_volume_create() {
	"$@" ctr-volume create one two
}
undo_volume_create() {
	undo_volumes
}

act_volume_rm() {
	"$@" ctr-volume rm one two
}
prepare_volume_rm() {
	ctr-volume create one two >/dev/null
}
undo_volume_rm() {
	undo_volumes
}

act_volume_prune() {
	"$@" ctr-volume prune
}
prepare_volume_prune() {
	ctr-volume create one two >/dev/null
}
undo_volume_prune() {
	undo_volumes
}

# Images.

# What each image of acts holds, and that what is listed is whole.
images_are_whole() {
	for name in $(ctr-image ls -r -n -o name); do
		case $name in
		*busybox:latest | -) continue ;;
		*one:latest) want=one ;;
		*) want=two ;;
		esac
		rm -rf tree.out
		mkdir tree.out
		ctr-image export "$name" | tar -x -C tree.out || return
		[ "$(cat tree.out/file)" = 1 ] || return
		[ "$want" = one ] || [ "$(cat tree.out/second)" = 2 ] || return
		rm -r tree.out
	done
}

# Not by ctr-image prune: layers that an image came to nothing for are ctr-gc's.
undo_images() {
	undo
	# shellcheck disable=SC2046 # a list
	ctr-image rm -f $(ctr-image ls -r -n -o name,id | sed -n '/busybox:latest/!s/.*\t//p' | sort -u) >/dev/null 2>&1
}

act_import() {
	"$@" ctr-image import -c 'CMD ["a"]' one <one.tar.gz
}
undo_import() {
	undo_images
}
check_import() {
	images_are_whole
}

act_load() {
	"$@" ctr-image load -i images.tar
}
undo_load() {
	undo_images
}
check_load() {
	images_are_whole
}

act_pull() {
	"$@" ctr-image pull "127.0.0.1:$(cat port)/two"
}
undo_pull() {
	undo_images
}
check_pull() {
	images_are_whole
}

act_push() {
	"$@" ctr-image push "127.0.0.1:$(cat port)/two"
}
prepare_push() {
	ctr-image load -q -i images.tar >/dev/null
	ctr-image tag two "127.0.0.1:$(cat port)/two"
	ctr-image rm two one
	rm -f taken/blobs/sha256/* taken/sent
	mv layout given
	mv taken layout
}
undo_push() {
	[ ! -d given ] || { mv layout taken && mv given layout; }
	undo_images
}

# Two stages, of which the second needs the first. What it keeps goes by ctr-image prune alone.
act_build() {
	"$@" ctr-image build -q -t one context
}
undo_build() {
	undo_images
	ctr-image prune >/dev/null
}
check_build() {
	images_are_whole
}

act_commit() {
	"$@" ctr-commit -m text a two
}
prepare_commit() {
	ctr-image load -q -i images.tar >/dev/null
	ctr-create --name a one /none >/dev/null
	ctr-cp two/file a:/second
	ctr-image rm two
}
undo_commit() {
	undo_images
}
check_commit() {
	images_are_whole
}

act_commit_running() {
	"$@" ctr-commit a busybox:new
}
prepare_commit_running() {
	a_runs
}
undo_commit_running() {
	undo_images
}

act_save() {
	"$@" ctr-image save -o out one two
}
prepare_save() {
	ctr-image load -q -i images.tar >/dev/null
}
undo_save() {
	rm -f out
	undo_images
}
check_save() {
	[ ! -e out ] || cmp out images.tar
}

act_tag() {
	"$@" ctr-image tag two other
}
prepare_tag() {
	ctr-image load -q -i images.tar >/dev/null
}
undo_tag() {
	undo_images
}
check_tag() {
	images_are_whole
}

act_image_rm() {
	"$@" ctr-image rm one two
}
prepare_image_rm() {
	ctr-image load -q -i images.tar >/dev/null
}
undo_image_rm() {
	undo_images
}
check_image_rm() {
	images_are_whole
}

act_image_prune() {
	"$@" ctr-image prune
}
prepare_image_prune() {
	ctr-image load -q -i images.tar >/dev/null
	ctr-image tag one two
}
undo_image_prune() {
	undo_images
}

act_image_mount() {
	"$@" ctr-image mount busybox mnt
}
undo_image_mount() {
	ctr-image umount mnt 2>/dev/null
}
