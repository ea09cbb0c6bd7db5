#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Restart policies always and unless-stopped: such a container is berth@NAME.service, and systemd starts it with the machine.
# tests/vm/80 and 81 really reboot.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

LINKS=/etc/systemd/system/multi-user.target.wants
STATE='{{.State.Status}} {{.State.ExitCode}} {{.State.StoppedBy}}'
ENDLESS='trap "exit 0" TERM; touch /set; sleep 1000 & while :; do wait; done'

setup_file() {
        make_busybox_image busybox
}

teardown() {
        rm -f /run/berth/stopping
        cleanup_containers
        systemctl reset-failed 'berth@*' 2>/dev/null || true
}

teardown_file() {
        cleanup_containers
        systemctl daemon-reload # multi-user.target knows links that have gone
        leak_check
}

# of CONTAINER TEMPLATE
of() {
        berth inspect -f "$2" "$1"
}

unit_of() {
        systemctl show -P "$2" "berth@$1.service"
}

is() { # CONTAINER TEMPLATE VALUE
        [ "$(of "$1" "$2")" = "$3" ]
}

# The last wait was long enough for the next to give time to look at it.
waits() {
        [ "$(of "$1" '{{.State.Status}}')" = restarting ] && [ "$(of "$1" '{{.RestartCount}}')" -ge "${2:-5}" ]
}

monitor_of() {
        unit_of "$1" MainPID
}

has_records() { # CONTAINER EVENTS
        [ "$(journalctl -q -o json SYSLOG_IDENTIFIER=berth "CONTAINER_NAME=$1" | jq -r 'select(.MESSAGE_ID) | .BERTH_EVENT' | xargs)" = "$2" ]
}

@test "run -d starts it as a service that starts with the machine; the other policies have a scope" {
        berth run -d --name web --restart always busybox sh -c "echo hello; $ENDLESS"
        berth run -d --name other --restart unless-stopped busybox sh -c "$ENDLESS"
        berth run -d --name scoped --restart on-failure busybox sh -c "$ENDLESS"
        assert_equal "$(berth inspect -f '{{.State.Status}} {{.Unit}} {{.HostConfig.RestartPolicy.Name}}' web other scoped)" \
                $'running berth@web.service always\nrunning berth@other.service unless-stopped\nrunning berth-scoped.scope on-failure'
        run systemctl status berth@web
        assert_status 0
        assert_contains "$output" "Status: \"Running, process $(of web '{{.State.Pid}}')\""
        assert_contains "$output" "; enabled;"
        assert_equal "$(unit_of web Restart) $(unit_of web RequiresMountsFor)" "on-abnormal /var/lib/berth"
        [ -z "$(systemctl list-units --all --plain --no-legend 'berth-web*')" ]
        [ ! -e /etc/systemd/system/berth@scoped.service.d ]
        # Attached clients see it from the first byte, though systemd starts it.
        run --separate-stderr berth run --name seen --restart always busybox sh -c 'echo first; exit 3'
        assert_status 3
        assert_output first
        wait_until waits seen 1
}

@test "created only, nothing of it is with systemd" {
        berth create --name fresh --restart always busybox true
        [ ! -e /etc/systemd/system/berth@fresh.service.d ]
        [ ! -L $LINKS/berth@fresh.service ]
}

@test "while it waits, systemctl status says so; systemctl stop ends the wait" {
        berth run -d --name loops --restart always busybox sh -c 'exit 4'
        wait_until waits loops
        run systemctl status berth@loops
        assert_contains "$output" 'Active: active (running)'
        [[ $output =~ Status:\ \"Ended\ with\ status\ 4,\ starts\ again\ in\ [0-9.]+\ s\ \(restart\ [0-9]+\)\" ]] || fail "$output"
        [ -z "$(cat /sys/fs/cgroup/machine.slice/berth@loops.service/payload/cgroup.procs)" ]
        systemctl stop berth@loops
        assert_equal "$(of loops "$STATE") $(unit_of loops ActiveState) $(unit_of loops Result)" "exited 4 systemd inactive success"
        # Whoever starts it, it begins to count anew.
        systemctl start berth@loops
        wait_until waits loops 1
        [ "$(of loops '{{.RestartCount}}')" -le 5 ]
        berth stop loops
        assert_equal "$(of loops "$STATE") $(unit_of loops ActiveState)" "exited 4 client inactive"
}

@test "what happens in its rounds is told in the journal, in order, from its unit" {
        berth run -d --name told --restart always busybox sh -c '[ -e /second ] && exec sleep 1000; touch /second; exit 6'
        wait_until is told '{{.State.Status}} {{.RestartCount}}' 'running 1'
        berth stop -t 0 told
        wait_until has_records told 'create start die restarting start stop die'
        run journalctl -q -o json BERTH_EVENT=restarting CONTAINER_NAME=told
        assert_equal "$(jq -r '._SYSTEMD_UNIT + " " + .BERTH_EXIT_CODE + " " + .BERTH_RESTART_COUNT + " " + .BERTH_RESTART_DELAY_USEC + " " + .MESSAGE' <<<"$output")" \
                "berth@told.service 6 1 100000 Container told will be started again in 0.1 s (restart 1)."
        # One that is stopped while it waits was asked to end, too.
        berth run -d --name waits --restart always busybox sh -c 'exit 6'
        wait_until waits waits
        berth stop waits
        wait_until sh -c 'journalctl -q -o cat BERTH_EVENT=stop CONTAINER_NAME=waits | grep -q "asked to end by root (.*: it is not started again"'
}

@test "stopped by hand, unless-stopped is not to start with the machine; always is; the shutdown is no hand" {
        local policy how expected
        while read -r policy expected how; do
                berth run -d --name hand --restart "$policy" busybox sh -c "trap : HUP; $ENDLESS"
                wait_until berth exec hand test -e /set
                assert_equal "$(systemctl is-enabled berth@hand)" enabled
                eval "$how"
                wait_until is hand '{{.State.Status}}' exited
                assert_equal "$policy $how $(systemctl is-enabled berth@hand || true)" "$policy $how $expected"
                # As the boot does it.
                rm -f /run/berth/stopping
                systemctl daemon-reload
                systemctl start multi-user.target
                [ "$expected" = disabled ] || wait_for_state hand running
                assert_equal "$(of hand '{{.State.Status}}')" "$([ "$expected" = enabled ] && echo running || echo exited)"
                # Once started it is to be there again, whoever starts it.
                [ "$expected" = enabled ] || systemctl start berth@hand
                assert_equal "$(of hand '{{.State.Status}}') $(systemctl is-enabled berth@hand)" "running enabled"
                berth rm -f hand
        done <<'END'
always enabled berth stop -t 0 hand
always enabled systemctl stop berth@hand
always enabled berth kill hand
unless-stopped disabled berth stop -t 0 hand
unless-stopped disabled systemctl stop berth@hand
unless-stopped disabled berth kill hand
unless-stopped enabled touch /run/berth/stopping; systemctl stop berth@hand
always enabled touch /run/berth/stopping; systemctl stop berth@hand
unless-stopped enabled berth kill -s HUP hand; touch /run/berth/stopping; systemctl stop berth@hand
END
}

@test "berthd is killed as it takes note of a stop by hand" {
        berth run -d --name hand --restart unless-stopped busybox sh -c "$ENDLESS"
        # It ends while there is no berthd; the next one finds the exit record.
        systemctl kill -s KILL --kill-whom=main berthd.service
        systemctl stop berth@hand
        assert_equal "$(of hand "$STATE")" "exited 0 systemd"
        assert_equal "$(systemctl is-enabled berth@hand || true)" disabled
}

@test "renamed while it is stopped, it starts with the machine under its new name, or still does not" {
        local policy
        for policy in always unless-stopped; do
                berth run -d --name old --restart "$policy" busybox sh -c "$ENDLESS"
                berth stop -t 0 old
                berth rename old new
                [ ! -e /etc/systemd/system/berth@old.service.d ] && [ ! -L $LINKS/berth@old.service ]
                assert_equal "$policy $(systemctl is-enabled berth@new || true)" "$policy $([ $policy = always ] && echo enabled || echo disabled)"
                berth start new
                assert_equal "$(of new '{{.State.Status}} {{.Unit}}') $(systemctl is-enabled berth@new)" "running berth@new.service enabled"
                berth rm -f new
        done
}

@test "who says systemctl disable has the last word" {
        berth run -d --name off --restart always busybox sh -c "$ENDLESS"
        systemctl disable berth@off 2>&1
        berth restart -t 0 off
        assert_equal "$(systemctl is-enabled berth@off || true) $(of off '{{.Unit}}')" "disabled berth@off.service"
        systemctl enable berth@off
        berth restart -t 0 off
        assert_equal "$(systemctl is-enabled berth@off)" enabled
}

@test "a killed monitor comes back, from a run or from a wait, and says that its payload did not" {
        berth run -d --name runs --restart always busybox sh -c "$ENDLESS"
        berth run -d --name loops --restart unless-stopped busybox sh -c 'exit 4'
        wait_until waits loops
        local name
        for name in runs loops; do
                before=$(of $name '{{.RunId}}')
                kill -KILL "$(monitor_of $name)"
                wait_until is $name '{{.State.Status}}' exited # a second passes before systemd has it back
                assert_contains "$(of $name '{{.State.Error}}')" 'the monitor was killed'
                assert_equal "$(of $name '{{.State.ExitCode}}')" "$([ $name = runs ] && echo 137 || echo 4)"
                wait_until sh -c "[ \"\$(berth inspect -f '{{.RunId}}' $name)\" != $before ]"
                wait_until test "$(unit_of $name NRestarts)" = 1
        done
        wait_for_state runs running
        wait_until waits loops 1
        # Somebody who stops it before systemd has started it again.
        kill -KILL "$(monitor_of runs)"
        wait_until is runs '{{.State.Status}}' exited
        berth stop runs
        wait_until sh -c '[ "$(systemctl show -P ActiveState berth@runs.service)" = inactive ]'
        kill -KILL "$(monitor_of loops)"
        wait_until is loops '{{.State.Status}}' exited
        berth stop loops
        wait_until sh -c '[ "$(systemctl show -P ActiveState berth@loops.service)" = inactive ]'
        assert_equal "$(systemctl is-enabled berth@runs berth@loops | xargs)" "enabled disabled"
        assert_equal "$(of runs '{{.State.Status}}') $(of loops '{{.State.Status}}')" "exited exited"
}

@test "the image has gone when it is to be started again: it stays down and says why" {
        make_busybox_image passing 'LABEL passing=1'
        local name
        berth run -d --name svc --restart always passing sh -c 'exit 5'
        berth run -d --name scp --restart on-failure passing sh -c 'exit 5'
        wait_until waits svc
        wait_until waits scp
        mv /var/lib/berth/layers /var/lib/berth/layers.gone
        for name in svc scp; do
                wait_until -t 60 is $name '{{.State.Status}}' exited
                assert_equal "$(of $name '{{.State.ExitCode}}')" 5
                [ -n "$(of $name '{{.State.Error}}')" ]
        done
        mv /var/lib/berth/layers.gone /var/lib/berth/layers
        assert_equal "$(unit_of svc ActiveState) $(unit_of svc ExecMainStatus)" "failed 5"
        assert_equal "$(systemctl is-enabled berth@svc)" enabled
        berth start svc
        berth start scp
        wait_until waits svc 1
        wait_until waits scp 1
}

@test "rm -f while it waits, restart while it waits" {
        berth run -d --name loops --restart always busybox sh -c 'exit 4'
        wait_until waits loops
        run -1 --separate-stderr berth rm loops
        assert_line 1 'container is restarting'
        before=$(of loops '{{.RunId}}')
        berth restart loops
        [ "$(of loops '{{.RunId}} {{.Unit}}')" != "$before berth@loops.service" ]
        wait_until waits loops
        berth rm -f loops
        run -1 --separate-stderr berth inspect loops
        wait_until sh -c '[ "$(systemctl show -P ActiveState berth@loops.service)" = inactive ]'
        [ ! -e /etc/systemd/system/berth@loops.service.d ] && [ ! -L $LINKS/berth@loops.service ]
}

@test "one that fails at once costs little, and starts no unit again" {
        berth run -d --name loops --restart always busybox sh -c 'exit 4'
        wait_until waits loops 6
        assert_equal "$(unit_of loops NRestarts)" 0
        [ "$(of loops '{{.RestartCount}}')" -le 7 ]
        # Descriptors and children do not pile up with the rounds.
        monitor=$(monitor_of loops)
        before=$(find "/proc/$monitor/fd" -mindepth 1 | wc -l)
        wait_until waits loops 7
        assert_equal "$(find "/proc/$monitor/fd" -mindepth 1 | wc -l)" "$before"
        [ -z "$(pgrep -P "$monitor")" ]
}

@test "berthd is killed again and again meanwhile: each round is there, and each line of it" {
        local name
        for name in aa bb cc; do
                berth run -d --name $name --restart always busybox sh -c 'n=$(cat /n 2>/dev/null || echo 0); echo "round $n"; echo $((n + 1)) >/n; [ "$n" -lt 5 ] || exec sleep 1000; exit 3'
        done
        finished() {
                systemctl kill -s KILL --kill-whom=main berthd.service 2>/dev/null
                [ "$(for name in aa bb cc; do grep -c . "/proc/$(monitor_of $name)/task/$(monitor_of $name)/children"; done | xargs)" = "1 1 1" ] &&
                        [ "$(berth inspect -f '{{.State.Status}} {{.RestartCount}}' aa bb cc | xargs)" = "running 5 running 5 running 5" ]
        }
        wait_until -t 60 finished
        for name in aa bb cc; do
                assert_equal "$(berth logs $name | xargs)" "round 0 round 1 round 2 round 3 round 4 round 5"
                assert_equal "$(journalctl -q -o json CONTAINER_NAME=$name CONTAINER_STREAM=stdout | jq -r .CONTAINER_LOG_ORDINAL | xargs)" "1 2 3 4 5 6"
                wait_until has_records $name "create start die restarting start die restarting start die restarting start die restarting start die restarting start"
        done
}
