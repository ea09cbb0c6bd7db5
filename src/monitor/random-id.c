/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random names: see random-id.h. */
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

#include "monitor/random-id.h"

void random_id(char ret[RANDOM_ID_SIZE]) {
        uint64_t bits[2] = { 0 };

        /* 16 bytes are always given whole, and the pool is ready long before a container starts. */
        (void) !getrandom(bits, sizeof(bits), 0);
        snprintf(ret, RANDOM_ID_SIZE, "%016llx%016llx", (unsigned long long) bits[0], (unsigned long long) bits[1]);
}
