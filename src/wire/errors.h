/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The errors of org.berth1 that a client may want to tell apart: their names, and one table of what each of them is as
 * an errno and as an exit code of the command line. berthd and the CLI share it (container/bus-errors.h makes it known
 * to sd-bus). */
#pragma once

#include <stddef.h>

#define BERTH_ERROR_NO_SUCH_CONTAINER "org.berth1.Error.NoSuchContainer"
#define BERTH_ERROR_NO_SUCH_IMAGE     "org.berth1.Error.NoSuchImage"
#define BERTH_ERROR_AMBIGUOUS         "org.berth1.Error.Ambiguous"      /* a prefix that fits more than one id */
#define BERTH_ERROR_NAME_IN_USE       "org.berth1.Error.NameInUse"
#define BERTH_ERROR_BAD_OPTION        "org.berth1.Error.BadOption"      /* an unknown key, or a value that cannot be */
#define BERTH_ERROR_BAD_ARCHIVE       "org.berth1.Error.BadArchive"     /* malformed, digest mismatch, climbs out */
#define BERTH_ERROR_BAD_REFERENCE     "org.berth1.Error.BadReference"
#define BERTH_ERROR_NOT_RUNNING       "org.berth1.Error.NotRunning"
#define BERTH_ERROR_RUNNING           "org.berth1.Error.Running"        /* must be stopped first */
#define BERTH_ERROR_BUSY              "org.berth1.Error.Busy"           /* is being started, stopped or removed */
#define BERTH_ERROR_IMAGE_IN_USE      "org.berth1.Error.ImageInUse"
#define BERTH_ERROR_NO_SPACE          "org.berth1.Error.NoSpace"
#define BERTH_ERROR_UNAVAILABLE       "org.berth1.Error.Unavailable"    /* systemd, berth-spawn or a worker failed us */
#define BERTH_ERROR_DENIED            "org.berth1.Error.Denied"

typedef struct BerthError {
        const char *name;
        int error;      /* the errno, positive: what the calls of sd-bus return for it */
        int run_exit;   /* exit code of `berth run`, which has Docker's codes for what was not the container's fault */
        int exit;       /* exit code of every other verb */
} BerthError;

extern const BerthError berth_errors[];
extern const size_t n_berth_errors;

/* The row of a name; for those that the bus and others have given it, the last one, which stands for all of them. */
const BerthError *berth_error_find(const char *name);
