#!/bin/sh
# The course notes' transcripts about files: overlay, volumes, images out of tars, commit, layers on layers.
. "$(dirname "$0")/lib.sh"
. "$TOP/test/seeds_lib.sh"

tearDown() {
	ctrbox ps -aq | xargs -r ctrbox rm -f >/dev/null
	assertNull 'groups are left' "$(leftovers)"
}

# layers_of_a_mount: the directories of the experiments, each file saying where it is from
layers_of_a_mount() {
	rm -rf "$WORK/o"
	mkdir -p "$WORK/o/lower/bin" "$WORK/o/upper" "$WORK/o/work" "$WORK/o/merge"
	cp "$(command -v busybox)" "$WORK/o/lower/bin/busybox"
	ln -s busybox "$WORK/o/lower/bin/sh"
	ln -s busybox "$WORK/o/lower/bin/cat"
	echo lower >"$WORK/o/lower/lower.txt"
	echo upper >"$WORK/o/upper/upper.txt"
}

# Note 004, the three experiments [190]: a new file, a change of upper's, a change of lower's, which is copied up
test_overlay_experiments() {
	layers_of_a_mount
	cd "$WORK/o" || fail cd
	run_cap ctr-root --overlay upper:work lower /bin/sh -c \
		'cat lower.txt upper.txt; echo new >new.txt; echo changed >upper.txt; echo changed >lower.txt; cat *.txt'
	assert_ok
	assert_out "$(printf '%s\n' lower upper changed new changed)"
	assertEquals 'a new file' new "$(cat upper/new.txt)"
	assertFalse 'not below' '[ -e lower/new.txt ]'
	assertEquals "upper's own" changed "$(cat upper/upper.txt)"
	assertEquals 'copied up' changed "$(cat upper/lower.txt)"
	assertEquals 'lower as it was' lower "$(cat lower/lower.txt)"
	cd "$WORK" || fail cd
}

# Note 003, overlay by hand [75]
test_overlay_by_hand() {
	layers_of_a_mount
	cat >"$WORK/by_hand" <<'END'
cd $WORK/o
mount -t overlay overlay -o lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work $PWD/merge
cat merge/lower.txt merge/upper.txt
echo changed >merge/lower.txt
END
	run_cap ctr-ns -m sh "$WORK/by_hand"
	assert_ok
	assert_out "$(printf 'lower\nupper')"
	assertEquals changed "$(cat "$WORK/o/upper/lower.txt")"
	assertEquals lower "$(cat "$WORK/o/lower/lower.txt")"
	assertNull 'nothing is mounted here' "$(ls "$WORK/o/merge")"
}

# Notes 002 and 004: two containers of one image don't see each other's writes [54] [113]
test_two_containers_of_one_image() {
	open_terminal 7 'ctrbox run -it --name one busybox sh'
	open_terminal 8 'ctrbox run -it --name two busybox sh'
	type_in 7 'echo hello >/hello; rm /etc/group; ls / | grep hello'
	assert_screen 7 '^hello$'
	type_in 8 'ls /hello; ls -d /etc/group; echo two >/hello; cat /hello'
	assert_screen 8 'ls: /hello: No such file'
	assert_screen 8 '^/etc/group$'
	assert_screen 8 '^two$'
	type_in 7 'cat /hello | sed s/^/still:/'
	assert_screen 7 '^still:hello$'
	close_terminal 7
	close_terminal 8
	run_cap ctrbox run --rm busybox ls /hello /etc/group
	assert_rc 1
	assert_out /etc/group
	assertEquals 'each has its own' 4 "$(find "$CTRBOX_ROOT/containers" -mindepth 2 -maxdepth 2 \( -name upper -o -name work \) | wc -l)"
}

# Note 003 v0.5: a directory of the host's; both ways, and in the next container [79] [87] [88] [89]
test_volume() {
	session "ctrbox run -it --rm -v $WORK/root/dataVolume:/container/dataVolume busybox sh" <<'END'
ls
mount
echo "container write" >> /container/dataVolume/test.txt
cat /container/dataVolume/test.txt
exit
END
	assert_rc 0
	assert_out_match 'container'
	assert_out_match ' on /container/dataVolume type '
	assert_out_match '^container write$'
	assertEquals 'container write' "$(cat "$WORK/root/dataVolume/test.txt")"
	echo 'host write' >>"$WORK/root/dataVolume/test.txt"
	session "ctrbox run -it --rm -v $WORK/root/dataVolume:/container/dataVolume busybox sh" <<'END'
cat /container/dataVolume/test.txt
exit
END
	assert_out_match '^container write$'
	assert_out_match '^host write$'
	rm -r "$WORK/root/dataVolume"
}

# Note 003 v0.6: a running container packed into a tar that unpacks to the whole tree [91], and as an image [92]
test_pack_a_running_container() {
	open_terminal 7 'ctrbox run -it --name bird busybox sh'
	type_in 7 'mkdir /nest && echo egg >/nest/egg && echo laid'
	assert_screen 7 '^laid$'
	run_cap ctrbox export bird
	assert_rc 0
	mkdir "$WORK/untar"
	tar -xf "$WORK/.out" -C "$WORK/untar"
	assertEquals 0 $?
	assertEquals egg "$(cat "$WORK/untar/nest/egg")"
	for name in bin dev etc home proc root sys tmp usr var; do
		assertTrue "$name" "[ -d '$WORK/untar/$name' ]"
	done
	run_cap ctrbox commit bird image
	assert_rc 0
	type_in 7 'cat /nest/egg'
	assert_screen 7 '^egg$'
	close_terminal 7
	run_cap ctrbox run --rm image cat /nest/egg
	assert_out egg
	rm -r "$WORK/untar"
	ctrbox rm bird >/dev/null
	ctrbox rmi image >/dev/null
}

# listed COLUMNS: `ps`, the containers in the order of their names
listed() {
	ctrbox ps -n -r -o "$1" | sort | tr '\t' ' ' | paste -s -d, | sed 's/,/, /g'
}

# Note 003 v0.12 from beginning to end [90] [101] [113] [114] [115] [117]
test_commit() {
	run_cap ctrbox ps -n
	assert_out ''
	ctrbox run -d --name container1 -v "$WORK/from1:/to1" busybox top >/dev/null
	ctrbox run -d --name container2 -v "$WORK/from2:/to2" busybox top >/dev/null
	assertEquals 'container1 running top, container2 running top' "$(listed name,status,command)"
	session 'ctrbox exec -it container1 sh' <<'END'
echo "hello container1" >> /to1/test1.txt
echo -e "hello container1, to1-1, test1" >> /to1-1/test1.txt
mkdir to1-1
echo -e "hello container1, to1-1, test1" >> /to1-1/test1.txt
ls
exit
END
	assert_out_match "can't create /to1-1/test1.txt: nonexistent directory"
	assert_out_match '(^| )to1-1( |$)'
	assertEquals 'hello container1' "$(cat "$WORK/from1/test1.txt")"
	assertNull 'the other volume' "$(ls "$WORK/from2")"
	run_cap ctrbox commit container1 image1
	assert_ok
	run_cap ctrbox stop container1
	assert_ok
	run_cap ctrbox rm container1
	assert_ok
	assertEquals container2 "$(listed name)"
	assertEquals "the volume's data stay" 'hello container1' "$(cat "$WORK/from1/test1.txt")"
	run_cap ctrbox images -n -r -o name
	assert_out "$(printf 'busybox:latest\nimage1:latest')"
	run_cap ctrbox run -d --name container3 -v "$WORK/from1:/to1" image1 top
	assert_ok
	session 'ctrbox exec -it container3 sh' <<'END'
ls
cat to1/test1.txt
cat to1-1/test1.txt
echo -e "hello container3" >> /to1/test2.txt
cat /to1/test2.txt
exit
END
	assert_out_match '(^| )to1-1( |$)'
	assert_out_match '^hello container1$'
	assert_out_match '^hello container1, to1-1, test1$'
	assert_out_match '^hello container3$'
	assertEquals 'hello container3' "$(cat "$WORK/from1/test2.txt")"
	assertEquals 'container2, container3' "$(listed name)"
	run_cap ctrbox stop container2 container3
	assert_ok
	run_cap ctrbox rm container2 container3
	assert_ok
	run_cap ctrbox ps -a -n
	assert_out ''
	ctrbox rmi image1 >/dev/null
}

# Note 004: layers on layers; each commit is one more, what is below stays as it is [191]
test_layers_on_layers() {
	ctrbox run --name first busybox sh -c 'echo one >/one; echo one >/both; rm -r /srv'
	ctrbox commit first layer1 >/dev/null
	ctrbox run --name second layer1 sh -c 'echo two >/two; echo two >/both; rm /one; mkdir /srv; echo new >/srv/new'
	ctrbox commit second layer2 >/dev/null
	run_cap ctrbox run --rm layer2 sh -c 'cat /both /two /srv/*; ls /one'
	assert_rc 1
	assert_out "$(printf 'two\ntwo\nnew')"
	run_cap ctrbox run --rm layer1 sh -c 'cat /one /both; ls /srv /two'
	assert_out "$(printf 'one\none')"
	run_cap ctrbox images -n -r -o name,layers
	assert_out "$(printf 'busybox:latest\t1\nlayer1:latest\t2\nlayer2:latest\t3')"
	ctrbox rm first second >/dev/null
	ctrbox rmi layer2 layer1 >/dev/null
}

# Notes 003 and 004: a folder of image tars; one that is dropped in can be run and is listed [45] [116] [117]
test_a_folder_of_images() {
	mkdir "$WORK/images" "$WORK/tree"
	make_rootfs "$WORK/tree"
	echo hi >"$WORK/tree/greeting"
	tar -cf "$WORK/images/hello.tar" -C "$WORK/tree" .
	tar -czf "$WORK/images/packed.tar.gz" -C "$WORK/tree" .
	CTRBOX_IMAGES=$WORK/images
	for name in hello packed; do
		run_cap ctrbox run --rm $name cat /greeting
		assert_rc 0
		assert_out hi
	done
	mv "$WORK/images/hello.tar" "$WORK/images/later.tar"
	run_cap ctrbox run --rm later cat /greeting
	assert_out hi
	run_cap ctrbox run --rm hello cat /greeting
	assert_out hi
	run_cap ctrbox run --rm never true
	assert_rc 125
	run_cap ctrbox images -n -r -o name
	assert_out_match '^hello:latest$'
	assert_out_match '^later:latest$'
	CTRBOX_IMAGES=$BUILD
	ctrbox rmi hello later packed >/dev/null
	rm -r "$WORK/images" "$WORK/tree"
}

# Note 004: `tar -cf busybox.tar busybox/`: a leading folder [166]; of docker export's form, .tar and .tar.gz [45]
test_import_with_a_leading_folder() {
	make_rootfs "$WORK/busybox"
	tar -cf "$WORK/b.tar" -C "$WORK" busybox/
	gzip -k "$WORK/b.tar"
	for tar in b.tar b.tar.gz; do
		ctrbox image import --strip 1 folder <"$WORK/$tar" >/dev/null
		run_cap ctrbox run --rm folder pwd
		assert_ok
		assert_out /
		ctrbox rmi folder >/dev/null
	done
	rm -r "$WORK/b.tar" "$WORK/b.tar.gz" "$WORK/busybox"
}

# Note 004: without overlay the image is copied, and it works all the same: here on a file system that can't hold an upper [187]
test_without_overlay() {
	mkdir "$WORK/ram"
	mount -t ramfs ramfs "$WORK/ram"
	CTRBOX_ROOT=$WORK/ram
	run_cap ctrbox run --name bird busybox sh -c 'echo egg >/root/nest; rm -r /srv; grep " / " /proc/mounts'
	assert_rc 0
	assert_out_match '^ramfs / ramfs '
	assert_err_match 'is copied$'
	run_cap ctrbox run --rm busybox ls -d /root/nest /srv
	assert_rc 1
	assert_out /srv
	run_cap ctrbox start bird cat /root/nest
	assert_out egg
	run_cap ctrbox commit bird image1
	assert_rc 0
	run_cap ctrbox run --rm image1 cat /root/nest
	assert_out egg
	ctrbox rm bird >/dev/null
	assertNull 'groups are left' "$(leftovers)"
	CTRBOX_ROOT=$WORK/root
	umount "$WORK/ram"
	rmdir "$WORK/ram"
}

# Note 004: images and containers in folders apart [188]
test_images_and_containers_apart() {
	need_busybox
	run_cap ctrbox run -d --name bird busybox top
	id=$out
	assertTrue "$CTRBOX_ROOT" "[ -d $CTRBOX_ROOT/containers/$id ] && [ -d $CTRBOX_ROOT/images ]"
	assertNull 'among the images' "$(find "$CTRBOX_ROOT/images" "$CTRBOX_ROOT/layers" -name "$id*")"
}

. shunit2
