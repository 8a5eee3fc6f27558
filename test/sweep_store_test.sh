#!/bin/sh
# Commands for files, images and networks killed at system calls leave nothing that ctr-gc doesn't take (tools/crashsweep).
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/sweep_lib.sh
. "$TOP/test/sweep_lib.sh"

test_files() {
	swept cp_in cp_in_running cp_out volume_create volume_rm volume_prune
}

test_images() {
	swept import load pull push build commit commit_running save tag image_rm image_prune image_mount mount_file
}

test_networks() {
	swept net_create net_rm net_prune net_reload net_connect net_disconnect net_run run_kinds
}

. shunit2
