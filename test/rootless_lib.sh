# shellcheck shell=sh
# For tests of an ordinary user: sourced after lib.sh. The user is `willi`, of this mount namespace alone, with a home, a run directory
# and the box below /run, which is the test file's own.
WILLI=5001 GROUP=5002
SETPRIV=$(command -v setpriv)
HOME_OF_WILLI=/run/home/willi

# Called by oneTimeSetUp.
make_willi() {
	chmod 755 "$WORK"
	mkdir -p /run/home/willi /run/user/$WILLI /run/box/bin /run/etc &&
		cp "$CTRBOX" /run/box/bin/ctrbox &&
		cp "$BUILD/busybox.tar" /run/box/ &&
		(cd /run/box/bin && "$CTRBOX" --list | while read -r a; do ln -s ctrbox "$a"; done) &&
		chown $WILLI:$GROUP /run/home/willi /run/user/$WILLI &&
		chmod 700 /run/home/willi /run/user/$WILLI &&
		{ cat /etc/passwd && echo "willi:x:$WILLI:$GROUP::$HOME_OF_WILLI:/bin/sh"; } >/run/etc/passwd &&
		mount --bind /run/etc/passwd /etc/passwd
}

# Called by oneTimeTearDown; shunit2 calls that twice.
unmake_willi() {
	mountpoint -q /etc/passwd && umount /etc/passwd
	:
}

# No process of the user's lives.
none_left() {
	[ -z "$(ps -o pid= -u $WILLI)" ]
}

# willi CMD..: as that user, in the user's home.
willi() {
	(
		cd $HOME_OF_WILLI || exit
		unset CTRBOX_ROOT CTRBOX_RUN XDG_DATA_HOME TMPDIR
		export HOME=$HOME_OF_WILLI XDG_RUNTIME_DIR=/run/user/$WILLI CTRBOX_IMAGES=/run/box PATH="/run/box/bin:${WILLIS_PATH:-$PATH}"
		exec "$SETPRIV" --reuid $WILLI --regid $GROUP --clear-groups --inh-caps=-all -- "$@"
	)
}
