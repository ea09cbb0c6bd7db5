#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A person at a terminal: its size, its keys, detaching, and what becomes of the container when the terminal goes.
# tests/system/terminal-as-docker.bats does some of it with berth and docker side by side.

# shellcheck disable=SC2154 # stderr is bats'
load busybox

on_terminal() {
        run --separate-stderr "$BATS_TEST_DIRNAME/pty-run" "$@"
}

is_running() {
        [ "$(berth inspect -f '{{.State.Running}}' "$1")" = true ]
}

has_process() {
        berth exec "$1" ps | grep -q "$2"
}

lacks_process() {
        ! has_process "$@"
}

ticks='trap "echo bye; exit 7" TERM; trap "stty size" WINCH; trap "echo int" INT; echo ready; while :; do sleep 0.05; done'

@test "the size is right before the first output: run, exec, and start of what was made on a terminal" {
        for size in 2x2 24x80 41x132 500x500; do
                on_terminal --size $size -- berth run --rm -t busybox stty size
                assert_status 0
                assert_equal "${output//$'\r'}" "${size/x/ }"
        done
        berth run -d --name sized busybox sleep 1000
        on_terminal --size 41x132 -- berth exec -t sized stty size
        assert_equal "${output//$'\r'}" '41 132'
        on_terminal --size 33x77 -- berth create -t --name later busybox stty size
        assert_equal "$(berth inspect -f '{{json .HostConfig.ConsoleSize}}' later)" '[33,77]'
        on_terminal --size 33x77 -- berth start -a later
        assert_equal "${output//$'\r'}" '33 77'
}

@test "a window that changes its size is SIGWINCH inside, with the new size: run, exec, attach" {
        on_terminal expect:ready resize:50x100 'expect:50 100\r\n' resize:7x9 'expect:7 9\r\n' 'signal:KILL' -- \
                berth run -it --name sized busybox sh -c "$ticks"
        assert_status 137
        is_running sized
        on_terminal expect:ready resize:51x101 'expect:51 101\r\n' 'signal:KILL' -- berth exec -it sized sh -c "$ticks"
        assert_status 137
        # Who attaches makes it draw its screen again, although the size is the same.
        on_terminal --size 7x9 'expect:7 9\r\n' resize:52x102 'expect:52 102\r\n' 'send:\x10\x11' -- berth attach sized
        assert_contains "$output" 'read escape sequence'
}

@test "ctrl-p ctrl-q: run and start end with 0, attach and exec with 1 and a line; the container goes on" {
        berth create -it --name aa busybox >/dev/null
        on_terminal 'send:echo 4$((2+2))\r' 'expect:44' 'send:\x10\x11' -- berth start -ai aa
        assert_status 0
        is_running aa
        on_terminal 'send:echo 5$((2+3))\r' 'expect:55' 'send:\x10\x11' -- berth attach aa
        assert_status 1
        assert_contains "$output" 'read escape sequence'
        on_terminal 'send:sleep 1234 #x\r' 'expect:#x' raw 'send:\x10' 'send:\x11' -- berth exec -it aa sh
        assert_status 1
        assert_contains "$output" 'read escape sequence'
        wait_until has_process aa '[s]leep 1234'
        on_terminal 'expect:/ # ' 'send:\x10\x11' -- berth run -it --name bb busybox
        assert_status 0
        assert_lacks "$output" 'escape'
        is_running bb
        # What was typed before the keys is the container's, also in one go with them.
        on_terminal raw 'send:touch /typed\r\x10\x11' -- berth attach bb
        assert_status 1
        wait_until berth exec bb test -e /typed
}

@test "the sequence over several reads; one that does not go on is passed through" {
        berth run -dit --name sees busybox sh -c 'stty raw -echo; echo ready; while :; do dd bs=1 count=1 2>/dev/null | od -An -tx1; done'
        on_terminal raw 'send:A' 'expect:41' 'send:\x10B' 'expect:10.*42' 'send:\x10' 'send:\x10' 'send:C' 'expect:10.*10.*43' \
                'send:\x10' 'send:\x11' -- berth attach sees
        assert_status 1
        assert_lacks "$output" 11
}

@test "--detach-keys: others, and what they cannot be" {
        local keys
        berth run -dit --name aa busybox
        on_terminal raw 'send:\x01b' -- berth attach --detach-keys ctrl-a,b aa
        assert_status 1
        on_terminal raw 'send:\x00' -- berth attach --detach-keys ctrl-@ aa
        assert_status 1
        on_terminal raw 'send:\x7fx' -- berth exec -it --detach-keys DEL,x aa sh
        assert_status 1
        on_terminal raw 'send:\x10\x11echo 6$((3+3))\r' expect:66 'send:qq' -- berth attach --detach-keys q,q aa
        assert_status 1
        is_running aa
        for keys in foo ctrl- ctrl-A del a,,b ',' 'a '; do
                run --separate-stderr berth attach --no-stdin --detach-keys "$keys" aa
                assert_line 1 "Invalid detach keys ($keys) provided"
                run --separate-stderr berth exec --detach-keys "$keys" aa true
                assert_line 1 "Invalid detach keys ($keys) provided"
                run --separate-stderr berth start -a --detach-keys "$keys" aa
                assert_line 1 "Invalid detach keys ($keys) provided"
                run --separate-stderr berth run --name none --detach-keys "$keys" busybox true
                assert_line 125 "Invalid detach keys ($keys) provided"
        done
        run --separate-stderr berth inspect none
        assert_status 1
}

@test "without a terminal nothing detaches" {
        run --separate-stderr bash -c 'printf "\x10\x11." | berth run --rm -i busybox cat | od -An -tx1'
        assert_output ' 10 11 2e'
        on_terminal 'send:ab\r' 'expect:ab\r\nab\r\n' 'send:\x04' -- berth run --rm -i --detach-keys a,b busybox cat
        assert_status 0
}

@test "with -t the keys are the container's: ctrl-C, ctrl-Z, ctrl-D, ctrl-\\" {
        on_terminal expect:ready 'send:\x03' expect:int 'signal:KILL' -- berth run -it --name keys busybox sh -c "$ticks"
        is_running keys
        on_terminal 'expect:/ # ' 'send:sh -c "echo 4$((2+2)); sleep 1000"\r' 'expect:44' 'send:\x1a' 'expect:Stopped' 'send:exit 3\r' 'expect:stopped jobs' 'send:exit 3\r' -- \
                berth run --rm -it busybox
        assert_status 3
        on_terminal 'send:x\r' 'expect:x\r\nx\r\n' 'send:\x04' -- berth run --rm -it busybox cat
        assert_status 0
        on_terminal 'expect:ready' 'send:\x1c' -- berth run --rm -it --init busybox sh -c 'echo ready; exec sleep 1000'
        assert_status 131
}

@test "without -t they are signals, and go to the container; ctrl-D is the end of its stdin" {
        on_terminal expect:ready 'send:\x03' 'expect:int\r' 'signal:TERM' 'expect:bye' -- berth run --rm busybox sh -c "$ticks"
        assert_status 7
        # As docker: the client does not stop, the container gets the signal.
        on_terminal expect:ready 'send:\x1a' 'expect:stop\r' 'signal:TERM' -- berth run --rm busybox \
                sh -c 'trap "echo stop" TSTP; trap "exit 8" TERM; echo ready; while :; do sleep 0.05; done'
        assert_status 8
        on_terminal 'send:one\r' 'expect:one\r\none\r\n' 'send:\x04' -- berth run --rm -i busybox cat
        assert_status 0
}

@test "--sig-proxy=false: they are the client's" {
        on_terminal expect:ready 'send:\x1a' 'expect:stopped 148' expect:berth 'send:\x03' -- \
                bash -c 'set -m; berth run --name stays --sig-proxy=false busybox sh -c "$1"; echo "stopped $?"; fg' . "$ticks"
        assert_status 130
        is_running stays
        assert_lacks "$output" $'\nint'
}

@test "a terminal that is closed takes the client with it, not the container" {
        on_terminal 'expect:/ # ' hangup -- berth run -it --name left busybox
        assert_status 129
        is_running left
        on_terminal 'send:echo 7$((3+4))\r' expect:77 'send:exit 4\r' -- berth attach left
        assert_status 4
        # Without -t the signal goes to the container, as with docker: it decides.
        on_terminal expect:ready hangup -- berth run --name told busybox \
                sh -c 'trap "echo hup; exit 9" HUP; echo ready; while :; do sleep 0.05; done'
        wait_for_state told exited
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' told)" 9
}

@test "a client that is killed: the container goes on, its stdin ends where it was the client's" {
        on_terminal 'expect:/ # ' signal:KILL -- berth run -it --name shell busybox
        assert_status 137
        is_running shell
        on_terminal 'send:exit 5\r' -- berth attach shell
        assert_status 5
        berth run -i --name reads busybox sh -c 'echo ready; cat; exit 6' < <(exec sleep 1000 2>/dev/null 3>&- 4>&-) >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
        client=$!
        wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
        kill -KILL "$client"
        wait_for_state reads exited
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' reads)" 6
}

@test "an exec whose client is killed or hung up ends with it" {
        berth run -d --name holds busybox sleep 1000
        on_terminal 'send:sleep 4321 & echo 8$((4+4)); fg\r' expect:88 'until:berth exec holds ps | grep "[s]leep 4321"' hangup -- berth exec -it holds sh
        assert_status 129
        wait_until lacks_process holds '[s]leep 4321'
}

@test "-t -i without a terminal is refused, as docker words it" {
        run --separate-stderr bash -c 'berth run --rm -it busybox true </dev/null'
        assert_line 1 'the input device is not a TTY'
        berth run -dit --name aa busybox
        run --separate-stderr bash -c 'berth attach aa </dev/null'
        assert_line 1 'the input device is not a TTY'
        run --separate-stderr bash -c 'berth exec -it aa true </dev/null'
        assert_line 1 'the input device is not a TTY'
}
