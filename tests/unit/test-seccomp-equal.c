/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our filters against Docker's default profile. The profile is moby's own default.json; a plain evaluator here says what it means for one
 * call, without BPF, and the filter that the worker would install must say the same: for every call that there is or may come, on every
 * architecture of the machine, for the values around all that is compared, with and without each capability that matters. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "runtime/seccomp-build.h"
#include "seccomp-interpreter.h"
#include "util/json.h"
#include "util/strv.h"

#define X32_BIT UINT32_C(0x40000000)
#define CALLS 1024           /* numbers of calls that are tried, from 0 */
#define RULES_MAX 2048
#define VALUES_MAX 256
#define DIFFERENCES_SHOWN 20

/* Where tools/install-packages puts it, and where the Debian package golang-github-docker-docker-dev does. */
static const char *const profile_paths[] = {
        "/var/cache/berth-files/moby-seccomp.json",
        "/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json",
};

/* Docker's default, as in its documentation. */
static const int default_capabilities[] = {
        CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER, CAP_MKNOD, CAP_NET_RAW, CAP_SETGID, CAP_SETUID, CAP_SETFCAP, CAP_SETPCAP,
        CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL, CAP_AUDIT_WRITE,
};

/* A line of the profile that applies: one call, what happens, and the comparisons that must all hold. */
typedef struct Rule {
        const char *name;
        uint32_t action;
        json_object *arguments; /* array or NULL */
} Rule;

typedef struct Machine {
        const char *docker_name;
        SeccompFamily family;
} Machine;

static const Machine machines[] = {
        { "amd64", { MACHINE_AMD64, SCMP_ARCH_X86_64, { SCMP_ARCH_X86, SCMP_ARCH_X32 } } },
        { "arm64", { MACHINE_ARM64, SCMP_ARCH_AARCH64, { SCMP_ARCH_ARM } } },
};

static json_object *profile;
static uint64_t values[VALUES_MAX]; /* arguments that are tried */
static size_t n_values;
static unsigned n_differences;
static unsigned long n_compared;

/* --- What default.json means --- */

/* Anything that this evaluator does not know would be judged wrongly, so it is a failure of the test. */
static void only_keys(json_object *object, const char *known) {
        json_object_object_foreach(object, key, value) {
                char pattern[64];
                (void) value;
                snprintf(pattern, sizeof(pattern), "|%s|", key);
                if (!strstr(known, pattern))
                        fail_msg("the profile has a key '%s' that this test knows nothing of", key);
        }
}

static bool array_has(json_object *array, const char *text) {
        for (size_t i = 0; array && i < json_object_array_length(array); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(array, i)), text))
                        return true;
        return false;
}

static uint64_t capability_named(const char *name) {
        char lower[32];
        cap_value_t value;

        snprintf(lower, sizeof(lower), "%s", name);
        for (char *p = lower; *p; p++)
                *p = (char) (*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
        assert_int_equal(cap_from_name(lower, &value), 0);
        return UINT64_C(1) << value;
}

/* How many of the capabilities are there, and how many are named. */
static void count_capabilities(json_object *array, uint64_t capabilities, size_t *ret_named, size_t *ret_there) {
        *ret_named = array ? json_object_array_length(array) : 0;
        *ret_there = 0;
        for (size_t i = 0; i < *ret_named; i++)
                *ret_there += (capabilities & capability_named(json_object_get_string(json_object_array_get_idx(array, i)))) != 0;
}

static bool kernel_reaches(json_object *object, unsigned kernel) {
        unsigned least;
        const char *text = json_get_string(object, "minKernel");

        if (!text)
                return true;
        assert_int_equal(seccomp_parse_kernel(text, &least), 0);
        return kernel >= least;
}

static bool line_applies(json_object *line, const char *machine, const SeccompSituation *situation) {
        json_object *includes = json_get(line, "includes"), *excludes = json_get(line, "excludes");
        size_t named, there;

        only_keys(line, "|names|action|errnoRet|args|comment|includes|excludes|");
        only_keys(includes, "|caps|arches|minKernel|");
        only_keys(excludes, "|caps|arches|");

        if (array_has(json_get(excludes, "arches"), machine))
                return false;
        count_capabilities(json_get(excludes, "caps"), situation->capabilities, &named, &there);
        if (there > 0)
                return false;
        if (json_get(includes, "arches") && !array_has(json_get(includes, "arches"), machine))
                return false;
        count_capabilities(json_get(includes, "caps"), situation->capabilities, &named, &there);
        return there == named && kernel_reaches(includes, situation->kernel);
}

static uint32_t line_action(json_object *line) {
        const char *action = json_get_string(line, "action");
        json_object *number = json_get(line, "errnoRet");

        if (streq(action, "SCMP_ACT_ALLOW"))
                return SECCOMP_RET_ALLOW;
        assert_string_equal(action, "SCMP_ACT_ERRNO");
        return SECCOMP_RET_ERRNO | (number ? (uint32_t) json_object_get_int(number) : EPERM);
}

static size_t select_rules(const char *machine, const SeccompSituation *situation, Rule rules[RULES_MAX]) {
        json_object *lines = json_get(profile, "syscalls");
        size_t n = 0;

        for (size_t i = 0; i < json_object_array_length(lines); i++) {
                json_object *line = json_object_array_get_idx(lines, i), *names = json_get(line, "names");
                json_object *arguments = json_get(line, "args");

                if (!line_applies(line, machine, situation))
                        continue;
                if (arguments && json_object_array_length(arguments) == 0)
                        arguments = NULL;
                for (size_t k = 0; k < json_object_array_length(names); k++) {
                        assert_true(n < RULES_MAX);
                        rules[n++] = (Rule) {
                                json_object_get_string(json_object_array_get_idx(names, k)), line_action(line), arguments,
                        };
                }
        }
        return n;
}

static bool argument_matches(json_object *comparison, const struct seccomp_data *data, bool narrow) {
        uint64_t index, value, other = 0, argument;
        const char *op = json_get_string(comparison, "op");

        only_keys(comparison, "|index|value|valueTwo|op|");
        index = json_object_get_uint64(json_get(comparison, "index"));
        value = json_object_get_uint64(json_get(comparison, "value"));
        if (json_get(comparison, "valueTwo"))
                other = json_object_get_uint64(json_get(comparison, "valueTwo"));
        assert_true(index < 6);
        argument = narrow ? (uint32_t) data->args[index] : data->args[index];
        if (streq(op, "SCMP_CMP_EQ"))
                return argument == value;
        assert_string_equal(op, "SCMP_CMP_MASKED_EQ");
        return (argument & value) == other;
}

/* Does any rule for this call depend on arguments? */
static bool call_has_comparison(const Rule *rules, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (streq(rules[i].name, name) && rules[i].arguments)
                        return true;
        return false;
}

/* On an architecture of 32 bits (x32 is one to libseccomp) only these are compared. */
static uint32_t evaluate(const Rule *rules, size_t n, const char *name, bool narrow, const struct seccomp_data *data) {
        for (size_t i = 0; i < n; i++) {
                bool matches = streq(rules[i].name, name);
                for (size_t k = 0; matches && rules[i].arguments && k < json_object_array_length(rules[i].arguments); k++)
                        matches = argument_matches(json_object_array_get_idx(rules[i].arguments, k), data, narrow);
                if (matches)
                        return rules[i].action;
        }
        return SECCOMP_RET_ERRNO | EPERM;
}

/* runc: what is newer than all that the profile names is not there. */
static uint32_t newest_of_profile(const Rule *rules, size_t n, uint32_t arch) {
        int newest = 0;

        for (size_t i = 0; i < n; i++)
                newest = MAX_OF(newest, seccomp_syscall_resolve_name_arch(arch, rules[i].name));
        return (uint32_t) newest;
}

/* --- The comparison --- */

static void value_add(uint64_t value) {
        assert_true(n_values < VALUES_MAX);
        values[n_values++] = value;
}

/* Around everything that the profile compares, every single bit, and with the upper half set. */
static void collect_values(void) {
        json_object *lines = json_get(profile, "syscalls");

        value_add(0);
        value_add(UINT64_MAX);
        for (unsigned bit = 0; bit < 64; bit++)
                value_add(UINT64_C(1) << bit);
        for (size_t i = 0; i < json_object_array_length(lines); i++) {
                json_object *arguments = json_get(json_object_array_get_idx(lines, i), "args");
                for (size_t k = 0; arguments && k < json_object_array_length(arguments); k++) {
                        uint64_t v = json_object_get_uint64(json_get(json_object_array_get_idx(arguments, k), "value"));
                        value_add(v);
                        value_add(v - 1);
                        value_add(v + 1);
                        value_add(~v);
                        value_add(v | UINT64_C(1) << 32);
                        value_add(v | UINT64_C(0xffffffff) << 32);
                }
        }
}

typedef struct Comparison {
        const struct sock_filter *filter;
        size_t n_filter;
        const Rule *rules;
        size_t n_rules;
        const SeccompSituation *situation;
        uint32_t arch, newest;
        bool narrow;
} Comparison;

/* Returns whether the filter looked at the arguments. */
static bool compare_call(const Comparison *c, const char *name, const struct seccomp_data *data) {
        bool looked = false;
        uint32_t wanted, got;

        if ((uint32_t) data->nr > c->newest)
                wanted = SECCOMP_RET_ERRNO | ENOSYS;
        else
                wanted = evaluate(c->rules, c->n_rules, name, c->narrow, data);
        got = filter_run(c->filter, c->n_filter, data, &looked);
        n_compared++;
        if (got != wanted && n_differences++ < DIFFERENCES_SHOWN)
                print_error("%s (%#x) on %#x, arguments %#llx %#llx %#llx, capabilities %#llx, kernel %#x: is %#x, should be %#x\n",
                            name, (unsigned) data->nr, c->arch, (unsigned long long) data->args[0],
                            (unsigned long long) data->args[1], (unsigned long long) data->args[2],
                            (unsigned long long) c->situation->capabilities, c->situation->kernel, got, wanted);
        return looked;
}

static void compare_number(const Comparison *c, uint32_t nr) {
        char *resolved = seccomp_syscall_resolve_num_arch(c->arch, (int) nr);
        const char *name = resolved ? resolved : "(unknown)";
        struct seccomp_data data = { .nr = (int) nr, .arch = c->arch == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : c->arch };
        bool looks = compare_call(c, name, &data);

        memset(data.args, 0xff, sizeof(data.args));
        if (c->narrow && c->arch != SCMP_ARCH_X32)
                for (size_t i = 0; i < N_ELEMENTS(data.args); i++)
                        data.args[i] = UINT32_MAX;
        looks |= compare_call(c, name, &data);
        looks |= call_has_comparison(c->rules, c->n_rules, name);

        /* If neither side looks at the arguments, one value of them speaks for all. */
        for (size_t k = 0; looks && k < n_values * N_ELEMENTS(data.args) * 2; k++) {
                size_t which = k / n_values / 2;
                bool narrow_register = c->narrow && c->arch != SCMP_ARCH_X32;

                memset(data.args, k & 1 ? 0xff : 0, sizeof(data.args));
                data.args[which] = values[k / 2 % n_values];
                for (size_t i = 0; narrow_register && i < N_ELEMENTS(data.args); i++)
                        data.args[i] &= UINT32_MAX;
                compare_call(c, name, &data);
        }
        free(resolved);
}

/* Numbers from `base`, and the far ends. */
static void compare_arch(Comparison *c, uint32_t arch) {
        static const uint32_t odd[] = { 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xffffffff, 0x3fffffff, 0x20000000, 0x10000 };
        uint32_t base = arch == SCMP_ARCH_X32 ? X32_BIT : 0;

        c->arch = arch;
        c->newest = newest_of_profile(c->rules, c->n_rules, arch);
        c->narrow = arch == SCMP_ARCH_X86 || arch == SCMP_ARCH_X32 || arch == SCMP_ARCH_ARM;
        for (uint32_t nr = 0; nr < CALLS; nr++)
                compare_number(c, base + nr);
        if (arch == SCMP_ARCH_ARM) /* its private calls */
                for (uint32_t nr = 0xeffff; nr < 0xf0010; nr++)
                        compare_number(c, nr);
        for (size_t i = 0; i < N_ELEMENTS(odd); i++)
                if ((arch != SCMP_ARCH_X86_64 && arch != SCMP_ARCH_X32) || (odd[i] & X32_BIT) == base)
                        compare_number(c, odd[i]);
}

static void compare_situation(const Machine *machine, uint64_t capabilities, unsigned kernel) {
        static Rule rules[RULES_MAX];
        SeccompSituation situation = { capabilities, machine->family.machine, kernel };
        _cleanup_free_ struct sock_filter *filter = NULL;
        struct seccomp_data foreign = { .nr = 1, .arch = SCMP_ARCH_MIPSEL64 };
        Comparison c = { .rules = rules, .situation = &situation };
        const char *where;
        bool looked = false;

        assert_int_equal(seccomp_build(&situation, &machine->family, &filter, &c.n_filter, &where), 0);
        c.filter = filter;
        c.n_rules = select_rules(machine->docker_name, &situation, rules);
        assert_true(c.n_rules > 300);
        compare_arch(&c, machine->family.native);
        for (size_t i = 0; i < N_ELEMENTS(machine->family.others); i++)
                if (machine->family.others[i] != 0)
                        compare_arch(&c, machine->family.others[i]);
        assert_int_equal(filter_run(c.filter, c.n_filter, &foreign, &looked), SECCOMP_RET_KILL_THREAD);
}

static uint64_t docker_default(void) {
        uint64_t mask = 0;
        for (size_t i = 0; i < N_ELEMENTS(default_capabilities); i++)
                mask |= CAPABILITY(default_capabilities[i]);
        return mask;
}

static void compare_machine(const Machine *machine) {
        const uint64_t all = (UINT64_C(1) << (CAP_LAST_CAP + 1)) - 1, usual = docker_default(), looked_at = seccomp_profile_capabilities();
        const unsigned kernel = KERNEL_VERSION_OF(6, 1);

        n_differences = 0;
        n_compared = 0;
        compare_situation(machine, usual, kernel);
        compare_situation(machine, 0, kernel);
        compare_situation(machine, all, kernel);
        compare_situation(machine, all & ~looked_at, kernel);
        compare_situation(machine, usual, KERNEL_VERSION_OF(4, 7));
        compare_situation(machine, usual, KERNEL_VERSION_OF(4, 8));
        compare_situation(machine, all, KERNEL_VERSION_OF(3, 10));
        for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
                if (looked_at & CAPABILITY(i)) {
                        compare_situation(machine, CAPABILITY(i), kernel);
                        compare_situation(machine, usual | CAPABILITY(i), kernel);
                        compare_situation(machine, all & ~CAPABILITY(i), kernel);
                }
        print_message("%s: %lu calls compared, %u differences\n", machine->docker_name, n_compared, n_differences);
        assert_int_equal(n_differences, 0);
}

static void need_profile(void) {
        if (profile)
                return;
        print_message("moby's profile is not on this machine: tools/install-packages files brings it\n");
        skip();
}

static void test_amd64(void **state) {
        need_profile();
        compare_machine(&machines[0]);
}

static void test_arm64(void **state) {
        need_profile();
        compare_machine(&machines[1]);
}

/* The capabilities that the cache's names are made of are those that moby's profile looks at, no fewer. */
static void test_capabilities_of_profile(void **state) {
        uint64_t moby = 0;

        need_profile();
        json_object *lines = json_get(profile, "syscalls");
        for (size_t i = 0; i < json_object_array_length(lines); i++) {
                json_object *line = json_object_array_get_idx(lines, i);
                json_object *lists[] = { json_get(line, "includes.caps"), json_get(line, "excludes.caps") };
                for (size_t l = 0; l < N_ELEMENTS(lists); l++)
                        for (size_t k = 0; lists[l] && k < json_object_array_length(lists[l]); k++)
                                moby |= capability_named(json_object_get_string(json_object_array_get_idx(lists[l], k)));
        }
        assert_int_equal(moby, seccomp_profile_capabilities());
}

/* The architectures that belong together, and the default, are in the same file. */
static void test_frame_of_profile(void **state) {
        need_profile();
        only_keys(profile, "|defaultAction|archMap|syscalls|");
        assert_string_equal(json_get_string(profile, "defaultAction"), "SCMP_ACT_ERRNO");
        json_object *map = json_get(profile, "archMap");
        unsigned found = 0;
        for (size_t i = 0; i < json_object_array_length(map); i++) {
                json_object *row = json_object_array_get_idx(map, i), *others = json_get(row, "subArchitectures");
                for (size_t m = 0; m < N_ELEMENTS(machines); m++) {
                        SeccompFamily ours = seccomp_family_native(machines[m].family.machine);
                        const char *native = machines[m].family.machine == MACHINE_AMD64 ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64";
                        if (!streq(json_get_string(row, "architecture"), native))
                                continue;
                        found++;
                        assert_memory_equal(&ours, &machines[m].family, sizeof(ours));
                        assert_int_equal(json_object_array_length(others), machines[m].family.others[1] != 0 ? 2 : 1);
                }
        }
        assert_int_equal(found, N_ELEMENTS(machines));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_frame_of_profile),
                cmocka_unit_test(test_capabilities_of_profile),
                cmocka_unit_test(test_amd64),
                cmocka_unit_test(test_arm64),
        };
        int r;

        for (size_t i = 0; !profile && i < N_ELEMENTS(profile_paths); i++)
                if (access(profile_paths[i], R_OK) == 0 && json_read_file(AT_FDCWD, profile_paths[i], 1 << 20, &profile) < 0) {
                        fprintf(stderr, "%s is there, but cannot be read as JSON\n", profile_paths[i]);
                        return EXIT_FAILURE;
                }
        if (profile)
                collect_values();
        r = cmocka_run_group_tests(tests, NULL, NULL);
        json_object_put(profile);
        return r;
}
