/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container as an OCI runtime configuration (runtime-spec 1.0, config.json): all that the monitor knows of it. */
#pragma once

#include "container/container.h"

/* `seccomp`: path of the filter. Needs c->result.run_id and
 * c->ids_base. */
int container_spec_new(const Container *c, const char *layers, const char *seccomp, json_object **ret);

/* Docker's capabilities for a container, as 1 << CAP_*. */
uint64_t container_capabilities(void);

/* What nobody inside sees, and what nobody may write: Docker's lists. */
extern const char *const container_masked_paths[], *const container_readonly_paths[];

/* What `exec` was asked for. */
typedef struct ExecSettings {
        char **command;
        char **env;
        char *user, *working_dir, *console_size;
        bool tty, interactive, detach;
} ExecSettings;

/* The object `process` for one more process. */
int container_spec_exec(const Container *c, const ExecSettings *exec, json_object **ret);

/* The host name inside; borrowed. */
const char *container_hostname(const Container *c, char buffer[static 65]);
bool container_has_host_network(const Container *c);
