#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container as a service, berth@NAME.service: started and stopped with systemctl.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox
        make_busybox_image quits 'STOPSIGNAL SIGQUIT'
}

teardown() {
        cleanup_containers
        systemctl reset-failed 'berth@*' 2>/dev/null || true
}

teardown_file() {
        cleanup_containers
        leak_check
}

# of CONTAINER TEMPLATE
of() {
        berth inspect -f "$2" "$1"
}

unit_is() {
        [ "$(systemctl show -P ActiveState "berth@$1.service")" = "$2" ]
}

@test "systemctl start, status and stop: the container runs in that unit, and systemd hears how it goes" {
        berth create --name web --stop-timeout 20 busybox sh -c 'trap "exit 7" TERM; echo hello; touch /set; while :; do sleep 0.05; done'
        systemctl start berth@web
        assert_equal "$(of web '{{.State.Status}} {{.Unit}}')" "running berth@web.service"
        pid=$(of web '{{.State.Pid}}')
        run systemctl status berth@web.service
        assert_contains "$output" "Status: \"Running, process $pid\""
        assert_contains "$output" "berth@web.service - Container web"
        assert_contains "$(cat "/proc/$pid/cgroup")" /machine.slice/berth@web.service/payload
        assert_contains "$(cat "/proc/$(systemctl show -P MainPID berth@web.service)/cgroup")" /machine.slice/berth@web.service/monitor
        [ -z "$(systemctl list-units --all --plain --no-legend 'berth-web*')" ] # no scope inside a service
        wait_until berth exec web test -e /set
        assert_equal "$(berth logs web)" hello
        # The journal has it under the unit's name, as of any service.
        wait_until sh -c 'journalctl -q -u berth@web.service -o cat | grep -qx hello'
        systemctl stop berth@web
        assert_equal "$(of web '{{.State.Status}} {{.State.ExitCode}} {{.State.StoppedBy}}')" "exited 7 systemd"
        assert_equal "$(systemctl show -P ActiveState berth@web.service) $(systemctl show -P Result berth@web.service)" "inactive success"
}

@test "its properties" {
        berth create --name props busybox sleep 1000
        systemctl start berth@props
        shown=$(systemctl show berth@props.service)
        for line in Type=notify Slice=machine.slice Delegate=yes KillMode=mixed TasksMax=infinity CPUAccounting=yes IOAccounting=yes \
                MemoryAccounting=yes TasksAccounting=yes OOMPolicy=continue DevicePolicy=strict NRestarts=0 LogRateLimitBurst=4294967295 \
                Restart=no RequiresMountsFor=/var/lib/berth "Description=Container props" UnitFileState=disabled; do
                grep -qxF "$line" <<<"$shown" || { fail "no $line in: $shown"; return 1; }
        done
        # The same devices as a scope has.
        berth run -d --name scoped busybox sleep 1000
        assert_equal "$(grep ^DeviceAllow= <<<"$shown" | sort)" "$(systemctl show berth-scoped.scope | grep ^DeviceAllow= | sort)"
        assert_contains "$(systemctl show -P Before berth@props.service)" berth-shutdown.service
        assert_contains "$(systemctl show -P Before berth-scoped.scope)" berth-shutdown.service
        assert_equal "$(berth exec props cat /proc/1/oom_score_adj)" 0
        # The environment of a service is not the container's.
        assert_lacks "$(berth exec props sh -c 'tr "\0" "\n" </proc/1/environ')" NOTIFY_SOCKET
}

@test "the instance is the name as it is: dots, dashes, underscores; and nothing else" {
        berth create --name my-app_1.x busybox sleep 1000
        systemctl start berth@my-app_1.x
        assert_equal "$(of my-app_1.x '{{.State.Status}} {{.Unit}}')" "running berth@my-app_1.x.service"
        run systemctl start 'berth@my\x2dapp_1.x'
        assert_status 1
        wait_until sh -c 'journalctl -q -o cat -u "berth@my\\x2dapp_1.x.service" | grep -q "without escapes"'
        run systemctl start berth@nobody
        assert_status 1
        wait_until sh -c 'journalctl -q -o cat -u berth@nobody.service | grep -q "No such container: nobody"'
        # Not by id either: two units for one container would be one too many.
        run systemctl start "berth@$(of my-app_1.x '{{.Id}}')"
        assert_status 1
        container_has_state my-app_1.x running
}

@test "the service ends as the container does" {
        berth create --name good busybox true
        berth create --name bad busybox sh -c 'exit 3'
        berth create --name missing busybox /no/such/program
        systemctl start berth@good
        wait_until unit_is good inactive
        systemctl start berth@bad || true # it may be over before systemd has seen it start
        wait_until unit_is bad failed
        assert_equal "$(systemctl show -P Result berth@bad.service) $(systemctl show -P ExecMainStatus berth@bad.service)" "exit-code 3"
        run systemctl start berth@missing
        assert_status 1
        assert_equal "$(systemctl show -P Result berth@missing.service) $(systemctl show -P ExecMainStatus berth@missing.service)" "exit-code 127"
        wait_until sh -c 'journalctl -q -o cat -u berth@missing.service | grep -q "could not be started: .*/no/such/program"'
        wait_until test "$(of good '{{.State.ExitCode}}') $(of bad '{{.State.ExitCode}}') $(of missing '{{.State.ExitCode}}')" = "0 3 127"
}

@test "systemctl restart gives it a new run" {
        berth create --name again busybox sleep 1000
        systemctl start berth@again
        before=$(of again '{{.RunId}}')
        for i in 1 2 3; do
                systemctl restart berth@again
                container_has_state again running || fail "after restart $i"
        done
        [ "$(of again '{{.RunId}}')" != "$before" ]
        berth stop -t 0 again
        wait_until unit_is again inactive
        systemctl start berth@again
        container_has_state again running
}

@test "berth restart leaves it in its service" {
        berth create --name stays busybox sleep 1000
        systemctl start berth@stays
        before=$(of stays '{{.RunId}}')
        berth restart -t 0 stays
        assert_equal "$(of stays '{{.State.Status}} {{.Unit}}')" "running berth@stays.service"
        [ "$(of stays '{{.RunId}}')" != "$before" ]
        unit_is stays active
        systemctl stop berth@stays
        container_has_state stays exited
        # Started by the client it is the client's again.
        berth start stays
        assert_contains "$(of stays '{{.Unit}}')" .scope
}

@test "one that runs in a scope is not started a second time" {
        berth run -d --name scoped busybox sleep 1000
        run systemctl start berth@scoped
        assert_status 1
        wait_until sh -c 'journalctl -q -o cat -u berth@scoped.service | grep -q "already running, in berth-scoped.scope"'
        container_has_state scoped running
        berth stop -t 0 scoped
        systemctl start berth@scoped
        assert_equal "$(of scoped '{{.Unit}}')" berth@scoped.service
}

@test "systemctl stop: the image's signal, to PID 1 alone; after the time limit all of it is killed" {
        berth create --name polite quits sh -c 'trap "echo pid1 TERM >>/got" TERM; trap "echo pid1 QUIT >>/got; exit 0" QUIT
                (for s in TERM QUIT; do trap "echo child $s >>/got" $s; done; while :; do sleep 0.05; done) &
                touch /set; while :; do sleep 0.05; done'
        systemctl start berth@polite
        wait_until berth exec polite test -e /set
        sleep 0.3 # for the child's traps
        systemctl stop berth@polite
        assert_equal "$(cat "$(of polite '{{.GraphDriver.Data.UpperDir}}')/got")" "pid1 QUIT"
        berth create --name deaf --stop-timeout 1 busybox sh -c 'trap "" TERM; touch /set; sleep 1000 & while :; do sleep 0.05; done'
        systemctl start berth@deaf
        wait_until berth exec deaf test -e /set
        systemctl stop berth@deaf
        assert_equal "$(of deaf '{{.State.ExitCode}} {{.State.StoppedBy}}')" "137 systemd"
        assert_equal "$(systemctl show -P Result berth@deaf.service)" success
        wait_until test ! -d /sys/fs/cgroup/machine.slice/berth@deaf.service
}

@test "a stop that takes longer than the unit's own limit is waited for" {
        berth create --name slow --stop-timeout 60 busybox sh -c 'trap "sleep 4; exit 9" TERM; touch /set; while :; do sleep 0.05; done'
        mkdir -p /run/systemd/system/berth@slow.service.d
        printf '[Service]\nTimeoutStopSec=1\n' >/run/systemd/system/berth@slow.service.d/10-test.conf
        touch /run/systemd/system
        systemctl start berth@slow
        rm -r /run/systemd/system/berth@slow.service.d
        assert_equal "$(systemctl show -P TimeoutStopUSec berth@slow.service)" 1s
        wait_until berth exec slow test -e /set
        systemctl stop berth@slow
        assert_equal "$(of slow '{{.State.ExitCode}} {{.State.StoppedBy}}')" "9 systemd"
}

@test "a shutdown is not a stop by hand" {
        assert_equal "$(systemctl is-active berth-shutdown.service)" active
        run systemctl stop berth-shutdown.service # by hand it cannot be had
        [ "$status" != 0 ]
        berth create --name down busybox sleep 1000
        systemctl start berth@down
        berth run -d --name scoped busybox sleep 1000
        touch /run/berth/stopping # as berth-shutdown.service does; tests/vm/ has a real one
        systemctl stop berth@down berth-scoped.scope
        rm /run/berth/stopping
        wait_for_state scoped exited
        assert_equal "$(of down '{{.State.StoppedBy}}') $(of scoped '{{.State.StoppedBy}}')" "shutdown shutdown"
}

@test "kill -9 of the monitor ends it, also where the entrypoint changed its uid" {
        for user in root app; do
                berth create --name "lost-$user" busybox su "$user" -c 'exec sleep 1000'
                systemctl start "berth@lost-$user"
                pid=$(of "lost-$user" '{{.State.Pid}}')
                kill -9 "$(systemctl show -P MainPID "berth@lost-$user.service")"
                wait_for_state "lost-$user" exited
                assert_equal "$(of "lost-$user" '{{.State.ExitCode}} {{.State.Error}}')" "137 the monitor was killed"
                wait_until test ! -d "/proc/$pid"
                wait_until unit_is "lost-$user" failed
        done
}

@test "seventy thousand lines in a burst are all in the journal" {
        berth create --name many busybox seq 1 70000
        systemctl start berth@many
        wait_until -t 100 container_has_state many exited
        run --separate-stderr bash -c 'berth logs many | cmp - <(seq 1 70000)'
        assert_status 0
        assert_equal "$stderr" ""
}

@test "nobody but that unit's main process is given a container" {
        berth create --name web busybox sleep 1000
        run /usr/libexec/berth/berth-monitor web
        assert_status 125
        assert_contains "$output" "Only the main process of that unit is told."
        run systemd-run --quiet --wait --pipe /usr/libexec/berth/berth-monitor web
        assert_status 125
        systemctl start berth@web
        # Nor a second time.
        run systemd-run --quiet --wait --pipe --slice=machine.slice /usr/libexec/berth/berth-monitor web
        assert_status 125
        container_has_state web running
}

@test "enabled by hand it is until it is removed; a file of somebody's own stays" {
        berth create --name enabled busybox sleep 1000
        systemctl enable berth@enabled
        assert_equal "$(systemctl is-enabled berth@enabled.service)" enabled
        mkdir /etc/systemd/system/berth@enabled.service.d
        echo '[Unit]' >/etc/systemd/system/berth@enabled.service.d/60-mine.conf
        systemctl start berth@enabled
        berth rm -f enabled
        [ ! -L /etc/systemd/system/multi-user.target.wants/berth@enabled.service ]
        [ -e /etc/systemd/system/berth@enabled.service.d/60-mine.conf ]
        rm -r /etc/systemd/system/berth@enabled.service.d
        systemctl daemon-reload
}

@test "renamed it is enabled under its new name; while it runs as a service it is not renamed" {
        berth create --name before busybox sleep 1000
        systemctl enable berth@before
        systemctl start berth@before
        run -1 --separate-stderr berth rename before after
        assert_contains "$stderr" "runs as berth@before.service"
        assert_equal "$(of before '{{.Name}}')" /before
        systemctl stop berth@before
        berth rename before after
        assert_equal "$(systemctl is-enabled berth@after.service)" enabled
        run ! systemctl is-enabled berth@before.service
        systemctl start berth@after
        assert_equal "$(of after '{{.State.Status}} {{.Unit}}')" "running berth@after.service"
        run ! systemctl start berth@before
        # The old name is free, and its service another container's.
        berth create --name before busybox sleep 1000
        systemctl start berth@before
        assert_equal "$(of before '{{.State.Status}} {{.Unit}}')" "running berth@before.service"
        berth rm -f before after
        [ ! -L /etc/systemd/system/multi-user.target.wants/berth@after.service ]
        systemctl daemon-reload # multi-user.target still wants what `systemctl enable` told it of
}

@test "kill -9 of berthd while services start: each of them comes up" {
        for ((i = 0; i < 6; i++)); do
                berth create --name "c$i" busybox sleep 1000
        done
        for ((i = 0; i < 6; i++)); do
                systemctl start --no-block "berth@c$i"
                systemctl kill -s KILL --kill-whom=main berthd.service 2>/dev/null || true
        done
        for ((i = 0; i < 6; i++)); do
                wait_until -t 60 unit_is "c$i" active
                wait_for_state "c$i" running
        done
        systemctl stop 'berth@c*'
        for ((i = 0; i < 6; i++)); do
                wait_for_state "c$i" exited
                assert_equal "$(of "c$i" '{{.State.StoppedBy}}')" systemd
        done
}

@test "kill -9 of berthd while it runs, and a stop without it: the end is recorded" {
        berth create --name lives busybox sh -c 'trap "exit 4" TERM; touch /set; while :; do sleep 0.05; done'
        systemctl start berth@lives
        wait_until berth exec lives test -e /set
        systemctl stop berthd.socket berthd.service 2>/dev/null
        unit_is lives active
        systemctl stop berth@lives
        systemctl start berthd.socket
        wait_for_state lives exited
        assert_equal "$(of lives '{{.State.ExitCode}} {{.State.StoppedBy}}')" "4 systemd"
}

# BUNDLE/exit.json is there and nobody listens at BUNDLE/monitor.sock.
has_reported() {
        [ -e "$1/exit.json" ] && ! grep -q " 00010000 .* $1/monitor.sock$" /proc/net/unix
}

# It still waits for journald, and berthd died before it had read the end.
@test "kill -9 of berthd while a monitor is on its way out: the end is recorded" {
        berth create --name leaving busybox sh -c 'trap "echo bye; exit 4" USR1; touch /set; while :; do sleep 0.05; done'
        systemctl start berth@leaving
        wait_until berth exec leaving test -e /set
        bundle=/run/berth/containers/$(of leaving '{{.Id}}')
        pid=$(of leaving '{{.State.Pid}}')
        journald=$(systemctl show -P MainPID systemd-journald)
        berthd=$(systemctl show -P MainPID berthd)
        kill -STOP "$journald" "$berthd"
        kill -USR1 "$pid"
        wait_until has_reported "$bundle" || true
        kill -9 "$berthd"
        run of leaving '{{.State.Status}} {{.State.ExitCode}}'
        kill -CONT "$journald"
        assert_equal "$output" "exited 4"
}
