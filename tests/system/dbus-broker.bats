#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What depends on the bus, with dbus-broker instead of dbus-daemon.
# boot: --bus broker

load helpers

setup_file() {
        pgrep -x dbus-broker >/dev/null || { echo "the bus of this host is not dbus-broker: boot --bus broker" >&2; return 1; }
}

# The tests of another file, all of which have to be there and to succeed.
file() {
        run bats --tap "$BATS_TEST_DIRNAME/$1.bats"
        [ "$status" = 0 ] || fail "$output"
        assert_lacks "$output" "# skip"
}

@test "a container's life" {
        file 00-smoke
}

@test "who may do what" {
        file polkit
}

@test "what a subscriber is told" {
        file signals
}
