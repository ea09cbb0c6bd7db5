#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# berth logs for somebody who may see containers but not the journal: Logs(), and the worker behind it.

# shellcheck disable=SC2154 # stderr is bats'
load helpers
load log-helpers

RULES=/etc/polkit-1/rules.d/50-test-logs.rules

setup_file() {
        make_busybox_image busybox
        # nobody and games may see containers; daemon may not
        cat >"$RULES" <<'END'
polkit.addRule(function (action, subject) {
        if (action.id.indexOf("org.berth1.inspect") == 0 && (subject.user == "nobody" || subject.user == "games"))
                return polkit.Result.YES;
});
END
        systemctl restart polkit.service
}

teardown() {
        cleanup_containers
}

teardown_file() {
        rm -f "$RULES"
        cleanup_containers
        leak_check
}

# as USER COMMAND...
as() {
        local user=$1
        shift
        setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups "$@"
}
export -f as

workers() {
        systemctl list-units --all --plain --no-legend 'berth-logs-*' | awk '{ print $1 }'
}
export -f workers

@test "who may see a container gets its log, the same bytes as root, though no journal can be read" {
        local data=$BATS_TEST_TMPDIR/data user
        { printf 'a\0b\n<3>severe\nno\xff\xfeutf8\n\n\n\ttab\r\nMESSAGE=x\n\nCONTAINER_LOG_ORDINAL=7\n'; head -c 200000 /dev/urandom; seq 1 3000; printf end; } >"$data"
        berth run -i --name bytes busybox sh -c 'tee /dev/stderr' <"$data" >/dev/null 2>&1
        berth run --name other busybox echo 'of another container'
        run as nobody journalctl -q -n 1
        assert_lacks "$output" "another container"
        as nobody berth logs bytes >"$data.out" 2>"$data.err"
        cmp "$data" "$data.out"
        cmp "$data" "$data.err"
        for user in root nobody; do
                as $user berth logs -t --tail 2000 bytes >"$data.$user" 2>&1
        done
        cmp "$data.root" "$data.nobody"
        # a line on stderr that has begun before others on stdout have ended
        berth run --name mix busybox sh -c 'head -c 20000 /dev/zero | tr "\0" x >&2; sleep 1; echo A; echo B; sleep 1; echo end >&2' >/dev/null 2>&1
        for user in root nobody; do
                run --separate-stderr as $user berth logs --tail 2 mix
                assert_output B
                assert_equal "${#stderr}" 20003
        done
        run --separate-stderr as nobody berth logs --tail 2 other
        assert_output 'of another container'
        run --separate-stderr as nobody berth logs --tail 0 other
        assert_output ''
        run --separate-stderr as nobody berth logs --until 1h other
        assert_output ''
}

@test "who may not see it is told so, and no worker is started" {
        berth run --name web busybox echo SECRET
        run --separate-stderr as daemon berth logs web
        assert_line 1 'berth logs'
        assert_lacks "$stderr" SECRET
        assert_equal "$(workers)" ""
}

@test "the worker is not root, and has nothing but the journal" {
        local unit pid
        berth run -d --name web busybox sh -c 'echo up; exec sleep 1000' >/dev/null
        as nobody berth logs -f web >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
        wait_until grep -q up "$BATS_TEST_TMPDIR/out"
        unit=$(workers)
        pid=$(systemctl show -p ExecMainPID --value "$unit")
        [ "$(stat -c %u "/proc/$pid")" != 0 ]
        grep -qE '^CapEff:\s*0+$' "/proc/$pid/status"
        grep -qE '^Seccomp:\s*2$' "/proc/$pid/status"
        berth rm -f web
        wait $!
}

@test "-f follows to the last line, then nothing is left" {
        berth run -d --name foll busybox sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done; seq 4 5000; echo err >&2; printf part' >/dev/null
        run --separate-stderr timeout 60 bash -c 'as nobody berth logs -f foll'
        assert_status 0
        assert_output "$(seq 1 5000; printf part)"
        assert_equal "$stderr" err
        wait_until bash -c '[ -z "$(workers)" ]'
}

@test "who never reads costs its worker, as many as a user may have, and nothing else" {
        local i clients=() pid
        berth run -d --name noisy busybox sh -c 'seq 1 30000; exec sleep 1000' >/dev/null
        wait_until sh -c 'berth logs --tail 1 noisy | grep -q 30000'
        mkfifo "$BATS_TEST_TMPDIR/fifo"
        exec 7<>"$BATS_TEST_TMPDIR/fifo" # its buffer fills, and nobody reads
        for ((i = 0; i < 16; i++)); do
                # the client itself, not a shell around it
                setpriv --reuid 65534 --regid 65534 --clear-groups berth logs -f noisy >&7 2>&1 3>&- 4>&- &
                clients+=($!)
        done
        wait_until bash -c '[ "$(workers | wc -l)" = 16 ]'
        run --separate-stderr as nobody berth logs --tail 1 noisy
        assert_line 1 16
        # another user, and everybody's other calls
        run --separate-stderr as games berth logs --tail 1 noisy
        assert_output 30000
        run --separate-stderr as nobody berth ps -q
        [ -n "$output" ]
        # a client that is killed takes its worker along
        kill -KILL "${clients[@]}"
        wait "${clients[@]}" || true
        wait_until bash -c '[ -z "$(workers)" ]'
        run --separate-stderr as nobody berth logs --tail 1 noisy
        assert_output 30000
        exec 7>&-
}

@test "a worker that is killed does not look like the end of the log" {
        local client
        berth run -d --name web busybox sh -c 'echo up; exec sleep 1000' >/dev/null
        as nobody berth logs -f web >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
        client=$!
        wait_until grep -q up "$BATS_TEST_TMPDIR/out"
        systemctl kill -s KILL "$(workers)"
        status=0
        wait "$client" || status=$?
        assert_equal "$status" 1
        assert_contains "$(cat "$BATS_TEST_TMPDIR/err")" 'ended early'
}

# Lines that are missing are told to this reader, too.
@test "a gap is the same through a worker" {
        local id
        id=$(berth create --name gap busybox true)
        as_monitor gap bash -c 'entries "$@"' bash "$id" line 43 44 47
        run as nobody berth logs gap
        assert_output $'-- 42 lines missing --\nline 43\nline 44\n-- 2 lines missing --\nline 47'
}
