/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See seccomp-profile.h. The names of a rule are one string, so that berthd, which only needs the hash, has nothing to relocate. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "runtime/seccomp-profile.h"

#define CAN_ADMIN CAPABILITY(CAP_SYS_ADMIN)

/* CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET */
#define CLONE_NEW_NAMESPACES UINT64_C(0x7e020000)

const SeccompRule seccomp_rules[] = {
        /* For everybody. */
        { .names =
          "accept accept4 access adjtimex alarm bind brk capget capset chdir chmod chown chown32 clock_adjtime "
          "clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
          "clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 "
          "epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit "
          "exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchown "
          "fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 "
          "fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_time64 futex_waitv futimesat get_robust_list "
          "get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups "
          "getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 "
          "getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 "
          "getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents "
          "io_pgetevents io_pgetevents_time64 io_setup io_submit io_uring_enter io_uring_register io_uring_setup ioctl "
          "ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 "
          "lgetxattr link linkat listen listxattr llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 madvise "
          "membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 "
          "mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 "
          "mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat _newselect "
          "open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 poll ppoll ppoll_time64 prctl pread64 preadv "
          "preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink "
          "readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr rename renameat "
          "renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn "
          "rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max "
          "sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
          "sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield "
          "seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto "
          "set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 "
          "setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid "
          "setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget "
          "shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socket socketcall socketpair splice stat stat64 "
          "statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create "
          "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create "
          "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit "
          "umask uname unlink unlinkat utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write "
          "writev" },
        /* Before 4.8 a tracer could change a call after the filter had looked at it. */
        { .names = "ptrace", .if_kernel = KERNEL_VERSION_OF(4, 8) },

        /* PER_LINUX, PER_LINUX32, both with UNAME26, and the question what it is now. */
        { .names = "personality", .compare = COMPARE_EQUAL, .argument = 0, .value = 0x0 },
        { .names = "personality", .compare = COMPARE_EQUAL, .argument = 0, .value = 0x8 },
        { .names = "personality", .compare = COMPARE_EQUAL, .argument = 0, .value = 0x20000 },
        { .names = "personality", .compare = COMPARE_EQUAL, .argument = 0, .value = 0x20008 },
        { .names = "personality", .compare = COMPARE_EQUAL, .argument = 0, .value = 0xffffffff },

        /* New namespaces are for administrators. The flags of clone3 are in memory, where no filter sees them; told that it is not
         * there, a C library uses clone. */
        { .names = "clone", .if_not_capable = CAN_ADMIN, .if_not_machine = MACHINE_S390X,
          .compare = COMPARE_BITS_CLEAR, .argument = 0, .value = CLONE_NEW_NAMESPACES },
        { .names = "clone", .if_not_capable = CAN_ADMIN, .if_machine = MACHINE_S390X,
          .compare = COMPARE_BITS_CLEAR, .argument = 1, .value = CLONE_NEW_NAMESPACES },
        { .names = "clone3", .error = ENOSYS, .if_not_capable = CAN_ADMIN },

        /* By machine. */
        { .names = "sync_file_range2", .if_machine = MACHINE_PPC64LE },
        { .names = "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
          .if_machine = MACHINE_ARM | MACHINE_ARM64 },
        { .names = "arch_prctl", .if_machine = MACHINE_AMD64 },
        { .names = "modify_ldt", .if_machine = MACHINE_AMD64 | MACHINE_X86 },
        { .names = "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", .if_machine = MACHINE_S390X },

        /* By capability. */
        { .names = "open_by_handle_at", .if_capable = CAPABILITY(CAP_DAC_READ_SEARCH) },
        { .names =
          "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount "
          "name_to_handle_at open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount "
          "umount2 unshare",
          .if_capable = CAN_ADMIN },
        { .names = "reboot", .if_capable = CAPABILITY(CAP_SYS_BOOT) },
        { .names = "chroot", .if_capable = CAPABILITY(CAP_SYS_CHROOT) },
        { .names = "delete_module finit_module init_module", .if_capable = CAPABILITY(CAP_SYS_MODULE) },
        { .names = "acct", .if_capable = CAPABILITY(CAP_SYS_PACCT) },
        { .names = "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
          .if_capable = CAPABILITY(CAP_SYS_PTRACE) },
        { .names = "ioperm iopl", .if_capable = CAPABILITY(CAP_SYS_RAWIO) },
        { .names = "clock_settime settimeofday stime", .if_capable = CAPABILITY(CAP_SYS_TIME) },
        { .names = "vhangup", .if_capable = CAPABILITY(CAP_SYS_TTY_CONFIG) },
        { .names = "get_mempolicy mbind set_mempolicy", .if_capable = CAPABILITY(CAP_SYS_NICE) },
        { .names = "syslog", .if_capable = CAPABILITY(CAP_SYSLOG) },
};
const size_t n_seccomp_rules = N_ELEMENTS(seccomp_rules);

bool seccomp_rule_applies(const SeccompRule *rule, const SeccompSituation *situation) {
        if ((situation->capabilities & rule->if_capable) != rule->if_capable)
                return false;
        if (situation->capabilities & rule->if_not_capable)
                return false;
        if (rule->if_machine && !(situation->machine & rule->if_machine))
                return false;
        if (situation->machine & rule->if_not_machine)
                return false;
        return situation->kernel >= rule->if_kernel;
}

static SeccompMachine machine_of_this_build(void) {
#if defined(__x86_64__)
        return MACHINE_AMD64;
#elif defined(__i386__)
        return MACHINE_X86;
#elif defined(__aarch64__)
        return MACHINE_ARM64;
#elif defined(__arm__)
        return MACHINE_ARM;
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        return MACHINE_PPC64LE;
#elif defined(__s390x__)
        return MACHINE_S390X;
#else
        return MACHINE_OTHER;
#endif
}

int seccomp_parse_kernel(const char *release, unsigned *ret) {
        unsigned major, minor;

        if (sscanf(release, "%5u.%5u", &major, &minor) != 2 || major > 0x7fff || minor > 0xffff)
                return -EINVAL;
        *ret = KERNEL_VERSION_OF(major, minor);
        return 0;
}

int seccomp_situation_now(uint64_t capabilities, SeccompSituation *ret) {
        SeccompSituation s = { .capabilities = capabilities, .machine = machine_of_this_build() };
        struct utsname name;
        int r;

        if (uname(&name) < 0)
                return negative_errno();
        r = seccomp_parse_kernel(name.release, &s.kernel);
        if (r < 0)
                return r;
        *ret = s;
        return 0;
}

uint64_t seccomp_profile_capabilities(void) {
        uint64_t all = 0;

        for (size_t i = 0; i < n_seccomp_rules; i++)
                all |= seccomp_rules[i].if_capable | seccomp_rules[i].if_not_capable;
        return all;
}

/* FNV-1a. Nobody chooses what goes in, so it need not withstand anybody. */
static void hash_add(uint64_t *hash, const void *data, size_t size) {
        for (size_t i = 0; i < size; i++)
                *hash = (*hash ^ ((const uint8_t *) data)[i]) * UINT64_C(0x100000001b3);
}

uint64_t seccomp_profile_hash(unsigned kernel) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < n_seccomp_rules; i++) {
                const SeccompRule *rule = &seccomp_rules[i];
                uint64_t numbers[] = {
                        (uint64_t) rule->error, rule->if_capable, rule->if_not_capable, rule->if_machine, rule->if_not_machine,
                        kernel >= rule->if_kernel, rule->compare, rule->argument, rule->value,
                };

                hash_add(&hash, rule->names, strlen(rule->names) + 1);
                hash_add(&hash, numbers, sizeof(numbers));
        }
        return hash;
}
