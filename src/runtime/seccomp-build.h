/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns the profile into a filter for the kernel, with libseccomp. For the worker: berthd and the monitor only use the result. */
#pragma once

#include <linux/filter.h>

#include "runtime/seccomp-profile.h"

/* An architecture that a kernel runs programs of beside its own, as Docker's profile has it. */
typedef struct SeccompFamily {
        SeccompMachine machine;
        uint32_t native;          /* SCMP_ARCH_* */
        uint32_t others[2];       /* 0: none */
} SeccompFamily;

/* The family of libseccomp's native architecture; one without others if it is in no table. */
SeccompFamily seccomp_family_native(SeccompMachine machine);

/* The instructions are the caller's to free. *ret_where is the system call at fault, or NULL. */
int seccomp_build(const SeccompSituation *situation, const SeccompFamily *family,
                  struct sock_filter **ret, size_t *ret_n, const char **ret_where);
