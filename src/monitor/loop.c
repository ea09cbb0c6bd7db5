/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event loop: see loop.h. */
#include <time.h>

#include "monitor/loop.h"
#include "util/io.h"

static uint64_t now_of(clockid_t clock) {
        struct timespec t;

        clock_gettime(clock, &t);
        return (uint64_t) t.tv_sec * USEC_PER_SEC + (uint64_t) t.tv_nsec / 1000;
}

uint64_t now_monotonic(void) {
        return now_of(CLOCK_MONOTONIC);
}

uint64_t now_realtime(void) {
        return now_of(CLOCK_REALTIME);
}

int loop_init(Loop *loop) {
        *loop = (Loop) { .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
        return loop->epoll_fd < 0 ? -errno : 0;
}

void loop_done(Loop *loop) {
        loop->epoll_fd = fd_close(loop->epoll_fd);
}

int loop_watch(Loop *loop, LoopSource *source, uint32_t events) {
        struct epoll_event event = { .events = events, .data.ptr = source };
        int operation;

        if (source->fd < 0 || source->events == events)
                return 0;
        operation = events == 0 ? EPOLL_CTL_DEL : source->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
        if (epoll_ctl(loop->epoll_fd, operation, source->fd, &event) < 0)
                return -errno;
        source->events = events;
        return 0;
}

void loop_timer_clear(Loop *loop, LoopTimer *timer) {
        if (timer->deadline == 0)
                return;
        for (LoopTimer **t = &loop->timers; *t; t = &(*t)->next)
                if (*t == timer) {
                        *t = timer->next;
                        break;
                }
        timer->deadline = 0;
        timer->next = NULL;
}

void loop_timer_set(Loop *loop, LoopTimer *timer, uint64_t usec) {
        uint64_t now = now_monotonic();

        loop_timer_clear(loop, timer);
        timer->deadline = usec > UINT64_MAX - now ? UINT64_MAX : now + usec;
        timer->next = loop->timers;
        loop->timers = timer;
}

static LoopTimer *next_timer(Loop *loop) {
        LoopTimer *first = loop->timers;

        for (LoopTimer *t = first; t; t = t->next)
                if (t->deadline < first->deadline)
                        first = t;
        return first;
}

/* Milliseconds for epoll_wait, rounded up so that a timer is never found too early and the loop never spins. */
static int timeout_of(const LoopTimer *timer) {
        uint64_t now = now_monotonic();

        if (!timer)
                return -1;
        if (timer->deadline <= now)
                return 0;
        return (int) MIN_OF((timer->deadline - now + 999) / 1000, UINT64_C(3600000));
}

int loop_run(Loop *loop) {
        while (!loop->quit) {
                LoopTimer *timer = next_timer(loop);
                struct epoll_event event;
                int n = epoll_wait(loop->epoll_fd, &event, 1, timeout_of(timer));

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        LoopSource *source = event.data.ptr;
                        source->handler(source->userdata, event.events);
                }
                if (loop->quit)
                        break;
                timer = next_timer(loop); /* the handler may have changed them */
                if (timer && timer->deadline <= now_monotonic()) {
                        loop_timer_clear(loop, timer);
                        timer->handler(timer->userdata);
                }
        }
        return 0;
}
