#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
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
        # Enabled with systemctl, it is to come back; and after what its administrator orders it after.
        berth create --name boots busybox sh -c 'trap "exit 3" TERM; touch /set; while :; do sleep 0.1; done'
        berth create --name first busybox sleep 1000
        systemctl enable berth@boots berth@first
        mkdir -p /etc/systemd/system/berth@boots.service.d
        printf '[Unit]\nAfter=berth@first.service\n' >/etc/systemd/system/berth@boots.service.d/60-order.conf
        systemctl start berth@boots berth@first
        wait_until berth exec boots test -e /set
        wait_until berth exec obeys test -e /set
        wait_until berth exec deaf test -e /set
}
