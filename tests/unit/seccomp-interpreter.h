/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a seccomp filter on one call, as the kernel would, and says whether it looked at the arguments. For tests. */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

#include "util/macro.h"

#define FILTER_INVALID UINT32_C(0xdeadbeef) /* no seccomp action: the kernel would not have taken this filter */

/* Loads of classic BPF take 32 bits of struct seccomp_data; the arguments begin at 16. */
static inline uint32_t filter_run(const struct sock_filter *filter, size_t n, const struct seccomp_data *data, bool *ret_looked) {
        uint32_t a = 0, k;
        bool taken;

        for (size_t i = 0; i < n; i++) {
                k = filter[i].k;
                switch (filter[i].code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        if (k % sizeof(a) != 0 || k > sizeof(*data) - sizeof(a))
                                return FILTER_INVALID;
                        memcpy(&a, (const char *) data + k, sizeof(a));
                        *ret_looked |= k >= offsetof(struct seccomp_data, args);
                        continue;
                case BPF_ALU | BPF_AND | BPF_K:
                        a &= k;
                        continue;
                case BPF_RET | BPF_K:
                        return k;
                case BPF_JMP | BPF_JA:
                        if (k >= n - i - 1)
                                return FILTER_INVALID;
                        i += k;
                        continue;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        taken = a == k;
                        break;
                case BPF_JMP | BPF_JGT | BPF_K:
                        taken = a > k;
                        break;
                case BPF_JMP | BPF_JGE | BPF_K:
                        taken = a >= k;
                        break;
                case BPF_JMP | BPF_JSET | BPF_K:
                        taken = (a & k) != 0;
                        break;
                default:
                        return FILTER_INVALID;
                }
                i += taken ? filter[i].jt : filter[i].jf;
        }
        return FILTER_INVALID; /* ran off the end */
}
