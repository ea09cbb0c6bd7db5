/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The flags that are refused: see refused-flags.h. */
#include "cli/refused-flags.h"
#include "container/container-options.h"
#include "container/option-values.h"

#define NEW_CONTAINER (VERB_RUN | VERB_CREATE)
#define ANY_LIMITS (VERB_RUN | VERB_CREATE | VERB_UPDATE)
#define REALTIME "cgroup v2 has no budget of real-time processor time; CPUQuota= does not count real-time tasks either"
#define WINDOWS "it is of Windows containers only"

const RefusedFlag refused_flags[] = {
        { "cpu-count",         false, NEW_CONTAINER, WINDOWS ": --cpus is its like" },
        { "cpu-percent",       false, NEW_CONTAINER, WINDOWS ": --cpus is its like" },
        { "cpu-rt-period",     false, ANY_LIMITS,    REALTIME },
        { "cpu-rt-runtime",    false, ANY_LIMITS,    REALTIME },
        { "io-maxbandwidth",   false, NEW_CONTAINER, WINDOWS ": --device-read-bps and --device-write-bps are its like" },
        { "io-maxiops",        false, NEW_CONTAINER, WINDOWS ": --device-read-iops and --device-write-iops are its like" },
        { "kernel-memory",     false, ANY_LIMITS,    "cgroup v2 counts the kernel's memory with the rest: --memory limits both" },
        { "memory-swappiness", false, NEW_CONTAINER, "cgroup v2 has no swappiness of its own for a cgroup; --memory-swap limits "
                                                     "swap" },
        { "oom-kill-disable",  true,  NEW_CONTAINER, "cgroup v2 cannot switch the OOM killer off for a cgroup; --oom-score-adj "
                                                     "and --memory-reservation are what is left" },
};
const size_t n_refused_flags = N_ELEMENTS(refused_flags);

/* The target is the reason. */
static int refuse(const char *value, void *target, char **ret_error) {
        return option_error(ret_error, "%s", (const char *) target);
}

void refused_flag_arg(const RefusedFlag *f, Arg *ret) {
        *ret = (Arg) {
                .flag = f->flag,
                .type = f->is_bool ? ARG_BOOL : ARG_STRING,
                .target = (void *) f->why,
                .parse = refuse,
        };
}
