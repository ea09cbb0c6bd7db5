/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Authorisation: see polkit.h. Two questions, both asynchronous: the bus is asked for the caller's uid and pid, and for
 * those other than root polkit for the action (org.freedesktop.PolicyKit1.Authority(8)). */
#include <string.h>

#include "container/container-host.h"
#include "daemon/caller.h"
#include "daemon/polkit.h"
#include "util/strv.h"
#include "wire/errors.h"

/* Calls that wait for polkit, which may take minutes. Root's do not count: nobody can keep root out. */
#define WAITING_MAX 512
#define WAITING_PER_USER_MAX 64
#define INTERACTIVE_TIMEOUT_USEC (300 * 1000000ull) /* a person types a password */

typedef struct Query Query;
struct Query {
        Polkit *polkit;
        Query *next, *previous;
        sd_bus_message *message;
        sd_bus_slot *slot;
        const char *action;
        bool asked; /* polkit, about this uid */
        uint32_t uid, pid;
        bool dispatched; /* the call is being handled, verdict and all */
        int verdict; /* 0: not known yet; > 0: may; negative: may not, see error */
        sd_bus_error error;
};

struct Polkit {
        sd_bus *bus;
        Query *queries;
        const char *(*subject)(sd_bus_message *m, void *userdata);
        void *userdata;
        const sd_bus_message *allowed; /* the call that was allowed last, while it is handled; only to be compared with */
        uint32_t uid, pid;             /* who made it */
};

static Query *query_free(Query *q) {
        if (!q)
                return NULL;
        if (q->previous)
                q->previous->next = q->next;
        else if (q->polkit->queries == q)
                q->polkit->queries = q->next;
        if (q->next)
                q->next->previous = q->previous;
        sd_bus_slot_unref(q->slot);
        sd_bus_message_unref(q->message);
        sd_bus_error_free(&q->error);
        free(q);
        return NULL;
}

int polkit_new(sd_bus *bus, Polkit **ret) {
        Polkit *p = calloc(1, sizeof(Polkit));

        if (!p)
                return -ENOMEM;
        p->bus = sd_bus_ref(bus);
        *ret = p;
        return 0;
}

Polkit *polkit_free(Polkit *p) {
        if (!p)
                return NULL;
        while (p->queries)
                query_free(p->queries);
        sd_bus_unref(p->bus);
        free(p);
        return NULL;
}

void polkit_set_subject(Polkit *p, const char *(*subject)(sd_bus_message *m, void *userdata), void *userdata) {
        p->subject = subject;
        p->userdata = userdata;
}

bool polkit_is_busy(const Polkit *p) {
        for (Query *q = p->queries; q; q = q->next)
                if (!q->dispatched)
                        return true;
        return false;
}

void polkit_caller(const Polkit *p, Caller *ret) {
        sd_bus_message *m = sd_bus_get_current_message(p->bus);

        *ret = (Caller) { 0 };
        /* A reply may lie where the call did that was handled last. */
        if (m && p->allowed == m && sd_bus_message_is_method_call(m, NULL, NULL) > 0)
                caller_look_up((pid_t) p->pid, p->uid, ret);
}

void polkit_dispatching(Polkit *p, sd_bus_message *m) {
        p->allowed = NULL;
        for (Query *q = p->queries, *next; q; q = next) {
                next = q->next;
                if (q->dispatched) /* what it was to be about had gone: no handler has asked */
                        query_free(q);
                else if (q->message == m && q->verdict != 0)
                        q->dispatched = true;
        }
}

/* The answer is in: the call is put back into the queue and its handler will find the verdict here. */
static void query_decide(Query *q, int verdict, const char *error_name, const char *text) {
        q->verdict = verdict;
        q->slot = sd_bus_slot_unref(q->slot);
        if (verdict < 0)
                (void) sd_bus_error_set(&q->error, error_name, text);
        if (sd_bus_message_rewind(q->message, true) < 0 || sd_bus_enqueue_for_read(q->polkit->bus, q->message) < 0)
                query_free(q); /* out of memory: the caller's call times out */
}

static int on_polkit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        Query *q = userdata;
        int allowed, challenge, r;

        if (e) {
                if (sd_bus_error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
                    sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
                    sd_bus_error_has_name(e, "org.freedesktop.systemd1.NoSuchUnit"))
                        query_decide(q, -EACCES, BERTH_ERROR_DENIED,
                                     "Only root may do this: polkit, which could decide otherwise, is not on this "
                                     "machine's bus.");
                else
                        query_decide(q, -EACCES, BERTH_ERROR_DENIED,
                                     "Only root may do this: polkit could not be asked.");
                return 0;
        }
        r = sd_bus_message_enter_container(m, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(m, "bb", &allowed, &challenge);
        if (r >= 0 && allowed)
                query_decide(q, 1, NULL, NULL);
        else if (r >= 0 && challenge)
                query_decide(q, -EACCES, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                             "polkit wants a password for this, and nobody is there to be asked; "
                             "as root it works without.");
        else
                query_decide(q, -EACCES, BERTH_ERROR_DENIED, "polkit does not allow this to you.");
        return 0;
}

/* What polkit asks a person who manages or looks at one container. About the rest, org.berth1.policy has the words. */
static const struct { const char *action, *message; } messages[] = {
        { POLKIT_MANAGE, "Managing container '$(container)' gives as much power over this machine as being root. "
                         "Authentication is required." },
        { POLKIT_INSPECT, "The settings and the output of container '$(container)' can hold passwords. "
                          "Authentication is required to see them." },
};

/* For rules (action.lookup("container"), action.lookup("call")) and for the question. */
static int append_details(const Query *q, sd_bus_message *call) {
        const char *subject = q->polkit->subject ? q->polkit->subject(q->message, q->polkit->userdata) : NULL,
                   *member = sd_bus_message_get_member(q->message);
        int r;

        r = sd_bus_message_open_container(call, 'a', "{ss}");
        if (r >= 0 && member)
                r = sd_bus_message_append(call, "{ss}", "call", member);
        if (r >= 0 && subject)
                r = sd_bus_message_append(call, "{ss}", "container", subject);
        for (size_t i = 0; r >= 0 && subject && i < N_ELEMENTS(messages); i++)
                if (streq(messages[i].action, q->action))
                        r = sd_bus_message_append(call, "{ss}", "polkit.message", messages[i].message);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int ask_polkit(Query *q) {
        bool interactive = sd_bus_message_get_allow_interactive_authorization(q->message) > 0;

        q->slot = sd_bus_slot_unref(q->slot);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = sd_bus_message_new_method_call(q->polkit->bus, &call, "org.freedesktop.PolicyKit1",
                                           "/org/freedesktop/PolicyKit1/Authority",
                                           "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(q->message), q->action);
        if (r >= 0)
                r = append_details(q, call);
        if (r >= 0)
                r = sd_bus_message_append(call, "us", (uint32_t) interactive, "");
        if (r < 0)
                return r;
        return sd_bus_call_async(q->polkit->bus, &q->slot, call, on_polkit, q, INTERACTIVE_TIMEOUT_USEC);
}

static bool too_many_wait(const Polkit *p, uint32_t uid) {
        size_t n = 0, n_user = 0;

        for (const Query *q = p->queries; q; q = q->next)
                if (q->asked && q->verdict == 0) {
                        n++;
                        n_user += q->uid == uid;
                }
        return n >= WAITING_MAX || n_user >= WAITING_PER_USER_MAX;
}

/* The two that we need of a{sv}. */
static int read_credentials(sd_bus_message *m, uint32_t *ret_uid, uint32_t *ret_pid) {
        bool has_uid = false;
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0 && streq(key, "UnixUserID")) {
                        r = sd_bus_message_read(m, "v", "u", ret_uid);
                        has_uid = r >= 0;
                } else if (r >= 0 && streq(key, "ProcessID"))
                        r = sd_bus_message_read(m, "v", "u", ret_pid);
                else if (r >= 0)
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : has_uid ? 0 : -ENODATA;
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Query *q = userdata;
        uint32_t uid;

        if (sd_bus_message_is_method_error(m, NULL) || read_credentials(m, &uid, &q->pid) < 0)
                query_free(q); /* the caller has left the bus */
        else if ((q->uid = uid) == 0)
                query_decide(q, 1, NULL, NULL);
        else if (too_many_wait(q->polkit, uid))
                query_decide(q, -EACCES, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait for authorisation.");
        else if (ask_polkit(q) < 0)
                query_decide(q, -EACCES, BERTH_ERROR_DENIED, "Only root may do this: polkit could not be asked.");
        else
                q->asked = true;
        return 0;
}

static int ask_credentials(Polkit *p, sd_bus_message *m, const char *action) {
        Query *q = calloc(1, sizeof(Query));
        int r;

        if (!q)
                return -ENOMEM;
        q->polkit = p;
        q->message = sd_bus_message_ref(m);
        q->action = action;
        q->next = p->queries;
        if (p->queries)
                p->queries->previous = q;
        p->queries = q;
        r = sd_bus_call_method_async(p->bus, &q->slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials, q, "s",
                                     sd_bus_message_get_sender(m));
        if (r < 0)
                query_free(q);
        return r < 0 ? r : 0;
}

int polkit_authorize(Polkit *p, sd_bus_message *m, const char *action, sd_bus_error *error) {
        if (!sd_bus_message_get_sender(m)) /* no bus between us: whoever holds the socket's other end got it from us */
                return 1;
        for (Query *q = p->queries; q; q = q->next) {
                if (q->message != m || !streq(q->action, action) || q->verdict == 0)
                        continue;
                int verdict = q->verdict;
                if (verdict < 0)
                        verdict = sd_bus_error_move(error, &q->error);
                else {
                        p->allowed = m;
                        p->uid = q->uid;
                        p->pid = q->pid;
                }
                query_free(q);
                return verdict;
        }
        return ask_credentials(p, m, action);
}
