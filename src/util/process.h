/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says of a process. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Start time of a process in clock ticks (field 22 of /proc/PID/stat), which with its pid names it for ever. 0: there
 * is none. */
uint64_t process_start_time(pid_t pid);
