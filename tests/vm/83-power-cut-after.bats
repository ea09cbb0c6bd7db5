#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=after-power-cut
#
# After a power cut while archives came in and containers ran: the store starts and is whole.

load ../system/helpers

teardown_file() {
        cleanup_containers
        leak_check
}

@test "a container that ran says that the machine went down, one with --rm is gone" {
        assert_equal "$(berth ps -a --format '{{.Names}}' | sort | xargs)" "fresh obeys"
        assert_equal "$(berth inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}' obeys)" \
                "exited 255 the machine went down while it ran"
        assert_equal "$(berth inspect -f '{{.State.Status}}' fresh)" created
}

@test "nothing half is left" {
        wait_until sh -c '[ -z "$(ls /var/lib/berth/trash /var/lib/berth/staging | grep -v :)" ]'
        assert_equal "$(ls /run/berth/containers)" ""
        assert_equal "$(cd /var/lib/berth/layers && for layer in *; do [ -e "$layer/layer.json" ] || echo "$layer"; done)" ""
}

@test "every blob has the digest that it is named after, and every image runs" {
        cd /var/lib/berth/oci/blobs/sha256
        for blob in *; do
                assert_equal "$(sha256sum "$blob")" "$blob  $blob"
        done
        berth images -q --no-trunc | sort -u >"$BATS_TEST_TMPDIR/images"
        [ -s "$BATS_TEST_TMPDIR/images" ]
        while read -r image; do
                assert_equal "$(berth run --rm "$image" cat /www/index.html </dev/null)" '<h1>It works.</h1>'
        done <"$BATS_TEST_TMPDIR/images"
}

@test "what was there starts, and what was coming in comes in" {
        berth start obeys
        berth exec obeys test -e /set
        berth load -i /srv/test/layout.tar
        berth import /srv/test/busybox-rootfs.tar coming:anew
        assert_equal "$(berth run --rm coming:anew echo here)" here
}
