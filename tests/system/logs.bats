#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# berth logs: what a container wrote, from the journal, all of it and nothing else.

# shellcheck disable=SC2154 # stderr is bats'
load busybox
load log-helpers

# Runs a container to its end. $1: name, $2: what its shell does
run_shell() {
        berth run --name "$1" busybox sh -c "$2" >/dev/null 2>&1
}

@test "stdout goes to stdout and stderr to stderr, each in order" {
        run_shell web 'for i in 1 2 3; do echo "out $i"; echo "err $i" >&2; done'
        run --separate-stderr berth logs web
        assert_status 0
        assert_output $'out 1\nout 2\nout 3'
        assert_equal "$stderr" $'err 1\nerr 2\nerr 3'
}

@test "a severity in front of a line is its priority, not its stream, and stays in what logs gives back" {
        run_shell web 'echo "<3>out"; echo "<6>err" >&2; echo plain; echo plain-err >&2; echo "<9>none"; printf "<1>"'
        run --separate-stderr berth logs web
        assert_output $'<3>out\nplain\n<9>none\n<1>'
        assert_equal "$stderr" $'<6>err\nplain-err'
        # what journalctl shows: the message alone, with that priority
        run --separate-stderr bash -c 'journalctl -q -o json CONTAINER_ID_FULL=$(berth inspect -f "{{.Id}}" web) CONTAINER_STREAM=stdout CONTAINER_STREAM=stderr |
                sed -E "s/.*\"PRIORITY\":\"(.)\".*/& \1/; s/.*\"MESSAGE\":(\"[^\"]*\"|null).* (.)$/\2 \1/" | sort'
        assert_output $'1 ""\n3 "out"\n3 "plain-err"\n6 "<9>none"\n6 "err"\n6 "plain"'
}

@test "right after the end of a container its last line is there" {
        local i
        for i in {1..15}; do
                run --separate-stderr bash -c "berth run --name c$i busybox seq 1 200 >/dev/null; berth logs c$i | tail -n 1"
                assert_output 200
        done
}

@test "70000 lines in a burst are all there" {
        run_shell many 'seq 1 70000'
        run --separate-stderr bash -c 'berth logs many | cmp - <(seq 1 70000)'
        assert_status 0
        assert_equal "$stderr" ""
        run --separate-stderr berth logs --tail 2 many
        assert_output $'69999\n70000'
}

@test "bytes come back as they were" {
        local data=$BATS_TEST_TMPDIR/data
        { printf 'a\0b\nno\xff\xfeutf8\n\n\n\ttab\r\n'; head -c 200000 /dev/urandom; } >"$data"
        berth run -i --name bytes busybox cat <"$data" >/dev/null
        berth logs bytes >"$data.out"
        cmp "$data" "$data.out"
}

@test "a long line is one line, and an end without newline gets none" {
        run_shell long 'head -c 100000 /dev/zero | tr "\0" x; echo; printf end'
        [ "$(berth logs long | head -n 1 | wc -c)" = 100001 ]
        [ "$(berth logs long | tail -c 4 | od -An -c | tr -d ' ')" = '\nend' ]
        run --separate-stderr bash -c 'berth logs --tail 2 long | wc -c'
        assert_output 100004
        run --separate-stderr berth logs --tail 1 long
        assert_output end
        run --separate-stderr bash -c 'berth logs -t long | grep -c T' # one time a line
        assert_output 2
}

@test "--tail: a number of lines, none, all" {
        run_shell web 'for i in 1 2 3 4 5; do echo $i; done'
        run --separate-stderr berth logs --tail 2 web
        assert_output $'4\n5'
        run --separate-stderr berth logs -n 0 web
        assert_status 0
        assert_output ""
        run --separate-stderr berth logs -n 100 web
        assert_output $'1\n2\n3\n4\n5'
        run --separate-stderr berth logs --tail all web
        assert_output $'1\n2\n3\n4\n5'
        run --separate-stderr berth logs --tail=-1 web
        assert_output $'1\n2\n3\n4\n5'
        run --separate-stderr berth logs --tail some web
        assert_line 125 some tail
}

@test "--tail counts lines by their ends, and begins inside of none" {
        local long
        # on stderr a line in pieces, under way while stdout has two
        berth run -d --name mix busybox sh -c '
                echo zero; head -c 40000 /dev/zero | tr "\0" x >&2; until [ -e /1 ]; do sleep 0.1; done; echo A; echo B
                until [ -e /2 ]; do sleep 0.1; done; head -c 40000 /dev/zero | tr "\0" y >&2; echo end >&2' >/dev/null
        wait_until sh -c 'journalctl -q CONTAINER_NAME=mix CONTAINER_PARTIAL_ORDINAL=2 | grep -q .'
        berth exec mix touch /1
        wait_until sh -c 'journalctl -q CONTAINER_NAME=mix MESSAGE=B | grep -q .'
        berth exec mix touch /2
        berth wait mix >/dev/null
        long=$(head -c 40000 /dev/zero | tr '\0' x; head -c 40000 /dev/zero | tr '\0' y; echo end)
        run --separate-stderr berth logs --tail 1 mix
        assert_output ""
        [ "$stderr" = "$long" ]
        run --separate-stderr berth logs --tail 2 mix
        assert_output B
        [ "$stderr" = "$long" ]
        run --separate-stderr berth logs --tail 3 mix
        assert_output $'A\nB'
        [ "$stderr" = "$long" ]
        run --separate-stderr berth logs --tail 4 mix
        assert_output $'zero\nA\nB'
        [ "$stderr" = "$long" ]
}

@test "-t, --since and --until agree about when a line was written" {
        local times
        run_shell web 'echo 1; sleep 0.1; echo 2; sleep 0.1; echo 3'
        mapfile -t times < <(berth logs -t web | cut -d ' ' -f 1)
        [[ ${times[1]} =~ ^20[0-9-]{8}T[0-9:]{8}\.[0-9]{9}Z$ ]]
        run --separate-stderr berth logs --since "${times[1]}" web
        assert_output $'2\n3'
        run --separate-stderr berth logs --until "${times[1]}" web
        assert_output $'1\n2'
        run --separate-stderr berth logs --since "${times[1]}" --until "${times[1]}" web
        assert_output 2
        run --separate-stderr berth logs --since "${times[1]}" --tail 1 web
        assert_output 3
        run --separate-stderr berth logs --until "${times[1]}" --tail 1 web
        assert_output 2
        run --separate-stderr berth logs --since "$(date -d "${times[1]}" +%s.%N)" web
        assert_output $'2\n3'
        run --separate-stderr berth logs --since 1h web
        assert_output $'1\n2\n3'
        run --separate-stderr berth logs --until 1h web
        assert_output ""
        run --separate-stderr berth logs --since yesterday web
        assert_line 125 yesterday since
}

@test "--since and --until take every form that docker takes" {
        local since
        run_shell web 'echo 1; echo 2; echo 3'
        while read -r since; do
                assert_equal "$since: $(berth logs --since "$since" web | xargs)" "$since: 1 2 3"
                assert_equal "$since: $(berth logs --until "$since" web | xargs)" "$since: "
        done <<'END'
1h
1h30m
1.5h
90000000ms
10
1136073845
1136073845.5
1136073845.000000001
2006-01-02
2006-01-02Z
2006-01-02+01:00
2006-01-02T15
2006-01-02T15Z
2006-01-02T15:04
2006-01-02T15:04Z
2006-01-02T15:04:05
2006-01-02T15:04:05.123
2006-01-02T15:04:05Z
2006-01-02T15:04:05.123456789Z
2006-01-02T15:04:05-07:30
1969-01-01
END
        for since in -5m 3000000000 9999-01-01; do # in time to come
                assert_equal "$since: $(berth logs --since "$since" web | xargs)" "$since: "
                assert_equal "$since: $(berth logs --until "$since" web | xargs)" "$since: 1 2 3"
        done
        for since in 0 ''; do # no limit
                assert_equal "$since: $(berth logs --since "$since" --until "$since" web | xargs)" "$since: 1 2 3"
        done
        for since in x -5 1d 2006-13-01 2006-01-02T25 2006-01-02T15:04:05+1; do
                run --separate-stderr berth logs "--since=$since" web
                assert_line 125 since
        done
        assert_equal "$(berth container logs --tail= web | xargs)" '1 2 3'
}

@test "-f ends when the container has ended, with its last line" {
        run --separate-stderr bash -c 'berth run -d --name foll busybox sh -c "for i in 1 2 3; do echo \$i; sleep 0.2; done; seq 4 500" >/dev/null
                timeout 60 berth logs -f foll | cmp - <(seq 1 500)'
        assert_status 0
        run --separate-stderr timeout 20 berth logs -f foll # it has ended already
        assert_status 0
        assert_equal "$(wc -l <<<"$output")" 500
}

@test "-f ends when the container is removed" {
        berth run -d --rm --name foll busybox sh -c 'echo up; exec sleep 1000' >/dev/null
        timeout 60 berth logs -f foll >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
        wait_until grep -q up "$BATS_TEST_TMPDIR/out"
        berth rm -f foll
        wait $!
        assert_equal "$(cat "$BATS_TEST_TMPDIR/out")" up
}

@test "-f goes on while berthd is killed, and sees the end" {
        local out=$BATS_TEST_TMPDIR/out
        berth run -d --name foll busybox sh -c 'echo 1; until [ -e /go ]; do sleep 0.1; done; echo 2' >/dev/null
        timeout 60 berth logs -f foll >"$out" 3>&- 4>&- &
        wait_until grep -q 1 "$out"
        systemctl kill -s KILL --kill-whom main berthd.service
        berth exec foll touch /go
        wait $!
        assert_equal "$(cat "$out")" $'1\n2'
}

@test "-f --tail 0 shows what comes, not what was" {
        local out=$BATS_TEST_TMPDIR/out
        berth run -d --name foll busybox sh -c 'echo before; while :; do sleep 0.1; echo after; done' >/dev/null
        wait_until sh -c 'berth logs foll | grep -q before'
        timeout 60 berth logs -f --tail 0 foll >"$out" 3>&- 4>&- &
        wait_until grep -q after "$out"
        berth rm -f foll
        wait $!
        assert_lacks "$(cat "$out")" before
}

@test "-f ends when nobody reads any more" {
        berth run -d --name foll busybox sh -c 'echo 1; exec sleep 1000' >/dev/null
        run --separate-stderr timeout 30 bash -c 'berth logs -f foll | head -n 1'
        assert_status 0
        assert_output 1
}

@test "two runs of one container follow one another" {
        run_shell web 'echo "run"; printf part'
        berth start web >/dev/null
        berth wait web >/dev/null
        run --separate-stderr berth logs web
        assert_output $'run\npartrun\npart' # as with docker: not a byte more than was written
        run --separate-stderr berth logs --tail 3 web
        assert_output $'partrun\npart'
        [[ $(berth logs -t web | tail -n 2 | head -n 1) =~ ^[^\ ]*Z\ part[^\ ]*Z\ run$ ]] # each begins a line of its own
}

@test "what others write about a container is not shown" {
        local id
        run_shell web 'echo mine'
        id=$(berth inspect -f '{{.Id}}' web)
        entries "$id" from-nowhere 1
        setpriv --reuid 65534 --regid 65534 --clear-groups bash -c 'entries "$@"' bash "$id" from-user 1
        journalctl --sync # which a user may not ask for
        # shellcheck disable=SC2016 # for the inner shell
        systemd-run --quiet --scope --slice machine.slice --unit berth-evil.scope -p Delegate=yes bash -c '
                own=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)
                mkdir -p "$own/payload/berth-evil.scope/monitor" "$own/payload/monitor"
                echo $$ >"$own/payload/monitor/cgroup.procs" && entries "$1" from-container 1
                echo $$ >"$own/payload/berth-evil.scope/monitor/cgroup.procs" && entries "$1" from-named-container 1' bash "$id"
        [ "$(journalctl -q -o cat CONTAINER_ID_FULL="$id" | grep -c '^from-')" = 4 ]
        run --separate-stderr berth logs web
        assert_output mine
        assert_equal "$stderr" ""
}

@test "lines that journald lost show as a gap, and what was sent twice is shown once" {
        local id
        id=$(berth create --name gap busybox true)
        as_monitor gap bash -c 'entries "$@"' bash "$id" one 1 2 2 5 5 6
        as_monitor gap bash -c 'entries "$@"' bash "$id" two 3 5
        run --separate-stderr berth logs gap
        assert_output $'one 1\none 2\none 5\none 6\ntwo 3\ntwo 5'
        assert_equal "$stderr" $'-- 2 lines missing --\n-- 2 lines missing --\n-- 1 line missing --'
        # each at its place
        assert_equal "$(berth logs gap 2>&1)" \
                $'one 1\none 2\n-- 2 lines missing --\none 5\none 6\n-- 2 lines missing --\ntwo 3\n-- 1 line missing --\ntwo 5'
        # what is not asked for is not missing
        run --separate-stderr berth logs --tail 2 gap
        assert_output $'two 3\ntwo 5'
        assert_equal "$stderr" '-- 1 line missing --'
        run --separate-stderr berth logs --tail 1 gap
        assert_output 'two 5'
        assert_equal "$stderr" ""
        run --separate-stderr berth logs --until 1h gap
        assert_output ""
}

@test "what has rotated away at the beginning is said, unless the beginning is not asked for" {
        local id
        id=$(berth create --name head busybox true)
        as_monitor head bash -c 'entries "$@"' bash "$id" one 43 44
        run --separate-stderr berth logs head
        assert_output $'one 43\none 44'
        assert_equal "$stderr" '-- 42 lines missing --'
        for arguments in '--tail 5' '--since 1h' '--tail 1' '--since 1h --until -1h'; do
                # shellcheck disable=SC2086 # words
                run --separate-stderr berth logs $arguments head
                assert_status 0
                assert_contains "$output" 'one 44'
                assert_equal "$stderr" ""
        done
}

@test "--details: what --log-opt adds, as docker writes it, and nothing of ours" {
        local id
        id=$(berth create --name det busybox true)
        EXTRA=$'ZONE=a b\nCOM_EXAMPLE_X=v,=\n' as_monitor det bash -c 'entries "$@"' bash "$id" one 1
        as_monitor det bash -c 'entries "$@"' bash "$id" one 2
        run --separate-stderr berth logs --details det
        assert_output $'COM_EXAMPLE_X=v%2C%3D,ZONE=a+b one 1\n one 2'
        [[ $(berth logs -t --details --tail 2 det | head -n 1) =~ ^20[^\ ]*Z\ COM_EXAMPLE_X=v%2C%3D,ZONE=a\+b\ one\ 1$ ]]
}

@test "a container that is not there" {
        run --separate-stderr berth logs nope
        assert_line 1 'No such container: nope'
        run --separate-stderr berth logs -f nope
        assert_line 1 'No such container: nope'
}

@test "a container that never ran has no lines, and is not waited for" {
        berth create --name new busybox true >/dev/null
        run --separate-stderr timeout 20 berth logs new
        assert_status 0
        assert_output ""
        run --separate-stderr timeout 20 berth logs -f new
        assert_status 0
}
