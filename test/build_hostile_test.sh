#!/bin/sh
# ctr-image build of a Containerfile, context and base that strangers wrote: nothing outside of its place is read or written, nobody else's build gets
# what they made, and it can be ended.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; variables of Containerfiles
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/built_lib.sh
. "$TOP/test/built_lib.sh"

oneTimeSetUp() { make_base; }

tearDown() {
	rm -rf context
	mkdir context
	assert_nothing_left
}

# A heredoc's name becomes a file's.
test_names_that_lead_elsewhere() {
	echo precious >precious
	for name in "$WORK/precious" ../precious ../../../../../../../../..$WORK/precious a/b / .. .; do
		for word in ADD COPY; do
			built --net none <<-END
				FROM scratch
				$word <<$name /
				overwritten
				$name
			END
			assert_refused 'Containerfile:2: .*no name for a file'
			built --net none <<-END
				FROM scratch
				$word ["<<$name", "/d/"]
				overwritten
				$name
			END
			[ "$rc" = 1 ] || assert_built # a file of that name, if it is no heredoc
		done
	done
	assertEquals precious "$(cat precious)"
}

# What a link in the image says is no better.
test_links_to_what_is_no_file() {
	for to in /.. .. . / ../.. sub/..; do
		built --net none <<-END
			FROM base
			RUN mkdir -p /d/sub && echo keep >/d/sub/keep && ln -s $to /d/sub/link && ln -s nothing/.. /d/sub/odd
			COPY <<E /d/sub/odd
			text
			E
		END
		[ "$rc" = 1 ] || assert_built
	done
	assertTrue 'the store is whole' "[ -d '$CTRBOX_ROOT/layers' ] && [ -d '$CTRBOX_ROOT/containers' ]"
}

test_the_hosts_network_is_for_the_user_to_give() {
	for net in none default; do
		[ $net = default ] || set -- --net $net
		built "$@" <<-'END'
			FROM base
			RUN --network=host true
		END
		assert_refused 'Containerfile:2: RUN: --network=host: only where the build has --net host'
		set --
	done
	built --net none <<-'END'
		FROM base
		ADD http://127.0.0.1:9/x /
	END
	assert_refused 'Containerfile:2: ADD: http://127.0.0.1:9/x: --net none'
}

# tarball FILE NAME..: of empty files.
tarball() {
	_to=$1
	shift
	touch "$@"
	tar -cf "$_to" "$@"
	rm "$@"
}

# Two archives are not one that has both in it, whatever is between them.
test_no_two_steps_have_one_key() {
	tarball context/a.tar one
	tarball context/b.tar two
	built --net none -t two <<-'END'
		FROM base
		ADD a.tar b.tar /d/
	END
	assert_built
	for between in '' '-\0377\0377\0377\0377\0377\0377\0377\0377' '\0000' 'a.tar\0000'; do
		{ cat context/a.tar && printf '%b' "$between" && cat context/b.tar; } >context/ab.tar
		built --net none -t one <<-'END'
			FROM base
			ADD ab.tar /d/
		END
		assert_built
		assertNull 'made anew' "$(printf '%s' "$err" | grep cached)"
	done
	built --net none -t two <<-'END'
		FROM base
		ADD a.tar b.tar /d/
	END
	assertEquals 'one two' "$(in_image two ls /d | xargs)"
}

# An archive that is another one while it is unpacked, and then the first again.
test_an_archive_that_changes_meanwhile() {
	dd if=/dev/zero of=big bs=1M count=300 status=none
	echo good >word
	tar -cf context/x.tar big word
	rm big word
	at=$(grep -abo good context/x.tar | tail -n 1 | cut -d: -f1)
	built_in_background=$(mktemp -p .)
	printf 'FROM base\nADD x.tar /d/\n' >context/Containerfile
	ctr-image build --net none -t t context >/dev/null 2>"$built_in_background" &
	build=$!
	wait_for 60 sh -c "ls '$CTRBOX_ROOT'/containers/*/upper/d/big"
	printf evil | dd of=context/x.tar bs=1 seek="$at" conv=notrunc status=none
	wait_for 60 sh -c "ls '$CTRBOX_ROOT'/containers/*/upper/d/word || ! kill -0 $build"
	wait "$build"
	assertEquals "$(cat "$built_in_background")" 0 $?
	printf good | dd of=context/x.tar bs=1 seek="$at" conv=notrunc status=none
	run_cap ctr-image build --net none -t t context
	assert_rc 0
	assertEquals good "$(in_image t cat /d/word)"
	ctr-image rm t
}

# Each lock of a cache mount is taken once, and in one order.
test_cache_mounts_that_wait_for_one_another() {
	for _ in 1 2 3 4; do
		built --net none --no-cache <<-'END'
			FROM base AS one
			RUN --mount=type=cache,id=x,sharing=locked,target=/x --mount=type=cache,id=y,sharing=locked,target=/y touch /x/one /y/one
			FROM base
			RUN --mount=type=cache,id=y,sharing=locked,target=/y --mount=type=cache,id=x,sharing=locked,target=/x --mount=type=cache,id=x,target=/z touch /y/two /z/two
			COPY --from=one /bin/true /
		END
		assert_built
	done
	ctr-image prune >/dev/null
	make_base
}

# What takes long to unpack ends at once.
test_a_bomb() {
	truncate -s 4000M big
	tar -czf context/bomb.tar.gz big
	rm big
	printf 'FROM scratch\nADD bomb.tar.gz /\n' >context/Containerfile
	for how in group alone; do
		env --default-signal setsid ctr-image build --net none context >id 2>told &
		build=$!
		wait_for 60 sh -c "ls '$CTRBOX_ROOT'/containers/*/upper/big"
		if [ $how = group ]; then env kill -TERM -- "-$build"; else kill -TERM "$build"; fi
		wait_for 10 sh -c "! kill -0 $build 2>/dev/null || grep -q '^State:.Z' /proc/$build/status"
		assertEquals "$how: it ends soon" 0 $?
		wait "$build"
		assertEquals 143 $?
		assert_nothing_left
	done
}

# What only a RUN needed is in no layer, wherever links lead; and its going isn't the RUN's failure.
test_places_behind_links() {
	mkdir context/etc
	ln -s ../run/deep/down/stub.conf context/etc/resolv.conf
	built --net none -t t <<-'END'
		FROM base
		COPY etc /etc
		RUN true
	END
	assert_built
	assertNull "$(last_layer t)" "$(ctr-image export t | tar -t | grep deep)"
	built --net none -t t <<-'END'
		FROM base
		RUN --mount=type=tmpfs,target=/a/b mv /a /c && touch /a
	END
	assert_built
	ctr-image rm t
}

# Who builds with a umask builds the same.
test_a_umask() {
	mask=$(umask)
	umask 077
	built --net none -t t <<-'END'
		FROM base
		USER 1000
		RUN --mount=type=cache,target=/cache ls -d /cache && id -u
	END
	umask "$mask"
	assert_built
	assertEquals '/cache 1000' "$(said | xargs)"
	assertEquals 'drwxr-xr-x' "$(in_image t stat -c %A /)"
	ctr-image rm t
}

test_more_stages_than_anybody_has() {
	yes 'FROM scratch' | head -n 60000 >context/Containerfile
	run_cap timeout 20 ctr-image build context
	assert_refused 'Containerfile:501: more than 500 stages'
	yes 'FROM base' | head -n 40 >context/Containerfile
	run_cap timeout 60 ctr-image build --net none context
	assert_rc 0
}

. shunit2
