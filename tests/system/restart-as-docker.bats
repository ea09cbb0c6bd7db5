#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same restart policies with berth and with docker: what is refused, how often a container is started again, what it looks like
# meanwhile, and what ends it.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own, in which functions run; stderr is bats'
load helpers
load docker-helpers

FIELDS='{{.State.Status}} {{.State.Running}} {{.State.Restarting}} {{.State.ExitCode}} pid {{if .State.Pid}}some{{else}}none{{end}} restarts {{.RestartCount}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}'
ENDLESS='trap "exit 5" TERM; trap : HUP; echo ready; while :; do sleep 0.05; done'

setup_file() {
        setup_both
}

teardown_file() {
        teardown_both
}

state() {
        "$engine" inspect -f "$FIELDS" "$name"
}

# What can be told while it goes round: how often it has been started again cannot.
state_now() {
        state | sed 's/ restarts [0-9]*//'
}

is() {
        [ "$("$engine" inspect -f "{{.State.Status}}" "$name")" = "$1" ]
}

# started POLICY COMMAND...
started() {
        local policy=$1
        shift
        "$engine" run -d --network none --name "$name" --restart "$policy" busybox "$@"
}

# In a wait of several seconds.
waits() {
        [[ $("$engine" inspect -f '{{.State.Status}} {{.RestartCount}}' "$name") =~ ^restarting\ ([6-9]|[1-9][0-9])$ ]]
}

wait_for_wait() {
        wait_until -t 90 waits
}

# What it says, in one line, without where it comes from.
said() {
        local text status=0
        text=$("$@" 2>&1) || status=$?
        sed -E -e "s/^($engine: |Error response from daemon: )+//" -e '/^See .*--help/d' -e "s/: can't create 'AutoRemove'.*//" <<<"$text" | grep . || true
        echo "status $status"
}

@test "what is no policy, or does not go with --rm" {
        refused() {
                local policy
                for policy in on-failure:-1 always:3 no:1 foo; do
                        said "$engine" run --name "$name" --restart "$policy" busybox true
                done
                # The words that follow these are each engine's own.
                said "$engine" run --name "$name" --restart on-failure:x busybox true | grep -oE 'maximum retry count must be an integer|status.*'
                said "$engine" run --name "$name" --restart a:b:c busybox true | grep -oE 'invalid restart policy format|status.*'
                said "$engine" run --rm --restart always busybox true
                said "$engine" run --rm --restart no busybox true
                said "$engine" run --name "$name" --restart on-failure:0 busybox true
                state
        }
        both refused
}

@test "on-failure: how often, and from the beginning with each start" {
        failing() {
                said "$engine" run --network none --name "$name" --restart on-failure:2 busybox sh -c 'echo round; exit 3'
                wait_until -t 60 is exited
                state
                "$engine" logs "$name"
                said "$engine" start "$name"
                wait_until -t 60 is exited
                state
                "$engine" logs "$name"
                said "$engine" start -a "$name"
                wait_until -t 60 is exited
                state
        }
        both failing
        succeeding() {
                said "$engine" run --network none --name "$name" --restart on-failure busybox sh -c 'echo well'
                is exited
                state
        }
        both succeeding
        recovering() {
                started on-failure:5 sh -c 'echo x >>/n; [ "$(wc -l </n)" -ge 3 ] || exit 4'
                wait_until -t 60 is exited
                state
        }
        both recovering
        killed() {
                started on-failure:1 sh -c 'kill -9 $$; exit 1'
                wait_until -t 60 is exited
                state
        }
        both killed
}

@test "what cannot be started, at first or again" {
        missing() {
                said "$engine" run --network none --name "$name" --restart always busybox /no/such/program | grep status
                state
        }
        both missing
        vanishing() {
                started always /bin/sh -c 'rm /bin/sh; exit 9'
                wait_until -t 60 is exited
                state
        }
        both vanishing
}

@test "in the wait before the next start: what it looks like, what is refused, what ends it" {
        waiting() {
                started unless-stopped sh -c 'exit 8'
                wait_for_wait
                state_now
                wait_for_wait
                said "$engine" exec "$name" true | sed -E 's/Container [^ ]+ is/Container is/'
                wait_for_wait
                said "$engine" attach "$name" | grep -oE 'cannot attach to a restarting container|is restarting, wait until the container is running|status.*'
                wait_for_wait
                said "$engine" rm "$name" | grep status
                wait_for_wait
                said "$engine" start "$name" # it is running, in a way
                said "$engine" stop "$name"
                state_now
        }
        both waiting
}

@test "kill in that wait" {
        killing() {
                started always sh -c 'exit 8'
                wait_for_wait
                said "$engine" kill "$name" | grep status
                wait_until -t 60 is exited
                state_now
        }
        both killing
}

@test "restart in that wait begins to count anew" {
        restarting() {
                started always sh -c '[ ! -e /well ] || exec sleep 1000; exit 8'
                wait_for_wait
                said "$engine" restart -t 0 "$name"
                wait_until -t 60 sh -c "[ \$($engine inspect -f '{{.RestartCount}}' $name) -lt 6 ]"
                echo "counts anew"
        }
        both restarting
}

@test "a signal sent by hand, a stop, a process that ends by itself" {
        local policy how end
        ending() {
                started "$policy" sh -c "$ENDLESS"
                wait_until sh -c "$engine logs $name | grep -q ready"
                said "${end[@]}" "$name"
                wait_until -t 60 is exited
                state
                said "$engine" start "$name"
                state
        }
        while read -r policy how; do
                end=(eval "$how")
                both ending
        done <<'END'
always "$engine" kill
always "$engine" kill -s TERM
always "$engine" stop
unless-stopped "$engine" kill -s TERM
on-failure "$engine" kill -s TERM
END
        surviving() { # the signal, but nothing by hand ends it
                started always sh -c "$ENDLESS"
                wait_until sh -c "$engine logs $name | grep -q ready"
                "$engine" exec "$name" kill -TERM 1
                wait_until sh -c "[ \"\$($engine inspect -f '{{.State.Status}} {{.RestartCount}}' $name)\" = 'running 1' ]"
                state
        }
        both surviving
}

@test "wait is answered by each end; a restart by hand is no restart of the policy" {
        waited() {
                started always sh -c 'while [ ! -e /end ]; do sleep 0.05; done; rm /end; exit 3'
                timeout 60 "$engine" wait "$name" >"$BATS_TEST_TMPDIR/wait.$name" 3>&- 4>&- &
                sleep 1 # nothing shows that it is waited for
                "$engine" exec "$name" touch /end
                wait $!
                cat "$BATS_TEST_TMPDIR/wait.$name"
                wait_until is running
                state
                said "$engine" restart -t 0 "$name"
                state
        }
        both waited
}
