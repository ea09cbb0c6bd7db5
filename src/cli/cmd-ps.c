/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth ps: lists containers. */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "cli/filter.h"
#include "cli/objects.h"
#include "cli/verb.h"
#include "oci/reference.h"
#include "util/format.h"
#include "util/strv.h"
#include "util/table.h"
#include "util/timestamp.h"

static bool arg_all;
static bool arg_quiet;
static bool arg_latest;
static bool arg_no_trunc;
static int32_t arg_last = -1;
static char *arg_format;
static char **arg_filters;

const Arg ps_args[] = {
        { "all",      'a', ARG_BOOL,   &arg_all,      NULL,     "Show all containers, not just those that run" },
        { "filter",   'f', ARG_STRV,   &arg_filters,  "filter",
          "Only those that fit: id, name, label, status, exited, ancestor, network, before, since, health, publish, "
          "volume, is-task",
          filter_parse },
        { "format",   0,   ARG_STRING, &arg_format,   "string", "A Go template, 'table TEMPLATE', or 'json'" },
        { "last",     'n', ARG_I32,    &arg_last,     "int",
          "Show the n containers that were created last, in any state" },
        { "latest",   'l', ARG_BOOL,   &arg_latest,   NULL,
          "Show the container that was created last, in any state" },
        { "no-trunc", 0,   ARG_BOOL,   &arg_no_trunc, NULL,     "Show whole ids and commands" },
        { "quiet",    'q', ARG_BOOL,   &arg_quiet,    NULL,     "Show ids only" },
        { 0 },
};

static const char *const filter_keys[] = {
        "ancestor", "before", "exited", "health", "id", "is-task", "label", "name", "network", "publish", "since",
        "status", "volume", NULL,
};

typedef struct Listed {
        char *id, *name, *image, *image_id, *state, *network;
        char **command, **labels;
        int32_t exit_code;
        uint64_t created, started, finished;
} Listed;

static const Property listed_properties[] = {
        { "Id",       PROPERTY_STRING, offsetof(Listed, id)        },
        { "Name",     PROPERTY_STRING, offsetof(Listed, name)      },
        { "Image",    PROPERTY_STRING, offsetof(Listed, image)     },
        { "ImageId",  PROPERTY_STRING, offsetof(Listed, image_id)  },
        { "State",    PROPERTY_STRING, offsetof(Listed, state)     },
        { "Network",  PROPERTY_STRING, offsetof(Listed, network)   },
        { "Command",  PROPERTY_STRV,   offsetof(Listed, command)   },
        { "Labels",   PROPERTY_MAP,    offsetof(Listed, labels)    },
        { "ExitCode", PROPERTY_I32,    offsetof(Listed, exit_code) },
        { "Created",  PROPERTY_U64,    offsetof(Listed, created)   },
        { "Started",  PROPERTY_U64,    offsetof(Listed, started)   },
        { "Finished", PROPERTY_U64,    offsetof(Listed, finished)  },
        { 0 },
};

enum {
        COLUMN_OF_ID, COLUMN_OF_IMAGE, COLUMN_OF_COMMAND, COLUMN_OF_CREATED, COLUMN_OF_STATUS, COLUMN_OF_PORTS,
        COLUMN_OF_NAMES, COLUMN_OF_CREATED_AT, COLUMN_OF_STATE, COLUMN_OF_LABELS, COLUMN_OF_NETWORKS,
        COLUMN_OF_MOUNTS, COLUMN_OF_LOCAL_VOLUMES,
};

static const Column columns[] = {
        [COLUMN_OF_ID]         = { "ID",         "CONTAINER ID", COLUMN_ID,      true  },
        [COLUMN_OF_IMAGE]      = { "Image",      "IMAGE",        COLUMN_TEXT,    true  },
        [COLUMN_OF_COMMAND]    = { "Command",    "COMMAND",      COLUMN_COMMAND, true  },
        [COLUMN_OF_CREATED]    = { "RunningFor", "CREATED",      COLUMN_AGO,     true  },
        [COLUMN_OF_STATUS]     = { "Status",     "STATUS",       COLUMN_TEXT,    true  },
        [COLUMN_OF_PORTS]      = { "Ports",      "PORTS",        COLUMN_TEXT,    true  }, /* none are published yet */
        [COLUMN_OF_NAMES]      = { "Names",      "NAMES",        COLUMN_TEXT,    true  },
        [COLUMN_OF_CREATED_AT] = { "CreatedAt",  "CREATED AT",   COLUMN_TIME,    false },
        [COLUMN_OF_STATE]      = { "State",      "STATE",        COLUMN_TEXT,    false },
        [COLUMN_OF_LABELS]     = { "Labels",     "LABELS",       COLUMN_TEXT,    false },
        [COLUMN_OF_NETWORKS]   = { "Networks",   "NETWORKS",     COLUMN_TEXT,    false },
        [COLUMN_OF_MOUNTS]     = { "Mounts",     "MOUNTS",       COLUMN_TEXT,    false }, /* nor are there volumes */
        [COLUMN_OF_LOCAL_VOLUMES] = { "LocalVolumes", "LOCAL VOLUMES", COLUMN_TEXT, false },
};

/* --- Which ones --- */

static bool is_running(const Listed *c) {
        return streq_null(c->state, "running") || streq_null(c->state, "paused") || streq_null(c->state, "restarting");
}

static bool matches(const char *pattern, const char *text) {
        regex_t regex;

        if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return strstr(text, pattern) != NULL;
        bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
        regfree(&regex);
        return fits;
}

/* Docker's names begin with a slash, and scripts have learnt to write ^/web$. */
static bool test_name(const void *object, const char *value) {
        const Listed *c = object;
        char with_slash[256];

        if (!c->name)
                return false;
        snprintf(with_slash, sizeof(with_slash), "/%s", c->name);
        return matches(value, c->name) || matches(value, with_slash);
}

static bool test_id(const void *object, const char *value) {
        const Listed *c = object;
        return c->id && startswith(c->id, value);
}

static bool test_status(const void *object, const char *value) {
        const Listed *c = object;
        return streq_null(c->state, value);
}

static bool test_exited(const void *object, const char *value) {
        const Listed *c = object;
        int32_t code;

        return parse_i32(value, &code) >= 0 && c->started > 0 && !is_running(c) && c->exit_code == code;
}

static bool test_network(const void *object, const char *value) {
        const Listed *c = object;
        return streq_null(c->network, value);
}

static bool test_ancestor(const void *object, const char *value) {
        const Listed *c = object;
        _cleanup_free_ char *wanted = NULL, *has = NULL;
        const char *digits = startswith(value, "sha256:"),
                   *id = c->image_id ? startswith(c->image_id, "sha256:") : NULL;

        if (!digits)
                digits = value;
        if (!id)
                id = c->image_id;
        if (id && *digits && startswith(id, digits))
                return true;
        return c->image && oci_reference_normalize(value, &wanted) >= 0 &&
               oci_reference_normalize(c->image, &has) >= 0 && streq(wanted, has);
}

/* What no container has yet: published ports, volumes, a check of its health, a swarm. */
static bool test_nothing(const void *object, const char *value) {
        return false;
}

static bool test_health(const void *object, const char *value) {
        return streq(value, "none");
}

static bool test_is_task(const void *object, const char *value) {
        return streq(value, "false") || streq(value, "0");
}

/* PORT[-PORT][/PROTOCOL] */
static bool is_port(const char *text) {
        static const char *const protocols[] = { "tcp", "udp", "sctp", NULL };
        _cleanup_free_ char *copy = strdup(text);
        int32_t first, last;

        if (!copy)
                return false;
        char *protocol = strchr(copy, '/');
        if (protocol)
                *protocol++ = '\0';
        char *to = strchr(copy, '-');
        if (to)
                *to++ = '\0';
        return parse_i32(copy, &first) >= 0 && parse_i32(to ? to : copy, &last) >= 0 && first >= 0 && first <= last &&
               last <= UINT16_MAX && (!protocol || strv_contains((char *const *) protocols, protocol));
}

static bool is_value(const char *filter) {
        static const char *const states[] = {
                "created", "dead", "exited", "paused", "removing", "restarting", "running", NULL,
        }, *const healths[] = { "starting", "healthy", "unhealthy", "none", NULL },
          *const bools[] = { "true", "false", "1", "0", NULL };
        const char *value = strchr(filter, '=') + 1;
        int32_t code;

        if (startswith(filter, "status="))
                return strv_contains((char *const *) states, value);
        if (startswith(filter, "health="))
                return strv_contains((char *const *) healths, value);
        if (startswith(filter, "is-task="))
                return strv_contains((char *const *) bools, value);
        if (startswith(filter, "exited="))
                return parse_i32(value, &code) >= 0;
        return !startswith(filter, "publish=") || is_port(value);
}

/* A value that no container can have is a mistake, not an empty list. */
static int check_filters(void) {
        _cleanup_free_ char *error = NULL;
        int r = filter_check(arg_filters, filter_keys, &error);

        if (r == -ENOMEM)
                return r;
        for (char **f = arg_filters; r >= 0 && f && *f; f++)
                if (!is_value(*f))
                        r = asprintf(&error, "invalid filter '%s'", *f) < 0 ? -ENOMEM : -EINVAL;
        if (r == -EINVAL)
                cli_error("%s", error);
        return r;
}

/* When the container that `before` or `since` names was created; 0 if that is not asked for. */
static int find_created(const Listed *all, size_t n, const char *key, uint64_t *ret) {
        size_t length = strlen(key);

        *ret = 0;
        for (char **f = arg_filters; f && *f; f++) {
                if (strncmp(*f, key, length) != 0 || (*f)[length] != '=')
                        continue;
                const char *wanted = *f + length + 1;
                const Listed *found = NULL;
                for (size_t i = 0; i < n && !found; i++)
                        if (streq_null(all[i].name, wanted) || (*wanted && all[i].id && startswith(all[i].id, wanted)))
                                found = &all[i];
                if (!found) {
                        cli_error("No such container: %s", wanted);
                        return -ENOENT;
                }
                *ret = found->created;
        }
        return 0;
}

static bool is_wanted(const Listed *c, uint64_t before, uint64_t since) {
        bool any_state = arg_all || arg_last > 0 || filter_has(arg_filters, "status"); /* not exited: as docker */

        return (any_state || is_running(c)) && (before == 0 || c->created < before) &&
               (since == 0 || c->created > since) && filter_any(arg_filters, "name", test_name, c) &&
               filter_any(arg_filters, "id", test_id, c) && filter_any(arg_filters, "status", test_status, c) &&
               filter_any(arg_filters, "exited", test_exited, c) &&
               filter_any(arg_filters, "ancestor", test_ancestor, c) &&
               filter_any(arg_filters, "network", test_network, c) &&
               filter_any(arg_filters, "health", test_health, c) &&
               filter_any(arg_filters, "is-task", test_is_task, c) &&
               filter_any(arg_filters, "publish", test_nothing, c) &&
               filter_any(arg_filters, "volume", test_nothing, c) && filter_labels(arg_filters, c->labels);
}

/* --- What is shown of them --- */

/* As `docker ps`: arguments with a blank in quotes, all but the first. */
static char *command_text(char *const *command) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (size_t i = 0; command && command[i]; i++)
                fprintf(f, i > 0 && strchr(command[i], ' ') ? "%s'%s'" : "%s%s", i > 0 ? " " : "", command[i]);
        if (fclose(f) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

static char *status_text(const Listed *c, uint64_t now) {
        _cleanup_free_ char *since = NULL;
        char *text = NULL;
        int n;

        if (streq_null(c->state, "running") || streq_null(c->state, "paused")) {
                since = format_duration(now > c->started ? (now - c->started) / USEC_PER_SEC : 0);
                n = since ? asprintf(&text, "Up %s%s", since, streq(c->state, "paused") ? " (Paused)" : "") : -1;
        } else if (c->finished > 0 && (streq_null(c->state, "exited") || streq_null(c->state, "restarting"))) {
                since = format_ago(c->finished, now);
                n = since ? asprintf(&text, "%s (%i) %s", streq(c->state, "exited") ? "Exited" : "Restarting",
                                     c->exit_code, since)
                          : -1;
        } else if (streq_null(c->state, "removing"))
                n = asprintf(&text, "Removal In Progress");
        else {
                n = asprintf(&text, "%s", c->state ? c->state : "");
                if (n > 0 && text[0] >= 'a' && text[0] <= 'z')
                        text[0] &= ~0x20;
        }
        return n < 0 ? NULL : text;
}

static int add_row(Table *t, const Listed *c, uint64_t now) {
        Cell *cells;
        int r = table_add_row(t, c->labels, &cells);

        if (r < 0)
                return r;
        struct { size_t column; char *text; } texts[] = {
                { COLUMN_OF_ID, strdup(c->id ? c->id : "") },
                { COLUMN_OF_IMAGE, strdup(c->image ? c->image : "") },
                { COLUMN_OF_COMMAND, command_text(c->command) },
                { COLUMN_OF_STATUS, status_text(c, now) },
                { COLUMN_OF_PORTS, strdup("") },
                { COLUMN_OF_NAMES, strdup(c->name ? c->name : "") },
                { COLUMN_OF_STATE, strdup(c->state ? c->state : "") },
                { COLUMN_OF_LABELS, strv_join(c->labels, ",") },
                { COLUMN_OF_NETWORKS, strdup(c->network ? c->network : "") },
                { COLUMN_OF_MOUNTS, strdup("") },
                { COLUMN_OF_LOCAL_VOLUMES, strdup("0") },
        };
        for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
                cells[texts[i].column].text = texts[i].text;
                if (!texts[i].text)
                        r = -ENOMEM;
        }
        cells[COLUMN_OF_CREATED].number = cells[COLUMN_OF_CREATED_AT].number = c->created;
        return r;
}

static int compare_created(const void *a, const void *b) {
        const Listed *x = a, *y = b;

        if (x->created != y->created)
                return x->created < y->created ? 1 : -1;
        return strcmp(x->id ? x->id : "", y->id ? y->id : "");
}

static int show(Listed *all, size_t n) {
        _cleanup_(table_freep) Table *t = NULL;
        _cleanup_free_ char *error = NULL;
        uint64_t now = time_now_usec(), before, since;
        TablePrint how = { .format = arg_format, .quiet = arg_quiet, .no_trunc = arg_no_trunc, .now_usec = now };
        int32_t left = arg_last > 0 ? arg_last : INT32_MAX;
        int r = table_new(columns, N_ELEMENTS(columns), COLUMN_OF_ID, &t);

        if (r < 0)
                return r;
        if (find_created(all, n, "before", &before) < 0 || find_created(all, n, "since", &since) < 0)
                return EXIT_FAILED;
        if (n > 0)
                qsort(all, n, sizeof(Listed), compare_created);
        for (size_t i = 0; i < n && left > 0; i++) {
                if (!is_wanted(&all[i], before, since))
                        continue;
                r = add_row(t, &all[i], now);
                if (r < 0)
                        return r;
                left--;
        }
        r = table_print(t, &how, stdout, &error);
        if (r == -EINVAL && error) {
                cli_error("%s", error);
                return EXIT_FAILED;
        }
        return r < 0 ? r : EXIT_OK;
}

int cmd_ps(int argc, char **argv) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        void *all = NULL;
        size_t n = 0;
        int r;

        if (arg_latest && arg_last < 0)
                arg_last = 1;
        r = check_filters();
        if (r < 0)
                return r == -EINVAL ? EXIT_FAILED : r;
        r = objects_get(BUS_CONTAINER, listed_properties, sizeof(Listed), &all, &n, &error);
        if (r < 0)
                return bus_print_error(&error, r);
        r = show(all, n);
        objects_free(all, n, sizeof(Listed), listed_properties);
        return r;
}
