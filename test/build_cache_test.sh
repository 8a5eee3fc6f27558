#!/bin/sh
# ctr-image build: what is taken from earlier builds, and what isn't; what ctr-image prune, rm and ctr-gc do about it.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; variables of Containerfiles
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/built_lib.sh
. "$TOP/test/built_lib.sh"

oneTimeSetUp() {
	make_base
}

tearDown() {
	assert_nothing_left
}

# cached N: the last build took N steps from the cache.
cached() {
	assertEquals "steps from the cache: $err" "$1" "$(printf '%s\n' "$err" | grep -c 'cached$')"
}

# made CACHED LINES..: a build of these lines.
made() {
	want=$1
	shift
	printf '%s\n' "$@" >context/Containerfile
	# shellcheck disable=SC2086 # options
	run_cap timeout 120 ctr-image build --net none $options context
	assert_built
	cached "$want"
}
options=

layers() { ls "$CTRBOX_ROOT/layers"; }

test_the_same_again() {
	made 0 'FROM base' 'RUN echo "again" >/f' 'WORKDIR /w' 'RUN date +%N >/w/t'
	first=$out
	made 3 'FROM base' 'RUN echo "again" >/f' 'WORKDIR /w' 'RUN date +%N >/w/t'
	assertEquals 'the same image' "$first" "$out"
	options=--no-cache
	made 0 'FROM base' 'RUN echo "again" >/f' 'WORKDIR /w' 'RUN date +%N >/w/t'
	options=
	assertNotEquals 'made anew' "$first" "$out"
	anew=$out
	made 3 'FROM base' 'RUN echo "again" >/f' 'WORKDIR /w' 'RUN date +%N >/w/t'
	assertEquals 'what was made last counts' "$anew" "$out"
}

# Whatever the command can see makes another step; nothing else does.
test_what_run_depends_on() {
	run='RUN id -u >/f'
	made 0 'FROM base' "$run"
	made 1 'FROM base' "$run" 'LABEL a=1'
	made 1 'FROM base' 'LABEL a=1' 'CMD ["x"]' 'EXPOSE 8' 'VOLUME /v' "$run"
	made 1 'FROM base AS other' '# a comment' 'FROM base AS name' "$run"
	made 0 'FROM base' 'ENV A=1' "$run"
	made 0 'FROM base' 'ENV A=2' "$run"
	made 0 'FROM base' 'ARG A=1' 'ARG B=2' "$run"
	made 1 'FROM base' 'ENV A=1' "$run"
	made 0 'FROM base' 'USER 5' 'WORKDIR /tmp' 'RUN id -u'
	made 0 'FROM base' 'USER 6' 'WORKDIR /tmp' 'RUN id -u'
	made 0 'FROM base' 'USER 6' 'WORKDIR /var' 'RUN id -u'
	made 0 'FROM base' 'SHELL ["sh", "-ec"]' "$run"
	made 0 'FROM base' 'RUN ["/bin/sh", "-c", "true"]'
	made 1 'FROM base' 'RUN true'
	made 1 'FROM base' 'RUN true ' 'RUN true'
	made 0 'FROM base' 'RUN --network=none echo n'
	options='--net host'
	made 0 'FROM base' 'RUN echo n'
	options=
}

test_args_and_the_cache() {
	options='--build-arg A=1'
	made 0 'FROM base' 'ARG A' 'RUN echo $A >/a'
	options='--build-arg A=2'
	made 0 'FROM base' 'ARG A' 'RUN echo $A >/a'
	options='--build-arg A=1'
	made 1 'FROM base' 'ARG A' 'RUN echo $A >/a'
	made 0 'FROM base' 'RUN echo before' 'ARG A' 'RUN echo $A'
	options='--build-arg A=3'
	made 1 'FROM base' 'RUN echo before' 'ARG A' 'RUN echo $A'
	options=
}

test_mounts_and_the_cache() {
	mkdir -p context/d
	echo 1 >context/d/f
	run='RUN --mount=type=bind,source=d,target=/d cat /d/f >/f'
	made 0 'FROM base' "$run"
	touch context/d/f
	made 1 'FROM base' "$run"
	echo 2 >context/d/f
	made 0 'FROM base' "$run"
	assertEquals 2 "$(in_image "$out" cat /f)"
	chmod 600 context/d/f
	made 0 'FROM base' "$run"
	echo more >context/another
	made 1 'FROM base' "$run"
	rm context/another
	made 0 'FROM base' 'RUN --mount=type=cache,target=/c touch /c/f'
	made 1 'FROM base' 'RUN --mount=type=cache,target=/c touch /c/f'
	made 0 'FROM base' 'RUN --mount=type=cache,target=/c,mode=0700 touch /c/f'
	made 0 'FROM base' 'RUN --mount=type=cache,target=/c,id=other touch /c/f'
}

# One step that is done anew gives the same files: what follows is as it was. Other files: it is done anew.
test_what_follows() {
	made 0 'FROM base AS one' 'RUN echo 1 >/f; touch -d @0 /f / ' 'FROM base' 'COPY --from=one /f /' 'RUN cat /f'
	made 2 'FROM base AS one' 'RUN echo "1" >/f; touch -d @0 /f /' 'FROM base' 'COPY --from=one /f /' 'RUN cat /f'
	made 0 'FROM base AS one' 'RUN echo 2 >/f; touch -d @0 /f /' 'FROM base' 'COPY --from=one /f /' 'RUN cat /f'
	assertEquals 2 "$(in_image "$out" cat /f)"
}

test_another_base() {
	made 0 'FROM base' 'RUN touch /new'
	ctr-image tag base kept
	built -q -t base <<-'END'
		FROM kept
		RUN touch /other
	END
	made 0 'FROM base' 'RUN touch /new'
	ctr-image tag kept base
	made 1 'FROM base' 'RUN touch /new'
	ctr-image rm kept >/dev/null
}

# A failed step isn't kept; those before it are.
test_after_a_failure() {
	printf '%s\n' 'FROM base' 'RUN echo kept' 'RUN exit 3' >context/Containerfile
	run_cap ctr-image build --net none context
	assert_refused 'Containerfile:3: '
	cached 0
	run_cap ctr-image build --net none context
	assert_refused 'Containerfile:3: '
	cached 1
	made 1 'FROM base' 'RUN echo kept' 'RUN exit 0'
}

# The layers of steps stay when their images go, until prune; then nothing stays that no image has.
test_rm_gc_and_prune() {
	ctr-image prune >/dev/null
	before=$(layers)
	made 0 'FROM base' 'RUN echo 1 >/1' 'RUN --mount=type=cache,target=/c echo 2 | tee /2 >/c/2'
	first=$out
	ctr-image rm "$out" >/dev/null
	ctr-gc >/dev/null
	made 2 'FROM base' 'RUN echo 1 >/1' 'RUN --mount=type=cache,target=/c echo 2 | tee /2 >/c/2'
	assertEquals "$first" "$out"
	ctr-image tag "$out" named
	run_cap ctr-image prune
	assert_rc 0
	assert_out_match '^build step [0-9a-f]{64}$'
	assert_out_match '^build mount '
	assertEquals 'what an image has stays' '1 2' "$(in_image named cat /1 /2 | xargs)"
	made 0 'FROM base' 'RUN echo 1 >/1' 'RUN --mount=type=cache,target=/c cat /c/2 2>/dev/null >/2; true'
	ctr-image rm "$out" named >/dev/null
	ctr-image prune >/dev/null
	assertEquals 'no layer is left over' "$before" "$(layers)"
	assertNull "$(find "$CTRBOX_ROOT/build" -mindepth 2)"
}

# A layer that isn't there, or a note that says nothing: the step is done again.
test_lost_layers() {
	made 0 'FROM base' 'RUN echo lost >/lost'
	layer=$(ctr-image inspect "$out" | jq -r '.[0].layers[-1].diff_id')
	ctr-image rm "$out" >/dev/null
	rm -r "${CTRBOX_ROOT:?}/layers/${layer:?}"
	made 0 'FROM base' 'RUN echo lost >/lost'
	assertEquals lost "$(in_image "$out" cat /lost)"
	find "$CTRBOX_ROOT/build/steps" -type l | while read -r step; do
		ln -sfn ../../../../etc "$step"
	done
	made 0 'FROM base' 'RUN echo lost >/lost'
	assertEquals lost "$(in_image "$out" cat /lost)"
	made 1 'FROM base' 'RUN echo lost >/lost'
}

# Eight of the same at once, and some prune meanwhile: each is whole.
test_at_the_same_time() {
	printf '%s\n' 'FROM base AS a' 'RUN echo a >/a' 'FROM base AS b' 'RUN echo b >/b' 'FROM base' 'COPY --from=a /a /' 'COPY --from=b /b /' >context/Containerfile
	for i in 1 2 3 4 5 6 7 8; do
		timeout 120 ctr-image build -q --net none -t "same$i" context >"id$i" 2>"told$i" &
		eval "pid$i=$!"
		[ $((i % 3)) != 0 ] || ctr-image prune >/dev/null
	done
	for i in 1 2 3 4 5 6 7 8; do
		eval "wait \$pid$i"
		assertEquals "$i: $(cat told$i)" 0 $?
		assertEquals "$i" 'a b' "$(in_image "same$i" cat /a /b | xargs)"
	done
	ctr-image prune >/dev/null
	assertEquals 'a b' "$(in_image same1 cat /a /b | xargs)"
	ctr-image rm same1 same2 same3 same4 same5 same6 same7 same8 >/dev/null
}

# prune while a step is at work: what the build has stays, and its cache mount too.
test_prune_beside_a_build() {
	mkfifo context/go
	cat >context/Containerfile <<-'END'
		FROM base
		RUN echo one >/one
		RUN --mount=type=cache,target=/c --mount=target=/x echo begun; cat /x/go >/c/f; cat /c/f >/two
	END
	timeout 120 ctr-image build --net none -t beside context >/dev/null 2>told &
	pid=$!
	wait_for 60 grep -q ^begun told
	assertEquals 'it is at work' 0 $?
	ctr-image prune >/dev/null
	ctr-gc >/dev/null
	echo two >context/go
	wait $pid
	assertEquals "$(cat told)" 0 $?
	assertEquals 'one two' "$(in_image beside cat /one /two | xargs)"
	rm context/go
	ctr-image rm beside >/dev/null
}

# With SOURCE_DATE_EPOCH the image is the same from wherever, whenever.
test_reproducible() {
	cat >context/Containerfile <<-'END'
		FROM base
		RUN mkdir /d; echo 1 >/d/f
		WORKDIR /w/x
		COPY Containerfile .
	END
	cp -r context elsewhere
	SOURCE_DATE_EPOCH=1000000000
	export SOURCE_DATE_EPOCH
	run_cap ctr-image build --net none context
	assert_built
	first=$out
	assertEquals 2001-09-09T01:46:40 "$(ctr-image inspect "$out" | jq -r '.[0].created[:19]')"
	run_cap ctr-image build --net none --no-cache elsewhere
	assertEquals "$first" "$out"
	assertEquals 'no file is younger' 1000000000 "$(in_image "$out" stat -c %Y /d/f)"
	SOURCE_DATE_EPOCH=yesterday
	run_cap ctr-image build --net none context
	assert_refused 'SOURCE_DATE_EPOCH=yesterday: '
	unset SOURCE_DATE_EPOCH
	rm -r elsewhere
}

. shunit2
