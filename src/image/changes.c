/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dockerfile instructions on a configuration: see changes.h. */
#include <stdio.h>
#include <strings.h>

#include "image/changes.h"
#include "image/words.h"
#include "util/signals.h"

#define CHANGE_SIZE_MAX (64U << 10)

static int add_new(char ***set, const char *value) {
        return strv_contains(*set, value) ? 0 : strv_extend(set, value);
}

/* A JSON array of strings, if it is one. 1: it is. */
static int read_json_form(const char *text, char ***ret) {
        _cleanup_json_ json_object *array = NULL;

        if (text[0] != '[' || json_parse(text, strlen(text), &array) < 0 ||
            !json_object_is_type(array, json_type_array))
                return 0;
        int r = json_to_strv(array, ret);
        return r < 0 ? (r == -ENOMEM ? r : 0) : 1;
}

/* What is not a JSON array goes to the image's shell, as it is. */
static int read_command(const OciRunConfig *c, const char *text, char ***ret) {
        static char *const default_shell[] = { (char *) "/bin/sh", (char *) "-c", NULL };
        _cleanup_strv_ char **command = NULL;
        int r;

        r = read_json_form(text, &command);
        if (r == 0) {
                r = strv_copy(c->shell && c->shell[0] ? c->shell : (char **) default_shell, &command);
                if (r >= 0)
                        r = strv_extend(&command, text);
        }
        if (r < 0)
                return r;
        strv_free(*ret);
        *ret = TAKE(command);
        return 0;
}

static int change_cmd(OciRunConfig *c, const char *text) {
        return read_command(c, text, &c->cmd);
}

static int change_entrypoint(OciRunConfig *c, const char *text) {
        return read_command(c, text, &c->entrypoint);
}

/* KEY=VALUE …, or the older KEY VALUE for one of them. */
static int read_pairs(const OciRunConfig *c, const char *text, char ***target) {
        _cleanup_strv_ char **words = NULL;
        int r;

        r = words_split(text, &words);
        if (r < 0)
                return r;
        if (!words || !words[0])
                return -EINVAL;
        if (!strchr(words[0], '=')) {
                size_t n = strlen(words[0]);
                const char *rest = text + n + strspn(text + n, " \t");
                _cleanup_free_ char *value = NULL, *pair = NULL;
                if (!*rest)
                        return -EINVAL;
                r = words_expand(rest, c->env, &value);
                if (r < 0)
                        return r;
                if (asprintf(&pair, "%s=%s", words[0], value) < 0) {
                        pair = NULL;
                        return -ENOMEM;
                }
                return strv_env_set(target, pair);
        }
        /* All values are those from before the instruction. */
        _cleanup_strv_ char **pairs = NULL;
        for (char **word = words; *word; word++) {
                char *pair;
                r = words_expand(*word, c->env, &pair);
                if (r < 0)
                        return r;
                r = strv_consume(&pairs, pair);
                if (r < 0)
                        return r;
                if (pair[0] == '=' || !strchr(pair, '='))
                        return -EINVAL;
        }
        for (char **pair = pairs; *pair; pair++) {
                r = strv_env_set(target, *pair);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int change_env(OciRunConfig *c, const char *text) {
        return read_pairs(c, text, &c->env);
}

static int change_label(OciRunConfig *c, const char *text) {
        return read_pairs(c, text, &c->labels);
}

static int parse_port(const char *s, size_t n, unsigned *ret) {
        char text[8];
        uint32_t port;

        if (n == 0 || n >= sizeof(text))
                return -EINVAL;
        memcpy(text, s, n);
        text[n] = '\0';
        if (parse_u32(text, &port) < 0 || port > 65535)
                return -EINVAL;
        *ret = port;
        return 0;
}

/* PORT[-PORT][/tcp|udp|sctp] */
static int expose(OciRunConfig *c, const char *word) {
        size_t n = strcspn(word, "/"), first = strcspn(word, "-/");
        char protocol[8] = "tcp";
        unsigned from, to;
        int r;

        if (word[n] == '/') {
                if (strcasecmp(word + n + 1, "tcp") != 0 && strcasecmp(word + n + 1, "udp") != 0 &&
                    strcasecmp(word + n + 1, "sctp") != 0)
                        return -EINVAL;
                snprintf(protocol, sizeof(protocol), "%s", word + n + 1);
                for (char *p = protocol; *p; p++)
                        *p |= 0x20;
        }
        r = parse_port(word, first, &from);
        if (r >= 0)
                r = first < n ? parse_port(word + first + 1, n - first - 1, &to) : (to = from, 0);
        if (r < 0 || to < from)
                return -EINVAL;
        if (to - from >= OCI_STRINGS_MAX)
                return -E2BIG;
        for (unsigned port = from; port <= to; port++) {
                char text[24];
                snprintf(text, sizeof(text), "%u/%s", port, protocol);
                r = add_new(&c->exposed_ports, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int change_expose(OciRunConfig *c, const char *text) {
        _cleanup_strv_ char **words = NULL;
        int r = words_read(text, c->env, &words);

        if (r >= 0 && !words)
                return -EINVAL;
        for (char **word = words; r >= 0 && *word; word++)
                r = expose(c, *word);
        return r;
}

static int change_volume(OciRunConfig *c, const char *text) {
        _cleanup_strv_ char **words = NULL;
        int r;

        r = read_json_form(text, &words);
        if (r == 0)
                r = words_read(text, c->env, &words);
        if (r >= 0 && (!words || !words[0]))
                return -EINVAL;
        for (char **word = words; r >= 0 && *word; word++)
                r = (*word)[0] ? add_new(&c->volumes, *word) : -EINVAL;
        return r;
}

static int change_user(OciRunConfig *c, const char *text) {
        _cleanup_free_ char *value = NULL;
        int r = words_expand(text, c->env, &value);

        if (r < 0)
                return r;
        return strpbrk(value, " \t") || !value[0] ? -EINVAL : string_replace(&c->user, value);
}

static int change_stop_signal(OciRunConfig *c, const char *text) {
        _cleanup_free_ char *value = NULL;
        int r = words_expand(text, c->env, &value);

        if (r < 0)
                return r;
        return signal_parse(value) < 0 ? -EINVAL : string_replace(&c->stop_signal, value);
}

/* A relative one is below the one before. */
static int change_workdir(OciRunConfig *c, const char *text) {
        _cleanup_free_ char *value = NULL, *path = NULL;
        int r = words_expand(text, c->env, &value);

        if (r < 0)
                return r;
        if (!value[0])
                return -EINVAL;
        const char *before = c->working_dir && c->working_dir[0] ? c->working_dir : "/";
        if (value[0] == '/')
                return string_replace(&c->working_dir, value);
        if (asprintf(&path, "%s%s%s", before, before[strlen(before) - 1] == '/' ? "" : "/", value) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return string_replace(&c->working_dir, path);
}

static int change_onbuild(OciRunConfig *c, const char *text) {
        return strv_extend(&c->on_build, text);
}

static const struct {
        const char *name;
        int (*change)(OciRunConfig *c, const char *text);
        const char *usage;
} instructions[] = {
        { "CMD",        change_cmd,         "CMD COMMAND, or CMD [\"COMMAND\", …]"         },
        { "ENTRYPOINT", change_entrypoint,  "ENTRYPOINT COMMAND, or ENTRYPOINT [\"COMMAND\", …]" },
        { "ENV",        change_env,         "ENV NAME=VALUE …"                             },
        { "EXPOSE",     change_expose,      "EXPOSE PORT[-PORT][/tcp|/udp|/sctp] …"        },
        { "LABEL",      change_label,       "LABEL NAME=VALUE …"                           },
        { "ONBUILD",    change_onbuild,     "ONBUILD INSTRUCTION"                          },
        { "STOPSIGNAL", change_stop_signal, "STOPSIGNAL SIGNAL"                            },
        { "USER",       change_user,        "USER NAME[:GROUP]"                            },
        { "VOLUME",     change_volume,      "VOLUME PATH …, or VOLUME [\"PATH\", …]"       },
        { "WORKDIR",    change_workdir,     "WORKDIR PATH"                                 },
};

static int refuse(int error, char **ret_error, const char *text, const char *usage) {
        if (asprintf(ret_error, "The change \"%.200s\" cannot be made%s%s", text,
                     usage ? "; it is written "
                           : ": there is no such instruction; there are CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, "
                             "ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR",
                     usage ?: "") < 0) {
                *ret_error = NULL;
                return -ENOMEM;
        }
        return error;
}

static int apply(OciRunConfig *c, const char *text, char **ret_error) {
        const char *p = text + strspn(text, " \t");
        size_t n = strcspn(p, " \t");
        int r;

        if (strlen(text) > CHANGE_SIZE_MAX || strpbrk(text, "\r\n"))
                return refuse(-EINVAL, ret_error, "(too long, or of more than one line)", NULL);
        for (size_t i = 0; i < N_ELEMENTS(instructions); i++) {
                if (strlen(instructions[i].name) != n || strncasecmp(p, instructions[i].name, n) != 0)
                        continue;
                _cleanup_free_ char *arguments = strdup(p + n + strspn(p + n, " \t"));
                if (!arguments)
                        return -ENOMEM;
                for (size_t end = strlen(arguments); end > 0 && strchr(" \t", arguments[end - 1]); end--)
                        arguments[end - 1] = '\0';
                r = arguments[0] ? instructions[i].change(c, arguments) : -EINVAL;
                return r < 0 && r != -ENOMEM ? refuse(r, ret_error, text, instructions[i].usage) : r;
        }
        return refuse(-EINVAL, ret_error, text, NULL);
}

int changes_apply(char *const *changes, OciRunConfig *c, char **ret_error) {
        int r = 0;

        *ret_error = NULL;
        for (size_t n = 0; r >= 0 && changes && changes[n]; n++)
                r = n < OCI_STRINGS_MAX ? apply(c, changes[n], ret_error) : -E2BIG;
        return r;
}
