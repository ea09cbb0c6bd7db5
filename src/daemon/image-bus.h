/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images on the bus: the object org.berth1.Image, and the calls of the Manager that are about images. */
#pragma once

#include "daemon/manager.h"

/* The signal Event for an image; without a reference its id is its name. */
void manager_emit_image(Manager *m, const char *action, const char *id, const char *reference);

/* What is told in the journal of a "load", "import" or "delete"; `caller` may be nobody. */
void manager_record_image(Manager *m, const char *action, const char *id, const char *reference, const Caller *caller);

/* Handlers of org.berth1.Manager; userdata is the Manager. */
int manager_method_load_image(sd_bus_message *message, void *userdata, sd_bus_error *error);
int manager_method_import_image(sd_bus_message *message, void *userdata, sd_bus_error *error);
int manager_method_remove_image(sd_bus_message *message, void *userdata, sd_bus_error *error);
