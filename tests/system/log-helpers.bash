# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the bats files about logs share besides helpers.bash: lines that a container never wrote.

# as_monitor NAME COMMAND...: runs a command where the monitor of a container would be, at berth-NAME.scope/monitor.
as_monitor() {
        local name=$1
        shift
        # shellcheck disable=SC2016 # for the inner shell
        systemd-run --quiet --scope --slice machine.slice --unit "berth-$name.scope" -p Delegate=yes bash -c '
                own=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)
                mkdir "$own/monitor" && echo $$ >"$own/monitor/cgroup.procs" && "$@"' bash "$@"
}

# entries ID EPOCH ORDINAL...: lines of the container ID, as its monitor sends them. The sender stays until journald has seen them, and
# so who it is.
entries() {
        perl -MIO::Socket::UNIX -MSocket -e '
                my ($id, $epoch, @ordinals) = @ARGV;
                my $journal = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => "/run/systemd/journal/socket") or die;
                for (@ordinals) {
                        $journal->send("CONTAINER_ID_FULL=$id\nCONTAINER_STREAM=stdout\nCONTAINER_LOG_EPOCH=$epoch\n" .
                                       "CONTAINER_LOG_ORDINAL=$_\nPRIORITY=6\n" . ($ENV{EXTRA} // "") .
                                       "MESSAGE=$epoch $_\n") or die;
                }
                system("journalctl", "--sync");' "$@"
}
export -f entries
