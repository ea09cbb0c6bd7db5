#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Many clients on one container at once: each gets an answer, success or an error that says what was in its way, and
# what is left is what one of them wanted.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox
}

setup() {
        out=$BATS_TEST_TMPDIR/out
        mkdir -p "$out"
        count=0 children=()
}

teardown() {
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

# ask ARGUMENTS...: in the background. Who has no answer after two minutes hangs.
ask() {
        local n=$((count++))
        echo "$*" >"$out/$n.what"
        {
                local code=0
                timeout -k 5 120 berth "$@" >"$out/$n.out" 2>"$out/$n.err" </dev/null || code=$?
                echo $code >"$out/$n.code"
        } 3>&- &
        children+=($!)
}

# answered REGEX: all have ended, each either well or with one line that fits. Prints how many ended well.
answered() {
        local n code well=0
        wait "${children[@]}"
        for ((n = 0; n < count; n++)); do
                code=$(cat "$out/$n.code")
                case $code in
                124 | 137)
                        printf '%s: no answer\n' "$(cat "$out/$n.what")" >&2
                        return 1
                        ;;
                esac
                if [ "$code" = 0 ]; then
                        well=$((well + 1))
                        continue
                fi
                if [ "$(wc -l <"$out/$n.err")" != 1 ] || ! grep -qE "$1" "$out/$n.err"; then
                        printf '%s: status %s: %s\n' "$(cat "$out/$n.what")" "$code" "$(cat "$out/$n.err")" >&2
                        return 1
                fi
        done
        echo "$well" >"$out/well"
}

state_of() {
        berth inspect -f '{{.State.Status}}' "$1"
}

kill_berthd() {
        local pid
        pid=$(systemctl show -P MainPID berthd.service)
        [ "$pid" = 0 ] || kill -9 "$pid" 2>/dev/null || true
}

repeat() {
        local n=$1
        shift
        for ((; n > 0; n--)); do
                "$@"
        done
}

# With a berthd that is killed what was asked of it may be unanswered, and says so.
killed='berthd|did not|disconnected|connection|reply|Busy|being|already|not running|[Nn]o such container'

@test "start, eight times: one run, and all hear that it runs" {
        berth create --name one busybox sleep 1000
        repeat 8 ask start one
        answered 'already running'
        assert_equal "$(state_of one)" running
        [ "$(cat "$out/well")" -ge 1 ]
        assert_equal "$(journalctl -q "CONTAINER_ID_FULL=$(berth inspect -f '{{.Id}}' one)" BERTH_EVENT=start -o cat | wc -l)" 1
}

@test "stop, eight times: each is done when it has ended" {
        berth run -d --name one busybox sh -c 'trap "sleep 0.3; exit 5" TERM; while :; do sleep 0.05; done'
        repeat 8 ask stop one
        answered '^$'
        assert_equal "$(cat "$out/well")" 8
        assert_equal "$(berth inspect -f '{{.State.Status}}' one)" exited
}

@test "rm -f, eight times: it is gone, and nobody is told of a failure" {
        berth run -d --name one busybox sleep 1000
        repeat 8 ask rm -f one
        answered 'is being removed|is already in progress'
        [ "$(cat "$out/well")" -ge 1 ]
        run -1 --separate-stderr berth inspect one
        assert_equal "$(berth ps -aq)" ""
}

@test "wait, eight times, and one that ends it: each has the code" {
        berth run -d --name one busybox sh -c 'trap "exit 9" TERM; while :; do sleep 0.05; done'
        repeat 8 ask wait one
        sleep 0.2 # to have them wait, as a rule; it holds either way
        ask stop one
        answered '^$'
        assert_equal "$(cat "$out"/[0-7].out | sort -u)" "$(berth inspect -f '{{.State.ExitCode}}' one)"
}

@test "rename by eight to eight names: it has one of them, and the others are free" {
        berth create --name one busybox true
        id=$(berth inspect -f '{{.Id}}' one)
        for ((i = 0; i < 8; i++)); do
                ask rename "$id" "name-$i"
        done
        answered '^$'
        assert_equal "$(berth ps -aq | wc -l)" 1
        [[ $(berth ps -a --format '{{.Names}}') =~ ^name-[0-7]$ ]]
        for ((i = 0; i < 8; i++)); do
                berth inspect "name-$i" >/dev/null 2>&1 || berth create --name "name-$i" busybox true
        done
        assert_equal "$(berth ps -aq | wc -l)" 8
}

@test "eight take one name: one has it" {
        repeat 8 ask create --name one busybox true
        answered 'already in use'
        assert_equal "$(cat "$out/well") $(berth ps -aq | wc -l)" "1 1"
}

mixed() {
        ask start one
        ask stop -t 1 one
        ask restart -t 1 one
        ask kill -s USR1 one
        ask exec one true
        ask rename one two
        ask rename two one
        ask inspect one
        ask wait one
        ask ps -a
        ask kill one
}

names='not running|already running|[Nn]o such (container|object)|is being (started|removed|stopped|restarted)|same name|started again|stopped before|has ended|(was|is) (stopped|ending)'

@test "everything at once: each has an answer" {
        berth run -d --name one busybox sh -c 'trap : USR1; while :; do sleep 0.05; done'
        repeat 3 mixed
        # A wait is answered by the end of a run.
        ask stop -t 0 "$(berth ps -aq)"
        repeat 20 eval 'berth kill "$(berth ps -aq)" >/dev/null 2>&1 || true; sleep 0.3'
        answered "$names"
        id=$(berth ps -aq)
        assert_equal "$(wc -w <<<"$id")" 1
        [[ $(state_of "$id") =~ ^(running|exited)$ ]]
        berth rm -f "$id"
}

@test "everything at once while berthd is killed: each has an answer" {
        berth run -d --name one busybox sh -c 'trap : USR1; while :; do sleep 0.05; done'
        repeat 2 mixed
        for ((i = 0; i < 4; i++)); do
                sleep 0.3
                kill_berthd
        done
        repeat 20 eval 'berth kill "$(berth ps -aq)" >/dev/null 2>&1 || true; sleep 0.3'
        answered "$names|$killed"
        id=$(berth ps -aq)
        assert_equal "$(wc -w <<<"$id")" 1
        [[ $(state_of "$id") =~ ^(running|exited)$ ]]
        berth start "$id" || true # and it is still of use
        assert_equal "$(state_of "$id")" running
        berth rm -f "$id"
}
