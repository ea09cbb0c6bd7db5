/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transient units: the connection to PID 1 and the jobs under way. See unit.h; the properties are in
 * unit-properties.c. */
#include <stdio.h>
#include <string.h>

#include "unit/unit-properties.h"
#include "unit/unit.h"
#include "util/strv.h"

#define VERSION_USEC (2 * UINT64_C(1000000))
#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

struct UnitManager {
        sd_bus *bus;
        sd_bus_slot *removed_slot;
        sd_bus_slot *subscribe_slot;
        sd_bus_slot *version_slot;
        bool has_version; /* it has answered, with whatever */
        unsigned version;
        UnitJob *jobs;
        int has_optional; /* does this systemd take every property of unit_append_optional? -1: not known yet */
};

struct UnitJob {
        UnitManager *manager;
        UnitJob *next, *previous;
        char *unit;
        char *path;               /* the job's object, once systemd has answered */
        bool is_stop;
        bool is_service;          /* why it failed is asked of the unit */
        bool is_referenced;       /* which we hold, or it would be gone by then */
        int failed;               /* what is reported once the details are there */
        sd_bus_slot *slot;        /* the call whose answer is awaited */
        sd_bus_message *fallback; /* the same call without the optional properties, while has_optional is not known */
        sd_event_source *timer;
        UnitDone done;
        void *userdata;
};

static UnitJob *job_free(UnitJob *job) {
        if (!job)
                return NULL;
        if (job->previous)
                job->previous->next = job->next;
        else if (job->manager && job->manager->jobs == job)
                job->manager->jobs = job->next;
        if (job->next)
                job->next->previous = job->previous;
        sd_bus_slot_unref(job->slot);
        sd_bus_message_unref(job->fallback);
        sd_event_source_disable_unref(job->timer);
        free(job->unit);
        free(job->path);
        free(job);
        return NULL;
}
DEFINE_FREEP(UnitJob, job_free)

/* The unit was referenced when it was made; now systemd may collect it. */
static void job_unref_unit(UnitJob *job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        if (!job->is_referenced)
                return;
        if (sd_bus_message_new_method_call(job->manager->bus, &m, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnrefUnit") <
                    0 ||
            sd_bus_message_append(m, "s", job->unit) < 0 || sd_bus_message_set_expect_reply(m, false) < 0)
                return;
        (void) sd_bus_send(job->manager->bus, m, NULL); /* if this fails the bus is gone, and with it the reference */
}

static void job_finish(UnitJob *job, int result, const char *text) {
        _cleanup_free_ char *copy = text ? strdup(text) : NULL;
        UnitDone done = job->done;
        void *userdata = job->userdata;

        job_unref_unit(job);
        job_free(job); /* first: the callback may free the manager */
        if (done)
                done(result, copy, userdata);
}

static int error_to_errno(const sd_bus_error *e) {
        static const struct { const char *name; int error; } names[] = {
                { "org.freedesktop.systemd1.UnitExists",      -EEXIST    },
                { SD_BUS_ERROR_SERVICE_UNKNOWN,               -ENOTCONN  },
                { SD_BUS_ERROR_NAME_HAS_NO_OWNER,             -ENOTCONN  },
                { SD_BUS_ERROR_DISCONNECTED,                  -ENOTCONN  },
                { SD_BUS_ERROR_NO_REPLY,                      -ETIMEDOUT },
                { SD_BUS_ERROR_TIMEOUT,                       -ETIMEDOUT },
        };

        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (sd_bus_error_has_name(e, names[i].name))
                        return names[i].error;
        return -EIO;
}

static int on_started(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

/* An older systemd refuses a property that it does not know; the call is then made again without those it may lack. */
static bool job_retry(UnitJob *job, const sd_bus_error *e) {
        if (!job->fallback || !sd_bus_error_has_name(e, SD_BUS_ERROR_PROPERTY_READ_ONLY))
                return false;
        job->manager->has_optional = 0;
        job->slot = sd_bus_slot_unref(job->slot);
        int r = sd_bus_call_async(job->manager->bus, &job->slot, job->fallback, on_started, job, UINT64_MAX);
        job->fallback = sd_bus_message_unref(job->fallback);
        return r >= 0;
}

static int on_started(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        UnitJob *job = userdata;
        const char *path;
        int r;

        if (e) {
                if (job->is_stop && sd_bus_error_has_name(e, "org.freedesktop.systemd1.NoSuchUnit")) {
                        job_finish(job, 0, NULL); /* what is not there has stopped */
                        return 0;
                }
                if (job_retry(job, e))
                        return 0;
                job->is_referenced = false; /* there is no unit that we hold */
                job_finish(job, error_to_errno(e), e->message);
                return 0;
        }
        if (job->fallback) {
                job->manager->has_optional = 1;
                job->fallback = sd_bus_message_unref(job->fallback);
        }
        r = sd_bus_message_read(m, "o", &path);
        if (r >= 0)
                r = string_replace(&job->path, path);
        if (r < 0)
                job_finish(job, r, "systemd's answer cannot be read");
        return 0;
}

/* Why a service failed, in words, from its properties. */
static void describe_failure(const char *result, int32_t code, int32_t status, char *text, size_t size) {
        if (streq(result, "timeout"))
                snprintf(text, size, "it took too long");
        else if (streq(result, "oom-kill"))
                snprintf(text, size, "it needed more memory than it may have");
        else if (code == 1 /* CLD_EXITED */)
                snprintf(text, size, "it ended with status %i", status);
        else if (code == 2 || code == 3) /* CLD_KILLED, CLD_DUMPED */
                snprintf(text, size, "it was killed by signal %i (%s)", status, strsignal(status));
        else
                snprintf(text, size, "it could not be run (%s)", result);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitJob *job = userdata;
        const char *result = "failed", *key;
        int32_t code = 0, status = 0;
        char text[256];
        int r;

        if (sd_bus_message_is_method_error(m, NULL)) {
                job_finish(job, job->failed, NULL);
                return 0;
        }
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r < 0)
                        break;
                if (streq(key, "Result"))
                        r = sd_bus_message_read(m, "v", "s", &result);
                else if (streq(key, "ExecMainCode"))
                        r = sd_bus_message_read(m, "v", "i", &code);
                else if (streq(key, "ExecMainStatus"))
                        r = sd_bus_message_read(m, "v", "i", &status);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        describe_failure(result, code, status, text, sizeof(text));
        job_finish(job, job->failed, text);
        return 0;
}

/* The job of a service failed: its unit still stands, since we hold it. */
static void job_ask_why(UnitJob *job, int failed) {
        _cleanup_free_ char *path = NULL;

        job->failed = failed;
        job->slot = sd_bus_slot_unref(job->slot);
        job->path = (free(job->path), NULL);
        if (sd_bus_path_encode(SYSTEMD_PATH "/unit", job->unit, &path) < 0 ||
            sd_bus_call_method_async(job->manager->bus, &job->slot, SYSTEMD, path, "org.freedesktop.DBus.Properties",
                                     "GetAll", on_properties, job, "s", "org.freedesktop.systemd1.Service") < 0)
                job_finish(job, failed, NULL);
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        static const struct { const char *result; int error; const char *text; } results[] = {
                { "done",       0,          NULL },
                { "skipped",    0,          NULL },
                { "canceled",   -ECANCELED, "the job was cancelled" },
                { "timeout",    -ETIMEDOUT, "systemd gave up waiting" },
                { "dependency", -EIO,       "a unit that it needs failed" },
        };
        UnitManager *manager = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        for (UnitJob *job = manager->jobs; job; job = job->next) {
                if (!job->path || !streq(job->path, path))
                        continue;
                for (size_t i = 0; i < N_ELEMENTS(results); i++)
                        if (streq(result, results[i].result)) {
                                job_finish(job, results[i].error, results[i].text);
                                return 0;
                        }
                if (job->is_service)
                        job_ask_why(job, -EIO);
                else
                        job_finish(job, -EIO, "systemd could not do it");
                return 0;
        }
        return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        UnitJob *job = userdata;

        job_finish(job, job->failed < 0 ? job->failed : -ETIMEDOUT, "systemd did not answer in time");
        return 0;
}

/* Without Subscribe() PID 1 sends no signals; an error there shows as the error of the first job. */
static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        return 0;
}

/* "252.39-1~deb12u1". */
static int on_version(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitManager *manager = userdata;
        const char *text;
        uint32_t version;

        manager->has_version = true;
        if (!sd_bus_message_is_method_error(m, NULL) && sd_bus_message_read(m, "v", "s", &text) >= 0) {
                _cleanup_free_ char *number = strndup(text, strspn(text, "0123456789"));
                if (number && parse_u32(number, &version) >= 0)
                        manager->version = version;
        }
        return 0;
}

static int ask_version(UnitManager *m) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = sd_bus_message_new_method_call(m->bus, &call, SYSTEMD, SYSTEMD_PATH, "org.freedesktop.DBus.Properties",
                                           "Get");
        if (r < 0 || (r = sd_bus_message_append(call, "ss", SYSTEMD_MANAGER, "Version")) < 0)
                return r;
        return sd_bus_call_async(m->bus, &m->version_slot, call, on_version, m, VERSION_USEC);
}

int unit_manager_new(sd_bus *bus, UnitManager **ret) {
        _cleanup_(unit_manager_freep) UnitManager *m = calloc(1, sizeof(UnitManager));
        int r;

        if (!m)
                return -ENOMEM;
        m->bus = sd_bus_ref(bus);
        m->has_optional = -1;
        /* Neither waits: messages of one connection are handled in order, so both are in force before any job of
         * ours. */
        r = sd_bus_match_signal_async(bus, &m->removed_slot, sd_bus_is_bus_client(bus) ? SYSTEMD : NULL, SYSTEMD_PATH,
                                      SYSTEMD_MANAGER, "JobRemoved", on_job_removed, NULL, m);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(bus, &m->subscribe_slot, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe",
                                     on_answer, m, NULL);
        if (r < 0)
                return r;
        r = ask_version(m);
        if (r < 0)
                return r;
        *ret = TAKE(m);
        return 0;
}

unsigned unit_manager_version(const UnitManager *m) {
        return m->version;
}

int unit_manager_wait_version(UnitManager *m) {
        while (!m->has_version) { /* its call has a time limit */
                int r = sd_bus_process(m->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(m->bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return 0;
}

UnitManager *unit_manager_free(UnitManager *m) {
        if (!m)
                return NULL;
        while (m->jobs)
                job_free(m->jobs);
        sd_bus_slot_unref(m->removed_slot);
        sd_bus_slot_unref(m->subscribe_slot);
        sd_bus_slot_unref(m->version_slot);
        sd_bus_unref(m->bus);
        free(m);
        return NULL;
}

static int job_new(UnitManager *m, const char *unit, uint64_t timeout_usec, UnitDone done, void *userdata,
                   UnitJob **ret) {
        _cleanup_(job_freep) UnitJob *job = calloc(1, sizeof(UnitJob));
        int r;

        if (!job)
                return -ENOMEM;
        job->manager = m;
        job->done = done;
        job->userdata = userdata;
        job->unit = strdup(unit);
        if (!job->unit)
                return -ENOMEM;
        if (timeout_usec > 0 && timeout_usec != UINT64_MAX) {
                r = sd_event_add_time_relative(sd_bus_get_event(m->bus), &job->timer, CLOCK_MONOTONIC, timeout_usec,
                                               100000, on_timeout, job);
                if (r < 0)
                        return r;
        }
        job->next = m->jobs;
        if (m->jobs)
                m->jobs->previous = job;
        m->jobs = job;
        *ret = TAKE(job);
        return 0;
}

static int new_start_call(UnitManager *m, const TransientUnit *unit, bool optional, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = sd_bus_message_new_method_call(m->bus, &call, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "ss", unit->name, "fail");
        if (r < 0)
                return r;
        r = unit_append_properties(call, unit, optional);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "a(sa(sv))", 0);
        if (r < 0)
                return r;
        *ret = TAKE(call);
        return 0;
}

int unit_start(UnitManager *m, const TransientUnit *unit, uint64_t timeout_usec, UnitDone done, void *userdata,
               UnitJob **ret_job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(job_freep) UnitJob *job = NULL;
        int r;

        r = new_start_call(m, unit, m->has_optional != 0, &call);
        if (r < 0)
                return r;
        r = job_new(m, unit->name, timeout_usec, done, userdata, &job);
        if (r < 0)
                return r;
        job->is_service = job->is_referenced = unit_is_service(unit);
        if (!job->is_service && m->has_optional < 0) {
                r = new_start_call(m, unit, false, &job->fallback);
                if (r < 0)
                        return r;
        }
        r = sd_bus_call_async(m->bus, &job->slot, call, on_started, job, UINT64_MAX);
        if (r < 0)
                return r;
        if (ret_job)
                *ret_job = job;
        job = NULL; /* the manager's list owns it */
        return 0;
}

/* Sends the first call about the job's unit, with a mode if it queues something. From then on the manager's list owns
 * the job; on failure it is freed. */
static int job_begin(UnitJob *new_job, const char *method, const char *mode, sd_bus_message_handler_t answer,
                     UnitJob **ret_job) {
        _cleanup_(job_freep) UnitJob *job = new_job;
        int r = sd_bus_call_method_async(job->manager->bus, &job->slot, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, method,
                                         answer, job, mode ? "ss" : "s", job->unit, mode);

        if (r < 0)
                return r;
        if (ret_job)
                *ret_job = job;
        job = NULL;
        return 0;
}

int unit_start_installed(UnitManager *m, const char *name, uint64_t timeout_usec, UnitDone done, void *userdata,
                         UnitJob **ret_job) {
        UnitJob *job;
        int r = job_new(m, name, timeout_usec, done, userdata, &job);

        if (r < 0)
                return r;
        job->is_service = true;
        return job_begin(job, "StartUnit", "replace", on_started, ret_job);
}

static int on_reloaded(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);

        job_finish(userdata, e ? error_to_errno(e) : 0, e ? e->message : NULL);
        return 0;
}

static int on_looked_up(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitJob *job = userdata;

        if (sd_bus_message_is_method_error(m, NULL)) { /* not loaded: its start will */
                job_finish(job, 0, NULL);
                return 0;
        }
        job->slot = sd_bus_slot_unref(job->slot);
        int r = sd_bus_call_method_async(job->manager->bus, &job->slot, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Reload",
                                         on_reloaded, job, NULL);
        if (r < 0)
                job_finish(job, r, NULL);
        return 0;
}

int unit_refresh(UnitManager *m, const char *name, uint64_t timeout_usec, UnitDone done, void *userdata,
                 UnitJob **ret_job) {
        UnitJob *job;
        int r = job_new(m, name, timeout_usec, done, userdata, &job);

        return r < 0 ? r : job_begin(job, "GetUnit", NULL, on_looked_up, ret_job);
}

static int new_limits_call(UnitManager *m, const char *name, const UnitLimits *limits, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        if ((r = sd_bus_message_new_method_call(m->bus, &call, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                                "SetUnitProperties")) < 0 ||
            (r = sd_bus_message_append(call, "sb", name, true)) < 0 ||
            (r = sd_bus_message_open_container(call, 'a', "(sv)")) < 0 ||
            (r = unit_limits_append(call, limits)) < 0 || (r = sd_bus_message_close_container(call)) < 0)
                return r;
        *ret = TAKE(call);
        return 0;
}

int unit_set_limits(UnitManager *m, const char *name, const UnitLimits *limits, uint64_t timeout_usec, UnitDone done,
                    void *userdata, UnitJob **ret_job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(job_freep) UnitJob *job = NULL;
        int r;

        if ((r = new_limits_call(m, name, limits, &call)) < 0 ||
            (r = job_new(m, name, timeout_usec, done, userdata, &job)) < 0 ||
            (r = sd_bus_call_async(m->bus, &job->slot, call, on_reloaded, job, UINT64_MAX)) < 0)
                return r;
        if (ret_job)
                *ret_job = job;
        job = NULL; /* the manager's list owns it */
        return 0;
}

void unit_reset_failed(UnitManager *m, const char *name) {
        (void) sd_bus_call_method_async(m->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "ResetFailedUnit",
                                        on_answer, NULL, "s", name);
}

int unit_stop(UnitManager *m, const char *name, uint64_t timeout_usec, UnitDone done, void *userdata,
              UnitJob **ret_job) {
        UnitJob *job;
        int r = job_new(m, name, timeout_usec, done, userdata, &job);

        if (r < 0)
                return r;
        job->is_stop = true;
        return job_begin(job, "StopUnit", "replace", on_started, ret_job);
}

void unit_job_forget(UnitJob *job) {
        if (job)
                job->done = NULL;
}
