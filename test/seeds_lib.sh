# shellcheck shell=sh
# Terminals for the course notes' transcripts. [N] in the tests: the behaviour's number in the seeds' checklist.

# Colours, cursor movements and prompts aren't what the notes show.
plain() {
	tr -d '\r' | sed -E 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/^([#$] )+//'
}

# session COMMANDLINE: types stdin's lines on a terminal of its own; the shell's output is in $out, each result on a
# line of its own (what is typed stands there too, after the prompt).
session() {
	tty_cap "$1"
	out=$(printf '%s' "$out" | plain)
}

# open_terminal N COMMANDLINE: one that stays open, N 7 or 8.
open_terminal() {
	mkfifo "$WORK/keys$1"
	script -qfec "$2" /dev/null <"$WORK/keys$1" >"$WORK/screen$1" 2>&1 &
	eval "terminal$1=$!"
	eval "exec $1>\"\$WORK/keys$1\""
}

# type_in N LINE
type_in() {
	printf '%s\n' "$2" >&"$1"
}

screen() {
	plain <"$WORK/screen$1"
}

screen_has() {
	screen "$1" | grep -qE -- "$2"
}

# assert_screen N ERE: some line of it comes to match.
assert_screen() {
	if wait_for 10 screen_has "$1" "$2"; then assertTrue 0; else fail "no line like /$2/ on $(screen "$1")"; fi
}

close_terminal() {
	type_in "$1" exit
	eval "exec $1>&-"
	eval "wait \$terminal$1"
	rm "$WORK/keys$1" "$WORK/screen$1"
}
