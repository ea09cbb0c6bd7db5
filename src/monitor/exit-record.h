/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exit record: how a run ended, for whoever asks after the monitor is gone. */
#pragma once

#include "util/macro.h"
#include "wire/caller.h"

typedef struct ExitRecord {
        const char *run_id;
        int exit_code; /* 0..255 */
        int signal;    /* that ended it, 0: none */
        bool oom_killed;
        const char *error;   /* why it never ran, or "" */
        uint64_t started;    /* µs since 1970; 0: it never ran */
        uint64_t finished;
        const char *stopped_by; /* "client", "systemd", "shutdown", or "": it ended by itself */
        const Caller *stopper;  /* where that was a client; NULL: not known */
        bool journaled;         /* its end is told in the journal; else that is left to berthd */
        const char *log_epoch;
        uint64_t log_ordinal; /* of the last line, 0: none */
        uint64_t log_lost;    /* lines that journald did not take in time */
        unsigned restart_count;
        bool restarting;       /* it is to be started again */
        bool stopped_by_hand;  /* somebody has stopped it or sent it a signal: Docker's HasBeenManuallyStopped */
} ExitRecord;

/* Renames BUNDLE/exit.json into place. Not synced: it dies with the boot, as the bundle does. */
int exit_record_write(const ExitRecord *record, int bundle_fd);
/* The same as BUNDLE/restart.json: how far a run has got whose payload was started again, or is to be. What a later
 * berthd needs of it if the monitor dies. */
int exit_record_write_interim(const ExitRecord *record, int bundle_fd);
