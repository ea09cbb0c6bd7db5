#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# berth run: streams, exit codes, and the options of a new container, seen from inside it.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox
        make_busybox_image entry 'ENTRYPOINT ["echo","entry"]' 'CMD ["cmd"]' 'ENV FROM_IMAGE=yes' 'WORKDIR /www' 'LABEL a=image'
}

teardown() {
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

@test "stdout and stderr stay apart" {
        run --separate-stderr berth run --rm busybox sh -c 'echo out; echo err >&2'
        assert_status 0
        assert_output out
        assert_equal "$stderr" err
}

@test "the container's exit code is that of berth run, from 0 to 255" {
        local code
        for code in 0 1 2 42 124 125 126 128 200 255; do
                run --separate-stderr berth run --rm busybox sh -c "exit $code"
                assert_status "$code"
        done
        run -127 --separate-stderr berth run --rm busybox sh -c "exit 127"
}

@test "a container that dies of a signal gives 128 and its number" {
        run --separate-stderr berth run --rm busybox sh -c 'kill -9 $$; sleep 1'
        # PID 1 cannot kill itself: the shell goes on, sleeps, and ends well.
        assert_status 0
        run --separate-stderr berth run --rm busybox sh -c 'sh -c "kill -9 \$\$"; exit $?'
        assert_status 137
}

@test "stdin is passed with -i, and its end too" {
        run --separate-stderr bash -c 'printf "one\ntwo\n" | berth run --rm -i busybox cat'
        assert_status 0
        assert_output $'one\ntwo'
        run --separate-stderr bash -c 'berth run --rm -i busybox wc -c </dev/null'
        assert_output 0
}

@test "without -i stdin is empty, and ours is not touched" {
        run --separate-stderr bash -c '{ berth run --rm busybox wc -c; cat; } <<<"for the next command"'
        assert_status 0
        assert_output $'0\nfor the next command'
}

@test "bytes go through as they are, in both directions" {
        local data=$BATS_TEST_TMPDIR/data
        head -c 3000000 /dev/urandom >"$data"
        berth run --rm -i busybox cat <"$data" >"$data.out"
        cmp "$data" "$data.out"
        berth run --rm -i busybox sh -c 'cat >&2' <"$data" 2>"$data.err" >"$data.out"
        cmp "$data" "$data.err"
        [ ! -s "$data.out" ]
}

@test "output is whole although the container ends at once" {
        local i
        for i in {1..10}; do
                run --separate-stderr bash -c 'berth run --rm busybox head -c 300000 /dev/zero | wc -c'
                assert_output 300000
        done
}

@test "a container that never reads its stdin does not hold up berth run" {
        run --separate-stderr bash -c 'head -c 1000000 /dev/zero | berth run --rm -i busybox true'
        assert_status 0
}

@test "when nobody reads the output any more, the client leaves with 1 and the container goes on" {
        run --separate-stderr bash -c 'set -o pipefail
                berth run --name go-on busybox sh -c "while :; do echo y; sleep 0.1; done" | head -n 1'
        assert_status 1
        assert_output y
        assert_contains "$stderr" "standard output"
        container_has_state go-on running
}

@test "127: the command is not there; 126: it cannot be executed" {
        run -127 --separate-stderr berth run --rm busybox /no/such/command
        assert_line 127 /no/such/command
        run -127 --separate-stderr berth run --rm busybox no-such-command
        assert_line 127 no-such-command
        run --separate-stderr berth run --rm busybox /etc/passwd
        assert_line 126 /etc/passwd
        run --separate-stderr berth run --rm busybox /etc
        assert_line 126 /etc
        [ -z "$(berth ps -aq)" ]
}

@test "the same with -d" {
        run -127 --separate-stderr berth run -d --rm busybox /no/such/command
        assert_line 127 /no/such/command
        run --separate-stderr berth run -d --rm busybox /etc/passwd
        assert_line 126 /etc/passwd
        wait_until test -z "$(berth ps -aq)"
}

@test "-d prints the full id and returns while it runs" {
        run --separate-stderr berth run -d --name back busybox sleep 1000
        assert_status 0
        [[ $output =~ ^[0-9a-f]{64}$ ]]
        assert_equal "$(berth inspect --format '{{.Id}}' back)" "$output"
        container_has_state back running
}

@test "signals go to the container, and its exit code comes back" {
        local client
        berth run --name trap busybox sh -c 'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.05; done' \
                >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
        client=$!
        wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
        kill -TERM "$client"
        run wait "$client"
        wait_until container_has_state trap exited
        assert_equal "$(cat "$BATS_TEST_TMPDIR/out")" $'ready\ngot'
        assert_equal "$(berth inspect --format '{{.State.ExitCode}}' trap)" 9
}

@test "--sig-proxy=false: the client goes, the container stays" {
        local client
        berth run --sig-proxy=false --name stays busybox sh -c 'echo ready; sleep 1000' >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
        client=$!
        wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
        kill -TERM "$client"
        wait "$client" || true
        container_has_state stays running
}

@test "-e, --env-file: flags over files over the image" {
        printf '# comment\nA=file\nB=file\n\nFROM_HOST\nQUOTED="x"\n' >"$BATS_TEST_TMPDIR/env"
        run --separate-stderr env FROM_HOST=host berth run --rm --env-file "$BATS_TEST_TMPDIR/env" -e A=flag -e C= -e NOT_HERE \
                --entrypoint sh entry -c 'echo "$A,$B,$C,$FROM_HOST,$QUOTED,$FROM_IMAGE,${NOT_HERE-unset},$PATH"'
        assert_status 0
        assert_output 'flag,file,,host,"x",yes,unset,/bin:/usr/bin'
}

@test "-w and the image's WORKDIR; a directory that is not there is made" {
        run --separate-stderr berth run --rm --entrypoint pwd entry
        assert_output /www
        run --separate-stderr berth run --rm -w /tmp busybox pwd
        assert_output /tmp
        run --separate-stderr berth run --rm -w /made/for/this busybox pwd
        assert_output /made/for/this
}

@test "-u: name, number, group" {
        run --separate-stderr berth run --rm -u app busybox sh -c 'id -u; id -g; id -G'
        assert_output $'1000\n1000\n1000 50'
        run --separate-stderr berth run --rm -u 1234:50 busybox sh -c 'id -u; id -g'
        assert_output $'1234\n50'
        run --separate-stderr berth run --rm -u app:staff busybox sh -c 'id -un; id -gn'
        assert_output $'app\nstaff'
        run --separate-stderr berth run --rm -u :33 busybox sh -c 'id -u; id -g'
        assert_output $'0\n33'
}

@test "-h sets the host name; without it, it is the short id" {
        run --separate-stderr berth run --rm -h web-1 busybox sh -c 'hostname; cat /etc/hostname'
        assert_output $'web-1\nweb-1'
        run --separate-stderr berth run --rm --cidfile "$BATS_TEST_TMPDIR/cid" busybox hostname
        assert_output "$(head -c 12 "$BATS_TEST_TMPDIR/cid")"
}

@test "entrypoint and command: of the image, replaced, removed" {
        run --separate-stderr berth run --rm entry
        assert_output "entry cmd"
        run --separate-stderr berth run --rm entry other words
        assert_output "entry other words"
        run --separate-stderr berth run --rm --entrypoint id entry -u
        assert_output 0
        run --separate-stderr berth run --rm --entrypoint "" entry echo bare
        assert_output bare
}

@test "labels of the image, of files and of flags" {
        printf 'b=file\nc=file\n' >"$BATS_TEST_TMPDIR/labels"
        berth create --name labelled --label-file "$BATS_TEST_TMPDIR/labels" -l c=flag -l d entry
        run berth inspect --format '{{index .Config.Labels "a"}},{{index .Config.Labels "b"}},{{index .Config.Labels "c"}},{{index .Config.Labels "d"}}' labelled
        assert_output "image,file,flag,"
}

@test "--cidfile holds the id; one that exists is left alone" {
        local cid=$BATS_TEST_TMPDIR/cid
        berth run --name with-file --cidfile "$cid" busybox true
        assert_equal "$(cat "$cid")" "$(berth inspect --format '{{.Id}}' with-file)"
        run --separate-stderr berth run --rm --cidfile "$cid" busybox echo ran
        assert_line 125 "$cid"
        assert_equal "$(berth ps -aq | wc -l)" 1
        run --separate-stderr berth run --rm --cidfile "$cid.2" no/such/image true
        assert_status 125
        [ ! -e "$cid.2" ]
}

@test "--init: PID 1 is not the command, and reaps" {
        run --separate-stderr berth run --rm --init busybox sh -c 'echo $$; tr "\0" " " </proc/1/cmdline'
        assert_status 0
        assert_lacks "$output" $'1\nsh'
        [ "${lines[0]}" != 1 ]
        run --separate-stderr berth run --rm --init busybox sh -c 'exit 33'
        assert_status 33
        # A grandchild whose parent has gone becomes a child of PID 1, and does not stay a zombie.
        run --separate-stderr berth run --rm --init busybox sh -c '(sleep 0.1 &) ; for i in 1 2 3 4 5 6 7 8 9 10; do
                sleep 0.2; [ "$(grep -c "^State:.Z" /proc/[0-9]*/status | grep -c ":1")" = 0 ] && exit 0; done; exit 1'
        assert_status 0
}

@test "--read-only: the root file system, not /dev/shm" {
        run --separate-stderr berth run --rm --read-only busybox sh -c 'touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo shm'
        assert_output $'refused\nshm'
}

@test "--network none has lo alone, and it is up" {
        run --separate-stderr berth run --rm busybox sh -c 'ls /sys/class/net; ip addr show lo | grep -c "inet 127.0.0.1"'
        assert_output $'lo\n1'
}

@test "--network host is the host's network" {
        ip link add berth-test type veth peer name berth-test-peer
        run --separate-stderr berth run --rm --network host busybox ip link show berth-test
        assert_status 0
        ip link del berth-test
}

@test "--security-opt no-new-privileges" {
        run --separate-stderr berth run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
        assert_output $'NoNewPrivs:\t1'
        run --separate-stderr berth run --rm busybox grep NoNewPrivs /proc/self/status
        assert_output $'NoNewPrivs:\t0'
}

@test "--stop-signal, and the exit code of who heeds it" {
        berth run -d --name polite --stop-signal USR1 busybox sh -c 'trap "exit 7" USR1; echo ready; while :; do sleep 0.05; done'
        wait_until bash -c 'berth logs polite | grep -q ready'
        run --separate-stderr berth stop polite
        assert_status 0
        assert_output polite
        assert_equal "$(berth inspect --format '{{.State.ExitCode}}' polite)" 7
}

@test "--stop-timeout: who does not end is killed" {
        berth run -d --name deaf --stop-timeout 1 busybox sh -c 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
        wait_until bash -c 'berth logs deaf | grep -q ready'
        berth stop deaf
        assert_equal "$(berth inspect --format '{{.State.ExitCode}}' deaf)" 137
}

@test "-t: a terminal inside, both streams on it, with the size of ours" {
        command -v script >/dev/null || skip "script is not installed"
        run script -qec "stty rows 33 cols 101; berth run --rm -it busybox sh -c 'tty; stty size; echo err >&2'" /dev/null
        assert_status 0
        assert_contains "$output" /dev/pts/0
        assert_contains "$output" "33 101"
        assert_contains "$output" err
}

@test "-t: the exit code comes back, and our terminal is as it was" {
        command -v script >/dev/null || skip "script is not installed"
        run script -qec 'stty -a >'"$BATS_TEST_TMPDIR"'/before; berth run --rm -it busybox sh -c "exit 5"; code=$?
                stty -a >'"$BATS_TEST_TMPDIR"'/after; exit $code' /dev/null
        assert_status 5
        cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

@test "-t without -i works without a terminal of our own" {
        run --separate-stderr bash -c 'berth run --rm -t busybox sh -c "tty" </dev/null'
        assert_status 0
        assert_contains "$output" /dev/pts/0
}

@test "flags behind the image are the command's" {
        run --separate-stderr berth run --rm busybox echo --rm -d --help
        assert_output "--rm -d --help"
}

@test "the noun before the verb is the same" {
        run --separate-stderr berth container run --rm busybox echo same
        assert_output same
}

@test "create, then start -a" {
        local id
        id=$(berth create --name later busybox sh -c 'echo out; echo err >&2; exit 6')
        [[ $id =~ ^[0-9a-f]{64}$ ]]
        container_has_state later created
        run --separate-stderr berth start -a "${id:0:8}"
        assert_status 6
        assert_output out
        assert_equal "$stderr" err
        run --separate-stderr berth start later
        assert_status 0
        assert_output later
}

@test "start -ai passes stdin to a container made with -i" {
        berth create --name reads -i busybox cat >/dev/null
        run --separate-stderr bash -c 'echo through | berth start -ai reads'
        assert_status 0
        assert_output through
}

@test "wait prints the exit codes; rm -f removes what runs" {
        berth run -d --name w1 busybox sh -c 'exit 3' >/dev/null
        berth run -d --name w2 busybox sleep 1000 >/dev/null
        run --separate-stderr berth wait w1
        assert_output 3
        run --separate-stderr berth rm w2
        assert_line 1 w2
        run --separate-stderr berth rm -f w1 w2
        assert_status 0
        assert_output $'w1\nw2'
        [ -z "$(berth ps -aq)" ]
}

@test "kill sends a signal; restart ends and begins" {
        local pid
        berth run -d --name heeds busybox sh -c 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.05; done' >/dev/null
        wait_until bash -c 'berth logs heeds | grep -q ready'
        berth kill -s USR1 heeds
        wait_until bash -c 'berth logs heeds | grep -q usr1'
        pid=$(berth inspect --format '{{.State.Pid}}' heeds)
        run --separate-stderr berth restart -t 1 heeds
        assert_status 0
        assert_output heeds
        container_has_state heeds running
        [ "$(berth inspect --format '{{.State.Pid}}' heeds)" != "$pid" ]
        berth kill heeds
        wait_for_state heeds exited
        assert_equal "$(berth inspect --format '{{.State.ExitCode}}' heeds)" 137
}

@test "many at the same time" {
        local i pids=() failed=0
        for i in {1..12}; do
                berth run --rm busybox sh -c "exit $i" 3>&- 4>&- &
                pids+=($!)
        done
        for i in {1..12}; do
                wait "${pids[i - 1]}" && code=0 || code=$?
                [ "$code" = "$i" ] || failed=$((failed + 1))
        done
        assert_equal "$failed" 0
}
