#!/bin/sh
# What -c of ctr-image import and ctr-commit makes of a Dockerfile's instructions: words, quotes, variables, and what each sets in the config.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; $ is for ctr-image
. "$(dirname "$0")/lib.sh"
. "$TOP/test/tar_lib.sh"

oneTimeSetUp() {
	{ dir bin/ && entry hello "" && finish; } >small.tar
}

setUp() {
	rm -rf "$CTRBOX_ROOT"
}

stored() { find "$CTRBOX_ROOT/layers" "$CTRBOX_ROOT/images" -mindepth 1 -maxdepth 2 2>/dev/null | sort; }

# changed INSTRUCTION..: imports with them; the config is in $out then.
changed() {
	n=$#
	while [ "$n" -gt 0 ]; do
		set -- "$@" -c "$1"
		shift
		n=$((n - 1))
	done
	run_cap ctr-image import "$@" made <small.tar
	assert_ok
	run_cap ctr-image inspect made
	assert_ok
}

# assert_config KEY JSON: what the config in $out has for it, "-" where it has nothing.
assert_config() {
	assertEquals "$1" "$2" "$(printf '%s' "$out" | python3 -c 'import json, sys
c = json.load(sys.stdin)[0]
c = dict(c["config"], author=c.get("author"))
print(json.dumps(c[sys.argv[1]], ensure_ascii=False) if c.get(sys.argv[1]) is not None else "-")' "$1")"
}

# assert_x TEXT INSTRUCTION..: what they leave in $X.
assert_x() {
	expected=$1
	shift
	changed 'ENV A=1 B=a/b/c.d/b E= S="two words"' "$@"
	assertEquals "$*" "$expected" "$(printf '%s' "$out" | python3 -c 'import json, sys
print([e[2:] for e in json.load(sys.stdin)[0]["config"]["Env"] if e.startswith("X=")][-1])')"
}

# refused ERE INSTRUCTION..: the last of them is.
refused() {
	pattern=$1 n=$(($# - 1))
	shift
	while [ "$n" -gt 0 ]; do
		set -- "$@" -c "$1"
		shift
		n=$((n - 1))
	done
	before=$(stored)
	run_cap ctr-image import "$@" bad <small.tar
	assert_fails 1 "$pattern"
	assertEquals 'nothing is left' "$before" "$(stored)"
}

test_variables() {
	while IFS='|' read -r text expected; do
		assert_x "$expected" "ENV X=$text"
	done <<'END'
$A|1
${A}x$A|1x1
"$S"|two words
$S|two words
'$A'|$A
\$A"\$A"|$A$A
$UNSET|
a$|a$
$$|
${UNSET:-w}${E:-v}${A:-u}|wv1
${UNSET-w}${E-v}|w
${A:+w}${E:+v}${UNSET:+u}|w
${E+v}${UNSET+u}|v
${A:?no}${E?no}|1
${UNSET:-${E:-"q $A"}}|q 1
${B#*/}|b/c.d/b
${B##*/}|b
${B%/*}|a/b/c.d
${B%%/*}|a
${B%.?/b}|a/b/c
${B#none}|a/b/c.d/b
${B/b/Z}|a/Z/c.d/b
${B//b/Z}|a/Z/c.d/Z
${B//\//:}|a:b:c.d:b
${B/\/*\//-}|a-b
${B//?/.}|.........
${UNSET//a/b}${E/#/x}|
END
	assert_x 'é' 'ENV U=éüé' 'ENV X=${U%??}'
	assert_x 'old' 'ENV V=old' 'ENV V=new X=$V'
}

test_quotes_and_escapes() {
	while IFS='|' read -r text expected; do
		assert_x "$expected" "ENV X=$text"
	done <<'END'
"a b"|a b
a\ b|a b
'a\ b'|a\ b
"a\b\"c"|a\b"c
a"b c"'d e'f|ab cd ef
""|
"it's"|it's
a\|a
a=b=c|a=b=c
END
	assert_x 'old form of it = 1' 'ENV X old form of "it" = $A'
	assert_x '1' 'ENV X=1 "Y Z"=2'
	assert_config Env '["A=1", "B=a/b/c.d/b", "E=", "S=two words", "X=1", "Y Z=2"]'
	assert_x '3' "$(printf 'env\tX=0  \tX=3 ')"
}

test_what_is_malformed() {
	refused '"\$\{": a \$\{ without its \}' 'ENV X=${'
	refused 'without its \}' 'ENV X=${A'
	refused 'without its \}' 'ENV X=${A:-b'
	refused '"\$\{A!x\}": no such substitution' 'ENV X=${A!x}'
	refused 'no such substitution' 'ENV X=${}'
	refused 'no such substitution' 'ENV X=${A:=x}'
	refused 'without its second /' 'ENV X=${A/b}'
	refused 'A: it is needed' 'ENV X="${A:?it is needed}"'
	refused 'E: is not set, or empty' 'ENV E=' 'ENV X=${E:?}'
	refused 'a " without its other' 'ENV X="a'
	refused "a ' without its other" "USER 'a"
	refused '"b" is not KEY=VALUE' 'ENV X=a b'
	refused 'is not KEY=VALUE' 'LABEL =x'
	refused 'is not KEY=VALUE' 'ENV "$UNSET"=x'
	deep=$(printf '${A:-%.0s' $(seq 60))x$(printf '}%.0s' $(seq 60))
	refused 'too many \$\{ in one another' "ENV X=$deep"
	eight='$X$X$X$X$X$X$X$X'
	refused 'too long' "ENV X=$(seq 100 | tr -d '\n')" "ENV X=$eight" "ENV X=$eight" "ENV X=$eight" "ENV X=$eight" "ENV X=$eight"
}

test_commands_and_shells() {
	changed 'CMD echo "$A" it' 'ENTRYPOINT [ "a", "b \"c\" \u00e9" ]'
	assert_config Cmd '["/bin/sh", "-c", "echo \"$A\" it"]'
	assert_config Entrypoint '["a", "b \"c\" é"]'
	changed 'CMD a' 'SHELL ["/bin/bash", "-ec"]' 'entrypoint b' 'HEALTHCHECK CMD c'
	assert_config Cmd '["/bin/sh", "-c", "a"]'
	assert_config Entrypoint '["/bin/bash", "-ec", "b"]'
	assert_config Shell '["/bin/bash", "-ec"]'
	assert_config Healthcheck '{"Test": ["CMD-SHELL", "c"]}'
	changed 'CMD ["a"' # no JSON: the shell's
	assert_config Cmd '["/bin/sh", "-c", "[\"a\""]'
	changed 'CMD a' 'CMD []'
	assert_config Cmd -
	refused 'SHELL.*JSON' 'SHELL /bin/sh -c'
	refused 'SHELL.*JSON' 'SHELL []'
	refused 'SHELL.*JSON' 'SHELL ["a", 1]'
}

test_healthcheck() {
	changed 'HEALTHCHECK --interval=1m30s --timeout=5s --start-period=2s --start-interval=500ms --retries=7 CMD ["curl", "-f", "$A"]'
	assert_config Healthcheck '{"Test": ["CMD", "curl", "-f", "$A"], "Interval": 90000000000, "Timeout": 5000000000, "StartPeriod": 2000000000, "StartInterval": 500000000, "Retries": 7}'
	changed 'HEALTHCHECK --interval=1s --retries=2 CMD x' 'healthcheck --timeout="3s" cmd y | z'
	assert_config Healthcheck '{"Test": ["CMD-SHELL", "y | z"], "Timeout": 3000000000}'
	changed 'HEALTHCHECK --interval=1s CMD x' 'HEALTHCHECK NONE'
	assert_config Healthcheck '{"Test": ["NONE"]}'
	refused 'has no "--every=5s"' 'HEALTHCHECK --every=5s CMD x'
	refused '"--interval=soon" is no time' 'HEALTHCHECK --interval=soon CMD x'
	refused '"--retries=-1" is no number' 'HEALTHCHECK --retries=-1 CMD x'
	refused 'has no "--interval"' 'HEALTHCHECK --interval 5s CMD x'
	for bad in 'HEALTHCHECK CMD' 'HEALTHCHECK NONE x' 'HEALTHCHECK RUN x' 'HEALTHCHECK --retries=1'; do
		refused 'takes CMD and a command, or NONE' "$bad"
	done
	refused 'empty command' 'HEALTHCHECK CMD []'
}

test_onbuild_and_maintainer() {
	changed 'ONBUILD RUN echo "$A"' 'onbuild COPY . /src' 'MAINTAINER "Some One" <x@y>' "$(printf 'ONBUILD RUN <<E\nx\nE')"
	assert_config OnBuild '["RUN echo \"$A\"", "COPY . /src", "RUN <<E\nx\nE"]'
	assert_config author '"\"Some One\" <x@y>"'
	refused 'ONBUILD ONBUILD: is not allowed' 'ONBUILD onbuild RUN x'
	refused 'ONBUILD FROM: is not allowed' 'ONBUILD FROM x'
	refused 'ONBUILD MAINTAINER: is not allowed' 'ONBUILD MAINTAINER x'
	refused 'ONBUILD RUN: an instruction is' 'ONBUILD RUN'
}

test_ports() {
	changed 'ENV P="9000 9001/udp" Q=7' 'EXPOSE 80 53/UDP $P ${Q}0' 'EXPOSE 8000-8003/sctp 80/tcp 79-81'
	assert_config ExposedPorts '{"80/tcp": {}, "53/udp": {}, "9000/tcp": {}, "9001/udp": {}, "70/tcp": {}, "8000/sctp": {}, "8001/sctp": {}, "8002/sctp": {}, "8003/sctp": {}, "79/tcp": {}, "81/tcp": {}}'
	for bad in http 0 65536 80/icmp 81-80 80- -80 80-81-82 80/tcp/udp 99999999999 '["80"]' '"80 81"'; do
		refused 'is no port' "EXPOSE $bad"
	done
}

test_volumes_users_and_folders() {
	changed 'ENV D="/a b" N=n' 'VOLUME $D /c /c' 'VOLUME ["/e f", "/$N"]'
	assert_config Volumes '{"/a b": {}, "/c": {}, "/e f": {}, "/n": {}}'
	changed 'ENV N="me too"' 'USER $N:us' 'STOPSIGNAL SIG${UNSET:-RTMIN}+3' 'WORKDIR /a/./b//' 'WORKDIR "../c d/$UNSET"'
	assert_config User '"me too:us"'
	assert_config StopSignal '"SIGRTMIN+3"'
	assert_config WorkingDir '"/a/c d"'
	changed 'WORKDIR /a' 'WORKDIR ../../..'
	assert_config WorkingDir '"/"'
	changed 'WORKDIR a'
	assert_config WorkingDir '"/a"'
	refused 'is no signal' 'STOPSIGNAL a b'
	refused 'is empty' 'USER $UNSET'
	refused 'is empty' 'WORKDIR ""'
	refused 'without a path' 'VOLUME [""]'
	refused "a \" without its other" 'VOLUME "/a b"'
}

test_labels() {
	changed 'ENV V=1.0' 'LABEL v=$V "a b"="c d" k=1' 'LABEL k=2 old=' 'LABEL note some text'
	assert_config Labels '{"v": "1.0", "a b": "c d", "k": "2", "old": "", "note": "some text"}'
}

test_commit_expands_what_the_container_has() {
	ctr-image import -c 'ENV A=image B=b' base <small.tar >/dev/null
	run_cap ctr-create --name c -e A=mine base /hello
	assert_rc 0
	run_cap ctr-commit -c 'ENV X=$A-$B' -c 'LABEL l=${X#mine}' -c 'ONBUILD USER $A' c made
	assert_rc 0
	run_cap ctr-image inspect made
	assert_match '"A=mine",.*"X=mine-b"' "$(printf '%s' "$out" | tr -d '\n')"
	assert_config Labels '{"l": "-b"}'
	assert_config OnBuild '["USER $A"]'
	run_cap ctr-commit -c 'COPY a b' c made
	assert_fails 1 '"COPY" is none of CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR'
	ctr-rm c >/dev/null
}

. shunit2
