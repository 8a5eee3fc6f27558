# shellcheck shell=sh
# make_host DIRECTORY: makes fresh namespaces (mount, pid, net ..) a small host: /run and DIRECTORY are empty, /sys is theirs, lo is up.
make_host() {
	mount -t tmpfs -o mode=755 tmpfs /run &&
		mount -t tmpfs -o mode=755 tmpfs "$1" &&
		mkdir "$1/tmp" "$1/sys" &&
		# A sysfs of this network namespace, with the host's cgroups put back.
		mount --rbind /sys/fs/cgroup "$1/sys" &&
		umount --recursive --lazy /sys &&
		mount -t sysfs sysfs /sys &&
		mount --move "$1/sys" /sys/fs/cgroup &&
		rmdir "$1/sys" &&
		# As systemd has it: a mount that a container lets out is seen here. Nothing gets further out.
		mount --make-rshared / &&
		ip link set lo up
}
