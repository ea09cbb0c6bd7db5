#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same at a terminal with berth and with docker: what is seen, what comes back, and whether the container goes on.

# shellcheck disable=SC2154 # stderr is bats'
load helpers
load docker-helpers

setup_file() {
        setup_both
}

teardown_file() {
        teardown_both
}

# The status, and no more of the screen than is asked for: a shell's prompt is drawn anew at any time.
terminal() {
        local pattern=$1 screen
        shift
        screen=$(timeout 100 "$BATS_TEST_DIRNAME/pty-run" "$@" 2>&1) && code=0 || code=$?
        echo "status $code"
        [ "$code" != 99 ] || echo "$screen"
        grep -aoE "$pattern" <<<"$screen" || true
}

state() {
        "$engine" inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$name"
}

@test "detaching from run, start, attach and exec; attaching to what has stopped" {
        detaching() {
                terminal 'read escape.*' 'expect:/ # ' 'send:\x10\x11' -- "$engine" run -it --name "$name" busybox
                state
                terminal 'read escape.*|=5=' 'send:echo =$((2+3))=\r' 'expect:=5=' 'send:\x10' 'send:\x11' -- "$engine" attach "$name"
                terminal 'read escape.*' 'send:\r' 'expect:# ' 'send:xyx' -- "$engine" exec -it --detach-keys x,y,x "$name" sh
                terminal 'read escape.*' 'send:\r' 'expect:# ' 'send:\x01' -- "$engine" start -ai --detach-keys ctrl-a "$name"
                state
                "$engine" attach "$name" </dev/null || echo "status $?"
                terminal 'read escape.*' 'send:exit 7\r' -- "$engine" attach "$name"
                state
                "$engine" attach "$name" || echo "status $?"
        }
        both detaching
}

# docker's client sets the first size when the container runs already, and does not hear of one that comes before that; berth's own
# way is in terminal.bats, to the letter.
@test "the size of the terminal, and a new one" {
        sizes() {
                terminal '50 100' --size 31x77 expect:ready resize:50x100 'insist:50 100' 'send:q' -- "$engine" run -it --name "$name" busybox \
                        sh -c 'trap "stty size" WINCH; stty -icanon; echo ready; while ! read -t 1 -n 1 key; do :; done; exit 4' | uniq
        }
        both sizes
}

@test "keys and signals, with a terminal and without" {
        keys() {
                terminal 'int' expect:ready 'send:\x03' expect:int 'signal:KILL' -- "$engine" run -it --name "$name" busybox \
                        sh -c 'trap "echo int" INT; echo ready; while :; do sleep 0.1; done'
                state
                "$engine" rm -f "$name" >/dev/null
                terminal 'int|stop|hup' expect:ready 'send:\x03' 'expect:int\r' 'send:\x1a' 'expect:stop\r' hangup -- "$engine" run --name "$name" busybox \
                        sh -c 'trap "echo int" INT; trap "echo stop" TSTP; trap "exit 9" HUP; echo ready; while :; do sleep 0.1; done' | sed 1d
                timeout 30 "$engine" wait "$name"
        }
        both keys
}

@test "a client that is killed" {
        leaving() {
                terminal no 'expect:/ # ' 'signal:KILL' -- "$engine" run -it --name "$name" busybox
                state
                terminal '=7=' 'send:echo =$((3+4))=\r' 'expect:=7=' 'signal:KILL' -- "$engine" attach "$name"
                state
                "$engine" rm -f "$name" >/dev/null
                "$engine" run -i --name "$name" busybox sh -c 'echo ready; cat; exit 6' < <(exec sleep 1000 2>/dev/null 3>&- 4>&-) >"$BATS_TEST_TMPDIR/out.$name" 3>&- 4>&- &
                wait_until grep -q ready "$BATS_TEST_TMPDIR/out.$name" && kill -KILL $! && timeout 30 "$engine" wait "$name"
        }
        both leaving
}

@test "a reader that goes away; stdin that ends" {
        pipes() {
                "$engine" run --name "$name" busybox sh -c 'while :; do echo y; sleep 0.1; done' 2>/dev/null | head -n 1
                echo "status ${PIPESTATUS[0]}"
                state
                "$engine" rm -f "$name" >/dev/null
                printf 'a\nb' | "$engine" run -i --name "$name" busybox sh -c 'cat; exit 5'
                echo "status $?"
                "$engine" rm -f "$name" >/dev/null
                "$engine" run -di --name "$name" busybox sh -c 'read a; echo "got $a"; read a; echo "got $a"' >/dev/null
                echo one | "$engine" exec -i "$name" wc -c
                echo "status $?"
        }
        both pipes
}

@test "-a" {
        streams() {
                local flag
                for flag in 'STDOUT' 'stderr' 'stdout -a stderr'; do
                        # shellcheck disable=SC2086
                        "$engine" run --rm -a $flag busybox sh -c 'echo out; sleep 0.3; echo err >&2; exit 3'
                        echo "status $?"
                done
                echo hi | "$engine" run -i -a stdin --name "$name" busybox sh -c 'cat; exit 4'
                echo "status $? $(timeout 30 "$engine" wait "$name") $("$engine" logs "$name")"
                "$engine" run -a foo busybox true 2>&1 | head -n 1 | sed 's/\. See.*//'
                "$engine" run -d -a stdout busybox true
                true
        }
        both streams
}

@test "what inspect says of it" {
        flags() {
                local flag
                for flag in '-i' '-a stdin' '-i -a stderr' '-it' '-t'; do
                        # shellcheck disable=SC2086
                        "$engine" create $flag --name "$name" busybox true >/dev/null
                        "$engine" inspect -f '{{with .Config}}{{.AttachStdin}} {{.AttachStdout}} {{.AttachStderr}} {{.OpenStdin}} {{.StdinOnce}} {{.Tty}}{{end}}' "$name"
                        "$engine" rm "$name" >/dev/null
                done
                "$engine" run -dit --name "$name" busybox true >/dev/null
                "$engine" inspect -f '{{with .Config}}{{.AttachStdin}} {{.AttachStdout}} {{.AttachStderr}} {{.OpenStdin}} {{.StdinOnce}} {{.Tty}}{{end}}' "$name"
        }
        both flags
}
