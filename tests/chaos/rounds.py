# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rounds of one client: random calls, each checked against what it may answer."""

import json
import random
import signal
import threading
import time

from world import Client, read_output

CONTAINERS_MAX = 14  # then the next round removes one

IMAGE = "chaos"


class Rounds(threading.Thread):
    def __init__(self, world, number, seed, count):
        super().__init__(name=f"client{number}", daemon=True)
        self.world, self.number, self.count = world, number, count
        self.rng = random.Random(f"{seed}/{number}")
        self.done = 0
        self.now = ""

    def run(self):
        table = [(getattr(self, "round_" + name), weight) for name, weight in WEIGHTS.items()]
        while self.done < self.count and len(self.world.faults) < 5:
            rounds, weights = zip(*table)
            call = self.rng.choices(rounds, weights)[0]
            if len(self.world.existing()) > CONTAINERS_MAX:
                call = self.round_rm_force
            self.now = call.__name__
            try:
                call()
            except Exception as e:  # pylint: disable=broad-except
                self.world.fault(f"{call.__name__}: {type(e).__name__}: {e}")
            self.done += 1

    # --- Which container ---

    def pick(self, kinds=("short", "long")):
        """Any, also one that is gone: somebody may always ask."""
        if self.rng.random() < 0.03:
            with self.world.lock:
                gone = [c for c in self.world.containers.values() if c.removal == "done"]
            if gone:
                return self.rng.choice(gone)
        there = [c for c in self.world.existing() if c.owner in (None, self.number) and c.kind in kinds]
        return self.rng.choice(there) if there else None

    def new(self, kind=None, auto_remove=False):
        owner = self.number if self.rng.random() < 0.3 else None
        return self.world.new_container(self.rng, kind or self.rng.choice(("short", "long", "long")), auto_remove, owner)

    def arguments(self, c):
        return ["--name", c.name, "--network", "none"] + (["--rm"] if c.auto_remove else []) + [IMAGE, "sh", "-c", c.script()]

    # --- New ones ---

    def created(self, c, result, good):
        if good:
            c.created = "yes"
        elif not result.killed and not self.world.is_open(result):
            self.world.fault(f"not created: {result}")

    def round_create(self):
        c = self.new()
        c.created = "maybe"
        result = self.world.berth("create", *self.arguments(c))
        self.world.check(result, result.status == 0)
        self.created(c, result, result.status == 0)

    def round_run_detached(self):
        c = self.new(auto_remove=self.rng.random() < 0.3)
        c.created, c.starts = "maybe", 1
        result = self.world.berth("run", "-d", *self.arguments(c))
        self.world.check(result, result.status == 0)
        self.created(c, result, result.status == 0)

    def round_run(self):
        """In the foreground, to its end."""
        c = self.new("short", auto_remove=self.rng.random() < 0.7)
        c.created, c.starts = "maybe", 1
        result = self.world.berth("run", *self.arguments(c))
        self.check_foreground(c, result)

    def round_run_long(self):
        """In the foreground, until somebody ends it or its client."""
        c = self.new("long", auto_remove=self.rng.random() < 0.5)
        c.created, c.starts = "maybe", 1
        client = Client(self.world, ["berth", "run", *self.arguments(c)])
        time.sleep(self.rng.uniform(0.02, 0.5))
        if self.rng.random() < 0.6:
            with self.world.lock:
                c.ends += 1
            client.kill(signal.SIGTERM)
            time.sleep(self.rng.uniform(0, 0.3))
        client.kill(signal.SIGKILL)
        self.check_foreground(c, client.wait())

    def check_foreground(self, c, result):
        if result.killed or result.status == -signal.SIGTERM:  # which comes before there is anybody to pass it on to
            return
        try:
            count, end = read_output(result.out)
        except ValueError as e:
            self.world.fault(f"output: {e}: {result}")
            return
        if result.status == 125 and result.out == "":
            self.world.check(result, False)
            self.created(c, result, False)
            return
        if "monitors" in self.world.modes and "monitor died" in result.err:
            return
        c.created = "yes"
        c.told.append(result.status)
        if result.status not in c.codes():
            self.world.fault(f"told a wrong code, not one of {c.codes()}: {result}")
        elif result.status == c.code and (end != c.code or (c.kind == "short" and count != c.lines)):
            self.world.fault(f"output is not complete ({count} lines, end {end}): {result}")
        elif result.err:
            self.world.fault(f"something on stderr: {result}")

    def round_attach(self):
        """Sees the rest of a run, and hears its code; or is killed, which ends nobody but itself."""
        c = self.pick()
        if not c:
            return
        client = Client(self.world, ["berth", "attach", "--sig-proxy=false", c.name])
        time.sleep(self.rng.uniform(0.02, 0.5))
        client.kill()
        result = client.wait()
        if result.killed:
            return
        for line in result.out.splitlines():
            if not line.startswith(("line ", "end ")):
                self.world.fault(f"attach: {line!r} is no line of {c.name}: {result}")
                return
        self.world.check(result, not result.err and result.status in c.codes())

    def round_rename_taken(self):
        """To a name that is somebody's: refused, and both stay as they are."""
        c = self.pick()
        mine = [o for o in self.world.existing() if o is not c and o.owner == self.number and o.created == "yes" and not o.auto_remove]
        if not c or not mine:
            return
        other = self.rng.choice(mine)
        result = self.world.berth("rename", c.name, other.name)
        self.world.check(result, False)

    # --- What is there ---

    def simple(self, verb, *options, ends=0, harsh=0, starts=0, kinds=("short", "long"), then=None):
        c = self.pick(kinds)
        if not c:
            return
        with self.world.lock:
            c.ends += ends
            c.harsh += harsh
            c.starts += starts
        result = self.world.berth(verb, *options, c.name)
        self.world.check(result, result.status == 0 and result.out.strip() == c.name)
        if result.status == 0 and not result.killed and then and c.owner == self.number:
            then(c)

    def expect_state(self, c, *states):
        """Only its owner touches it, so what was done last is what is to be seen."""
        result = self.world.patient("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", c.name)
        if result.killed or (c.auto_remove and "No such" in result.err):
            return
        words = result.out.split()
        allowed = states + (("exited",) if "monitors" in self.world.modes else ())
        if not words or words[0] not in allowed:
            self.world.fault(f"{c.name} should be {' or '.join(allowed)}: {result}")
        elif words[0] == "exited" and int(words[1]) not in c.codes() and "monitors" not in self.world.modes:
            self.world.fault(f"{c.name} should have ended with one of {c.codes()}: {result}")

    def round_start(self):
        self.simple("start", starts=1, then=lambda c: self.expect_state(c, "running", *(["exited"] if c.kind == "short" or c.ends else [])))

    def round_stop(self):
        self.simple("stop", "-t", str(self.rng.choice((0, 1))), ends=1, harsh=1, then=lambda c: self.expect_state(c, "exited", "created"))

    def round_stop_soft(self):
        # Long enough for what traps SIGTERM, if it has come to that; who has not is killed in the end.
        self.simple("stop", "-t", "3", ends=1, harsh=1, kinds=("long",), then=lambda c: self.expect_state(c, "exited", "created"))

    def round_kill(self):
        self.simple("kill", ends=1, harsh=1)

    def round_kill_term(self):
        self.simple("kill", "-s", "TERM", ends=1)

    def round_restart(self):
        # Its exit code may be that of the run before, too.
        self.simple("restart", "-t", str(self.rng.choice((0, 1))), ends=1, harsh=1, starts=1)

    def remove(self, *options):
        c = self.pick()
        if not c:
            return
        with self.world.lock:
            known = c.created == "yes"
            c.removal = c.removal if c.removal == "done" else "asked"
            if options:
                c.ends += 1
                c.harsh += 1
        result = self.world.berth("rm", *options, c.name)
        good = result.status == 0 and (result.out.strip() == c.name or (options and "No such" in result.err))
        self.world.check(result, good)
        with self.world.lock:
            if good and not result.killed and (known or result.err == ""):  # that it is not there yet says nothing
                c.removal = "done"
            elif not options and not result.killed and c.removal == "asked" and "container is running" in result.err:
                c.removal = "none"  # refused: it stays (another's rm of it, if any, sets its own mark again)

    def round_rm(self):
        self.remove()

    def round_rm_force(self):
        self.remove("-f")

    def round_exec(self):
        c = self.pick(("long",))
        if not c:
            return
        code, lines = self.rng.randint(3, 99), self.rng.choice((0, 1, 50))
        script = f'i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo "line $i"; done; echo "end {code} $i"; exit {code}'
        result = self.world.berth("exec", c.name, "sh", "-c", script)
        if result.killed:
            return
        try:
            count, end = read_output(result.out)
        except ValueError as e:
            if result.status != 137:  # cut off with the container
                self.world.fault(f"output of exec: {e}: {result}")
            return
        if result.status == code and (count, end) == (lines, code) and not result.err:
            return
        if result.status == 137 and (c.ends or "monitors" in self.world.modes):
            return
        self.world.check(result, False)

    def round_wait(self):
        c = self.pick()
        if not c:
            return
        result = self.world.berth("wait", c.name, seconds=self.rng.uniform(0.05, 0.6))
        if result.killed:
            return
        # 0: it never ran; 125: its start failed with berthd.
        allowed = c.codes() | {0, 125} | ({137} if "monitors" in self.world.modes else set())
        self.world.check(result, result.status == 0 and result.out.strip().isdigit() and int(result.out) in allowed)

    def round_logs(self):
        c = self.pick()
        if not c:
            return
        result = self.world.berth("logs", c.name)
        self.world.check(result, result.status == 0 and not result.err)

    def round_inspect(self):
        c = self.pick()
        if not c:
            return
        result = self.world.berth("inspect", c.name)
        if result.killed:
            return
        if result.status != 0:
            self.world.check(result, False)
            return
        seen = json.loads(result.out)
        if len(seen) != 1 or seen[0]["Name"] != "/" + c.name:
            self.world.fault(f"inspect: {result}")

    def round_ps(self):
        before = self.world.certain()
        result = self.world.berth("ps", "-a", "--format", "{{.Names}}")
        if result.killed:
            return
        self.world.check(result, result.status == 0)
        if result.status != 0:
            return
        names = result.out.split()
        missing = (before & self.world.certain()) - set(names)
        if missing:
            self.world.fault(f"ps lacks {missing}: {result}")
        if len(names) != len(set(names)):
            self.world.fault(f"ps has names twice: {result}")


WEIGHTS = {
    "create": 7, "run_detached": 14, "run": 14, "run_long": 6, "start": 9, "stop": 5, "stop_soft": 3, "kill": 4, "kill_term": 3,
    "restart": 5, "rm": 7, "rm_force": 4, "exec": 14, "attach": 6,
    "rename_taken": 2, "wait": 6, "logs": 4, "inspect": 5, "ps": 4,
}
