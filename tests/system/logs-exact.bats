#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every byte and every line: what a container wrote is what the foreground shows, attach, logs, and the journal's fields; beside docker.

# shellcheck disable=SC2154 # stderr is bats'
load busybox

# Bytes that are no text, and no line break at the end.
make_bytes() {
        printf 'first\na\0b\nno\xff\xfeutf8 \xf0\x9f\x98\n\n\n\ttab\r\nMESSAGE=x\n\nCONTAINER_LOG_ORDINAL=7\n'
        head -c 200000 /dev/urandom
        printf '\n  \nend'
}

# Text with lines at and around the size at which they are cut.
make_lines() {
        local size
        for size in 16383 16384 16385 32767 32768 32769 100000; do
                head -c "$size" /dev/zero | tr '\0' x
                printf '\n\n<5>%s\n' "$size"
        done
        printf '\0\n\303\244\r\n'
}

sum() {
        sha256sum <"$1"
}

# The one that belongs to dockerd, whatever else is called docker on this machine.
find_docker() {
        local dir
        dir=$(dirname "$(command -v dockerd || echo /)")
        if [ ! -x /usr/bin/docker ] || [ ! -x "$dir/dockerd" ]; then
                skip "docker is not installed"
        fi
        mkdir -p /srv/test/bin
        ln -sf /usr/bin/docker "$dir/dockerd" /srv/test/bin/
        export PATH=/srv/test/bin:$PATH
        start_docker
        docker image inspect busybox >/dev/null 2>&1 ||
                docker import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/usr/bin' "$(busybox_rootfs)" busybox >/dev/null
}

# written_by ENGINE NAME DIR [OPTION...]: a container writes DIR/../data to both streams at once, before a client in the foreground and
# one that is attached; what these and logs show goes to DIR.
written_by() {
        local engine=$1 name=$2 dir=$3 client attached
        shift 3
        mkdir -p "$dir"
        # shellcheck disable=SC2016 # for the inner shell
        "$engine" run --network none --name "$name" "$@" busybox sh -c 'until [ -e /go ]; do sleep 0.1; done
                cat /data & cat /data >&2; wait' >"$dir/run.out" 2>"$dir/run.err" 3>&- 4>&- &
        client=$!
        wait_until sh -c "$engine inspect -f '{{.State.Status}}' $name | grep -q running"
        "$engine" exec -i "$name" sh -c 'cat >/data' <"$dir/../data"
        "$engine" attach --no-stdin "$name" >"$dir/attach.out" 2>"$dir/attach.err" 3>&- 4>&- &
        attached=$!
        sleep 1 # docker does not say when somebody is attached
        "$engine" exec "$name" touch /go
        wait "$client" "$attached"
        "$engine" logs "$name" >"$dir/logs.out" 2>"$dir/logs.err"
        timeout 60 "$engine" logs -f "$name" >"$dir/follow.out" 2>"$dir/follow.err"
}

@test "the foreground, attach and logs show the same bytes, those that were written" {
        local dir=$BATS_TEST_TMPDIR file expected
        { make_lines; make_bytes; } >"$dir/data"
        expected=$(sum "$dir/data")
        written_by berth bytes "$dir/berth"
        for file in "$dir"/berth/*; do
                assert_equal "$(basename "$file") $(sum "$file")" "$(basename "$file") $expected"
        done
        # each stream by itself, too
        berth logs bytes 2>/dev/null | cmp - "$dir/data"
        berth logs bytes 2>&1 >/dev/null | cmp - "$dir/data"
}

# docker's json-file has no bytes that are not UTF-8, its log driver "local" loses the end of a line in pieces (20.10).
@test "the same with docker" {
        local dir=$BATS_TEST_TMPDIR file driver
        find_docker
        make_bytes >"$dir/data"
        for driver in local json-file; do
                written_by berth $driver "$dir/berth"
                written_by docker $driver "$dir/docker" --log-driver $driver
                docker rm -f $driver >/dev/null
                for file in "$dir"/docker/*; do
                        cmp "$file" "$dir/berth/$(basename "$file")"
                done
                { make_lines; printf end; } >"$dir/data"
        done
}

# fields NAME: what shippers read of its lines, in the journal's order, ids numbered
fields() {
        journalctl -q -o json --all CONTAINER_NAME="$1" | python3 -c '
import hashlib, json, sys
ids = {}
for line in sys.stdin:
    e = json.loads(line)
    engine = "berth" if "CONTAINER_STREAM" in e else "docker" if e["_COMM"] == "dockerd" else "-"
    m = e.get("MESSAGE")
    m = bytes(m) if isinstance(m, list) else (m or "").encode()
    part = e.get("CONTAINER_PARTIAL_ID")
    print(engine, e["PRIORITY"], len(m), hashlib.sha256(m).hexdigest()[:12], e.get("CONTAINER_PARTIAL_MESSAGE"), e.get("CONTAINER_PARTIAL_ORDINAL"),
          e.get("CONTAINER_PARTIAL_LAST"), part and ids.setdefault((engine, part), sum(i[0] == engine for i in ids)), e["CONTAINER_NAME"], e["IMAGE_NAME"],
          e.get("CONTAINER_TAG") == e["CONTAINER_ID"] == e["SYSLOG_IDENTIFIER"] == e["CONTAINER_ID_FULL"][:12])'
}

@test "the journal has the same fields as from docker's driver journald: where long lines are cut, how pieces are numbered" {
        local dir=$BATS_TEST_TMPDIR engine
        find_docker
        { make_lines | tr -d '<'; make_bytes; } | head -c 270000 >"$dir/data" # no <N>: docker has no severities
        for engine in berth docker; do
                # shellcheck disable=SC2046 # words
                "$engine" run -i --network none --name fields $([ $engine = berth ] || echo --log-driver journald) busybox cat <"$dir/data" >/dev/null
                journalctl --sync
                "$engine" rm -f fields >/dev/null
        done
        for engine in berth docker; do
                fields fields | grep "^$engine " | cut -d ' ' -f 2- >"$dir/$engine"
        done
        [ "$(wc -l <"$dir/berth")" -gt 30 ]
        diff "$dir/berth" "$dir/docker"
}

@test "a hundred thousand empty lines are a hundred thousand line breaks" {
        berth run --name empty busybox sh -c 'head -c 100000 /dev/zero | tr "\0" "\n"; head -c 1000 /dev/zero | tr "\0" "\n" >&2' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
        berth logs empty >"$BATS_TEST_TMPDIR/logs" 2>"$BATS_TEST_TMPDIR/logs.err"
        assert_equal "$(wc -c <"$BATS_TEST_TMPDIR/logs") $(tr -d '\n' <"$BATS_TEST_TMPDIR/logs" | wc -c)" '100000 0'
        cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/logs"
        cmp "$BATS_TEST_TMPDIR/err" "$BATS_TEST_TMPDIR/logs.err"
        assert_equal "$(berth logs --tail 7 empty 2>&1 | wc -c)" 7
}

# journald's limit is per unit, and 10,000 lines in 30 s, or a few times that
@test "100,000 lines in a burst are complete, and silence nobody else" {
        berth run -d --name other busybox sh -c 'i=0; until [ -e /stop ]; do i=$((i + 1)); echo "other $i"; sleep 0.01; done; echo "end $i"' >/dev/null
        berth run --name burst busybox seq 1 100000 >/dev/null
        berth exec other touch /stop
        berth wait other >/dev/null
        run --separate-stderr bash -c 'berth logs burst | cmp - <(seq 1 100000)'
        assert_status 0
        assert_equal "$stderr" ""
        run --separate-stderr berth logs other
        assert_equal "$stderr" ""
        assert_equal "${lines[-1]}" "end $((${#lines[@]} - 1))"
        # by the numbers, too: each once
        assert_equal "$(journalctl -q -o cat --output-fields CONTAINER_LOG_ORDINAL CONTAINER_NAME=burst CONTAINER_STREAM=stdout | sort -nu | wc -l)" 100000
}
