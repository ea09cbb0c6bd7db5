/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the monitor of a service (berth@NAME.service) asks of berthd over RUNDIR/berthd.sock: systemd started it, so it
 * has neither bundle nor socket yet. One question, one answer, then the connection is closed; who gets none, because
 * berthd was killed, asks the next one. From then on all goes over monitor.sock (wire/monitor.h), as with any
 * monitor. */
#pragma once

#include <stdint.h>

#define SERVICE_MAGIC 0x62763031u /* "bv01" */
#define SERVICE_TEXT_MAX 512

typedef enum ServiceType {
        SERVICE_HELLO = 1, /* monitor to berthd; text: the unit's instance */
        /* berthd to monitor */
        SERVICE_BUNDLE,    /* descriptors: the bundle directory, the listening monitor.sock */
        SERVICE_REFUSED,   /* text: why; value: the status to exit with */
        SERVICE_AGAIN,     /* the last run is not quite over: ask again in a moment */
} ServiceType;

typedef struct ServiceMessage {
        uint32_t magic;
        uint32_t type;
        int32_t value;
        char text[SERVICE_TEXT_MAX];
} ServiceMessage;
