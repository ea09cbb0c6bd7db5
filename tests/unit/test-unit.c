/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transient units against a systemd of our own at the other end of a socket pair: what is sent, and what each answer
 * leads to. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "unit/unit.h"
#include "util/strv.h"

#define MANAGER "org.freedesktop.systemd1.Manager"

typedef struct Fixture {
        sd_event *event;
        sd_bus *client, *server;
        UnitManager *units;
        unsigned started, subscribed, unrefs;
        bool refuses_oom_policy; /* as systemd without that property does */
        bool saw_oom_policy;
        char **properties;       /* "Name:signature" of the last StartTransientUnit */
        int result;
        char *text;
        unsigned done;
} Fixture;

/* --- The other end --- */

static void send_removed(Fixture *f, const char *path, const char *unit, const char *result) {
        assert_true(sd_bus_emit_signal(f->server, "/org/freedesktop/systemd1", MANAGER, "JobRemoved", "uoss", 7, path,
                                       unit, result) >= 0);
}

static int on_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        ((Fixture *) userdata)->subscribed++;
        return sd_bus_reply_method_return(m, NULL);
}

static void read_properties(Fixture *f, sd_bus_message *m) {
        const char *name, *signature;

        f->properties = strv_free(f->properties);
        f->saw_oom_policy = false;
        assert_true(sd_bus_message_enter_container(m, 'a', "(sv)") > 0);
        while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
                assert_true(sd_bus_message_read(m, "s", &name) > 0);
                assert_true(sd_bus_message_peek_type(m, NULL, &signature) > 0);
                assert_true(strv_extendf(&f->properties, "%s:%s", name, signature) >= 0);
                f->saw_oom_policy |= streq(name, "OOMPolicy");
                if (streq(name, "KillSignal")) {
                        int32_t signo;
                        assert_true(sd_bus_message_read(m, "v", "i", &signo) > 0);
                        assert_int_equal(signo, SIGCONT);
                } else
                        assert_true(sd_bus_message_skip(m, "v") >= 0);
                assert_true(sd_bus_message_exit_container(m) >= 0);
        }
        assert_true(sd_bus_message_exit_container(m) >= 0);
}

static int on_start(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        /* The job's path is told before its end, and what happens to it hangs on the unit's name. */
        static const struct { const char *unit, *result; } results[] = {
                { "good.scope", "done" }, { "good.service", "done" }, { "late.scope", NULL }, { "cancelled.scope", "canceled" },
                { "bad.scope", "failed" }, { "bad.service", "failed" }, { "slow.scope", "timeout" },
        };
        Fixture *f = userdata;
        const char *name, *mode;
        char path[128];

        f->started++;
        assert_true(sd_bus_message_read(m, "ss", &name, &mode) > 0);
        assert_string_equal(mode, "fail");
        read_properties(f, m);
        if (f->saw_oom_policy && f->refuses_oom_policy)
                return sd_bus_error_set(error, SD_BUS_ERROR_PROPERTY_READ_ONLY,
                                        "Cannot set property OOMPolicy, or unknown property.");
        if (streq(name, "there.scope"))
                return sd_bus_error_set(error, "org.freedesktop.systemd1.UnitExists",
                                        "Unit there.scope already exists.");
        snprintf(path, sizeof(path), "/org/freedesktop/systemd1/job/%u", f->started);
        assert_true(sd_bus_reply_method_return(m, "o", path) >= 0);
        /* Somebody else's job with the same unit is not ours. */
        send_removed(f, "/org/freedesktop/systemd1/job/4711", name, "failed");
        for (size_t i = 0; i < N_ELEMENTS(results); i++)
                if (streq(results[i].unit, name) && results[i].result)
                        send_removed(f, path, name, results[i].result);
        return 1;
}

static int on_stop(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *mode;

        assert_true(sd_bus_message_read(m, "ss", &name, &mode) > 0);
        if (streq(name, "gone.scope"))
                return sd_bus_error_set(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit gone.scope not loaded.");
        assert_true(sd_bus_reply_method_return(m, "o", "/org/freedesktop/systemd1/job/99") >= 0);
        send_removed(userdata, "/org/freedesktop/systemd1/job/99", name, "done");
        return 1;
}

static int on_unref(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        ((Fixture *) userdata)->unrefs++;
        return 1;
}

static int get_result(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *error) {
        if (streq(property, "Result"))
                return sd_bus_message_append(reply, "s", "exit-code");
        return sd_bus_message_append(reply, "i", streq(property, "ExecMainCode") ? 1 : 3);
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                       void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", "257.13-1~deb13u1");
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", on_start, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("StopUnit", "ss", "o", on_stop, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("UnrefUnit", "s", "", on_unref, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};
static const sd_bus_vtable service_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Result", "s", get_result, 0, 0),
        SD_BUS_PROPERTY("ExecMainCode", "i", get_result, 0, 0),
        SD_BUS_PROPERTY("ExecMainStatus", "i", get_result, 0, 0),
        SD_BUS_VTABLE_END
};

/* --- Ours --- */

static void on_done(int result, const char *text, void *userdata) {
        Fixture *f = userdata;

        f->done++;
        f->result = result;
        free(f->text);
        f->text = text ? strdup(text) : NULL;
}

static void run_until_done(Fixture *f, unsigned wanted) {
        while (f->done < wanted)
                assert_true(sd_event_run(f->event, 10 * 1000000ull) > 0); /* 0: nothing happens any more */
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(sd_event_new(&f->event) >= 0);
        assert_true(sd_bus_new(&f->client) >= 0 && sd_bus_new(&f->server) >= 0);
        assert_true(sd_bus_set_fd(f->client, pair[0], pair[0]) >= 0 && sd_bus_set_fd(f->server, pair[1], pair[1]) >= 0);
        assert_true(sd_bus_set_server(f->server, true, SD_ID128_NULL) >= 0 &&
                    sd_bus_set_anonymous(f->server, true) >= 0);
        assert_true(sd_bus_set_anonymous(f->client, true) >= 0);
        assert_true(sd_bus_negotiate_fds(f->client, true) >= 0 && sd_bus_negotiate_fds(f->server, true) >= 0);
        assert_true(sd_bus_start(f->server) >= 0 && sd_bus_start(f->client) >= 0);
        assert_true(sd_bus_attach_event(f->client, f->event, 0) >= 0 &&
                    sd_bus_attach_event(f->server, f->event, 0) >= 0);
        assert_true(sd_bus_add_object_vtable(f->server, NULL, "/org/freedesktop/systemd1", MANAGER, manager_vtable,
                                             f) >= 0);
        assert_true(sd_bus_add_fallback_vtable(f->server, NULL, "/org/freedesktop/systemd1/unit",
                                               "org.freedesktop.systemd1.Service", service_vtable, NULL, f) >= 0);
        assert_int_equal(unit_manager_new(f->client, &f->units), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        unit_manager_free(f->units);
        sd_bus_close_unref(f->client);
        sd_bus_close_unref(f->server);
        sd_event_unref(f->event);
        strv_free(f->properties);
        free(f->text);
        free(f);
        return 0;
}

static const UnitDevice devices[] = { { "/dev/null", "rwm" }, { "char-pts", "rwm" } };

static TransientUnit scope(const char *name) {
        return (TransientUnit){
                .name = name,
                .description = "Container web",
                .slice = "machine.slice",
                .timeout_stop_usec = 25000000,
                .pid = getpid(),
                .devices = devices,
                .n_devices = N_ELEMENTS(devices),
                .stdin_fd = -EBADF,
                .stdout_fd = -EBADF,
        };
}

static char *const worker_command[] = { (char *) "/bin/worker", (char *) "--now", NULL };

static TransientUnit worker(const char *name) {
        return (TransientUnit){
                .name = name,
                .command = worker_command,
                .stdin_fd = STDIN_FILENO,
                .stdout_fd = -EBADF,
                .memory_max = 1 << 20,
        };
}

static void test_results(void **state) {
        static const struct { const char *unit; int result; const char *text; } cases[] = {
                { "good.scope",      0,          NULL                                 },
                { "there.scope",     -EEXIST,    "Unit there.scope already exists."   },
                { "cancelled.scope", -ECANCELED, "the job was cancelled"              },
                { "slow.scope",      -ETIMEDOUT, "systemd gave up waiting"            },
                { "bad.scope",       -EIO,       "systemd could not do it"            },
                { "good.service",    0,          NULL                                 },
                { "bad.service",     -EIO,       "it ended with status 3"             },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                TransientUnit unit = strstr(cases[i].unit, ".scope") ? scope(cases[i].unit) : worker(cases[i].unit);
                assert_int_equal(unit_start(f->units, &unit, 0, on_done, f, NULL), 0);
                assert_int_equal(f->done, i); /* never from within the call */
                run_until_done(f, (unsigned) i + 1);
                assert_int_equal(f->result, cases[i].result);
                if (cases[i].text)
                        assert_string_equal(f->text, cases[i].text);
                else
                        assert_null(f->text);
        }
        assert_int_equal(f->subscribed, 1);
        assert_int_equal(unit_manager_version(f->units), 257);
        while (f->unrefs < 2) /* each service's reference is given back, also the failed one's */
                assert_true(sd_event_run(f->event, 10 * 1000000ull) > 0);
}

static void test_properties(void **state) {
        static const char *const of_scope[] = {
                "Slice:s", "Delegate:b", "CollectMode:s", "KillSignal:i", "SendSIGHUP:b", "TimeoutStopUSec:t", "TasksMax:t", "CPUAccounting:b",
                "IOAccounting:b", "MemoryAccounting:b", "TasksAccounting:b", "OOMPolicy:s", "Description:s", "DevicePolicy:s",
                "DeviceAllow:a(ss)", "PIDs:au", "RequiresMountsFor:as",
        };
        static char *const mounts[] = { (char *) "/var/lib/berth", NULL };
        static const char *const of_worker[] = {
                "Type:s", "ExecStart:a(sasb)", "StandardInputFileDescriptor:h", "StandardOutput:s", "PrivateNetwork:b", "ProtectSystem:s",
                "PrivateDevices:b", "NoNewPrivileges:b", "CapabilityBoundingSet:t", "SystemCallFilter:(bas)", "MemoryMax:t", "AddRef:b",
                "RestrictAddressFamilies:(bas)",
        };
        Fixture *f = *state;
        TransientUnit s = scope("good.scope"), w = worker("good.service");

        s.needs_mounts = mounts;
        assert_int_equal(unit_start(f->units, &s, 0, on_done, f, NULL), 0);
        run_until_done(f, 1);
        for (size_t i = 0; i < N_ELEMENTS(of_scope); i++)
                assert_true(strv_contains(f->properties, of_scope[i]));
        assert_int_equal(unit_start(f->units, &w, 0, on_done, f, NULL), 0);
        run_until_done(f, 2);
        for (size_t i = 0; i < N_ELEMENTS(of_worker); i++)
                assert_true(strv_contains(f->properties, of_worker[i]));
        assert_false(strv_contains(f->properties, "PIDs:au"));

        /* A private /dev would take the capability to make nodes away again. */
        w.capabilities = UINT64_C(1) << 27; /* CAP_MKNOD */
        assert_int_equal(unit_start(f->units, &w, 0, on_done, f, NULL), 0);
        run_until_done(f, 3);
        assert_false(strv_contains(f->properties, "PrivateDevices:b"));
        assert_true(strv_contains(f->properties, "DevicePolicy:s"));
        assert_true(strv_contains(f->properties, "ReadOnlyPaths:as"));
}

/* Two in flight before it is known, one after: the first two are sent again, the third is right at once. */
static void test_older_systemd(void **state) {
        Fixture *f = *state;
        TransientUnit unit = scope("good.scope");

        f->refuses_oom_policy = true;
        assert_int_equal(unit_start(f->units, &unit, 0, on_done, f, NULL), 0);
        assert_int_equal(unit_start(f->units, &unit, 0, on_done, f, NULL), 0);
        run_until_done(f, 2);
        assert_int_equal(f->result, 0);
        assert_int_equal(f->started, 4);
        assert_int_equal(unit_start(f->units, &unit, 0, on_done, f, NULL), 0);
        run_until_done(f, 3);
        assert_int_equal(f->result, 0);
        assert_int_equal(f->started, 5);
        assert_false(f->saw_oom_policy);
}

static void test_stop(void **state) {
        Fixture *f = *state;

        assert_int_equal(unit_stop(f->units, "good.scope", 0, on_done, f, NULL), 0);
        run_until_done(f, 1);
        assert_int_equal(f->result, 0);
        assert_int_equal(unit_stop(f->units, "gone.scope", 0, on_done, f, NULL), 0);
        run_until_done(f, 2);
        assert_int_equal(f->result, 0);
}

static void test_time_limit(void **state) {
        Fixture *f = *state;
        TransientUnit unit = scope("late.scope");

        assert_int_equal(unit_start(f->units, &unit, 1, on_done, f, NULL), 0);
        run_until_done(f, 1);
        assert_int_equal(f->result, -ETIMEDOUT);
}

/* A job that was forgotten says nothing, and one whose manager goes away neither. */
static void test_forget(void **state) {
        Fixture *f = *state;
        TransientUnit late = scope("late.scope"), good = scope("good.scope");
        unsigned before = f->done;
        UnitJob *job;

        assert_int_equal(unit_start(f->units, &good, 0, on_done, f, &job), 0);
        unit_job_forget(job);
        assert_int_equal(unit_start(f->units, &late, 0, on_done, f, NULL), 0);
        while (f->started < 2)
                assert_true(sd_event_run(f->event, 10 * 1000000ull) > 0);
        while (sd_event_run(f->event, 0) > 0)
                ;
        f->units = unit_manager_free(f->units);
        while (sd_event_run(f->event, 0) > 0)
                ;
        assert_int_equal(f->done, before);
}

static void test_no_systemd(void **state) {
        Fixture *f = *state;
        TransientUnit unit = scope("good.scope");

        assert_int_equal(unit_start(f->units, &unit, 0, on_done, f, NULL), 0);
        sd_bus_close(f->server);
        run_until_done(f, 1);
        assert_true(f->result < 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_results, setup, teardown),
                cmocka_unit_test_setup_teardown(test_properties, setup, teardown),
                cmocka_unit_test_setup_teardown(test_older_systemd, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
                cmocka_unit_test_setup_teardown(test_time_limit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_systemd, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
