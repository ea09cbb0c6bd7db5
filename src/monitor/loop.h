/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small event loop on epoll for the two processes that link no libsystemd: the monitor and berth-spawn. Sources
 * and timers are members of the objects that use them; the loop owns neither, nor the descriptors. One event is
 * handled per wait, so a handler may free any object, its own included. */
#pragma once

#include <sys/epoll.h>

#include "util/macro.h"

#define USEC_PER_SEC UINT64_C(1000000)

typedef struct Loop Loop;
typedef struct LoopSource LoopSource;
typedef struct LoopTimer LoopTimer;

struct LoopSource {
        int fd; /* -EBADF: none; whoever closes it calls loop_watch(…, 0) before */
        uint32_t events;
        void (*handler)(void *userdata, uint32_t events);
        void *userdata;
};

struct LoopTimer {
        uint64_t deadline; /* CLOCK_MONOTONIC, µs; 0: not set */
        void (*handler)(void *userdata);
        void *userdata;
        LoopTimer *next;
};

struct Loop {
        int epoll_fd;
        LoopTimer *timers; /* those that are set, in no order: there are few */
        bool quit;
};

int loop_init(Loop *loop);
void loop_done(Loop *loop);

/* Sets what the source waits for. 0 takes it off entirely: epoll would go on reporting a hang-up. */
int loop_watch(Loop *loop, LoopSource *source, uint32_t events);

/* Sets, moves or takes back a timer. */
void loop_timer_set(Loop *loop, LoopTimer *timer, uint64_t usec);
void loop_timer_clear(Loop *loop, LoopTimer *timer);

/* Until loop->quit is set by a handler. 0 or negative errno. */
int loop_run(Loop *loop);

uint64_t now_monotonic(void); /* µs */
uint64_t now_realtime(void);  /* µs */
