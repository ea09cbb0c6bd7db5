/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of the option table: see option-values.h. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "container/option-values.h"
#include "util/signals.h"
#include "util/strv.h"
#include "util/utf8.h"
#include "wire/restart-policy.h"

#define STRING_MAX_SIZE (128 * 1024 - 1) /* MAX_ARG_STRLEN: execve takes no longer argument or variable */
#define VECTOR_MAX_SIZE (2 * 1024 * 1024) /* nor more than this of them, with the usual stack limit */
#define NAME_MAX_LENGTH 200 /* berth-NAME-<12 digits>.scope has to be a unit name */
#define ID_MAX 65535 /* a container's user namespace has the ids from 0 to this */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

int option_error(char **ret_error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(ret_error, format, ap);
        va_end(ap);
        if (n < 0) {
                *ret_error = NULL;
                return -ENOMEM;
        }
        utf8_make_line(*ret_error); /* whatever the value was or where it was cut */
        return -EINVAL;
}

int parse_optional(const char *value, void *member, char **ret_error) {
        return string_replace(member, *value ? value : NULL);
}

int parse_single(const char *value, void *member, char **ret_error) {
        char ***target = member;

        *target = strv_free(*target);
        return strv_extend(target, value);
}

static const char *const streams[] = { "stdin", "stdout", "stderr" };

static const char *find_stream(const char *name) {
        for (size_t i = 0; i < N_ELEMENTS(streams); i++)
                if (strcasecmp(streams[i], name) == 0)
                        return streams[i];
        return NULL;
}

int parse_attach(const char *value, void *member, char **ret_error) {
        const char *stream = find_stream(value);

        if (!stream)
                return option_error(ret_error, "valid streams are STDIN, STDOUT and STDERR");
        return strv_extend(member, stream);
}

int parse_env(const char *value, void *member, char **ret_error) {
        const char *here;
        _cleanup_free_ char *entry = NULL;

        if (strchr(value, '='))
                return strv_env_set(member, value);
        here = *value ? getenv(value) : NULL;
        if (!*value)
                return option_error(ret_error, "a variable needs a name");
        if (!here)
                return 0;
        if (asprintf(&entry, "%s=%s", value, here) < 0)
                return -ENOMEM;
        return strv_env_set(member, entry);
}

int parse_label(const char *value, void *member, char **ret_error) {
        _cleanup_free_ char *entry = NULL;

        if (strchr(value, '='))
                return strv_env_set(member, value);
        if (asprintf(&entry, "%s=", value) < 0)
                return -ENOMEM;
        return strv_env_set(member, entry);
}

int parse_timeout(const char *value, void *member, char **ret_error) {
        int32_t seconds;

        if (parse_i32(value, &seconds) < 0)
                return option_error(ret_error, "\"%.64s\" is no number of seconds", value);
        if (validate_timeout(&seconds, ret_error) < 0)
                return -EINVAL;
        *(int32_t *) member = seconds;
        return 0;
}

int validate_attach(const void *member, char **ret_error) {
        char *const *v = *(char *const *const *) member;

        if (strv_length(v) > N_ELEMENTS(streams))
                return option_error(ret_error, "there are no more than %zu streams", N_ELEMENTS(streams));
        for (; v && *v; v++)
                if (!find_stream(*v) || !streq(find_stream(*v), *v))
                        return option_error(ret_error, "\"%.64s\" is no stream; there are stdin, stdout, stderr", *v);
        return 0;
}

int console_size_parse(const char *text, uint16_t *ret_rows, uint16_t *ret_columns) {
        _cleanup_strv_ char **numbers = NULL;
        uint32_t rows, columns;
        int r = strv_split(text, 'x', &numbers);

        if (r < 0)
                return r;
        if (strv_length(numbers) != 2 || parse_u32(numbers[0], &rows) < 0 || parse_u32(numbers[1], &columns) < 0 ||
            rows > UINT16_MAX || columns > UINT16_MAX)
                return -EINVAL;
        *ret_rows = (uint16_t) rows;
        *ret_columns = (uint16_t) columns;
        return 0;
}

int validate_console_size(const void *member, char **ret_error) {
        const char *text = *(char *const *) member;
        uint16_t rows, columns;

        if (console_size_parse(text, &rows, &columns) < 0)
                return option_error(ret_error, "\"%.64s\" is no size of a terminal; that is ROWSxCOLUMNS", text);
        return 0;
}

/* What every string has to be: UTF-8, which D-Bus and JSON demand, and not longer than execve takes. */
static int validate_string(const char *what, const char *s, char **ret_error) {
        if (strlen(s) > STRING_MAX_SIZE)
                return option_error(ret_error, "%s is longer than %d bytes: \"%.32s…\"", what, STRING_MAX_SIZE, s);
        if (!utf8_is_valid(s))
                return option_error(ret_error, "%s is not valid UTF-8", what);
        return 0;
}

static int validate_vector(const char *what, const void *member, char **ret_error) {
        char *const *v = *(char *const *const *) member;
        size_t size = 0;

        for (; v && *v; v++) {
                int r = validate_string(what, *v, ret_error);
                if (r < 0)
                        return r;
                size += strlen(*v) + 1 + sizeof(char *);
                if (size > VECTOR_MAX_SIZE)
                        return option_error(ret_error, "%s and its like are more than %d bytes together", what,
                                            VECTOR_MAX_SIZE);
        }
        return 0;
}

int validate_strings(const void *member, char **ret_error) {
        return validate_vector("an argument of the command", member, ret_error);
}

static int validate_assignments(const char *what, const void *member, char **ret_error) {
        int r = validate_vector(what, member, ret_error);

        if (r < 0)
                return r;
        for (char *const *v = *(char *const *const *) member; v && *v; v++) {
                if (**v == '=')
                        return option_error(ret_error, "%s needs a name before the \"=\": \"%.64s\"", what, *v);
                if (!strchr(*v, '='))
                        return option_error(ret_error, "%s is no KEY=VALUE: \"%.64s\"", what, *v);
        }
        return 0;
}

int validate_env(const void *member, char **ret_error) {
        return validate_assignments("an environment variable", member, ret_error);
}

int validate_labels(const void *member, char **ret_error) {
        return validate_assignments("a label", member, ret_error);
}

int validate_image(const void *member, char **ret_error) {
        const char *image = *(char *const *) member;

        if (!*image)
                return option_error(ret_error, "the name of the image is empty");
        return validate_string("the name of the image", image, ret_error);
}

int validate_name(const void *member, char **ret_error) {
        const char *name = *(char *const *) member;
        size_t length = strlen(name);

        if (length < 2 || !strchr(LETTERS DIGITS, name[0]) || strspn(name, LETTERS DIGITS "_.-") != length)
                return option_error(ret_error,
                                    "Invalid container name (%.64s): only [a-zA-Z0-9][a-zA-Z0-9_.-]+ is allowed", name);
        if (length > NAME_MAX_LENGTH)
                return option_error(ret_error, "Invalid container name (%.32s…): longer than %d characters", name,
                                    NAME_MAX_LENGTH);
        return 0;
}

int validate_hostname(const void *member, char **ret_error) {
        const char *name = *(char *const *) member;
        size_t length = strlen(name);

        if (length == 0 || length > HOST_NAME_MAX || strspn(name, LETTERS DIGITS "_.-") != length ||
            strchr("-.", name[0]) || strchr("-.", name[length - 1]) || strstr(name, ".."))
                return option_error(ret_error, "invalid hostname (%.64s): at most %d letters, digits, \"-\" and \".\"",
                                    name, HOST_NAME_MAX);
        return 0;
}

int validate_network(const void *member, char **ret_error) {
        const char *network = *(char *const *) member;

        if (!streq(network, "none") && !streq(network, "host"))
                return option_error(ret_error, "network %.64s not found: there are none and host", network);
        return 0;
}

int validate_path(const void *member, char **ret_error) {
        const char *path = *(char *const *) member;

        if (*path != '/')
                return option_error(ret_error,
                                    "the working directory \"%.64s\" is invalid, it needs to be an absolute path",
                                    path);
        if (strlen(path) >= PATH_MAX)
                return option_error(ret_error, "the working directory is longer than %d bytes", PATH_MAX - 1);
        return validate_string("the working directory", path, ret_error);
}

int validate_pull(const void *member, char **ret_error) {
        const char *pull = *(char *const *) member;

        if (!streq(pull, "always") && !streq(pull, "missing") && !streq(pull, "never"))
                return option_error(ret_error,
                                    "invalid pull option \"%.64s\": there are \"always\", \"missing\" and \"never\"",
                                    pull);
        return 0;
}

int validate_restart(const void *member, char **ret_error) {
        char why[RESTART_TEXT_MAX];
        RestartPolicy policy;

        return restart_policy_parse(*(char *const *) member, &policy, why) < 0 ? option_error(ret_error, "%s", why) : 0;
}

int validate_security_opt(const void *member, char **ret_error) {
        for (char *const *v = *(char *const *const *) member; v && *v; v++) {
                const char *value = startswith(*v, "no-new-privileges");
                bool on;

                if (!value || (*value && *value != ':' && *value != '=') || (*value && parse_bool(value + 1, &on) < 0))
                        return option_error(ret_error,
                                            "invalid security option \"%.64s\": there is "
                                            "no-new-privileges[:true|false]", *v);
        }
        return 0;
}

int validate_signal(const void *member, char **ret_error) {
        const char *name = *(char *const *) member;

        if (signal_parse(name) < 0)
                return option_error(ret_error, "invalid signal: %.64s", name);
        return 0;
}

int validate_timeout(const void *member, char **ret_error) {
        int32_t seconds = *(const int32_t *) member;

        if (seconds < -1)
                return option_error(ret_error, "invalid timeout %d: seconds, or -1 for no limit", seconds);
        return 0;
}

/* A number of a user or group, or a name. */
static int validate_id(const char *what, const char *id, size_t length, char **ret_error) {
        _cleanup_free_ char *text = strndup(id, length);
        uint32_t number;
        int r;

        if (!text)
                return -ENOMEM;
        if (length == 0 || length > 64 || !utf8_is_valid(text))
                return option_error(ret_error, "invalid %s: a name or number of 1 to 64 characters is needed", what);
        for (const char *p = text; *p; p++)
                if ((unsigned char) *p <= ' ' || *p == 127 || *p == '/' || *p == ',')
                        return option_error(ret_error, "invalid %s: a character that no name has", what);
        if (strspn(text, DIGITS) != length)
                return 0;
        r = parse_u32(text, &number);
        if (r < 0 || number > ID_MAX)
                return option_error(ret_error,
                                    "%s %s is above %d, the last that a container has: use a smaller number",
                                    what, text, ID_MAX);
        return 0;
}

int validate_user(const void *member, char **ret_error) {
        const char *user = *(char *const *) member;
        size_t length = strcspn(user, ":");
        int r;

        /* ":33" is Docker's way to name the group alone. */
        r = length == 0 && user[0] ? 0 : validate_id("user", user, length, ret_error);
        if (r < 0 || !user[length])
                return r;
        return validate_id("group", user + length + 1, strlen(user + length + 1), ret_error);
}
