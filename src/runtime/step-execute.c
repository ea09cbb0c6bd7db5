/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: the last ones. The program is looked for as the user; the filter is loaded when nothing but execve is left to
 * be called under it. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/io.h"
#include "util/strv.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int step_seccomp_read(Launch *l) {
        const char *path = runtime_config_annotation(l->config, "seccomp");
        struct stat st;

        if (!path)
                return 0;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return launch_fail(l, -errno, "read the seccomp filter %s", path);
        if (!S_ISREG(st.st_mode) || st.st_size <= 0 ||
            (size_t) st.st_size > BPF_MAXINSNS * sizeof(struct sock_filter) ||
            (size_t) st.st_size % sizeof(struct sock_filter) != 0)
                return launch_refuse(l, 125, -EINVAL, "%s is no seccomp filter", path);
        void *filter = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (filter == MAP_FAILED)
                return -errno;
        l->sandbox->filter = filter;
        l->sandbox->filter_size = (size_t) st.st_size;
        return 0;
}

/* Docker's exit codes and words, which scripts know. */
static int refuse(Launch *l, int r, const char *what, const char *why) {
        return launch_refuse(l, r == -ENOENT || r == -ENOTDIR ? 127 : 126, r, "exec: \"%s\": %s", what, why);
}

/* Whether it could be executed: 0, -ENOENT, -EACCES, -EISDIR. */
static int try_program(const char *path) {
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!(st.st_mode & 0111) || syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
                return -EACCES;
        return 0;
}

static int search_path(Launch *l, const char *name) {
        const char *path = strv_env_get(l->env, "PATH") ?: PATH_DEFAULT;
        _cleanup_strv_ char **directories = NULL;
        int r, worst = -ENOENT;

        r = strv_split(path, ':', &directories);
        if (r < 0)
                return r;
        for (char **d = directories; *d; d++) {
                _cleanup_free_ char *candidate = NULL;
                if (asprintf(&candidate, "%s/%s", **d ? *d : ".", name) < 0)
                        return -ENOMEM;
                r = try_program(candidate);
                if (r == 0) {
                        l->program = TAKE(candidate);
                        return 0;
                }
                if (r == -EACCES)
                        worst = r;
        }
        return worst == -EACCES ? refuse(l, -EACCES, name, "permission denied")
                                : refuse(l, -ENOENT, name, "executable file not found in $PATH");
}

static int find_program(Launch *l) {
        const char *name = l->process->args[0];
        char why[600];
        int r;

        if (!*name)
                return refuse(l, -ENOENT, name, "executable file not found in $PATH");
        if (!strchr(name, '/'))
                return search_path(l, name);
        r = try_program(name);
        if (r == -ENOENT || r == -ENOTDIR) {
                snprintf(why, sizeof(why), "stat %.256s: %s", name,
                         r == -ENOENT ? "no such file or directory" : "not a directory");
                return refuse(l, r, name, why);
        }
        if (r < 0)
                return refuse(l, r, name,
                              r == -EISDIR ? "is a directory" : r == -EACCES ? "permission denied" : strerror(-r));
        l->program = strdup(name);
        return l->program ? 0 : -ENOMEM;
}

int step_program(Launch *l) {
        int r = find_program(l);
        if (r < 0)
                return r;
        if (!launch_wants_init(l))
                return strv_copy(l->process->args, &l->args);
        r = string_replace(&l->program, BERTH_INIT_INSIDE);
        if (r >= 0)
                r = strv_extend(&l->args, BERTH_INIT_INSIDE);
        if (r >= 0)
                r = strv_extend(&l->args, "--");
        for (char **a = l->process->args; r >= 0 && *a; a++)
                r = strv_extend(&l->args, *a);
        return r;
}

int step_seccomp(Launch *l) {
        struct sock_fprog program = {
                .len = (unsigned short) (l->sandbox->filter_size / sizeof(struct sock_filter)),
                .filter = l->sandbox->filter,
        };

        if (!program.filter)
                return 0;
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

int step_execute(Launch *l) {
        static const struct {
                int error;
                const char *text;
        } reasons[] = {
                { ENOENT, "no such file or directory" }, /* its interpreter, then */
                { ENOEXEC, "exec format error" },
                { EACCES, "permission denied" },
        };

        execve(l->program, l->args, l->env);
        int error = errno;
        for (size_t i = 0; i < N_ELEMENTS(reasons); i++)
                if (reasons[i].error == error)
                        return launch_refuse(l, error == ENOENT ? 127 : 126, -error, "exec %.256s: %s", l->program,
                                             reasons[i].text);
        return launch_refuse(l, 126, -error, "exec %.256s: %s", l->program, strerror(error));
}
