/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The unit a container lives in: the one place that spells it out. */
#pragma once

#include "container/container.h"
#include "unit/unit.h"

/* Borrows c->unit and name. `description` is the caller's to free, after the unit has been started. */
int container_unit_describe(const Container *c, pid_t monitor, char **description, TransientUnit *ret);

/* journald takes its limit for a unit's lines from a link that PID 1 makes for services; for a scope we make it. Its
 * end: log_links_sweep. */
int container_unit_lift_log_limit(const Container *c);
/* Removes the links of our scopes that are no container's any more. False: some of these scopes are still there. */
bool container_unit_sweep_log_links(ContainerHost *host);

/* Kills whatever is in the unit; for a unit whose monitor is gone or deaf. */
void container_unit_kill(const Container *c);
