/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of a TransientUnit as StartTransientUnit() takes them. For unit.c alone. */
#pragma once

#include "unit/unit.h"

bool unit_is_service(const TransientUnit *unit);

/* Appends the whole a(sv). `optional`: with those properties that only some versions of systemd take. */
int unit_append_properties(sd_bus_message *m, const TransientUnit *unit, bool optional);
