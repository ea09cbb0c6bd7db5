#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Limits of containers, as systemd and inspect show them. That they hold is shown where the controllers are: tests/vm/30-limits.bats.

load helpers

setup_file() {
        make_busybox_image busybox
        truncate -s 1M /srv/test/disk
        losetup -f --show /srv/test/disk >/srv/test/loop 2>/dev/null || true
}

teardown() {
        cleanup_containers
}

teardown_file() {
        [ ! -s /srv/test/loop ] || losetup -d "$(cat /srv/test/loop)"
        cleanup_containers
        leak_check
}

# property NAME: of the unit of the container "limited"
property() {
        systemctl show "$(berth inspect -f '{{.Unit}}' limited)" -p "$1" --value
}

# host_config FIELD
host_config() {
        berth inspect -f "{{json .HostConfig.$1}}" limited
}

@test "no limit: none in the unit, and what Docker shows" {
        berth run -d --name limited busybox sleep 1000
        assert_equal "$(property MemoryMax) $(property MemorySwapMax) $(property TasksMax)" "infinity infinity infinity"
        assert_equal "$(property CPUQuotaPerSecUSec) $(property CPUWeight) $(property IOWeight)" "infinity [not set] [not set]"
        assert_equal "$(host_config Memory) $(host_config PidsLimit) $(host_config ShmSize) $(host_config Ulimits)" "0 null 67108864 []"
}

@test "memory: swap is what --memory-swap adds to it" {
        berth run -d --name limited -m 64m --memory-swap 96m --memory-reservation 32m busybox sleep 1000
        assert_equal "$(property MemoryMax) $(property MemorySwapMax) $(property MemoryLow)" "67108864 33554432 33554432"
        assert_equal "$(host_config Memory) $(host_config MemorySwap) $(host_config MemoryReservation)" "67108864 100663296 33554432"
        berth rm -f limited
        berth run -d --name limited -m 64m busybox sleep 1000
        assert_equal "$(property MemorySwapMax) $(host_config MemorySwap)" "67108864 134217728"
        berth rm -f limited
        berth run -d --name limited -m 64m --memory-swap -1 busybox sleep 1000
        assert_equal "$(property MemorySwapMax) $(host_config MemorySwap)" "infinity -1"
}

@test "processors: quota, period, weight, sets" {
        berth run -d --name limited --cpus 0.2 --cpu-shares 512 --cpuset-cpus 0 --cpuset-mems 0 busybox sleep 1000
        assert_equal "$(property CPUQuotaPerSecUSec) $(property CPUWeight) $(property AllowedCPUs) $(property AllowedMemoryNodes)" "200ms 20 0 0"
        assert_equal "$(host_config NanoCpus) $(host_config CpuShares) $(host_config CpusetCpus)" '200000000 512 "0"'
        berth rm -f limited
        berth run -d --name limited --cpu-period 50000 --cpu-quota 25000 busybox sleep 1000
        assert_equal "$(property CPUQuotaPerSecUSec) $(property CPUQuotaPeriodUSec)" "500ms 50ms"
}

@test "limits are still there after a daemon-reload, and set-property changes them" {
        berth run -d --name limited -m 64m --cpus 0.2 --pids-limit 20 busybox sleep 1000
        systemctl daemon-reload
        assert_equal "$(property MemoryMax) $(property CPUQuotaPerSecUSec) $(property TasksMax)" "67108864 200ms 21"
        systemctl set-property --runtime "$(berth inspect -f '{{.Unit}}' limited)" MemoryMax=80M
        assert_equal "$(property MemoryMax)" 83886080
}

@test "the limit of processes is for the container: the monitor has its own place" {
        berth run -d --name limited --pids-limit 10 busybox sleep 1000
        assert_equal "$(property TasksMax) $(host_config PidsLimit)" "11 10"
        berth rm -f limited
        berth run -d --name limited --pids-limit -1 busybox sleep 1000
        assert_equal "$(property TasksMax) $(host_config PidsLimit)" "infinity -1"
}

@test "devices: weights and rates of one" {
        [ -s /srv/test/loop ] || skip "there is no loop device here"
        local device
        device=$(cat /srv/test/loop)
        berth run -d --name limited --blkio-weight 500 --blkio-weight-device "$device:10" --device-read-bps "$device:1mb" \
                --device-write-iops "$device:7" busybox sleep 1000
        assert_equal "$(property IOWeight) $(property IODeviceWeight)" "4950 $device 1"
        assert_equal "$(property IOReadBandwidthMax) $(property IOWriteIOPSMax)" "$device 1048576 $device 7"
        assert_equal "$(host_config BlkioDeviceReadBps) $(host_config BlkioWeight)" "[{\"Path\":\"$device\",\"Rate\":1048576}] 500"
}

@test "--cgroup-parent is the slice" {
        berth run -d --name limited --cgroup-parent first-second.slice busybox sleep 1000
        assert_equal "$(property Slice) $(property ControlGroup)" "first-second.slice /first.slice/first-second.slice/berth-limited.scope"
        assert_equal "$(host_config CgroupParent)" '"first-second.slice"'
        kill -9 "$(pgrep -f '^berth-monitor.*limited')"
        wait_until container_has_state limited exited
        [ -z "$(pgrep -f '^sleep 1000')" ]
}

@test "--ulimit, --shm-size and --oom-score-adj are seen inside, also by exec" {
        berth run -d --name limited --ulimit nofile=100:200 --shm-size 1m --oom-score-adj 500 busybox sleep 1000
        seen=$(berth exec limited sh -c 'echo $(ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj) $(df -k /dev/shm | tail -n 1 | awk "{ print \$2 }")')
        assert_equal "$seen" "100 200 500 1024"
        assert_equal "$(host_config Ulimits) $(host_config ShmSize) $(host_config OomScoreAdj)" '[{"Name":"nofile","Soft":100,"Hard":200}] 1048576 500'
}

# refused EXPECTED OPTION...: by run, with Docker's exit code, and nothing is left
refused() {
        local expected=$1 text code=0
        shift
        text=$(berth run --rm "$@" busybox true 2>&1) || code=$?
        assert_equal "$code" 125
        assert_contains "$text" "$expected"
        [ "$(wc -l <<<"$text")" -le 2 ]
        [ -z "$(berth ps -aq)" ]
}

@test "what cannot be is refused before anything is made" {
        refused "Minimum memory limit allowed is 6MB" -m 1m
        refused "invalid size" -m lots
        refused "always set the Memory limit" --memory-swap 100m
        refused "larger than memory limit" -m 100m --memory-swap 50m
        refused "less than memory reservation" -m 100m --memory-reservation 200m
        refused "only" --cpus 1000
        refused "too precise" --cpus 0.0000000001
        refused "Conflicting options" --cpus 1 --cpu-quota 5000
        refused "cfs period" --cpu-period 1
        refused "from 2 to 262144" --cpu-shares 1
        refused "not available" --cpuset-cpus 1000
        refused "Invalid value" --cpuset-cpus 1-
        refused "from 10 to 1000" --blkio-weight 5
        refused "No such file" --device-read-bps /dev/nothing:1mb
        refused "no block device" --device-read-bps /dev/null:1mb
        refused "bad format" --device-write-iops nothing
        refused "less than or equal to hard limit" --ulimit nofile=2:1
        refused "invalid ulimit type" --ulimit files=1
        refused "xxx.slice" --cgroup-parent machine
        refused "oom score adj" --oom-score-adj 5000
        refused "invalid CGROUP mode" --cgroupns other
}

@test "what cgroup v2 does not have is refused with that reason" {
        local flag
        for flag in --memory-swappiness=10 --oom-kill-disable --kernel-memory=10m --cpu-rt-period=1000 --cpu-rt-runtime=1000; do
                refused "cgroup v2" "$flag"
        done
        refused "Windows" --cpu-count 1
}

@test "--cgroupns host shows the whole tree, private its own part" {
        assert_equal "$(berth run --rm --name limited busybox tail -n 1 /proc/self/cgroup)" "0::/"
        assert_contains "$(berth run --rm --name limited --cgroupns host busybox tail -n 1 /proc/self/cgroup)" \
                "/machine.slice/berth-limited.scope/payload"
        run berth run --rm --name limited --cgroupns host busybox sh -c 'ls -d /sys/fs/cgroup/machine.slice && mkdir /sys/fs/cgroup/machine.slice/x'
        assert_contains "$output" "/sys/fs/cgroup/machine.slice"
        assert_contains "$output" "Read-only file system"
        berth run -d --name limited --cgroupns host busybox sleep 1000
        assert_equal "$(host_config CgroupnsMode)" '"host"'
}

@test "a service has the limits, too, whoever starts it" {
        berth create --name limited -m 64m --memory-swap 96m --cpus 0.2 --pids-limit 20 --cgroup-parent first-second.slice busybox sleep 1000
        systemctl start berth@limited.service
        wait_until container_has_state limited running
        assert_equal "$(berth inspect -f '{{.Unit}}' limited)" berth@limited.service
        assert_equal "$(property MemoryMax) $(property MemorySwapMax) $(property CPUQuotaPerSecUSec) $(property TasksMax)" "67108864 33554432 200ms 21"
        assert_equal "$(property ControlGroup)" /first.slice/first-second.slice/berth@limited.service
        systemctl daemon-reload
        assert_equal "$(property MemoryMax) $(property Slice)" "67108864 first-second.slice"
        berth stop limited
        # Lost, as after a power cut: it is made again before anything runs.
        rm /etc/systemd/system/berth@limited.service.d/50-berth.conf
        systemctl daemon-reload
        systemctl start berth@limited.service
        assert_equal "$(property MemoryMax)" 67108864
        berth rm -f limited
        [ ! -e /etc/systemd/system/berth@limited.service.d ]
}

@test "one that is always to run has its limits in the drop-in that starts it with the machine" {
        berth run -d --name limited --restart always -m 64m --cpus 0.5 --cgroup-parent first.slice busybox sleep 1000
        wait_until container_has_state limited running
        assert_equal "$(property MemoryMax) $(property CPUQuotaPerSecUSec) $(property Slice)" "67108864 500ms first.slice"
        dropin=$(cat /etc/systemd/system/berth@limited.service.d/50-berth.conf)
        assert_contains "$dropin" "MemoryMax=67108864"
        assert_contains "$dropin" "CPUQuota=50.00%"
        systemctl daemon-reload
        assert_equal "$(property MemoryMax) $(property CPUQuotaPerSecUSec)" "67108864 500ms"
        # What is not limited here, somebody else may limit.
        assert_equal "$(grep -c infinity <<<"$dropin")" 0
        berth rm -f limited
        systemctl daemon-reload # until then the target wants it, which it was told of by the last one
}

@test "update: what is given is changed, in the unit, in inspect and for the next run; the rest stays" {
        berth run -d --name limited -m 64m --cpus 0.2 busybox sleep 1000
        assert_equal "$(berth update --pids-limit 20 --memory-reservation 32m --cpu-shares 512 --cpuset-cpus 0 limited)" limited
        assert_equal "$(property TasksMax) $(property MemoryLow) $(property CPUWeight) $(property AllowedCPUs)" "21 33554432 20 0"
        assert_equal "$(property MemoryMax) $(property CPUQuotaPerSecUSec)" "67108864 200ms"
        assert_equal "$(host_config PidsLimit) $(host_config CpuShares) $(host_config Memory)" "20 512 67108864"
        berth update --pids-limit -1 --cpus 0.4 limited
        assert_equal "$(property TasksMax) $(property CPUQuotaPerSecUSec)" "infinity 400ms"
        systemctl stop berthd.service
        berth restart -t 0 limited
        assert_equal "$(property TasksMax) $(property CPUQuotaPerSecUSec) $(property MemoryLow)" "infinity 400ms 33554432"
        journalctl -q -o cat BERTH_EVENT=update CONTAINER_NAME=limited | grep -q "settings of container limited were changed by root"
}

@test "update: of a service, and of one that does not run" {
        berth create --name limited busybox sleep 1000
        berth update -m 64m limited
        systemctl start berth@limited.service
        assert_equal "$(property MemoryMax)" 67108864
        berth update -m 80m limited
        assert_equal "$(property MemoryMax) $(host_config Memory)" "83886080 83886080"
        assert_contains "$(cat /etc/systemd/system/berth@limited.service.d/50-berth.conf)" "MemoryMax=83886080"
}

@test "update --restart: from now on, and with the machine" {
        local link=/etc/systemd/system/multi-user.target.wants/berth@limited.service
        berth run -d --name limited busybox sh -c 'until [ -e /go ]; do sleep 0.05; done; rm /go; exit 3'
        berth update --restart on-failure:5 limited
        assert_equal "$(berth inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' limited)" "on-failure 5"
        berth exec limited touch /go
        wait_until sh -c '[ "$(berth inspect -f "{{.RestartCount}} {{.State.Status}}" limited)" = "1 running" ]'
        berth update --restart unless-stopped limited
        [ -L "$link" ]
        berth stop -t 0 limited
        [ ! -L "$link" ]
        berth update -m 64m limited # does not bring it back
        [ ! -L "$link" ]
        berth update --restart always limited
        [ -L "$link" ]
        berth update --restart no limited
        [ ! -L "$link" ]
        berth start limited
        assert_equal "$(berth inspect -f '{{.Unit}}' limited)" berth-limited.scope
}

@test "update: what cannot be is refused, and nothing has changed" {
        berth run -d --name limited -m 64m --memory-swap 80m busybox sleep 1000
        local before expected flags code text
        before=$(berth inspect -f '{{json .HostConfig}}' limited)
        while IFS='|' read -r code expected flags; do
                # shellcheck disable=SC2086 # words
                run berth update $flags limited
                assert_equal "$status" "$code"
                assert_contains "$output" "$expected"
        done <<'END'
1|must provide one or more flags|
1|larger than memory limit|-m 100m
1|Minimum memory limit allowed|-m 1m
125|cgroup v2|--kernel-memory 10m
125|unknown flag|--oom-score-adj 5
1|invalid restart policy|--restart sometimes
END
        run busctl call org.berth1 "/org/berth1/container/$(berth inspect -f '{{.Id}}' limited)" org.berth1.Container Update 'a{sv}' 1 shm-size x 5
        assert_contains "$output" 'The option "shm-size" of a container cannot be changed.'
        run berth update -m 80m nothing
        assert_equal "$status" 1
        assert_contains "$output" "No such container"
        assert_equal "$(berth inspect -f '{{json .HostConfig}}' limited)" "$before"
        berth rm -f limited
        berth run -d --rm --name limited busybox sleep 1000
        run berth update --restart always limited
        assert_contains "$output" "AutoRemove"
}
