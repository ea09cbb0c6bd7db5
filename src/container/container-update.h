/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing what a container may use, and its restart policy, while it runs or not. What is changed is kept first; then
 * systemd is told, which writes the cgroup's files: by SetUnitProperties for a scope, by the drop-in for a service. */
#pragma once

#include "container/container.h"

/* org.berth1.Container.Update(a{sv} options): those rows of the option table that have VERB_UPDATE. Answered when systemd has
 * done it. */
int container_method_update(sd_bus_message *m, void *userdata, sd_bus_error *error);
