#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# berthd: comes when it is called, goes when nothing needs it, may be killed at any moment, and asks polkit.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

MANAGER=(org.berth1 /org/berth1 org.berth1.Manager)
DROPIN=/run/systemd/system/berthd.service.d/idle.conf

setup_file() {
        make_busybox_image busybox
}

teardown() {
        if [ -e "$DROPIN" ]; then
                rm -f "$DROPIN"
                systemctl daemon-reload
                systemctl restart berthd.service
        fi
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

# An idle berthd ends after one second instead of a minute.
idle_after_a_second() {
        mkdir -p "${DROPIN%/*}"
        printf '[Service]\nEnvironment=BERTH_IDLE_SEC=1\n' >"$DROPIN"
        systemctl daemon-reload
        systemctl restart berthd.service
}

berthd_pid() {
        systemctl show -P MainPID berthd.service
}

kill_berthd() {
        kill -9 "$(berthd_pid)"
}

berthd_has_ended() {
        ! systemctl is-active --quiet berthd.service
}

@test "a call starts it, and it goes when nothing needs it" {
        idle_after_a_second
        wait_until berthd_has_ended
        [ "$(systemctl show -P Result berthd.service)" = success ]
        run --separate-stderr berth ps -a
        assert_status 0
        systemctl is-active berthd.service
        wait_until berthd_has_ended
}

@test "it stays while a container runs" {
        berth run -d --name stays busybox sleep 1000
        idle_after_a_second
        pid=$(berthd_pid)
        sleep 3 # three times as long as it takes to go
        [ "$(berthd_pid)" = "$pid" ]
        berth stop -t 0 stays
        wait_until berthd_has_ended
}

@test "no call is lost while it goes and comes" {
        idle_after_a_second
        for ((i = 0; i < 40; i++)); do
                berth ps -aq >/dev/null
                sleep "0.$((RANDOM % 3))"
                ((i % 8)) || sleep 1
        done
}

@test "a monitor that ends wakes it" {
        berth run -d --name wakes busybox sleep 1000
        systemctl stop berthd.service
        berthd_has_ended
        systemctl stop berth-wakes.scope
        wait_until systemctl is-active berthd.service
        wait_for_state wakes exited
        assert_equal "$(berth inspect -f '{{.State.StoppedBy}}' wakes)" systemd
}

@test "killed: no container, no exit code is lost" {
        berth run -d --name one busybox sleep 1000
        berth run -d --name two busybox sh -c 'trap "exit 7" TERM; while :; do sleep 0.05; done'
        berth run -d --rm --name three busybox sleep 1000
        before=$(berth inspect -f '{{.State.Pid}} {{.RunId}} {{.UsernsBase}} {{.Unit}} {{.State.StartedAt}}' one)
        kill_berthd
        systemctl stop berth-two.scope
        assert_equal "$(berth inspect -f '{{.State.Pid}} {{.RunId}} {{.UsernsBase}} {{.Unit}}' one)" "${before% *}"
        assert_equal "$(berth inspect -f '{{.State.Status}} {{.State.ExitCode}}' two)" "exited 7"
        kill_berthd
        berth stop -t 0 three
        run --separate-stderr berth inspect three
        [ "$status" != 0 ]
        assert_equal "$(berth exec one echo alive)" alive
}

@test "killed while containers start and stop: each ends up in one state, and can be removed" {
        for round in 1 2 3 4; do
                for i in 1 2 3 4 5 6; do
                        { berth run -d --name "r$round-$i" busybox sleep 1000 || true; } >/dev/null 2>&1 3>&- 4>&- &
                done
                sleep "0.0$((round * 2))"
                kill_berthd
                wait
        done
        wait_until berth ps -a
        for name in $(berth ps -a --format '{{.Names}}'); do
                wait_until settled "$name"
        done
        cleanup_containers
        [ -z "$(berth ps -aq)" ]
}

# Neither half started, nor running without a process.
settled() {
        local state
        state=$(berth inspect -f '{{.State.Status}} {{.State.Pid}}' "$1")
        case $state in
        created\ 0 | exited\ 0) ;;
        running\ *) [ -d "/proc/${state#* }" ] ;;
        *) return 1 ;;
        esac
}

@test "killed with berth-spawn and the monitor: the container is over, and that is recorded" {
        berth run -d --name all busybox sleep 1000
        pid=$(berth inspect -f '{{.State.Pid}}' all)
        read -r monitor _ </run/berth/containers/"$(berth inspect -f '{{.Id}}' all)"/monitor
        kill -9 "$monitor" "$(berthd_pid)" "$(systemctl show -P MainPID berth-spawn.service)"
        wait_for_state all exited
        assert_equal "$(berth inspect -f '{{.State.ExitCode}} {{.State.Error}}' all)" "137 the monitor was killed"
        wait_until test ! -d "/proc/$pid"
}

@test "what a crash left half-made is gone after the next start" {
        systemctl stop berthd.service
        mkdir -p /var/lib/berth/containers/{0000,"$(printf 'a%.0s' {1..64})"}/upper/x /var/lib/berth/staging/job/x
        mkdir -p /run/berth/containers/"$(printf 'b%.0s' {1..64})" /var/lib/berth/trash/tree/{1,2,3}
        chown -R 1234:1234 /var/lib/berth/trash/tree
        touch /run/berth/containers/"$(printf 'b%.0s' {1..64})"/config.json
        berth ps -a
        wait_until nothing_leaks || { leaks; false; }
}

@test "a container of a later version is left where it is" {
        id=$(printf 'c%.0s' {1..64})
        systemctl stop berthd.service
        mkdir -p "/var/lib/berth/containers/$id"
        echo '{"version":99}' >"/var/lib/berth/containers/$id/container.json"
        berth ps -a
        [ -e "/var/lib/berth/containers/$id/container.json" ]
        rm -r "/var/lib/berth/containers/$id"
}

@test "introspection, and the object manager" {
        berth create --name seen busybox true
        id=$(berth inspect -f '{{.Id}}' seen)
        run busctl introspect "${MANAGER[@]:0:2}"
        for member in .Run .CreateContainer .GetContainer .LoadImage .ImportImage .RemoveImage .Event .Version; do
                assert_contains "$output" "$member "
        done
        run busctl introspect org.berth1 "/org/berth1/container/$id"
        for member in .Start .Attach .Exec .Stop .Restart .Kill .Remove .Wait .Inspect .State .ExitCode .Labels; do
                assert_contains "$output" "$member "
        done
        busctl tree --list org.berth1 | grep -qx "/org/berth1/container/$id"
        run busctl call org.berth1 /org/berth1 org.freedesktop.DBus.ObjectManager GetManagedObjects
        assert_contains "$output" "/org/berth1/container/$id"
        assert_contains "$output" /org/berth1/image/
}

@test "a call may go to a path with the name, escaped; one that is gone is no such container" {
        id=$(berth create --name by-name.1 busybox true)
        for reference in by_2dname_2e1 "${id:0:12}" "$id"; do
                case $reference in [0-9]*) [ "$reference" = "$id" ] || reference=_3${reference} ;; esac
                run busctl call org.berth1 "/org/berth1/container/$reference" org.berth1.Container Inspect
                assert_status 0
                assert_contains "$output" "$id"
        done
        berth rm by-name.1
        for reference in by_2dname_2e1 "$id"; do
                run busctl call org.berth1 "/org/berth1/container/$reference" org.berth1.Container Inspect
                [ "$status" != 0 ]
                assert_contains "$output" "No such container"
        done
        run --separate-stderr berth exec "" true
        assert_line 1 "container"
        run --separate-stderr berth stop ""
        assert_line 1 "container"
}

@test "the XML files in dbus/ are what it says of itself" {
        id=$(berth create busybox true)
        image=$(berth inspect -f '{{.Image}}' "$id")
        while read -r name path; do
                busctl introspect --xml-interface org.berth1 "$path" |
                        sed -n "/<interface name=\"org.berth1.$name\">/,/<\/interface>/p" >"$BATS_TEST_TMPDIR/said"
                sed -n '/<interface /,/<\/interface>/p' "$BATS_TEST_DIRNAME/../../dbus/org.berth1.$name.xml" >"$BATS_TEST_TMPDIR/written"
                [ -s "$BATS_TEST_TMPDIR/said" ]
                diff -u "$BATS_TEST_TMPDIR/written" "$BATS_TEST_TMPDIR/said"
        done <<END
Manager /org/berth1
Container /org/berth1/container/$id
Image /org/berth1/image/${image#sha256:}
END
}

@test "signals: objects come and go, properties change, events are told" {
        gdbus monitor --system --dest org.berth1 >"$BATS_TEST_TMPDIR/signals" 2>&1 3>&- 4>&- &
        monitor=$!
        wait_until grep -q 'is owned by' "$BATS_TEST_TMPDIR/signals"
        berth run --rm --label color=blue busybox sh -c 'exit 3' || [ $? = 3 ]
        wait_until grep -q destroy "$BATS_TEST_TMPDIR/signals"
        make_busybox_image told
        berth tag told other
        berth rmi told other
        wait_until grep -q "'image', 'delete'" "$BATS_TEST_TMPDIR/signals"
        kill "$monitor"
        seen=$(cat "$BATS_TEST_TMPDIR/signals")
        for part in InterfacesAdded InterfacesRemoved "'State': <'running'>" "'State': <'exited'>" "'ExitCode': <3>" \
                "'container', 'create'" "'container', 'start'" "'container', 'die'" "'container', 'destroy'" \
                "'image', 'import'" "'image', 'tag'" "'image', 'untag'" "'image', 'delete'" "'exitCode': '3'" "'color': 'blue'" "'image': 'busybox'"; do
                assert_contains "$seen" "$part"
        done
}

@test "wait goes on when berthd is killed, again and again" {
        local i waiter
        berth run -d --name long busybox sh -c 'trap "exit 7" TERM; while :; do sleep 0.05; done' >/dev/null
        berth wait long >"$BATS_TEST_TMPDIR/wait" 2>&1 3>&- 4>&- &
        waiter=$!
        for i in 1 2 3; do
                wait_until systemctl is-active --quiet berthd.service
                sleep 0.3 # for it to have been asked
                kill_berthd
        done
        sleep 0.3
        kill -0 "$waiter"
        berth stop long
        wait "$waiter"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/wait")" 7
}

@test "somebody without rights sees no settings, and may do nothing" {
        berth run -d --name kept -e SECRET=42 --label token=SECRET busybox sleep 1000
        nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
        for command in ps images "ps -a" "logs kept" "stop kept" "rm -f kept" "kill kept" "exec kept true" "run busybox true" "rmi busybox" "inspect kept" "wait kept"; do
                # shellcheck disable=SC2086 # words
                run --separate-stderr "${nobody[@]}" berth $command
                [ "$status" != 0 ] || fail "$command succeeded"
                assert_contains "$stderr" root
                assert_contains "$stderr" "berth ${command%% *}: " # what was refused
        done
        object=/org/berth1/container/$(berth inspect -f '{{.Id}}' kept)
        for call in "$object org.freedesktop.DBus.Properties GetAll s org.berth1.Container" \
                "$object org.freedesktop.DBus.Properties Get ss org.berth1.Container Command" \
                "/org/berth1 org.freedesktop.DBus.ObjectManager GetManagedObjects"; do
                # shellcheck disable=SC2086 # words
                run "${nobody[@]}" busctl call org.berth1 $call
                [ "$status" != 0 ] || fail "$call succeeded"
                assert_contains "$output" polkit
        done
        run "${nobody[@]}" busctl get-property "${MANAGER[@]}" Version # says nothing of containers
        assert_status 0
        assert_equal "$(berth inspect -f '{{.State.Status}}' kept)" running
}

@test "signals tell somebody without rights that something changed, not with what settings" {
        setpriv --reuid 65534 --regid 65534 --clear-groups gdbus monitor --system --dest org.berth1 \
                >"$BATS_TEST_TMPDIR/signals" 2>&1 3>&- 4>&- &
        monitor=$!
        wait_until grep -q 'is owned by' "$BATS_TEST_TMPDIR/signals"
        berth run --rm --label token=SECRET busybox sh -c ': SECRET'
        wait_until grep -q InterfacesRemoved "$BATS_TEST_TMPDIR/signals"
        kill "$monitor"
        seen=$(cat "$BATS_TEST_TMPDIR/signals")
        assert_contains "$seen" "'State': <'exited'>"
        assert_lacks "$seen" SECRET
}

@test "what a call was about goes while its caller is looked up: berthd does not wait for ever" {
        idle_after_a_second
        for ((i = 0; i < 5; i++)); do
                berth create --name fleeting busybox true
                object=/org/berth1/container/$(berth inspect -f '{{.Id}}' fleeting)
                calls=()
                for ((k = 0; k < 8; k++)); do
                        busctl call org.berth1 "$object" org.berth1.Container Remove 'a{sv}' 0 3>&- 4>&- &
                        calls+=($!)
                done
                wait "${calls[@]}" || true # one of them succeeds
        done
        wait_until berthd_has_ended
}

@test "a hundred runs and what goes wrong leave no descriptor behind" {
        berth run -d --name stays busybox sleep 1000
        berth run --rm busybox true
        wait_until nothing_ends
        before=$(descriptors)
        for ((i = 0; i < 100; i++)); do
                berth run --rm busybox true
        done
        for ((i = 0; i < 20; i++)); do
                berth exec stays true
                berth restart -t 0 stays
                timeout -s KILL 0.05 berth wait stays || true
                berth run --rm busybox /nosuch 2>/dev/null || [ $? = 127 ]
        done
        wait_until same_descriptors "$before"
}

descriptors() {
        find "/proc/$(berthd_pid)/fd" -mindepth 1 | wc -l
}

same_descriptors() {
        [ "$(descriptors)" -le "$1" ]
}

nothing_ends() {
        [ "$(berth ps -aq | wc -l)" = 1 ]
}

@test "with the rule that comes along, members of the group berth may manage" {
        groupadd -f berth
        gid=$(getent group berth | cut -d : -f 3)
        useradd -G berth -M docker-like 2>/dev/null || true
        as_member=(setpriv --reuid docker-like --regid docker-like --init-groups)
        run --separate-stderr "${as_member[@]}" berth run --rm busybox true
        [ "$status" != 0 ]
        cp "$BATS_TEST_DIRNAME/../../polkit/berth-group.rules" /etc/polkit-1/rules.d/
        systemctl restart polkit.service
        seen=$("${as_member[@]}" berth images -q)
        run --separate-stderr "${as_member[@]}" berth run --rm busybox echo "group $gid"
        rm /etc/polkit-1/rules.d/berth-group.rules
        systemctl restart polkit.service
        assert_status 0
        assert_output "group $gid"
        [ -n "$seen" ]
}

@test "where polkit is not on the bus, the error says so, and root needs none" {
        systemctl mask --now --runtime polkit.service
        run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups berth run busybox true
        status_of_nobody=$status text=$stderr
        run --separate-stderr berth run --rm busybox true
        systemctl unmask --runtime polkit.service
        assert_status 0
        [ "$status_of_nobody" != 0 ]
        assert_contains "$text" polkit
}

@test "calls that are too large, or nonsense, are refused by name, and it lives on" {
        pid=$(berthd_pid)
        mapfile -t many < <(seq -f 'A%.0f=1' 100000)
        run busctl call "${MANAGER[@]}" CreateContainer 'sa{sv}' busybox 1 env as 100000 "${many[@]}"
        [ "$status" != 0 ]
        assert_contains "$output" "more than"
        run busctl call "${MANAGER[@]}" CreateContainer 'sa{sv}' busybox 1 env as 5000 "${many[@]:0:5000}"
        [ "$status" != 0 ]
        assert_contains "$output" "environment variables"
        while read -r expected arguments; do
                # shellcheck disable=SC2086 # words
                run busctl call "${MANAGER[@]}" $arguments
                [ "$status" != 0 ] || fail "$arguments succeeded"
                assert_contains "$output" "$expected"
        done <<'END'
nosuch CreateContainer sa{sv} busybox 1 nosuch b true
tty CreateContainer sa{sv} busybox 1 tty s yes
name CreateContainer sa{sv} busybox 1 name s ../../etc/passwd
registry CreateContainer sa{sv} busybox 1 pull s always
locally CreateContainer sa{sv} notthere 0
locally Run sa{sv}a{sh} notthere 0 0
reference GetImage s UPPER/CASE
container GetContainer s ../x
image GetImage s feedfacefeedface
END
        [ "$(berthd_pid)" = "$pid" ]
}

gone() {
        [ "$(berthd_pid)" != "$1" ]
}

@test "one that hangs is ended by systemd, and the next call is answered by another; containers go on" {
        mkdir -p "${DROPIN%/*}"
        printf '[Service]\nWatchdogSec=3\n' >"$DROPIN"
        systemctl daemon-reload
        systemctl restart berthd.service
        berth run -d --name outlives busybox sh -c 'trap "exit 6" TERM; while :; do sleep 0.05; done'
        pid=$(berthd_pid)
        kill -STOP "$pid"
        wait_until -t 60 gone "$pid"
        assert_equal "$(berth inspect -f '{{.State.Status}}' outlives)" running
        assert_contains "$(journalctl -u berthd.service)" 'Watchdog timeout'
        berth stop outlives
        assert_equal "$(berth inspect -f '{{.State.ExitCode}}' outlives)" 6
        # One that works is left alone.
        assert_equal "$(systemctl show -P WatchdogUSec berthd.service)" 3s
        [ "$(berthd_pid)" != 0 ]
}

@test "its sandbox is on, and small" {
        berth ps >/dev/null
        for setting in NoNewPrivileges=yes ProtectSystem=strict RestrictNamespaces=yes MemoryDenyWriteExecute=yes DevicePolicy=closed; do
                assert_contains "$(systemctl show berthd.service -p "${setting%%=*}")" "$setting"
        done
        caps=$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$(berthd_pid)/status")
        # chown, dac_override, fowner, fsetid, sys_admin
        [ $((0x$caps & ~0x20001b)) = 0 ]
        [ "$(sed -n 's/^Seccomp:[[:space:]]*//p' "/proc/$(berthd_pid)/status")" = 2 ]
}
