#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Logs while journald is restarted, killed, rotates and forgets; and readers that do not read.

# shellcheck disable=SC2154 # stderr is bats'
load busybox

# Writes the numbers up to $2 in blocks of a hundred, so that it takes a while. $1: name
start_counting() {
        # shellcheck disable=SC2016 # for the inner shell
        berth run -d --name "$1" busybox sh -c 'i=1; while [ $i -lt '"$2"' ]; do seq $i $((i + 99)); i=$((i + 100)); done' >/dev/null
}

has_line() {
        berth logs --tail 1 "$1" 2>/dev/null | grep -q .
}

journald_answers() {
        journalctl --sync
}

disturb() {
        systemctl reset-failed systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket 2>/dev/null || true
        if [ "$1" = restart ]; then
                systemctl restart systemd-journald.service
        else
                systemctl kill -s KILL systemd-journald.service
        fi
        wait_until journald_answers
}

# check_log NAME LAST: the lines of NAME, from 1 to LAST, are all there or said to be missing, at their place. Prints how many are missing.
check_log() {
        berth logs "$1" 2>&1 | awk -v last="$2" '
                /^-- [0-9]+ lines? missing --$/ { missing += $2; n += $2; next }
                { n++; if ($0 != n) { print "line " n " is " $0; bad = 1; exit } }
                END { if (!bad && n != last) { print "ends with " n; bad = 1 } if (bad) exit 1; print missing + 0 }'
}

@test "journald restarted: no line is missing" {
        start_counting web 40000
        wait_until has_line web
        for _ in 1 2 3; do
                disturb restart
        done
        wait_for_state web exited
        run check_log web 40000
        assert_status 0
        assert_output 0
}

@test "journald killed: what it lost is said, and nothing else is missing" {
        local follower lost
        start_counting web 40000
        wait_until has_line web
        timeout 120 berth logs -f web >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
        follower=$!
        for _ in 1 2 3; do
                disturb kill
        done
        wait_for_state web exited
        wait "$follower"
        run check_log web 40000
        assert_status 0
        lost=$output
        # journald's own, a datagram each time: 64 lines at most
        [ "$lost" -le 192 ]
        assert_equal "$(($(wc -l <"$BATS_TEST_TMPDIR/out") + lost))" 40000
        assert_equal "$(awk '{ n += $2 } END { print n + 0 }' "$BATS_TEST_TMPDIR/err")" "$lost"
}

@test "-f over rotation, again and again" {
        local follower
        start_counting web 40000
        timeout 120 berth logs -f web >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
        follower=$!
        while container_has_state web running; do
                journalctl --rotate
        done
        wait "$follower"
        cmp "$BATS_TEST_TMPDIR/out" <(seq 1 40000)
        assert_equal "$(cat "$BATS_TEST_TMPDIR/err")" ""
}

@test "-f over vacuum goes on; what is gone is said by who comes later" {
        local follower out=$BATS_TEST_TMPDIR/out
        berth run -d --name web busybox sh -c 'seq 1 1000; until [ -e /go ]; do sleep 0.1; done; seq 1001 2000; until [ -e /end ]; do sleep 0.1; done; seq 2001 2042' >/dev/null
        timeout 120 berth logs -f web >"$out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
        follower=$!
        wait_until grep -qx 1000 "$out"
        journalctl --rotate
        journalctl -q --vacuum-time=1us
        berth exec web touch /go
        wait_until grep -qx 2000 "$out"
        journalctl --rotate
        journalctl -q --vacuum-time=1us
        berth exec web touch /end
        wait "$follower"
        cmp "$out" <(seq 1 2042)
        assert_equal "$(cat "$BATS_TEST_TMPDIR/err")" ""
        run --separate-stderr berth logs web
        assert_output "$(seq 2001 2042)"
        assert_equal "$stderr" '-- 2000 lines missing --'
        # all of it: the last is known by its number
        journalctl --rotate
        journalctl -q --vacuum-time=1us
        run --separate-stderr berth logs web
        assert_output ""
        assert_equal "$stderr" '-- 2042 lines missing --'
}

@test "a reader that was behind when its file was removed is told what it missed" {
        local follower
        mkfifo "$BATS_TEST_TMPDIR/fifo"
        berth run -d --name web busybox sh -c 'seq 1 50000; until [ -e /go ]; do sleep 0.1; done; seq 50001 50100' >/dev/null
        wait_until sh -c 'berth logs --tail 1 web | grep -qx 50000'
        exec 7<>"$BATS_TEST_TMPDIR/fifo"
        timeout 120 berth logs -f web >"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- 7>&- &
        follower=$!
        read -r -u 7 first # it is under way, and its pipe is full
        assert_equal "$first" 1
        journalctl --rotate
        journalctl -q --vacuum-time=1us
        berth exec web touch /go
        wait_for_state web exited
        cat <"$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- 7>&- &
        exec 7>&-
        wait "$follower" $!
        assert_equal "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" 50100
        # whatever was read, what was not was counted
        assert_equal "$((1 + $(wc -l <"$BATS_TEST_TMPDIR/out") + $(awk '{ n += $2 } END { print n + 0 }' "$BATS_TEST_TMPDIR/err")))" 50100
}

@test "who never reads holds up neither the container nor another reader" {
        local reader
        mkfifo "$BATS_TEST_TMPDIR/fifo"
        exec 7<>"$BATS_TEST_TMPDIR/fifo"
        berth run -d --name web busybox sh -c 'seq 1 20000; until [ -e /go ]; do sleep 0.1; done; seq 20001 40000' >/dev/null
        berth logs -f web >"$BATS_TEST_TMPDIR/fifo" 3>&- 4>&- 7>&- &
        reader=$!
        read -r -u 7 _
        berth exec web touch /go
        wait_for_state web exited
        berth logs web | cmp - <(seq 1 40000)
        berth rm web >/dev/null
        # what it has not read yet is in the journal still
        cat <"$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- 7>&- &
        exec 7>&-
        wait "$reader" $!
        cmp "$BATS_TEST_TMPDIR/out" <(seq 2 40000)
}

@test "journald away: the container waits for it, and all comes when it is back" {
        start_counting web 30000
        wait_until has_line web
        systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service
        container_has_state web running
        sleep 1
        systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service
        wait_until journald_answers
        wait_for_state web exited
        run check_log web 30000
        assert_status 0
        # what was in the queue of the socket that is gone
        [ "$output" -le 30000 ]
}
