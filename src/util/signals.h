/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals by name. */
#pragma once

/* "TERM", "SIGTERM", "term", "15", "RTMIN+3", "RTMAX-1". The number, or -EINVAL. */
int signal_parse(const char *s);
