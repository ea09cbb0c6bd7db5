/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: one for a container whose owner gave none, and the unit's after the container's. What a name may be says
 * validate_name(). */
#pragma once

#include "util/macro.h"

/* "quiet-heron", with a number behind it from the third attempt on. Letters, digits and '-' only, as a host name
 * needs. */
int container_name_generate(unsigned attempt, char **ret);

/* "berth-NAME.scope", or with a short id "berth-NAME-ID12.scope". Every valid name gives a valid unit name. */
int container_unit_name(const char *name, const char *short_id, char **ret);
