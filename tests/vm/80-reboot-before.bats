#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=trixie
#
# Before the reboot: what 81-reboot-after.bats looks for. Nothing is cleaned up.

load ../system/helpers

setup_file() {
        make_busybox_image busybox
}

@test "containers of every kind are there when the machine is told to reboot" {
        berth run -d --name obeys busybox sh -c 'trap "echo told; exit 7" TERM; touch /set; while :; do sleep 0.1; done'
        berth run -d --name deaf --stop-timeout 1 busybox sh -c 'trap "" TERM; touch /set; while :; do sleep 0.1; done'
        berth run -d --rm --name passing busybox sleep 1000
        run berth run --name ended busybox sh -c 'exit 5'
        assert_status 5
        berth create --name fresh busybox true
        wait_until berth exec obeys test -e /set
        wait_until berth exec deaf test -e /set
}
