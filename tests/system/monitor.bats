#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The monitor: what it does when those it works with are slow, away or gone.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox
}

teardown() {
        systemctl start systemd-journald.socket systemd-journald.service
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

# The number of records that the journal has of a container's lines.
count_records() {
        journalctl -q -o cat --output-fields=CONTAINER_LOG_ORDINAL "CONTAINER_NAME=$1" CONTAINER_STREAM=stdout | wc -l
}

has_records() {
        [ "$(count_records "$1")" -eq "$2" ]
}

has_descriptors() {
        [ "$(find "/proc/$1/fd" -type l | wc -l)" -eq "$2" ]
}

monitor_of() {
        local pid
        read -r pid _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' "$1")"/monitor
        echo "$pid"
}

@test "journald is started anew while a container logs: every line is there, once" {
        berth run -d --name steady busybox sh -c 'i=0; while [ $i -lt 300 ]; do seq 1 50; i=$((i+1)); done'
        for _ in 1 2 3; do
                systemctl restart systemd-journald.service
                sleep 0.1
        done
        wait_for_state steady exited
        wait_until has_records steady 15000
        ordinals=$(journalctl -q -o json CONTAINER_NAME=steady CONTAINER_STREAM=stdout | jq -r .CONTAINER_LOG_ORDINAL | sort -n | uniq)
        assert_equal "$(wc -l <<<"$ordinals") $(tail -n 1 <<<"$ordinals")" "15000 15000"
}

@test "journald is away: the container waits, then every line is there" {
        berth run -d --name waits busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; done; seq 1 100000; sleep 1000'
        pid=$(monitor_of waits)
        systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket systemd-journald.service
        berth exec waits touch /go
        sleep 1
        assert_equal "$(berth inspect -f '{{.State.Running}}' waits)" true
        # What waits, waits in a bounded queue: a hundred thousand records would take sixty megabytes.
        rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")
        [ "$rss" -lt 16384 ] || { fail "the monitor has grown to $rss kB"; return 1; }
        systemctl start systemd-journald.socket systemd-journald.service
        wait_until -t 60 has_records waits 100000
}

@test "journald is away to the end: the client hears how many lines are missing, and the record counts them" {
        systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket systemd-journald.service
        run --separate-stderr berth run --name unheard busybox seq 1 3
        systemctl start systemd-journald.socket systemd-journald.service
        assert_status 0
        assert_equal "$output" $'1\n2\n3'
        assert_contains "$stderr" "3 lines of its output are missing in the journal"
}

@test "every record is the unit's, however short the container lived" {
        for i in {1..12}; do
                berth run --rm --name "short$i" busybox sh -c 'echo one; echo two' >/dev/null &
        done 3>&- 4>&-
        wait
        for i in {1..12}; do
                wait_until has_records "short$i" 2
                assert_equal "$(journalctl -q -o json CONTAINER_NAME="short$i" CONTAINER_STREAM=stdout |
                        jq -r ._SYSTEMD_UNIT | sort -u)" "berth-short$i.scope"
        done
}

@test "a client that does not read is let go with a line, and the container goes on" {
        berth run --name deaf busybox sh -c 'head -c 1000000 /dev/zero; touch /through; sleep 1000' \
                2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- | { sleep 1000; } 3>&- 4>&- &
        wait_for_state deaf running
        upper=$(berth inspect -f '{{.GraphDriver.Data.UpperDir}}' deaf)
        wait_until -t 40 test -e "$upper/through"
        wait_until grep -q 'not read' "$BATS_TEST_TMPDIR/err" || { cat "$BATS_TEST_TMPDIR/err"; kill %%; return 1; }
        assert_equal "$(berth inspect -f '{{.State.Running}}' deaf)" true
        kill %%
}

@test "a frozen container can be stopped, and gets its signal" {
        berth run -d --name frozen busybox sh -c 'trap "exit 5" TERM; touch /set; while :; do sleep 0.05; done'
        wait_until berth exec frozen test -e /set
        echo 1 >/sys/fs/cgroup/machine.slice/berth-frozen.scope/payload/cgroup.freeze
        systemctl stop berth-frozen.scope
        wait_for_state frozen exited
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' frozen)" 5
}

@test "nothing stays of what was executed: descriptors, cgroups, processes" {
        berth run -d --name busy busybox sleep 1000
        pid=$(monitor_of busy)
        before=$(find "/proc/$pid/fd" -type l | wc -l)
        for i in {1..10}; do
                berth exec busy true
                berth exec -i busy cat <<<x >/dev/null
                berth exec busy not-there 2>/dev/null || true
                berth exec busy sh -c 'sleep 0.2 &' # left behind, and gone soon
        done
        wait_until has_descriptors "$pid" "$before"
        sleep 0.5
        berth exec busy true # sweeps
        assert_equal "$(find /sys/fs/cgroup/machine.slice/berth-busy.scope/exec -mindepth 1 -type d)" ""
        assert_equal "$(pgrep -c -P "$pid")" 1
}

@test "the monitor is small" {
        berth run -d --name idle busybox sh -c 'seq 1 3000; exec sleep 1000'
        wait_until has_records idle 3000
        pid=$(monitor_of idle)
        size=$(awk '/^Private_(Dirty|Clean):/ { sum += $2 } END { print sum }' "/proc/$pid/smaps_rollup")
        # The goal is 150 kB; what the pages of a process cost differs a little between hosts.
        [ "$size" -lt 250 ] || { fail "private memory: $size kB"; return 1; }
}
