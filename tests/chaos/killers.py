# SPDX-License-Identifier: LGPL-2.1-or-later
"""Those that kill, without pause, until they are told to stop."""

import os
import random
import signal
import subprocess
import threading
import time

from world import processes

PAUSES = {"berthd": (0.05, 0.6), "spawn": (0.05, 0.6), "clients": (0.05, 0.4), "journald": (1, 4), "monitors": (0.1, 0.8)}


def main_pid(unit):
    done = subprocess.run(["systemctl", "show", "-P", "MainPID", unit], stdout=subprocess.PIPE, text=True, check=False)
    return int(done.stdout.strip() or 0)


def kill_pid(pid):
    """pid is 0 or a process that was there just now."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


class Killer(threading.Thread):
    def __init__(self, world, mode, seed):
        super().__init__(name=f"killer of {mode}", daemon=True)
        self.world, self.mode = world, mode
        self.rng = random.Random(f"{seed}/{mode}")
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(self.rng.uniform(*PAUSES[self.mode])):
            if getattr(self, "kill_" + self.mode)():
                with self.world.lock:
                    self.world.deaths[self.mode] += 1

    def stop(self):
        self.stopped.set()
        self.join()

    def kill_berthd(self):
        return kill_pid(main_pid("berthd.service"))

    def kill_spawn(self):
        return kill_pid(main_pid("berth-spawn.service"))

    def kill_clients(self):
        with self.world.lock:
            clients = list(self.world.clients)
        if not clients:
            return False
        # Some right at the start, some while they are at work.
        client = self.rng.choice(clients)
        time.sleep(self.rng.uniform(0, 0.02))
        client.kill()
        return client.killed

    def kill_monitors(self):
        alive = processes()
        # Not what a monitor has forked and what has its name until it is executed.
        monitors = [pid for pid, (ppid, state, name, _) in alive.items()
                    if name == "berth-monitor" and state != "Z" and alive.get(ppid, ("",) * 3)[2] != "berth-monitor"]
        return bool(monitors) and kill_pid(self.rng.choice(monitors))

    def kill_journald(self):
        return subprocess.run(["systemctl", "restart", "systemd-journald.service"], check=False).returncode == 0
