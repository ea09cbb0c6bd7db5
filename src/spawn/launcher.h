/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Launcher is berth-spawn: it forks monitors for berthd, is their parent, and sees to it that no container
 * outlives its monitor. It keeps nothing on disk: after its own restart it finds the monitors by what they wrote
 * into their bundles. */
#pragma once

#include "monitor/loop.h"
#include "wire/spawn.h"

typedef struct Charge Charge; /* a monitor that it watches */
typedef struct Patron Patron; /* a connection */

typedef struct Launcher {
        Loop loop;
        LoopSource listen;
        LoopSource signals;
        LoopTimer idle;
        Charge *charges;
        Patron *patrons;
} Launcher;

/* Takes the listening socket. */
int launcher_init(Launcher *l, int listen_fd);
/* Finds the monitors of an earlier berth-spawn below `run_dir`/containers and ends what a dead one has left. */
int launcher_adopt(Launcher *l, const char *run_dir);
/* Sends a message on every connection. */
void launcher_tell(Launcher *l, const SpawnMessage *m);
/* Until SIGTERM, or until there has been nothing to do for a minute. */
int launcher_run(Launcher *l);
