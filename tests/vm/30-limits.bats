#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Limits of containers, where the controllers are: they hold, systemd knows of them, and they stay. How Docker's words become
# systemd's is shown by limits.bats on the namespace host.

load ../system/busybox

# property NAME: of the unit of the container "limited"
property() {
        systemctl show "$(berth inspect -f '{{.Unit}}' limited)" -p "$1" --value
}

# cgroup FILE: of that unit
cgroup() {
        cat "/sys/fs/cgroup$(property ControlGroup)/$1"
}

usage_usec() {
        cgroup cpu.stat | awk '$1 == "usage_usec" { print $2 }'
}

now_usec() {
        local now=${EPOCHREALTIME/[.,]/}
        echo "$now"
}

@test "who allocates past the limit is killed: 137, OOMKilled, an event, a record" {
        berth run -d --name limited -m 32m --memory-swap 32m busybox sh -c 'until [ -e /go ]; do sleep 0.1; done; exec tail /dev/zero'
        assert_equal "$(cgroup memory.max) $(cgroup memory.swap.max)" "$((32 << 20)) 0"
        berth exec limited touch /go
        wait_for_state limited exited
        assert_equal "$(berth inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' limited)" "true 137"
        wait_until sh -c 'journalctl -q -o cat BERTH_EVENT=die CONTAINER_NAME=limited BERTH_OOM_KILLED=true | grep -q .'
        journalctl --update-catalog
        wait_until sh -c 'journalctl -q -x BERTH_EVENT=oom CONTAINER_NAME=limited _SYSTEMD_UNIT=berth-limited.scope | grep -q "Memory was short for container limited"'
}

@test "something beside its first process is killed: that is seen at once, and it goes on" {
        busctl monitor org.berth1 >"$BATS_TEST_TMPDIR/signals" 2>&1 3>&- 4>&- &
        local monitor=$!
        berth run -d --name limited -m 32m --memory-swap 32m busybox sleep 1000
        run berth exec limited tail /dev/zero
        assert_equal "$status" 137
        wait_until sh -c '[ "$(berth inspect -f "{{.State.OOMKilled}} {{.State.Status}}" limited)" = "true running" ]'
        wait_until grep -q '"oom"' "$BATS_TEST_TMPDIR/signals"
        wait_until sh -c 'journalctl -q -o cat BERTH_EVENT=oom BERTH_OOM_KILLS=1 _SYSTEMD_UNIT=berth-limited.scope -n 1 | grep -q "1 process of container limited"'
        # The next payload has not been killed.
        berth restart -t 0 limited
        assert_equal "$(berth inspect -f '{{.State.OOMKilled}} {{.State.Status}}' limited)" "false running"
        kill $monitor
}

@test "who forks past the limit is told so, and the rest of the machine is not" {
        berth run -d --name limited --pids-limit 12 busybox sleep 1000
        assert_equal "$(cgroup pids.max)" 13 # and the monitor
        run berth exec limited sh -c 'for i in $(seq 40); do sleep 1000 & done'
        assert_contains "$output" "can't fork"
        [ "$(cgroup pids.current)" -le 13 ]
        # Kernels differ in which cgroup of the unit counts that.
        [ "$(find "/sys/fs/cgroup$(property ControlGroup)" -name pids.events -exec cat {} + | awk '{ n += $2 } END { print n }')" -gt 0 ]
        sh -c 'for i in $(seq 40); do sleep 0.1 & done; wait'
        container_has_state limited running
}

@test "a processor hog is held to 20 %: by cpu.stat, over ten seconds" {
        local begun used elapsed percent
        berth run -d --name limited --cpus 0.2 busybox sh -c 'while :; do :; done'
        assert_equal "$(cgroup cpu.max)" "20000 100000"
        sleep 2 # the first period may not have been a whole one
        begun=$(now_usec) used=$(usage_usec)
        sleep 10
        used=$(($(usage_usec) - used)) elapsed=$(($(now_usec) - begun))
        percent=$((used * 100 / elapsed))
        echo "used $used of $elapsed us: $percent %"
        [ "$percent" -ge 15 ]
        [ "$percent" -le 25 ]
        [ "$(cgroup cpu.stat | awk '$1 == "nr_throttled" { print $2 }')" -gt 0 ]
}

@test "weights, sets and rates of devices are the kernel's" {
        local device number
        device=$(findmnt -no SOURCE -T /var/lib/berth)
        number=$(lsblk -dno MAJ:MIN "$device" | tr -d ' ')
        berth run -d --name limited --cpu-shares 512 --cpuset-cpus 0 --blkio-weight 500 --device-read-bps "$device:1mb" \
                --device-write-iops "$device:7" --memory-reservation 16m busybox sleep 1000
        assert_equal "$(cgroup cpu.weight) $(cgroup cpuset.cpus.effective) $(cgroup memory.low)" "20 0 $((16 << 20))"
        assert_equal "$(property CPUWeight) $(property AllowedCPUs) $(property IOWeight)" "20 0 4950"
        assert_equal "$(property IOReadBandwidthMax) $(property IOWriteIOPSMax)" "$device 1048576 $device 7"
        assert_contains "$(cgroup io.max)" "$number rbps=1048576 wbps=max riops=max wiops=7"
        assert_equal "$(berth exec limited nproc)" 1
}

@test "a daemon-reload leaves them, and systemctl set-property changes them" {
        berth run -d --name limited -m 64m --memory-swap 96m --cpus 0.5 --pids-limit 20 --cpuset-cpus 0 busybox sleep 1000
        systemctl daemon-reload
        assert_equal "$(cgroup memory.max) $(cgroup memory.swap.max) $(cgroup cpu.max) $(cgroup pids.max) $(cgroup cpuset.cpus)" \
                "$((64 << 20)) $((32 << 20)) 50000 100000 21 0"
        systemctl set-property --runtime berth-limited.scope MemoryMax=80M CPUQuota=30%
        assert_equal "$(cgroup memory.max) $(cgroup cpu.max)" "$((80 << 20)) 30000 100000"
        systemctl daemon-reload
        assert_equal "$(cgroup memory.max) $(property MemoryMax)" "$((80 << 20)) $((80 << 20))"
}

@test "a service has them, too, from before anything of it runs" {
        berth run -d --name limited --restart always -m 64m --cpus 0.5 busybox sleep 1000
        assert_equal "$(property Id)" berth@limited.service
        assert_equal "$(cgroup memory.max) $(cgroup cpu.max)" "$((64 << 20)) 50000 100000"
        systemctl daemon-reload
        assert_equal "$(cgroup memory.max) $(property MemoryMax)" "$((64 << 20)) $((64 << 20))"
        berth rm -f limited
        systemctl daemon-reload # the target that wanted it was told at the last one
}

@test "update changes them while it runs, in a scope and in a service, and for the next run" {
        berth run -d --name limited -m 64m --cpus 0.5 busybox sleep 1000
        assert_equal "$(berth update -m 80m --memory-swap 100m --cpus 0.3 --pids-limit 30 limited)" limited
        assert_equal "$(cgroup memory.max) $(cgroup memory.swap.max) $(cgroup cpu.max) $(cgroup pids.max)" "$((80 << 20)) $((20 << 20)) 30000 100000 31"
        systemctl daemon-reload
        assert_equal "$(cgroup memory.max) $(cgroup cpu.max)" "$((80 << 20)) 30000 100000"
        berth restart -t 0 limited
        assert_equal "$(cgroup memory.max) $(cgroup memory.swap.max) $(cgroup cpu.max) $(cgroup pids.max)" "$((80 << 20)) $((20 << 20)) 30000 100000 31"
        berth rm -f limited
        berth run -d --name limited --restart always -m 64m busybox sleep 1000
        berth update -m 80m --cpu-shares 512 limited
        assert_equal "$(cgroup memory.max) $(cgroup cpu.weight) $(property MemoryMax)" "$((80 << 20)) 20 $((80 << 20))"
        berth rm -f limited
        systemctl daemon-reload
}
