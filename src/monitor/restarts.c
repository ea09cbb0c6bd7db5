/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decision: see restarts.h. */
#include <signal.h>

#include "monitor/restarts.h"

#define SEC UINT64_C(1000000)
#define DELAY_FIRST_USEC (SEC / 10)
#define DELAY_MAX_USEC (60 * SEC)
#define GOOD_RUN_USEC (10 * SEC) /* one that has lasted so long is a new beginning */

static bool is_wanted(const Restarts *r, int exit_code) {
        switch (r->policy.kind) {
        case RESTART_NO:
                return false;
        case RESTART_ON_FAILURE:
                return exit_code != 0 && (r->policy.max_retries == 0 || r->count < (unsigned) r->policy.max_retries);
        case RESTART_ALWAYS:
                return true;
        case RESTART_UNLESS_STOPPED:
                return !r->touched;
        }
        return false;
}

bool restarts_decide(Restarts *r, int exit_code, uint64_t duration_usec, uint64_t *ret_delay_usec) {
        if (r->canceled || !is_wanted(r, exit_code))
                return false;
        if (duration_usec >= GOOD_RUN_USEC || r->delay_usec == 0)
                r->delay_usec = DELAY_FIRST_USEC;
        else
                r->delay_usec = MIN_OF(r->delay_usec * 2, DELAY_MAX_USEC);
        r->count++;
        *ret_delay_usec = r->delay_usec;
        return true;
}

/* Docker takes any signal for a wish to end it, unless the container has a stop signal of its own to compare with. */
void restarts_signalled(Restarts *r, int signo) {
        r->touched = true;
        if (signo == SIGKILL || r->stop_signal == 0 || signo == r->stop_signal)
                r->canceled = true;
}
