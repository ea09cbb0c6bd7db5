/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals by name: see signals.h. */
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "util/signals.h"
#include "util/strv.h"

static int parse_realtime(const char *s) {
        static const struct { const char *name; char sign; } bases[] = { { "RTMIN", '+' }, { "RTMAX", '-' } };
        uint32_t offset = 0;

        for (size_t i = 0; i < N_ELEMENTS(bases); i++) {
                int base = i == 0 ? SIGRTMIN : SIGRTMAX;
                if (strncasecmp(s, bases[i].name, strlen(bases[i].name)) != 0)
                        continue;
                s += strlen(bases[i].name);
                if (!*s)
                        return base;
                if (*s != bases[i].sign || parse_u32(s + 1, &offset) < 0 || offset > (uint32_t) (SIGRTMAX - SIGRTMIN))
                        return -EINVAL;
                return i == 0 ? base + (int) offset : base - (int) offset;
        }
        return -EINVAL;
}

int signal_parse(const char *s) {
        uint32_t number;

        if (parse_u32(s, &number) >= 0)
                return number >= 1 && number <= (uint32_t) SIGRTMAX ? (int) number : -EINVAL;
        if (strncasecmp(s, "SIG", 3) == 0)
                s += 3;
        for (int i = 1; i < SIGRTMIN; i++) {
                const char *name = sigabbrev_np(i);
                if (name && strcasecmp(name, s) == 0)
                        return i;
        }
        if (strcasecmp(s, "IOT") == 0)
                return SIGABRT;
        if (strcasecmp(s, "CLD") == 0)
                return SIGCHLD;
        return parse_realtime(s);
}
