/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Restarts of a run decide whether a payload that has ended is started again, and when: Docker's rules. No clock
 * and no process in here. */
#pragma once

#include "wire/restart-policy.h"

typedef struct Restarts {
        RestartPolicy policy;
        int stop_signal;     /* the one that somebody configured, 0: nobody did */
        unsigned count;      /* so far */
        uint64_t delay_usec; /* before the last of them; 0: none yet */
        bool canceled;       /* somebody has asked for the end: there are no more */
        bool touched;        /* somebody has sent a signal: unless-stopped ends with that, too */
} Restarts;

/* The payload has ended after so long. True: it is to be started again after *ret_delay_usec, and that is counted. */
bool restarts_decide(Restarts *r, int exit_code, uint64_t duration_usec, uint64_t *ret_delay_usec);

/* Somebody sends it a signal by hand. */
void restarts_signalled(Restarts *r, int signo);
