/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Authorisation over a socket pair: the other end is caller, message bus and polkit in one. Each call says with its
 * sender's name who it is from; what the bus and polkit think of that name stands in the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "daemon/caller.h"
#include "daemon/polkit.h"
#include "util/strv.h"
#include "wire/errors.h"

typedef struct Fixture {
        sd_event *event;
        sd_bus *service, *world;
        sd_bus_slot *object;
        Polkit *polkit;
        unsigned acted, entered, replies;
        Caller caller; /* of the last call that was allowed */
        char error[128]; /* "": success */
} Fixture;

static const struct Sender {
        const char *name;
        uint32_t uid;
        const char *polkit; /* "yes", "no", "challenge", "absent", "silent"; NULL: must not be asked */
        const char *error;  /* "": may; NULL: no answer comes */
} callers[] = {
        { ":1.0",    0,    NULL,        ""                                              }, /* root, and polkit is not needed */
        { ":1.1000", 1000, "yes",       ""                                              },
        { ":1.1001", 1001, "no",        BERTH_ERROR_DENIED                              },
        { ":1.1002", 1002, "challenge", SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED },
        { ":1.1003", 1003, "absent",    BERTH_ERROR_DENIED                              },
        { ":1.1004", 1004, "silent",    NULL                                            },
};

static const struct Sender *caller(const char *name) {
        for (size_t i = 0; i < N_ELEMENTS(callers); i++)
                if (streq(callers[i].name, name))
                        return &callers[i];
        fail();
        return NULL;
}

static int method_act(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Fixture *f = userdata;
        const char *text;
        int r;

        f->entered++;
        assert_true(sd_bus_message_read(m, "s", &text) > 0); /* also when the handler runs again */
        assert_string_equal(text, "argument");
        r = polkit_authorize(f->polkit, m, "org.berth1.manage", error);
        if (r <= 0)
                return r < 0 ? r : 1;
        f->acted++;
        polkit_caller(f->polkit, &f->caller);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;

        assert_true(sd_bus_message_read(m, "s", &name) > 0);
        if (streq(name, ":1.9")) /* who has left meanwhile */
                return sd_bus_error_set(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "No such name.");
        /* What a message bus says, and more than we want to know. */
        return sd_bus_reply_method_return(m, "a{sv}", 3, "LinuxSecurityLabel", "ay", 2, 'x', 0, "ProcessID", "u", (uint32_t) getpid(),
                                          "UnixUserID", "u", caller(name)->uid);
}

static int method_check(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *kind, *key, *name, *action;

        assert_true(sd_bus_message_read(m, "(sa{sv})s", &kind, 1, &key, "s", &name, &action) > 0);
        assert_string_equal(kind, "system-bus-name");
        assert_string_equal(action, "org.berth1.manage");
        const char *answer = caller(name)->polkit;
        assert_non_null(answer);
        if (streq(answer, "silent"))
                return 1;
        if (streq(answer, "absent"))
                return sd_bus_error_set(error, SD_BUS_ERROR_SERVICE_UNKNOWN, "Nobody is there.");
        return sd_bus_reply_method_return(m, "(bba{ss})", streq(answer, "yes"), streq(answer, "challenge"), 0);
}

static const sd_bus_vtable service_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Act", "s", "", method_act, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};
static const sd_bus_vtable bus_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetConnectionCredentials", "s", "a{sv}", method_credentials, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};
static const sd_bus_vtable polkit_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", method_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        polkit_dispatching(((Fixture *) userdata)->polkit, m);
        return 0;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(sd_event_new(&f->event) >= 0);
        assert_true(sd_bus_new(&f->service) >= 0 && sd_bus_new(&f->world) >= 0);
        assert_true(sd_bus_set_fd(f->service, pair[0], pair[0]) >= 0 && sd_bus_set_fd(f->world, pair[1], pair[1]) >= 0);
        assert_true(sd_bus_set_server(f->world, true, SD_ID128_NULL) >= 0 && sd_bus_set_anonymous(f->world, true) >= 0);
        assert_true(sd_bus_set_anonymous(f->service, true) >= 0);
        assert_true(sd_bus_start(f->world) >= 0 && sd_bus_start(f->service) >= 0);
        assert_true(sd_bus_attach_event(f->service, f->event, 0) >= 0 &&
                    sd_bus_attach_event(f->world, f->event, 0) >= 0);
        assert_true(sd_bus_add_filter(f->service, NULL, on_call, f) >= 0);
        assert_true(sd_bus_add_object_vtable(f->service, &f->object, "/org/berth1", "org.berth1.Test", service_vtable, f) >=
                    0);
        assert_true(sd_bus_add_object_vtable(f->world, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                             bus_vtable, f) >= 0);
        assert_true(sd_bus_add_object_vtable(f->world, NULL, "/org/freedesktop/PolicyKit1/Authority",
                                             "org.freedesktop.PolicyKit1.Authority", polkit_vtable, f) >= 0);
        assert_int_equal(polkit_new(f->service, &f->polkit), 0);
        while (sd_bus_is_ready(f->service) <= 0) /* sd-bus leaves alone what comes in one piece with the handshake */
                assert_true(sd_event_run(f->event, 10 * 1000000ull) > 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        polkit_free(f->polkit);
        sd_bus_slot_unref(f->object);
        sd_bus_close_unref(f->service);
        sd_bus_close_unref(f->world);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        Fixture *f = userdata;

        f->replies++;
        strcpy(f->error, e ? e->name : "");
        return 0;
}

static void call(Fixture *f, const char *sender) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(f->world, &m, NULL, "/org/berth1", "org.berth1.Test", "Act") >= 0);
        assert_true(sd_bus_message_append(m, "s", "argument") >= 0);
        if (sender)
                assert_true(sd_bus_message_set_sender(m, sender) >= 0);
        assert_true(sd_bus_call_async(f->world, NULL, m, on_reply, f, 0) >= 0);
}

static void run_until(Fixture *f, const unsigned *counter, unsigned wanted) {
        while (*counter < wanted)
                assert_true(sd_event_run(f->event, 10 * 1000000ull) > 0);
}

static void test_callers(void **state) {
        Fixture *f = *state;
        unsigned acted = 0;

        for (size_t i = 0; i < N_ELEMENTS(callers) && callers[i].error; i++) {
                call(f, callers[i].name);
                run_until(f, &f->replies, (unsigned) i + 1);
                assert_string_equal(f->error, callers[i].error);
                acted += !*callers[i].error;
                assert_int_equal(f->acted, acted);
                if (!*callers[i].error) {
                        assert_int_equal(f->caller.uid, callers[i].uid);
                        assert_int_equal(f->caller.pid, getpid());
                        assert_string_equal(f->caller.command, "test-polkit");
                }
                assert_int_equal(f->entered, 2 * (i + 1)); /* asked once, run twice */
                assert_false(polkit_is_busy(f->polkit));
        }
}

/* Nobody has asked for what berthd does by itself; and a call that needs no permission has not that of the one before. */
static void test_caller_is_of_the_call(void **state) {
        Fixture *f = *state;
        Caller c;

        call(f, ":1.0");
        run_until(f, &f->replies, 1);
        polkit_caller(f->polkit, &c);
        assert_int_equal(c.pid, 0);
        call(f, NULL);
        run_until(f, &f->replies, 2);
        assert_int_equal(f->acted, 2);
        assert_int_equal(f->caller.pid, 0);
}

static void test_unit_of_caller(void **state) {
        static const struct { const char *cgroups, *unit; } cases[] = {
                { "0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope" },
                { "0::/user.slice/user-1.slice/user@1.service/app.slice/a.service\n", "a.service" },
                { "12:pids:/x.service\n0::/system.slice/cron.service\n", "cron.service" },
                { "0::/machine.slice/berth-web.scope/payload\n", "berth-web.scope" },
                { "0::/system.slice/a\033[2Jb.service\n", "a?[2Jb.service" },
                { "0::/\n", "" }, { "0::/.service", "" }, { "", "" }, { "nonsense", "" },
        };
        char unit[128];

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                caller_unit_of(cases[i].cgroups, unit, sizeof(unit));
                assert_string_equal(unit, cases[i].unit);
        }
}

static void test_caller_text(void **state) {
        const Caller root = { .pid = 7, .user = "root", .command = "berth", .unit = "session-1.scope" },
                     stranger = { .pid = 8, .uid = 4711 }, nobody = { .uid = 1 };
        char text[CALLER_TEXT_MAX];

        assert_string_equal(caller_describe(&root, text), "root (uid 0, berth[7] in session-1.scope)");
        assert_string_equal(caller_describe(&stranger, text), "uid 4711, process[8]");
        assert_string_equal(caller_describe(&nobody, text), "");
}

/* A permission is one message's: the next call is asked about anew. */
static void test_not_kept(void **state) {
        Fixture *f = *state;

        call(f, ":1.1000");
        call(f, ":1.1001");
        call(f, ":1.1000");
        run_until(f, &f->replies, 3);
        assert_int_equal(f->acted, 2);
        assert_int_equal(f->entered, 6);
}

static void test_caller_gone(void **state) {
        Fixture *f = *state;

        call(f, ":1.9");
        run_until(f, &f->entered, 1);
        assert_true(polkit_is_busy(f->polkit));
        while (polkit_is_busy(f->polkit))
                assert_true(sd_event_run(f->event, 10 * 1000000ull) > 0);
        assert_int_equal(f->acted, 0);
}

/* What the call is about goes while the question is asked. Nobody comes for the answer, and it is not kept for ever. */
static void test_object_gone(void **state) {
        Fixture *f = *state;

        call(f, ":1.0");
        run_until(f, &f->entered, 1);
        f->object = sd_bus_slot_unref(f->object);
        run_until(f, &f->replies, 1);
        assert_string_equal(f->error, SD_BUS_ERROR_UNKNOWN_OBJECT);
        assert_false(polkit_is_busy(f->polkit));
        assert_int_equal(f->acted, 0);
}

/* Somebody makes calls that wait for ever: there is an end to that, and root does not notice. */
static void test_root_is_not_kept_out(void **state) {
        Fixture *f = *state;

        for (unsigned i = 0; i < 1000; i++)
                call(f, ":1.1004");
        run_until(f, &f->replies, 1000 - 64);
        assert_string_equal(f->error, SD_BUS_ERROR_LIMITS_EXCEEDED);
        call(f, ":1.0");
        run_until(f, &f->replies, 1000 - 64 + 1);
        assert_int_equal(f->acted, 1);
        assert_string_equal(f->error, "");
}

static void test_flood(void **state) {
        Fixture *f = *state;

        for (unsigned i = 0; i < 400; i++)
                call(f, ":1.1001");
        run_until(f, &f->replies, 400);
        assert_int_equal(f->acted, 0);
        assert_false(polkit_is_busy(f->polkit));
}

/* Whoever holds the other end of a socket pair got it from us. */
static void test_no_bus(void **state) {
        Fixture *f = *state;

        call(f, NULL);
        run_until(f, &f->replies, 1);
        assert_string_equal(f->error, "");
        assert_int_equal(f->entered, 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_callers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_caller_is_of_the_call, setup, teardown),
                cmocka_unit_test(test_unit_of_caller),
                cmocka_unit_test(test_caller_text),
                cmocka_unit_test_setup_teardown(test_caller_gone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_object_gone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_root_is_not_kept_out, setup, teardown),
                cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_bus, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
