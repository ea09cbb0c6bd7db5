/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth, the command line: the verbs table, and what is done with it: finding the verb, reading its flags, help. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#include "cli/bus.h"
#include "cli/polkit-agent.h"
#include "cli/refused-flags.h"
#include "cli/verb.h"
#include "container/bus-errors.h"
#include "util/strv.h"

ContainerSettings arg_settings;

#define MANY "CONTAINER [CONTAINER...]"

/* Sorted by name. A row without help is another name of a row with it. */
static const Verb verbs[] = {
        /* group, name, short form, arguments, handler, flags, options, usage, help */
        { "container", "attach", "attach", 1, 1, cmd_attach, attach_args, 0,
          "[OPTIONS] CONTAINER", "Be the foreground of a running container" },
        { "container", "create", "create", 1, VERB_ARGS_ANY, cmd_create, create_args, VERB_CREATE,
          "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a container without starting it" },
        { "container", "exec", "exec", 2, VERB_ARGS_ANY, cmd_exec, exec_args, VERB_EXEC,
          "[OPTIONS] CONTAINER COMMAND [ARG...]", "Run a command in a running container" },
        { "image", "import", "import", 1, 2, cmd_import, import_args, 0,
          "[OPTIONS] FILE|- [REPOSITORY[:TAG]]", "Make an image of an archive of files" },
        { NULL, NULL, "inspect", 1, VERB_ARGS_ANY, cmd_inspect, inspect_args, 0,
          "[OPTIONS] NAME|ID [NAME|ID...]", "Show everything about containers and images, as JSON" },
        { "container", "inspect", NULL, 1, VERB_ARGS_ANY, cmd_container_inspect, container_inspect_args, 0,
          "[OPTIONS] " MANY, "Show everything about containers, as JSON" },
        { "image", "inspect", NULL, 1, VERB_ARGS_ANY, cmd_image_inspect, image_inspect_args, 0,
          "[OPTIONS] IMAGE [IMAGE...]", "Show everything about images, as JSON" },
        { "container", "kill", "kill", 1, VERB_ARGS_ANY, cmd_kill, kill_args, 0,
          "[OPTIONS] " MANY, "Send a signal to containers (KILL, if no other is given)" },
        { "image", "load", "load", 0, 0, cmd_load, load_args, 0,
          "[OPTIONS]", "Load images from an archive" },
        { "container", "logs", "logs", 1, 1, cmd_logs, logs_args, 0,
          "[OPTIONS] CONTAINER", "Show what a container has written" },
        { "image", "ls", "images", 0, 1, cmd_images, images_args, 0,
          "[OPTIONS] [REPOSITORY[:TAG]]", "List images" },
        { "image", "list", NULL, 0, 1, cmd_images, images_args, 0, "[OPTIONS] [REPOSITORY[:TAG]]", NULL },
        { "container", "ls", "ps", 0, 0, cmd_ps, ps_args, 0,
          "[OPTIONS]", "List containers" },
        { "container", "list", NULL, 0, 0, cmd_ps, ps_args, 0, "[OPTIONS]", NULL },
        { "container", "ps", NULL, 0, 0, cmd_ps, ps_args, 0, "[OPTIONS]", NULL },
        { "container", "rename", "rename", 2, 2, cmd_rename, NULL, 0,
          "CONTAINER NEW_NAME", "Give a container another name" },
        { "container", "restart", "restart", 1, VERB_ARGS_ANY, cmd_restart, restart_args, 0,
          "[OPTIONS] " MANY, "Stop containers and start them again" },
        { "container", "rm", "rm", 1, VERB_ARGS_ANY, cmd_rm, rm_args, 0,
          "[OPTIONS] " MANY, "Remove containers" },
        { "container", "remove", NULL, 1, VERB_ARGS_ANY, cmd_rm, rm_args, 0, "[OPTIONS] " MANY, NULL },
        { "image", "rm", "rmi", 1, VERB_ARGS_ANY, cmd_rmi, rmi_args, 0,
          "[OPTIONS] IMAGE [IMAGE...]", "Remove images" },
        { "image", "remove", NULL, 1, VERB_ARGS_ANY, cmd_rmi, rmi_args, 0, "[OPTIONS] IMAGE [IMAGE...]", NULL },
        { "container", "run", "run", 1, VERB_ARGS_ANY, cmd_run, run_args, VERB_RUN,
          "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a container and start it" },
        { "container", "start", "start", 1, VERB_ARGS_ANY, cmd_start, start_args, 0,
          "[OPTIONS] " MANY, "Start stopped containers" },
        { "container", "stop", "stop", 1, VERB_ARGS_ANY, cmd_stop, stop_args, 0,
          "[OPTIONS] " MANY, "Stop running containers" },
        { "image", "tag", "tag", 2, 2, cmd_tag, NULL, 0,
          "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Give an image another name" },
        { "container", "update", "update", 1, VERB_ARGS_ANY, cmd_update, NULL, VERB_UPDATE,
          "[OPTIONS] " MANY, "Change limits and restart policy of containers" },
        { NULL, NULL, "version", 0, 0, cmd_version, version_args, 0,
          "[OPTIONS]", "Show the versions of berth and berthd" },
        { "container", "wait", "wait", 1, VERB_ARGS_ANY, cmd_wait, NULL, 0,
          MANY, "Wait until containers have ended, then print their exit codes" },
};

static const struct { const char *name, *help; } groups[] = {
        { "container", "Containers" },
        { "image", "Images" },
};

static const Verb *find_verb(const char *group, const char *name) {
        for (const Verb *v = verbs; v < verbs + N_ELEMENTS(verbs); v++)
                if (group ? streq_null(v->group, group) && streq(v->name, name) : streq_null(v->short_form, name))
                        return v;
        return NULL;
}

static bool is_group(const char *name) {
        for (size_t i = 0; i < N_ELEMENTS(groups); i++)
                if (streq(groups[i].name, name))
                        return true;
        return false;
}

static int help_all(void) {
        printf("Usage: berth [OPTIONS] COMMAND\n\nContainers as units of systemd\n\nCommands:\n");
        for (const Verb *v = verbs; v < verbs + N_ELEMENTS(verbs); v++)
                if (v->help && v->short_form)
                        printf("  %-11s %s\n", v->short_form, v->help);
        printf("\nThe same, by noun:\n");
        for (size_t i = 0; i < N_ELEMENTS(groups); i++)
                printf("  %-11s %s\n", groups[i].name, groups[i].help);
        printf("\nOptions:\n  -v, --version   Print the version\n      --help      Print this\n"
               "      --no-ask-password\n                  Ask nobody for a password: what needs one fails\n"
               "\n'berth COMMAND --help' says more about a command.\n");
        return EXIT_OK;
}

static int help_group(const char *group) {
        printf("Usage: berth %s COMMAND\n\nCommands:\n", group);
        for (const Verb *v = verbs; v < verbs + N_ELEMENTS(verbs); v++)
                if (v->help && streq_null(v->group, group))
                        printf("  %-11s %s\n", v->name, v->help);
        printf("\n'berth %s COMMAND --help' says more about a command.\n", group);
        return EXIT_OK;
}

/* The verb's own flags and the options of containers that it takes, as one table. */
static int collect_args(const Verb *v, Arg **ret) {
        static const ArgType types[] = {
                [OPTION_BOOL] = ARG_BOOL, [OPTION_STRING] = ARG_STRING,
                [OPTION_STRV] = ARG_STRV, [OPTION_I32] = ARG_I32,
                [OPTION_I64] = ARG_STRING, /* each has a parser of its own */
        };
        size_t n = 0;

        while (v->args && v->args[n].flag)
                n++;
        Arg *all = calloc(n + n_container_options + n_refused_flags + 1, sizeof(Arg));
        if (!all)
                return -ENOMEM;
        if (n > 0)
                memcpy(all, v->args, n * sizeof(Arg));
        for (size_t i = 0; i < n_container_options; i++) {
                const ContainerOption *o = &container_options[i];
                if (o->flag && (o->verbs & v->options))
                        all[n++] = (Arg) {
                                .flag = o->flag, .short_flag = o->short_flag, .type = types[o->type], 
                                .argument = o->argument, .target = (char *) &arg_settings + o->offset,
                                .help = o->help, .parse = o->parse,
                        };
        }
        for (size_t i = 0; i < n_refused_flags; i++)
                if (refused_flags[i].verbs & v->options)
                        refused_flag_arg(&refused_flags[i], &all[n++]);
        *ret = all;
        return 0;
}

static int help_verb(const char *called, const Verb *v, const Arg *args) {
        const Verb *other = v->help ? v : NULL;

        for (const Verb *w = verbs; !other && w < verbs + N_ELEMENTS(verbs); w++)
                if (w->handler == v->handler && w->help)
                        other = w;
        printf("Usage: berth %s %s\n\n%s\n", called, v->usage, other ? other->help : "");
        if (other && other->group && other->short_form)
                printf("\nAliases: berth %s %s, berth %s\n", other->group, other->name, other->short_form);
        printf("\nOptions:\n");
        args_help(args);
        return EXIT_OK;
}

static int check_count(const char *called, const Verb *v, int n) {
        const char *plural = (n < v->min_args ? v->min_args : v->max_args) == 1 ? "" : "s";

        if (n >= v->min_args && n <= v->max_args)
                return 0;
        if (v->max_args == 0)
                cli_error("\"berth %s\" accepts no arguments. See 'berth %s --help'.", called, called);
        else if (v->min_args == v->max_args)
                cli_error("\"berth %s\" requires exactly %d argument%s. See 'berth %s --help'.", called, v->min_args,
                          plural, called);
        else if (n < v->min_args)
                cli_error("\"berth %s\" requires at least %d argument%s. See 'berth %s --help'.", called, v->min_args,
                          plural, called);
        else
                cli_error("\"berth %s\" requires at most %d argument%s. See 'berth %s --help'.", called, v->max_args,
                          plural, called);
        return -EINVAL;
}

/* Checks everything about the command line that can be checked here, then lets the verb do it. */
static int run_verb(const char *called, const Verb *v, int argc, char **argv) {
        _cleanup_free_ Arg *args = NULL;
        _cleanup_free_ char *why = NULL;
        int n, r;

        r = collect_args(v, &args);
        if (r < 0)
                return r;
        r = args_parse(args, v->options & ~VERB_UPDATE ? ARGS_STOP_AT_FIRST : 0, argc, argv, &n, &why);
        if (r > 0)
                return help_verb(called, v, args);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                cli_error("%s. See 'berth %s --help'.", why, called);
                return EXIT_OURS;
        }
        if (check_count(called, v, n) < 0)
                return EXIT_FAILED;
        argv[n] = NULL;
        cli_set_command(called, v->options & VERB_RUN);
        r = v->handler(n, argv);
        if (r < 0) {
                cli_error("%s", strerror(-r));
                return v->options & ~VERB_UPDATE ? EXIT_OURS : EXIT_FAILED;
        }
        return r;
}

static int unknown_command(const char *group, const char *name) {
        if (group)
                cli_error("'%s %s' is not a berth command. See 'berth %s --help'.", group, name, group);
        else
                cli_error("'%s' is not a berth command. See 'berth --help'.", name);
        return EXIT_FAILED;
}

static int dispatch(int argc, char **argv) {
        const Verb *v;
        char called[64];

        for (; argc > 1 && streq(argv[1], "--no-ask-password"); argc--, argv++)
                polkit_agent_forbid();
        if (argc < 2 || streq(argv[1], "--help") || streq(argv[1], "-h"))
                return help_all();
        if (streq(argv[1], "-v") || streq(argv[1], "--version")) {
                printf("berth version %s\n", BERTH_VERSION);
                return EXIT_OK;
        }
        if (streq(argv[1], "help")) {
                if (argc < 3)
                        return help_all();
                /* `berth help image ls`: as if --help stood behind it */
                char *asked[] = { argv[0], argv[2], argc > 3 ? argv[3] : (char *) "--help", (char *) "--help", NULL };
                return dispatch(argc > 3 ? 4 : 3, asked);
        }
        if (argv[1][0] == '-') {
                cli_error("unknown flag: %s. See 'berth --help'.", argv[1]);
                return EXIT_OURS;
        }
        if (!is_group(argv[1])) {
                v = find_verb(NULL, argv[1]);
                return v ? run_verb(argv[1], v, argc - 2, argv + 2) : unknown_command(NULL, argv[1]);
        }
        if (argc < 3 || streq(argv[2], "--help") || streq(argv[2], "-h"))
                return help_group(argv[1]);
        v = find_verb(argv[1], argv[2]);
        if (!v)
                return unknown_command(argv[1], argv[2]);
        snprintf(called, sizeof(called), "%s %s", argv[1], argv[2]);
        return run_verb(called, v, argc - 3, argv + 3);
}

/* What we open must not take the place of a standard stream that our caller has closed. */
static void fill_standard_streams(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0)
                        (void) open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv) {
        fill_standard_streams();
        container_settings_init(&arg_settings);
        int r = bus_errors_register();
        if (r < 0)
                cli_error("%s", strerror(-r));
        r = r < 0 ? EXIT_FAILED : dispatch(argc, argv);
        if (fflush(stdout) != 0 || ferror(stdout)) {
                cli_error("cannot write to standard output: %s", strerror(errno));
                r = r ?: EXIT_FAILED;
        }
        container_settings_done(&arg_settings);
        bus_close();
        return r;
}
