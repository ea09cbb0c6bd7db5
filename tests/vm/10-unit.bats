#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container's unit, where systemd has all controllers: the scope is delegated, and limits set on it are the kernel's. How systemctl
# stops it stands in unit.bats, which runs here, too.

load ../system/busybox

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

@test "limits that systemctl sets are the kernel's, and a daemon-reload leaves them" {
        berth run -d --name web busybox sleep 1000
        systemctl set-property --runtime berth-web.scope MemoryMax=64M TasksMax=20 CPUQuota=50% IOWeight=50
        systemctl daemon-reload
        scope=/sys/fs/cgroup/machine.slice/berth-web.scope
        assert_equal "$(cat $scope/memory.max)" $((64 * 1024 * 1024))
        assert_equal "$(cat $scope/pids.max)" 20
        assert_equal "$(cat $scope/cpu.max)" "50000 100000"
        assert_equal "$(property berth-web.scope CPUQuotaPerSecUSec)" 500ms
        assert_equal "$(property berth-web.scope Delegate)" yes
        # Something that takes more is killed, and nothing else of the container is.
        run berth exec web sh -c 'tail /dev/zero'
        assert_status 137
        run berth exec web sh -c 'for i in $(seq 30); do sleep 1000 & done'
        assert_contains "$output" "can't fork"
        container_has_state web running
        # Limits that go are gone.
        systemctl set-property --runtime berth-web.scope MemoryMax=infinity TasksMax=infinity CPUQuota=
        assert_equal "$(cat $scope/memory.max) $(cat $scope/pids.max) $(cat $scope/cpu.max)" "max max max 100000"
}

@test "a container that the kernel's OOM killer ended says so" {
        berth run -d --name eater busybox sh -c 'until [ -e /go ]; do sleep 0.1; done; exec tail /dev/zero'
        systemctl set-property --runtime berth-eater.scope MemoryMax=32M
        berth exec eater touch /go
        wait_for_state eater exited
        assert_equal "$(berth inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}}' eater)" "true 137"
        # The next run has its own account, and no limit of the last one's.
        berth exec eater true 2>/dev/null && return 1
        berth start eater
        wait_for_state eater running
        berth kill eater
        wait_for_state eater exited
        assert_equal "$(berth inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}}' eater)" "false 137"
}

@test "the OOM killer is to spare the monitor, not the payload" {
        berth run -d --name web busybox sleep 1000
        [ "$(cat "/proc/$(head -n 1 /sys/fs/cgroup/machine.slice/berth-web.scope/monitor/cgroup.procs)/oom_score_adj")" -lt 0 ]
        assert_equal "$(berth exec web cat /proc/1/oom_score_adj)" 0
        assert_equal "$(berth exec web cat /proc/self/oom_score_adj)" 0
}

# Several entries go in one datagram where journald reads them all: from systemd 253 on it does not.
@test "every line of a burst is in the journal" {
        berth run --name burst busybox seq 1 2000 >/dev/null
        berth logs burst >"$BATS_TEST_TMPDIR/lines"
        seq 1 2000 | cmp - "$BATS_TEST_TMPDIR/lines"
}
