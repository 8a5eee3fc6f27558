# shellcheck shell=sh
# What crashsweep and faultsweep have in common: each act, with something done to it at each of its calls, and what has to be so afterwards. The sweep
# says what is done ($deed and $options: inject's), what it calls its findings ($NOUN), and has
#
#	each_deed   calls `rehearse; sweep`, or `point` if there is a $POINT, for each $deed
#	outcome     whether the act itself ended as it should; else it calls leak

# shellcheck source=tools/sweep/acts.sh
. "$TOP/tools/sweep/acts.sh"
# shellcheck source=tools/sweep/world.sh
. "$TOP/tools/sweep/world.sh"
# shellcheck source=tools/sweep/lanes.sh
. "$TOP/tools/sweep/lanes.sh"

# leak WHY: once; from now on the world may be as it is. False.
leak() {
	leaks=$((leaks + 1))
	echo "FOUND: $ACT ${fault:-$deed} $at ($call): $*"
	{
		own undo undo
		ctr-gc
	} >/dev/null 2>&1
	prepared='' rehearsed=''
	becomes no_veth
	look base
	return 1
}

own() {
	if command -v "$1_$ACT" >/dev/null; then "$1_$ACT"; else eval "$2"; fi
}

undo_act() {
	own undo undo
	becomes like base
}

prepare_act() {
	[ -z "$prepared" ] || return 0
	own prepare :
	look before
	prepared=1
}

# strike: the act, with $deed done at $at. Whether it came there; $call is what it was, $code the act's.
strike() {
	# shellcheck disable=SC2046,SC2086 # lists of options
	"act_$ACT" inject $(own with 'echo -d') $options -t 60 -o struck "$at" $deed >act.out 2>act.err
	code=$?
	call=
	read -r call <struck || return
	call=${call#* }
	[ $code != 124 ] || leak "it hangs: $(cat act.err)" || code=
}

# What has to be so whatever was done to it.
judge() {
	ctr-ps -a >said 2>&1 || leak "ctr-ps: $(cat said)" || return
	ctr-run --rm --net "$PROBE" busybox true >said 2>&1 || leak "ctr-run: $(cat said)" || return
	{ ctr-gc >freed 2>said && [ ! -s said ]; } || leak "ctr-gc: $(cat said)" || return
	! like before || return 0
	prepared=
	becomes clean >said 2>&1 || leak "ctr-gc left: $(cat said extra)$(sed "s/^/missing: /" missing)" || return
	own check : >said 2>&1 || leak "check_$ACT: $(cat said)" || return
	undo_act >said 2>&1 || leak "is left at the end: $(cat said; differs base)"
}

# Whether there was such a point.
try() {
	at=$1
	[ -n "$rehearsed" ] || rehearse
	prepare_act
	strike || {
		prepared=
		undo_act >said 2>&1
		return 1
	}
	points=$((points + 1))
	echo "$ACT $at $call" >"$RESULTS/$ACT.now"
	[ -z "$code" ] || ! outcome || judge
	return 0
}

# The act undisturbed: its points are listed, and what it makes is kept as `after`; again once something was found, since the world isn't what it was.
rehearse() {
	rehearsed=1
	prepare_act
	# shellcheck disable=SC2046,SC2086 # lists of options
	"act_$ACT" inject $(own with 'echo -d') $options -t 60 -o listed -l >act.out 2>act.err
	ctr-gc >/dev/null
	[ -n "$(ctr-ps -q)" ] || becomes no_veth
	look after
	prepared=
	undo_act >said 2>&1 || leak "it leaves something: $(differs base)"
}

# As many as the listing tells, and more as long as it is struck: two runs aren't quite the same.
sweep() {
	processes=$(cut -d: -f1 listed | sort -n | tail -n 1)
	for p in $(seq "${processes:-0}"); do
		known=$(grep -c "^$p:" listed)
		n=$OFFSET
		while try "$p:$n" || [ "$n" -le "$known" ]; do
			n=$((n + STEP))
		done
		OFFSET=$(((n - known - 1) % STEP + 1))
	done
}

inside() {
	ACT=$1 WORK=$2 points=0 leaks=0 prepared='' rehearsed='' at=0:0 call='' code='' options=''
	case $ACT in net_* | run_kinds) PROBE=n ;; *) PROBE=none ;; esac
	make_world
	each_deed
	echo "$ACT: points $points, $NOUN $leaks"
	echo "$points $leaks" >"$RESULTS/$ACT.count"
}

# One of them alone.
point() {
	try "$POINT" || echo "$ACT doesn't come to $POINT"
	cat act.out act.err
}

# sweep_main PROGRAM [WORD]..
sweep_main() {
	program=$1
	shift
	STEP=1 POINT='' ONLY='' chosen=
	for word; do
		case $word in
		*:*) POINT=$word ;;
		[0-9]*) STEP=$word ;;
		E[A-Z]*) ONLY=$word ;;
		*)
			echo "$ACTS" | grep -qxF -e "$word" || {
				echo "$program: $word: no such act (tools/sweep/acts.sh)" >&2
				exit 2
			}
			chosen="$chosen $word"
			;;
		esac
	done
	OFFSET=${OFFSET:-$(($(date +%s) % STEP + 1))}
	export STEP POINT ONLY OFFSET
	run_lanes "$program" "${chosen:-$ACTS}"
}
