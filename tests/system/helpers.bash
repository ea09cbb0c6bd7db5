# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154 # status, output, stderr are bats'
#
# What the bats files share. `load helpers` (from tests/vm: `load ../system/helpers`).
#
# run --separate-stderr COMMAND sets $status, $output (stdout) and $stderr, which the assertions below look at.

bats_require_minimum_version 1.5.0

# --- Images ---

# The root file system of the smallest image: static busybox under all its names, and the users root, nobody and app (1000).
# Made once for a host; prints the path of the tar file.
busybox_rootfs() {
        local tar=/srv/test/busybox-rootfs.tar root
        if [ ! -e "$tar" ]; then
                root=$(mktemp -d /srv/test/rootfs.XXXXXX)
                mkdir -p "$root"/{bin,dev,etc,home/app,proc,root,sys,tmp,usr/bin,var/log,www}
                chmod 0755 "$root"
                chmod 1777 "$root/tmp"
                chmod 0700 "$root/root"
                cp "$(command -v busybox)" "$root/bin/busybox"
                chroot "$root" /bin/busybox --install -s /bin
                cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
app:x:1000:1000:app:/home/app:/bin/sh
END
                cat >"$root/etc/group" <<'END'
root:x:0:
staff:x:50:app
nogroup:x:65534:
app:x:1000:
END
                chown 1000:1000 "$root/home/app"
                echo '<h1>It works.</h1>' >"$root/www/index.html"
                tar -C "$root" --numeric-owner -cf "$tar.$$" .
                mv "$tar.$$" "$tar"
                rm -rf "$root"
        fi
        printf '%s\n' "$tar"
}

# make_busybox_image REFERENCE [CHANGE...]: imports that file system. CHANGE: as `berth import -c` takes it.
make_busybox_image() {
        local reference=$1 change arguments=()
        shift
        for change in 'CMD ["/bin/sh"]' 'ENV PATH=/bin:/usr/bin' "$@"; do
                arguments+=(-c "$change")
        done
        berth import "${arguments[@]}" "$(busybox_rootfs)" "$reference" >/dev/null
}

# --- Docker, as a counterpart ---

# Starts a Docker of this host's own, for `docker` commands of this file. Skips the test where there is none.
start_docker() {
        export DOCKER_HOST=unix:///run/test-docker.sock
        command -v dockerd >/dev/null || skip "docker is not installed"
        systemctl is-active --quiet test-docker.service && return 0
        mkdir -p /srv/test/docker
        systemd-run --quiet --unit test-docker.service -p Delegate=yes -p KillMode=mixed \
                dockerd --exec-opt native.cgroupdriver=systemd --data-root /srv/test/docker --bridge none --iptables=false \
                -H "$DOCKER_HOST"
        wait_until -t 60 docker version || { journalctl -q --no-pager -n 20 -u test-docker.service; return 1; }
}

stop_docker() {
        systemctl stop test-docker.service 2>/dev/null || true
}

# --- Waiting ---

# wait_until [-t SECONDS] COMMAND...: until the command succeeds; fails after 20 seconds (or so many) without.
wait_until() {
        local limit=20
        if [ "$1" = -t ]; then
                limit=$2
                shift 2
        fi
        local end=$((SECONDS + limit))
        until "$@" >/dev/null 2>&1; do
                if [ "$SECONDS" -ge "$end" ]; then
                        printf 'after %d s still not so: %s\n' "$limit" "$*"
                        return 1
                fi
                sleep 0.05
        done
}

# wait_for_state CONTAINER STATE
wait_for_state() {
        if ! wait_until container_has_state "$1" "$2"; then
                berth inspect "$1" || true
                return 1
        fi
}

container_has_state() {
        [ "$(berth inspect --format '{{.State.Status}}' "$1")" = "$2" ]
}

# --- Assertions: they say what was expected and what came ---

fail() {
        printf '%s\n' "$*"
        return 1
}

show_result() {
        printf 'status: %s\nstdout: %s\nstderr: %s\n' "${status:-}" "${output:-}" "${stderr:-}"
}

assert_status() {
        [ "$status" = "$1" ] || { printf 'expected status %s\n' "$1"; show_result; return 1; }
}

assert_output() {
        [ "$output" = "$1" ] || { printf 'expected on stdout: %s\n' "$1"; show_result; return 1; }
}

# assert_contains TEXT PART
assert_contains() {
        [[ $1 == *"$2"* ]] || { printf 'expected a text with: %s\nthe text: %s\n' "$2" "$1"; return 1; }
}

# assert_lacks TEXT PART
assert_lacks() {
        [[ $1 != *"$2"* ]] || { printf 'expected a text without: %s\nthe text: %s\n' "$2" "$1"; return 1; }
}

assert_equal() {
        [ "$1" = "$2" ] || { printf 'expected: %s\ngot:      %s\n' "$2" "$1"; return 1; }
}

# assert_line STATUS PART...: the command failed with this status, printed nothing on stdout, and exactly one line on
# stderr, which has each of these parts.
assert_line() {
        local part
        assert_status "$1" || return 1
        shift
        [ -z "$output" ] || { echo 'expected nothing on stdout'; show_result; return 1; }
        if [ -z "$stderr" ] || [ "$(wc -l <<<"$stderr")" != 1 ]; then
                echo 'expected one line on stderr'
                show_result
                return 1
        fi
        for part; do
                assert_contains "$stderr" "$part" || return 1
        done
}

# --- The bus ---

# The path of a container.
object_of() {
        printf '/org/berth1/container/%s\n' "$(berth inspect -f '{{.Id}}' "$1")"
}

# call CONTAINER METHOD [SIGNATURE ARGUMENT...]
call() {
        local name=$1
        shift
        busctl call org.berth1 "$(object_of "$name")" org.berth1.Container "$@"
}

# --- Cleaning up ---

# Removes all containers. A berth that does not answer does not hold up the rest of the tests.
cleanup_containers() {
        local ids
        mapfile -t ids < <(timeout 30 berth ps -aq)
        [ ${#ids[@]} -eq 0 ] || timeout 120 berth rm -f "${ids[@]}" >/dev/null
}

# Prints what is left of containers and jobs on this host: nothing, if all is well. Images may stay.
leaks() {
        local dir entry
        systemctl list-units --all --plain --no-legend 'berth-*' 'berth@*' |
                awk '$1 !~ /^berth-(spawn\.(service|socket)|shutdown\.service|guest\.service)$/ { print "unit " $1 }'
        findmnt -rn -o TARGET | awk '/^\/(var\/lib|run)\/berth\// { print "mount " $1 }'
        for dir in /run/berth/containers /var/lib/berth/{containers,staging,trash}; do
                [ -d "$dir" ] || continue
                for entry in "$dir"/* "$dir"/.[!.]*; do
                        [ ! -e "$entry" ] || printf 'file %s\n' "$entry"
                done
        done
        for entry in /etc/systemd/system/berth@* /etc/systemd/system/multi-user.target.wants/berth@*; do
                [ ! -e "$entry" ] && [ ! -L "$entry" ] || printf 'unit file %s\n' "$entry"
        done
        for entry in /run/systemd/units/log-rate-limit-burst:berth*; do
                [ ! -L "$entry" ] || printf 'log limit %s\n' "$entry"
        done
}

nothing_leaks() {
        [ -z "$(leaks)" ]
}

# After all containers were removed: nothing may be left. Some of it goes a moment after the answer, hence the wait.
leak_check() {
        wait_until nothing_leaks || { leaks; return 1; }
}
