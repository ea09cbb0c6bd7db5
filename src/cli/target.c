/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What start and attach are the foreground of: see target.h. */
#include <fcntl.h>

#include "cli/bus.h"
#include "cli/target.h"
#include "util/json.h"

void target_done(Target *t) {
        free(t->path);
        t->path = NULL;
}

static int read_inspect(const char *text, Target *t) {
        const struct { const char *place; bool *member; } facts[] = {
                { "Config.Tty",       &t->tty        }, { "Config.OpenStdin", &t->open_stdin },
                { "State.Running",    &t->running    }, { "State.Paused",     &t->paused     },
                { "State.Restarting", &t->restarting },
        };
        _cleanup_json_ json_object *object = NULL;
        int r = json_parse(text, strlen(text), &object);

        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(facts); i++)
                r = json_to_bool(json_get(object, facts[i].place), facts[i].member);
        return r;
}

int target_find(const char *name, Target *ret) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_(target_done) Target t = { 0 };
        const char *text;
        int r;

        r = bus_get_container(name, &t.path, &error);
        if (r >= 0)
                r = bus_call_method(t.path, BUS_CONTAINER, "Inspect", &reply, &error, NULL);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &text);
        if (r >= 0)
                r = read_inspect(text, &t);
        if (r < 0) {
                bus_print_error(&error, r);
                return r;
        }
        *ret = t;
        t = (Target) { 0 };
        return 0;
}

int target_call(const Target *t, const char *member, Session *session, const char *tolerated, int *ret_control) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *m = NULL, *reply = NULL;
        int control, r;

        r = bus_message_new(t->path, BUS_CONTAINER, member, &m, &error);
        if (r >= 0)
                r = session_append(session, m);
        if (r >= 0)
                r = bus_call(m, &reply, &error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "h", &control);
        if (r < 0 && tolerated && sd_bus_error_has_name(&error, tolerated))
                return -ECANCELED;
        if (r >= 0) {
                *ret_control = fcntl(control, F_DUPFD_CLOEXEC, 3);
                r = *ret_control < 0 ? -errno : 0;
        }
        if (r < 0)
                bus_print_error(&error, r);
        return r;
}
