# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the driver knows: which containers there must be, what their payloads do, and what went wrong."""

import collections
import os
import random
import re
import signal
import subprocess
import threading
import time

HANG_SECONDS = 90  # a command that takes longer than that has hung

# Runs as PID 1 of a container: numbered lines, then the end with its own exit code, or at once or after SIGTERM.
SHORT = 'i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo "line $i"; done; echo "end {code} $i"; exit {code}'
LONG = ('i=0; trap \'echo "end {code} $i"; exit {code}\' TERM; while [ $i -lt {lines} ]; do i=$((i+1)); echo "line $i"; done; '
        'while :; do sleep 1000 & wait $!; done')

# What a client may be told without anything being wrong: somebody else was faster, or berthd was killed with the call.
# All else is a defect of berth, or of this list.
EXPECTED = [re.compile(text) for text in (
    r"No such (container|object): ",
    r"Container \S+ is not running",
    r"Container \S+ is already running",
    r"Container \S+ is being (started|removed)",
    r"Container \S+ was removed",
    r"You cannot attach to a stopped container",
    r"The container name \S+ is already in use by container",
    r"container is running: stop the container before removing or force remove",
    r"[Tt]he container is not running",
    r"berthd went away before it answered",
    r"berthd ends before it has happened; ask again",
    r"its monitor died, or berthd, before it could be started",
    r"berthd was killed while the container was being started",
    r"berth-spawn could not make a monitor: Connection reset by peer",  # killed each time it was asked
)]
# Only where monitors are killed.
EXPECTED_OF_MONITORS = [re.compile(text) for text in (
    r"its monitor died, and what it ran",
    r"Container \S+ could not be started again: the monitor was killed",
    r"its monitor does not answer",
)]


class Container:
    """One name, never used twice. What may have happened is counted before the call that may do it."""

    def __init__(self, name, kind, lines, code, auto_remove=False, owner=None):
        self.name, self.kind, self.lines, self.code = name, kind, lines, code
        self.auto_remove, self.owner = auto_remove, owner
        self.created = "no"      # no, maybe, yes
        self.removal = "none"    # none, asked, done
        self.starts = 0          # runs there may be, at most
        self.ends = 0            # requests that may end a run
        self.harsh = 0           # those that may end it with SIGKILL
        self.told = []           # exit codes that clients were told, of whole runs

    def script(self):
        return (SHORT if self.kind == "short" else LONG).format(lines=self.lines, code=self.code)

    def codes(self):
        """Exit codes that a run of it may have."""
        return {self.code} | ({137} if self.harsh else set())


class Result:
    def __init__(self, command, status, out, err, killed):
        self.command, self.status, self.out, self.err, self.killed = command, status, out, err, killed

    def __str__(self):
        return f"{' '.join(self.command)} -> {self.status}{' (killed)' if self.killed else ''}\n  out: {self.out[-300:]!r}\n  err: {self.err[-300:]!r}"


class Client:
    """A berth process. Whoever kills it says so here."""

    def __init__(self, world, command):
        self.world, self.command, self.killed = world, command, False
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        start_new_session=True)
        with world.lock:
            world.clients.add(self)

    def kill(self, signo=signal.SIGKILL):
        with self.world.lock:
            if self in self.world.clients and self.process.poll() is None:
                self.killed = self.killed or signo == signal.SIGKILL
                self.process.send_signal(signo)

    def wait(self, seconds=HANG_SECONDS):
        hung = False
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            hung = seconds == HANG_SECONDS
            self.kill()
            out, err = self.process.communicate()
        with self.world.lock:
            self.world.clients.discard(self)
        result = Result(self.command, self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace"), self.killed)
        if hung:
            self.world.fault(f"hung for {HANG_SECONDS} s: {result}")
        return result


class World:
    def __init__(self, modes):
        self.modes = modes
        self.lock = threading.RLock()
        self.clients = set()
        self.containers = {}
        self.faults = []
        self.answers = collections.Counter()
        self.prefix, self.serial = f"c{random.SystemRandom().randrange(16 ** 4):04x}-", 0  # the journal may have other runs
        self.stopping = threading.Event()
        self.deaths = collections.Counter()

    def fault(self, text):
        with self.lock:
            self.faults.append(text)
            print(f"FAULT {time.strftime('%T')} {text}", flush=True)

    def new_container(self, rng, kind, auto_remove=False, owner=None):
        with self.lock:
            self.serial += 1
            c = Container(f"{self.prefix}{self.serial}", kind, rng.choice((0, 1, 3, 10, 40, 400)), rng.randint(3, 99), auto_remove, owner)
            self.containers[c.name] = c
            return c

    def existing(self):
        with self.lock:
            return [c for c in self.containers.values() if c.created != "no" and c.removal == "none"]

    def certain(self):
        """Those that must be there now."""
        with self.lock:
            return {c.name for c in self.containers.values() if c.created == "yes" and c.removal == "none" and not c.auto_remove}

    def berth(self, *arguments, seconds=HANG_SECONDS):
        return Client(self, ["berth", *arguments]).wait(seconds)

    def patient(self, *arguments):
        """A question that is asked until it has an answer."""
        for _ in range(200):
            result = self.berth(*arguments)
            if not result.killed and "went away before it answered" not in result.err:
                return result
            time.sleep(0.02)
        self.fault(f"never answered: {result}")
        return result

    @staticmethod
    def is_open(result):
        """What was asked for may have happened, or not: berthd was killed with it."""
        return any(text in result.err for text in ("went away before it answered", "or berthd, before it could be", "berthd was killed while",
                                                     "berth-spawn could not make a monitor"))

    def explained(self, result):
        """Counts what was told, and whether it is one of what may be told."""
        line = result.err.strip()
        expected = EXPECTED + (EXPECTED_OF_MONITORS if "monitors" in self.modes else [])
        if "\n" in line and "monitors" not in self.modes:
            return False
        for pattern in expected:
            if pattern.search(line):
                with self.lock:
                    self.answers[pattern.pattern] += 1
                return True
        return False

    def check(self, result, good, what="answer"):
        """good: it did what it was to do. Else it must say why, in words that are known."""
        if result.killed or good:
            return
        if result.status == 0 or not self.explained(result):
            self.fault(f"{what} that nobody can explain: {result}")


def read_output(text):
    """The payload's numbered lines: how many, and the exit code of its last line, None if that is not there. ValueError if a line
    is missing, twice, or in pieces."""
    count, code = 0, None
    lines = text.split("\n")
    if lines.pop() != "":
        raise ValueError(f"no newline at the end: {text[-50:]!r}")
    for line in lines:
        words = line.split(" ")
        if words[0] == "line" and code is None and words[1:] == [str(count + 1)]:
            count += 1
        elif words[0] == "end" and code is None and len(words) == 3 and words[2] == str(count):
            code = int(words[1])
        else:
            raise ValueError(f"{line!r} after {count} lines and end {code}")
    return count, code


def processes():
    """pid -> (ppid, state, name, start time) of all that live on this host."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as f:
                    text = f.read()
            except OSError:
                continue
            name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
            found[int(entry)] = (int(rest[1]), rest[0], name, int(rest[19]))
    return found
