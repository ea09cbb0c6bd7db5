/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run of berth-unpack in a transient unit: berthd's side of it. The report is read after the unit has ended, when
 * nobody can change what was staged any more. */
#pragma once

#include <json-c/json.h>

#include "unit/unit.h"

typedef struct Worker Worker;

/* result 0: the worker did it, `report` is what it said, borrowed. Negative: `text` is one line why. */
typedef void (*WorkerDone)(Worker *w, int result, const char *text, json_object *report, void *userdata);

/* command: "archive", "layer", "import". directory: absolute, there already, the only one that it can write to. The
 * descriptor is borrowed. */
int worker_start(UnitManager *units, const char *command, const char *directory, int stdin_fd, WorkerDone done,
                 void *userdata, Worker **ret);
/* Stops it if it runs. */
Worker *worker_free(Worker *w);
DEFINE_FREEP(Worker, worker_free)
