#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The host that the other files take for granted.

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
