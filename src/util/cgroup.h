/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroup of a process, as cgroups(7) has it in /proc/PID/cgroup. */
#pragma once

#include "util/macro.h"

/* The path of the v2 hierarchy in such a text: "/machine.slice/berth-web.scope"; beside its line there may be those of
 * v1. A string to free. -ENXIO: there is none. */
int cgroup_path_parse(const char *text, char **ret);
