/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* probe [SECTION...]: says what a process sees and may do where it runs: a report in sorted lines that do not vary from run to run,
 * but for names and numbers that are the host's (tests/probe/normalise takes those out). Static, so that it runs in any image. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

static const struct Section {
        const char *name;
        void (*write)(void);
} sections[] = {
        { "descriptor",  probe_descriptors  }, /* first, before any other section opens something */
        { "capability",  probe_capabilities },
        { "cgroup",      probe_cgroup       },
        { "device",      probe_devices      },
        { "environment", probe_environment  },
        { "host",        probe_host         },
        { "id",          probe_ids          },
        { "keyring",     probe_keyring      },
        { "limit",       probe_limits       },
        { "mount",       probe_mounts       },
        { "namespace",   probe_namespaces   },
        { "network",     probe_network      },
        { "path",        probe_paths        },
        { "process",     probe_process      },
        { "seccomp",     probe_seccomp      },
        { "session",     probe_session      },
        { "signal",      probe_signals      },
        { "syscall",     probe_syscalls     },
        { "sysctl",      probe_sysctls      },
};

static char *lines[4096];
static size_t n_lines;

void report(const char *format, ...) {
        va_list ap;

        if (n_lines >= N_ELEMENTS(lines)) {
                fprintf(stderr, "probe: more lines than expected\n");
                exit(EXIT_FAILURE);
        }
        va_start(ap, format);
        if (vasprintf(&lines[n_lines++], format, ap) < 0)
                abort();
        va_end(ap);
}

const char *errno_text(int error) {
        const char *name = strerrorname_np(error);
        return name ? name : "?";
}

const char *file_text(const char *path) {
        static char text[65536];
        FILE *f = fopen(path, "re");
        size_t n;

        if (!f) {
                snprintf(text, sizeof(text), "(%s)", errno_text(errno));
                return text;
        }
        errno = 0;
        n = fread(text, 1, sizeof(text) - 1, f);
        if (ferror(f))
                n = (size_t) snprintf(text, sizeof(text), "(%s)", errno_text(errno));
        text[n] = '\0';
        if (n > 0 && text[n - 1] == '\n')
                text[n - 1] = '\0';
        fclose(f);
        return text;
}

const char *status_value(const char *key) {
        static char value[1024];
        const char *text = file_text("/proc/self/status");
        size_t n = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, key, n) == 0 && line[n] == ':') {
                        line += n + 1;
                        line += strspn(line, "\t ");
                        snprintf(value, sizeof(value), "%.*s", (int) strcspn(line, "\n"), line);
                        return value;
                }
        }
        return NULL;
}

static int compare_lines(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void write_section(const struct Section *section) {
        section->write();
        qsort(lines, n_lines, sizeof(lines[0]), compare_lines);
        for (size_t i = 0; i < n_lines; i++) {
                printf("%s %s\n", section->name, lines[i]);
                free(lines[i]);
        }
        n_lines = 0;
}

static bool is_wanted(const char *name, char *const *wanted) {
        if (!*wanted)
                return true;
        for (; *wanted; wanted++)
                if (strcmp(*wanted, name) == 0)
                        return true;
        return false;
}

static bool is_section(const char *name) {
        for (size_t i = 0; i < N_ELEMENTS(sections); i++)
                if (strcmp(sections[i].name, name) == 0)
                        return true;
        return false;
}

int main(int argc, char *argv[]) {
        for (int i = 1; i < argc; i++)
                if (!is_section(argv[i])) {
                        fprintf(stderr, "probe: there is no section '%s'. There are:", argv[i]);
                        for (size_t k = 0; k < N_ELEMENTS(sections); k++)
                                fprintf(stderr, " %s", sections[k].name);
                        fprintf(stderr, "\n");
                        return 2;
                }
        for (size_t i = 0; i < N_ELEMENTS(sections); i++)
                if (is_wanted(sections[i].name, argv + 1))
                        write_section(&sections[i]);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
