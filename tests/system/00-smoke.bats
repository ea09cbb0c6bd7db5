#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The host that the other files take for granted.

load helpers

@test "systemd runs this host, and nothing has failed" {
        run systemctl is-system-running
        [ "$output" = running ]
}

@test "cgroup2 is mounted alone, and is the host's own" {
        [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
        [ -e /sys/fs/cgroup/init.scope/cgroup.procs ]
}

@test "the stores are on a real file system" {
        [ "$(stat -f -c %T /var/lib/berth)" != overlayfs ]
        [ "$(stat -f -c %T /srv/test)" != overlayfs ]
        [ "$(stat -c %a /var/lib/berth)" = 700 ]
}

@test "the network is lo, and it is up" {
        [ "$(ip -o link | wc -l)" = 1 ]
        ip -o link show lo | grep -q 'LOWER_UP'
}

@test "the journal takes a line and gives it back" {
        logger -t berth-smoke "a line of this test"
        journalctl --sync
        [ "$(journalctl -q -o cat -t berth-smoke)" = "a line of this test" ]
}

@test "the units of berth are in place, and their sockets listen" {
        systemctl is-active berthd.socket berth-spawn.socket
        [ -S /run/berth/berthd.sock ]
        [ -S /run/berth/spawn.sock ]
}

@test "a host on which nothing ran has no leaks, and leaks are seen" {
        leak_check
        mkdir -p /run/berth/containers/f00
        assert_contains "$(leaks)" "file /run/berth/containers/f00"
        rmdir /run/berth/containers/f00
        systemd-run --quiet --scope --unit berth-smoke.scope sleep 60 3>&- 4>&- &
        wait_until systemctl is-active berth-smoke.scope
        assert_contains "$(leaks)" "unit berth-smoke.scope"
        systemctl stop berth-smoke.scope
        leak_check
}
