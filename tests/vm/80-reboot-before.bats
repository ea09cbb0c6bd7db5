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

@test "containers of policies that start with the machine: running, waiting, stopped by hand" {
        local name policy
        while read -r name policy; do
                berth run -d --name "policy-$name" --restart "$policy" busybox sh -c 'trap "exit 3" TERM; echo up >>/ups; touch /dev/shm/set; while :; do sleep 0.1; done'
        done <<'END'
always always
unless-stopped unless-stopped
ordered always
by-hand-always always
by-hand unless-stopped
by-systemctl unless-stopped
by-kill unless-stopped
END
        mkdir -p /etc/systemd/system/berth@policy-unless-stopped.service.d
        printf '[Unit]\nAfter=berth@policy-ordered.service\n' >/etc/systemd/system/berth@policy-unless-stopped.service.d/60-order.conf
        berth run -d --name policy-fails --restart always busybox sh -c 'echo up >>/ups; exit 4'
        for name in always unless-stopped ordered by-hand-always by-hand by-systemctl by-kill; do
                wait_until berth exec "policy-$name" test -e /dev/shm/set
        done
        berth stop -t 1 policy-by-hand policy-by-hand-always
        systemctl stop berth@policy-by-systemctl
        berth kill policy-by-kill
        wait_for_state policy-by-kill exited
        wait_until sh -c '[ "$(berth inspect -f "{{.RestartCount}}" policy-fails)" -ge 4 ]'
}

@test "with many more it is twenty and more that run: deaf ones, and one whose client stays to the end" {
        local i name
        for i in 1 2 3 4 5 6; do
                berth run -d --name "many-talks-$i" busybox sh -c 'trap "echo last; exit 4" TERM; touch /set; while :; do sleep 0.2; done'
                berth run -d --name "many-deaf-$i" --stop-timeout 6 busybox sh -c 'trap "echo told" TERM; touch /set; while :; do sleep 0.2; done'
        done
        berth run -d --name many-watched busybox sh -c 'trap "echo last; exit 8" TERM; touch /set; while :; do sleep 0.2; done'
        for name in many-{talks,deaf}-{1..6} many-watched; do
                wait_until berth exec "$name" test -e /set
        done
        [ "$(berth ps -q | wc -l)" -ge 20 ]
        # Its client outlives the first signal of a shutdown, and writes down what it was told.
        cat >/srv/test/watch <<'END'
berth attach --no-stdin --sig-proxy=false many-watched >/srv/test/watched.out 2>&1
echo "status $?" >>/srv/test/watched.out
sync /srv/test/watched.out
END
        systemd-run --quiet --unit test-watch.service -p KillSignal=SIGCONT -p TimeoutStopSec=120 bash /srv/test/watch
        wait_until pgrep -f "berth attach --no-stdin"
        tr -d - </proc/sys/kernel/random/boot_id >/srv/test/boot-before
}

@test "a service calls berth at the next boot, before anybody else, as early as a bus can be called" {
        cat >/etc/systemd/system/test-early.service <<'END'
[Unit]
DefaultDependencies=no
After=sysinit.target dbus.socket
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'berth run --rm busybox echo early >/srv/test/early.out 2>&1; echo "status $?" >>/srv/test/early.out'
[Install]
WantedBy=sockets.target
END
        systemctl enable test-early.service
}
