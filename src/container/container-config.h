/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container runs: what its owner asked for, merged over what the image says, by Docker's rules. */
#pragma once

#include "container/container-limits.h"

#define STOP_TIMEOUT_DEFAULT 10 /* seconds, Docker's */

typedef struct ContainerConfig {
        char **entrypoint, **command; /* together: the arguments; not both empty */
        char **env;                   /* the owner's and the image's, without what every container gets */
        char **labels;
        char *user;                   /* USER[:GROUP], NULL: root */
        char *working_dir;
        char *hostname;               /* as asked, NULL: see container-spec.c */
        int stop_signal;
        char *stop_signal_text;       /* as it was spelled, NULL: nobody said */
        int32_t stop_timeout;         /* seconds, -1: never kill */
        bool no_new_privileges;
        ContainerLimits limits;
} ContainerConfig;

/* `image_config`: the object `config` of the image record, may be NULL. -EINVAL with *ret_error a line to free. */
int container_config_merge(const ContainerSettings *settings, json_object *image_config, ContainerConfig *ret,
                           char **ret_error);
void container_config_done(ContainerConfig *c);
