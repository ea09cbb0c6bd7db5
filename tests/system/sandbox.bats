#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=vm
#
# What a container looks like from inside: a static program reports all of it, and the report is compared with the golden file, and with
# the report from a container that Docker made of the same image.

load helpers

# In the virtual machine it lies beside the golden file.
probe=${BERTH_PROBE:-$BATS_TEST_DIRNAME/../probe/probe}
[ -x "$probe" ] || probe=$BATS_TEST_DIRNAME/../../.build/plain/tests/probe/probe
golden=$BATS_TEST_DIRNAME/../probe/golden.txt
differences=$BATS_TEST_DIRNAME/../probe/docker-differences.txt
host_report=/srv/test/host-report
archive=/srv/test/probe.tar

setup_file() {
        [ -x "$probe" ] || fail "there is no $probe; build the tree, or name the program in BERTH_PROBE"
        "$probe" >"$host_report"
        make_probe_archive
        berth import -c 'ENV PATH=/bin' "$archive" probe >/dev/null
}

teardown() { cleanup_containers; }

teardown_file() {
        stop_docker
        cleanup_containers
        leak_check
}

# Busybox's root file system with the probe in /bin, and with other users to run it as.
make_probe_archive() {
        local root
        root=$(mktemp -d /srv/test/probe.XXXXXX)
        tar -C "$root" -xpf "$(busybox_rootfs)"
        cp "$probe" "$root/bin/probe"
        tar -C "$root" --numeric-owner -cf "$archive" .
        rm -rf "$root"
}

normalise() {
        "$BATS_TEST_DIRNAME/../probe/normalise" "$host_report" "$@"
}

# probe_in_berth SECTION... [-- OPTION...]: that part of the report from a container run with these options.
probe_in_berth() {
        local sections=()
        while [ $# -gt 0 ] && [ "$1" != -- ]; do
                sections+=("$1")
                shift
        done
        [ $# -eq 0 ] || shift
        berth run --rm --network none "$@" probe probe ${sections[@]+"${sections[@]}"} </dev/null
}

@test "a container looks as it should: every namespace, mount, capability, limit, path, signal and answer" {
        run --separate-stderr probe_in_berth
        assert_status 0
        [ -z "$stderr" ] || fail "on stderr: $stderr"
        normalise - <<<"$output" | LC_ALL=C sort >"$BATS_TEST_TMPDIR/is"
        # Twice the same: what this host lacks is left out of what is expected, too.
        grep -v '^#' "$golden" | normalise - | LC_ALL=C sort >"$BATS_TEST_TMPDIR/should-be"
        diff -U 0 "$BATS_TEST_TMPDIR/should-be" "$BATS_TEST_TMPDIR/is"
}

@test "a second process (exec) is confined like the first" {
        local id
        id=$(berth run -d --network none probe sleep 1000)
        # Not compared: that it is not the first process and does not lead; one process more is there.
        berth exec "$id" probe | normalise - | grep -vE '^(session|process processes)' | LC_ALL=C sort >"$BATS_TEST_TMPDIR/exec"
        probe_in_berth | normalise - | grep -vE '^(session|process processes)' | LC_ALL=C sort >"$BATS_TEST_TMPDIR/run"
        grep -v 'cgroup of this process' "$BATS_TEST_TMPDIR/exec" >"$BATS_TEST_TMPDIR/exec-rest"
        grep -v 'cgroup of this process' "$BATS_TEST_TMPDIR/run" >"$BATS_TEST_TMPDIR/run-rest"
        diff -U 0 "$BATS_TEST_TMPDIR/run-rest" "$BATS_TEST_TMPDIR/exec-rest"
}

# bats test_tags=docker
@test "Docker's containers look the same, but for the differences that are listed" {
        start_docker
        docker import --change 'ENV PATH=/bin' "$archive" probe >/dev/null
        docker run --rm --network none probe probe </dev/null >"$BATS_TEST_TMPDIR/docker.raw"
        probe_in_berth >"$BATS_TEST_TMPDIR/berth.raw"
        normalise "$BATS_TEST_TMPDIR/docker.raw" | LC_ALL=C sort >"$BATS_TEST_TMPDIR/docker"
        normalise "$BATS_TEST_TMPDIR/berth.raw" | LC_ALL=C sort >"$BATS_TEST_TMPDIR/berth"
        # "< line": only with Docker, "> line": only with berth.
        diff "$BATS_TEST_TMPDIR/docker" "$BATS_TEST_TMPDIR/berth" | grep '^[<>]' | LC_ALL=C sort >"$BATS_TEST_TMPDIR/found"
        grep '^[<>]' "$differences" | LC_ALL=C sort >"$BATS_TEST_TMPDIR/allowed"
        [ -s "$BATS_TEST_TMPDIR/allowed" ]
        run -0 comm -13 "$BATS_TEST_TMPDIR/allowed" "$BATS_TEST_TMPDIR/found"
        [ -z "$output" ] || fail "differences that tests/probe/docker-differences.txt does not list:"$'\n'"$output"
}

@test "no process of the host can be seen or reached" {
        run --separate-stderr probe_in_berth process session
        assert_contains "$output" "processes in sight 1"
        assert_contains "$output" "session pid 1"
        assert_contains "$output" "session parent 0"
}

@test "only three descriptors reach the payload" {
        run --separate-stderr probe_in_berth descriptor
        [ "$(cut -d ' ' -f 2 <<<"$output" | paste -sd ,)" = 0,1,2 ] || { show_result; false; }
}

@test "the filter is built once, and again when it is gone" {
        local before
        probe_in_berth seccomp >/dev/null
        [ "$(find /var/cache/berth/seccomp -type f | wc -l)" = 1 ]
        before=$(stat -c '%i %z' /var/cache/berth/seccomp/*)
        probe_in_berth seccomp >/dev/null
        assert_equal "$(stat -c '%i %z' /var/cache/berth/seccomp/*)" "$before"
        rm /var/cache/berth/seccomp/*.bpf
        run --separate-stderr probe_in_berth seccomp
        assert_output "seccomp filters 1"$'\n'"seccomp mode 2"
        [ "$(find /var/cache/berth/seccomp -type f | wc -l)" = 1 ]
}

@test "a filter that a full disk cut short is not used" {
        local filter
        probe_in_berth seccomp >/dev/null
        filter=$(echo /var/cache/berth/seccomp/*.bpf)
        : >"$filter"
        run --separate-stderr probe_in_berth seccomp
        assert_output "seccomp filters 1"$'\n'"seccomp mode 2"
        [ -s "$filter" ]
}

@test "--user: no capability is effective, and the ids and groups are those of the image's files" {
        run --separate-stderr probe_in_berth id capability -- --user app
        assert_contains "$output" "id uid 1000 1000 1000 fs 1000"
        assert_contains "$output" "id gid 1000 1000 1000 fs 1000"
        assert_contains "$output" "id group 50"
        assert_contains "$output" "capability effective (none)"
        assert_contains "$output" "capability permitted (none)"
        assert_contains "$output" "capability bounding chown"
}

@test "-t: a terminal of the container's own, on all three descriptors and as /dev/console" {
        run --separate-stderr script -q -e -c 'berth run --rm -t --network none probe probe descriptor session device' /dev/null
        output=${output//$'\r'/}
        for fd in 0 1 2; do
                assert_contains "$output" "descriptor $fd char pts read-write"
        done
        assert_contains "$output" "session controlling terminal yes"
        assert_contains "$output" "device /dev/console char 136:0"
}
