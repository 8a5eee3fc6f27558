#!/bin/sh
# What a loaded image's config says is done, and what is loaded by many at once.
# shellcheck disable=SC2154,SC2016 # rc, out and err are set by run_cap; quoted is what another shell expands
. "$(dirname "$0")/lib.sh"

# forge: runs the Python on stdin; what it writes is loaded.
forge() {
	{ echo 'from forge import *' && echo 'base = open(os.environ["BUILD"] + "/busybox.tar", "rb").read()' && cat; } >forged.py
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOP/test python3 forged.py
}

oneTimeSetUp() {
	forge >a.tar <<-'END'
		c = config([base], Entrypoint=['/bin/sh', '-c'], Cmd=['echo "$WORD|$(pwd)|$(id -u):$(id -g)|$(grep -c " /data " /proc/mounts)"'],
		    Env=['PATH=/bin', 'WORD=two words'], WorkingDir='/made/here', User='1234:56', Volumes={'/data': {}}, ExposedPorts={'80/tcp': {}},
		    Labels={'tier': 'web', 'empty': ''}, StopSignal='SIGUSR1',
		    Healthcheck={'Test': ['CMD', '/bin/ls', '/tmp/well'], 'Interval': 1000000000, 'Timeout': 60000000000, 'Retries': 100})
		whole = json.loads(c)
		whole['history'] = [{'created': '2001-02-03T04:05:06Z', 'created_by': 'ADD base', 'comment': 'first'}, {'created': '2001-02-03T04:05:07Z', 'created_by': 'CMD x', 'empty_layer': True}]
		whole['created'], whole['x-unknown'] = '2001-02-03T04:05:07Z', {'kept': [1, 2.5, None]}
		write(old(([base], ['said:1'], json.dumps(whole, indent=3).encode())))
	END
	ctr-image load -q a.tar >/dev/null || fail 'load'
}

test_entrypoint_cmd_env_workdir_user_volumes() {
	run_cap ctr-run --rm --net none said:1
	assert_ok
	assert_out 'two words|/made/here|1234:56|1'
	run_cap ctr-run --rm --net none -e WORD=other -w / -u 0 said:1 'echo $WORD; pwd; id -u'
	assert_out "$(printf 'other\n/\n0')"
}

test_stop_signal_health_labels_and_ports() {
	ctr-run -d -P --name it said:1 'trap "exit 7" USR1; while :; do sleep 0.1; done' >/dev/null
	assertEquals it "$(ctr-ps -n -r -o name -f label=tier=web)"
	run_cap ctr-port it
	assert_out_match '^80/tcp -> .*:[0-9]+$'
	assertNotEquals healthy "$(ctr-ps -n -r -o health -f name=it)"
	ctr-exec -u 0 it /bin/touch /tmp/well
	assertTrue 'healthy' 'wait_for 60 eval "ctr-ps -n -r -o health -f name=it | grep -qx healthy"'
	ctr-stop -t 60 it >/dev/null
	assertEquals 'USR1 was sent' 7 "$(ctr-wait it)"
	ctr-rm -v it >/dev/null
}

test_the_config_is_kept_byte_for_byte() {
	id=$(ctr-image inspect said:1 | jq -r '.[0].id')
	assertEquals "$id" "$(sha256sum <"$CTRBOX_ROOT/images/$id/config.json" | cut -c1-64)"
	assertEquals "$(tar -xOf a.tar "$id.json" | sha256sum)" "$(sha256sum <"$CTRBOX_ROOT/images/$id/config.json")"
}

test_history() {
	layer=$(sha256sum <"$BUILD/busybox.tar" | cut -c1-12)
	run_cap env TZ=UTC ctr-image history -r -n -o layer,created,created_by,comment said:1
	assert_out "$(printf '%s\t%s\t%s\t%s\n' - '2001-02-03 04:05:07' 'CMD x' - "$layer" '2001-02-03 04:05:06' 'ADD base' first)"
}

# Two orders of the same layers, an image in use and one removed meanwhile: who makes a layer never waits for another for long.
test_many_at_once() {
	forge <<-'END'
		layers = [layer(**{'n%d' % n: 'x' * 50000}) for n in range(12)]
		for name, order in ('up', layers), ('down', layers[::-1]):
		    sys.stdout.buffer.flush()
		    os.dup2(os.open(name + '.tar', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 1)
		    write(old((order, [name + ':1'], config(order))))
		    sys.stdout.buffer.flush()
	END
	pids=
	for i in 1 2 3 4; do
		for name in up down; do
			{
				for _ in 1 2 3; do
					if [ $i = 4 ]; then ctr-image prune >/dev/null; else timeout 200 ctr-image load <$name.tar >/dev/null || echo "load: $?" >&2; fi
				done
			} 2>>errors &
			pids="$pids $!"
		done
	done
	for pid in $pids; do wait "$pid"; done
	assertEquals '' "$(cat errors)"
	for name in up down; do
		run_cap ctr-image export $name:1
		assert_rc 0
		assertEquals 12 "$(ctr-image export $name:1 | tar -t | grep -c n)"
	done
	assertEquals '' "$(find "$CTRBOX_ROOT/layers" -maxdepth 1 -name '.tmp*')"
}

test_progress_on_a_terminal_only() {
	forge >big.tar <<-'END'
		data = layer(a=os.urandom(20000000).hex())
		write(old(([data], ['big:1'], config([data]))))
	END
	tty_cap "ctr-image load big.tar"
	assert_rc 0
	assert_out_match 'big.tar: \[#* *\] *[0-9]+% '
	assert_out_match 'big:1$'
	rm -rf "$CTRBOX_ROOT"
	tty_cap "ctr-image load -q big.tar"
	assert_out big:1
	rm big.tar
}

. shunit2
