/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The MESSAGE_ID of each record that berth writes to the journal about the life of containers and images. What an
 * administrator is told of it (journalctl -x) stands in catalog/berth.catalog; tests/check-catalog compares the two.
 * The fields are in docs/architecture.md. An id stays what it is for ever: people search for it. */
#pragma once

#include <stdbool.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

typedef enum Severity { SEVERITY_WARNING = 4, SEVERITY_NOTICE = 5, SEVERITY_INFO = 6 } Severity; /* syslog(3) */

/* Of BERTH_MESSAGE_DIED, whoever writes it: want of memory is to be seen, an end that nobody asked for to be found. */
static inline Severity severity_of_end(int exit_code, bool oom_killed, bool asked_for) {
        return oom_killed ? SEVERITY_WARNING : exit_code == 0 || asked_for ? SEVERITY_INFO : SEVERITY_NOTICE;
}

#define BERTH_MESSAGE_CREATED        "09e0381c709841dbaa97947c0fe4d300" /* berthd */
#define BERTH_MESSAGE_STARTED        "46db2931127340c891b9d03c3f83af68" /* the monitor */
#define BERTH_MESSAGE_START_FAILED   "c2dfe3c2059d4a5aa1e10032a4f57e5e" /* the monitor; berthd where there was none */
#define BERTH_MESSAGE_STOPPING       "1af6997455b246a28b803b70a77ad073" /* the monitor */
#define BERTH_MESSAGE_DIED           "b993807a717e4a5eaa7f059246842e8f" /* the monitor; berthd if that could not */
#define BERTH_MESSAGE_OOM            "780f3fd9ad37476c93d554c98e06128c" /* the monitor */
#define BERTH_MESSAGE_RESTARTING     "b2175cddf1b34b46bfd7fcf8299593f2" /* the monitor */
#define BERTH_MESSAGE_LINES_LOST     "e79449c638e74eb180ccfd6cc251a311" /* berthd, when journald is back */
#define BERTH_MESSAGE_LOG_LIMIT      "10ef34ae5883411fb4e318f74f86016a" /* berthd */
#define BERTH_MESSAGE_REMOVED        "764f8af7d1a34887b40abfde4fa8d46e" /* berthd, and so the rest */
#define BERTH_MESSAGE_UPDATED        "51e21f465f9048cabf75740e21aff41c"
#define BERTH_MESSAGE_IMAGE_LOADED   "f12e8f86b38144df96999a65953a27f8"
#define BERTH_MESSAGE_IMAGE_IMPORTED "e20ecc4d8aec46fc832594a5435f8aa4"
#define BERTH_MESSAGE_IMAGE_REMOVED  "d0610825088a490f82452b41109f44d7"
