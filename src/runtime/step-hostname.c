/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step: the host name. */
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "runtime/launch.h"

int step_hostname(Launch *l) {
        const char *name = l->config->hostname;

        if (!name || !(l->config->namespaces & CLONE_NEWUTS))
                return 0; /* never the host's own */
        return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}
