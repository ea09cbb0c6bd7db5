/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control descriptor: what a client of Run, Start, Attach or Exec holds one end of, and the monitor the other.
 * A SEQPACKET pair; every message is one ControlMessage in either direction, without descriptors but for REST.
 *
 * The monitor sends at most one of STARTED/FAILED per start or exec, any number of NOTICE, and as the last message
 * EXITED or DETACHED, then closes. End of file without EXITED, FAILED or DETACHED means that the monitor died. All
 * output the client is to see has been written to its streams, and they are closed, before EXITED is sent; the client
 * reads its pipes to the end first. Who takes the REST may get the last part of it as a file instead, so that nobody
 * has to wait for it to read. A client that goes away (end of file here) is detached; an exec'd process that is not
 * detached (-d) then dies with it. */
#pragma once

#include <stdint.h>

#define CONTROL_MAGIC 0x62633031u /* "bc01" */
#define CONTROL_TEXT_MAX 512

typedef enum ControlType {
        /* monitor to client */
        CONTROL_STARTED = 1, /* the payload was executed; value: its pid as the host sees it */
        CONTROL_FAILED,      /* it was not; value: 125, 126 or 127 as Docker's exit code; text: one line why */
        CONTROL_EXITED,      /* value: exit status 0..255 (128 + signal) */
        CONTROL_DETACHED,    /* this client only; text: why, if it was not asked for */
        CONTROL_NOTICE,      /* text: a line for stderr */
        CONTROL_REST,        /* what a stream (value: 1 stdout, 2 stderr) has after its end; at most one per stream,
                              * before EXITED. With one descriptor, to read: rest */
        /* client to monitor */
        CONTROL_RESIZE,      /* rows, columns; ignored without a terminal */
        CONTROL_SIGNAL,      /* value: signal number for the process this client started or is attached to */
        CONTROL_DETACH,      /* let go of me; the container goes on; value: ControlDetach */
        CONTROL_TAKES_REST,  /* I take the REST. And I only pass the output on: who reads it I say with READING */
        CONTROL_READING,     /* the stream (value: 1 stdout, 2 stderr) has a reader that reads, if not always */
} ControlType;

typedef enum ControlDetach {
        CONTROL_DETACH_NOW,         /* what the task takes of my input without waiting, it still gets */
        CONTROL_DETACH_AFTER_INPUT, /* as soon as it has taken all of it */
} ControlDetach;

/* `size` bytes from `at` on; the file goes on at its beginning after `end`. */
typedef struct ControlRest {
        uint64_t at;
        uint64_t size;
        uint64_t end;
} ControlRest;

typedef struct ControlMessage {
        uint32_t magic;
        uint32_t type;
        int32_t value;
        uint16_t rows;
        uint16_t columns;
        ControlRest rest;
        char text[CONTROL_TEXT_MAX]; /* NUL-terminated, UTF-8, no newline */
} ControlMessage;
