/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The probe's sections about the process itself. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static const char *const capability_names[] = {
        "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
        "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot",
        "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
        "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
        "perfmon", "bpf", "checkpoint_restore",
};

/* One line a capability and set, so that a difference is a line. */
void probe_capabilities(void) {
        static const char *const sets[][2] = {
                { "CapInh", "inheritable" }, { "CapPrm", "permitted" }, { "CapEff", "effective" }, { "CapBnd", "bounding" },
                { "CapAmb", "ambient" },
        };

        for (size_t i = 0; i < N_ELEMENTS(sets); i++) {
                const char *text = status_value(sets[i][0]);
                uint64_t mask = text ? strtoull(text, NULL, 16) : 0;

                if (mask == 0)
                        report("%s (none)", sets[i][1]);
                for (size_t bit = 0; bit < 64; bit++)
                        if (mask & UINT64_C(1) << bit)
                                report("%s %s", sets[i][1], bit < N_ELEMENTS(capability_names) ? capability_names[bit] : "(unknown)");
        }
        report("securebits %#x", (unsigned) prctl(PR_GET_SECUREBITS));
        report("no_new_privs %s", status_value("NoNewPrivs"));
}

void probe_cgroup(void) {
        char *copy = strdup(file_text("/proc/self/cgroup")), *state = NULL;
        struct stat st;

        for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                report("of this process: %s", line);
        free(copy);
        if (stat("/sys/fs/cgroup", &st) == 0)
                report("/sys/fs/cgroup mode %04o owner %u:%u", st.st_mode & 07777, st.st_uid, st.st_gid);
        report("/sys/fs/cgroup/cgroup.procs %s", access("/sys/fs/cgroup/cgroup.procs", R_OK) == 0 ? "readable" : errno_text(errno));
        report("/sys/fs/cgroup/cgroup.procs for writing: %s",
               access("/sys/fs/cgroup/cgroup.procs", W_OK) == 0 ? "yes" : errno_text(errno));
        /* Only a cgroup that is no root has this file: how the root of the namespace looks. */
        report("cgroup.type %s", file_text("/sys/fs/cgroup/cgroup.type"));
}

void probe_environment(void) {
        for (char **e = environ; *e; e++)
                report("%s", *e);
}

void probe_ids(void) {
        static const char *const maps[] = { "uid_map", "gid_map" };
        uid_t u[3];
        gid_t g[3], groups[256];
        int n;

        getresuid(&u[0], &u[1], &u[2]);
        getresgid(&g[0], &g[1], &g[2]);
        report("uid %u %u %u fs %d", u[0], u[1], u[2], setfsuid((uid_t) -1));
        report("gid %u %u %u fs %d", g[0], g[1], g[2], setfsgid((gid_t) -1));
        n = getgroups(N_ELEMENTS(groups), groups);
        if (n <= 0)
                report("group (none)");
        for (int i = 0; i < n; i++)
                report("group %u", groups[i]);
        for (size_t i = 0; i < N_ELEMENTS(maps); i++) {
                char path[64], *state = NULL, *copy;
                unsigned inside, outside, size;

                snprintf(path, sizeof(path), "/proc/self/%s", maps[i]);
                copy = strdup(file_text(path));
                for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                        if (sscanf(line, "%u %u %u", &inside, &outside, &size) == 3)
                                report("%s %u %u %u", maps[i], inside, outside, size);
                free(copy);
        }
        report("setgroups %s", file_text("/proc/self/setgroups"));
        report("loginuid %s", file_text("/proc/self/loginuid"));
}

/* A container's filter forbids the question; then it cannot see another's keyring either. */
void probe_keyring(void) {
        char text[256];
        long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text));

        report("session %s", n < 0 ? errno_text(errno) : text);
        report("/proc/keys %s", *file_text("/proc/keys") ? "has content" : "is empty");
}

static void report_limit(const char *name, unsigned long long soft, unsigned long long hard) {
        char text[2][32];
        unsigned long long value[] = { soft, hard };

        for (size_t i = 0; i < 2; i++)
                if (value[i] == RLIM_INFINITY)
                        snprintf(text[i], sizeof(text[i]), "unlimited");
                else
                        snprintf(text[i], sizeof(text[i]), "%llu", value[i]);
        report("%s %s %s", name, text[0], text[1]);
}

void probe_limits(void) {
        static const struct { const char *name; __rlimit_resource_t resource; } limits[] = {
                { "as", RLIMIT_AS }, { "core", RLIMIT_CORE }, { "cpu", RLIMIT_CPU }, { "data", RLIMIT_DATA }, { "fsize", RLIMIT_FSIZE },
                { "locks", RLIMIT_LOCKS }, { "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
                { "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC }, { "rss", RLIMIT_RSS }, { "rtprio", RLIMIT_RTPRIO },
                { "rttime", RLIMIT_RTTIME }, { "sigpending", RLIMIT_SIGPENDING }, { "stack", RLIMIT_STACK },
        };

        for (size_t i = 0; i < N_ELEMENTS(limits); i++) {
                struct rlimit limit;
                if (getrlimit(limits[i].resource, &limit) == 0)
                        report_limit(limits[i].name, limit.rlim_cur, limit.rlim_max);
        }
}

void probe_namespaces(void) {
        static const char *const kinds[] = { "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts" };

        for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
                char path[64], target[64] = "";

                snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
                if (readlink(path, target, sizeof(target) - 1) < 0)
                        snprintf(target, sizeof(target), "%s", errno_text(errno));
                report("%s %s", kinds[i], target);
        }
}

static unsigned count_processes(void) {
        DIR *dir = opendir("/proc");
        unsigned n = 0;

        for (struct dirent *e; dir && (e = readdir(dir));)
                n += e->d_name[0] >= '1' && e->d_name[0] <= '9';
        if (dir)
                closedir(dir);
        return n;
}

void probe_process(void) {
        struct sched_param param = { 0 };
        char cwd[4096];
        mode_t mask = umask(0);
        int value;

        umask(mask);
        report("umask %04o", mask);
        report("oom_score_adj %s", file_text("/proc/self/oom_score_adj"));
        report("dumpable %d", prctl(PR_GET_DUMPABLE));
        report("personality %#x", (unsigned) personality(0xffffffff));
        report("timerslack %d", prctl(PR_GET_TIMERSLACK));
        report("scheduler %d priority %d nice %d", sched_getscheduler(0), sched_getparam(0, &param) == 0 ? param.sched_priority : -1,
               getpriority(PRIO_PROCESS, 0));
        report("io priority %ld", syscall(SYS_ioprio_get, 1, 0));
        if (prctl(PR_GET_PDEATHSIG, &value) == 0)
                report("parent-death signal %d", value);
        if (prctl(PR_GET_CHILD_SUBREAPER, &value) == 0)
                report("child subreaper %d", value);
        report("transparent huge pages disabled %d", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
        report("coredump_filter %s", file_text("/proc/self/coredump_filter"));
        report("working directory %s", getcwd(cwd, sizeof(cwd)) ? cwd : errno_text(errno));
        report("processes in sight %u", count_processes());
        report("threads %s", status_value("Threads"));
}

void probe_seccomp(void) {
        report("mode %s", status_value("Seccomp"));
        report("filters %s", status_value("Seccomp_filters"));
}

void probe_session(void) {
        int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

        report("controlling terminal %s", tty >= 0 ? "yes" : errno_text(errno));
        if (tty >= 0)
                close(tty);
        report("pid %d", getpid());
        report("parent %d", getppid());
        report("session %s", getsid(0) == getpid() ? "leader" : getsid(0) == 0 ? "of another pid namespace" : "of another process");
        report("process group %s", getpgrp() == getpid() ? "leader" : getpgrp() == 0 ? "of another pid namespace" : "of another process");
}

void probe_signals(void) {
        static const char *const keys[] = { "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt" };

        for (size_t i = 0; i < N_ELEMENTS(keys); i++)
                report("%s %s", keys[i], status_value(keys[i]));
}

/* Calls with arguments that do nothing where they are allowed: what comes back tells the filter from the kernel. */
void probe_syscalls(void) {
        static const struct { const char *name; long number, argument[4]; } calls[] = {
                { "acct",              SYS_acct,              { 1 }              },
                { "add_key",           SYS_add_key,           { 0 }              },
                { "bpf",               SYS_bpf,               { -1 }             },
                { "chroot",            SYS_chroot,            { 0 }              },
                { "clone3",            SYS_clone3,            { 0 }              },
                { "fchmodat2",         452,                   { -1 }             },
                { "finit_module",      SYS_finit_module,      { -1 }             },
                { "fsopen",            SYS_fsopen,            { 0 }              },
                { "init_module",       SYS_init_module,       { 0, -1 }          },
                { "io_uring_setup",    SYS_io_uring_setup,    { 0 }              },
                { "kcmp",              SYS_kcmp,              { 0, 0, 99 }       },
                { "kexec_load",        SYS_kexec_load,        { 0, -1, 0, -1 }   },
                { "keyctl",            SYS_keyctl,            { -1 }             },
                { "landlock",          SYS_landlock_create_ruleset, { 1, 0, -1 } },
                { "mbind",             SYS_mbind,             { 1 }              },
                { "mount",             SYS_mount,             { 1, 1, 1 }        },
                { "move_pages",        SYS_move_pages,        { -1, 0, 0, 0 }    },
                { "name_to_handle_at", SYS_name_to_handle_at, { -1 }             },
                { "nonexistent",       1000,                  { 0 }              },
                { "open_by_handle_at", SYS_open_by_handle_at, { -1, 0 }          },
                { "open_tree",         SYS_open_tree,         { -1, 1 }          },
                { "perf_event_open",   SYS_perf_event_open,   { 0 }              },
                { "personality other", SYS_personality,       { 0x40000000 }     },
                { "pidfd_getfd",       SYS_pidfd_getfd,       { -1, -1 }         },
                { "pivot_root",        SYS_pivot_root,        { 0 }              },
                { "process_vm_readv",  SYS_process_vm_readv,  { -1 }             },
                { "ptrace",            SYS_ptrace,            { -1 }             },
                { "quotactl",          SYS_quotactl,          { -1 }             },
                { "reboot",            SYS_reboot,            { 0 }              },
                { "request_key",       SYS_request_key,       { 0 }              },
                { "sethostname",       SYS_sethostname,       { 0, -1 }          },
                { "setns",             SYS_setns,             { -1 }             },
                { "settimeofday",      SYS_settimeofday,      { 1 }              },
                { "swapon",            SYS_swapon,            { 0 }              },
                { "syslog",            SYS_syslog,            { -1 }             },
                { "umount2",           SYS_umount2,           { 0, -1 }          },
                { "unshare nothing",   SYS_unshare,           { 0 }              },
                { "unshare user",      SYS_unshare,           { CLONE_NEWUSER | 1 } },
                { "userfaultfd",       SYS_userfaultfd,       { -1 }             },
        };

        for (size_t i = 0; i < N_ELEMENTS(calls); i++) {
                const long *a = calls[i].argument;
                long r = syscall(calls[i].number, a[0], a[1], a[2], a[3]);
                report("%s %s", calls[i].name, r < 0 ? errno_text(errno) : "allowed");
        }
}
