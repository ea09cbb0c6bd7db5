/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step: resource limits and the OOM score of the process that waits. By the monitor: to raise a hard limit, or to lower
 * the score, takes a capability of the host's, which nobody in the container has. Whatever the configuration lists,
 * somebody asked for, so a host that cannot give it (without CAP_SYS_RESOURCE) is a failure that is said, never a limit
 * that is silently another. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/fs.h"
#include "util/io.h"

static const char *const limit_names[RLIM_NLIMITS] = {
        [RLIMIT_AS] = "as",                [RLIMIT_CORE] = "core",            [RLIMIT_CPU] = "cpu",
        [RLIMIT_DATA] = "data",            [RLIMIT_FSIZE] = "fsize",          [RLIMIT_LOCKS] = "locks",
        [RLIMIT_MEMLOCK] = "memlock",      [RLIMIT_MSGQUEUE] = "msgqueue",    [RLIMIT_NICE] = "nice",
        [RLIMIT_NOFILE] = "nofile",        [RLIMIT_NPROC] = "nproc",          [RLIMIT_RSS] = "rss",
        [RLIMIT_RTPRIO] = "rtprio",        [RLIMIT_RTTIME] = "rttime",        [RLIMIT_SIGPENDING] = "sigpending",
        [RLIMIT_STACK] = "stack",
};

/* Of the program that launches, as it was started. */
static struct rlimit open_files;
static bool open_files_kept;

int sandbox_keep_limits(void) {
        struct rlimit all;

        if (getrlimit(RLIMIT_NOFILE, &open_files) < 0)
                return -errno;
        all = (struct rlimit) { .rlim_cur = open_files.rlim_max, .rlim_max = open_files.rlim_max };
        if (setrlimit(RLIMIT_NOFILE, &all) < 0)
                return -errno;
        open_files_kept = true;
        return 0;
}

static int set_oom_score_adj(pid_t pid, int32_t wanted) {
        char path[64], text[16];

        snprintf(path, sizeof(path), "/proc/%i/oom_score_adj", (int) pid);
        int n = snprintf(text, sizeof(text), "%i", wanted);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd_write_all(fd, text, (size_t) n);
}

int step_limits(Launch *l) {
        int r;

        if (open_files_kept && prlimit(l->pid, RLIMIT_NOFILE, &open_files, NULL) < 0)
                return launch_fail(l, -errno, "set the limit of open files");
        for (size_t i = 0; i < l->process->n_rlimits; i++) {
                const RuntimeRlimit *limit = l->process->rlimits + i;
                if (prlimit(l->pid, limit->resource, &limit->limit, NULL) < 0)
                        return launch_fail(l, -errno, "set the limit %s to %llu:%llu", limit_names[limit->resource],
                                           (unsigned long long) limit->limit.rlim_cur,
                                           (unsigned long long) limit->limit.rlim_max);
        }
        if (l->process->has_oom_score_adj) {
                r = set_oom_score_adj(l->pid, l->process->oom_score_adj);
                if (r < 0)
                        return launch_fail(l, r, "set the OOM score adjustment to %i", l->process->oom_score_adj);
        }
        return 0;
}
