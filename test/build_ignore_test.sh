#!/bin/sh
# .dockerignore of ctr-image build; ADD of archives and of what a web server has; the cache's eye for files; SOURCE_DATE_EPOCH.
# shellcheck disable=SC2016,SC2154 # what stands in single quotes is the Containerfile's; rc, out and err are set by run_cap
. "$(dirname "$0")/lib.sh"
. "$TOP/test/build_files_lib.sh"

oneTimeSetUp() {
	make_base || fail 'no base'
	mkdir www
	busybox httpd -f -p 127.0.0.1:8099 -h www &
	httpd=$!
	remember
}

oneTimeTearDown() {
	[ -z "${httpd:-}" ] || kill "$httpd"
	httpd=
}

setUp() {
	rm -rf ctx
	mkdir ctx
}

tearDown() {
	[ ! -e ps.before ] || nothing_new
}

# ignoring PATTERN..: ./ctx has these files, and a .dockerignore.
ignoring() {
	rm -rf ctx
	mkdir -p ctx/ig/x/y ctx/ig/z ctx/d/sub
	for f in 1.txt a.dat ig/1.txt ig/x/f ig/x/y/f ig/z/f d/1.txt d/a.dat d/sub/1.txt d/sub/b.dat; do echo $f >ctx/$f; done
	chmod 711 ctx/ig/x
	printf '%s\n' "$@" >ctx/.dockerignore
}

# brings FILES: that is all of `COPY . /c`, but for .dockerignore.
brings() {
	built 'COPY . /c'
	within sh -c 'cd /c && find . -mindepth 1 | sort | grep -v dockerignore | tr "\n" " "'
	assert_out "$1 "
}

test_patterns() {
	ignoring '# a comment' '' '  ig  ' '!ig/x/y' '/a.dat'
	brings './1.txt ./d ./d/1.txt ./d/a.dat ./d/sub ./d/sub/1.txt ./d/sub/b.dat ./ig ./ig/x ./ig/x/y ./ig/x/y/f'
	shows '711 0:0 directory /c/ig/x' /c/ig/x
	ignoring '**/1.txt' 'ig/' '*.dat'
	brings './d ./d/a.dat ./d/sub ./d/sub/b.dat'
	ignoring '*' '!d' 'd/sub' '!**/b.dat'
	brings './d ./d/1.txt ./d/a.dat ./d/sub ./d/sub/b.dat'
	ignoring '**' '!./d/../1.txt'
	brings './1.txt'
	ignoring 'd/**' '!d/sub/1.txt' 'i?' '[0-9].txt'
	brings './a.dat ./d ./d/sub ./d/sub/1.txt'
	printf '\357\273\277ig\r\nd\r\n1.txt' >ctx/.dockerignore
	brings './a.dat'
}

# A tree isn't walked again for every directory on the way to what comes back: that took a minute.
test_bringing_back_from_far_below() {
	(cd ctx && for _ in $(seq 80); do mkdir d && cd d && seq 150 | xargs touch; done && echo x >back)
	printf '%s\n' '**' '!**/back' >ctx/.dockerignore
	printf 'FROM base\nCOPY . /c\n' >Containerfile
	run_cap timeout 30 ctr-image build -q -f Containerfile -t t ctx
	assert_ok
	has "$(printf '80\n1')" sh -c 'find /c -name d | wc -l; find /c -type f | wc -l'
}

test_what_is_ignored_cannot_be_named() {
	ignoring 'ig' '!other' '*.txt'
	ln -s ig/x/f ctx/way
	ln -s ../ig/x/f ctx/d/way
	for source in ig ig/x 1.txt '*.txt' ig/x/f way d/way; do
		build "COPY $source /x/"
		assert_fails 1 "Containerfile:2: .*there is nothing of that name in the context.*dockerignore"
	done
	built 'COPY ?.txt a.* /x/' 2>/dev/null
	ignoring 'ig' '!ig/x/f'
	built 'COPY ig /i' 'COPY ig/x /x' 'COPY ig/x/f /f'
	has "$(printf 'ig/x/f\nig/x/f\nig/x/f')" cat /i/x/f /x/f /f
	within ls /i
	assert_out x
}

test_which_file_says_what_is_ignored() {
	ignoring 1.txt
	echo a.dat >ctx/.containerignore
	brings './.containerignore ./1.txt ./d ./d/1.txt ./d/a.dat ./d/sub ./d/sub/1.txt ./d/sub/b.dat ./ig ./ig/1.txt ./ig/x ./ig/x/f ./ig/x/y ./ig/x/y/f ./ig/z ./ig/z/f' 
	printf 'ig\nd\n' >Containerfile.dockerignore
	brings './.containerignore ./1.txt ./a.dat'
	rm Containerfile.dockerignore
	rm ctx/.containerignore
	echo '!' >>ctx/.dockerignore
	build 'COPY . /'
	assert_fails 1 'dockerignore:2: '
	rm ctx/.dockerignore
	mkdir ctx/.dockerignore
	build 'COPY . /'
	assert_fails 1 'dockerignore: Is a directory'
}

# id: of image t.
id() { ctr-image inspect t | jq -r '.[0].id // .id' 2>/dev/null || ctr-image ls -qn; }

# cached LINE..: built, and from the cache.
cached() {
	printf '%s\n' 'FROM base' "$@" >Containerfile
	run_cap ctr-image build -f Containerfile -t t ctx
	assert_rc 0
	assert_err_match '\] cached'
}

anew() {
	printf '%s\n' 'FROM base' "$@" >Containerfile
	run_cap ctr-image build -f Containerfile -t t ctx
	assert_rc 0
	printf '%s\n' "$err" | grep -q cached && fail "$(captured 'done anew')"
}

test_what_the_cache_sees() {
	ignoring ig
	ln -s 1.txt ctx/d/l
	anew 'COPY . /c'
	first=$out
	cached 'COPY . /c'
	assertEquals "$first" "$out"
	touch ctx/1.txt ctx/d/sub ctx
	echo changed >ctx/ig/new
	cached 'COPY . /c'
	assertEquals "$first" "$out"
	for change in 'echo other >ctx/1.txt' 'chmod 600 ctx/1.txt' 'mv ctx/a.dat ctx/b.dat' 'ln -sf a.dat ctx/d/l' 'rm ctx/b.dat' 'mkdir ctx/new' 'chmod 700 ctx/new' 'setfattr -n user.a -v b ctx/new' \
		'echo d/sub >>ctx/.dockerignore' 'ln -f ctx/1.txt ctx/hard' 'truncate -s 0 ctx/hard' 'rm ctx/new/../d/l && cp ctx/1.txt ctx/d/l'; do
		eval "$change"
		anew 'COPY . /c'
		cached 'COPY . /c'
	done
	chown -R 5:6 ctx # nothing of it would be seen
	cached 'COPY . /c'
	for line in 'COPY . /d' 'COPY --chown=5 . /c' 'COPY --chmod=700 . /c' 'ADD . /c' 'COPY --exclude=d . /c' 'COPY 1.txt /c' 'COPY 1.txt /c/' 'COPY hard /c/'; do
		anew "$line"
		cached "$line"
	done
	cached 'COPY . /c'
	OPTS=--no-cache built 'COPY . /c'
}

test_source_date_epoch() {
	mkdir -p ctx/d/sub
	echo x >ctx/d/sub/f
	touch -d @1000000 ctx/d/sub/f
	echo y >ctx/y
	export SOURCE_DATE_EPOCH=1500000000
	for n in 1 2; do
		cp -a ctx ctx$n
		mv ctx "ctx$n.before"
		mv ctx$n ctx
		touch ctx/y
		OPTS=--no-cache built 'WORKDIR /w' 'COPY . .' 'RUN echo ran >/ran; mkdir /ran.d' 'COPY <<E /here' x E 'ADD --chown=5 y /made/y'
		ids="${ids:-} $out"
		wait_for 5 sh -c "[ \$(date +%s) -gt $(date +%s) ]"
	done
	unset SOURCE_DATE_EPOCH
	# shellcheck disable=SC2086 # two ids
	assertEquals 1 "$(printf '%s\n' $ids | sort -u | wc -l)"
	has "$(printf '1500000000 /w\n1500000000 /w/y\n1000000 /w/d/sub/f\n1500000000 /ran\n1500000000 /ran.d\n1500000000 /here\n1500000000 /made')" \
		stat -c '%Y %n' /w /w/y /w/d/sub/f /ran /ran.d /here /made
	SOURCE_DATE_EPOCH=nonsense run_cap ctr-image build -f Containerfile ctx
	assert_fails 1 'SOURCE_DATE_EPOCH'
	rm -rf ctx1* ctx2*
}

# archives: a tree packed in every way.
archives() {
	mkdir -p tree/sub
	echo plain >tree/plain
	echo s >tree/sub/suid
	chown -R 70000:5 tree/sub
	chmod 4755 tree/sub/suid
	ln -s plain tree/link
	tar -C tree -cf ctx/t.tar plain sub link
	gzip -nk ctx/t.tar && zstd -q ctx/t.tar && mv ctx/t.tar.gz ctx/not-called-so
	rm -rf tree
}

test_add_archives() {
	archives
	echo 'no archive' >ctx/x.tar
	gzip -nk ctx/x.tar
	: >ctx/empty.tar
	head -c 10240 /dev/zero >ctx/zeros.tar
	built 'ADD t.tar /a' 'ADD not-called-so t.tar.zst /b/' 'ADD --chown=3:4 --chmod=700 t.tar /c' 'COPY t.tar /copied' 'ADD x.tar x.tar.gz empty.tar zeros.tar /d/' \
		'RUN mkdir -p /e/plain /real && chmod 700 /e && ln -s ../real /e/sub && chown 9 /e' 'ADD t.tar /e'
	shows '755 0:0 directory /a
644 0:0 regular file /a/plain
755 70000:5 directory /a/sub
4755 70000:5 regular file /a/sub/suid
777 0:0 symbolic link /a/link
4755 70000:5 regular file /b/sub/suid
755 3:4 directory /c
644 3:4 regular file /c/plain
4755 3:4 regular file /c/sub/suid
644 0:0 regular file /d/x.tar
644 0:0 regular file /d/x.tar.gz
644 0:0 regular empty file /d/empty.tar
644 0:0 regular file /d/zeros.tar
700 9:0 directory /e
644 0:0 regular file /e/plain
755 70000:5 directory /e/sub' /a /a/plain /a/sub /a/sub/suid /a/link /b/sub/suid /c /c/plain /c/sub/suid /d/x.tar /d/x.tar.gz /d/empty.tar /d/zeros.tar /e /e/plain /e/sub
	within sh -c 'wc -c </copied; ls /real'
	assert_out "$(stat -c %s ctx/t.tar)"
}

test_bad_archives() {
	mkdir -p tree outside
	head -c 300000 /dev/urandom >tree/large
	tar -C tree -cf whole.tar large
	head -c 50000 whole.tar >ctx/cut.tar
	gzip -c whole.tar | head -c 200000 >ctx/cut.tar.gz
	ln -s "$WORK/outside" tree/way
	mkdir tree/d && ln -s ../../../../.. tree/d/up
	tar -C tree -cf ctx/evil.tar way d
	mkdir evil evil/way && echo x >evil/way/file && mkdir -p "evil/d/up$WORK/outside" && echo x >"evil/d/up$WORK/outside/f"
	tar -C evil -rf ctx/evil.tar way/file "d/up$WORK/outside/f"
	tar -C evil -P -rf ctx/evil.tar --transform "s,^way,$WORK/outside," way/file
	tar -C evil -P -rf ctx/evil.tar --transform "s,^way,../../../../..$WORK/outside," way/file
	for bad in cut.tar cut.tar.gz; do
		build "ADD $bad /x"
		assert_fails 1 "Containerfile:2: (COPY|ADD): $bad: "
	done
	build 'ADD evil.tar /x'
	[ "$rc" = 0 ] || assert_fails 1 'Containerfile:2: '
	assertNull 'nothing outside' "$(ls -A outside)"
	xz -c whole.tar >ctx/w.tar.xz
	build 'ADD w.tar.xz /x'
	assert_fails 1 'Containerfile:2: (COPY|ADD): w.tar.xz: .*xz.*COPY'
	echo x | xz >ctx/text.xz
	built 'ADD text.xz /x'
	rm -rf tree evil
}

test_add_urls() {
	echo served >www/file
	mkdir -p www/d
	tar -C www -cf www/t.tar file
	sum=$(sha256sum <www/file | cut -c1-64)
	at=http://127.0.0.1:8099
	built "ARG AT=$at" "ADD $at/file /new" 'ADD $AT/file?x=y#z /dir/' "ADD --chown=5 --chmod=u=rwx --checksum=sha256:$sum $at/file /sum" "ADD $at/t.tar /t"
	shows '600 0:0 regular file /new
600 0:0 regular file /dir/file
700 5:5 regular file /sum
600 0:0 regular file /t' /new /dir/file /sum /t
	has served cat /dir/file
	cached "ADD $at/file /new"
	echo other >www/file
	anew "ADD $at/file /new"
	build "ADD --checksum=sha256:$sum $at/file /x"
	assert_fails 1 "Containerfile:2: (COPY|ADD): $at/file: its digest is sha256:[0-9a-f]{64}, not"
	build "ADD $at/nosuch /x"
	assert_fails 1 "Containerfile:2: (COPY|ADD): $at/nosuch: .*404"
	build "ADD http://127.0.0.1:9/x /x"
	assert_fails 1 'Containerfile:2: .*Connection refused'
	build "ADD $at/ /x/"
	assert_fails 1 'Containerfile:2: .*name'
	build "ADD --checksum=sha256:$sum file /x"
	assert_fails 1 'Containerfile:2: '
	build "COPY $at/file /x"
	assert_fails 1 'Containerfile:2: '
}

# What is being built from may be an attic with the store in it, too.
test_the_store_is_not_in_the_context() {
	echo f >f
	printf 'FROM base\nCOPY . /c\n' >Containerfile
	printf 'ctx*\nwww\n.out\n.err\n' >.dockerignore
	run_cap timeout 120 ctr-image build -q -t t .
	assert_ok
	has "$(printf '/c/f')" sh -c 'ls -d /c/root/layers /c/run/containers /c/f 2>/dev/null'
	run_cap ctr-image build -t t .
	assert_err_match '\] cached'
	rm .dockerignore f
}

test_files_that_come_and_go_meanwhile() {
	mkdir -p ctx/d ctx/big
	head -c 20000000 /dev/urandom >ctx/big/one
	(while [ ! -e stop ]; do
		for n in 1 2 3 4 5 6 7 8; do echo x >"ctx/d/$n" && mkdir -p ctx/d/sub && mv ctx/d/sub "ctx/d/sub$n" && ln -sf /etc/passwd "ctx/d/l$n"; done
		rm -rf ctx/d/sub* ctx/d/[lL]* ctx/d/[0-9]
	done) 2>/dev/null &
	changer=$!
	for _ in 1 2 3 4 5; do
		build 'COPY . /c'
		assert_ok
	done
	: >stop
	wait $changer
	rm stop
	within sh -c 'cmp /c/big/one /c/big/one && find /c -type f -size +0 | wc -l'
	assert_rc 0
}

# What an earlier build found isn't what a later one is given, if it changed between the look at it and the copy: as soon as there is a container.
test_the_cache_has_what_was_there() {
	echo old >ctx/z
	truncate -s 150M ctx/large
	: >during
	(until [ ! -e during ] || [ -n "$(ls -A "$CTRBOX_ROOT/containers")" ]; do :; done && echo new >ctx/z) &
	built 'COPY . /c'
	rm during
	wait $!
	echo old >ctx/z
	built 'COPY . /c'
	has old cat /c/z
}

test_no_right_to_read() {
	echo secret >ctx/f
	chown 5:5 ctx/f
	chmod 600 ctx/f
	printf 'FROM base\nCOPY . /x\n' >Containerfile
	run_cap capsh --drop=cap_dac_override,cap_dac_read_search -- -c 'ctr-image build -q -f Containerfile ctx'
	assert_fails 1 'Containerfile:2: .*f: .*Permission denied'
}

. shunit2
