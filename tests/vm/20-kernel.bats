#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the kernel of this machine makes of id-mapped layers, an overlay on ext4, and those who are killed.

# shellcheck disable=SC2154 # stderr is bats'
load ../system/helpers

setup_file() {
        local root
        make_busybox_image busybox
        root=$(mktemp -d /srv/test/privileged.XXXXXX)
        tar -C "$root" -xpf "$(busybox_rootfs)"
        for name in plain setuid netraw; do
                cp "$BATS_TEST_DIRNAME/../probe/probe" "$root/bin/$name"
        done
        chmod 4755 "$root/bin/setuid"
        # cap_net_raw=ep, as the file system has it: revision 2 and effective, then permitted and inheritable, twice 32 bits.
        setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 "$root/bin/netraw"
        tar -C "$root" --numeric-owner --xattrs --xattrs-include='*' -cf /srv/test/privileged.tar .
        rm -rf "$root"
        berth import -c 'ENV PATH=/bin' /srv/test/privileged.tar privileged >/dev/null
}

teardown() {
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

@test "on disk stand the ids that the container sees, of what it makes and of what it changes" {
        assert_equal "$(stat -f -c %T /var/lib/berth)" ext2/ext3
        berth run -d --name ids busybox sh -c 'touch /root-made; chmod 700 /home/app; chown 33:33 /www; exec su app -c "touch /tmp/app-made; exec sleep 1000"'
        upper=$(berth inspect -f '{{.GraphDriver.Data.UpperDir}}' ids)
        wait_until test -e "$upper/tmp/app-made"
        assert_equal "$(cd "$upper" && stat -c '%n %u:%g' root-made home/app www tmp/app-made)" \
                $'root-made 0:0\nhome/app 1000:1000\nwww 33:33\ntmp/app-made 1000:1000'
        assert_equal "$(berth exec ids stat -c '%u:%g' /tmp/app-made)" 1000:1000
        # The processes have ids of the container's own range.
        base=$(berth inspect -f '{{.UsernsBase}}' ids)
        assert_equal "$(stat -c %u "/proc/$(berth inspect -f '{{.State.Pid}}' ids)")" $((base + 1000))
}

@test "a set-user-ID file gives the container's root, and a file's capabilities count" {
        run --separate-stderr berth run --rm --user app privileged plain id capability
        assert_contains "$output" "id uid 1000 1000 1000 fs 1000"
        assert_contains "$output" "capability effective (none)"
        run --separate-stderr berth run --rm --user app privileged setuid id
        assert_contains "$output" "id uid 1000 0 0 fs 0"
        run --separate-stderr berth run --rm --user app privileged netraw capability
        assert_contains "$output" "capability effective net_raw"
        # A copy in the writable layer is another file on another mount.
        run --separate-stderr berth run --rm privileged sh -c 'chmod 4711 /bin/setuid; cp /bin/plain /made; chmod 4755 /made
                su app -c "/bin/setuid id; /made id"'
        assert_equal "$(grep -c 'id uid 1000 0 0 fs 0' <<<"$output")" 2
}

@test "kill -9 of berthd and berth-spawn: the container runs on, and its end is recorded" {
        berth run -d --name lives busybox sh -c 'trap "exit 7" TERM; touch /set; while :; do sleep 0.1; done'
        wait_until berth exec lives test -e /set
        kill -9 "$(systemctl show -P MainPID berthd.service)" "$(systemctl show -P MainPID berth-spawn.service)"
        systemctl stop berth-lives.scope
        wait_for_state lives exited
        assert_equal "$(berth inspect -f '{{.State.ExitCode}} {{.State.StoppedBy}}' lives)" "7 systemd"
}

@test "kill -9 of the monitor ends a container whose entrypoint changed its uid, also while berth-spawn is dead" {
        for killed in monitor both; do
                berth run -d --name "lost-$killed" busybox su app -c 'exec sleep 1000'
                pid=$(berth inspect -f '{{.State.Pid}}' "lost-$killed")
                base=$(berth inspect -f '{{.UsernsBase}}' "lost-$killed")
                wait_until grep -q "^Uid:.$((base + 1000))" "/proc/$pid/status"
                read -r monitor _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' "lost-$killed")"/monitor
                [ "$killed" = monitor ] || set -- "$(systemctl show -P MainPID berth-spawn.service)"
                kill -9 "$@" "$monitor"
                wait_for_state "lost-$killed" exited
                assert_equal "$(berth inspect -f '{{.State.ExitCode}} {{.State.Error}}' "lost-$killed")" "137 the monitor was killed"
                wait_until test ! -d "/proc/$pid"
        done
}
