/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log lines: see log.h. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "util/io.h"
#include "util/log.h"
#include "util/strv.h"

static const char *program_name = "berth";
static bool to_journal;
static bool debug;

void log_open(const char *program) {
        const char *level = getenv("BERTH_LOG");

        program_name = program;
        to_journal = getenv("JOURNAL_STREAM") != NULL;
        debug = level && streq(level, "debug");
}

void log_line(int priority, const char *format, ...) {
        int saved = errno;
        char line[2048];
        int used;
        va_list ap;

        if (priority == LOG_DEBUG && !debug)
                return;
        used = to_journal ? snprintf(line, sizeof(line), "<%i>", priority)
                          : snprintf(line, sizeof(line), "%s: ", program_name);
        errno = saved; /* for %m */
        va_start(ap, format);
        vsnprintf(line + used, sizeof(line) - (size_t) used - 1, format, ap);
        va_end(ap);
        size_t length = strlen(line);
        line[length++] = '\n';
        (void) fd_write_all(STDERR_FILENO, line, length); /* one write, so lines of two processes do not mix */
        errno = saved;
}
