#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# berth exec: one more process in a running container.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox 'ENV FROM_IMAGE=yes'
        berth run -d --name host -e FROM_RUN=run -w /www busybox sleep 100000
}

teardown_file() {
        cleanup_containers
        leak_check
}

@test "streams apart, exit codes from 0 to 255" {
        local code
        run --separate-stderr berth exec host sh -c 'echo out; echo err >&2; exit 7'
        assert_status 7
        assert_output out
        assert_equal "$stderr" err
        for code in 0 1 125 126 255; do
                run --separate-stderr berth exec host sh -c "exit $code"
                assert_status "$code"
        done
        run --separate-stderr berth exec host sh -c 'kill -9 $$'
        assert_status 137
}

@test "-i passes stdin and its end, bytes as they are" {
        local data=$BATS_TEST_TMPDIR/data
        head -c 2000000 /dev/urandom >"$data"
        berth exec -i host cat <"$data" >"$data.out"
        cmp "$data" "$data.out"
        run --separate-stderr bash -c '{ berth exec host wc -c; cat; } <<<"not for exec"'
        assert_output $'0\nnot for exec'
}

@test "environment, directory and user: the container's, and flags over them" {
        run --separate-stderr berth exec host sh -c 'echo "$FROM_IMAGE,$FROM_RUN,$PWD,$(id -u)"'
        assert_output "yes,run,/www,0"
        printf 'A=file\nB=file\n' >"$BATS_TEST_TMPDIR/env"
        run --separate-stderr berth exec --env-file "$BATS_TEST_TMPDIR/env" -e A=flag -e FROM_RUN=exec -w /tmp -u app host \
                sh -c 'echo "$A,$B,$FROM_IMAGE,$FROM_RUN,$PWD,$(id -u),$(id -G)"'
        assert_output "flag,file,yes,exec,/tmp,1000,1000 50"
}

@test "it is in the container's namespaces and cgroup" {
        run --separate-stderr berth exec host sh -c 'tr "\0" " " </proc/1/cmdline; hostname'
        assert_output "sleep 100000 $(berth inspect --format '{{.Config.Hostname}}' host)"
        local pid
        pid=$(berth inspect --format '{{.State.Pid}}' host)
        berth exec -d host sleep 4242
        wait_until pgrep -f 'sleep 4242'
        pid=$(pgrep -f 'sleep 4242')
        assert_contains "$(cat "/proc/$pid/cgroup")" "berth-host.scope"
        kill -9 "$pid"
}

@test "127: not there; 126: cannot be executed" {
        run -127 --separate-stderr berth exec host /no/such/command
        assert_line 127 /no/such/command
        run --separate-stderr berth exec host /etc/passwd
        assert_line 126 /etc/passwd
        run -127 --separate-stderr berth exec -d host /no/such/command
        assert_line 127 /no/such/command
        container_has_state host running
}

@test "-d returns at once, and the process lives on" {
        run --separate-stderr berth exec -d host sh -c 'sleep 0.2; echo done >/tmp/done; sleep 1000'
        assert_status 0
        assert_output ""
        wait_until berth exec host test -e /tmp/done
}

@test "-it: a terminal of its own" {
        command -v script >/dev/null || skip "script is not installed"
        run script -qec "stty rows 21 cols 61; berth exec -it host sh -c 'tty; stty size; exit 4'" /dev/null
        assert_status 4
        assert_contains "$output" /dev/pts/
        assert_contains "$output" "21 61"
}

@test "a signal ends the client, and its process with it, not the container" {
        local client
        berth exec host sh -c 'trap "" TERM; echo ready; exec sleep 3232' >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
        client=$!
        wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
        kill -TERM "$client"
        wait "$client" && code=0 || code=$?
        assert_equal "$code" 143
        wait_until bash -c '! pgrep -f "sleep 323[2]"'
        container_has_state host running
}

@test "a signal ends a client whose process cannot begin" {
        local client
        berth run -d --name frozen busybox sleep 1000 >/dev/null
        systemctl freeze berth-frozen.scope || skip "no freezer here"
        berth exec frozen true 3>&- 4>&- &
        client=$!
        sleep 0.5 # for it to have called; a signal before that ends it all the same
        kill -TERM "$client"
        wait "$client" && code=0 || code=$?
        systemctl thaw berth-frozen.scope
        assert_equal "$code" 143
        run --separate-stderr berth exec frozen echo back
        assert_status 0
        assert_output back
        berth rm -f frozen
}

@test "a client that is killed takes its process along" {
        local client
        berth exec host sh -c 'echo ready; sleep 3131' >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
        client=$!
        wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
        kill -9 "$client"
        wait "$client" || true
        wait_until bash -c '! pgrep -f "sleep 313[1]"'
        container_has_state host running
}

@test "the container's end is the end of what was executed" {
        local client
        berth run -d --name short busybox sleep 1000 >/dev/null
        berth exec short sh -c 'echo ready; sleep 1000' >"$BATS_TEST_TMPDIR/out" 2>/dev/null 3>&- 4>&- &
        client=$!
        wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
        berth rm -f short
        wait "$client" && code=0 || code=$?
        assert_equal "$code" 137
}

@test "not running, not there, no command" {
        berth create --name idle busybox true >/dev/null
        run --separate-stderr berth exec idle true
        assert_line 1 "not running" idle
        run --separate-stderr berth exec no-such-container true
        assert_line 1 "No such container" no-such-container
        run --separate-stderr berth exec host
        assert_line 1 "requires at least 2 arguments"
        run --separate-stderr berth exec -u no-such-user host true
        [ "$status" != 0 ]
        assert_contains "$stderr" no-such-user
        berth rm idle
}
