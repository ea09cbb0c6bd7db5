# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must hold when all is quiet again: nothing lost, nothing twice, nothing left, every code and every line right."""

import collections
import json
import os
import subprocess
import time

from killers import main_pid
from world import processes, read_output

OUR_UNITS = {"berth-spawn.service", "berth-spawn.socket", "berth-shutdown.service"}
PATIENCE = 30  # seconds until what is on its way has arrived


def until(good, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not good():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def listing(path):
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []


def output_of(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")


# --- Containers ---

def inspect_all(world):
    names = world.patient("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}}").out.split("\n")[:-1]
    for name, n in collections.Counter(line.split()[1] for line in names).items():
        if n > 1:
            world.fault(f"{name} is there {n} times")
    seen = {}
    for line in names:
        result = world.patient("inspect", line.split()[0])
        if result.status == 0:
            seen[line.split()[1]] = json.loads(result.out)[0]
    return seen


def settled(world):
    """Whether each is either over or has a process."""
    def one(c):
        state = c["State"]
        return state["Status"] in ("created", "exited") or (state["Status"] == "running" and os.path.isdir(f"/proc/{state['Pid']}"))
    return all(one(c) for c in inspect_all(world).values())


def check_containers(world, seen):
    monitors = "monitors" in world.modes
    for name in seen:
        if name not in world.containers:
            world.fault(f"{name} is nobody's")
    for c in world.containers.values():
        there = seen.get(c.name)
        if c.created == "yes" and c.removal == "none" and not c.auto_remove and not there:
            world.fault(f"{c.name} is lost")
        if there and (c.created == "no" or c.removal == "done"):
            world.fault(f"{c.name} should not be there (created {c.created}, removal {c.removal})")
        if not there:
            continue
        state = there["State"]
        if c.auto_remove and state["Status"] == "exited":
            world.fault(f"{c.name} was to go after its run: {state}")
        if state["Status"] == "exited" and state["ExitCode"] not in c.codes() and not monitors:
            world.fault(f"{c.name} ended with one of {c.codes()}, and is said to have ended with {state}")
        if c.created == "yes" and c.kind == "long" and c.starts and not c.ends and state["Status"] != "running" and not monitors:
            world.fault(f"{c.name}, which nobody ended, does not run: {state}")


# --- The journal ---

Run = collections.namedtuple("Run", "name lines ordinals first last")


def read_runs(prefix):
    """run id -> what the journal has of it."""
    runs = {}
    text = output_of("journalctl", "-q", "-o", "json", "CONTAINER_STREAM=stdout", "+", "CONTAINER_STREAM=stderr", "--output-fields",
                     "MESSAGE,CONTAINER_NAME,CONTAINER_RUN_ID,CONTAINER_LOG_ORDINAL,CONTAINER_STREAM")
    for line in text.splitlines():
        entry = json.loads(line)
        if not entry.get("CONTAINER_NAME", "").startswith(prefix) or "CONTAINER_RUN_ID" not in entry:
            continue
        when = int(entry["__REALTIME_TIMESTAMP"])
        run = runs.setdefault(entry["CONTAINER_RUN_ID"], Run(entry["CONTAINER_NAME"], [], [], when, when))
        run.ordinals.append(int(entry["CONTAINER_LOG_ORDINAL"]))
        run.lines.append(entry["MESSAGE"])
        runs[entry["CONTAINER_RUN_ID"]] = run._replace(last=when)
    return runs


def check_run(world, run_id, run):
    """Returns the exit code that its payload wrote, None if it wrote none."""
    where = f"run {run_id} of {run.name}"
    c = world.containers.get(run.name)
    if run.ordinals != list(range(1, len(run.ordinals) + 1)):
        world.fault(f"{where}: ordinals {sorted(set(range(1, max(run.ordinals) + 1)) - set(run.ordinals))} are missing, or twice, or not in order")
        return None
    try:
        count, end = read_output("".join(line + "\n" for line in run.lines))
    except ValueError as e:
        world.fault(f"{where}: the log has {e}")
        return None
    if not c:
        return end
    if end is not None and (end != c.code or (c.kind == "short" and count != c.lines)):
        world.fault(f"{where}: {count} lines and end {end}, not {c.lines} and {c.code}")
    if end is None and c.kind == "short" and not c.harsh and "monitors" not in world.modes:
        world.fault(f"{where}: its last lines are missing: {count} lines of {c.lines}, no end")
    return end


def check_journal(world, seen):
    runs = read_runs(world.prefix)
    ends = {run_id: check_run(world, run_id, run) for run_id, run in runs.items()}
    of_container = collections.defaultdict(list)
    for run in runs.values():
        of_container[run.name].append(run)
    for name, several in of_container.items():
        c = world.containers.get(name)
        if c and len(several) > c.starts:
            world.fault(f"{name} ran {len(several)} times, and was started {c.starts} times")
        several.sort(key=lambda run: run.first)
        for one, next_one in zip(several, several[1:]):
            if one.last > next_one.first:
                world.fault(f"{name}: two of its runs were there at once")
    for name, there in seen.items():
        state, run_id, c = there["State"], there["RunId"], world.containers.get(name)
        run = runs.get(run_id)
        if not c:
            continue
        if state["Status"] == "exited" and "monitors" not in world.modes:
            if there["LogOrdinal"] != (len(run.ordinals) if run else 0):
                world.fault(f"{name}: the last line has ordinal {there['LogOrdinal']}, the journal has {len(run.ordinals) if run else 0}")
            # The payload writes its end just before it: a kill may come in between.
            if (state["ExitCode"] == c.code) != (ends.get(run_id) is not None) and not (state["ExitCode"] == 137 and c.harsh):
                world.fault(f"{name}: exit code {state['ExitCode']}, and its last line is {run.lines[-1:] if run else None}")
        shown = world.patient("logs", name)
        written = [line for run in of_container.get(name, []) for line in run.lines]
        if state["Status"] == "exited" and shown.out != "".join(line + "\n" for line in written):
            world.fault(f"{name}: logs and journal differ: {shown}\n  {written[-3:]}")
    for c in world.containers.values():
        for code in c.told:
            if code == c.code and of_container.get(c.name, [])[:1] and not any(line.startswith("end") for r in of_container[c.name] for line in r.lines):
                world.fault(f"{c.name}: a client was told {code}, and the log has no end")
    return len(runs), sum(len(run.ordinals) for run in runs.values())


# --- What is left ---

def strays(running):
    """Units, processes, links, mounts and directories of runs that are not."""
    found = []
    units = {c["Unit"] for c in running.values() if c["State"]["Status"] == "running"}
    for line in output_of("systemctl", "list-units", "--all", "--plain", "--no-legend", "berth-*", "berth@*").splitlines():
        unit = line.split()[0]
        if unit not in units and unit not in OUR_UNITS:
            found.append(f"unit {line.strip()}")
    for entry in listing("/sys/fs/cgroup/machine.slice"):
        if entry.startswith("berth-") and entry not in units:
            found.append(f"cgroup {entry}")
    for entry in listing("/run/systemd/units"):
        if "berth-" in entry and entry.split(":", 1)[1] not in units | OUR_UNITS:
            found.append(f"link {entry}")
    alive = processes()
    monitors = [pid for pid, (ppid, _, name, _) in alive.items() if name == "berth-monitor" and alive.get(ppid, ("",) * 3)[2] != "berth-monitor"]
    if len(monitors) != len(units):
        found.append(f"{len(monitors)} monitors for {len(units)} containers")
    found += [f"zombie {pid} {name}, parent {alive.get(ppid, ('', '', '?'))[2]}" for pid, (ppid, state, name, _) in alive.items() if state == "Z"]
    with open("/proc/1/mountinfo", encoding="utf-8") as f:
        found += [f"mount {line.split()[4]}" for line in f if line.split()[4].startswith(("/var/lib/berth/", "/run/berth/"))]
    ids = {c["Id"]: c for c in running.values()}
    for root in ("/run/berth/containers", "/var/lib/berth/containers"):
        for entry in listing(root):
            c = ids.get(entry)
            if not c or (root.startswith("/run") and c["State"]["Status"] != "running" and not c["HostConfig"]["AutoRemove"]):
                found.append(f"directory {root}/{entry}")
    found += [f"file {root}/{entry}" for root in ("/var/lib/berth/staging", "/var/lib/berth/trash") for entry in listing(root)]
    return found


def check_strays(world, seen):
    if not until(lambda: not strays(seen)):
        found = strays(seen)
        world.fault(f"{len(found)} strays:\n  " + "\n  ".join(found[:20]))


# --- Descriptors and memory ---

def size_of(unit):
    """How many descriptors, and kB of its own memory."""
    pid = main_pid(unit)
    if not pid:
        return 0, 0, 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        private = sum(int(line.split()[1]) for line in f if line.startswith("Private_"))
    return pid, len(os.listdir(f"/proc/{pid}/fd")), private
