/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings merged over an image: see container-config.h. */
#include <signal.h>
#include <stdio.h>

#include "container/container-config.h"
#include "util/signals.h"
#include "util/strv.h"

typedef struct ImageDefaults {
        char **env, **cmd, **entrypoint, **labels;
        char *user, *working_dir, *stop_signal;
} ImageDefaults;

static const JsonField image_fields[] = {
        JSON_FIELD(ImageDefaults, env,         "Env",        json_to_strv,   0),
        JSON_FIELD(ImageDefaults, cmd,         "Cmd",        json_to_strv,   0),
        JSON_FIELD(ImageDefaults, entrypoint,  "Entrypoint", json_to_strv,   0),
        JSON_FIELD(ImageDefaults, labels,      "Labels",     json_to_map,    0),
        JSON_FIELD(ImageDefaults, user,        "User",       json_to_string, 0),
        JSON_FIELD(ImageDefaults, working_dir, "WorkingDir", json_to_string, 0),
        JSON_FIELD(ImageDefaults, stop_signal, "StopSignal", json_to_string, 0),
};

static void defaults_done(ImageDefaults *d) {
        strv_free(d->env);
        strv_free(d->cmd);
        strv_free(d->entrypoint);
        strv_free(d->labels);
        free(d->user);
        free(d->working_dir);
        free(d->stop_signal);
}

void container_config_done(ContainerConfig *c) {
        strv_free(c->entrypoint);
        strv_free(c->command);
        strv_free(c->env);
        strv_free(c->labels);
        free(c->user);
        free(c->working_dir);
        free(c->hostname);
        free(c->stop_signal_text);
        container_limits_done(&c->limits);
        *c = (ContainerConfig) { 0 };
}

static const char *first_given(const char *a, const char *b) {
        return a && *a ? a : b && *b ? b : NULL;
}

/* The first's entries, then those of the second whose key the first does not have. */
static int merge_assignments(char *const *first, char *const *second, char ***ret) {
        _cleanup_strv_ char **merged = NULL;
        int r;

        for (size_t i = 0; first && first[i]; i++)
                if ((r = strv_env_set(&merged, first[i])) < 0)
                        return r;
        for (size_t i = 0; second && second[i]; i++) {
                _cleanup_free_ char *key = strndup(second[i], strcspn(second[i], "="));
                if (!key)
                        return -ENOMEM;
                if (strv_env_get(merged, key))
                        continue;
                if ((r = strv_extend(&merged, second[i])) < 0)
                        return r;
        }
        *ret = TAKE(merged);
        return 0;
}

/* Docker: an entrypoint of one's own leaves the image's arguments behind; arguments of one's own keep the image's
 * entrypoint. */
static int merge_command(const ContainerSettings *s, const ImageDefaults *image, ContainerConfig *c) {
        bool own = s->entrypoint, given = s->command && s->command[0];
        bool none = own && (!s->entrypoint[0] || (streq(s->entrypoint[0], "") && !s->entrypoint[1])); /* "" is none */
        char *const *command = given ? s->command : own ? NULL : image->cmd;
        int r;

        r = none ? 0 : strv_copy(own ? s->entrypoint : image->entrypoint, &c->entrypoint);
        return r < 0 ? r : strv_copy(command, &c->command);
}

static bool wants_no_new_privileges(char *const *options) {
        bool on = false;

        for (; options && *options; options++) {
                const char *value = startswith(*options, "no-new-privileges");
                if (value && (!*value || parse_bool(value + 1, &on) < 0))
                        on = true;
        }
        return on;
}

static int merge(const ContainerSettings *s, const ImageDefaults *image, ContainerConfig *c, char **ret_error) {
        const char *stop_signal = first_given(s->stop_signal, image->stop_signal);
        int r;

        r = merge_command(s, image, c);
        if (r < 0)
                return r;
        if (!(c->entrypoint && c->entrypoint[0]) && !(c->command && c->command[0])) {
                *ret_error = strdup("No command specified: neither the call nor the image names one.");
                return *ret_error ? -EINVAL : -ENOMEM;
        }
        c->stop_signal = stop_signal ? signal_parse(stop_signal) : SIGTERM;
        if (c->stop_signal <= 0) {
                if (asprintf(ret_error,
                             "The stop signal \"%.64s\" of the image is no signal; give one with --stop-signal.",
                             stop_signal) < 0)
                        *ret_error = NULL;
                return *ret_error ? -EINVAL : -ENOMEM;
        }
        c->stop_timeout = s->stop_timeout == OPTION_I32_UNSET ? STOP_TIMEOUT_DEFAULT : s->stop_timeout;
        c->no_new_privileges = wants_no_new_privileges(s->security_opt);
        if ((r = container_limits_make(s, &c->limits, ret_error)) < 0 ||
            (r = merge_assignments(s->env, image->env, &c->env)) < 0 ||
            (r = merge_assignments(s->labels, image->labels, &c->labels)) < 0 ||
            (r = string_replace(&c->user, first_given(s->user, image->user))) < 0 ||
            (r = string_replace(&c->working_dir, first_given(s->working_dir, image->working_dir))) < 0 ||
            (r = string_replace(&c->stop_signal_text, stop_signal)) < 0 ||
            (r = string_replace(&c->hostname, s->hostname)) < 0)
                return r;
        if (c->working_dir && c->working_dir[0] != '/') { /* an image may say it so; Docker takes it from the root */
                char *absolute;
                if (asprintf(&absolute, "/%s", c->working_dir) < 0)
                        return -ENOMEM;
                free(c->working_dir);
                c->working_dir = absolute;
        }
        return 0;
}

int container_config_merge(const ContainerSettings *settings, json_object *image_config, ContainerConfig *ret,
                           char **ret_error) {
        _cleanup_(defaults_done) ImageDefaults image = { 0 };
        _cleanup_(container_config_done) ContainerConfig c = { 0 };
        const char *where = NULL;
        int r;

        if (image_config) {
                r = json_read_fields(image_config, image_fields, N_ELEMENTS(image_fields), &image, &where);
                if (r < 0) {
                        if (asprintf(ret_error, "The record of the image cannot be used: its field %s is wrong.",
                                     where) < 0)
                                *ret_error = NULL;
                        return *ret_error ? -EINVAL : -ENOMEM;
                }
        }
        r = merge(settings, &image, &c, ret_error);
        if (r < 0)
                return r;
        *ret = c;
        c = (ContainerConfig) { 0 };
        return 0;
}
