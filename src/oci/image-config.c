/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image configurations: see image-config.h. */
#include <string.h>

#include "oci/image-config.h"
#include "util/strv.h"

static int strv_check(char **v) {
        size_t n = 0;

        for (; v && v[n]; n++)
                if (strlen(v[n]) >= OCI_STRING_SIZE_MAX)
                        return -E2BIG;
        return n > OCI_STRINGS_MAX ? -E2BIG : 0;
}

/* Refuses by count before anything is copied. */
static int bounded(json_object *value, void *member, JsonConvert convert) {
        char ***v = member;
        int r;

        if (json_object_is_type(value, json_type_array) && json_object_array_length(value) > OCI_STRINGS_MAX)
                return -E2BIG;
        if (json_object_is_type(value, json_type_object) &&
            (unsigned) json_object_object_length(value) > OCI_STRINGS_MAX)
                return -E2BIG;
        r = convert(value, member);
        return r < 0 ? r : strv_check(*v);
}

static int to_strv(json_object *value, void *member) {
        return bounded(value, member, json_to_strv);
}

/* Old builders wrote Cmd, Entrypoint and OnBuild as one string; it means a list of one. */
static int to_command(json_object *value, void *member) {
        _cleanup_free_ char *s = NULL;

        if (!json_object_is_type(value, json_type_string))
                return to_strv(value, member);
        int r = json_to_string(value, &s);
        if (r < 0)
                return r;
        char ***v = member;
        *v = strv_free(*v);
        r = strv_consume(v, TAKE(s));
        return r < 0 ? r : strv_check(*v);
}

static int to_map(json_object *value, void *member) {
        return bounded(value, member, json_to_map);
}

static int to_keys(json_object *value, void *member) {
        return bounded(value, member, json_to_keys);
}

static int to_text(json_object *value, void *member) {
        if (json_object_is_type(value, json_type_string) &&
            (size_t) json_object_get_string_len(value) >= OCI_STRING_SIZE_MAX)
                return -E2BIG;
        return json_to_string(value, member);
}

static int to_i64(json_object *value, void *member) {
        if (!json_object_is_type(value, json_type_int))
                return -EINVAL;
        *(int64_t *) member = json_object_get_int64(value);
        return *(int64_t *) member < 0 ? -EINVAL : 0;
}

static const JsonField healthcheck_fields[] = {
        JSON_FIELD(OciHealthcheck, test,           "Test",          to_strv, 0),
        JSON_FIELD(OciHealthcheck, interval,       "Interval",      to_i64,  0),
        JSON_FIELD(OciHealthcheck, timeout,        "Timeout",       to_i64,  0),
        JSON_FIELD(OciHealthcheck, start_period,   "StartPeriod",   to_i64,  0),
        JSON_FIELD(OciHealthcheck, start_interval, "StartInterval", to_i64,  0),
        JSON_FIELD(OciHealthcheck, retries,        "Retries",       to_i64,  0),
};

/* The member is the whole OciRunConfig: two of its fields are set. */
static int to_healthcheck(json_object *value, void *member) {
        OciRunConfig *c = member;

        c->has_healthcheck = true;
        return json_read_fields(value, healthcheck_fields, N_ELEMENTS(healthcheck_fields), &c->healthcheck, NULL);
}

static const JsonField run_fields[] = {
        JSON_FIELD(OciRunConfig, user,          "User",         to_text,    0),
        JSON_FIELD(OciRunConfig, env,           "Env",          to_strv,    0),
        JSON_FIELD(OciRunConfig, cmd,           "Cmd",          to_command, 0),
        JSON_FIELD(OciRunConfig, entrypoint,    "Entrypoint",   to_command, 0),
        JSON_FIELD(OciRunConfig, working_dir,   "WorkingDir",   to_text,    0),
        JSON_FIELD(OciRunConfig, labels,        "Labels",       to_map,     0),
        JSON_FIELD(OciRunConfig, exposed_ports, "ExposedPorts", to_keys,    0),
        JSON_FIELD(OciRunConfig, volumes,       "Volumes",      to_keys,    0),
        JSON_FIELD(OciRunConfig, stop_signal,   "StopSignal",   to_text,    0),
        JSON_FIELD(OciRunConfig, shell,         "Shell",        to_command, 0),
        JSON_FIELD(OciRunConfig, on_build,      "OnBuild",      to_command, 0),
        { "Healthcheck", 0, to_healthcheck, 0 },
};

/* The field at fault inside of `config`, which the outer table would only name as a whole. One thread reads
 * configurations. */
static const char *run_where;

static int to_run_config(json_object *value, void *member) {
        return json_read_fields(value, run_fields, N_ELEMENTS(run_fields), member, &run_where);
}

typedef struct RootFs {
        char *type;
        json_object *diff_ids;
} RootFs;

static const JsonField rootfs_fields[] = {
        JSON_FIELD(RootFs, type,     "type",     json_to_string, 0),
        JSON_FIELD(RootFs, diff_ids, "diff_ids", json_to_object, 0), /* null for none */
};

/* The member is the whole OciImageConfig. */
static int to_rootfs(json_object *value, void *member) {
        OciImageConfig *c = member;
        RootFs rootfs = { 0 };
        int r;

        r = json_read_fields(value, rootfs_fields, N_ELEMENTS(rootfs_fields), &rootfs, NULL);
        if (r >= 0 && rootfs.type && !streq(rootfs.type, "layers"))
                r = -EINVAL;
        free(rootfs.type);
        _cleanup_json_ json_object *ids = rootfs.diff_ids;
        if (r < 0 || !ids)
                return r;
        if (!json_object_is_type(ids, json_type_array))
                return -EINVAL;
        size_t n = json_object_array_length(ids);
        if (n > OCI_LAYERS_MAX)
                return -E2BIG;
        free(c->diff_ids);
        c->n_diff_ids = 0;
        c->diff_ids = calloc(n + 1, sizeof(OciDigest));
        if (!c->diff_ids)
                return -ENOMEM;
        for (; c->n_diff_ids < n; c->n_diff_ids++) {
                r = json_to_digest(json_object_array_get_idx(ids, c->n_diff_ids), &c->diff_ids[c->n_diff_ids]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const JsonField history_fields[] = {
        JSON_FIELD(OciHistory, created,     "created",     to_text,      0),
        JSON_FIELD(OciHistory, created_by,  "created_by",  to_text,      0),
        JSON_FIELD(OciHistory, author,      "author",      to_text,      0),
        JSON_FIELD(OciHistory, comment,     "comment",     to_text,      0),
        JSON_FIELD(OciHistory, empty_layer, "empty_layer", json_to_bool, 0),
};

static void history_clear(OciImageConfig *c) {
        for (size_t i = 0; c->history && i < c->n_history; i++) {
                free(c->history[i].created);
                free(c->history[i].created_by);
                free(c->history[i].author);
                free(c->history[i].comment);
        }
        free(c->history);
        c->history = NULL;
        c->n_history = 0;
}

/* The member is the whole OciImageConfig. */
static int to_history(json_object *value, void *member) {
        OciImageConfig *c = member;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        size_t n = json_object_array_length(value);
        if (n > OCI_HISTORY_MAX)
                return -E2BIG;
        history_clear(c);
        c->history = calloc(n + 1, sizeof(OciHistory));
        if (!c->history)
                return -ENOMEM;
        c->n_history = n;
        for (size_t i = 0; i < n; i++) {
                int r = json_read_fields(json_object_array_get_idx(value, i), history_fields,
                                         N_ELEMENTS(history_fields), &c->history[i], NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const JsonField config_fields[] = {
        JSON_FIELD(OciImageConfig, created,      "created",      to_text,       0),
        JSON_FIELD(OciImageConfig, author,       "author",       to_text,       0),
        JSON_FIELD(OciImageConfig, architecture, "architecture", to_text,       0),
        JSON_FIELD(OciImageConfig, variant,      "variant",      to_text,       0),
        JSON_FIELD(OciImageConfig, os,           "os",           to_text,       0),
        JSON_FIELD(OciImageConfig, config,       "config",       to_run_config, 0),
        { "rootfs",  0, to_rootfs,  JSON_REQUIRED },
        { "history", 0, to_history, 0             },
};

int oci_image_config_parse(const char *text, size_t size, OciImageConfig **ret, const char **ret_where) {
        _cleanup_(oci_image_config_freep) OciImageConfig *c = NULL;
        _cleanup_json_ json_object *object = NULL;
        const char *where = "";
        int r;

        if (ret_where)
                *ret_where = where;
        if (size > OCI_CONFIG_SIZE_MAX)
                return -EFBIG;
        r = json_parse(text, size, &object);
        if (r < 0)
                return r;
        c = calloc(1, sizeof(OciImageConfig));
        if (!c)
                return -ENOMEM;
        run_where = "";
        r = json_read_fields(object, config_fields, N_ELEMENTS(config_fields), c, &where);
        if (r < 0) {
                if (ret_where)
                        *ret_where = streq(where, "config") && run_where[0] ? run_where : where;
                return r;
        }
        *ret = TAKE(c);
        return 0;
}

void oci_run_config_clear(OciRunConfig *c) {
        free(c->user);
        free(c->working_dir);
        free(c->stop_signal);
        strv_free(c->env);
        strv_free(c->cmd);
        strv_free(c->entrypoint);
        strv_free(c->shell);
        strv_free(c->on_build);
        strv_free(c->labels);
        strv_free(c->exposed_ports);
        strv_free(c->volumes);
        strv_free(c->healthcheck.test);
        *c = (OciRunConfig){ 0 };
}

OciImageConfig *oci_image_config_free(OciImageConfig *c) {
        if (!c)
                return NULL;
        free(c->created);
        free(c->author);
        free(c->architecture);
        free(c->variant);
        free(c->os);
        free(c->diff_ids);
        oci_run_config_clear(&c->config);
        history_clear(c);
        free(c);
        return NULL;
}

static int add_strv(json_object *o, const char *key, char *const *v) {
        return v && v[0] ? json_add_strv(o, key, v) : 0;
}

static int add_text(json_object *o, const char *key, const char *s) {
        return s && s[0] ? json_add_string(o, key, s) : 0;
}

static int add_number(json_object *o, const char *key, int64_t n) {
        return n != 0 ? json_add_i64(o, key, n) : 0;
}

/* Go's set: an object whose values are empty objects. */
static int add_keys(json_object *o, const char *key, char *const *v) {
        _cleanup_json_ json_object *set = NULL;

        if (!v || !v[0])
                return 0;
        set = json_object_new_object();
        if (!set)
                return -ENOMEM;
        for (; *v; v++)
                if (json_add_object(set, *v, json_object_new_object()) < 0)
                        return -ENOMEM;
        return json_add_object(o, key, TAKE(set));
}

static int add_healthcheck(json_object *o, const OciHealthcheck *h) {
        _cleanup_json_ json_object *health = json_object_new_object();

        if (!health || add_strv(health, "Test", h->test) < 0 || add_number(health, "Interval", h->interval) < 0 ||
            add_number(health, "Timeout", h->timeout) < 0 || add_number(health, "StartPeriod", h->start_period) < 0 ||
            add_number(health, "StartInterval", h->start_interval) < 0 || add_number(health, "Retries", h->retries) < 0)
                return -ENOMEM;
        return json_add_object(o, "Healthcheck", TAKE(health));
}

json_object *oci_run_config_to_json(const OciRunConfig *c) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || add_text(o, "User", c->user) < 0 || add_keys(o, "ExposedPorts", c->exposed_ports) < 0 ||
            add_strv(o, "Env", c->env) < 0 || add_strv(o, "Entrypoint", c->entrypoint) < 0 ||
            add_strv(o, "Cmd", c->cmd) < 0 || add_keys(o, "Volumes", c->volumes) < 0 ||
            add_text(o, "WorkingDir", c->working_dir) < 0 || add_text(o, "StopSignal", c->stop_signal) < 0 ||
            add_strv(o, "Shell", c->shell) < 0 || add_strv(o, "OnBuild", c->on_build) < 0)
                return NULL;
        if (c->labels && c->labels[0] && json_add_map(o, "Labels", c->labels) < 0)
                return NULL;
        if (c->has_healthcheck && add_healthcheck(o, &c->healthcheck) < 0)
                return NULL;
        return TAKE(o);
}

json_object *oci_history_to_json(const OciImageConfig *c) {
        _cleanup_json_ json_object *array = json_object_new_array();

        if (!array)
                return NULL;
        for (size_t i = 0; i < c->n_history; i++) {
                const OciHistory *h = &c->history[i];
                _cleanup_json_ json_object *o = json_object_new_object();

                if (!o || add_text(o, "created", h->created) < 0 || add_text(o, "created_by", h->created_by) < 0 ||
                    add_text(o, "author", h->author) < 0 || add_text(o, "comment", h->comment) < 0 ||
                    (h->empty_layer && json_add_bool(o, "empty_layer", true) < 0))
                        return NULL;
                if (json_object_array_add(array, o) < 0)
                        return NULL;
                o = NULL;
        }
        return TAKE(array);
}
