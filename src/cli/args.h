/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flags of the command line, read through a table of rows: long and short flags, clustered short ones (-it),
 * --flag=value, --flag value, -fvalue, --flag=false for booleans, `--`. Docker's spelling of the errors, on one line.
 * Knows nothing of verbs or containers. */
#pragma once

#include "util/macro.h"

typedef enum ArgType {
        ARG_BOOL,   /* bool * */
        ARG_STRING, /* char **, replaced */
        ARG_STRV,   /* char ***, each one appended */
        ARG_I32,    /* int32_t * */
} ArgType;

typedef struct Arg {
        const char *flag;     /* "force": --force. NULL ends a table */
        char short_flag;      /* 'f'; 0: none */
        ArgType type;
        void *target;         /* the variable, by type; it keeps its value if the flag is not given */
        const char *argument; /* for help: "string", "list", "int"; NULL for a boolean */
        const char *help;     /* NULL: taken, but not shown by help (an alias) */
        /* Instead of the usual conversion. On failure *ret_error (may stay NULL) is a line to free. */
        int (*parse)(const char *value, void *target, char **ret_error);
} Arg;

typedef enum ArgsFlags {
        ARGS_STOP_AT_FIRST = 1 << 0, /* what follows the first argument is no flag of ours (run, exec) */
} ArgsFlags;

/* The help flag of every table. Seen anywhere before `--`: args_parse returns 1 at once. */

/* Reads argv[0..argc). The arguments that are no flags are moved to the front of argv, in order; *ret_n is how many.
 * 0: done, 1: help was asked for, negative: *ret_error is a line to free ("unknown flag: --x"). */
int args_parse(const Arg *args, ArgsFlags flags, int argc, char **argv, int *ret_n, char **ret_error);

/* One line for each row that has a help text, sorted by flag, as Docker prints them. */
void args_help(const Arg *args);
