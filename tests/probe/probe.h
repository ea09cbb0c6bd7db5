/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the probe share: lines of a report. */
#pragma once

#include "util/macro.h"

/* One line of the section that is being written; sections are sorted and each line begins with the section's name. */
void report(const char *format, ...) _printf_(1, 2);

/* The text of a small file without its last newline, or "(ENOENT)" and the like. Good until the next call. */
const char *file_text(const char *path);

/* The value of "KEY:\tVALUE" in /proc/self/status, or NULL. Good until the next call. */
const char *status_value(const char *key);

const char *errno_text(int error);

/* probe-process.c */
void probe_capabilities(void);
void probe_cgroup(void);
void probe_environment(void);
void probe_ids(void);
void probe_keyring(void);
void probe_limits(void);
void probe_namespaces(void);
void probe_process(void);
void probe_seccomp(void);
void probe_session(void);
void probe_signals(void);
void probe_syscalls(void);

/* probe-files.c */
void probe_descriptors(void);
void probe_devices(void);
void probe_host(void);
void probe_mounts(void);
void probe_network(void);
void probe_paths(void);
void probe_sysctls(void);
