#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container's life: which calls lead where, what is recorded, and that callers who want opposite things all get an answer.

# shellcheck disable=SC2154 # stderr is bats'
load busybox

property() {
        busctl get-property org.berth1 "$(object_of "$1")" org.berth1.Container "$2"
}

@test "created, running, exited" {
        berth create --name life busybox sh -c 'trap "exit 5" TERM; while :; do sleep 0.05; done'
        assert_equal "$(property life State)" 's "created"'
        assert_equal "$(property life Pid)" 'u 0'
        berth start life
        assert_equal "$(property life State)" 's "running"'
        assert_equal "$(property life Unit)" 's "berth-life.scope"'
        [ "$(property life Pid)" != 'u 0' ]
        sleep 0.2 # for the shell to set its trap
        berth stop life
        assert_equal "$(property life State)" 's "exited"'
        assert_equal "$(property life ExitCode)" 'i 5'
        assert_equal "$(property life Pid)" 'u 0'
}

@test "what is stopped can be stopped, what runs can be started, but not removed" {
        berth run -d --name calm busybox sleep 1000
        id=$(property calm RunId)
        run --separate-stderr berth start calm calm
        assert_status 0
        assert_output $'calm\ncalm'
        assert_equal "$(property calm RunId)" "$id"
        run --separate-stderr call calm Start 'a{sh}' 0
        [ "$status" != 0 ]
        assert_contains "$stderr" "already running"
        run --separate-stderr berth rm calm
        assert_status 1
        assert_contains "$stderr" "running"
        berth stop -t 0 calm
        berth stop calm
        run --separate-stderr berth kill calm
        assert_status 1
        assert_contains "$stderr" "not running"
        run --separate-stderr berth exec calm true
        [ "$status" != 0 ]
        assert_contains "$stderr" "not running"
        berth rm calm
        run --separate-stderr berth rm calm
        assert_status 1
        assert_contains "$stderr" "No such container"
}

@test "start -a or -i of what runs attaches to it" {
        local client
        berth run -di --name echoes busybox sh -c 'read -r line; echo "got $line"; echo "err $line" >&2; exit 4'
        id=$(property echoes RunId)
        run --separate-stderr bash -c 'echo one | berth start -ai echoes'
        assert_status 4
        assert_output 'got one'
        assert_equal "$stderr" 'err one'
        assert_equal "$(property echoes RunId)" "$id"
        berth run -d --name heeds busybox sh -c 'trap "echo bye; exit 6" TERM; while :; do echo tick; sleep 0.05; done'
        berth start -a heeds >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- &
        client=$!
        wait_until grep -q tick "$BATS_TEST_TMPDIR/out"
        kill -TERM "$client"
        wait "$client" && code=0 || code=$?
        assert_equal "$code" 6
        assert_equal "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" bye
}

@test "wait: not-running, next-exit, removed" {
        berth create --name waited busybox sh -c 'exit 9'
        assert_equal "$(call waited Wait s '')" 'i 0'
        call waited Wait s next-exit >"$BATS_TEST_TMPDIR/next" 3>&- 4>&- &
        next=$!
        call waited Wait s removed >"$BATS_TEST_TMPDIR/removed" 3>&- 4>&- &
        removed=$!
        sleep 0.3 # for both to have asked
        berth start waited
        wait "$next"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/next")" 'i 9'
        assert_equal "$(call waited Wait s not-running)" 'i 9'
        berth rm waited
        wait "$removed"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/removed")" 'i 9'
        berth create --name waited busybox true
        run call waited Wait s tomorrow
        [ "$status" != 0 ]
        assert_contains "$output" "invalid condition"
}

@test "a caller that leaves is forgotten" {
        berth run -d --name left busybox sleep 1000
        timeout -s KILL 0.5 busctl call --timeout=1000 org.berth1 "$(object_of left)" org.berth1.Container Wait s '' || true
        berth stop -t 0 left
        assert_equal "$(property left State)" 's "exited"'
}

@test "restart: new run, same container" {
        berth run -d --name again busybox sh -c 'echo x >>/runs; exec sleep 1000'
        first=$(berth inspect -f '{{.RunId}}' again)
        berth restart -t 0 again
        [ "$(berth inspect -f '{{.RunId}}' again)" != "$first" ]
        wait_until sh -c '[ "$(berth exec again cat /runs | wc -l)" = 2 ]'
        berth stop -t 0 again
        berth restart again
        assert_equal "$(property again State)" 's "running"'
}

has_run() {
        [ "$(berth exec often grep -c run /runs)" = "$1" ]
}

@test "restarts one upon the other keep the layer" {
        berth run -d --name often busybox sh -c 'echo run >>/runs; exec sleep 1000'
        for ((i = 1; i < 10; i++)); do
                wait_until has_run "$i"
                berth restart -t 0 often
        done
        wait_until has_run 10
}

was_asked() {
        berth exec leaving test -e /asked
}

runs_anew() {
        [ "$(property leaving RunId)" != "$1" ] && [ "$(property leaving State)" = 's "running"' ]
}

@test "a restart goes on when whoever asked for it has left" {
        berth run -d --name leaving busybox sh -c 'trap "touch /asked; until [ -e /go ]; do sleep 0.05; done; exit" TERM
                touch /ready; while :; do sleep 0.05; done'
        before=$(property leaving RunId)
        wait_until berth exec leaving test -e /ready
        berth restart leaving 3>&- 4>&- &
        asking=$!
        wait_until was_asked
        kill -9 "$asking"
        wait "$asking" || true
        berth exec leaving touch /go
        wait_until runs_anew "$before"
}

@test "a --rm container that was created waits for its start, also when berthd goes and comes" {
        berth create --rm --name once busybox sh -c 'exit 3'
        systemctl restart berthd.service
        assert_equal "$(property once State)" 's "created"'
        run --separate-stderr berth start -a once
        assert_status 3
        wait_until no_longer_there once
}

no_longer_there() {
        ! berth inspect "$1"
}

@test "restart of a --rm container keeps it, stop removes it" {
        berth run -d --rm --name brief busybox sleep 1000
        berth restart -t 0 brief
        assert_equal "$(property brief State)" 's "running"'
        berth stop -t 0 brief
        run --separate-stderr berth inspect brief
        [ "$status" != 0 ]
}

@test "a restart that fails says why" {
        berth run -d --name spoiled busybox sleep 1000
        berth exec spoiled rm /bin/sleep
        run --separate-stderr berth restart -t 0 spoiled
        [ "$status" != 0 ]
        assert_contains "$stderr" sleep
        [ "$(berth inspect -f '{{.State.Running}}' spoiled)" = false ]
}

@test "names: taken, generated, and found by name, id and prefix" {
        id=$(berth create --name taken busybox true)
        run --separate-stderr berth create --name taken busybox true
        [ "$status" != 0 ]
        assert_contains "$stderr" "already in use"
        for reference in taken /taken "$id" "${id:0:12}" "${id:0:20}"; do
                assert_equal "$(busctl call org.berth1 /org/berth1 org.berth1.Manager GetContainer s "$reference")" \
                        "o \"/org/berth1/container/$id\""
        done
        generated=$(berth inspect -f '{{.Name}}' "$(berth create busybox true)")
        [[ $generated =~ ^/[a-z]+-[a-z]+(-[0-9]+)?$ ]]
}

@test "each container has ids of its own, and while it runs nobody else has them" {
        for i in 1 2 3 4 5; do
                berth run -d --name "ids$i" busybox sleep 1000 >/dev/null
        done
        bases=$(for i in 1 2 3 4 5; do berth inspect -f '{{.UsernsBase}}' "ids$i"; done)
        [ "$(sort -u <<<"$bases" | wc -l)" = 5 ]
        for base in $bases; do
                ((base % 65536 == 0 && base >= 524288 && base <= 1879048191 - 65535))
        done
        pid=$(berth inspect -f '{{.State.Pid}}' ids1)
        assert_equal "$(stat -c %u "/proc/$pid")" "$(head -n 1 <<<"$bases")"
}

@test "ids that /etc/subuid gives out are left alone" {
        printf 'somebody:524288:1878523904\n' >/etc/subuid
        run --separate-stderr berth run --rm busybox true
        rm /etc/subuid
        [ "$status" != 0 ]
        assert_contains "$stderr" "no ids left"
        run --separate-stderr berth run --rm busybox true
        assert_status 0
}

@test "a start whose unit's name is still taken waits, then takes another" {
        systemd-run --quiet --scope --unit berth-double.scope sleep 1000 3>&- 4>&- &
        wait_until systemctl is-active berth-double.scope
        berth run -d --name double busybox sleep 1000
        id=$(berth inspect -f '{{.Id}}' double)
        assert_equal "$(berth inspect -f '{{.Unit}}' double)" "berth-double-${id:0:12}.scope"
        systemctl is-active "berth-double-${id:0:12}.scope"
        systemctl stop berth-double.scope
        berth stop -t 0 double
        assert_equal "$(property double State)" 's "exited"'
}

@test "thirty-two at once" {
        for ((i = 0; i < 32; i++)); do
                {
                        result=0
                        berth run --rm busybox sh -c "echo $i; exit $((i % 8))" >"$BATS_TEST_TMPDIR/out.$i" || result=$?
                        echo "$result" >"$BATS_TEST_TMPDIR/status.$i"
                } 3>&- 4>&- &
        done
        wait
        for ((i = 0; i < 32; i++)); do
                assert_equal "$(cat "$BATS_TEST_TMPDIR/out.$i")" "$i"
                assert_equal "$(cat "$BATS_TEST_TMPDIR/status.$i")" "$((i % 8))"
        done
}

@test "opposite wishes: everybody gets an answer, and the state is one of theirs" {
        berth run -d --name torn busybox sleep 1000
        verbs=("stop -t 0" start "restart -t 0" kill "exec torn true" wait)
        for ((i = 0; i < 48; i++)); do
                verb=${verbs[i % ${#verbs[@]}]}
                case $verb in exec*) command=$verb ;; *) command="$verb torn" ;; esac
                # shellcheck disable=SC2086 # words
                {
                        result=0
                        timeout 60 berth $command || result=$?
                        echo "$result" >"$BATS_TEST_TMPDIR/answer.$i"
                } >/dev/null 2>&1 3>&- 4>&- &
        done
        # Waiters that came last have an answer when it ends.
        for ((i = 0; i < 40; i++)); do
                [ -z "$(jobs -r)" ] && break
                sleep 0.25
                berth kill torn >/dev/null 2>&1 || true
        done
        wait
        for ((i = 0; i < 48; i++)); do
                [ "$(cat "$BATS_TEST_TMPDIR/answer.$i")" != 124 ] || fail "${verbs[i % ${#verbs[@]}]} was not answered"
        done
        case $(property torn State) in
        's "running"' | 's "exited"') ;;
        *) fail "$(property torn State)" ;;
        esac
}

@test "removal wins over whoever wants something else" {
        berth run -d --name doomed busybox sh -c 'trap "" TERM; while :; do sleep 0.05; done'
        { berth stop -t 30 doomed || true; } >/dev/null 2>&1 3>&- 4>&- &
        { berth restart -t 30 doomed || true; } >/dev/null 2>&1 3>&- 4>&- &
        { berth wait doomed || true; } >/dev/null 2>&1 3>&- 4>&- &
        sleep 0.3 # for all to have asked
        berth rm -f doomed
        wait
        run --separate-stderr berth inspect doomed
        [ "$status" != 0 ]
}

@test "files in a removed container are gone, whoever owned them" {
        berth run --name messy busybox sh -c \
                'mkdir -p /a/b/c; touch /a/b/c/f; chown -R 1234 /a; chmod 0 /a/b/c /a/b /a; mkdir -m 1777 /s; touch /s/x; chown 77 /s/x; mkfifo /f'
        berth rm messy
        wait_until nothing_leaks || { leaks; false; }
}

@test "an image that a container needs stays" {
        make_busybox_image needed
        berth create --name needs needed true
        run --separate-stderr berth rmi needed
        [ "$status" != 0 ]
        assert_contains "$stderr" "repository reference \"needed:latest\" (must force)"
        assert_contains "$stderr" "using its referenced image"
        run --separate-stderr berth rmi "$(berth inspect -f '{{.Image}}' needs)"
        [ "$status" != 0 ]
        assert_contains "$stderr" "being used"
        berth start needs
        berth wait needs
        berth rm needs
        berth rmi needed
}
