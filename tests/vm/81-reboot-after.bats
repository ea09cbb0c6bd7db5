#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=after-reboot,trixie
#
# After a reboot in the middle of everything: each container says how it ended, nothing is left, and all of it works.

load ../system/helpers

teardown_file() {
        cleanup_containers
        leak_check
}

journal_of_last_boot() {
        journalctl -q -o cat -b "$(cat /srv/test/boot-before)" "$@"
}

# The times of all records of an event of containers many-deaf-N in the last boot.
times_of() {
        journal_of_last_boot -o json "BERTH_EVENT=$1" |
                jq -r 'select(.CONTAINER_NAME | startswith("many-deaf-")) | .__REALTIME_TIMESTAMP' | sort -n
}

state_of() {
        berth inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.StoppedBy}}' "$1"
}

@test "how containers ended that the shutdown stopped is known" {
        assert_equal "$(state_of obeys)" "exited 7 shutdown"
        assert_equal "$(state_of deaf)" "exited 137 shutdown"
        assert_equal "$(berth logs obeys)" told
}

@test "those that did not run are as they were, one with --rm is gone" {
        assert_equal "$(state_of ended)" "exited 5 "
        assert_equal "$(state_of fresh)" "created 0 "
        assert_equal "$(berth ps -a --format '{{.Names}}' | grep -vE '^(policy|many)-' | sort | xargs)" "boots deaf ended first fresh obeys"
}

@test "all that ran were stopped by the shutdown, and their last lines are there" {
        for i in 1 2 3 4 5 6; do
                assert_equal "$(state_of "many-talks-$i") $(berth logs "many-talks-$i")" "exited 4 shutdown last"
                assert_equal "$(state_of "many-deaf-$i") $(berth logs "many-deaf-$i")" "exited 137 shutdown told"
        done
        assert_equal "$(state_of many-watched)" "exited 8 shutdown"
        assert_equal "$(cat /srv/test/watched.out)" $'last\nstatus 8'
}

@test "they were stopped side by side: the last was told before the first was killed" {
        assert_equal "$(times_of stop | wc -l) $(times_of die | wc -l)" "6 6"
        [ "$(times_of stop | tail -n 1)" -lt "$(times_of die | head -n 1)" ]
        berth rm many-watched many-{talks,deaf}-{1..6}
}

@test "the machine went down cleanly: no stop took too long, nothing stayed mounted" {
        journal_of_last_boot _PID=1 >"$BATS_TEST_TMPDIR/systemd"
        grep -q 'Stopped.*berth' "$BATS_TEST_TMPDIR/systemd"
        run grep -iE 'timed out|fail.*unmount|Killing process' "$BATS_TEST_TMPDIR/systemd"
        assert_equal "$output" ""
}

@test "the call that came before anybody else's was answered" {
        wait_until -t 60 grep -q status /srv/test/early.out
        systemctl disable test-early.service
        assert_equal "$(cat /srv/test/early.out)" $'early\nstatus 0'
}

@test "services that were enabled are back, in order, on what they had written" {
        wait_until -t 60 container_has_state boots running
        assert_equal "$(berth inspect -f '{{.State.Status}} {{.Unit}}' boots first | xargs)" \
                "running berth@boots.service running berth@first.service"
        berth exec boots test -e /set
        started() { systemctl show -P ActiveEnterTimestampMonotonic "berth@$1.service"; }
        [ "$(systemctl show -P ExecMainStartTimestampMonotonic berth@boots.service)" -ge "$(started first)" ]
        systemctl disable berth@boots berth@first
        rm -r /etc/systemd/system/berth@boots.service.d
        berth rm -f boots first
}

@test "containers of policies always and unless-stopped are back, but not the ones that somebody had stopped" {
        local name
        is_up() {
                case $(berth inspect -f '{{.State.Status}}' "$1") in running | restarting) ;; *) return 1 ;; esac
        }
        for name in always unless-stopped ordered by-hand-always fails; do
                wait_until -t 60 is_up "policy-$name"
                assert_equal "$name $(systemctl is-enabled "berth@policy-$name")" "$name enabled"
        done
        systemctl is-system-running --wait || true # whatever is to start has started
        for name in by-hand by-systemctl by-kill; do
                assert_equal "$name $(berth inspect -f '{{.State.Status}}' "policy-$name")" "$name exited"
                assert_equal "$name $(systemctl is-enabled "berth@policy-$name" || true)" "$name disabled"
        done
        assert_equal "$(state_of policy-by-hand)" "exited 3 client"
        # On what they had written, in another sandbox, as a run that was never restarted.
        assert_equal "$(berth exec policy-always cat /ups | xargs)" "up up"
        assert_equal "$(berth inspect -f '{{.RestartCount}}' policy-always policy-ordered | xargs)" "0 0"
        [ "$(wc -l <"/var/lib/berth/containers/$(berth inspect -f '{{.Id}}' policy-fails)/upper/ups")" -ge 6 ]
        # The shutdown had stopped them in their own way, also the one that was about to be started again.
        for name in always unless-stopped; do
                assert_equal "$(journalctl -q -b -1 -o json "CONTAINER_NAME=policy-$name" BERTH_EVENT=die | jq -r '.BERTH_EXIT_CODE + " " + .BERTH_STOPPED_BY')" "3 shutdown"
        done
        [ -n "$(journalctl -q -b -1 CONTAINER_NAME=policy-fails BERTH_EVENT=stop BERTH_STOPPED_BY=shutdown)" ]
}

@test "they came in order: after the store was mounted, and after what their administrator orders them after" {
        began() { systemctl show -P ExecMainStartTimestampMonotonic "berth@policy-$1.service"; }
        mounted=$(systemctl show -P ActiveEnterTimestampMonotonic var-lib-berth.mount)
        [ "$mounted" -gt 0 ]
        for name in always unless-stopped ordered by-hand-always; do
                assert_contains "$(systemctl show -P After "berth@policy-$name.service")" var-lib-berth.mount
                assert_contains "$(systemctl show -P Requires "berth@policy-$name.service")" var-lib-berth.mount
                [ "$(began $name)" -ge "$mounted" ]
        done
        [ "$(began unless-stopped)" -ge "$(systemctl show -P ActiveEnterTimestampMonotonic berth@policy-ordered.service)" ]
        rm -r /etc/systemd/system/berth@policy-unless-stopped.service.d/60-order.conf
        berth ps -a --format '{{.Names}}' | grep ^policy- | xargs berth rm -f
        [ -z "$(find /etc/systemd/system -name 'berth@policy*')" ]
        systemctl daemon-reload
}

@test "nothing of the last boot is left" {
        wait_until sh -c '[ "$(ls /var/lib/berth/containers | wc -l)" = 4 ]'
        wait_until sh -c '[ -z "$(ls /var/lib/berth/trash /var/lib/berth/staging /run/berth/containers | grep -v :)" ]'
        [ -z "$(find /var/lib/berth/containers -name running -o -name exit.json)" ]
}

@test "they start again, with what they had written" {
        berth start obeys
        berth exec obeys test -e /set
        berth rm -f deaf ended
}
