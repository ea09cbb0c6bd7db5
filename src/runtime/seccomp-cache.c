/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See seccomp-cache.h. */
#include <inttypes.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/stat.h>

#include "config.h"
#include "runtime/seccomp-cache.h"
#include "runtime/seccomp-profile.h"

/* Raised when the way rules become a filter changes (seccomp-build.c), so that filters made before are not used again. */
#define BUILD_VERSION 1

int seccomp_cache_path(uint64_t capabilities, char **ret) {
        const struct scmp_version *library = seccomp_version();
        SeccompSituation situation;
        int r;

        r = seccomp_situation_now(capabilities, &situation);
        if (r < 0)
                return r;
        if (!library)
                return -EIO;
        if (asprintf(ret, "%s/seccomp/%i-%016" PRIx64 "-%" PRIx32 "-%" PRIx64 "-%u.%u.%u.bpf", BERTH_CACHEDIR, BUILD_VERSION,
                     seccomp_profile_hash(situation.kernel), seccomp_arch_native(),
                     capabilities & seccomp_profile_capabilities(), library->major, library->minor, library->micro) < 0)
                return -ENOMEM;
        return 0;
}

bool seccomp_cache_has(const char *path) {
        struct stat st;

        /* It was synced before it got its name; the size is looked at for what a full disk or a person may have done to it. */
        return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
                (size_t) st.st_size % sizeof(struct sock_filter) == 0 &&
                (size_t) st.st_size <= BPF_MAXINSNS * sizeof(struct sock_filter);
}
