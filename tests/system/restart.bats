#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Restart policies: the monitor starts a container again that has ended, with or without berthd.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

# Those that fail at once wait longer from time to time: they are started here, and are in a long wait when their test
# comes.
setup_file() {
        local name
        make_busybox_image busybox
        make_busybox_image with-signal 'STOPSIGNAL SIGTERM'
        for name in talk-to kill-it stop-it unit-it restart-it remove-it monitor-it berthd-it both-it; do
                berth run -d --name "$name" --restart on-failure busybox sh -c 'echo round; exit 4' >/dev/null
        done
}

teardown_file() {
        systemctl start berthd.socket
        cleanup_containers
        leak_check
}

get() {
        berth inspect -f "$2" "$1"
}

STATE='{{.State.Status}} {{.State.Running}} {{.State.Restarting}} {{.State.Pid}} {{.State.ExitCode}}'

monitor_of() {
        local pid
        read -r pid _ </run/berth/containers/"$(get "$1" '{{.Id}}')"/monitor
        echo "$pid"
}

# has_restarts NAME AT-LEAST
has_restarts() {
        [ "$(get "$1" '{{.RestartCount}}')" -ge "$2" ]
}

# In a wait that goes on for two seconds at least, so that there is time to do something meanwhile.
waits_long() {
        local state count finished delay
        read -r state count finished < <(get "$1" '{{.State.Status}} {{.RestartCount}} {{.State.FinishedAt}}')
        [ "$state" = restarting ] && [ "$count" -ge 5 ] || return 1
        delay=$((count < 10 ? 100 << (count - 1) : 60000))
        [ $(($(date -d "$finished" +%s%3N) + delay - $(date +%s%3N))) -gt 2000 ]
}

wait_for_long() {
        wait_until -t 60 waits_long "$1"
}

# It is killed, and its socket, at which monitors and buses knock, is gone.
without_berthd() {
        systemctl kill -s KILL --kill-whom=main berthd.service
        systemctl stop berthd.socket berthd.service
}

is_over() {
        [ "$(get "$1" '{{.State.Status}}')" = exited ]
}

@test "policies that are none are refused as by docker" {
        local case
        for case in on-failure:-1='maximum retry count cannot be negative' on-failure:x='maximum retry count must be an integer' \
                "always:3=maximum retry count cannot be used with restart policy 'always'" "foo=invalid restart policy 'foo'" \
                "a:b:c=invalid restart policy format"; do
                run -125 --separate-stderr berth run --restart "${case%%=*}" busybox true
                assert_line 125 "${case#*=}"
        done
        run -125 --separate-stderr berth run --rm --restart always busybox true
        assert_line 125 'Conflicting options: --restart and --rm' "can't create 'AutoRemove' container with restart policy"
        run busctl call org.berth1 /org/berth1 org.berth1.Manager CreateContainer 'sa{sv}' busybox 2 auto-remove b true restart s always
        assert_status 1
        assert_contains "$output" "can't create 'AutoRemove' container with restart policy"
        run --separate-stderr berth run --rm --restart no busybox true
        assert_status 0
}

@test "on-failure:2 starts it twice again, in one run and unit and with one log; who is attached sees the first end" {
        run --separate-stderr berth run --name twice --restart on-failure:2 busybox sh -c 'echo hi; echo x >>/rounds; echo x >>/dev/shm/rounds; wc -l </dev/shm/rounds; exit 3'
        assert_status 3
        assert_output $'hi\n1'
        wait_until is_over twice
        assert_equal "$(get twice "$STATE {{.RestartCount}} {{json .HostConfig.RestartPolicy}}")" \
                'exited false false 0 3 2 {"Name":"on-failure","MaximumRetryCount":2}'
        # The same upper directory, another sandbox.
        assert_equal "$(wc -l <"/var/lib/berth/containers/$(get twice '{{.Id}}')/upper/rounds")" 3
        run berth logs twice
        assert_output $'hi\n1\nhi\n1\nhi\n1'
        run journalctl -q -o json CONTAINER_NAME=twice CONTAINER_STREAM=stdout --output-fields=CONTAINER_LOG_ORDINAL,CONTAINER_RUN_ID,_SYSTEMD_UNIT
        assert_equal "$(jq -r .CONTAINER_LOG_ORDINAL <<<"$output" | tr '\n' ' ')" '1 2 3 4 5 6 '
        assert_equal "$(jq -r '.CONTAINER_RUN_ID + " " + ._SYSTEMD_UNIT' <<<"$output" | sort -u)" "$(get twice '{{.RunId}}') berth-twice.scope"
        berth start twice >/dev/null # begins to count anew
        wait_until has_restarts twice 1
        wait_until is_over twice
        assert_equal "$(get twice '{{.RestartCount}} {{.State.ExitCode}}')" '2 3'
}

@test "no and an unfailing on-failure are not started again" {
        berth run --name none busybox sh -c 'exit 3' || true
        berth run --name well --restart on-failure busybox true
        assert_equal "$(get none '{{.State.Status}} {{.RestartCount}} {{json .HostConfig.RestartPolicy}}')" 'exited 0 {"Name":"no","MaximumRetryCount":0}'
        assert_equal "$(get well '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}')" 'exited 0 0'
}

@test "a round ends with die and begins with start, and the state changes in that order" {
        local log=/srv/test/restart-events
        busctl --json=short monitor org.berth1 >"$log" 3>&- 4>&- &
        local monitor=$!
        wait_until test -s "$log" || wait_until berth ps # the first message shows that it listens
        berth run -d --name watched --restart on-failure:2 busybox sh -c 'exit 5'
        wait_until is_over watched
        wait_until grep -q '"State":{"type":"s","data":"exited"}' "$log"
        kill "$monitor"
        assert_equal "$(jq -r 'select(.member == "Event" and .payload.data[3].name == "watched") | .payload.data[1] + (.payload.data[3].exitCode // "")' "$log" | tr '\n' ' ')" \
                'create start die5 start die5 start die5 '
        assert_equal "$(jq -r --arg path "/org/berth1/container/$(get watched '{{.Id}}')" 'select(.member == "PropertiesChanged" and .path == $path) |
                .payload.data[1] | .State.data + (.RestartCount.data | tostring)' "$log" | uniq | tr '\n' ' ')" \
                'created0 running0 restarting1 running1 restarting2 running2 exited2 '
}

@test "logs -f goes on over restarts, and an exec too" {
        berth run -d --name speaks --restart always busybox sh -c 'echo begin; while [ ! -e /end ]; do sleep 0.05; done; rm /end; echo end; exit 1'
        berth logs -f speaks >/srv/test/restart-follow 3>&- 4>&- &
        local follower=$! round
        for round in 1 2 3; do
                wait_until sh -c "[ \"\$(grep -c begin /srv/test/restart-follow)\" = $round ]"
                wait_until berth exec speaks touch /end
        done
        wait_until sh -c "[ \"\$(grep -c begin /srv/test/restart-follow)\" = 4 ]"
        run berth exec speaks sh -c 'cat /proc/1/cgroup; grep -c . /proc/1/status'
        assert_status 0
        read -r _ _ cgroup <"/run/berth/containers/$(get speaks '{{.Id}}')/monitor"
        assert_equal "$(wc -l <"/sys/fs/cgroup$cgroup/payload/cgroup.procs")" 2 # sh and sleep
        berth stop -t 0 speaks
        wait "$follower"
        assert_equal "$(tr '\n' ' ' </srv/test/restart-follow)" 'begin end begin end begin end begin '
}

@test "signals sent by hand end the restarts as with docker" {
        local script='trap : HUP; trap "exit 5" USR1; echo ready; while :; do sleep 0.05; done' case
        # POLICY IMAGE: what becomes of it after HUP, then USR1 and with that its end
        for case in 'always busybox exited 0' 'always with-signal running 1' 'unless-stopped with-signal exited 0'; do
                # shellcheck disable=SC2086
                set -- $case
                berth run -d --name signalled --restart "$1" "$2" sh -c "$script"
                wait_until sh -c 'berth logs signalled | grep -q ready'
                berth kill -s HUP signalled
                berth kill -s USR1 signalled
                wait_until sh -c "[ \"\$(berth inspect -f '{{.State.Status}} {{.RestartCount}}' signalled)\" = '$3 $4' ]" || fail "$case"
                berth rm -f signalled
        done
        # A client that passes signals on is a hand, too.
        berth run --name proxied --restart always busybox sh -c 'trap "exit 6" INT; echo ready; while :; do sleep 0.05; done' 3>&- 4>&- &
        local client=$! status=0
        wait_until sh -c 'berth logs proxied | grep -q ready'
        kill -INT "$client"
        wait "$client" || status=$?
        assert_equal "$status" 6
        assert_equal "$(get proxied '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}')" 'exited 0 6'
}

@test "what cannot be started again has ended as it did before" {
        berth run -d --name gone --restart always busybox /bin/sh -c 'rm /bin/sh; exit 9'
        wait_until is_over gone
        assert_equal "$(get gone "$STATE {{.RestartCount}}")" 'exited false false 0 9 1'
        assert_contains "$(get gone '{{.State.Error}}')" 'exec: "/bin/sh"'
        run --separate-stderr berth start gone
        assert_line 1 'no such file or directory'
        run -127 --separate-stderr berth run --name never --restart always busybox /no/such/program
        assert_equal "$(get never '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}')" 'created 0 127'
}

@test "while it waits: ps, inspect, wait, and calls that need a process" {
        wait_for_long talk-to
        assert_equal "$(get talk-to "$STATE")" 'restarting true true 0 4'
        assert_equal "$(get talk-to '{{.State.FinishedAt}}' | cut -c 1-4)" "$(date +%Y)"
        [[ $(berth ps --filter name=talk-to --format '{{.Status}}') == "Restarting (4) "*" ago" ]]
        run --separate-stderr berth exec talk-to true
        assert_line 1 'is restarting, wait until the container is running'
        run busctl call org.berth1 "/org/berth1/container/$(get talk-to '{{.Id}}')" org.berth1.Container Attach 'a{sh}' 0
        assert_status 1
        assert_contains "$output" 'is restarting, wait until the container is running'
        run --separate-stderr berth rm talk-to
        assert_line 1 'container is restarting: stop the container before removing or force remove'
        run --separate-stderr berth start talk-to # Docker calls it running, so that is done already
        assert_status 0
}

@test "wait is answered by the next end, which is no last one" {
        berth run -d --name awaited --restart always busybox sh -c 'while [ ! -e /end ]; do sleep 0.05; done; rm /end; exit 3'
        berth wait awaited >/srv/test/restart-wait 3>&- 4>&- &
        local waiter=$!
        wait_until sh -c "busctl call org.berth1 /org/berth1 org.freedesktop.DBus.Peer Ping && [ -e /proc/$waiter ]"
        wait_until berth exec awaited touch /end
        wait "$waiter"
        assert_equal "$(cat /srv/test/restart-wait)" 3
        wait_until has_restarts awaited 1
        wait_for_state awaited running
}

@test "stop, kill and the end of the unit end the wait at once" {
        wait_for_long stop-it
        count=$(get stop-it '{{.RestartCount}}')
        berth stop stop-it
        assert_equal "$(get stop-it "$STATE {{.RestartCount}} {{.State.StoppedBy}}")" "exited false false 0 4 $count client"
        wait_for_long kill-it
        berth kill kill-it
        wait_until is_over kill-it
        assert_equal "$(get kill-it "$STATE")" 'exited false false 0 4'
        wait_for_long unit-it
        systemctl stop berth-unit-it.scope
        wait_until is_over unit-it
        assert_equal "$(get unit-it "$STATE {{.State.StoppedBy}}")" 'exited false false 0 4 systemd'
        run systemctl is-active berth-stop-it.scope berth-kill-it.scope berth-unit-it.scope
        assert_lacks "$output" $'\nactive'
}

@test "restart and rm -f of one that waits" {
        wait_for_long restart-it
        before=$(get restart-it '{{.RunId}} {{.RestartCount}}')
        berth restart restart-it
        after=$(get restart-it '{{.RunId}} {{.RestartCount}}')
        [ "${before% *}" != "${after% *}" ] && [ "${after#* }" -lt "${before#* }" ] || fail "$before, then $after"
        wait_for_long remove-it
        berth rm -f remove-it
        run -1 --separate-stderr berth inspect remove-it
}

@test "berthd is killed meanwhile and finds everything out again" {
        wait_for_long berthd-it
        before=$(get berthd-it "$STATE {{.RestartCount}} {{.RunId}} {{.Unit}} {{.State.FinishedAt}} {{.State.StartedAt}}")
        systemctl kill -s KILL --kill-whom=main berthd.service
        assert_equal "$(get berthd-it "$STATE {{.RestartCount}} {{.RunId}} {{.Unit}} {{.State.FinishedAt}} {{.State.StartedAt}}")" "$before"
        count=$(get berthd-it '{{.RestartCount}}')
        wait_until -t 120 has_restarts berthd-it $((count + 1))
        berth stop berthd-it
        assert_equal "$(get berthd-it "$STATE")" 'exited false false 0 4'
}

@test "there is no berthd: the monitor starts it again all the same" {
        berth run -d --name alone --restart on-failure busybox sh -c 'echo x >>/rounds; [ "$(wc -l </rounds)" -lt 3 ] || sleep 1000; exit 7'
        rounds=/var/lib/berth/containers/$(get alone '{{.Id}}')/upper/rounds
        without_berthd
        wait_until sh -c "[ \"\$(wc -l <$rounds)\" = 3 ]"
        systemctl start berthd.socket
        assert_equal "$(get alone '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}')" 'running 0 2'
        assert_equal "$(get alone '{{.State.Pid}}')" "$(head -n 1 "/sys/fs/cgroup/machine.slice/berth-alone.scope/payload/cgroup.procs")"
        # Killed without a berthd that would have seen it, the monitor leaves behind how far it had got.
        monitor=$(monitor_of alone)
        without_berthd
        kill -KILL "$monitor"
        wait_until sh -c '! systemctl is-active -q berth-alone.scope'
        systemctl start berthd.socket
        assert_equal "$(get alone "$STATE {{.RestartCount}}")" 'exited false false 0 137 2'
}

@test "the monitor is killed while it waits, with and without berthd" {
        wait_for_long monitor-it
        count=$(get monitor-it '{{.RestartCount}}')
        kill -KILL "$(monitor_of monitor-it)"
        wait_until is_over monitor-it
        assert_equal "$(get monitor-it "$STATE {{.RestartCount}}")" "exited false false 0 4 $count"
        assert_contains "$(get monitor-it '{{.State.Error}}')" 'the monitor was killed'
        wait_for_long both-it
        count=$(get both-it '{{.RestartCount}}')
        monitor=$(monitor_of both-it)
        without_berthd
        kill -KILL "$monitor"
        wait_until sh -c '! systemctl is-active -q berth-both-it.scope'
        systemctl start berthd.socket
        assert_equal "$(get both-it "$STATE {{.RestartCount}}")" "exited false false 0 4 $count"
}
