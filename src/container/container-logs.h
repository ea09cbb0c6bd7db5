/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logs(): somebody who may see a container, but not the journal, gets the lines of this one through a pipe. A worker reads the journal,
 * in a transient unit of its own; it ends when nobody reads from the pipe any more. berthd reads no journal, and holds neither end. */
#pragma once

#include "container/container.h"

typedef struct LogWorker LogWorker;

/* For container_vtable: Logs(a{sv} options) → h. */
int container_method_logs(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* Forgets the workers under way; they go on. */
void container_logs_forget(ContainerHost *host);
