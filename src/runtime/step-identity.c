/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: ids and capabilities, first those of the container's root, at last those of the user.
 *
 * execve(2) computes the capabilities anew: root gets the bounding set, another user the ambient set. So the bounding
 * and ambient sets are what counts, and until execve the process may keep CAP_SYS_ADMIN, which loading a seccomp filter
 * takes; nothing else. */
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/launch.h"

int step_become_root(Launch *l) {
        if (!launch_has_userns(l))
                return setgroups(0, NULL) < 0 ? -errno : 0;
        if (setresgid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresuid(0, 0, 0) < 0)
                return -errno;
        return 0;
}

static int capabilities_set(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];

        for (unsigned i = 0; i < 2; i++)
                data[i] = (struct __user_cap_data_struct) {
                        .effective = (uint32_t) (effective >> 32 * i),
                        .permitted = (uint32_t) (permitted >> 32 * i),
                        .inheritable = (uint32_t) (inheritable >> 32 * i),
                };
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int capabilities_get(uint64_t *ret_permitted) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        *ret_permitted = data[0].permitted | (uint64_t) data[1].permitted << 32;
        return 0;
}

/* Up to the last capability that the kernel knows. What the process may do itself does not change before execve. */
int step_bounding(Launch *l) {
        for (unsigned c = 0; c < 64; c++) {
                int r = prctl(PR_CAPBSET_READ, c);
                if (r < 0)
                        break;
                if (r == 1 && !(l->process->bounding & UINT64_C(1) << c) && prctl(PR_CAPBSET_DROP, c) < 0)
                        return -errno;
        }
        return 0;
}

static int raise_ambient(uint64_t set) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -errno;
        for (unsigned c = 0; c < 64; c++)
                if (set & UINT64_C(1) << c && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
                        return -errno;
        return 0;
}

int step_identity(Launch *l) {
        const RuntimeProcess *p = l->process;
        uint64_t have = 0, load = l->sandbox->filter && !p->no_new_privileges ? UINT64_C(1) << CAP_SYS_ADMIN : 0;
        int r;

        if (prctl(PR_SET_KEEPCAPS, 1) < 0)
                return -errno;
        if (setgroups(l->n_groups, l->groups) < 0 || setresgid(l->gid, l->gid, l->gid) < 0 ||
            setresuid(l->uid, l->uid, l->uid) < 0)
                return -errno;
        r = capabilities_get(&have);
        if (r < 0)
                return r;
        /* What this host cannot give (its own bounding set may lack something) is not asked for. */
        r = capabilities_set(((l->uid == 0 ? p->effective : p->ambient) | load) & have, (p->permitted | load) & have,
                             p->inheritable & have);
        if (r >= 0)
                r = raise_ambient(p->ambient & p->inheritable & p->permitted & have);
        if (r < 0)
                return launch_fail(l, r, "set capabilities");
        if (p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        (void) umask(022);
        return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}
