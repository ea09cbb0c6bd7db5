#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Before the power goes: containers run and archives come in. Nothing is cleaned up; 83-power-cut-after.bats looks at it.

load ../system/helpers

setup_file() {
        make_busybox_image busybox
}

@test "containers run and archives come in when the power goes" {
        berth create --name fresh busybox true
        berth run -d --name obeys busybox sh -c 'touch /set; exec sleep 1000'
        wait_until berth exec obeys test -e /set
        tar -C /var/lib/berth/oci -cf /srv/test/layout.tar .
        berth run -d --rm --name passing busybox sleep 1000
        # Otherwise it would be as if they had not been started: nobody waits for a disk when a container starts.
        sync -f /var/lib/berth
        cat >/srv/test/loads <<'END'
for ((i = 0; ; i++)); do
        berth load -i /srv/test/layout.tar
        berth import -c "LABEL i=$i" /srv/test/busybox-rootfs.tar "coming:$i"
        berth rmi "coming:$((i - 1))"
done
END
        systemd-run --quiet --unit test-loads.service bash /srv/test/loads
        wait_until -t 60 berth inspect coming:1
}
