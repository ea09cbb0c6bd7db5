/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An OCI runtime configuration (runtime-spec 1.0, config.json and config-linux.json) as a struct: the part of it that
 * berth uses. Read by the monitor, through field tables: an unknown or mistyped field that would change the sandbox is
 * refused, not ignored. */
#pragma once

#include <sys/resource.h>

#include "util/json.h"

typedef struct RuntimeRlimit {
        int resource; /* RLIMIT_* */
        struct rlimit limit;
} RuntimeRlimit;

typedef struct RuntimeProcess {
        bool terminal;
        uint16_t rows, columns;     /* consoleSize, 0: none */
        char *username;             /* Docker's USER[:GROUP]; NULL: the ids below */
        uint32_t uid, gid;
        uint32_t *groups;
        size_t n_groups;
        char **args;                /* never empty */
        char **env;
        char *cwd;                  /* absolute */
        uint64_t bounding, effective, permitted, inheritable, ambient; /* 1 << CAP_* */
        bool no_new_privileges;
        RuntimeRlimit *rlimits;
        size_t n_rlimits;
        bool has_oom_score_adj;
        int32_t oom_score_adj;
} RuntimeProcess;

typedef struct RuntimeMount {
        char *destination; /* absolute, in the container */
        char *type;        /* proc, sysfs, tmpfs, devpts, mqueue, cgroup2, bind */
        char *source;
        char **options;
} RuntimeMount;

typedef struct RuntimeIdMap {
        uint32_t container_id, host_id, size;
} RuntimeIdMap;

typedef struct RuntimeConfig {
        RuntimeProcess process;
        bool root_readonly;
        char *hostname;
        RuntimeMount *mounts; /* in order */
        size_t n_mounts;
        RuntimeIdMap uid_map, gid_map; /* size 0: no user namespace */
        int namespaces;       /* CLONE_NEW* flags that are to be new */
        char **masked_paths, **readonly_paths;
        char **sysctls;       /* KEY=VALUE */
        char **annotations;   /* KEY=VALUE */
} RuntimeConfig;

/* -EINVAL, -ERANGE, -EOPNOTSUPP (a field or value that berth does not have) with *ret_where the innermost field at
 * fault, which lives as long as `object`; -E2BIG: more of something than anybody needs. */
int runtime_config_read(json_object *object, RuntimeConfig **ret, const char **ret_where);
RuntimeConfig *runtime_config_free(RuntimeConfig *c);
DEFINE_FREEP(RuntimeConfig, runtime_config_free)

/* The `process` object alone, for exec. */
int runtime_process_read(json_object *object, RuntimeProcess **ret, const char **ret_where);
RuntimeProcess *runtime_process_free(RuntimeProcess *p);
DEFINE_FREEP(RuntimeProcess, runtime_process_free)

/* The value of annotation `org.berth.KEY`, or NULL. */
const char *runtime_config_annotation(const RuntimeConfig *c, const char *key);
