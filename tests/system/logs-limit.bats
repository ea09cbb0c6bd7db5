#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# journald's rate limit: it is lifted for containers; whether that works is tried; and what is said and done where it does not.

# shellcheck disable=SC2154 # stderr is bats'
load busybox

DROP_IN=/run/systemd/system/systemd-journald.service.d/50-test.conf
SMALL=/run/systemd/journald.conf.d/50-a-test.conf
REMEDY=/etc/systemd/journald.conf.d/50-berth.conf
LOG_LIMIT=10ef34ae5883411fb4e318f74f86016a

teardown() {
        cleanup_containers
        rm -f "$DROP_IN" "$SMALL" "$REMEDY"
        systemctl daemon-reload
}

restart_journald() {
        systemctl daemon-reload
        systemctl reset-failed systemd-journald.service
        systemctl restart systemd-journald.service
        wait_until journalctl --sync
}

# A berthd that has not tried this journald.
restart_berthd() {
        systemctl stop berthd.service 2>/dev/null
        berth ps -q >/dev/null
}

# it_found WORD: of the journald that runs
it_found() {
        [ "$(cat /run/berth/log-limit)" = "$(readlink /run/systemd/units/invocation:systemd-journald.service) $1" ]
}

test_lines() {
        journalctl -q -o cat -u berth-log-limit.service -g '^(A|The end of the) test' | wc -l
}

records() {
        journalctl -q -o cat MESSAGE_ID=$LOG_LIMIT | wc -l
}

@test "the limit is tried, with a few lines, once for each journald" {
        local n
        restart_journald
        restart_berthd
        wait_until it_found honoured
        n=$(test_lines)
        restart_berthd
        berth run --name web busybox seq 1 40000 >/dev/null
        sleep 2 # the second one would have begun
        assert_equal "$(test_lines)" "$n"
        assert_equal "$(records)" 0
        berth logs web | cmp - <(seq 1 40000)
        wait_until sh -c '! ls /run/systemd/units | grep -q berth-log-limit'
}

@test "a journald that does not heed it: it is said with the remedy, the lines are a gap, and the remedy helps" {
        mkdir -p "$(dirname "$DROP_IN")" "$(dirname "$SMALL")" "$(dirname "$REMEDY")"
        # what berth and PID 1 tell of units is out of its sight
        printf '[Service]\nInaccessiblePaths=/run/systemd/units\n' >"$DROP_IN"
        printf '[Journal]\nRateLimitBurst=1000\n' >"$SMALL"
        restart_journald
        restart_berthd
        wait_until it_found limited
        wait_until sh -c "journalctl -q MESSAGE_ID=$LOG_LIMIT | grep -q ."
        assert_equal "$(records)" 1
        berth run --name web busybox seq 1 20000 >/dev/null
        berth logs web >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
        assert_equal "$(($(wc -l <"$BATS_TEST_TMPDIR/out") + $(awk '{ n += $2 } END { print n + 0 }' "$BATS_TEST_TMPDIR/err")))" 20000
        [ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -lt 20000 ]
        grep -qE '^-- [0-9]+ lines missing --$' "$BATS_TEST_TMPDIR/err"
        # as the catalog says
        journalctl --update-catalog
        run journalctl -q -x -o short MESSAGE_ID=$LOG_LIMIT
        assert_contains "$output" "$REMEDY"
        grep -oE '\[Journal\]$|RateLimitBurst=.*$' <<<"$output" >"$REMEDY"
        assert_equal "$(cat "$REMEDY")" $'[Journal]\nRateLimitBurst=0'
        restart_journald
        restart_berthd
        wait_until it_found unlimited
        assert_equal "$(records)" 1
        berth run --name more busybox seq 1 20000 >/dev/null
        run --separate-stderr bash -c 'berth logs more | cmp - <(seq 1 20000)'
        assert_status 0
        assert_equal "$stderr" ""
}
