#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Random calls of four clients while everything that may be killed is: tests/chaos/README.md.
#
#     BERTH_CHAOS_SEED=7 BERTH_CHAOS_ROUNDS=5000 sudo -E tests/run host chaos

load helpers

setup_file() {
        make_busybox_image chaos
}

teardown_file() {
        cleanup_containers
        leak_check
}

chaos() {
        python3 "$BATS_TEST_DIRNAME/../chaos/chaos"
}

@test "berthd, berth-spawn, journald and clients are killed: nothing is lost, doubled, wrong or left" {
        chaos
}

@test "monitors are killed, too: their containers are over, nothing is left" {
        BERTH_CHAOS_ROUNDS=$((${BERTH_CHAOS_ROUNDS:-500} / 4)) BERTH_CHAOS_KILL=berthd,spawn,clients,monitors chaos
}
