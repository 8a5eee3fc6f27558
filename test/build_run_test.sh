#!/bin/sh
# ctr-image build: RUN, what it sees and what it leaves.
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

test_run() {
	built --net none -t one <<-'END'
		FROM base
		ENV A=1
		RUN echo "$A" >/a; echo out; echo err >&2
		RUN ["sh", "-c", "echo $A two  words >/b"]
	END
	assert_built
	assertEquals "$(printf 'out\nerr')" "$(said)"
	assertEquals "$(printf '1\n1 two words')" "$(in_image one cat /a /b)"
	assertEquals 'its layer has what changed' a "$(built -q --net none <<-'END' && last_layer "$out"
		FROM base
		ENV A=1
		RUN echo "$A" >/a; echo out; echo err >&2
	END
	)"
}

test_what_it_sees() {
	built --net none <<-'END'
		FROM base
		USER nobody
		WORKDIR /w
		RUN id -un; pwd; cat; readlink /proc/self/fd/0; echo $HOME; hostname | wc -c
		RUN ["env"]
	END
	assert_built
	assertEquals "$(printf 'nobody\n/w\n/dev/null\n/\n13')" "$(said | sed '/=/d' | sed 's,^/home.*,/,')"
	assertEquals 'no variable of ours' "$(printf 'HOME\nHOSTNAME\nPATH')" "$(said | sed -n 's/=.*//p' | sort)"
	built --net none <<-'END'
		FROM base
		USER 77:88
		RUN id -u; id -g; id -G
	END
	assertEquals '77 88 88' "$(said | xargs)"
}

# A shell of its own, for CMD and ENTRYPOINT too; an exec form has none.
test_shell() {
	built --net none -t shell <<-'END'
		FROM base
		SHELL ["sh", "-xc"]
		RUN echo a
		RUN ["echo", "b"]
		CMD d
		ENTRYPOINT c
	END
	assert_built
	assertEquals '+ echo a a b' "$(said | xargs)"
	assertEquals '["sh","-xc","d"] ["sh","-xc","c"]' "$(of shell .Cmd) $(of shell .Entrypoint)"
}

test_heredocs() {
	built --net none -t here <<-'END'
		FROM base
		ENV A=1
		RUN <<EOF
		echo one $A >/one
		false
		echo 'a  b' >>/one
		EOF
		RUN <<EOF
		#!/bin/sed s/me/you/
		it is me
		EOF
		RUN cat <<EOF - >/two && cat <<-'SECOND' >/three
		$A
		EOF
			$A
		SECOND
		RUN <<EOF cat >/four
		four
		EOF
	END
	assert_built
	assertEquals "$(printf '#!/bin/sed s/you/you/\nit is you')" "$(said | sed 's,s/me,s/you,')"
	assertEquals "$(printf 'one 1\na  b\n1\n$A\nfour')" "$(in_image here cat /one /two /three /four)"
	assertEquals 'the script is in no layer' 'four' "$(last_layer here)"
	built --net none <<-'END'
		FROM base
		RUN <<EOF
		echo nothing ends it
	END
	assert_refused 'Containerfile:2: <<EOF has no end'
}

test_failures() {
	built --net none -t bad <<-'END'
		FROM base

		RUN echo why >&2; \
		    exit 7
		RUN echo never
	END
	assert_refused 'Containerfile:3: .*exit code 7$'
	assert_err_match '^why$'
	assertNull 'the rest is not done' "$(printf '%s\n' "$err" | grep never)"
	assertNull 'no image' "$(ctr-image ls -q bad 2>/dev/null)"
	built --net none <<-'END'
		FROM base
		RUN sh -c 'kill -9 $$'; exit $?
	END
	assert_refused 'Containerfile:2: .*exit code 137$'
	built --net none <<-'END'
		FROM base
		RUN ["/no/such", "x"]
	END
	assert_refused 'Containerfile:2: RUN: /no/such: No such file or directory$'
	built --net none <<-'END'
		FROM base
		SHELL ["/no/shell"]
		RUN true
	END
	assert_refused 'Containerfile:3: RUN: /no/shell: No such file or directory$'
	built --net none <<-'END'
		FROM base
		USER nemo
		RUN true
	END
	assert_refused 'Containerfile:3: .*nemo'
	built --net none <<-'END'
		FROM scratch
		RUN true
	END
	assert_refused 'Containerfile:2: RUN: /bin/sh: No such file or directory$'
	for flag in --foo=3 --network=foo --network --security=insecure --mount; do
		printf '%s\n' 'FROM base' "RUN $flag true" | built --net none
		run_cap ctr-image build --net none context
		assert_refused "Containerfile:2: RUN: $flag.*unknown"
	done
	echo 'FROM base' >context/Containerfile
	run_cap ctr-image build --net nowhere context
	assert_built
	built --net nowhere <<-'END'
		FROM base
		RUN true
	END
	assert_refused 'Containerfile:2: RUN: network nowhere: no such network$'
}

# Whoever is left ends with the step, whether it holds the output or not.
test_daemons() {
	built --net none <<-'END'
		FROM base
		RUN (sleep 54321 &); sleep 54321 >/dev/null 2>&1 & echo here
		RUN ps -o args | grep -c '[s]leep'; true
	END
	assert_built
	assertEquals 'here 0' "$(said | xargs)"
}

# Lines come while it runs.
test_output_comes_at_once() {
	mkfifo go
	printf '%s\n' 'FROM base' 'RUN --mount=type=bind,target=/context echo first; cat /context/go' >context/Containerfile
	mkfifo context/go
	timeout 60 ctr-image build --net none context >id 2>told &
	pid=$!
	wait_for 30 grep -q ^first told
	assertEquals 'told before its end' 0 $?
	echo last >context/go
	wait $pid
	assertEquals "$(cat told)" 0 $?
	assertEquals 'first last' "$(grep -v '^\[' told | xargs)"
	rm go context/go
}

test_quiet() {
	built -q --net none <<-'END'
		FROM base
		RUN echo out; echo err >&2
	END
	assert_built
	assertNull "$err"
	built -q --net none <<-'END'
		FROM base
		RUN echo out; echo err >&2; exit 3
	END
	assert_refused 'Containerfile:2: .*exit code 3'
	assertEquals 'what it said last' 'out err' "$(said | sed '/^ctr-image/d' | xargs)"
}

# Files that RUN is given, and the places of mounts, aren't in the layer; what it makes there itself is.
test_what_it_leaves() {
	mkdir -p tiny/bin tiny/etc
	tar -xOf "$BUILD/busybox.tar" bin/busybox >tiny/bin/sh
	chmod 755 tiny/bin/sh
	for a in touch cat mknod rm; do ln tiny/bin/sh tiny/bin/$a; done
	tar -C tiny -cf context/tiny.tar .
	built -t nothing <<-'END'
		FROM scratch
		ADD tiny.tar /
		RUN --mount=type=tmpfs,target=/new/tmp --mount=type=cache,target=/new/cache --mount=type=bind,target=/new/file,source=Containerfile \
			touch /new/tmp/x /new/cache/x && cat /etc/hosts /etc/resolv.conf /new/file >/dev/null
	END
	assert_built
	assertEquals 'a directory in which something was for a while' etc "$(last_layer nothing)"
	built -q --net none -t some <<-'END'
		FROM scratch
		ADD tiny.tar /
		RUN --mount=type=tmpfs,target=/new/tmp touch /new/tmp/x /new/y; echo me >/etc/mine; mknod /null c 1 3; rm /bin/touch
	END
	assert_built
	assertEquals 'bin bin/.wh.touch etc etc/mine new new/y null' "$(last_layer some)"
}

# The base's own files of those names stay what they are.
test_hosts_of_the_base() {
	built -q --net none -t mine <<-'END'
		FROM base
		COPY <<EOF /etc/hosts
		127.0.0.1 mine
		EOF
		RUN cat /etc/hosts >/was
	END
	assert_built
	assertEquals '127.0.0.1 mine' "$(ctr-image export mine | tar -xO etc/hosts)"
	assertEquals was "$(last_layer mine)"
}

test_networks() {
	built <<-'END'
		FROM base
		RUN ip -o addr show | grep -c '10\.'
		RUN --network=none ip -o link | wc -l
		RUN --network=default ip -o addr show | grep -c '10\.'
	END
	assert_built
	assertEquals '1 1 1' "$(said | xargs)"
	built --net host <<-'END'
		FROM base
		RUN --network=host readlink /proc/self/ns/net
		RUN readlink /proc/self/ns/net
		RUN --network=none ip -o link | wc -l
	END
	assert_built
	host=$(readlink /proc/self/ns/net)
	assertEquals "$host $host 1" "$(said | xargs)"
	built --network none <<-'END'
		FROM base
		RUN ip -o link | wc -l
	END
	assertEquals 1 "$(said)"
	ctr-net create --subnet 10.77.0.0/24 own >/dev/null
	built --net own <<-'END'
		FROM base
		RUN ip -o addr | grep -o '10\.77\.0'
	END
	assertEquals 10.77.0 "$(said)"
	ctr-net rm own >/dev/null
	assertEquals 'no address is taken' 0 "$(find "$CTRBOX_RUN/net" -type f ! -name .next ! -name '*.lock' | wc -l)"
}

# What the base says of when it runs doesn't hold while it is being built on.
test_not_the_base_s_command() {
	built -q --net none -t loud <<-'END'
		FROM base
		ENTRYPOINT ["echo", "no"]
		CMD ["no"]
		HEALTHCHECK --interval=1s CMD false
		STOPSIGNAL KILL
		VOLUME /data
		EXPOSE 80
	END
	assert_built
	built -t louder --net none <<-'END'
		FROM loud
		RUN mkdir /data; echo kept >/data/file; echo run
	END
	assert_built
	assertEquals run "$(said)"
	assertEquals '["echo","no"] ["no"]' "$(of louder .Entrypoint) $(of louder .Cmd)"
	assertEquals kept "$(ctr-image export louder | tar -xO data/file)"
	assertNull 'no volume' "$(ctr-volume ls -q)"
}

# Where overlay can't be had each step's layer is all of the image; a later one replaces it.
test_without_overlay() {
	ctr-image save -o base.tar base
	mkdir ram
	mount -t ramfs ramfs ram
	kept=$CTRBOX_ROOT CTRBOX_ROOT=$WORK/ram
	ctr-image load -q -i base.tar >/dev/null
	for cached in 0 4; do
		built --net none -t whole <<-'END'
			FROM base
			RUN echo 1 >/a; rm /bin/touch
			COPY Containerfile /f
			RUN --mount=type=tmpfs,target=/x/y cat /a >/b
			WORKDIR /w
		END
		assert_built
		assertEquals "$err" $cached "$(printf '%s\n' "$err" | grep -c 'cached$')"
	done
	assertEquals 1 "$(ctr-image inspect whole | jq '.[0].layers | length')"
	assertEquals 'a b f w' "$(ctr-image export whole | tar -t | sed -nE 's,^(\./)?([abfwx]|bin/touch)/?$,\2,p' | sort | xargs)"
	assert_nothing_left
	CTRBOX_ROOT=$kept
	umount ram
	rmdir ram
}

# More layers than one mount(2) takes, or its page of options.
test_many_layers() {
	{
		echo FROM base
		for i in $(seq 135); do echo "RUN echo $i >/n$i"; done
	} >many
	run_cap timeout 200 ctr-image build -q --net none -t many -f many context
	assert_built
	assertEquals '136 135' "$(ctr-image inspect many | jq '.[0].layers | length') $(in_image many sh -c 'ls /n* | wc -l')"
	ctr-image rm many >/dev/null
}

. shunit2
