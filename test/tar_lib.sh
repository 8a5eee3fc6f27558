# shellcheck shell=sh
# Archives that no tool would write, a header at a time.

# put FILE OFFSET TEXT: TEXT into FILE at OFFSET.
put() {
	printf '%s' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# pad: to whole blocks of 512 bytes.
pad() {
	cat >"$WORK/.pad"
	cat "$WORK/.pad"
	head -c $(((512 - $(wc -c <"$WORK/.pad") % 512) % 512)) /dev/zero
}

# seal FILE: the checksum of the header in FILE.
seal() {
	put "$1" 148 '        '
	put "$1" 148 "$(printf '%06o' "$(od -An -v -tu1 "$1" | awk '{ for (i = 1; i <= NF; i++) n += $i } END { print n }')")"
	printf '\0 ' | dd of="$1" bs=1 seek=154 conv=notrunc 2>/dev/null
}

# header TYPE NAME [LINK [SIZE [MODE [UID]]]]: a ustar header.
header() {
	head -c 512 /dev/zero >"$WORK/.header"
	put "$WORK/.header" 0 "$2"
	put "$WORK/.header" 100 "$(printf '%07o' "${5:-0644}")"
	put "$WORK/.header" 108 "$(printf '%07o' "${6:-0}")"
	put "$WORK/.header" 116 "$(printf '%07o' "${6:-0}")"
	put "$WORK/.header" 124 "$(printf '%011o' "${4:-0}")"
	put "$WORK/.header" 136 00000001750
	put "$WORK/.header" 156 "$1"
	put "$WORK/.header" 157 "${3:-}"
	put "$WORK/.header" 257 ustar
	put "$WORK/.header" 263 00
	seal "$WORK/.header"
	cat "$WORK/.header"
}

# entry NAME TEXT [MODE]: a regular file.
entry() {
	header 0 "$1" '' ${#2} "${3:-0644}"
	printf '%s' "$2" | pad
}

dir() { header 5 "$1" '' 0 "${2:-0755}"; }
symlink() { header 2 "$1" "$2" 0 0777; }
hardlink() { header 1 "$1" "$2"; }

# pax TYPE KEY=VALUE..: an extended header (x or g).
pax() {
	_type=$1
	shift
	for _record; do
		_len=$((${#_record} + 3))
		while [ $((${#_record} + 2 + ${#_len})) -ne "$_len" ]; do _len=$((_len + 1)); done
		printf '%s %s\n' "$_len" "$_record"
	done >"$WORK/.records"
	header "$_type" pax '' "$(wc -c <"$WORK/.records")"
	pad <"$WORK/.records"
}

finish() { head -c 1024 /dev/zero; }

# tree_of NAME: the directory of an image's only layer.
tree_of() {
	echo "$CTRBOX_ROOT/layers/$(ctr-image inspect "$1" | sed -n 's/.*"diff_id": "\(.*\)".*/\1/p')/tree"
}

# listing DIR: all that a tar keeps of a tree, a line each.
listing() {
	(cd "$1" && find . -mindepth 1 -printf '%P\t%y\t%m\t%U\t%G\t%T@\t%l\t%n\n' | LC_ALL=C sort &&
		find . -type f -exec md5sum {} + | LC_ALL=C sort -k2 &&
		find . \( -type b -o -type c \) -exec stat -c '%n %t:%T' {} + | LC_ALL=C sort)
}
