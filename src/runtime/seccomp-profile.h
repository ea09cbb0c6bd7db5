/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The default seccomp profile as data: which system calls a container may make, given its capabilities, the machine and the kernel. It
 * states the same facts as Docker's default profile, as of moby 20.10.24 (profiles/seccomp/default.json); tests/unit/test-seccomp-equal.c
 * compares the two. Whatever no rule names fails with EPERM, or with ENOSYS where the call is newer than all that the rules name: a C
 * library that tries a new call first must learn that there is none (runc does the same for Docker). */
#pragma once

#include <linux/capability.h>

#include "util/macro.h"

#define CAPABILITY(name) (UINT64_C(1) << (name))
#define KERNEL_VERSION_OF(major, minor) (((unsigned) (major) << 16) | (unsigned) (minor))

typedef enum SeccompMachine { /* what the kernel was built for, in Docker's terms */
        MACHINE_OTHER = 1 << 0,
        MACHINE_AMD64 = 1 << 1,
        MACHINE_X86 = 1 << 2,
        MACHINE_ARM64 = 1 << 3,
        MACHINE_ARM = 1 << 4,
        MACHINE_PPC64LE = 1 << 5,
        MACHINE_S390X = 1 << 6,
} SeccompMachine;

typedef enum SeccompCompare {
        COMPARE_NOTHING = 0,
        COMPARE_EQUAL,      /* the argument is `value` */
        COMPARE_BITS_CLEAR, /* no bit of `value` is set in the argument */
} SeccompCompare;

/* One rule. A zero condition is no condition. */
typedef struct SeccompRule {
        const char *names;       /* system calls, one blank between two */
        int error;               /* fails with this; 0: is allowed */
        uint64_t if_capable;     /* only if the container has all of these capabilities */
        uint64_t if_not_capable; /* only if it has none of these */
        unsigned if_machine;     /* only on one of these, MACHINE_* */
        unsigned if_not_machine; /* only if on none of these */
        unsigned if_kernel;      /* only on this kernel or a later one, KERNEL_VERSION_OF */
        SeccompCompare compare;
        unsigned argument;       /* the one that is compared */
        uint64_t value;
} SeccompRule;

/* What the conditions of the rules are checked against. */
typedef struct SeccompSituation {
        uint64_t capabilities;
        SeccompMachine machine;
        unsigned kernel;
} SeccompSituation;

extern const SeccompRule seccomp_rules[];
extern const size_t n_seccomp_rules;

bool seccomp_rule_applies(const SeccompRule *rule, const SeccompSituation *situation);

/* This machine and the running kernel. -EINVAL: the kernel calls its version something that is no version. */
int seccomp_situation_now(uint64_t capabilities, SeccompSituation *ret);

/* "6.18.44-cloud" becomes KERNEL_VERSION_OF(6, 18). */
int seccomp_parse_kernel(const char *release, unsigned *ret);

/* All capabilities that some rule looks at. */
uint64_t seccomp_profile_capabilities(void);

/* A number that changes when a rule does, or when the kernel's version selects other rules. */
uint64_t seccomp_profile_hash(unsigned kernel);
