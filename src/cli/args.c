/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flags of the command line: see args.h. */
#include <stdarg.h>
#include <stdio.h>

#include "cli/args.h"
#include "util/strv.h"

static int args_error(char **ret_error, const char *format, ...) _printf_(2, 3);
static int args_error(char **ret_error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(ret_error, format, ap);
        va_end(ap);
        if (n < 0)
                *ret_error = NULL;
        return n < 0 ? -ENOMEM : -EINVAL;
}

static const Arg *find_long(const Arg *args, const char *flag, size_t length) {
        for (const Arg *a = args; a && a->flag; a++)
                if (strlen(a->flag) == length && strncmp(a->flag, flag, length) == 0)
                        return a;
        return NULL;
}

static const Arg *find_short(const Arg *args, char flag) {
        for (const Arg *a = args; a && a->flag; a++)
                if (a->short_flag == flag)
                        return a;
        return NULL;
}

static int convert(const Arg *a, const char *value, char **ret_error) {
        if (a->parse)
                return a->parse(value, a->target, ret_error);
        switch (a->type) {
        case ARG_BOOL:
                return parse_bool(value, a->target);
        case ARG_STRING:
                return string_replace(a->target, value);
        case ARG_STRV:
                return strv_extend(a->target, value);
        case ARG_I32:
                return parse_i32(value, a->target);
        }
        return -EINVAL;
}

static int set_value(const Arg *a, const char *value, char **ret_error) {
        static const char *const kinds[] = {
                [ARG_BOOL] = "true or false is needed", [ARG_STRING] = "it cannot be used",
                [ARG_STRV] = "it cannot be used", [ARG_I32] = "a whole number is needed",
        };
        _cleanup_free_ char *why = NULL;
        int r = convert(a, value, &why);

        if (r >= 0 || r == -ENOMEM)
                return r;
        return a->short_flag ? args_error(ret_error, "invalid argument \"%.64s\" for \"-%c, --%s\" flag: %s",
                                          value, a->short_flag, a->flag, why ?: kinds[a->type])
                             : args_error(ret_error, "invalid argument \"%.64s\" for \"--%s\" flag: %s",
                                          value, a->flag, why ?: kinds[a->type]);
}

/* --flag, --flag=value, --flag value. Returns how many words it used. */
static int parse_long(const Arg *args, const char *word, const char *next, char **ret_error) {
        size_t length = strcspn(word, "=");
        const char *value = word[length] ? word + length + 1 : NULL;
        const Arg *a = find_long(args, word, length);
        int r, used = 1;

        if (length == 0)
                return args_error(ret_error, "bad flag syntax: --%.64s", word);
        if (!a)
                return args_error(ret_error, "unknown flag: --%.*s", (int) MIN_OF(length, 64), word);
        if (!value && a->type == ARG_BOOL)
                value = "true";
        if (!value) {
                value = next;
                used = 2;
        }
        if (!value)
                return args_error(ret_error, "flag needs an argument: --%s", a->flag);
        r = set_value(a, value, ret_error);
        return r < 0 ? r : used;
}

/* -f, -abc, -fvalue, -f=value, -f value. Returns how many words it used; 0: -h where that means help. */
static int parse_short(const Arg *args, const char *word, const char *next, char **ret_error) {
        for (const char *p = word; *p; p++) {
                const Arg *a = find_short(args, *p);
                const char *value;
                int r, used = 1;

                if (!a && *p == 'h')
                        return 0;
                if (!a)
                        return args_error(ret_error, "unknown shorthand flag: '%c' in -%.64s", *p, word);
                if (a->type == ARG_BOOL) {
                        value = p[1] == '=' ? p + 2 : "true";
                } else if (p[1]) {
                        value = p[1] == '=' ? p + 2 : p + 1;
                } else {
                        value = next;
                        used = 2;
                }
                if (!value)
                        return args_error(ret_error, "flag needs an argument: '%c' in -%.64s", *p, word);
                r = set_value(a, value, ret_error);
                if (r < 0)
                        return r;
                if (a->type != ARG_BOOL || p[1] == '=')
                        return used;
        }
        return 1;
}

int args_parse(const Arg *args, ArgsFlags flags, int argc, char **argv, int *ret_n, char **ret_error) {
        int n = 0, used;

        for (int i = 0; i < argc; i += used) {
                const char *next = i + 1 < argc ? argv[i + 1] : NULL;

                used = 1;
                if (argv[i][0] != '-' || !argv[i][1]) { /* "-" alone is a name for standard input */
                        if (flags & ARGS_STOP_AT_FIRST) {
                                while (i < argc)
                                        argv[n++] = argv[i++];
                                break;
                        }
                        argv[n++] = argv[i];
                        continue;
                }
                if (streq(argv[i], "--")) {
                        for (i++; i < argc; i++)
                                argv[n++] = argv[i];
                        break;
                }
                if (streq(argv[i], "--help"))
                        return 1;
                used = argv[i][1] == '-' ? parse_long(args, argv[i] + 2, next, ret_error)
                                         : parse_short(args, argv[i] + 1, next, ret_error);
                if (used < 0)
                        return used;
                if (used == 0)
                        return 1;
        }
        *ret_n = n;
        return 0;
}

static int compare_args(const void *a, const void *b) {
        return strcmp((*(const Arg *const *) a)->flag, (*(const Arg *const *) b)->flag);
}

void args_help(const Arg *args) {
        static const Arg help = { "help", 0, ARG_BOOL, NULL, NULL, "Print this", NULL };
        size_t n = 0;

        while (args && args[n].flag)
                n++;
        _cleanup_free_ const Arg **sorted = calloc(n + 1, sizeof(Arg *));
        if (!sorted)
                return;
        sorted[0] = &help;
        for (size_t i = 0; i < n; i++)
                sorted[i + 1] = &args[i];
        qsort(sorted, n + 1, sizeof(Arg *), compare_args);
        for (size_t i = 0; i <= n; i++) {
                const Arg *a = sorted[i];
                char text[64];

                if (!a->help)
                        continue;
                snprintf(text, sizeof(text), "--%s %s", a->flag, a->argument ?: "");
                if (a->short_flag)
                        printf("  -%c, %-24s %s\n", a->short_flag, text, a->help);
                else
                        printf("      %-24s %s\n", text, a->help);
        }
}
