#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# rename, kill, stop, restart, wait, rm, start: what each of them takes, and what it says when it cannot be. What they do to
# one another is in concurrent.bats.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox
}

teardown() {
        local pid
        pid=$(systemctl show -P MainPID berth-spawn.service)
        [ "$pid" = 0 ] || kill -CONT "$pid"
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

state_of() {
        berth inspect -f '{{.State.Status}}' "$1"
}

pid_of() {
        systemctl show -P MainPID "$1"
}

# From here until it goes on, no start gets any further than being asked for.
hold_starts() {
        systemctl start berth-spawn.service
        spawn=$(pid_of berth-spawn.service)
        [ "$spawn" != 0 ]
        kill -STOP "$spawn"
}

let_starts_go_on() {
        kill -CONT "$spawn"
}

# One that says which signals it got, and goes on.
run_listener() {
        local name=$1
        shift
        berth run -d "$@" --name "$name" busybox sh -c 'for s in HUP INT USR1 USR2 TERM 34 37 64; do trap "echo $s" $s; done
                echo ready; while :; do sleep 0.05; done' >/dev/null
        wait_until has_heard "$name" ready
}

has_heard() {
        berth logs "$1" | grep -qx "$2"
}

# --- rename ---

@test "rename: found by the new name alone, at once and after berthd's restart" {
        id=$(berth create --name before busybox true)
        run --separate-stderr berth rename before after
        assert_status 0
        assert_output ""
        assert_equal "$(berth inspect -f '{{.Name}} {{.Id}}' after)" "/after $id"
        run --separate-stderr berth inspect before
        assert_status 1
        systemctl restart berthd.service
        assert_equal "$(berth ps -a --format '{{.Names}}')" after
        berth container rename "${id:0:12}" /third
        assert_equal "$(berth inspect -f '{{.Name}}' "$id")" /third
        berth start third
        assert_equal "$(berth wait third)" 0
        assert_equal "$(berth inspect -f '{{.Unit}}' third)" berth-third.scope
}

@test "rename: while it runs, the unit and the journal keep the name it was started with" {
        run_listener old
        first=$(berth inspect -f '{{.Id}}' old)
        berth rename old new
        assert_equal "$(berth inspect -f '{{.State.Status}} {{.Unit}}' new)" 'running berth-old.scope'
        systemctl is-active berth-old.scope
        berth kill -s USR1 new
        wait_until has_heard new USR1
        journalctl -q "CONTAINER_ID_FULL=$first" -o cat --output-fields=CONTAINER_NAME,MESSAGE CONTAINER_NAME=old | grep -qx USR1
        # the name is free, the unit's is not
        second=$(berth run -d --name old busybox sleep 1000)
        assert_equal "$(berth inspect -f '{{.Unit}}' old)" "berth-old-${second:0:12}.scope"
        kill -9 "$(pid_of berthd.service)"
        assert_equal "$(berth ps --no-trunc --format '{{.Names}} {{.ID}}' | sort)" "$(printf '%s\n' "new $first" "old $second" | sort)"
        berth stop -t 0 old new
        berth start new
        assert_equal "$(berth inspect -f '{{.Unit}}' new)" berth-new.scope
}

@test "rename: a --rm container, whose file is in /run" {
        berth run -d --rm --name brief busybox sleep 1000
        berth rename brief lasting
        kill -9 "$(pid_of berthd.service)"
        assert_equal "$(berth ps --format '{{.Names}}')" lasting
        berth stop -t 0 lasting
        wait_until nothing_leaks || { leaks; false; }
}

@test "rename: what cannot be is refused in docker's words" {
        berth create --name one busybox true
        two=$(berth create --name two busybox true)
        run --separate-stderr berth rename one two
        assert_line 1 "Error when allocating new name: Conflict. The container name \"/two\" is already in use by container \"$two\". You have to remove (or rename) that container to be able to reuse that name."
        run --separate-stderr berth rename one one
        assert_line 1 "Renaming a container with the same name as its current name"
        for name in 'a b' x .dot -dash 'é' "$(printf 'n%.0s' {1..300})"; do
                run --separate-stderr berth rename -- one "$name"
                assert_line 1 "Error when allocating new name: Invalid container name"
        done
        for pair in ': ' ': one' 'one:'; do
                run --separate-stderr berth rename "${pair%%:*}" "${pair##*:}"
                [ "$status" = 1 ]
        done
        run --separate-stderr berth rename '' three
        assert_line 1 "Neither old nor new names may be empty"
        run --separate-stderr berth rename one ''
        assert_line 1 "Neither old nor new names may be empty"
        run --separate-stderr berth rename nobody three
        assert_line 1 "No such container: nobody"
        run --separate-stderr berth rename one
        assert_line 1 "requires exactly 2 arguments"
        assert_equal "$(berth ps -a --format '{{.Names}}' | sort | xargs)" 'one two'
}

@test "rename: subscribers hear of it" {
        berth create --name quiet busybox true
        gdbus monitor --system --dest org.berth1 >"$BATS_TEST_TMPDIR/signals" 2>&1 3>&- 4>&- &
        monitor=$!
        wait_until grep -q 'is owned by' "$BATS_TEST_TMPDIR/signals"
        berth rename quiet loud
        wait_until grep -q "'container', 'rename'" "$BATS_TEST_TMPDIR/signals"
        kill "$monitor"
        seen=$(cat "$BATS_TEST_TMPDIR/signals")
        assert_contains "$seen" "'Name': <'loud'>"
        assert_contains "$seen" "'oldName': '/quiet'"
        assert_contains "$seen" "'name': 'loud'"
}

# --- kill ---

@test "kill: signals by name, with and without SIG, by number, and real-time ones" {
        run_listener ears
        while read -r given heard; do
                run --separate-stderr berth kill -s "$given" ears
                assert_status 0
                assert_output ears
                wait_until has_heard ears "$heard"
                berth logs ears | grep -cx "$heard" >"$BATS_TEST_TMPDIR/count"
        done <<'END'
USR1 USR1
SIGUSR2 USR2
sighup HUP
2 INT
SIGRTMIN 34
rtmin+3 37
SIGRTMAX 64
15 TERM
END
        assert_equal "$(state_of ears)" running
        for bad in 0 65 -1 USR9 SIG '' RTMIN+31 RTMAX+1; do
                run --separate-stderr berth kill -s "$bad" ears
                [ -z "$bad" ] || assert_line 1 "invalid signal: $bad"
        done
        wait_for_state ears exited # '' is none given: KILL
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' ears)" 137
}

@test "kill: several; what does not run and what is not there does not keep the others" {
        berth run -d --name alive1 busybox sleep 1000
        berth run -d --name alive2 busybox sleep 1000
        id=$(berth create --name never busybox true)
        run --separate-stderr berth kill alive1 never nobody alive2
        assert_status 1
        assert_output $'alive1\nalive2'
        assert_equal "$stderr" "$(printf '%s\n' "berth: Cannot kill container: never: Container $id is not running" \
                "berth: No such container: nobody")"
        wait_for_state alive1 exited
        wait_for_state alive2 exited
}

# --- stop, restart ---

@test "stop: the container's signal, then the end, and no sooner answered than it has ended" {
        berth run -d --name bows busybox sh -c 'trap "sleep 0.5; exit 21" TERM; echo ready; while :; do sleep 0.05; done'
        wait_until has_heard bows ready
        run --separate-stderr berth stop bows
        assert_status 0
        assert_output bows
        assert_equal "$(berth inspect -f '{{.State.Status}} {{.State.ExitCode}}' bows)" 'exited 21'
        run --separate-stderr berth stop bows
        assert_status 0
        assert_output bows
        assert_equal "$stderr" ""
}

@test "stop: -s, and a time after which one that does not listen is killed" {
        berth run -d --name polite busybox sh -c 'trap "exit 22" USR2; trap "" TERM; echo ready; while :; do sleep 0.05; done'
        wait_until has_heard polite ready
        berth stop --signal SIGUSR2 -t 1000000 polite
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' polite)" 22
        run_listener deaf
        berth stop -t 1 deaf
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' deaf)" 137
        berth logs deaf | grep -qx TERM
        run_listener deaf0
        berth stop -t 0 deaf0
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' deaf0)" 137
        for bad in '-t -2' '-t x' '-t 99999999999' '-s NOPE'; do
                # shellcheck disable=SC2086 # words
                run --separate-stderr berth stop $bad polite
                [ "$status" != 0 ]
        done
}

@test "stop: a second one with less time shortens the first, and one with more does not lengthen it" {
        run_listener stubborn
        berth stop -t -1 stubborn >"$BATS_TEST_TMPDIR/first" 3>&- 4>&- &
        first=$!
        wait_until has_heard stubborn TERM
        assert_equal "$(state_of stubborn)" running
        berth stop -t 100000 stubborn >"$BATS_TEST_TMPDIR/second" 3>&- 4>&- &
        second=$!
        berth stop -s HUP -t 0 stubborn
        wait "$first"
        wait "$second"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second")" $'stubborn\nstubborn'
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' stubborn)" 137
}

@test "stop: asked for while it is being started, it keeps signal and time" {
        berth create --name early busybox sh -c 'trap "exit 23" USR1; trap "" TERM; echo ready; while :; do sleep 0.05; done'
        hold_starts
        berth start early >"$BATS_TEST_TMPDIR/start" 3>&- 4>&- &
        start=$!
        wait_until is_starting early
        berth stop -t 100000 early >"$BATS_TEST_TMPDIR/patient" 3>&- 4>&- &
        patient=$!
        berth stop -t 0 early >"$BATS_TEST_TMPDIR/hasty" 3>&- 4>&- &
        hasty=$!
        sleep 0.3 # for both to have asked
        let_starts_go_on
        wait "$hasty"
        wait "$patient"
        wait "$start"
        assert_equal "$(berth inspect -f '{{.State.Status}} {{.State.ExitCode}}' early)" 'exited 137'
}

is_starting() {
        [ -S "/run/berth/containers/$(berth inspect -f '{{.Id}}' "$1")/monitor.sock" ]
}

@test "stop: goes on when berthd is killed under it" {
        run_listener kept
        berth stop -t 2 kept >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
        stop=$!
        wait_until has_heard kept TERM
        kill -9 "$(pid_of berthd.service)"
        wait "$stop"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/out")" kept
        assert_equal "$(state_of kept)" exited
}

@test "restart: of every state, with time and signal" {
        berth create --name again busybox sh -c 'trap "exit 24" USR1; echo ready; while :; do sleep 0.05; done'
        berth restart again # created
        assert_equal "$(state_of again)" running
        wait_until has_heard again ready
        first=$(berth inspect -f '{{.RunId}}' again)
        run --separate-stderr berth restart -s USR1 -t 100000 again # running
        assert_status 0
        assert_output again
        [ "$(berth inspect -f '{{.RunId}}' again)" != "$first" ]
        berth stop -t 0 again
        berth restart again # exited
        assert_equal "$(state_of again)" running
        run --separate-stderr berth restart -t 0 nobody again
        assert_status 1
        assert_output again
        assert_equal "$stderr" 'berth: No such container: nobody'
}

# --- start ---

@test "start: of what is being started waits for it, whoever was first" {
        berth create --name joined busybox sh -c 'echo output; exit 25'
        hold_starts
        berth start joined >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- 4>&- &
        first=$!
        wait_until is_starting joined
        berth start joined >"$BATS_TEST_TMPDIR/second" 2>&1 3>&- 4>&- &
        second=$!
        berth start -a joined >"$BATS_TEST_TMPDIR/third" 2>&1 3>&- 4>&- &
        third=$!
        sleep 0.3 # for both to have asked
        let_starts_go_on
        wait "$first"
        wait "$second"
        wait "$third" && code=0 || code=$?
        assert_equal "$code" 25
        assert_equal "$(cat "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second" "$BATS_TEST_TMPDIR/third")" $'joined\njoined\noutput'
        # once is enough
        assert_equal "$(berth logs joined)" output
}

@test "start: one that fails is told to all who asked for it" {
        berth create --name lame busybox /no/such/file
        hold_starts
        berth start lame >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- 4>&- &
        first=$!
        wait_until is_starting lame
        berth start lame >"$BATS_TEST_TMPDIR/second" 2>&1 3>&- 4>&- &
        second=$!
        sleep 0.3 # for it to have asked
        let_starts_go_on
        wait "$first" && fail "it cannot have been started"
        wait "$second" && fail "it cannot have been started"
        assert_contains "$(cat "$BATS_TEST_TMPDIR/first")" /no/such/file
        assert_equal "$(cat "$BATS_TEST_TMPDIR/first")" "$(cat "$BATS_TEST_TMPDIR/second")"
}

@test "start: goes on when its client has gone" {
        berth create --name orphan busybox sleep 1000
        hold_starts
        berth start orphan 3>&- 4>&- &
        client=$!
        wait_until is_starting orphan
        kill -9 "$client"
        wait "$client" || true
        let_starts_go_on
        wait_for_state orphan running
}

# --- wait ---

@test "wait: several, each with its code, in the order in which they were named" {
        berth run -d --name slow busybox sh -c 'sleep 0.5; exit 31'
        berth run -d --name fast busybox sh -c 'exit 32'
        berth create --name never busybox true
        run --separate-stderr berth wait slow nobody fast never
        assert_status 1
        assert_output $'31\n32\n0'
        assert_equal "$stderr" 'berth: No such container: nobody'
}

@test "wait: a --rm container's code, also when berthd dies first and the container after it" {
        berth run -d --rm --name brief busybox sh -c 'trap "exit 33" USR1; echo ready; while :; do sleep 0.05; done'
        wait_until has_heard brief ready
        berth wait brief >"$BATS_TEST_TMPDIR/code" 3>&- 4>&- &
        waiting=$!
        berthd=$(pid_of berthd.service)
        sleep 0.3 # for it to have asked
        root=$(berth inspect -f '{{.State.Pid}}' brief)
        kill -STOP "$berthd"
        kill -USR1 "$root"
        wait_until test ! -d "/proc/$root"
        kill -9 "$berthd"
        wait "$waiting"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/code")" 33
        run --separate-stderr berth wait brief
        assert_line 1 'No such container: brief'
}

@test "a container that goes between its name's lookup and the call is no such container" {
        id=$(berth create --name gone busybox true)
        object=$(object_of gone)
        berth rm gone
        for method in 'Kill s KILL' 'Stop a{sv} 0' 'Remove a{sv} 0' 'Wait s removed' 'Rename s other' Inspect; do
                # shellcheck disable=SC2086 # words
                run busctl call org.berth1 "$object" org.berth1.Container $method
                [ "$status" != 0 ]
                assert_contains "$output" "No such container: $id"
        done
        run busctl get-property org.berth1 "$object" org.berth1.Container State
        assert_contains "$output" "No such container: $id"
}

# --- rm ---

@test "rm: several, -f, -v, and what docker says of those that run" {
        berth create --name idle1 busybox true
        berth create --name idle2 busybox true
        berth run -d --name busy busybox sleep 1000
        run --separate-stderr berth rm idle1 busy nobody idle2
        assert_status 1
        assert_output $'idle1\nidle2'
        assert_equal "$stderr" "$(printf '%s\n' 'berth: cannot remove container "busy": container is running: stop the container before removing or force remove' \
                'berth: No such container: nobody')"
        run --separate-stderr berth rm -fv busy
        assert_status 0
        assert_output busy
        run --separate-stderr berth rm -f nobody
        assert_contains "$stderr" 'No such container: nobody'
        assert_output ""
        run --separate-stderr berth rm -l busy
        assert_status 125
        assert_contains "$stderr" '-l'
}

@test "rm -f: is done when berthd is killed under it" {
        run_listener firm
        hold=$(pid_of berthd.service)
        kill -STOP "$hold"
        berth rm -f firm >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
        rm=$!
        sleep 0.3 # for the call to be on its way
        kill -9 "$hold"
        wait "$rm"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/out")" firm
        assert_equal "$(berth ps -aq)" ""
}
