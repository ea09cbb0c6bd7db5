# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the bats files share, besides helpers.bash, that do the same with berth and with docker.

# Once a file: docker runs, and both have an image "busybox". Skips the file where there is no docker.
setup_both() {
        local dir
        # The one that belongs to dockerd, whatever else is called docker on this machine.
        dir=$(dirname "$(command -v dockerd || echo /)")
        if [ -x /usr/bin/docker ] && [ -x "$dir/dockerd" ]; then
                mkdir -p /srv/test/bin
                ln -sf /usr/bin/docker "$dir/dockerd" /srv/test/bin/
                export PATH=/srv/test/bin:$PATH
        fi
        make_busybox_image busybox
        start_docker
        docker image inspect busybox >/dev/null 2>&1 ||
                docker import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/usr/bin' "$(busybox_rootfs)" busybox >/dev/null
}

teardown_both() {
        cleanup_containers
        stop_docker
        leak_check
}

# Runs a function with each engine ($engine, $name: a container of its own); what they print has to be the same, but
# for the engine's own name and ids.
both() {
        local engine name seen=() i=0
        for engine in berth docker; do
                name=c$((++count))
                seen[i++]=$("$@" 2>&1 | sed -E -e 's/\r//g' -e "s/^($engine: )//I" -e 's/[0-9a-f]{64}/ID/g' -e 's/\.$//' -e "s/\b$name\b/NAME/g" |
                        tr '[:upper:]' '[:lower:]' | grep -v ' killed ')
                "$engine" rm -f "$name" >/dev/null 2>&1 || true
        done
        [ -n "${seen[0]}" ] || fail "$*: nothing was said" || return 1
        [ "${seen[0]}" = "${seen[1]}" ] || { printf '%s\n--- berth:\n%s\n--- docker:\n%s\n' "$*" "${seen[@]}"; return 1; }
}
