#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=trixie
#
# The machine that the other files take for granted.

@test "systemd runs this machine" {
        [ "$(cat /proc/1/comm)" = systemd ]
        run systemctl is-system-running --wait
        systemctl --failed --no-legend --plain # shown if it is not so
        [ "$output" = running ]
}

@test "the controllers cpu, io, memory and pids are there" {
        for controller in cpu io memory pids; do
                grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers
        done
}

@test "a limit of a unit is the kernel's limit" {
        run systemd-run --quiet --pipe --wait -p MemoryMax=123M sh -c \
                'cat /sys/fs/cgroup$(cut -d : -f 3 /proc/self/cgroup)/memory.max'
        [ "$output" = $((123 * 1024 * 1024)) ]
}

@test "the build under test is installed, and its sockets listen" {
        systemctl is-active berthd.socket berth-spawn.socket
        [ -S /run/berth/berthd.sock ]
        [ -S /run/berth/spawn.sock ]
}

@test "the store is on a disk of its own, an ext4 that does not hide a missing fsync" {
        findmnt -n -t ext4 -O noauto_da_alloc /var/lib/berth
        [ "$(stat -c %a /var/lib/berth)" = 700 ]
}
