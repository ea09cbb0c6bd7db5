/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs: one row each, in main.c. Dispatch, help and the argument check read the table; each verb lives in
 * cmd-<verb>.c, which has its handler and, if it takes flags, its rows (`const Arg rm_args[]`) that point to static
 * variables `arg_…` of that file. main has parsed the flags into these variables and has counted the arguments before
 * the handler is called. */
#pragma once

#include "cli/args.h"
#include "container/container-options.h"

#define VERB_ARGS_ANY INT32_MAX

/* Exit codes of our own, as Docker has them. A handler returns one of these, a container's own code, or a negative
 * errno that main reports. */
enum {
        EXIT_OK = 0,
        EXIT_FAILED = 1,
        EXIT_OURS = 125, /* run, create, exec: it was us and not the container; any verb: a flag that cannot be */
        EXIT_CANNOT_EXECUTE = 126,
        EXIT_NOT_FOUND = 127,
        EXIT_KILLED = 137,
};

typedef struct Verb {
        const char *group;      /* "container": berth container ls. NULL: it has only its short form */
        const char *name;       /* in its group: "ls"; NULL: only the short form */
        const char *short_form; /* at top level: "ps"; NULL: none */
        int min_args, max_args; /* arguments that are no flags */
        int (*handler)(int argc, char **argv); /* these arguments, and a NULL after them */
        const Arg *args;        /* NULL: no flags but --help */
        unsigned options;       /* OptionVerbs: takes these rows of container_options too, into `arg_settings` */
        const char *usage;      /* "[OPTIONS] IMAGE [COMMAND] [ARG...]" */
        const char *help;       /* one sentence */
} Verb;

/* Rows that several verbs have, by the variable. */
#define ARG_DETACH_KEYS(variable) \
        { "detach-keys", 0, ARG_STRING, &(variable), "string", "Keys that detach from a terminal (default ctrl-p,ctrl-q)" }
#define ARG_SIG_PROXY(variable) \
        { "sig-proxy", 0, ARG_BOOL, &(variable), NULL, \
          "Pass signals on to the container (default true, never with a terminal)" }

/* What the rows of container_options were parsed into (run, create, exec). */
extern ContainerSettings arg_settings;

int cmd_attach(int argc, char **argv);
int cmd_container_inspect(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_image_inspect(int argc, char **argv);
int cmd_images(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_kill(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_rename(int argc, char **argv);
int cmd_restart(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_rmi(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_tag(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_wait(int argc, char **argv);

extern const Arg attach_args[];
extern const Arg container_inspect_args[];
extern const Arg create_args[];
extern const Arg exec_args[];
extern const Arg image_inspect_args[];
extern const Arg images_args[];
extern const Arg import_args[];
extern const Arg inspect_args[];
extern const Arg kill_args[];
extern const Arg load_args[];
extern const Arg logs_args[];
extern const Arg ps_args[];
extern const Arg restart_args[];
extern const Arg rm_args[];
extern const Arg rmi_args[];
extern const Arg run_args[];
extern const Arg start_args[];
extern const Arg stop_args[];
extern const Arg version_args[];
