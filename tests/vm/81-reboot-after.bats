#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=after-reboot,trixie
#
# After a reboot in the middle of everything: each container says how it ended, nothing is left, and all of it works.

load ../system/helpers

teardown_file() {
        cleanup_containers
        leak_check
}

state_of() {
        berth inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.StoppedBy}}' "$1"
}

@test "how containers ended that the shutdown stopped is known" {
        assert_equal "$(state_of obeys)" "exited 7 shutdown"
        assert_equal "$(state_of deaf)" "exited 137 shutdown"
        assert_equal "$(berth logs obeys)" told
}

@test "those that did not run are as they were, one with --rm is gone" {
        assert_equal "$(state_of ended)" "exited 5 "
        assert_equal "$(state_of fresh)" "created 0 "
        assert_equal "$(berth ps -a --format '{{.Names}}' | sort | xargs)" "deaf ended fresh obeys"
}

@test "nothing of the last boot is left" {
        wait_until sh -c '[ "$(ls /var/lib/berth/containers | wc -l)" = 4 ]'
        wait_until sh -c '[ -z "$(ls /var/lib/berth/trash /var/lib/berth/staging /run/berth/containers | grep -v :)" ]'
        [ -z "$(find /var/lib/berth/containers -name running -o -name exit.json)" ]
}

@test "they start again, with what they had written" {
        berth start obeys
        berth exec obeys test -e /set
        berth rm -f deaf ended
}
