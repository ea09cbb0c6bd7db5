#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# berth attach: more foregrounds of a container that runs; and what run, create and start are attached to.

# shellcheck disable=SC2154 # stderr is bats'
load busybox

echoes='while read -r line; do [ "$line" = end ] && exit 4; echo "got $line"; echo "err $line" >&2; done; echo eof; exit 5'

# Prints a line for each of N clients that are attached: their control sockets in the monitor.
clients_of() {
        berth inspect -f '{{.Id}}' "$1" | { read -r id; read -r pid _ </run/berth/containers/"$id"/monitor; find "/proc/$pid/fd" -lname 'pipe:*' | wc -l; }
}

has_more_pipes() {
        [ "$(clients_of "$1")" -ge "$2" ]
}

@test "output on the streams it came from, and the container's exit code" {
        berth run -di --name echoes busybox sh -c "$echoes"
        run --separate-stderr bash -c '{ echo one; echo end; } | berth attach echoes'
        assert_status 4
        assert_output 'got one'
        assert_equal "$stderr" 'err one'
        berth run -di --name again busybox sh -c "$echoes"
        run --separate-stderr bash -c 'echo end | berth container attach again'
        assert_status 4
}

@test "several at once: all get every byte, each may type, all get the exit code" {
        local i base
        berth run -di --name shared busybox sh -c "$echoes"
        base=$(clients_of shared)
        for i in 1 2 3; do
                mkfifo "$BATS_TEST_TMPDIR/in$i"
                berth attach shared <"$BATS_TEST_TMPDIR/in$i" >"$BATS_TEST_TMPDIR/out$i" 2>"$BATS_TEST_TMPDIR/err$i" 3>&- 4>&- &
                clients[i]=$!
        done
        exec 5>"$BATS_TEST_TMPDIR/in1" 6>"$BATS_TEST_TMPDIR/in2" 7>"$BATS_TEST_TMPDIR/in3"
        wait_until has_more_pipes shared $((base + 9))
        echo a >&5
        wait_until grep -q 'got a' "$BATS_TEST_TMPDIR/out3"
        echo b >&6
        wait_until grep -q 'got b' "$BATS_TEST_TMPDIR/out1"
        head -c 200000 /dev/zero | tr '\0' x >&7
        { echo; echo end; } >&7
        for i in 1 2 3; do
                wait "${clients[i]}" && code=0 || code=$?
                assert_equal "$code" 4
        done
        exec 5>&- 6>&- 7>&-
        assert_equal "$(head -n 2 "$BATS_TEST_TMPDIR/out1")" $'got a\ngot b'
        assert_equal "$(wc -c <"$BATS_TEST_TMPDIR/out1")" 200017
        for i in 2 3; do
                cmp "$BATS_TEST_TMPDIR/out1" "$BATS_TEST_TMPDIR/out$i"
                cmp "$BATS_TEST_TMPDIR/err1" "$BATS_TEST_TMPDIR/err$i"
        done
}

@test "a client's stdin that ends: not the container's, unless it was made for one" {
        berth run -di --name keeps busybox sh -c "$echoes"
        run --separate-stderr bash -c 'berth attach keeps </dev/null & berth attach --no-stdin keeps </dev/null & wait_for() { until berth logs keeps | grep -q "$1"; do sleep 0.05; done; }
                echo one | berth attach keeps >/dev/null 2>&1 & wait_for "got one"; echo end | berth attach keeps; wait' 3>&- 4>&-
        assert_lacks "$(berth logs keeps 2>&1)" eof
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' keeps)" 4
        # create -i and run -i (not -d) are.
        berth create -i --name once busybox sh -c "$echoes" >/dev/null
        assert_equal "$(berth inspect -f '{{.Config.StdinOnce}} {{.Config.OpenStdin}}' once)" 'true true'
        berth start once
        run --separate-stderr bash -c 'echo one | berth attach once'
        assert_status 5
        assert_output $'got one\neof'
}

@test "--no-stdin takes nothing of ours; nor does a container without -i" {
        local args
        berth run -d --name writes busybox sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.05; done'
        berth run -di --name reads busybox sh -c "trap 'exit 3' TERM; while :; do sleep 0.05; done"
        for args in writes '--no-stdin reads'; do
                run --separate-stderr bash -c "{ berth attach $args & client=\$!; sleep 0.3; kill -TERM \$client; wait \$client; code=\$?; cat; exit \$code; } <<<'for the next command'"
                assert_status 3
                assert_output 'for the next command'
        done
}

@test "signals go to the container, and with --sig-proxy=false not" {
        local out=$BATS_TEST_TMPDIR/out client
        berth run -d --name heeds busybox sh -c 'trap "echo usr1" USR1; trap "exit 6" TERM; while :; do echo tick; sleep 0.05; done'
        berth attach --sig-proxy=false heeds >"$out" 3>&- 4>&- &
        client=$!
        wait_until grep -q tick "$out"
        kill -TERM "$client"
        wait "$client" && code=0 || code=$?
        assert_equal "$code" 143
        container_has_state heeds running
        berth attach heeds >"$out" 3>&- 4>&- &
        client=$!
        wait_until grep -q tick "$out"
        kill -USR1 "$client"
        wait_until grep -q usr1 "$out"
        kill -TERM "$client"
        wait "$client" && code=0 || code=$?
        assert_equal "$code" 6
}

@test "detached, attached again, and again" {
        local i
        berth run -dit --name back busybox
        for i in 1 2 3; do
                run --separate-stderr "$BATS_TEST_DIRNAME/pty-run" "send:n=\${n}$i; echo =\$n=\r" "expect:=[123]*$i=" 'send:\x10\x11' -- berth attach back
                assert_status 1
        done
        run --separate-stderr "$BATS_TEST_DIRNAME/pty-run" 'send:echo =$n=; exit $n\r' 'expect:=123=' -- berth attach back
        assert_status 123
}

@test "two terminals on one container: both see it, either may leave" {
        berth run -dit --name both busybox
        run --separate-stderr "$BATS_TEST_DIRNAME/pty-run" 'send:echo one; read x\r' 'expect:one\r\n' \
                "do:$BATS_TEST_DIRNAME/pty-run 'send:two\r' 'send:echo 3\$x\r' expect:3two 'send:\x10\x11' -- berth attach both >/dev/null; [ \$? = 1 ]" \
                'expect:3two' 'send:exit 2\r' -- berth attach both
        assert_status 2
}

@test "what cannot be attached to" {
        run --separate-stderr berth attach nobody
        assert_line 1 'No such container: nobody'
        berth create --name idle busybox true >/dev/null
        run --separate-stderr berth attach idle
        assert_line 1 'You cannot attach to a stopped container, start it first'
        berth start -a idle
        run --separate-stderr berth attach idle
        assert_line 1 'You cannot attach to a stopped container, start it first'
        run --separate-stderr berth attach
        assert_line 1 'requires exactly 1 argument'
        run --separate-stderr berth attach a b
        assert_line 1 'requires exactly 1 argument'
}

@test "-a: run shows what was asked for" {
        run --separate-stderr berth run --rm -a STDOUT busybox sh -c 'echo out; echo err >&2; exit 2'
        assert_status 2
        assert_output out
        assert_equal "$stderr" ''
        run --separate-stderr berth run --rm -a stderr busybox sh -c 'echo out; echo err >&2; exit 3'
        assert_status 3
        assert_output ''
        assert_equal "$stderr" err
        run --separate-stderr berth run --rm -a stderr -a stdout busybox sh -c 'echo out; echo err >&2'
        assert_output out
        assert_equal "$stderr" err
        # The log has all of it.
        berth run --name logged -a stderr busybox sh -c 'echo out; echo err >&2' 2>/dev/null
        run --separate-stderr berth logs logged
        assert_output out
        assert_equal "$stderr" err
}

@test "-a stdin: prints the id, passes stdin to its end, and goes" {
        head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
        run --separate-stderr bash -c 'berth run -i -a stdin --name takes busybox sh -c "sleep 0.5; cat >/taken; sleep 1000" <"$1"' . "$BATS_TEST_TMPDIR/data"
        assert_status 0
        assert_output "$(berth inspect -f '{{.Id}}' takes)"
        wait_until bash -c 'berth exec takes ps | grep -q "[r]oot *sleep 1000"'
        berth exec takes cat /taken | cmp - "$BATS_TEST_TMPDIR/data"
        run --separate-stderr bash -c 'echo x | berth run -a stdin --name none busybox cat; cat'
        assert_status 0
        assert_output "$(berth inspect -f '{{.Id}}' none)"
}

@test "what inspect says of it" {
        local flags
        while read -r flags wanted; do
                IFS=, read -ra words <<<"$flags"
                berth create "${words[@]}" --name told busybox true >/dev/null
                assert_equal "$flags $(berth inspect -f '{{with .Config}}{{.AttachStdin}} {{.AttachStdout}} {{.AttachStderr}} {{.OpenStdin}} {{.StdinOnce}}{{end}}' told)" "$flags $wanted"
                berth rm told >/dev/null
        done <<'LINES'
--tty=false false true true false false
-i true true true true true
-a,stdin true false false false false
-a,stdout false true false false false
-i,-a,stderr true false true true true
-it true true true true true
LINES
        berth run -di --name told busybox true
        assert_equal "$(berth inspect -f '{{with .Config}}{{.AttachStdin}} {{.AttachStdout}} {{.AttachStderr}} {{.OpenStdin}} {{.StdinOnce}}{{end}}' told)" \
                'false false false true false'
}

@test "-a and what it does not go with" {
        run --separate-stderr berth run -d -a stdout busybox true
        assert_line 125 'conflicting options: -a and -d'
        run --separate-stderr berth run -a foo busybox true
        assert_line 125 'valid streams are STDIN, STDOUT and STDERR'
        run --separate-stderr busctl call org.berth1 /org/berth1 org.berth1.Manager CreateContainer 'sa{sv}' busybox 1 attach as 1 STDIN
        assert_line 1 'there are stdin, stdout, stderr'
        [ -z "$(berth ps -aq)" ]
}
