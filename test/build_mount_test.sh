#!/bin/sh
# ctr-image build: RUN --mount.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; variables of Containerfiles
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/built_lib.sh
. "$TOP/test/built_lib.sh"

oneTimeSetUp() {
	make_base
	mkdir -p context/dir/sub
	echo one >context/dir/one
	echo two >context/dir/sub/two
}

tearDown() {
	rm -f context/.dockerignore
	assert_nothing_left
}

test_bind_of_the_context() {
	built --net none <<-'END'
		FROM base
		WORKDIR /w
		RUN --mount=target=/ctx cat /ctx/dir/one; ls /ctx | xargs; touch /ctx/dir/one || echo ro
		RUN --mount=type=bind,src=dir,dst=rel cat rel/one rel/sub/two
		RUN --mount=type=bind,source=/dir/sub/two,destination=/etc/two --mount=type=bind,source=dir/one,target=/etc/one cat /etc/one /etc/two
	END
	assert_built
	assertEquals "one Containerfile dir touch: /ctx/dir/one: Read-only file system ro one two one two" "$(said | xargs)"
}

# What is written there is gone with the step, wherever it comes from.
test_bind_to_write_to() {
	built --net none -t rw <<-'END'
		FROM base AS first
		RUN mkdir /given; echo given >/given/file
		FROM base
		RUN --mount=type=bind,source=dir,target=/d,rw echo more >>/d/one && rm -r /d/sub && touch /d/new && cat /d/one
		RUN --mount=type=bind,source=dir/one,target=/one,readwrite=true echo yet >>/one && cat /one
		RUN --mount=type=bind,from=first,source=given,target=/g,ro=false echo more >>/g/file; cat /g/file
		RUN --mount=type=bind,from=first,source=given/file,target=/f cat /f
		RUN --mount=type=bind,from=base,target=/base ls -d /base/bin/sh && ! touch /base/x
	END
	assert_built
	assertEquals 'one more one yet given more given /base/bin/sh' "$(said | sed 's/^\[1\] //; /Read-only/d' | xargs)"
	assertEquals 'the context is what it was' 'one two' "$(cat context/dir/one context/dir/sub/two | xargs)"
	assertNull "$(in_image rw find / -xdev -name given -o -xdev -name g -o -xdev -name d -maxdepth 1)"
}

# What .dockerignore leaves out isn't there.
test_bind_and_ignored_files() {
	echo dir/one >context/.dockerignore
	built --net none <<-'END'
		FROM base
		RUN --mount=type=bind,target=/ctx cd /ctx; find dir
	END
	assert_built
	assertEquals 'dir dir/sub dir/sub/two' "$(said | sort | xargs)"
	built --net none <<-'END'
		FROM base
		RUN --mount=type=bind,source=dir/one,target=/one true
	END
	assert_refused 'Containerfile:2: RUN: --mount=type=bind,source=dir/one,target=/one: dir/one: .*nothing'
}

test_cache() {
	built --net none <<-'END'
		FROM base
		RUN --mount=type=cache,target=/var/cache/x echo 1 >>/var/cache/x/n
	END
	assert_built
	assertNull 'not in the image' "$(in_image "$out" ls /var/cache/x 2>/dev/null)"
	built --net none <<-'END'
		FROM base
		USER nobody
		RUN --mount=type=cache,target=/var/cache/x cat /var/cache/x/n; touch /var/cache/x/y 2>/dev/null || echo no; stat -c %u:%a /var/cache/x
		RUN --mount=type=cache,target=/var/cache/x,readonly,id=/var/cache/x sh -c 'echo >/var/cache/x/n' 2>&1 | sed 's/.*: //'
		RUN --mount=type=cache,id=own,target=/own,uid=65534,gid=7,mode=0711 echo mine >/own/file; stat -c %u:%g:%a /own
		RUN --mount=type=cache,id=own,target=/elsewhere,sharing=locked cat /elsewhere/file
		RUN --mount=type=cache,target=/own,sharing=private ls /own
	END
	assert_built
	assertEquals '1 no 0:755 Read-only file system 65534:7:711 mine' "$(said | xargs)"
}

# Of two builds that want it alone, one waits for the other.
test_cache_locked() {
	mkfifo context/go
	cat >one.file <<-'END'
		FROM base
		RUN --mount=type=cache,target=/c,sharing=locked --mount=target=/ctx echo begun; cat /ctx/go >/c/who
	END
	cat >other.file <<-'END'
		FROM base
		RUN --mount=type=cache,target=/c,sharing=locked cat /c/who
	END
	timeout 60 ctr-image build --net none -f one.file context >/dev/null 2>told &
	one=$!
	wait_for 30 grep -q ^begun told
	timeout 60 ctr-image build --net none -f other.file context >/dev/null 2>other.told &
	other=$!
	wait_for 30 grep -q '^\[2/2\]' other.told
	assertNull 'it waits' "$(grep -v '^\[' other.told)"
	echo first >context/go
	wait $one
	assertEquals 0 $?
	wait $other
	assertEquals 0 $?
	assertEquals 'the second one saw what the first one wrote' first "$(grep -v '^\[' other.told)"
	rm context/go
}

test_tmpfs() {
	built --net none <<-'END'
		FROM base
		RUN --mount=type=tmpfs,target=/var/tmp,size=1m grep -c ' /var/tmp tmpfs .*size=1024k' /proc/mounts; touch /var/tmp/x
		RUN --mount=type=tmpfs,target=/tmp touch /tmp/x
	END
	assert_built
	assertEquals 1 "$(said)"
	assertNull "$(last_layer "$out")"
}

test_secrets() {
	echo geheim >key
	A_SECRET=variable
	export A_SECRET
	cat >secret.file <<-'END'
		FROM base
		USER 77:77
		RUN --mount=type=secret,id=k,uid=77 cat /run/secrets/k; stat -c %u:%g:%a /run/secrets/k
		RUN --mount=type=secret,id=k,target=/etc/k,uid=5,gid=77,mode=0440 cat /etc/k; stat -c %u:%g:%a /etc/k
		RUN --mount=type=secret,id=v,env=V echo $V; ls /run/secrets 2>/dev/null; true
		RUN --mount=type=secret,id=A_SECRET,env=W,target=/w,mode=444 echo $W; cat /w
		RUN --mount=type=secret,id=none echo none
		RUN --mount=type=secret,target=/run/k,mode=0444 wc -c </run/k
	END
	run_cap ctr-image build --net none -t s --secret id=k,src=key --secret id=v,env=A_SECRET --secret id=A_SECRET -f secret.file context
	assert_built
	assertEquals 'geheim 77:0:400 geheim 5:77:440 variable variable variable none 7' "$(said | xargs)"
	assertNull 'nothing of them is kept' "$(grep -rlE 'geheim|variable' "$CTRBOX_ROOT" "$CTRBOX_RUN" | grep -v "$(basename "$(dirname "$(grep -rl geheim "$CTRBOX_ROOT/images" || echo x/x)")")")"
	built --net none <<-'END'
		FROM base
		RUN --mount=type=secret,id=k,required env
	END
	assert_refused 'Containerfile:2: RUN: --mount=.*secret k: is required, and not given \(--secret id=k,src=FILE\)$'
	run_cap ctr-image build --net none --secret id=k,src=nofile context
	assert_refused 'Containerfile:2: RUN: --mount=.*secret k: read nofile: No such file or directory$'
	run_cap ctr-image build --net none --secret id=k,env=NO_VARIABLE context
	assert_refused 'Containerfile:2: RUN: --mount=.*secret k: there is no variable NO_VARIABLE$'
	for bad in src=key id=k,nonsense=1 id= ''; do
		run_cap ctr-image build --net none --secret "$bad" context
		assert_refused ".*--secret $bad: .*id=ID"
	done
}

# A secret that changes is no other step; one that a step reads is asked for all the same.
test_secrets_and_the_cache() {
	cat >context/Containerfile <<-'END'
		FROM base
		RUN --mount=type=secret,id=k cat /run/secrets/k
	END
	echo 1 >key
	run_cap ctr-image build --net none --secret id=k,src=key context
	assertEquals 1 "$(said)"
	first=$out
	echo 2 >key
	run_cap ctr-image build --net none --secret id=k,src=key context
	assertEquals "$first" "$out"
	assert_err_match 'cached$'
}

# Variables in what it says.
test_variables() {
	built --net none --build-arg WHERE=/mnt/x <<-'END'
		FROM base
		ARG WHERE
		ENV FILE=one
		RUN --mount=type=bind,source=dir/$FILE,target=${WHERE} cat /mnt/x
	END
	assert_built
	assertEquals one "$(said)"
}

# bad WORDS ERE
bad() {
	printf '%s\n' 'FROM base' "RUN --mount=$1 true" >context/Containerfile
	run_cap timeout 60 ctr-image build --net none context
	assert_refused "Containerfile:2: .*$2"
}

test_bad() {
	bad type=ssh,target=/x 'type=ssh: none of bind, cache, tmpfs, secret'
	bad type=bind,source=dir 'target= is missing'
	bad type=bind,source=nowhere,target=/x 'nowhere: there is nothing'
	bad type=bind,source=../..,target=/x/y/../.. 'target=/'
	bad type=bind,from=nobody,target=/x '--from=nobody|from=nobody'
	bad type=bind,target=/x,foo=bar 'foo=bar: unknown'
	bad type=cache,target=/x,sharing=some 'sharing=some'
	bad type=cache,target=/x,from=base 'from='
	bad type=cache,target=/x,mode=rwx 'mode=rwx: no octal mode'
	bad type=cache,target=/x,mode=77777 'mode=77777'
	bad type=cache,target=/x,uid=nobody 'uid=nobody: no such number'
	bad type=tmpfs,target=/x,size=big 'mount tmpfs on /x'
	bad type=tmpfs 'target= is missing'
	bad type=secret 'needs id='
	bad type=bind,target=/x,ro=perhaps 'ro=perhaps'
	bad type=bind,target=/bin/sh/x 'bin/sh'
	bad type=bind,source=/dir/one,target=/bin/ 'bin'
}

# Nothing outside the context is mounted, whatever links say.
test_no_way_out() {
	ln -s /etc context/out
	ln -s ../../../../../etc/passwd context/up
	for source in out/passwd up ../../../etc/passwd; do
		bad "type=bind,source=$source,target=/x" ':'
	done
	rm context/out context/up
}

# What changes while a command looks at it: the next build, which finds it as it was at first, doesn't get what came of that.
test_a_context_that_changes_meanwhile() {
	cat >context/Containerfile <<-'END'
		FROM base
		RUN --mount=type=bind,target=/c cat /c/word >/word; echo begun; until [ -e /c/go ]; do sleep 0.1; done
	END
	echo first >context/word
	for time in 1 2; do
		rm -f context/go
		ctr-image build --net none -t t context >id 2>told &
		build=$!
		wait_for 60 grep -q ^begun told
		assertEquals "not from the cache, time $time" 0 $?
		touch context/go
		wait "$build"
		assertEquals "$(cat told)" 0 $?
	done
	rm -f context/go context/word
	ctr-image rm t
}

. shunit2
