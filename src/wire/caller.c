/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Caller as text: see caller.h. */
#include <stdio.h>

#include "util/strv.h"
#include "wire/caller.h"

const char *caller_kind(const char *stopped_by) {
        return streq(stopped_by, "client")     ? "a client"
               : streq(stopped_by, "shutdown") ? "the shutdown of the machine"
                                               : "systemd, at whose request it does not say";
}

const char *caller_describe(const Caller *c, char buffer[CALLER_TEXT_MAX]) {
        char uid[24];

        *buffer = '\0';
        if (c->pid <= 0)
                return buffer;
        snprintf(uid, sizeof(uid), "uid %u", c->uid);
        snprintf(buffer, CALLER_TEXT_MAX, "%s%s%s, %s[%i]%s%s%s", c->user[0] ? c->user : uid, c->user[0] ? " (" : "",
                 c->user[0] ? uid : "", c->command[0] ? c->command : "process", c->pid, c->unit[0] ? " in " : "",
                 c->unit, c->user[0] ? ")" : "");
        return buffer;
}

int caller_to_json(const Caller *c, json_object *object) {
        int r;

        if (c->pid <= 0)
                return 0;
        if ((r = json_add_i64(object, "stoppedByPid", c->pid)) < 0 ||
            (r = json_add_i64(object, "stoppedByUid", c->uid)) < 0 ||
            (r = json_add_string(object, "stoppedByUser", c->user)) < 0 ||
            (r = json_add_string(object, "stoppedByCommand", c->command)) < 0)
                return r;
        return json_add_string(object, "stoppedByUnit", c->unit);
}

typedef struct RawCaller {
        int32_t pid;
        uint32_t uid;
        char *user, *command, *unit;
} RawCaller;

int caller_from_json(json_object *object, Caller *ret) {
        static const JsonField fields[] = {
                JSON_FIELD(RawCaller, pid,     "stoppedByPid",     json_to_i32,    0),
                JSON_FIELD(RawCaller, uid,     "stoppedByUid",     json_to_u32,    0),
                JSON_FIELD(RawCaller, user,    "stoppedByUser",    json_to_string, 0),
                JSON_FIELD(RawCaller, command, "stoppedByCommand", json_to_string, 0),
                JSON_FIELD(RawCaller, unit,    "stoppedByUnit",    json_to_string, 0),
        };
        RawCaller raw = { 0 };
        int r = json_read_fields(object, fields, N_ELEMENTS(fields), &raw, NULL);

        if (r >= 0) {
                *ret = (Caller) { .pid = raw.pid, .uid = raw.uid };
                caller_set_text(ret->user, sizeof(ret->user), raw.user ? raw.user : "");
                caller_set_text(ret->command, sizeof(ret->command), raw.command ? raw.command : "");
                caller_set_text(ret->unit, sizeof(ret->unit), raw.unit ? raw.unit : "");
        }
        free(raw.user);
        free(raw.command);
        free(raw.unit);
        return r;
}

void caller_set_text(char *target, size_t size, const char *text) {
        size_t n = 0;

        for (; text[n] && n + 1 < size; n++)
                target[n] = text[n] > ' ' && text[n] < 127 ? text[n] : '?';
        target[n] = '\0';
}

void caller_terminate(Caller *c) {
        c->user[sizeof(c->user) - 1] = '\0';
        c->command[sizeof(c->command) - 1] = '\0';
        c->unit[sizeof(c->unit) - 1] = '\0';
}
