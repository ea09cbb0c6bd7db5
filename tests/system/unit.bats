#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=vm
#
# The unit that a container lives in, seen from systemd's side.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox
        make_busybox_image quits 'STOPSIGNAL SIGQUIT'
}

teardown() {
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

# Writes into /got which signals it gets; a child of its own does so, too.
WATCHER='for s in TERM QUIT HUP INT USR1; do trap "echo pid1 $s >>/got; [ $s = QUIT ] && exit 0" $s; done
(for s in TERM QUIT HUP INT USR1; do trap "echo child $s >>/got" $s; done; while :; do sleep 0.05; done) &
while :; do sleep 0.05; done'

@test "its properties" {
        berth run -d --name props --stop-timeout 20 busybox sleep 1000
        shown=$(systemctl show berth-props.scope)
        for line in Slice=machine.slice Delegate=yes CollectMode=inactive-or-failed KillSignal=18 SendSIGHUP=no TimeoutStopUSec=35s \
                TasksMax=infinity CPUAccounting=yes IOAccounting=yes MemoryAccounting=yes TasksAccounting=yes OOMPolicy=continue \
                DevicePolicy=strict RequiresMountsFor=/var/lib/berth "Description=Container props (busybox)" ActiveState=active; do
                grep -qxF "$line" <<<"$shown" || { fail "no $line in: $shown"; return 1; }
        done
        for device in '/dev/null rwm' '/dev/urandom rwm' '/dev/ptmx rwm' 'char-pts rwm' 'char-* m' 'block-* m'; do
                grep -qxF "DeviceAllow=$device" <<<"$shown" || { fail "no DeviceAllow=$device"; return 1; }
        done
}

@test "the monitor and the payload are in it, each in a cgroup of its own" {
        berth run -d --name inside busybox sleep 1000
        pid=$(berth inspect -f '{{.State.Pid}}' inside)
        read -r monitor _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' inside)"/monitor
        assert_contains "$(cat "/proc/$pid/cgroup")" /machine.slice/berth-inside.scope/payload
        assert_contains "$(cat "/proc/$monitor/cgroup")" /machine.slice/berth-inside.scope/monitor
}

@test "systemctl stop: the image's stop signal, to the container's PID 1 and nobody else" {
        berth run -d --name polite quits sh -c "$WATCHER"
        wait_until berth exec polite true
        sleep 0.3 # for the traps
        upper=$(berth inspect -f '{{.GraphDriver.Data.UpperDir}}' polite)
        systemctl stop berth-polite.scope
        wait_for_state polite exited
        assert_equal "$(cat "$upper/got")" "pid1 QUIT"
        assert_equal "$(berth inspect -f '{{.State.ExitCode}} {{.State.StoppedBy}}' polite)" "0 systemd"
}

@test "systemctl stop: after the time limit all of it is killed" {
        berth run -d --name deaf --stop-timeout 1 busybox sh -c 'trap "" TERM; sleep 1000 & while :; do sleep 0.05; done'
        sleep 0.3 # for the trap
        systemctl stop berth-deaf.scope
        wait_for_state deaf exited
        assert_equal "$(berth inspect -f '{{.State.ExitCode}} {{.State.StoppedBy}}' deaf)" "137 systemd"
        wait_until test ! -d /sys/fs/cgroup/machine.slice/berth-deaf.scope
}

@test "systemctl kill: the container is over, and it is recorded" {
        berth run -d --name shot busybox sleep 1000
        systemctl kill --signal=KILL berth-shot.scope
        wait_for_state shot exited
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' shot)" 137
}

@test "the unit goes with the container" {
        berth run --rm --name passing busybox true
        wait_until sh -c '! systemctl list-units --all --plain --no-legend "berth-passing*" | grep -q .'
}

@test "the limit on log lines is lifted while it runs, and the link goes with the unit" {
        berth run -d --name chatty busybox sleep 1000
        link=/run/systemd/units/log-rate-limit-burst:berth-chatty.scope
        assert_equal "$(readlink "$link")" 4294967295
        berth rm -f chatty
        wait_until -t 30 test ! -L "$link"
}

@test "kill -9 of the monitor ends the container, also one that changed its uid" {
        for user in root app; do
                berth run -d --name "lost-$user" --user "$user" busybox sleep 1000
                pid=$(berth inspect -f '{{.State.Pid}}' "lost-$user")
                read -r monitor _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' "lost-$user")"/monitor
                kill -9 "$monitor"
                wait_for_state "lost-$user" exited
                assert_equal "$(berth inspect -f '{{.State.ExitCode}} {{.State.Error}}' "lost-$user")" "137 the monitor was killed"
                wait_until test ! -d "/proc/$pid"
        done
}

@test "kill -9 of berth-spawn: containers run on, end as they should, and new ones start" {
        berth run -d --name survivor busybox sh -c 'trap "exit 4" TERM; while :; do sleep 0.05; done'
        sleep 0.2 # for the trap
        kill -9 "$(systemctl show -P MainPID berth-spawn.service)"
        assert_equal "$(berth exec survivor echo alive)" alive
        assert_equal "$(berth run --rm busybox echo new)" new
        berth stop survivor
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' survivor)" 4
}

@test "kill -9 of berth-spawn while containers start: each start gets an answer" {
        for ((i = 0; i < 12; i++)); do
                {
                        result=0
                        timeout 60 berth run --rm busybox true || result=$?
                        echo "$result" >"$BATS_TEST_TMPDIR/status.$i"
                } >/dev/null 2>&1 3>&- 4>&- &
                if ((i % 4 == 3)); then
                        # Not by MainPID, which may be 0 just now: for kill, that is this test itself.
                        systemctl kill -s KILL --kill-whom=main berth-spawn.service 2>/dev/null || true
                fi
        done
        wait
        for ((i = 0; i < 12; i++)); do
                [ "$(cat "$BATS_TEST_TMPDIR/status.$i")" != 124 ] || fail "start $i was not answered"
        done
        assert_equal "$(berth run --rm busybox echo still)" still
}
