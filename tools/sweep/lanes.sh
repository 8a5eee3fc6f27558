# shellcheck shell=sh
# Runs acts, some at a time, each in a world of its own, and sees that none stands still.

# Where cgroup hierarchies are mounted.
hierarchies() {
	awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) ~ /^cgroup2?$/) print $5 }' /proc/self/mountinfo | sort -u
}

# The groups that a world left which was ended from outside.
remove_groups() {
	cat "$RESULTS"/*.tag 2>/dev/null | while read -r tag; do
		for h in $(hierarchies); do
			[ ! -d "$h/ctrbox-$tag" ] || find "$h/ctrbox-$tag" -depth -type d -exec rmdir {} \; 2>/dev/null
		done
	done
}

build_tools() {
	# shellcheck source=test/inject_lib.sh
	. "$TOP/test/inject_lib.sh"
	mkdir -p "$BUILD/sweep" || exit
	make_inject "$BUILD/sweep"
	musl-gcc -static -Os -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -idirafter /usr/include \
		-idirafter "/usr/include/$(gcc -print-multiarch)" -o "$BUILD/sweep/state" "$TOP/tools/sweep/state.c" || exit
}

# One act after the other, of those that nobody has taken.
lane() {
	program=$1
	for act in $2; do
		mkdir "$RESULTS/$act" 2>/dev/null || continue
		unshare --mount --pid --net --ipc --uts --fork --mount-proc --kill-child "$program" --inside "$act" "$RESULTS/$act" >"$RESULTS/$act.log" 2>&1 &
		echo $! >"$RESULTS/$act.pid"
		echo "$act" >"$RESULTS/$act.now"
		wait $!
		code=$?
		rm "$RESULTS/$act.pid" "$RESULTS/$act.now"
		[ -e "$RESULTS/$act.count" ] || echo "$act: it ended with $code" >>"$RESULTS/$act.log"
		cat "$RESULTS/$act.log"
	done
}

# Where each process of the world whose unshare is process $1 waits.
show_stacks() {
	for p in $(pgrep --ns "$(pgrep -P "$1")" --nslist pid .); do
		echo "$p: $(tr '\0' ' ' <"/proc/$p/cmdline") $(cat "/proc/$p/wchan") ($(cat "/proc/$p/syscall"))"
		cat "/proc/$p/stack"
	done 2>/dev/null
}

# Ends an act that has made no step for $HANG seconds, and says where it stands.
watch() {
	find "$RESULTS" -maxdepth 1 -name '*.now' ! -newermt "-${HANG:-120} seconds" | while read -r now; do
		act=${now%.now}
		read -r number <"$act.pid" || continue
		{
			echo "FOUND: it hangs after $(cat "$now"):"
			show_stacks "$number"
		} >>"$act.log"
		kill -KILL "$number"
	done
}

end_lanes() {
	# shellcheck disable=SC2086 # a list
	kill $lanes 2>/dev/null
	for pid in "$RESULTS"/*.pid; do
		[ ! -e "$pid" ] || kill -KILL "$(cat "$pid")"
	done
	wait
}

progress() {
	[ ! -t 2 ] || printf '\r\033[K%s' "$(cat "$RESULTS"/*.now 2>/dev/null | tail -c 70 | tr '\n' ' ')" >&2
}

# run_lanes PROGRAM ACTS: "PROGRAM --inside ACT DIRECTORY" for each. The sum, and whether all is well.
run_lanes() {
	RESULTS=$(mktemp -d "${TMPDIR:-/tmp}/ctrbox-sweep.XXXXXX") || exit
	export RESULTS
	trap 'end_lanes; remove_groups; rm -rf "$RESULTS"' EXIT
	trap 'exit 130' INT TERM
	build_tools
	lanes=
	for _ in $(seq "${JOBS:-2}"); do
		lane "$1" "$2" &
		lanes="$lanes $!"
	done
	# shellcheck disable=SC2086 # a list
	while kill -0 $lanes 2>/dev/null || pgrep -P $$ >/dev/null; do
		sleep 2
		progress
		watch
	done
	cat "$RESULTS"/*.count 2>/dev/null | awk -v acts="$(echo "$2" | wc -w)" -v noun="$NOUN" '{ n += $1; m += $2; seen++ }
		END { if (seen != acts) m += acts - seen; printf "points %d, %s %d\n", n, noun, m; exit m > 0 }'
}
