/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See seccomp-build.h. libseccomp makes the filter proper; before it goes a short one of our own, for calls newer than the profile. */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/seccomp-build.h"
#include "util/io.h"

#define NAME_MAX_SIZE 64
#define X32_BIT UINT32_C(0x40000000)
/* The longest part of the prologue for one architecture, see prologue_add(). */
#define PROLOGUE_MAX 7

static const SeccompFamily families[] = {
        { MACHINE_AMD64, SCMP_ARCH_X86_64, { SCMP_ARCH_X86, SCMP_ARCH_X32 } },
        { MACHINE_ARM64, SCMP_ARCH_AARCH64, { SCMP_ARCH_ARM } },
        { MACHINE_S390X, SCMP_ARCH_S390X, { SCMP_ARCH_S390 } },
};

static void filter_release(scmp_filter_ctx *filter) {
        seccomp_release(*filter);
}

SeccompFamily seccomp_family_native(SeccompMachine machine) {
        for (size_t i = 0; i < N_ELEMENTS(families); i++)
                if (families[i].machine == machine)
                        return families[i];
        return (SeccompFamily) { machine, seccomp_arch_native(), { 0 } };
}

/* Copies the next name of a rule into `name` and moves on. false: there is no more. */
static bool rule_next_name(const char **names, char name[NAME_MAX_SIZE]) {
        size_t n = strcspn(*names, " ");

        if (n == 0 || n >= NAME_MAX_SIZE)
                return false;
        memcpy(name, *names, n);
        name[n] = '\0';
        *names += n + ((*names)[n] == ' ');
        return true;
}

static int filter_add_rule(scmp_filter_ctx filter, const SeccompRule *rule, const char **ret_where) {
        static char name[NAME_MAX_SIZE];
        struct scmp_arg_cmp compare[1] = { {
                .arg = rule->argument,
                .op = rule->compare == COMPARE_EQUAL ? SCMP_CMP_EQ : SCMP_CMP_MASKED_EQ,
                .datum_a = rule->value, /* the mask of a masked comparison, whose datum_b is zero */
        } };
        unsigned n_compare = rule->compare == COMPARE_NOTHING ? 0 : 1;
        uint32_t action = rule->error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t) rule->error);

        for (const char *names = rule->names; rule_next_name(&names, name);) {
                int nr = seccomp_syscall_resolve_name(name), r;

                if (nr == __NR_SCMP_ERROR)
                        continue; /* newer than this libseccomp: refused, like all that it does not know */
                r = seccomp_rule_add_array(filter, action, nr, n_compare, compare);
                if (r < 0) {
                        *ret_where = name;
                        return r;
                }
        }
        return 0;
}

/* The highest number on this architecture of all calls that the rules name. */
static uint32_t newest_call(const SeccompSituation *situation, uint32_t arch) {
        char name[NAME_MAX_SIZE];
        int newest = 0;

        for (size_t i = 0; i < n_seccomp_rules; i++) {
                if (!seccomp_rule_applies(&seccomp_rules[i], situation))
                        continue;
                for (const char *names = seccomp_rules[i].names; rule_next_name(&names, name);)
                        newest = MAX_OF(newest, seccomp_syscall_resolve_name_arch(arch, name));
        }
        return (uint32_t) newest;
}

/* One architecture's part: calls beyond `newest` fail with ENOSYS, all else goes on to what follows. x32 is x86_64 to the kernel but for
 * a bit of the call's number; the call -1, which has the bit too, is beyond any. Returns the number of instructions. */
static size_t prologue_add(struct sock_filter *at, uint32_t arch, uint32_t newest) {
        size_t n = 0;
        bool bit_decides = arch == SCMP_ARCH_X86_64 || arch == SCMP_ARCH_X32;
        uint32_t audit_arch = arch == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : arch;

        at[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
        at[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit_arch, 0, bit_decides ? 4 : 3);
        at[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        if (bit_decides)
                at[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, X32_BIT,
                                                        arch == SCMP_ARCH_X32 ? 0 : 2, arch == SCMP_ARCH_X32 ? 2 : 0);
        at[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, newest, 0, 1);
        at[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
        return n;
}

/* libseccomp 2.5 can only write to a descriptor. */
static int filter_export(scmp_filter_ctx filter, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
        int r;

        if (fd < 0)
                return negative_errno();
        r = seccomp_export_bpf(filter, fd);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return negative_errno();
        return fd_read_all(fd, BPF_MAXINSNS * sizeof(struct sock_filter), ret, ret_size);
}

static int filter_new(const SeccompSituation *situation, const uint32_t *arches, size_t n_arches,
                      scmp_filter_ctx *ret, const char **ret_where) {
        _cleanup_(filter_release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r;

        if (!filter)
                return -ENOMEM;
        /* A tree of comparisons instead of a list: it loads in half the time. */
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        for (size_t i = 0; r >= 0 && i < n_arches; i++)
                if (arches[i] != seccomp_arch_native())
                        r = seccomp_arch_add(filter, arches[i]);
        if (r >= 0 && arches[0] != seccomp_arch_native())
                r = seccomp_arch_remove(filter, seccomp_arch_native());
        for (size_t i = 0; r >= 0 && i < n_seccomp_rules; i++)
                if (seccomp_rule_applies(&seccomp_rules[i], situation))
                        r = filter_add_rule(filter, &seccomp_rules[i], ret_where);
        if (r < 0)
                return r;
        *ret = TAKE(filter);
        return 0;
}

int seccomp_build(const SeccompSituation *situation, const SeccompFamily *family,
                  struct sock_filter **ret, size_t *ret_n, const char **ret_where) {
        _cleanup_(filter_release) scmp_filter_ctx filter = NULL;
        _cleanup_free_ struct sock_filter *whole = NULL;
        _cleanup_free_ char *tail = NULL;
        uint32_t arches[] = { family->native, family->others[0], family->others[1] };
        size_t n_arches = 0, size = 0, n = 0;
        int r;

        *ret_where = NULL;
        while (n_arches < N_ELEMENTS(arches) && arches[n_arches] != 0)
                n_arches++;
        r = filter_new(situation, arches, n_arches, &filter, ret_where);
        if (r < 0)
                return r;
        r = filter_export(filter, &tail, &size);
        if (r < 0)
                return r;

        whole = calloc(n_arches * PROLOGUE_MAX + size / sizeof(*whole), sizeof(*whole));
        if (!whole)
                return -ENOMEM;
        for (size_t i = 0; i < n_arches; i++)
                n += prologue_add(whole + n, arches[i], newest_call(situation, arches[i]));
        memcpy(whole + n, tail, size);
        n += size / sizeof(*whole);
        if (n > BPF_MAXINSNS)
                return -E2BIG;
        *ret = TAKE(whole);
        *ret_n = n;
        return 0;
}
