#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What happens to containers and images is told in the journal, once each, with its fields and a catalog entry.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox
        journalctl --update-catalog
        export RECORDS_SINCE=$EPOCHSECONDS
}

teardown() {
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

# records MATCH...: the records of this file's tests that match, one compact JSON object a line, oldest first.
records() {
        journalctl -q -o json --since "@$RECORDS_SINCE" SYSLOG_IDENTIFIER=berth "$@" | jq -c 'select(.MESSAGE_ID)'
}

# events CONTAINER: what has happened to it, in order.
events() {
        records CONTAINER_NAME="$1" | jq -r .BERTH_EVENT | xargs
}

has_events() {
        [ "$(events "$1")" = "$2" ]
}

# record CONTAINER EVENT FILTER: of the last such record.
record() {
        records CONTAINER_NAME="$1" BERTH_EVENT="$2" | tail -n 1 | jq -r "$3"
}

@test "a life, in order, each once" {
        berth run --name life busybox echo a line
        berth start -a life
        berth rm life
        wait_until has_events life "create start die start die destroy"
        assert_equal "$(record life die '.BERTH_EXIT_CODE + .BERTH_SIGNAL + .BERTH_STOPPED_BY')" 0
        assert_equal "$(record life die .MESSAGE)" "Container life has ended with exit code 0."
}

@test "they are no lines of the log, and the log is none the shorter" {
        berth run --name lines busybox sh -c 'echo one; echo two >&2; echo three'
        wait_until has_events lines "create start die"
        run --separate-stderr berth logs lines
        assert_output $'one\nthree'
        assert_equal "$stderr" two
        assert_equal "$(berth inspect -f '{{.LogOrdinal}}' lines)" 3
        [ -z "$(records CONTAINER_NAME=lines | jq -r '.CONTAINER_STREAM // empty, .CONTAINER_LOG_ORDINAL // empty')" ]
        # The record of the end is behind the last line.
        assert_equal "$(journalctl -q -o json CONTAINER_NAME=lines | jq -r '.BERTH_EVENT // "line"' | xargs)" "create start line line line die"
}

@test "those of a run come from the container's own unit, with its fields" {
        berth run -d --name fields busybox sleep 1000
        id=$(berth inspect -f '{{.Id}}' fields)
        wait_until has_events fields "create start"
        assert_equal "$(record fields start '._SYSTEMD_UNIT + " " + .CONTAINER_ID + " " + .CONTAINER_ID_FULL + " " + .IMAGE_NAME + " " + .PRIORITY')" \
                "berth-fields.scope ${id:0:12} $id busybox 6"
        assert_equal "$(record fields start .CONTAINER_RUN_ID)" "$(berth inspect -f '{{.RunId}}' fields)"
        assert_equal "$(record fields create '._SYSTEMD_UNIT')" berthd.service
        assert_equal "$(record fields create .IMAGE_ID)" "$(record fields start .IMAGE_ID)"
}

@test "who asked for the end: a client, by user and process" {
        berth run -d --name asked busybox sleep 1000
        systemd-run --quiet --wait --unit stopper.service berth stop -t 0 asked
        wait_until has_events asked "create start stop die"
        for event in stop die; do
                assert_equal "$(record asked $event '.BERTH_STOPPED_BY + " " + .BERTH_STOPPED_BY_UID + " " + .BERTH_STOPPED_BY_USER + " " + .BERTH_STOPPED_BY_COMMAND + " " + .BERTH_STOPPED_BY_UNIT')" \
                        "client 0 root berth stopper.service"
        done
        assert_equal "$(record asked die '.BERTH_EXIT_CODE + " " + .BERTH_SIGNAL')" "137 9"
        assert_contains "$(record asked die .MESSAGE)" "ended with exit code 137 (SIGKILL), asked for by root (uid 0, berth["
        assert_equal "$(berth inspect -f '{{with .State}}{{.StoppedBy}} {{.StoppedByUid}} {{.StoppedByUser}} {{.StoppedByCommand}} {{.StoppedByUnit}}{{end}}' asked)" \
                "client 0 root berth stopper.service"
        # It is kept.
        systemctl stop berthd.service
        assert_equal "$(berth inspect -f '{{.State.StoppedByUnit}}' asked)" stopper.service
        berth start asked
        assert_equal "$(berth inspect -f '{{.State.StoppedBy}} {{.State.StoppedByUid}}' asked)" " -1"
}

@test "who asked for the end: systemd, with berthd away" {
        berth run -d --name unit busybox sh -c 'trap "exit 3" TERM; while :; do sleep 0.05; done'
        systemctl stop berthd.service
        systemctl stop berth-unit.scope
        wait_until has_events unit "create start stop die"
        assert_equal "$(record unit die '.BERTH_STOPPED_BY + " " + .BERTH_EXIT_CODE + " " + .PRIORITY')" "systemd 3 6"
        assert_equal "$(record unit die '.BERTH_STOPPED_BY_UID')" null
}

@test "nobody asked: the end of its own is a notice, with the signal if there was one" {
        berth run --name own busybox sh -c 'exit 3' || [ $? = 3 ]
        berth run -d --name killed busybox sleep 1000
        berth kill killed
        wait_until has_events own "create start die"
        wait_until has_events killed "create start die"
        assert_equal "$(record own die '.BERTH_EXIT_CODE + " " + .PRIORITY + " " + (.BERTH_STOPPED_BY // "nobody")')" "3 5 nobody"
        assert_equal "$(record killed die '.BERTH_EXIT_CODE + " " + .BERTH_SIGNAL')" "137 9"
}

@test "a start that fails" {
        berth run --name nostart busybox /no/such/program || [ $? = 127 ]
        wait_until has_events nostart "create die"
        assert_equal "$(record nostart die '.MESSAGE_ID + " " + .BERTH_EXIT_CODE + " " + .PRIORITY')" c2dfe3c2059d4a5aa1e10032a4f57e5e\ 127\ 4
        assert_contains "$(record nostart die .MESSAGE)" "could not be started: "
        assert_contains "$(record nostart die .BERTH_ERROR)" /no/such/program
}

@test "a monitor that is killed: berthd tells it in its place" {
        berth run -d --name orphan busybox sleep 1000
        wait_until has_events orphan "create start"
        read -r monitor _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' orphan)"/monitor
        kill -9 "$monitor"
        wait_until has_events orphan "create start die"
        assert_equal "$(record orphan die '._SYSTEMD_UNIT + " " + .BERTH_EXIT_CODE + " " + .BERTH_ERROR')" "berthd.service 137 the monitor was killed"
        # journalctl -u of the container's unit has it, too.
        assert_contains "$(journalctl -q -o cat -u berth-orphan.scope)" "Container orphan has ended with exit code 137: the monitor was killed."
}

@test "a monitor that is killed in a stop: berthd tells who asked for the end" {
        berth run -d --name deaf busybox sh -c 'trap "" TERM; while :; do sleep 1; done'
        wait_until has_events deaf "create start"
        read -r monitor _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' deaf)"/monitor
        berth stop -t 300 deaf &
        wait_until has_events deaf "create start stop"
        kill -9 "$monitor"
        wait
        wait_until has_events deaf "create start stop die"
        assert_equal "$(record deaf die '._SYSTEMD_UNIT + " " + .BERTH_STOPPED_BY + " " + .BERTH_STOPPED_BY_USER + " " + .BERTH_STOPPED_BY_COMMAND + " " + .PRIORITY')" \
                "berthd.service client root berth 6"
        assert_contains "$(record deaf die .MESSAGE)" "exit code 137, asked for by root (uid 0, berth["
        assert_equal "$(berth inspect -f '{{.State.StoppedByUser}}' deaf)" root
}

@test "a hundred quick runs, berthd killed meanwhile: no end is missing" {
        for ((i = 0; i < 100; i++)); do
                berth run --name "quick$i" busybox sh -c "exit $((i % 50))" 2>/dev/null &
                ((i % 8)) || wait
                ((i % 20)) || systemctl kill -s KILL --kill-whom=main berthd.service || true
        done 3>&- 4>&-
        wait
        berth ps -aq >/dev/null
        for name in $(berth ps -a --format '{{.Names}}'); do
                code=${name#quick}
                [ "$(berth inspect -f '{{.State.StartedAt}}' "$name")" != 0001-01-01T00:00:00Z ] || continue # the call was lost with berthd
                wait_for_state "$name" exited
                wait_until has_one_end "$name" $((code % 50))
        done
}

has_one_end() {
        [ "$(records CONTAINER_NAME="$1" BERTH_EVENT=die | jq -r .BERTH_EXIT_CODE)" = "$2" ]
}

@test "images come and go" {
        make_busybox_image record:1
        id=$(berth inspect -f '{{.Id}}' record:1)
        systemd-run --quiet --wait --unit remover.service berth rmi record:1 >/dev/null
        wait_until image_has_events "$id" "import delete"
        assert_equal "$(records IMAGE_ID="$id" BERTH_EVENT=delete | jq -r '.IMAGE_NAME + " " + .BERTH_CALLER_USER + " " + .BERTH_CALLER_UNIT')" \
                "docker.io/library/record:1 root remover.service"
}

image_has_events() {
        [ "$(records IMAGE_ID="$1" | jq -r .BERTH_EVENT | xargs)" = "$2" ]
}

@test "the catalog explains each of them" {
        berth run --name explained busybox true
        berth run --name unexplained busybox /no/such/program || true
        berth run -d --name stopped busybox sleep 1000
        berth stop -t 0 stopped
        berth rm stopped
        wait_until has_events stopped "create start stop die destroy"
        text=$(journalctl -q -x SYSLOG_IDENTIFIER=berth)
        for subject in "Container explained was created" "Container explained has started" "Container explained has ended" \
                "Container stopped is asked to end" "Container stopped was removed" "Container unexplained could not be started" \
                "Image docker.io/library/busybox:latest was imported"; do
                assert_contains "$text" "Subject: $subject"
        done
        # A field that a record does not have would stand there by its name.
        assert_lacks "$text" "BERTH_"
        assert_lacks "$text" "IMAGE_NAME"
}
