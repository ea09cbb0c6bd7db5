/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Session is the foreground of run, start, attach and exec: pipes of our own whose far ends the monitor gets, pumped
 * from and to our standard streams until the control descriptor says how it ended, or the person lets go of it.
 *
 * Our own 0, 1 and 2 are never passed on and never made non-blocking: others may share them. Bytes go through
 * unchanged and stdout and stderr stay apart. The order: session_open, session_append to a call, everything of that
 * call dropped, session_run. */
#pragma once

#include <systemd/sd-bus.h>
#include <termios.h>

#include "cli/detach-keys.h"
#include "util/macro.h"
#include "wire/control.h"

typedef struct SessionSettings {
        bool tty;                /* the payload has a terminal: no stderr, raw mode if we read a terminal, resizes */
        bool streams[3];         /* those of ours that go there and come from there; with neither stdout nor stderr the
                                  * session is over when our stdin is */
        bool sig_proxy;          /* signals we get go there, once it runs; never with a terminal */
        bool redraw;             /* it runs already: what has drawn its terminal's screen is to do so again */
        bool escape_fails;       /* detaching by keys is status 1 and a line, not 0 */
        const char *detach_keys; /* NULL or "": the default */
} SessionSettings;

/* What comes after the end of a stream: CONTROL_REST. */
typedef struct SessionRest {
        int fd;
        ControlRest left;
} SessionRest;

typedef struct Session {
        SessionSettings settings;
        const char *what; /* for messages: the container's name or id as the person knows it */
        DetachKeys keys;  /* none without a terminal, or without stdin */
        bool leaving;     /* CONTROL_DETACH was sent */
        bool left;        /* and answered */
        int near[3];      /* our ends: write, read, read; -EBADF: not there */
        int far[3];
        int signals;      /* signalfd */
        int control;
        SessionRest rest[3];
        bool raw;
        struct termios saved;
} Session;

#define SESSION_NULL { .near = { -EBADF, -EBADF, -EBADF }, .far = { -EBADF, -EBADF, -EBADF }, \
                       .signals = -EBADF, .control = -EBADF, \
                       .rest = { { .fd = -EBADF }, { .fd = -EBADF }, { .fd = -EBADF } } }

/* Checks what the CLI asked for (a terminal that is needed and missing, keys that cannot be: one line on stderr, then
 * -ENOTTY or -EINVAL) and makes the pipes. Other errors are the caller's to report. */
int session_open(Session *s, const SessionSettings *settings);
void session_done(Session *s);

/* Appends the far ends as a{sh}; they are the message's then. NULL appends the empty dictionary. */
int session_append(Session *s, sd_bus_message *m);

/* Pumps until the end. The exit code: the payload's own, 125 to 127 if it could not be started, 137 when the monitor
 * died (its container dies with it), 1 if our own output cannot be written: then, as with docker, the container goes
 * on without us, as it does when we detach. Takes `control`. */
int session_run(Session *s, int control);

/* The size of the terminal that we write to, as "ROWSxCOLUMNS"; NULL: it is none. */
char *session_console_size(void);

/* For -d: waits for the start alone. 0 or the exit code, with its line printed. Takes `control`. */
int session_wait_start(int control, const char *what);
