/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Charge is a monitor that the launcher watches through its pidfd, be it a child or one of an earlier launcher's.
 * It owns the pidfd and a descriptor of the bundle, which tells what is to be killed if the monitor dies without
 * having reported its container's end. */
#pragma once

#include "spawn/launcher.h"

struct Charge {
        Charge *next;
        Launcher *launcher;
        pid_t pid;
        LoopSource exit; /* the pidfd */
        int bundle_fd;
        char id[SPAWN_ID_MAX];
};

/* Forks a monitor. The descriptors stay the caller's. 0, *ret_pidfd borrowed. */
int charge_spawn(Launcher *l, const char *id, int bundle_fd, int listen_fd, Charge **ret);
/* One that exists, or does not any more: then its container is ended, and the result is 0. 1: it is watched.
 * -ENOENT: no monitor was noted there. */
int charge_adopt(Launcher *l, const char *id, int bundle_fd);
