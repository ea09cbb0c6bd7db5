/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log lines of our own processes: to stderr with the <N> prefix that journald reads off a service's stderr, or plain
 * where stderr is a terminal. Only the top of a process logs; lower layers return errors. */
#pragma once

#include <syslog.h>

#include "util/macro.h"

void log_open(const char *program);
void log_line(int priority, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
