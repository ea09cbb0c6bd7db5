/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be found out about the process of a caller, which may have ended meanwhile, or be another by now. */
#pragma once

#include <sys/types.h>

#include "wire/caller.h"

void caller_look_up(pid_t pid, uid_t uid, Caller *ret);
/* The unit in a text as of /proc/PID/cgroup: the innermost service or scope. */
void caller_unit_of(const char *cgroups, char *ret, size_t size);
