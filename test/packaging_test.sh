#!/bin/sh
# make dist, and tools/packaging with stand-ins for what surrounds its recipes: what they say is carried out on the source of the tarball.
# shellcheck disable=SC2016 # what make is to expand
. "$(dirname "$0")/lib.sh"

unset BUILD # make would take it, and so build, install and clean elsewhere
VERSION=$(cat "$TOP/VERSION")
SRC=$WORK/src/ctrbox-$VERSION

# One tree for all recipes, so that it is compiled once.
oneTimeSetUp() {
	run_cap "$TOP/tools/dist" "$WORK/dist.tar.gz"
	mkdir -p "$WORK/src" && tar -xzf "$WORK/dist.tar.gz" -C "$WORK/src"
}

# installed DIR: the box is there, runs, and every link leads to it
installed() {
	assertEquals "ctrbox $VERSION" "$("$1/usr/bin/ctrbox" --version)"
	assertEquals "$("$CTRBOX" --list | wc -l)" "$(find "$1/usr/bin" -type l -lname ctrbox -name 'ctr-*' | wc -l)"
}

test_dist_is_the_same_wherever_it_is_made() {
	assert_ok
	assert_out "$WORK/dist.tar.gz"
	(cd "$SRC" && tools/dist "$WORK/again.tar.gz") >/dev/null
	assertTrue 'made of what it holds it is what it was' "cmp '$WORK/dist.tar.gz' '$WORK/again.tar.gz'"
	touch "$SRC/README.md"
	mkdir -p "$SRC/build"
	: >"$SRC/build/product"
	(umask 077 && cd "$SRC" && TZ=Asia/Tokyo LC_ALL=C.UTF-8 tools/dist "$WORK/again.tar.gz") >/dev/null
	assertTrue 'times, build products and the caller do not matter' "cmp '$WORK/dist.tar.gz' '$WORK/again.tar.gz'"
	assertEquals "ctrbox-$VERSION" "$(tar -tzf "$WORK/dist.tar.gz" | cut -d/ -f1 | sort -u)"
	assertEquals 'nothing of git' '' "$(tar -tzf "$WORK/dist.tar.gz" | grep '/\.git/')"
}

test_dist_that_fails_leaves_nothing() {
	mkdir "$WORK/there"
	cp -r "$SRC" "$WORK/there/src"
	chmod 755 "$WORK/there/src/tools/dist"
	mount -t tmpfs -o size=64k none "$WORK/there/src/build"
	run_cap "$WORK/there/src/tools/dist"
	assertNotEquals 0 "$rc"
	assertNull "$(ls "$WORK/there/src/build")"
	umount "$WORK/there/src/build"
	rm -rf "$WORK/there"
}

test_debian() {
	cp -r "$SRC/tools/packaging/debian" "$SRC/debian"
	assertEquals "$VERSION" "$(cd "$SRC" && dpkg-parsechangelog -S Version)"
	(cd "$SRC" && dpkg-buildpackage -b -us -uc -d) >"$WORK/log" 2>&1
	assertEquals "$(tail -20 "$WORK/log")" 0 $?
	deb=$(echo "$WORK"/src/ctrbox_"$VERSION"_*.deb)
	dpkg-deb -x "$deb" "$WORK/deb"
	installed "$WORK/deb"
	assertEquals 'every file is root'\''s' root/root "$(dpkg-deb -c "$deb" | awk '{ print $2 }' | sort -u)"
	(cd "$WORK/deb" && dpkg-deb --ctrl-tarfile "$deb" | tar -xOf - ./md5sums | md5sum -c --quiet)
	assertEquals 'md5sums' 0 $?
	assertTrue 'the tarball makes the very box' "cmp '$WORK/deb/usr/bin/ctrbox' '$CTRBOX'"
	rm -rf "$SRC/debian"
}

test_alpine() {
	recipe=$SRC/tools/packaging/alpine/APKBUILD
	shellcheck -s sh -e SC2034,SC2154 "$recipe" # its variables are abuild's to use
	assertEquals 0 $?
	assertEquals "$VERSION" "$(sh -c '. "$1" && echo "$pkgver"' sh "$recipe")"
	run_cap sh -ec 'cd "$1"; pkgdir=$2 CC=musl-gcc; . "$3"; build; package' sh "$SRC" "$WORK/apk" "$recipe"
	assertEquals "$err" 0 "$rc"
	installed "$WORK/apk"
}

# What Buildroot's own makefiles are to such a package.
test_buildroot() {
	cat >"$WORK/buildroot.mk" <<-'END'
		define generic-package
		$(SRC)/.stamp_built: ; $$(CTRBOX_BUILD_CMDS)
		$(SRC)/.stamp_target_installed: ; $$(CTRBOX_INSTALL_TARGET_CMDS)
		config: ; $$(CTRBOX_LINUX_CONFIG_FIXUPS)
		END
	printf 'endef\nKCONFIG_ENABLE_OPT = echo $(1)=y\ninclude $(BR2_EXTERNAL_CTRBOX_PATH)/external.mk\n' >>"$WORK/buildroot.mk"
	BR2_EXTERNAL_CTRBOX_PATH=$SRC/tools/packaging/buildroot
	export BR2_EXTERNAL_CTRBOX_PATH
	set -- make --no-print-directory -f "$WORK/buildroot.mk" "SRC=$SRC" "TARGET_DIR=$WORK/br" TARGET_CONFIGURE_OPTS='CC=musl-gcc CFLAGS=-Os' HOSTCC=cc
	run_cap "$@" "$SRC/.stamp_built"
	assertEquals "$err" 0 "$rc"
	run_cap "$@" "$SRC/.stamp_target_installed"
	assertEquals "$err" 0 "$rc"
	installed "$WORK/br"
	run_cap "$@" -s config
	assert_ok
	assert_out_match '^CONFIG_OVERLAY_FS=y$'
	assertTrue 'it is this tree that it builds' "[ '$BR2_EXTERNAL_CTRBOX_PATH/../../../VERSION' -ef '$SRC/VERSION' ]"
	assertEquals "$(printf 'name: CTRBOX\n')" "$(head -1 "$BR2_EXTERNAL_CTRBOX_PATH/external.desc")"
	unset BR2_EXTERNAL_CTRBOX_PATH
}

# The parts of OpenWrt's package.mk that the recipe leans on: a default compile and install with MAKE_FLAGS, and one package's rules.
test_openwrt() {
	mkdir -p "$WORK/owrt/include" "$WORK/owrt/root"
	printf '%s\n' 'INCLUDE_DIR := $(TOPDIR)/include' 'INSTALL_DIR := install -d' 'CP := cp -a' 'HOSTCC := cc' >"$WORK/owrt/rules.mk"
	cat >"$WORK/owrt/include/package.mk" <<-'END'
		MAKE_FLAGS := CC=musl-gcc CFLAGS=-Os
		define BuildPackage
		$$(eval $$(Package/$(1)))
		depends: ; @echo '$$(DEPENDS)' '$$(PKG_VERSION)'
		compile: ; $(MAKE) -C $(PKG_BUILD_DIR) $$(MAKE_FLAGS) && $(MAKE) -C $(PKG_BUILD_DIR) $$(MAKE_FLAGS) DESTDIR=$(PKG_INSTALL_DIR) install
		install: ; $$(call Package/$(1)/install,$(TOPDIR)/root)
		END
	echo endef >>"$WORK/owrt/include/package.mk"
	set -- make --no-print-directory -f "$SRC/tools/packaging/openwrt/Makefile" "TOPDIR=$WORK/owrt" "PKG_BUILD_DIR=$SRC" "PKG_INSTALL_DIR=$WORK/owrt/pkg"
	run_cap "$@" -s depends
	assert_ok
	assert_out_match "^@USE_MUSL .*\\+kmod-veth .* $VERSION\$"
	run_cap "$@" compile
	assertEquals "$err" 0 "$rc"
	run_cap "$@" install
	assertEquals "$err" 0 "$rc"
	installed "$WORK/owrt/root"
}

. shunit2
