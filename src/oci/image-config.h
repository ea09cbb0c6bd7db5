/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of an image (image-spec, config.md, with Docker's additions): what a container made of it is to
 * run, and of which layers it consists. Read through field tables and bounded; keys that berth does not know are
 * dropped. */
#pragma once

#include "oci/manifest.h"

#define OCI_CONFIG_SIZE_MAX  (4U << 20)
#define OCI_STRINGS_MAX      4096U       /* entries of any one list */
#define OCI_STRING_SIZE_MAX  (128U << 10) /* the kernel takes no longer argument or variable */
#define OCI_HISTORY_MAX      4096U

typedef struct OciHealthcheck {
        char **test;
        int64_t interval, timeout, start_period, start_interval; /* ns */
        int64_t retries;
} OciHealthcheck;

typedef struct OciHistory {
        char *created, *created_by, *author, *comment;
        bool empty_layer;
} OciHistory;

typedef struct OciRunConfig {
        char *user, *working_dir, *stop_signal;
        char **env, **cmd, **entrypoint, **shell, **on_build;
        char **labels;                      /* KEY=VALUE */
        char **exposed_ports, **volumes;    /* keys alone */
        bool has_healthcheck;
        OciHealthcheck healthcheck;
} OciRunConfig;

typedef struct OciImageConfig {
        char *created, *author, *architecture, *variant, *os;
        OciRunConfig config;
        OciDigest *diff_ids;                /* bottom first */
        size_t n_diff_ids;
        OciHistory *history;
        size_t n_history;
} OciImageConfig;

/* -EINVAL, -E2BIG (more than the bounds above) with the field at fault in *ret_where (may be NULL). */
int oci_image_config_parse(const char *text, size_t size, OciImageConfig **ret, const char **ret_where);
OciImageConfig *oci_image_config_free(OciImageConfig *c);
DEFINE_FREEP(OciImageConfig, oci_image_config_free)

/* Frees what it holds, not itself. */
void oci_run_config_clear(OciRunConfig *c);

/* The object `config` and the array `history` as JSON, whole and in Docker's spelling; NULL when out of memory. */
json_object *oci_run_config_to_json(const OciRunConfig *c);
json_object *oci_history_to_json(const OciImageConfig *c);
