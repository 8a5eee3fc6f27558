# shellcheck shell=sh
# shellcheck disable=SC2034 # for those who begin them
# Registries on loopback: a real one, and one that does what it shouldn't (registry.py).

# An image `small` of three layers, the first one packed to some 40 KB, as an OCI layout in ./layout.
make_layout() {
	mkdir -p tree/d
	head -c 40000 /dev/urandom >tree/random
	echo one >tree/d/one
	tar -C tree -c . | ctr-image import -c 'CMD ["true"]' -c 'ENV A=b' small >/dev/null
	for layer in two three; do
		ctr-create --name c small >/dev/null
		echo $layer >$layer
		ctr-cp $layer c:/d/$layer
		ctr-commit c small >/dev/null
		ctr-rm c >/dev/null
	done
	ctr-image save --format oci -o small.tar small
	skopeo copy -q --dest-compress oci-archive:small.tar oci:layout:latest
	ctr-image export small >small.rootfs
	ctr-image rm small
	ctr-image prune >/dev/null
}

# Serves ./layout: $BAD is HOST:PORT; `do_this 'WORD VALUE'..` says how. ./asked has what was asked for.
begin_bad_registry() {
	python3 "$TOP/test/registry.py" layout port asked &
	bad_registry=$!
	wait_for 20 [ -s port ]
	BAD=127.0.0.1:$(cat port)
}

# Serves ./layout by https: $SAFE is HOST:PORT, ./ca.pem who vouches for it. Nobody does until trust_it.
begin_safe_registry() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 2 -subj /CN=box.example -addext subjectAltName=DNS:box.example 2>/dev/null
	cat key.pem ca.pem >both.pem
	python3 "$TOP/test/registry.py" layout safe_port asked both.pem &
	safe_registry=$!
	wait_for 20 [ -s safe_port ]
	SAFE=box.example:$(cat safe_port)
	echo '127.0.0.1 box.example' >hosts
	mount --bind hosts /etc/hosts
}

trust_it() {
	mount --bind ca.pem /etc/ssl/certs/ca-certificates.crt
}

trust_it_no_more() {
	umount /etc/ssl/certs/ca-certificates.crt
}

end_safe_registry() {
	end_server "$safe_registry"
	umount /etc/hosts 2>/dev/null
	:
}

# end_server PID: one that a test began.
end_server() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	:
}

do_this() {
	: >asked
	printf '%s\n' "$@" >layout/do
}

# Docker's own on port 5000; it isn't installed, for then it would run on the host.
begin_registry() {
	dpkg-deb -x "$BUILD"/debian/packages/docker-registry_*.deb docker || echo 'no docker-registry: make debian, which needs a mirror of Debian' >&2
	cat >registry.yml <<END
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $PWD/registry}, delete: {enabled: true}}
http: {addr: "127.0.0.1:5000"}
END
	docker/usr/bin/docker-registry serve registry.yml >registry.log 2>&1 &
	registry=$!
	wait_for 20 curl -sfo /dev/null http://127.0.0.1:5000/v2/
}
