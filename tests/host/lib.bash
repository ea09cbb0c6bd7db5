# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the scripts of the namespace host share: where a host's state is, whether it lives, and how its remains go.
#
# A host is a directory under $HOSTS, made by `boot`, holding one fact per file:
#   pid, start   the host's PID 1 as the machine sees it, and its start time (a PID alone may be somebody else's by now)
#   keeper       the same two numbers for the process that holds the host and cleans up after it
#   cgroup       the cgroup that is the root of the host's own cgroup namespace
#   stores       the real directory behind /var/lib/berth, /srv/test and the like
#   bus          daemon or broker
#   journal      a link to the journal of the running host
#   log          what PID 1 and the scripts said before there was a journal

HOSTS=/run/berth-host
# shellcheck disable=SC2034 # of tools/install-packages
FILES=/var/cache/berth-files

die() {
        printf '%s: %s\n' "${0##*/}" "$*" >&2
        exit 1
}

need_root() {
        [ "$(id -u)" = 0 ] || die "a host can only be made and entered by root"
}

# Start time of a process in clock ticks, empty when it is gone (or only its zombie is left).
process_start() {
        local stat fields
        read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
        read -r -a fields <<<"${stat##*) }"
        [ "${fields[0]}" = Z ] || printf '%s\n' "${fields[19]}"
}

# Is the process that wrote its PID and start time into this file still there?
process_is_alive() {
        local pid start
        read -r pid start 2>/dev/null <"$1" || return 1
        [ -n "$start" ] && [ "$(process_start "$pid")" = "$start" ]
}

# The state directory of the host whose PID 1 is $1.
host_of() {
        local state
        for state in "$HOSTS"/*/; do
                if process_is_alive "$state/pid" && [ "$(cut -d ' ' -f 1 "$state/pid")" = "$1" ]; then
                        printf '%s\n' "${state%/}"
                        return 0
                fi
        done
        return 1
}

# Where cgroup2 is mounted, and below it the cgroup that this process is in.
cgroup2_mount() {
        findmnt -n -t cgroup2 -o TARGET | head -n 1
}

cgroup2_own() {
        sed -n 's/^0:://p' /proc/self/cgroup
}

# Ends everything in a cgroup and removes it. A killed process leaves its cgroup a moment later, hence the attempts.
cgroup_remove() {
        local cgroup=$1 attempt
        [ -d "$cgroup" ] || return 0
        for attempt in {1..100}; do
                echo 1 2>/dev/null >"$cgroup/cgroup.kill" || true
                find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
                [ -d "$cgroup" ] || return 0
                sleep 0.05
        done
        echo "cgroup $cgroup could not be removed after $attempt attempts" >&2
        return 1
}

# Removes what a dead host left. The state directory goes last: while it is there, the rest can be found again.
host_remove() {
        local state=$1 stores cgroup
        if read -r cgroup 2>/dev/null <"$state/cgroup"; then
                cgroup_remove "$cgroup"
        fi
        if read -r stores 2>/dev/null <"$state/stores" && [[ $stores == */berth-host.* ]]; then
                rm -rf --one-file-system "$stores"
        fi
        rm -rf --one-file-system "$state"
}

# The units of an install tree that a package's scripts would enable.
units_to_enable() {
        local file
        for file in "$1"/{,usr/,usr/local/}lib/systemd/system/*.*; do
                if [[ -f $file && $file != *@.* ]] && grep -q '^\[Install\]' "$file"; then
                        printf '%s\n' "${file##*/}"
                fi
        done
}
