#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The bus as a subscriber sees it that listens to whoever has the name org.berth1: each change of a container is told, in order,
# whatever happens to berthd. What is told may be told twice.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

SIGNALS=/run/berth-test-signals
STATE=/var/lib/berth/containers
BUNDLES=/run/berth/containers

setup_file() {
        make_busybox_image busybox
}

setup() {
        berth ps -aq >/dev/null # there is an owner to be listened to
        "$BATS_TEST_DIRNAME/subscriber" >"$SIGNALS" 3>&- 4>&- &
        subscriber=$!
        wait_until grep -q '"ready"' "$SIGNALS"
}

teardown() {
        systemctl start berthd.socket
        cleanup_containers
        kill "$subscriber" 2>/dev/null || true
        rm -f "$SIGNALS"
}

teardown_file() {
        cleanup_containers
        leak_check
}

kill_berthd() {
        kill -9 "$(systemctl show -P MainPID berthd.service)"
}

# Nothing brings it back but a call.
hold_down_berthd() {
        systemctl stop berthd.socket berthd.service
}

# What was told of a container, in order: added, removed, or its properties.
told() {
        jq -c --arg id "$1" 'def changed: .member == "PropertiesChanged";
                select(.path // "" | startswith("/org/berth1")) | select((if changed then .path else .args[0] end) | endswith("/container/" + $id)) |
                if changed then .args[1] else {InterfacesAdded: "added", InterfacesRemoved: "removed"}[.member] end' "$SIGNALS"
}

# The same in short: added, removed, STATE or STATE/EXIT-CODE; twice in a row once.
history() {
        told "$1" | jq -r 'if type == "string" then . elif .State == "exited" then "exited/\(.ExitCode)" else .State end' | uniq | xargs
}

history_is() { # ID REGEX
        [[ $(history "$1") =~ ^$2$ ]]
}

expect_history() {
        wait_until history_is "$@" || fail "told was: $(history "$1"), and not: $2"
}

@test "a life: create, start, exit, start again, restart, kill, rm" {
        id=$(berth create --name life busybox sh -c 'trap "exit 7" TERM; [ -e /again ] || { : >/again; exit 3; }; while :; do sleep 0.05; done')
        expect_history "$id" "added"
        berth start -a life || [ $? = 3 ]
        expect_history "$id" "added created running exited/3"
        berth start life
        berth exec life true
        expect_history "$id" "added created running exited/3 created running"
        berth restart life
        expect_history "$id" "added created running exited/3 created running exited/7 created running"
        berth kill life
        expect_history "$id" "added created running exited/3 created running exited/7 created running exited/137"
        berth rm life
        expect_history "$id" "added created running exited/3 created running exited/7 created running exited/137 removed"
}

@test "run --rm, rm -f, a start that fails, a restart policy" {
        local cid=$BATS_TEST_TMPDIR/cid
        berth run --rm --cidfile "$cid" busybox sh -c 'exit 3' || [ $? = 3 ]
        expect_history "$(cat "$cid")" "added created running exited/3 removed"
        id=$(berth run -d busybox sleep 1000)
        berth rm -f "$id"
        expect_history "$id" "added created running exited/137 removed"
        id=$(berth create busybox /nosuch)
        berth start -a "$id" || [ $? = 127 ]
        expect_history "$id" "added created"
        assert_equal "$(told "$id" | tail -n 1 | jq .ExitCode)" 127
        id=$(berth run -d --restart on-failure:1 busybox sh -c 'exit 4')
        expect_history "$id" "added created running restarting running exited/4"
}

@test "who may not manage hears of it, too, without the settings" {
        setpriv --reuid 65534 --regid 65534 --clear-groups "$BATS_TEST_DIRNAME/subscriber" >"$SIGNALS.nobody" 3>&- 4>&- &
        nobody=$!
        wait_until grep -q '"ready"' "$SIGNALS.nobody"
        id=$(berth create busybox true)
        berth start -a "$id"
        berth rm "$id"
        SIGNALS=$SIGNALS.nobody expect_history "$id" "created running exited/0 removed"
        kill "$nobody"
        rm "$SIGNALS.nobody"
}

@test "what ends while there is no berthd is told by the next one" {
        local cid=$BATS_TEST_TMPDIR/cid
        id=$(berth run -d --name one busybox sh -c 'trap "exit 7" TERM; while :; do sleep 0.05; done')
        gone=$(berth run -d --rm --name two busybox sleep 1000)
        kept=$(berth run -d --name three busybox sleep 1000)
        berth exec one true
        hold_down_berthd
        systemctl stop berth-one.scope berth-two.scope
        # Killed is not what a monitor can record.
        read -r monitor _ <"$BUNDLES/$kept/monitor"
        kill -9 "$monitor"
        wait_until test ! -e "/proc/$monitor"
        berth ps -aq
        expect_history "$id" "added created running exited/7"
        expect_history "$gone" "added created running exited/137 removed"
        expect_history "$kept" "added created running exited/137"
}

@test "what runs on is not told as anything else, and is never seen as anything else" {
        for ((i = 0; i < 8; i++)); do
                berth run -d --name "on$i" busybox sleep 1000
        done
        for ((i = 0; i < 5; i++)); do
                kill_berthd
                assert_equal "$(berth ps -a --format '{{.State}}' | sort | uniq -c | xargs)" "8 running"
        done
        for id in $(berth ps -aq --no-trunc); do
                expect_history "$id" "added created running"
        done
}

@test "killed when an end was recorded and nobody told: it is told" {
        id=$(berth run -d --name recorded busybox sh -c 'trap "exit 9" TERM; while :; do sleep 0.05; done')
        berth exec recorded true
        cp -a "$BUNDLES/$id" "$BATS_TEST_TMPDIR/bundle"
        # Without berthd the record stays where the monitor has written it.
        hold_down_berthd
        systemctl stop berth-recorded.scope
        cp "$BUNDLES/$id/exit.json" "$BATS_TEST_TMPDIR/"
        berth ps -aq
        expect_history "$id" "added created running exited/9"
        hold_down_berthd
        # As it was between state.json and the removal of the bundle; the exit record may be there or not.
        for round in 1 2; do
                cp -a "$BATS_TEST_TMPDIR/bundle" "$BUNDLES/$id"
                rm -f "$BUNDLES/$id/monitor.sock"
                [ "$round" = 1 ] || cp "$BATS_TEST_TMPDIR/exit.json" "$BUNDLES/$id/"
                before=$(wc -l <"$SIGNALS")
                berth ps -aq
                wait_until told_since "$before" '"/org/berth1/container/'"$id"'.*"State": "exited".*"ExitCode": 9'
                wait_until told_since "$before" '"die", "'"$id"'".*"exitCode": "9"'
                [ ! -e "$BUNDLES/$id" ]
                hold_down_berthd
        done
}

told_since() { # LINES REGEX
        tail -n +$(($1 + 1)) "$SIGNALS" | grep -q "$2"
}

@test "killed when a container was made or removed and nobody told: it is told" {
        id=$(berth create --name made busybox true)
        before=$(wc -l <"$SIGNALS")
        kill_berthd
        berth ps -aq
        wait_until told_since "$before" "InterfacesAdded.*/container/$id"
        # In the trash, where its remains are until there is time; or half way there.
        hold_down_berthd
        cp -a "$STATE/$id" "$BATS_TEST_TMPDIR/state"
        mv "$STATE/$id" "/var/lib/berth/trash/$id.0"
        before=$(wc -l <"$SIGNALS")
        berth ps -aq
        wait_until told_since "$before" "InterfacesRemoved.*/container/$id"
        hold_down_berthd
        cp -a "$BATS_TEST_TMPDIR/state" "$STATE/$id"
        rm "$STATE/$id/container.json"
        before=$(wc -l <"$SIGNALS")
        berth ps -aq
        wait_until told_since "$before" "InterfacesRemoved.*/container/$id"
        [ ! -e "$STATE/$id" ]
}

# in_order ID: added first, nothing after the removal, and each run only goes forwards.
in_order() {
        told "$1" | jq -s -r '
                def rank: if .State == "exited" or (.Started == 0 and .Finished > 0) then 3 else {created: 1, running: 2}[.State] end;
                [.[] | if type == "string" then . else {run: .RunId, rank: rank} end] |
                [.[] | objects] as $changes |
                if .[0] != "added" then "not added first" else empty end,
                if (index("removed") // length) < length - 1 then "told of after its removal" else empty end,
                ($changes | group_by(.run)[] | map(.rank) | if . != sort then "backwards: \(.)" else empty end),
                ([foreach $changes[].run as $run (null; $run)] | [range(length) as $i | select($i == 0 or .[$i] != .[$i - 1]) | .[$i]] |
                        if length != (unique | length) then "an older run" else empty end)'
}

@test "berthd killed without pause: for each container all in order, the end with its exit code last" {
        local i ids=()
        (while :; do kill_berthd 2>/dev/null; sleep "0.$((RANDOM % 4))$((RANDOM % 10))"; done) 3>&- 4>&- &
        killer=$!
        for ((i = 0; i < 24; i++)); do
                # A call may meet its end; what it made is there or not, and told of either way.
                { berth run -d --name "c$i" busybox sh -c "sleep 0.$((i % 5)); exit $((i + 10))" || true; } >/dev/null 2>&1
        done
        kill "$killer"
        wait "$killer" || true
        wait_until none_runs
        mapfile -t ids < <(berth ps -aq --no-trunc)
        [ ${#ids[@]} -gt 8 ] || fail "only ${#ids[@]} of 24 were made"
        for id in "${ids[@]}"; do
                read -r state started code <<<"$(berth inspect -f '{{.State.Status}} {{.State.StartedAt}} {{.State.ExitCode}}' "$id")"
                case $state/$started in
                exited/*) expect_history "$id" "added( created)?( running) exited/$code" ;;
                created/*) expect_history "$id" "added( created)?" ;;
                *) fail "$id is $state" ;;
                esac
                assert_equal "$(in_order "$id")" ''
        done
        berth rm "${ids[@]}" >/dev/null
        for id in "${ids[@]}"; do
                expect_history "$id" "added.* removed"
        done
}

none_runs() {
        [ -z "$(berth ps -q)" ] && ! berth ps -a --format '{{.State}}' | grep -qv '^\(exited\|created\)$'
}
