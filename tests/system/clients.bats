#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Clients that are slow, deaf or hostile, and very many of them.

# shellcheck disable=SC2154 # stderr is bats'
load busybox

# Has LINES lines in the log.
has_logged() {
        [ "$(berth logs "$1" | wc -l)" -eq "$2" ]
}

@test "one that never reads holds up neither the log nor another client, and is let go with a line" {
        berth run -d --name loud busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; done; seq 1 30000; while [ ! -e /end ]; do sleep 0.05; done; exit 3'
        berth attach loud 2>"$BATS_TEST_TMPDIR/deaf" 3>&- 4>&- | { sleep 1000; } 3>&- 4>&- &
        deaf=$!
        berth attach loud >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
        reader=$!
        wait_until bash -c "[ \$(find /proc/\$(cut -d' ' -f1 /run/berth/containers/$(berth inspect -f '{{.Id}}' loud)/monitor)/fd -lname 'socket:*' | wc -l) -ge 5 ]" || true
        berth exec loud touch /go
        wait_until -t 60 has_logged loud 30000
        # All that was while the deaf one is still attached.
        assert_equal "$(cat "$BATS_TEST_TMPDIR/deaf")" ''
        wait_until grep -q 'output was not read for 10 seconds' "$BATS_TEST_TMPDIR/deaf"
        assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/deaf")" 1
        berth exec loud touch /end
        wait "$reader" && code=0 || code=$?
        assert_equal "$code" 3
        seq 1 30000 | cmp - "$BATS_TEST_TMPDIR/out"
        kill "$deaf"
}

@test "one that never reads is let go before its time when as much is kept for it as may be" {
        berth run -d --name torrent busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; done; head -c 90000000 /dev/zero | tr "\\0" x; exit 3'
        berth attach torrent 2>"$BATS_TEST_TMPDIR/deaf" 3>&- 4>&- | { sleep 1000; } 3>&- 4>&- &
        deaf=$!
        berth attach torrent 3>&- 4>&- | sha256sum >"$BATS_TEST_TMPDIR/sum" 3>&- 4>&- &
        reader=$!
        read -r pid _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' torrent)"/monitor
        wait_until bash -c "[ \$(find /proc/$pid/fd -lname 'pipe:*' | wc -l) -ge 6 ]"
        berth exec torrent touch /go
        assert_equal "$(berth wait torrent)" 3
        wait "$reader"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/sum")" "$(head -c 90000000 /dev/zero | tr "\\0" x | sha256sum)"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/deaf")" 'berth: Detached: the output was not read, and 64 MiB of it wait.'
        kill "$deaf"
}

@test "one that reads slowly loses nothing, whatever is logged and shown meanwhile" {
        run --separate-stderr bash -c 'berth run --rm --name slow busybox sh -c "seq 1 400000" | { sleep 2; sha256sum; }'
        assert_status 0
        assert_equal "$stderr" ''
        assert_output "$(seq 1 400000 | sha256sum)"
}

# As docker does it: whoever has a pager may read for an hour.
@test "who pauses gets the rest when it reads on, though the container and its unit are long gone" {
        mkfifo "$BATS_TEST_TMPDIR/go"
        {
                berth run --rm --name paged busybox sh -c 'head -c 20000000 /dev/zero | tr "\\0" x; echo problem >&2; exit 3' \
                        2>"$BATS_TEST_TMPDIR/err" && code=0 || code=$?
                echo "$code" >"$BATS_TEST_TMPDIR/code"
        } 3>&- 4>&- | {
                dd bs=1 count=1 2>/dev/null
                read -r _ <"$BATS_TEST_TMPDIR/go"
                cat
        } 3>&- 4>&- | sha256sum >"$BATS_TEST_TMPDIR/sum" 3>&- 4>&- &
        reader=$!
        wait_until grep -q problem "$BATS_TEST_TMPDIR/err"
        wait_until bash -c '[ -z "$(berth ps -aq -f name=paged)" ]'
        wait_until bash -c '! systemctl is-active -q berth-paged.scope'
        [ ! -e "$BATS_TEST_TMPDIR/code" ]
        echo >"$BATS_TEST_TMPDIR/go"
        wait "$reader"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/code")" 3
        assert_equal "$(cat "$BATS_TEST_TMPDIR/err")" problem
        assert_equal "$(cat "$BATS_TEST_TMPDIR/sum")" "$(head -c 20000000 /dev/zero | tr "\\0" x | sha256sum)"
}

@test "stdin that nobody reads is not taken, and the container can be stopped all the same" {
        berth run -i --name floods busybox sh -c 'echo up; trap "exit 4" TERM; while :; do sleep 0.05; done' </dev/zero >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
        client=$!
        wait_until grep -q up "$BATS_TEST_TMPDIR/out"
        read -r pid _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' floods)"/monitor
        assert_equal "$(berth exec floods echo answers)" answers
        rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")
        [ "$rss" -lt 16384 ] || fail "the monitor has grown to $rss kB"
        berth stop floods
        wait "$client" && code=0 || code=$?
        assert_equal "$code" 4
}

@test "64 attached to one container: each gets every byte and the exit code" {
        local i pids=()
        berth run -d --name many busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; done; seq 1 5000; exit 9'
        for i in {1..64}; do
                berth attach many >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- 4>&- &
                pids+=($!)
        done
        read -r pid _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' many)"/monitor
        wait_until bash -c "[ \$(find /proc/$pid/fd -lname 'pipe:*' | wc -l) -ge 130 ]"
        berth exec many touch /go
        for i in {1..64}; do
                wait "${pids[i - 1]}" && code=0 || code=$?
                assert_equal "$code" 9
                seq 1 5000 | cmp - "$BATS_TEST_TMPDIR/out.$i"
        done
}

@test "500 runs at once: each gets its answer" {
        local i failed=0
        mkdir "$BATS_TEST_TMPDIR/runs"
        for i in {1..500}; do
                { berth run --rm busybox sh -c "echo $i; exit $((i % 100))" && code=0 || code=$?; echo "status $code"; } >"$BATS_TEST_TMPDIR/runs/$i" 2>&1 3>&- 4>&- &
        done
        wait
        for i in {1..500}; do
                [ "$(cat "$BATS_TEST_TMPDIR/runs/$i")" = "$i"$'\n'"status $((i % 100))" ] || { echo "$i:"; cat "$BATS_TEST_TMPDIR/runs/$i"; failed=$((failed + 1)); }
        done
        assert_equal "$failed" 0
        wait_until test -z "$(berth ps -aq)"
}
