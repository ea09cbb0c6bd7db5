/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Target is an existing container that start or attach is to be the foreground of: its object path, and what of
 * `inspect` decides how. */
#pragma once

#include "cli/session.h"

typedef struct Target {
        char *path;
        bool tty, open_stdin;
        bool running, paused, restarting;
} Target;

/* Errors are printed here. */
int target_find(const char *name, Target *ret);
void target_done(Target *t);

/* Calls Start or Attach with the session's streams, or none of them (NULL). Nothing of the call is left when this
 * returns: its messages hold the far ends of the session's pipes. The control descriptor goes to *ret_control. An error
 * with a name that `tolerated` (may be NULL) is not printed: -ECANCELED. */
int target_call(const Target *t, const char *member, Session *session, const char *tolerated, int *ret_control);
