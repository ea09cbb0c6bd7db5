/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that wait for a container: see container-wait.h. */
#include "container/container-wait.h"
#include "wire/errors.h"

struct ContainerWaiter {
        Container *container;
        ContainerWaiter *next, *previous;
        sd_bus_message *message;
        sd_bus_track *track; /* of the caller */
        WaitFor what;
        uint32_t cookie;
};

static void waiter_free(ContainerWaiter *w) {
        if (w->previous)
                w->previous->next = w->next;
        else
                w->container->waiters = w->next;
        if (w->next)
                w->next->previous = w->previous;
        sd_bus_track_unref(w->track);
        sd_bus_message_unref(w->message);
        free(w);
}

static int on_caller_gone(sd_bus_track *track, void *userdata) {
        waiter_free(userdata);
        return 0;
}

static int track_caller(ContainerWaiter *w) {
        int r;

        if (!sd_bus_message_get_sender(w->message)) /* no bus between us: the connection's end is ours */
                return 0;
        r = sd_bus_track_new(w->container->host->bus, &w->track, on_caller_gone, w);
        return r < 0 ? r : sd_bus_track_add_sender(w->track, w->message);
}

int container_wait_add(Container *c, sd_bus_message *m, WaitFor what, uint32_t cookie, sd_bus_error *error) {
        size_t n = 0;
        int r;

        for (ContainerWaiter *w = c->waiters; w; w = w->next)
                n++;
        if (n >= CONTAINER_WAITERS_MAX)
                return sd_bus_error_setf(error, BERTH_ERROR_BUSY, "Too many calls wait for container %s.", c->name);
        ContainerWaiter *w = calloc(1, sizeof(ContainerWaiter));
        if (!w)
                return -ENOMEM;
        w->container = c;
        w->message = sd_bus_message_ref(m);
        w->what = what;
        w->cookie = cookie;
        w->next = c->waiters;
        if (c->waiters)
                c->waiters->previous = w;
        c->waiters = w;
        r = track_caller(w);
        if (r < 0)
                waiter_free(w);
        return r < 0 ? r : 0;
}

/* A caller that cannot be answered any more is none of our business. */
static void answer(ContainerWaiter *w, const sd_bus_error *error) {
        if (error && sd_bus_error_is_set(error))
                (void) sd_bus_reply_method_error(w->message, error);
        else if (w->what == WAIT_EXIT || w->what == WAIT_REMOVED)
                (void) sd_bus_reply_method_return(w->message, "i", w->container->result.exit_code);
        else
                (void) sd_bus_reply_method_return(w->message, NULL);
        waiter_free(w);
}

void container_wait_answer(Container *c, WaitFor what, uint32_t cookie, const sd_bus_error *error) {
        for (ContainerWaiter *w = c->waiters, *next; w; w = next) {
                next = w->next;
                if (w->what == what && (what != WAIT_ACK || cookie == 0 || w->cookie == cookie))
                        answer(w, error);
        }
}

void container_wait_fail_all(Container *c, const sd_bus_error *error) {
        while (c->waiters)
                answer(c->waiters, error);
}
