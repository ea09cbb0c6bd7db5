/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the lines of a container: each stream's bytes as the container wrote them, and on stderr what is missing between them. Every
 * line has a number within its log epoch, both streams share these. */
#pragma once

#include "logs/log-entry.h"
#include "util/buffer.h"

typedef struct LogOutput {
        int fd;
        bool in_line; /* the last piece had no end of line */
        Buffer text;
} LogOutput;

typedef struct LogPrinter {
        bool timestamps, details;
        uint64_t since, until; /* nanoseconds since 1970, or LOG_TIME_UNSET */
        bool from_head;        /* the first entry is the first there is: what should be before it is missing */
        LogOutput outputs[2];  /* stdout, stderr; one is flushed before the other is written to, so that a terminal shows the order */
        char epoch[LOG_ID_MAX], run_id[LOG_ID_MAX]; /* of the last entry; "": there was none */
        uint64_t ordinal;
} LogPrinter;

#define LOG_PRINTER_NULL { .outputs = { { .fd = 1 }, { .fd = 2 } } }

void log_printer_done(LogPrinter *p);

/* -EPIPE: nobody reads any more. */
int log_printer_add(LogPrinter *p, const LogEntry *e);
int log_printer_flush(LogPrinter *p);

/* Has the line come that is the last of this run? */
bool log_printer_has(const LogPrinter *p, const char *run_id, uint64_t ordinal);
/* All that can come has come. Says how many are missing up to the last one of this run, if that can be told. */
int log_printer_finish(LogPrinter *p, const char *run_id, uint64_t ordinal);
