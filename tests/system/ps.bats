#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# berth ps beside docker ps: the same containers made with both, and each list has the same rows.

# shellcheck disable=SC2154 # stderr is bats'
load helpers
load docker-helpers

setup_file() {
        local engine
        setup_both
        for engine in berth docker; do
                "$engine" run -d --network none --name web-1 --label tier=front --label x busybox sleep 1000
                "$engine" run -d --network none --name web-2 --label tier=back busybox sh -c 'sleep 1000'
                "$engine" run --network none --name gone busybox sh -c 'exit 3' || [ $? = 3 ]
                "$engine" run --network none --name well --label tier=front busybox true
                "$engine" create --network none --name new busybox sh -c 'echo a b; a-long-command with more'
        done
}

teardown_file() {
        docker rm -f web-1 web-2 gone well new || true
        teardown_both
}

# same ARGUMENTS...: status and output of both.
same() {
        local engine seen=() i=0 code
        for engine in berth docker; do
                seen[i]=$("$engine" ps "$@" 2>/dev/null) && code=0 || code=$?
                seen[i++]+=" status $code"
        done
        [ "${seen[0]}" = "${seen[1]}" ] || fail "$(printf 'ps %s\n--- berth:\n%s\n--- docker:\n%s' "$*" "${seen[@]}")"
}

id() {
        "$1" inspect -f '{{.Id}}' "$2"
}

@test "which of them: none, -a, -n, -l" {
        for options in '' -a '-n 2' '-n 0' '-n -1' '-n 100' -l '-l -n 3' '-a -n 1'; do
                # shellcheck disable=SC2086 # words
                same --format '{{.Names}}' $options
        done
}

@test "filters" {
        for filter in name=web 'name=^/web-1$' 'name=^web-1$' 'name=w.*1' name=nothing label=tier label=tier=front label=tier=none \
                label=x label=y status=exited status=created status=running status=paused status=nonsense exited=0 exited=3 \
                exited=4 exited=x ancestor=busybox ancestor=busybox:latest ancestor=nothing before=web-2 since=web-2 before=nothing \
                since=nothing network=none network=host volume=/x publish=80 publish=80/udp publish=1-9 publish=x health=none \
                health=healthy health=nonsense is-task=true is-task=false is-task=nonsense nonsense=1; do
                same --format '{{.Names}}' -f "$filter"
                same --format '{{.Names}}' -a -f "$filter"
        done
        same --format '{{.Names}}' -a -f name=web-1 -f name=gone
        same --format '{{.Names}}' -a -f label=tier=front -f label=x
        same --format '{{.Names}}' -a -f label=tier=front -f status=exited
        same --format '{{.Names}}' -a -f exited=3 -f exited=0
        same --format '{{.Names}}' -a -f before=new -f since=web-1
        same --format '{{.Names}}' -n 1 -f name=web
        same --format '{{.Names}}' -l -f label=tier=front
}

@test "filters: an id, its beginning; before and since an id" {
        for engine in berth docker; do
                id=$(id "$engine" web-1)
                for filter in "id=$id" "id=${id:0:12}"; do
                        run --separate-stderr "$engine" ps --format '{{.Names}}' -f "$filter"
                        assert_output web-1
                done
                run --separate-stderr "$engine" ps -aq -f "id=${id:20:20}"
                assert_output ""
                run --separate-stderr "$engine" ps --format '{{.Names}}' -f "since=$id"
                assert_output web-2
        done
}

@test "what is shown: each placeholder, and the table" {
        for field in Names Image Command State Ports Mounts LocalVolumes Networks '.Label "tier"'; do
                same -a --format "{{.${field#.}}}"
                same -a --no-trunc --format "{{.${field#.}}}"
                same -a --format "table {{.${field#.}}}"
        done
        same -a --format '{{.Labels}}' -f name=web-2 # of several docker shows them in any order
        same -a --format 'table {{.Names}}\t{{.Status}}' -f status=created
        same -a --format '{{json .Names}} {{upper .State}} {{len .ID}}'
        same -a --no-trunc --format '{{len .ID}}'
        same -a --format '{{.Nonsense}}'
        same -a --format '{{.Names'
        for engine in berth docker; do
                run --separate-stderr "$engine" ps -aq
                assert_equal "$output" "$("$engine" ps -a --format '{{.ID}}')"
                run --separate-stderr "$engine" ps -aq --no-trunc
                assert_equal "$output" "$("$engine" ps -a --no-trunc --format '{{.ID}}')"
                run --separate-stderr "$engine" ps -a --format '{{.Status}}|{{.RunningFor}}|{{.CreatedAt}}' -f name=gone
                [[ $output =~ ^Exited\ \(3\)\ .*\ ago\|.*\ ago\|20[0-9-]{8}\ [0-9:]{8}\ [+-][0-9]{4}\ [A-Z]+$ ]] || fail "$output"
                run --separate-stderr "$engine" ps
                [[ ${lines[0]} =~ ^CONTAINER\ ID\ \ \ IMAGE\ +COMMAND\ +CREATED\ +STATUS\ +PORTS\ +NAMES$ ]] || fail "${lines[0]}"
        done
}
