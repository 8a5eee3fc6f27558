#!/bin/sh
# COPY, ADD and WORKDIR of ctr-image build: which files come, where they land, whose they are.
# shellcheck disable=SC2016,SC2154 # what stands in single quotes is the Containerfile's; rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/build_files_lib.sh"

oneTimeSetUp() {
	make_base || fail 'no base'
	remember
}

setUp() {
	rm -rf ctx
	mkdir ctx
}

tearDown() {
	[ ! -e ps.before ] || nothing_new
}

test_nothing_but_a_file() {
	echo hello >ctx/hello
	printf 'FROM scratch\nCOPY hello /\n' >ctx/Containerfile
	run_cap ctr-image build -t alone ctx
	assert_rc 0
	assert_out_match '^[0-9a-f]{12}$'
	run_cap sh -c 'ctr-image export alone | tar -tv --numeric-owner | sed "s/ 2[0-9-]* [0-9:]* / /"'
	assert_out_match '^drwxr-xr-x 0/0 .* \./$'
	assert_out_match '^-rw-r--r-- 0/0  *6 hello$'
	assertEquals 2 "$(printf '%s\n' "$out" | wc -l)"
}

test_where_files_land() {
	mkdir -p ctx/d/sub ctx/empty
	echo a >ctx/a
	echo b >ctx/b
	echo one >ctx/d/one
	echo deep >ctx/d/sub/deep
	chmod 700 ctx/d ctx/d/sub
	built 'COPY a /new' 'COPY a b /two/' 'COPY d /dir' 'COPY d/ /dir/again/' 'WORKDIR /w/x' 'COPY a .' 'COPY a ./b/c' 'COPY d/sub/.. up/' \
		'COPY /a ../abs' 'COPY empty /empty' 'COPY ["a", "b", "/json arr/"]' 'COPY . /all' 'COPY d/../a /dots/x' 'COPY ../../../a /clamped'
	shows '644 0:0 regular file /new
644 0:0 regular file /two/a
755 0:0 directory /two
755 0:0 directory /dir
644 0:0 regular file /dir/one
700 0:0 directory /dir/sub
700 0:0 directory /dir/again/sub
644 0:0 regular file /w/x/a
644 0:0 regular file /w/x/b/c
700 0:0 directory /w/x/up/sub
644 0:0 regular file /w/abs
755 0:0 directory /empty
644 0:0 regular file /json arr/b
644 0:0 regular file /all/a
700 0:0 directory /all/d
755 0:0 directory /all/empty
644 0:0 regular file /dots/x
644 0:0 regular file /clamped' /new /two/a /two /dir /dir/one /dir/sub /dir/again/sub /w/x/a /w/x/b/c /w/x/up/sub /w/abs /empty '/json arr/b' \
		/all/a /all/d /all/empty /dots/x /clamped
}

test_an_existing_directory_keeps_what_it_has_and_those_in_it_get_the_sources() {
	mkdir -p ctx/d/sub
	echo new >ctx/d/sub/f
	chmod 711 ctx/d/sub
	built 'RUN mkdir -p /e/sub && chmod 700 /e /e/sub && chown 5:6 /e /e/sub && echo old >/e/sub/f && echo kept >/e/sub/k' 'COPY d /e'
	shows '700 5:6 directory /e
711 0:0 directory /e/sub' /e /e/sub
	has "$(printf 'new\nkept')" cat /e/sub/f /e/sub/k
}

test_owners() {
	mkdir -p ctx/d/sub
	echo x >ctx/d/sub/f
	ln -s f ctx/d/sub/l
	cp ctx/d/sub/f ctx/f
	chown -R 42:43 ctx
	built 'RUN echo bird:x:77:88::/:/bin/sh >>/etc/passwd && echo wings:x:99: >>/etc/group' 'USER bird' 'COPY d /none' 'COPY --chown=77 d /one' 'COPY --chown=bird d /name' \
		'COPY --chown=bird:wings d /both' 'COPY --chown=:wings d /group' 'COPY --chown=70000:3000000000 d /large' 'ARG WHO=5:6' 'COPY --chown=$WHO f /var/made/here/f' \
		'WORKDIR /home/of/bird' 'ADD --chown=7 --chmod=4751 d /add'
	shows '755 0:0 directory /none
755 0:0 directory /none/sub
644 0:0 regular file /none/sub/f
755 77:77 directory /one
755 77:77 directory /one/sub
777 77:77 symbolic link /one/sub/l
755 77:88 directory /name
755 77:99 directory /both/sub
644 0:99 regular file /group/sub/f
644 70000:3000000000 regular file /large/sub/f
755 5:6 directory /var/made
755 5:6 directory /var/made/here
644 5:6 regular file /var/made/here/f
755 77:88 directory /home/of
755 77:88 directory /home/of/bird
755 7:7 directory /add
4751 7:7 directory /add/sub
4751 7:7 regular file /add/sub/f
777 7:7 symbolic link /add/sub/l' /none /none/sub /none/sub/f /one /one/sub /one/sub/l /name /both/sub /group/sub/f /large/sub/f /var/made /var/made/here \
		/var/made/here/f /home/of /home/of/bird /add /add/sub /add/sub/f /add/sub/l
}

test_all_kinds_of_files() {
	mkdir -p ctx/d
	head -c 300000 /dev/urandom >ctx/d/one
	ln ctx/d/one ctx/d/two
	ln -s /nowhere ctx/d/dangling
	ln -s .. ctx/d/up
	mkfifo ctx/d/fifo
	mknod ctx/d/null c 1 3
	mknod ctx/d/disk b 7 200
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("ctx/d/sock")'
	truncate -s 3M ctx/d/sparse
	: >ctx/d/nothing
	setfattr -n user.colour -v blue ctx/d/one
	cp /bin/true ctx/d/able
	setcap cap_net_raw=ep ctx/d/able
	printf x >ctx/d/suid
	chmod 6755 ctx/d/suid
	mkdir ctx/d/sticky
	chmod 3777 ctx/d/sticky
	touch -d '1931-02-03 04:05:06.789' ctx/d/nothing
	built 'COPY d /d' 'COPY --chown=5 d/able /able' 'COPY d/one d/two /x/'
	shows '644 0:0 fifo /d/fifo
644 0:0 character special file /d/null
644 0:0 block special file /d/disk
6755 0:0 regular file /d/suid
3777 0:0 directory /d/sticky
644 0:0 regular empty file /d/nothing
777 0:0 symbolic link /d/up' /d/fifo /d/null /d/disk /d/suid /d/sticky /d/nothing /d/up
	has "$(printf '2 /d/one\n2 /d/two\n1 /x/one\n3145728 /d/sparse')" sh -c 'stat -c "%h %n" /d/one /d/two /x/one; stat -c "%s %n" /d/sparse'
	within sh -c 'ls -a /d; readlink /d/dangling; stat -c %Y /d/nothing'
	assert_out "$(printf '.\n..\nable\ndangling\ndisk\nfifo\nnothing\nnull\none\nsparse\nsticky\nsuid\ntwo\nup\n/nowhere\n%s' "$(stat -c %Y ctx/d/nothing)")"
	mkdir m
	ctr-image mount t m
	assertTrue 'the content' "cmp ctx/d/one m/d/two"
	assertEquals blue "$(getfattr --only-values -n user.colour m/d/two)"
	assertEquals 'm/d/able cap_net_raw=ep' "$(getcap m/d/able)"
	assertEquals 'm/able cap_net_raw=ep' "$(getcap m/able)"
	ctr-image umount m
}

test_weird_names() {
	long=$(head -c 255 /dev/zero | tr '\0' n)
	latin=$(printf 'b\344h')
	mkdir ctx/d
	for name in "$(printf 'new\nline')" '--dash' ' two  blanks ' "$long" "$latin" '$HOME' '*' 'back\slash' '.hidden' '"q"' 'a,b=c'; do
		printf '%s' "$name" >"ctx/d/$name"
	done
	built 'COPY d /d' 'COPY ["d/--dash", "d/ two  blanks ", "/e/"]' "COPY d/$long /e/$long" "COPY d/$latin /e/" 'COPY d/[*] /e/star' 'COPY d/\$HOME /e/'
	within sh -c 'cd /d; for f in * .h*; do [ "$(cat -- "$f")" = "$f" ] || echo "$f"; done; ls -A | wc -l; ls -A /e | wc -l; cat /e/star'
	assert_out "$(printf '11\n6\n*')"
	assert_ok
}

test_a_tree_deeper_than_a_path_is_long() {
	mkdir ctx/d
	(cd ctx/d && for _ in $(seq 18); do mkdir "$(head -c 200 /dev/zero | tr '\0' d)" && cd d*; done && echo bottom >f)
	built 'COPY d /d'
	has bottom sh -c 'cd /d; while cd d* 2>/dev/null; do :; done; cat f'
	built 'COPY d /d' 'FROM base' 'COPY --from=0 /d /again'
	has bottom sh -c 'cd /again; while cd d* 2>/dev/null; do :; done; cat f'
}

test_many_files() {
	mkdir ctx/d
	(cd ctx/d && seq 3000 | xargs touch)
	built 'COPY d /d' 'COPY d/*9 /nines/'
	has "$(printf '3000\n300')" sh -c 'ls /d | wc -l; ls /nines | wc -l'
}

test_chmod() {
	mkdir -p ctx/d/sub
	echo x >ctx/d/sub/plain
	cp ctx/d/sub/plain ctx/d/sub/prog
	chmod 640 ctx/d/sub/plain
	chmod 750 ctx/d/sub/prog
	ln -s plain ctx/d/sub/l
	built 'COPY --chmod=711 d /o' 'COPY --chmod=u=rwX,go=rX d /X' 'COPY --chmod=a+x,g-r d/sub/plain /plus' 'COPY --chmod=u+s,+t d/sub/prog /s' 'COPY --chmod=g=u,o= d/sub/prog /g' \
		'COPY --chmod=0 d/sub/plain /zero' 'ADD --chmod=go-rwx d /a' 'COPY --chmod=a=r,u+w <<E /here' 'x' 'E'
	shows '755 0:0 directory /o
711 0:0 directory /o/sub
711 0:0 regular file /o/sub/plain
777 0:0 symbolic link /o/sub/l
644 0:0 regular file /X/sub/plain
755 0:0 regular file /X/sub/prog
755 0:0 directory /X/sub
711 0:0 regular file /plus
5750 0:0 regular file /s
770 0:0 regular file /g
0 0:0 regular file /zero
700 0:0 directory /a/sub
600 0:0 regular file /a/sub/plain
700 0:0 regular file /a/sub/prog
644 0:0 regular file /here' /o /o/sub /o/sub/plain /o/sub/l /X/sub/plain /X/sub/prog /X/sub /plus /s /g /zero /a/sub /a/sub/plain /a/sub/prog /here
	for bad in 888 77777 000777777777777777 u u+q '+rw,,' x=r 7a u=rw,7 ,a+x u=gr "''"; do
		build "COPY --chmod=$bad d /d"
		assert_fails 1 "Containerfile:2: .*--chmod"
	done
}

test_heredocs() {
	echo file >ctx/f
	built 'ENV A=b' 'WORKDIR /w' 'COPY <<one <<"two" <<-three f /h/' "$(printf 'x$A\none\nx$A\ntwo\n\ttab\n\tthree')" 'COPY --chown=5:6 --chmod=700 <<E named' 'E'
	has "$(printf 'xb\nx$A\ntab\nfile')" cat /h/one /h/two /h/three /h/f
	shows '644 0:0 regular file /h/one
700 5:6 regular empty file /w/named' /h/one /w/named
	built 'RUN echo old >/old && chmod 600 /old && ln -s old /l && mkdir /d && ln -s ../old /d/E' 'COPY <<E /l' 'through' 'E' 'COPY <<E /d/' 'instead' 'E'
	has "$(printf 'through\ninstead\nsymbolic link')" sh -c 'cat /old /d/E; stat -c %F /l'
}

test_links_in_the_source_lead_nowhere_else() {
	echo secret >secret
	mkdir -p ctx/real/deep
	echo inside >ctx/real/deep/f
	ln -s real/deep/f ctx/file
	ln -s /real/deep ctx/dir
	ln -s ../../../../real ctx/up
	ln -s ../secret ctx/out
	ln -s "$WORK/secret" ctx/absolute
	ln -s loop ctx/loop
	ln -s /proc/self/root ctx/magic
	built 'COPY file /x/' 'COPY dir /d' 'COPY up/deep/f /u' 'COPY up /up'
	has "$(printf 'inside\ninside\ninside\ninside')" cat /x/file /d/f /u /up/deep/f
	shows '644 0:0 regular file /x/file' /x/file
	for link in out absolute loop magic/etc/passwd "magic$WORK/secret" ../secret nothing real/deep/f/; do
		build "COPY $link /x"
		[ "$link" = real/deep/f/ ] || assert_fails 1 "Containerfile:2: (COPY|ADD): $link: "
			assertEquals '' "$(grep -rl secret "$CTRBOX_ROOT/layers"/*/tree/x 2>/dev/null)"
	done
	assertEquals secret "$(cat secret)"
}

test_links_in_the_destination_stay_in_the_root() {
	mkdir -p ctx/d/sub outside
	echo f >ctx/f
	echo one >ctx/d/one
	echo deep >ctx/d/sub/deep
	built 'RUN mkdir -p /real/x && ln -s real /link && ln -s ../../../../real /up && ln -s /real/x /abs && ln -s '"$WORK"'/outside /out && ln -s /made/here /dang && echo t >/target && ln -s target /tofile && mkdir /r && ln -s ../target /r/f' \
		'COPY f /link/deep/f' 'COPY f /up/' 'COPY d /abs' 'COPY f /tofile' 'COPY f /dang' 'COPY f /r/' 'COPY f /out/escaped' 'ADD <<E /up/x/here' x E
	within sh -c 'cat /real/deep/f /real/f /real/x/one /target /made/here; stat -c %F /tofile /dang /r/f; cat '"$WORK"'/outside/escaped /real/x/here'
	assert_out "$(printf 'f\nf\none\nf\nf\nsymbolic link\nsymbolic link\nregular file\nf\nx')"
	assertNull 'nothing outside' "$(ls -A outside)"
	build 'RUN ln -s loop /loop' 'COPY f /loop'
	assert_fails 1 'Containerfile:3: .*loop: (Symbolic link loop|Too many levels)'
	build 'RUN ln -s loop /loop' 'COPY f /loop/x'
	assert_fails 1 'Containerfile:3: .*loop.*: (Symbolic link loop|Too many levels)'
	for to in nothing/.. nothing/. nothing/; do
		build "RUN ln -s $to /odd" 'COPY f /odd'
		[ "$rc" = 0 ] || assert_fails 1 'Containerfile:3: '
	done
}

test_kinds_that_do_not_fit() {
	mkdir -p ctx/d/sub ctx/g
	echo f >ctx/f
	echo f >ctx/d/f
	echo f >ctx/g/sub
	for line in 'RUN echo x >/sub:COPY d /sub' 'RUN echo x >/sub:COPY f /sub/' 'RUN echo x >/sub:COPY f /sub/below' 'RUN mkdir /a && echo x >/a/sub:COPY d /a' \
		'RUN mkdir /a && ln -s /etc /a/sub:COPY d /a' 'RUN mkdir -p /a/f:COPY d /a' 'RUN mkdir -p /a/f:COPY f /a/' 'RUN mkdir -p /a/E:COPY <<E /a/'; do
		case $line in *'<<'*) build "${line%%:*}" "${line#*:}" E ;; *) build "${line%%:*}" "${line#*:}" ;; esac
		assert_fails 1 'Containerfile:3: .*(not a directory|Not a directory|no directory|is a directory|a directory of that name|Is a directory)'
	done
}

test_a_device_in_the_image_is_no_place_to_write_to() {
	truncate -s 64k disk
	echo f >ctx/f
	loop=$(losetup -f --show disk 2>/dev/null) || loop=
	[ -n "$loop" ] || loop=/dev/null
	major=$(stat -c %t "$loop") minor=$(stat -c %T "$loop")
	kind=$(stat -c %F "$loop" | cut -c1)
	built "RUN mkdir /d && mknod /d/f $kind $((0x$major)) $((0x$minor)) && mknod /E $kind $((0x$major)) $((0x$minor))" 'COPY f /d/f' 'COPY <<E /E' x E
	shows '644 0:0 regular file /d/f
644 0:0 regular file /E' /d/f /E
	case $loop in /dev/loop*) losetup -d "$loop" ;; esac
	assertEquals 0 "$(tr -d '\0' <disk | wc -c)"
}

test_globs() {
	mkdir -p ctx/g/a ctx/g/b ctx/h
	for f in g/a/1.txt g/b/1.txt g/b/2.txt g/a/3.dat h/x '[b]' .dot; do echo "$f" >"ctx/$f"; done
	built 'COPY g/*/1.txt /one/' 'COPY g/b/?.t*t /two/' 'COPY [g-h] /dirs/' 'COPY [[]b] /lit' 'COPY h* /h' 'COPY .d* /dot' 'COPY g/[^b]/3.dat /not'
	within sh -c 'cat /one/1.txt; ls /two; ls /dirs /h; cat /lit /dot /not'
	assert_out "$(printf 'g/b/1.txt\n1.txt\n2.txt\n/dirs:\na\nb\nx\n\n/h:\nx\n[b]\n.dot\ng/a/3.dat')"
	build 'COPY nosuch* /x'
	assert_fails 1 'Containerfile:2: (COPY|ADD): nosuch\*: '
	build 'COPY g/b/*.txt /x'
	assert_fails 1 'Containerfile:2: .*slash'
	build 'COPY g/[ /x'
	assert_fails 1 'Containerfile:2: (COPY|ADD): g/\[: '
	ln -s nowhere ctx/h/link
	for to in 'h/*' h/link; do
		build "COPY $to /x/"
		assert_fails 1 'Containerfile:2: COPY: .*leads nowhere'
	done
}

test_exclude() {
	mkdir -p ctx/d/sub
	for f in d/a.txt d/b.md d/sub/c.txt d/sub/d.md; do echo $f >ctx/$f; done
	built 'COPY --exclude=*.txt d /top' 'COPY --exclude=**/*.txt --exclude=sub/d.md d /all' 'COPY --exclude=*.md d/*.* /each/'
	within sh -c 'cd /top && find . -type f | sort; cd /all && find . | sort; ls /each'
	assert_out "$(printf './b.md\n./sub/c.txt\n./sub/d.md\n.\n./b.md\n./sub\na.txt')"
}

test_from_another_stage_or_image() {
	echo x >ctx/f
	build_text='FROM base AS one
RUN mkdir -p /s/sub && echo a >/s/sub/a && chown -R 70000:80000 /s && chmod 700 /s /s/sub && chmod 4755 /s/sub/a && ln -s /etc/passwd /s/l && ln -s ../../../../etc /s/e
FROM base
COPY --from=one /s /d
COPY --from=0 s/sub/a /own/
COPY --from=one --chown=5 /s/ /five
COPY --from=base /etc/pass* /s/../bin/true /img/
COPY --from=one /s/l /s/e/group /links/'
	printf '%s\n' "$build_text" >Containerfile
	run_cap ctr-image build -qf Containerfile -t t ctx
	assert_ok
	shows '755 0:0 directory /d
700 70000:80000 directory /d/sub
4755 70000:80000 regular file /d/sub/a
755 0:0 directory /own
4755 70000:80000 regular file /own/a
755 5:5 directory /five
4755 5:5 regular file /five/sub/a
644 0:0 regular file /img/passwd
644 0:0 regular file /links/group' /d /d/sub /d/sub/a /own /own/a /five /five/sub/a /img/passwd /links/group
	has "$(printf 'root\nroot')" sh -c 'head -c4 /links/l; echo; head -c4 /links/group'
	build 'COPY --from=base /nosuch /x'
	assert_fails 1 'Containerfile:2: (COPY|ADD): /nosuch: .*base'
	build 'COPY --from=nosuch /x /x'
	assert_fails 1 'Containerfile:2: (COPY|ADD): --from=nosuch: '
}

test_what_a_RUN_removed_comes_again() {
	mkdir ctx/d
	echo new >ctx/d/f
	echo more >ctx/d/g
	built 'COPY d /d' 'RUN rm -r /d && mkdir /d && echo o >/d/other' 'RUN rm /bin/ls && rm -r /srv' 'COPY d /srv' 'COPY d/f /bin/ls' 'RUN rm /d/other' 'COPY d/g /d/'
	has "$(printf 'f g\ng\nnew')" sh -c 'cd /srv; echo *; cd /d; echo *; head -c 9 /bin/ls'
}

test_bad_lines() {
	echo f >ctx/f
	mkdir ctx/d
	for line in 'COPY f' 'COPY f f /x' 'COPY "" /x' 'COPY --chown=nobird f /x' 'COPY --chown= f /x' 'COPY --nosuch f /x' 'COPY --checksum=x f /x' 'ADD --from=x f /x' 'COPY --from= f /x' \
		'COPY --chown=1:2:3 f /x' 'COPY --chown=99999999999 f /x' 'COPY ["f"]' 'COPY <<E' 'COPY --exclude= f /x'; do
		build "$line"
		assert_fails 1 '^ctr-image: .*Containerfile:2: '
	done
	run_cap ctr-image build -q - <<-'E'
		FROM scratch
		COPY f /x
	E
	assert_fails 1 'stdin:2: .*context'
}

test_workdir() {
	built 'RUN mkdir /old && chmod 700 /old && chown 9 /old && ln -s old /l && echo bird:x:77:88::/: >>/etc/passwd' 'WORKDIR /old/new' 'WORKDIR sub' 'USER 5' 'WORKDIR /l/by5' 'USER bird' 'ENV P=/var' 'WORKDIR $P/../v/w' \
		'WORKDIR /v' 'RUN pwd >/v/here' 'USER 0'
	shows '700 9:0 directory /old
755 0:0 directory /old/new/sub
755 5:0 directory /old/by5
755 77:88 directory /v
755 77:88 directory /v/w' /old /old/new/sub /old/by5 /v /v/w
	has /v pwd
	build 'RUN echo x >/f' 'WORKDIR /f/g'
	assert_fails 1 'Containerfile:3: .*Not a directory'
	build 'USER nobody_here' 'WORKDIR /f/g'
	assert_fails 1 'Containerfile:3: .*nobody_here'
}

. shunit2
