#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who may do what: every method and property of the three interfaces, as root, as a member of the group berth with the rule that
# comes along, as somebody with a rule to see only, and as anybody else.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

RULES=/etc/polkit-1/rules.d

setup_file() {
        make_busybox_image busybox
        groupadd -f berth
        useradd -M -G berth member 2>/dev/null || true
        useradd -M viewer 2>/dev/null || true
        useradd -M other 2>/dev/null || true
        cp "$BATS_TEST_DIRNAME/../../polkit/berth-group.rules" "$RULES/"
        cat >"$RULES/viewer.rules" <<'END'
polkit.addRule(function (action, subject) {
        if (action.id == "org.berth1.inspect" && subject.user == "viewer")
                return polkit.Result.YES;
});
END
        systemctl restart polkit.service
}

teardown() {
        cleanup_containers
}

teardown_file() {
        rm -f "$RULES"/{berth-group,viewer,named}.rules
        systemctl restart polkit.service
        cleanup_containers
        leak_check
}

# as USER COMMAND...
as() {
        local user=$1
        shift
        setpriv --reuid "$user" --regid "$user" --init-groups "$@"
}

# What each method needs: everybody, inspect, manage; and arguments with which it gets as far as being asked about. CONTAINER stands
# for one that has been created. busctl passes no descriptors: behind - stand words for berth.
matrix() {
        cat <<'END'
Manager   CreateContainer manage    sa{sv} busybox 0
Manager   Run             manage    sa{sv}a{sh} no-such-image 0 0
Manager   GetContainer    everybody s CONTAINER
Manager   GetImage        everybody s busybox
Manager   LoadImage       manage    - load
Manager   ImportImage     manage    - import - never:1
Manager   RemoveImage     manage    sa{sv} no-such-image 0
Container Start           manage    a{sh} 0
Container Attach          manage    a{sh} 0
Container Exec            manage    asa{sv}a{sh} 1 true 0 0
Container Stop            manage    a{sv} 0
Container Restart         manage    a{sv} 0
Container Kill            manage    s KILL
Container Remove          manage    a{sv} 0
Container Update          manage    a{sv} 1 pids-limit x 100
Container Wait            inspect   s not-running
Container Logs            inspect   a{sv} 0
Container Rename          manage    s matrix
Container Inspect         inspect
Image     Tag             manage    s matrix:1
Image     Inspect         inspect
END
}

# What each caller has.
has_right() {
        case $1/$2 in
        */everybody | root/* | member/* | viewer/inspect) return 0 ;;
        *) return 1 ;;
        esac
}

# The call got past authorisation, whatever it said then; or it did not.
was_refused() {
        case $output in
        *"polkit"* | *"Access denied"* | *"password"*) [ "$status" != 0 ] ;;
        *) return 1 ;;
        esac
}

# check CALLER RIGHT COMMAND...
check() {
        local caller=$1 right=$2
        shift 2
        run as "$caller" timeout 60 "$@" </dev/null
        [[ $output != *"Unknown method"* && $output != *"Too few"* && $output != *"Invalid arg"* ]] || fail "$*: $output"
        if has_right "$caller" "$right"; then
                ! was_refused || fail "$caller, who has $right, may not: $*: $output"
        else
                was_refused || fail "$caller, who has no $right, may: $*: $output"
        fi
}

members() { # KIND PATH: the interfaces and names of what berthd has there
        busctl introspect --xml-interface org.berth1 "$2" | awk -v kind="$1" -F '"' '
                /<interface name="org.berth1/ { i = $2; sub(/.*\./, "", i) } /<\/interface>/ { i = "" }
                i && $0 ~ "<" kind " name=" { print i, $2 }'
}

new_container() {
        id=$(berth create busybox true)
        container=/org/berth1/container/$id
}

setup() {
        image=$(berth inspect -f '{{.Id}}' busybox)
        image=/org/berth1/image/${image#sha256:}
        declare -gA path=([Manager]=/org/berth1 [Image]=$image)
}

@test "each method has its row" {
        new_container
        assert_equal "$(for p in /org/berth1 "$container" "$image"; do members method "$p"; done | sort)" \
                "$(matrix | awk '{ print $1, $2 }' | sort)"
}

@test "methods" {
        local caller interface method right signature arguments
        while read -r interface method right signature arguments; do
                for caller in root member viewer other; do
                        new_container
                        path[Container]=$container
                        if [ "$signature" = - ]; then
                                # shellcheck disable=SC2086 # words
                                check "$caller" "$right" berth $arguments
                                continue
                        fi
                        # shellcheck disable=SC2086 # words
                        check "$caller" "$right" busctl --timeout 30 call org.berth1 "${path[$interface]}" "org.berth1.$interface" \
                                "$method" $signature ${arguments//CONTAINER/$id}
                        # Start and Restart leave one running, if they may.
                        berth rm -f "$id" >/dev/null 2>&1 || true
                done
        done < <(matrix)
}

@test "properties, and what else every object has" {
        local caller interface name p right
        new_container
        path[Container]=$container
        for caller in root member viewer other; do
                for p in /org/berth1 "$container" "$image"; do
                        right=inspect
                        [ "$p" != /org/berth1 ] || right=everybody
                        while read -r interface name; do
                                check "$caller" "$right" busctl get-property org.berth1 "$p" "org.berth1.$interface" "$name"
                        done < <(members property "$p")
                        check "$caller" "$right" busctl call org.berth1 "$p" org.freedesktop.DBus.Properties GetAll s "org.berth1.$interface"
                        check "$caller" everybody busctl call org.berth1 "$p" org.freedesktop.DBus.Introspectable Introspect
                        check "$caller" everybody busctl call org.berth1 "$p" org.freedesktop.DBus.Peer Ping
                done
                check "$caller" inspect busctl call org.berth1 /org/berth1 org.freedesktop.DBus.ObjectManager GetManagedObjects
        done
}

@test "the bus's policy: nobody else may have the name, or hear the events" {
        run as other busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.berth1 0
        [ "$status" != 0 ]
        as other timeout 60 gdbus monitor --system --dest org.berth1 >"$BATS_TEST_TMPDIR/seen" 2>&1 3>&- 4>&- &
        monitor=$!
        wait_until grep -q 'is owned by' "$BATS_TEST_TMPDIR/seen"
        berth run --rm --label secret=SECRET busybox true
        wait_until grep -q InterfacesRemoved "$BATS_TEST_TMPDIR/seen"
        kill "$monitor"
        assert_lacks "$(cat "$BATS_TEST_TMPDIR/seen")" Manager.Event
        assert_lacks "$(cat "$BATS_TEST_TMPDIR/seen")" SECRET
}

@test "a rule can name a container and a call" {
        berth create --name allowed busybox true
        berth create --name forbidden busybox true
        cat >"$RULES/named.rules" <<'END'
polkit.addRule(function (action, subject) {
        if (action.id == "org.berth1.manage" && subject.user == "other" && action.lookup("container") == "allowed" &&
            action.lookup("call") == "Start")
                return polkit.Result.YES;
});
END
        systemctl restart polkit.service
        run --separate-stderr as other berth start allowed
        assert_status 0
        run --separate-stderr as other berth start forbidden
        assert_line 1 polkit
        run --separate-stderr as other berth rm allowed
        assert_line 1 polkit
        rm "$RULES/named.rules"
        systemctl restart polkit.service
}

@test "the exit codes of a refusal, on one line, and --no-ask-password" {
        berth create --name there busybox true
        run --separate-stderr as other berth run busybox true
        assert_line 125 "berth run: " root
        run --separate-stderr as other berth --no-ask-password run busybox true
        assert_line 125 "berth run: " root
        for command in "ps" "start there" "rm there" "images" "wait there" "exec there true"; do
                # shellcheck disable=SC2086 # words
                run --separate-stderr as other berth --no-ask-password $command
                assert_line 1 "berth ${command%% *}: " root
        done
        run --separate-stderr as viewer berth wait there
        assert_status 0
        assert_output 0
        run --separate-stderr as viewer berth ps -aq
        assert_status 0
}

# Without a session of logind polkit finds no agent for a caller, and systemctl is refused as we are; that one is there it says.
agents() {
        journalctl -q -o cat -u polkit.service | grep -c "^Registered Authentication Agent for unix-process.*pkttyagent"
}

more_agents_than() {
        [ "$(agents)" -gt "$1" ]
}

@test "at a terminal there is an agent for polkit, with --no-ask-password and for root there is none" {
        [ -x /usr/bin/pkttyagent ] || skip "pkttyagent is not installed"
        berth create --name asked busybox true
        before=$(agents) || true
        run as other "$BATS_TEST_DIRNAME/pty-run" --timeout 30 eof -- berth --no-ask-password start asked
        assert_status 1
        assert_contains "$output" "polkit wants a password"
        run "$BATS_TEST_DIRNAME/pty-run" --timeout 30 eof -- berth start asked
        assert_status 0
        run as other "$BATS_TEST_DIRNAME/pty-run" --timeout 30 eof -- berth stop asked
        wait_until more_agents_than "$before"
        assert_equal "$(agents)" $((before + 1))
        run pgrep -u other pkttyagent # it went with its command
        [ "$status" != 0 ]
}
