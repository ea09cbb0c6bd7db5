/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Monitors on their way out: see departure.h. */
#include <poll.h>

#include "container/departure.h"
#include "util/io.h"

struct Departure {
        sd_event *event;
        int pidfd; /* -EBADF: it is over */
        sd_event_source *death, *timer;
        DepartureDone done;
        void *userdata;
};

static void tell(Departure *d, bool gone) {
        DepartureDone done = TAKE(d->done);
        void *userdata = d->userdata;

        d->timer = sd_event_source_disable_unref(d->timer);
        if (done)
                done(gone, userdata); /* may free us */
}

static int on_death(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Departure *d = userdata;

        d->death = sd_event_source_disable_unref(d->death);
        d->pidfd = fd_close(d->pidfd); /* a container that is not running holds no descriptor */
        tell(d, true);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        tell(userdata, false);
        return 0;
}

int departure_new(sd_event *event, int pidfd, Departure **ret) {
        _cleanup_(departure_freep) Departure *d = calloc(1, sizeof(Departure));
        int r;

        if (!d) {
                fd_close(pidfd);
                return -ENOMEM;
        }
        d->pidfd = pidfd;
        d->event = sd_event_ref(event);
        r = sd_event_add_io(event, &d->death, pidfd, EPOLLIN, on_death, d);
        if (r < 0)
                return r;
        *ret = TAKE(d);
        return 0;
}

Departure *departure_free(Departure *d) {
        if (!d)
                return NULL;
        sd_event_source_disable_unref(d->death);
        sd_event_source_disable_unref(d->timer);
        fd_close(d->pidfd);
        sd_event_unref(d->event);
        free(d);
        return NULL;
}

int departure_wait(Departure *d, uint64_t timeout_usec, DepartureDone done, void *userdata) {
        int r;

        if (!d || d->pidfd < 0 || poll(&(struct pollfd) { .fd = d->pidfd, .events = POLLIN }, 1, 0) > 0)
                return 0;
        r = sd_event_add_time_relative(d->event, &d->timer, CLOCK_MONOTONIC, timeout_usec, 1000, on_timer, d);
        if (r < 0)
                return r;
        d->done = done;
        d->userdata = userdata;
        return 1;
}

void departure_forget(Departure *d) {
        if (!d)
                return;
        d->done = NULL;
        d->timer = sd_event_source_disable_unref(d->timer);
}
