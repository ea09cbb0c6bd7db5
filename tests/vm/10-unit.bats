#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container's unit, where systemd has all controllers: the scope is delegated, limits set on it are the kernel's, and
# systemctl stops it as berth would.

load ../system/helpers

setup_file() {
        make_busybox_image busybox
}

teardown() {
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

# property UNIT NAME
property() {
        systemctl show --value -p "$2" "$1"
}

@test "a container runs in a delegated scope of machine.slice" {
        berth run -d --name web busybox sleep 1000
        assert_equal "$(property berth-web.scope ActiveState)" active
        assert_equal "$(property berth-web.scope Slice)" machine.slice
        assert_equal "$(property berth-web.scope Delegate)" yes
        assert_equal "$(property berth-web.scope KillSignal)" 18 # SIGCONT
        assert_equal "$(property berth-web.scope OOMPolicy)" continue
        for accounting in CPU IO Memory Tasks; do
                assert_equal "$(property berth-web.scope ${accounting}Accounting)" yes
        done
}

@test "the controllers reach the payload's cgroup" {
        berth run -d --name web busybox sleep 1000
        payload=/sys/fs/cgroup/machine.slice/berth-web.scope/payload
        for controller in cpu io memory pids; do
                grep -qw "$controller" "$payload/cgroup.controllers"
        done
        # The container sees that cgroup as the root of its own.
        assert_equal "$(berth exec web cat /sys/fs/cgroup/cgroup.controllers)" "$(cat "$payload/cgroup.controllers")"
}

@test "systemctl set-property sets a limit that the kernel enforces" {
        berth run -d --name web busybox sleep 1000
        systemctl set-property --runtime berth-web.scope MemoryMax=64M TasksMax=20
        scope=/sys/fs/cgroup/machine.slice/berth-web.scope
        assert_equal "$(cat $scope/memory.max)" $((64 * 1024 * 1024))
        assert_equal "$(cat $scope/pids.max)" 20
        # Something that takes more is killed, and nothing else of the container is.
        run berth exec web sh -c 'tail /dev/zero'
        assert_status 137
        container_has_state web running
}

@test "systemctl stop sends the stop signal to the container's PID 1 and records its status" {
        berth run -d --name web busybox sh -c 'trap "echo told to stop; exit 7" TERM; echo ready; while :; do sleep 0.1; done'
        wait_until sh -c 'berth logs web | grep -q ready'
        systemctl stop berth-web.scope
        wait_for_state web exited
        assert_equal "$(berth inspect --format '{{.State.ExitCode}}' web)" 7
        wait_until sh -c 'berth logs web | grep -q "told to stop"'
}

@test "systemctl kill does what it says" {
        berth run -d --name web busybox sleep 1000
        systemctl kill --signal KILL berth-web.scope
        wait_for_state web exited
        assert_equal "$(berth inspect --format '{{.State.ExitCode}}' web)" 137
}

@test "the OOM killer is to spare the monitor, not the payload" {
        berth run -d --name web busybox sleep 1000
        [ "$(cat "/proc/$(head -n 1 /sys/fs/cgroup/machine.slice/berth-web.scope/monitor/cgroup.procs)/oom_score_adj")" -lt 0 ]
        assert_equal "$(berth exec web cat /proc/1/oom_score_adj)" 0
        assert_equal "$(berth exec web cat /proc/self/oom_score_adj)" 0
}
