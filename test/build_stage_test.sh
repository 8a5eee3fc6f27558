#!/bin/sh
# ctr-image build: stages, variables, configs, names, and where a Containerfile comes from.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; variables of Containerfiles
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/built_lib.sh
. "$TOP/test/built_lib.sh"
# shellcheck source=test/registry_lib.sh
. "$TOP/test/registry_lib.sh"
# shellcheck source=test/rootless_lib.sh
. "$TOP/test/rootless_lib.sh"

oneTimeSetUp() {
	make_base
}

oneTimeTearDown() {
	unmake_willi
}

tearDown() {
	assert_nothing_left
}

# refuses LINES.. ERE: a Containerfile of these lines.
refuses() {
	: >context/Containerfile
	while [ $# -gt 1 ]; do
		echo "$1" >>context/Containerfile
		shift
	done
	run_cap timeout 60 ctr-image build --net none context
	assert_refused "$1"
}

test_by_name_and_number() {
	built --net none -t out <<-'END'
		FROM base AS One
		RUN echo 1 >/one
		FROM base AS two
		RUN echo 2 >/two
		FROM one AS three
		RUN cat /one >/three
		FROM base
		COPY --from=0 /one /
		COPY --from=TWO /two /
		COPY --from=2 /three /
		COPY --from=base /bin/busybox /box
	END
	assert_built
	assertEquals '1 2 1' "$(in_image out cat /one /two /three | xargs)"
	assertEquals 'only what is copied: base and four layers' 5 "$(ctr-image inspect out | jq '.[0].layers | length')"
}

test_target() {
	cat >context/Containerfile <<-'END'
		FROM base AS one
		LABEL is=one
		FROM nowhere AS two
		FROM one AS three
		LABEL is=three
		FROM two
		RUN exit 1
	END
	for target in three THREE 2; do
		run_cap ctr-image build --net none --target $target context
		assert_built
		assertEquals '"three"' "$(of "$out" .Labels.is)"
	done
	for target in four 4 -1 ''; do
		run_cap ctr-image build --net none --target "$target" context
		assert_refused "--target $target: Containerfile has no such stage"
	done
}

test_bad_stages() {
	refuses 'FROM nowhere' 'Containerfile:1: .*no such image: nowhere$'
	refuses 'FROM base' 'COPY --from=7 / /' 'Containerfile:2: .*no such image: 7$'
	refuses 'FROM base AS a' '' 'FROM base AS A' 'Containerfile:3: AS A: there is a stage of that name already$'
	refuses 'FROM base AS 1' 'Containerfile:1: AS 1: a stage'
	refuses 'FROM base AS' 'Containerfile:1: FROM takes'
	refuses 'FROM base a b' 'Containerfile:1: FROM takes'
	refuses 'FROM $NOTHING' 'Containerfile:1: FROM .*nothing'
	refuses 'FROM --foo=x base' 'Containerfile:1: FROM .*--platform'
	refuses 'FROM --platform=linux/s390x base' 'Containerfile:1: .*image base: is for linux/.*, not for linux/s390x$'
	refuses 'RUN true' 'Containerfile:1: RUN: before the first FROM'
	refuses 'ARG A' 'Containerfile:1: no FROM in it$'
	refuses '' 'Containerfile:1: no FROM in it$'
	refuses 'FROM later' 'FROM base AS later' 'FROM 0' 'Containerfile:[13]: '
	refuses 'FROM base' 'COPY --from=self a /' 'Containerfile:2: .*self'
}

# Both are at work at the same time: each waits for the other.
test_side_by_side() {
	mkfifo context/there context/back
	built --net none <<-'END'
		FROM base AS one
		RUN --mount=target=/c echo 1 >/c/there; cat /c/back
		FROM base AS two
		RUN --mount=target=/c cat /c/there; echo 2 >/c/back
		FROM scratch
		COPY --from=one /etc/passwd /one
		COPY --from=two /etc/passwd /two
	END
	assert_built
	assertEquals '[one] 2 [two] 1' "$(said | sort | xargs)"
	rm context/there context/back
}

# One that needs what both others need.
test_diamond() {
	built --net none -t diamond <<-'END'
		FROM base AS top
		RUN echo top >/f
		FROM top AS left
		RUN echo left >>/f
		FROM top AS right
		RUN echo right >>/f
		FROM scratch
		COPY --from=left /f /left
		COPY --from=right /f /right
	END
	assert_built
	assertEquals 'top left top right' "$(ctr-image export diamond | tar -xO left right | xargs)"
	assertEquals 'the first one is built once' 1 "$(printf '%s\n' "$err" | grep -c 'RUN echo top')"
}

test_a_failure_ends_the_others() {
	mkfifo context/go
	built --net none <<-'END'
		FROM base AS one
		RUN --mount=target=/c echo go >/c/go; sleep 54321
		FROM base AS two
		RUN --mount=target=/c cat /c/go >/dev/null; exit 5
		FROM scratch
		COPY --from=one /f /left
		COPY --from=two /f /right
	END
	assert_refused 'Containerfile:4: RUN: .*exit code 5$'
	assertNull 'what the other one says of that is of no use' "$(printf '%s\n' "$err" | grep :2:)"
	rm context/go
}

test_args() {
	cat >context/Containerfile <<-'END'
		ARG IMAGE=nowhere
		ARG TAG=none
		FROM $IMAGE:${TAG} AS a
		ARG TAG
		ARG OTHER=${TAG}-x
		ARG PLAIN
		RUN echo "$IMAGE,$TAG,$OTHER,${PLAIN-unset},$TARGETARCH"
		ARG TARGETARCH
		RUN echo $TARGETARCH
		FROM a
		ENV OTHER=env
		ARG OTHER=arg
		RUN echo "$TAG,$OTHER,$PLAIN"
	END
	A=environment run_cap ctr-image build --net none --build-arg IMAGE=base --build-arg TAG=first --build-arg TAG=latest context
	assert_built
	assertEquals "[a] ,latest,latest-x,unset, [a] $(of base | sed 's/.*//')$(ctr-image inspect base | jq -r '.[0].architecture') [1] latest,env," "$(said | xargs)"
	PLAIN=environment run_cap ctr-image build --net none --build-arg IMAGE=base --build-arg TAG=latest --build-arg PLAIN --build-arg OTHER= context
	assert_built
	assertEquals '[a] ,latest,,environment,' "$(said | head -n 1)"
	assertEquals 'ARGs are not in the image' '["OTHER=env"]' "$(of "$out" .Env | sed 's/"PATH=[^"]*",//')"
	run_cap ctr-image build --net none context
	assert_refused 'Containerfile:3: .*no such image: nowhere:none$'
}

# Proxies need no ARG, and make no other step.
test_proxies() {
	cat >context/Containerfile <<-'END'
		FROM base
		RUN echo "$HTTP_PROXY $no_proxy"
	END
	run_cap ctr-image build --net none --build-arg HTTP_PROXY=http://one --build-arg no_proxy=x context
	assertEquals 'http://one x' "$(said)"
	first=$out
	run_cap ctr-image build --net none --build-arg HTTP_PROXY=http://two context
	assertEquals "$first" "$out"
	assertNull 'nor are they in it' "$(ctr-image inspect "$out" | grep http)"
}

test_onbuild() {
	built -q --net none -t trigger <<-'END'
		FROM base
		ONBUILD ARG A=5
		ONBUILD RUN echo $A >/a
		ONBUILD LABEL a=$A
	END
	assert_built
	assertEquals '["ARG A=5","RUN echo $A >/a","LABEL a=$A"]' "$(of trigger .OnBuild)"
	built --net none -t child --build-arg A=6 <<-'END'
		FROM trigger
		RUN cat /a
	END
	assert_built
	assertEquals 6 "$(said | tail -n 1)"
	assertEquals '{"a":"6"} null' "$(of child .Labels) $(of child .OnBuild)"
	built --net none -t grandchild <<-'END'
		FROM child
		RUN echo 7 >/a
	END
	assertEquals 7 "$(in_image grandchild cat /a)"
	built -q --net none -t bad <<-'END'
		FROM base
		ONBUILD RUN exit 5
	END
	refuses 'FROM base' 'FROM bad' 'Containerfile:2: ONBUILD RUN exit 5: .*exit code 5$'
	refuses 'FROM base' 'ONBUILD ONBUILD RUN x' 'Containerfile:2: .*ONBUILD'
	refuses 'FROM base' 'ONBUILD FROM base' 'Containerfile:2: .*FROM'
}

test_config() {
	built -t config --label a=1 --label b --label c= --net none <<-'END'
		FROM base
		LABEL a=2 z="3 4"
		HEALTHCHECK --interval=5s CMD ["true"]
		EXPOSE 80 90-91/udp
		VOLUME /d
		STOPSIGNAL SIGINT
		USER 5
		WORKDIR /w
		WORKDIR x
		ENV E=1 F=$E
	END
	assert_built
	assertEquals '{"a":"1","z":"3 4","b":"","c":""}' "$(of config .Labels)"
	assertEquals '{"Test":["CMD","true"],"Interval":5000000000}' "$(of config .Healthcheck)"
	assertEquals '80/tcp 90/udp 91/udp /d SIGINT 5 /w/x E=1 F=' \
		"$(of config ' | (.ExposedPorts, .Volumes) | keys[]' | tr -d '"' | xargs) $(of config '| .StopSignal, .User, .WorkingDir, .Env[-2:][]' | tr -d '"' | xargs)"
	assertEquals '["sh"]' "$(of config .Cmd)"
	built -t entry --net none <<-'END'
		FROM config
		HEALTHCHECK NONE
		ENTRYPOINT ["e"]
	END
	assertEquals '["e"] null {"Test":["NONE"]}' "$(of entry .Entrypoint) $(of entry .Cmd) $(of entry .Healthcheck)"
	assertEquals 'each instruction' 'HEALTHCHECK NONE true ENTRYPOINT ["e"] true' \
		"$(ctr-image inspect entry | jq -r '.[0].history[-2:][] | "\(.created_by) \(.empty_layer)"' | tr '\n' ' ' | sed 's/ $//')"
	for bad in =x ''; do
		run_cap ctr-image build --net none --label "$bad" context
		assert_refused "--label $bad: "
		run_cap ctr-image build --net none --build-arg "$bad" context
		assert_refused "--build-arg $bad: "
	done
}

test_platform() {
	built --platform linux/s390x -t other <<-'END'
		FROM scratch
		ARG TARGETPLATFORM
		COPY Containerfile /
		LABEL a=$TARGETPLATFORM
	END
	assert_built
	assertEquals '["s390x","linux","linux/s390x"]' "$(ctr-image inspect other | jq -c '.[0] | [.architecture, .os, .config.Labels.a]')"
	for bad in linux '' linux/ /arm64; do
		run_cap ctr-image build --platform "$bad" context
		assert_refused "--platform $bad: "
	done
	run_cap ctr-image build --platform linux/s390x --net none -f - context <<-'END'
		FROM base
	END
	assert_refused 'stdin:1: .*image base: is for'
}

test_where_it_comes_from() {
	printf 'FROM base\nCOPY Containerfile /\n' >elsewhere
	printf 'FROM scratch\n' >context/inside
	printf 'FROM nowhere\n' >context/Dockerfile
	echo 'FROM base' >context/Containerfile
	run_cap ctr-image build context
	assert_built
	run_cap ctr-image build -f elsewhere context
	assert_built
	run_cap ctr-image build -f inside context
	assert_built
	rm context/Containerfile
	run_cap ctr-image build context
	assert_refused 'Dockerfile:1: .*nowhere'
	rm context/Dockerfile
	run_cap ctr-image build context
	assert_refused 'context: there is neither a Containerfile nor a Dockerfile in it \(-f FILE\)$'
	echo 'FROM base' >context/Containerfile
	run_cap ctr-image build -f - context <elsewhere
	assert_built
	grep FROM elsewhere >alone
	run_cap ctr-image build - <alone
	assert_built
	run_cap ctr-image build -f alone - </dev/null
	assert_built
	run_cap ctr-image build - <elsewhere
	assert_refused 'stdin:2: COPY: there is no context'
	run_cap ctr-image build -f nofile context
	assert_refused 'nofile: there is no such file, nor in context$'
	run_cap ctr-image build nodir
	assert_refused 'nodir: No such file or directory$'
	run_cap ctr-image build elsewhere
	assert_refused 'elsewhere: Not a directory$'
	for words in '' 'a b' '--nonsense .' '-t'; do
		# shellcheck disable=SC2086 # words
		run_cap ctr-image build $words
		assert_fails 2 '^ctr-image: '
	done
}

test_names() {
	echo 'FROM base' >context/Containerfile
	run_cap ctr-image build -t one -t two:x -t localhost:5000/a/b context
	assert_built
	assertEquals "$out $out $out" "$(for n in one two:x localhost:5000/a/b; do ctr-image inspect $n | jq -r '.[0].id[:12]'; done | xargs)"
	run_cap ctr-image build -t fine -t B@D context
	assert_refused 'bad image name "B@D"'
	run_cap ctr-image inspect fine
	assert_rc 1
}

test_base_from_a_registry() {
	make_layout
	begin_bad_registry
	do_this now
	built -t pulled <<-END
		FROM $BAD/small AS s
		FROM base
		COPY --from=s /d/one /
		COPY --from=$BAD/small:latest /d/two /
	END
	assert_built
	assertEquals 'one two' "$(in_image pulled cat /one /two | xargs)"
	do_this now
	run_cap ctr-image build context
	assertNull 'it is there' "$(cat asked)"
	run_cap ctr-image build --pull context
	assert_built
	grep -q manifests/latest asked
	assertEquals '--pull asks' 0 $?
	end_server "$bad_registry"
	refuses "FROM $BAD/other" "Containerfile:1: .*$BAD.*"
	refuses 'FROM base' "COPY --from=$BAD/other / /" "Containerfile:2: COPY: --from=$BAD/other: "
}

test_ordinary_user() {
	make_willi
	mkdir /run/home/willi/context
	willi sh -c 'ctr-image import base </run/box/busybox.tar' >/dev/null
	cat >/run/home/willi/context/Containerfile <<-'END'
		FROM base AS one
		RUN id -u; mkdir /d; echo 1 >/d/f
		RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t touch /c/f /t/f
		FROM base
		COPY --from=one /d /d
		RUN stat -c %u:%g /d/f; rm -r /d
	END
	run_cap willi timeout 120 ctr-image build -q --net none -t mine context
	assert_rc 0
	assertNull "$err"
	assertEquals '' "$(willi ctr-ps -aq)"
	run_cap willi ctr-run --rm --net none mine ls /d
	assert_rc 1
	run_cap willi timeout 120 ctr-image build --net none -t mine context
	assertEquals 4 "$(printf '%s\n' "$err" | grep -c 'cached$')"
	wait_for 10 none_left
	assertEquals 0 $?
}

. shunit2
