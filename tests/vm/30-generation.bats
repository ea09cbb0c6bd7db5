#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=trixie,dbus-broker
#
# What has to be the same on every systemd, kernel and bus that berth is for: start, stop, logs, the lifted rate limit, who is answered.
# How fast journald takes lines is not looked at here: its limit is lowered until few lines are enough to meet it.

# shellcheck disable=SC2154 # stderr is bats'
load ../system/helpers

JOURNALD=/run/systemd/journald.conf.d/limit.conf
RULE=/etc/polkit-1/rules.d/berth-test.rules

setup_file() {
        make_busybox_image busybox
}

teardown() {
        if [ -e "$JOURNALD" ]; then
                rm -f "$JOURNALD"
                systemctl restart systemd-journald.service
        fi
        if [ -e "$RULE" ]; then
                rm -f "$RULE"
                systemctl restart polkit.service
        fi
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}

state_of() {
        berth inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.StoppedBy}}' "$1"
}

@test "which machine this is" {
        . /etc/os-release
        printf '# %s, %s, Linux %s, bus %s\n' "$PRETTY_NAME" "$(systemctl --version | head -n 1)" "$(uname -r)" \
                "$(cat "/proc/$(systemctl show -P MainPID dbus.service)/comm")" >&3
        # It is the bus that the list of steps asked for.
        bus=$(cat /srv/berth/bus 2>/dev/null || echo dbus.service)
        assert_equal "$(systemctl show -P Id dbus.service)" "$bus"
}

@test "start, exec, stop, start again: by berth and by systemctl" {
        berth create --name web busybox sh -c 'trap "exit 7" TERM; touch "/set$(ls / | grep -c set)"; while :; do sleep 0.1; done'
        berth start web
        wait_until berth exec web test -e /set0
        assert_equal "$(systemctl show -P ActiveState berth-web.scope)" active
        assert_equal "$(berth exec web cat /proc/1/comm)" sh
        berth stop web
        assert_equal "$(state_of web)" "exited 7 client"
        berth start web
        wait_until berth exec web test -e /set1
        systemctl stop berth-web.scope
        wait_for_state web exited
        assert_equal "$(state_of web)" "exited 7 systemd"
        berth rm web
        run --separate-stderr berth run --rm busybox sh -c 'echo out; echo err >&2; exit 3'
        assert_status 3
        assert_output out
        assert_equal "$stderr" err
}

@test "logs: both streams, following to the end, over a restart of journald" {
        berth run -d --name web busybox sh -c 'echo 1; echo e1 >&2; until [ -e /go ]; do sleep 0.1; done; echo 2; echo e2 >&2'
        timeout 60 berth logs -f web >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
        wait_until grep -q 1 "$BATS_TEST_TMPDIR/out"
        systemctl restart systemd-journald.service
        berth exec web touch /go
        wait $!
        assert_equal "$(cat "$BATS_TEST_TMPDIR/out") $(cat "$BATS_TEST_TMPDIR/err")" $'1\n2 e1\ne2'
        run --separate-stderr berth logs web
        assert_output $'1\n2'
        assert_equal "$stderr" $'e1\ne2'
}

@test "journald's rate limit takes lines from a service, and none from a container" {
        mkdir -p "${JOURNALD%/*}"
        printf '[Journal]\nRateLimitIntervalSec=30s\nRateLimitBurst=100\n' >"$JOURNALD"
        systemctl restart systemd-journald.service
        systemd-run --quiet --wait --unit test-limited.service seq 1 10000
        journalctl --sync
        [ "$(journalctl -q -o cat -u test-limited.service _TRANSPORT=stdout | wc -l)" -lt 10000 ]
        berth run --name many busybox seq 1 10000 >/dev/null
        run --separate-stderr bash -c 'berth logs many | cmp - <(seq 1 10000)'
        assert_status 0
        assert_equal "$stderr" ""
}

@test "polkit answers for a user: nothing without a rule, with one what that says" {
        nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
        berth run -d --name web busybox sleep 1000
        run --separate-stderr "${nobody[@]}" berth ps -q
        [ "$status" != 0 ]
        assert_contains "$stderr" root
        cat >"$RULE" <<'END'
polkit.addRule(function(action, subject) {
        if (action.id == "org.berth1.inspect" && subject.user == "nobody") return polkit.Result.YES;
});
END
        systemctl restart polkit.service
        run --separate-stderr "${nobody[@]}" berth ps --format '{{.Names}}'
        assert_output web
        run --separate-stderr "${nobody[@]}" berth stop web
        [ "$status" != 0 ]
        assert_contains "$stderr" root
        container_has_state web running
}
