/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runtime configuration, out of JSON: see runtime-config.h. */
#include <linux/capability.h>
#include <sched.h>

#include "oci/runtime-config.h"
#include "util/strv.h"

/* More of something than anybody needs is refused before it is worked on. */
#define ARGS_MAX 65536
#define MOUNTS_MAX 1024
#define GROUPS_MAX 65536 /* NGROUPS_MAX */
#define HOSTNAME_MAX 64

/* One `key: value` pair of an object that is written as a list of names in the specification. */
typedef struct Name {
        const char *name;
        int value;
} Name;

static const Name rlimit_names[] = {
        { "RLIMIT_AS", RLIMIT_AS },                 { "RLIMIT_CORE", RLIMIT_CORE },
        { "RLIMIT_CPU", RLIMIT_CPU },               { "RLIMIT_DATA", RLIMIT_DATA },
        { "RLIMIT_FSIZE", RLIMIT_FSIZE },           { "RLIMIT_LOCKS", RLIMIT_LOCKS },
        { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },       { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
        { "RLIMIT_NICE", RLIMIT_NICE },             { "RLIMIT_NOFILE", RLIMIT_NOFILE },
        { "RLIMIT_NPROC", RLIMIT_NPROC },           { "RLIMIT_RSS", RLIMIT_RSS },
        { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },         { "RLIMIT_RTTIME", RLIMIT_RTTIME },
        { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
};

static const Name namespace_names[] = {
        { "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC },   { "mount", CLONE_NEWNS }, { "network", CLONE_NEWNET },
        { "pid", CLONE_NEWPID },       { "user", CLONE_NEWUSER }, { "uts", CLONE_NEWUTS },
};

/* In the order of their numbers. */
static const char *const capability_names[] = {
        "CAP_CHOWN",         "CAP_DAC_OVERRIDE",    "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
        "CAP_FSETID",        "CAP_KILL",            "CAP_SETGID",          "CAP_SETUID",
        "CAP_SETPCAP",       "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN",     "CAP_NET_RAW",         "CAP_IPC_LOCK",        "CAP_IPC_OWNER",
        "CAP_SYS_MODULE",    "CAP_SYS_RAWIO",       "CAP_SYS_CHROOT",      "CAP_SYS_PTRACE",
        "CAP_SYS_PACCT",     "CAP_SYS_ADMIN",       "CAP_SYS_BOOT",        "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE",  "CAP_SYS_TIME",        "CAP_SYS_TTY_CONFIG",  "CAP_MKNOD",
        "CAP_LEASE",         "CAP_AUDIT_WRITE",     "CAP_AUDIT_CONTROL",   "CAP_SETFCAP",
        "CAP_MAC_OVERRIDE",  "CAP_MAC_ADMIN",       "CAP_SYSLOG",          "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",      "CAP_PERFMON",         "CAP_BPF",
        "CAP_CHECKPOINT_RESTORE",
};

static const Name *name_find(const Name *names, size_t n, json_object *value) {
        if (!json_object_is_type(value, json_type_string))
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (streq(names[i].name, json_object_get_string(value)))
                        return names + i;
        return NULL;
}

/* The innermost field at fault: objects lie in objects, and a JsonConvert has no way to tell its caller where. */
static _Thread_local const char *fault;

/* As json_read_fields, but a field that is in no table is refused: it might change the sandbox. */
static int read_strict(json_object *object, const JsonField *fields, size_t n, void *target) {
        const char *where = "";
        int r = 0;

        if (!json_object_is_type(object, json_type_object))
                return -EINVAL;
        json_object_object_foreach(object, key, value) {
                bool known = !value;
                for (size_t i = 0; i < n && !known; i++)
                        known = streq(fields[i].name, key);
                if (!known) {
                        where = key;
                        r = -EOPNOTSUPP;
                        break;
                }
        }
        if (r == 0)
                r = json_read_fields(object, fields, n, target, &where);
        if (r < 0 && !fault)
                fault = where;
        return r;
}

static int fault_return(int r, const char **ret_where) {
        if (ret_where)
                *ret_where = fault ?: "";
        return r;
}

/* A field that the caller of the sandbox takes care of. */
static int json_to_nothing(json_object *value, void *member) {
        return 0;
}

static int json_to_version(json_object *value, void *member) {
        const char *version = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
        return startswith(version, "1.") ? 0 : -EINVAL;
}

static int json_to_path(json_object *value, void *member) {
        int r = json_to_string(value, member);
        return r < 0 ? r : **(char **) member == '/' ? 0 : -EINVAL;
}

static int json_to_paths(json_object *value, void *member) {
        int r = json_to_strv(value, member);
        if (r < 0)
                return r;
        for (char **p = *(char ***) member; *p; p++)
                if (**p != '/')
                        return -EINVAL;
        return 0;
}

/* --- process --------------------------------------------------------------------------------------------------- */

static int json_to_args(json_object *value, void *member) {
        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        if (json_object_array_length(value) > ARGS_MAX)
                return -E2BIG;
        return json_to_strv(value, member);
}

static int json_to_env(json_object *value, void *member) {
        int r = json_to_args(value, member);
        if (r < 0)
                return r;
        for (char **e = *(char ***) member; *e; e++)
                if (!strchr(*e, '=') || **e == '=')
                        return -EINVAL;
        return 0;
}

typedef struct RawSize {
        uint32_t height, width;
} RawSize;

static int json_to_console_size(json_object *value, void *member) {
        static const JsonField fields[] = {
                JSON_FIELD(RawSize, height, "height", json_to_u32, JSON_REQUIRED),
                JSON_FIELD(RawSize, width, "width", json_to_u32, JSON_REQUIRED),
        };
        RuntimeProcess *p = member;
        RawSize size = { 0 };
        int r = json_read_fields(value, fields, N_ELEMENTS(fields), &size, NULL);
        if (r < 0)
                return r;
        if (size.height > UINT16_MAX || size.width > UINT16_MAX)
                return -ERANGE;
        p->rows = (uint16_t) size.height;
        p->columns = (uint16_t) size.width;
        return 0;
}

static int json_to_groups(json_object *value, void *member) {
        RuntimeProcess *p = member;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        size_t n = json_object_array_length(value);
        if (n > GROUPS_MAX)
                return -E2BIG;
        uint32_t *groups = calloc(n + 1, sizeof(uint32_t));
        if (!groups)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r = json_to_u32(json_object_array_get_idx(value, i), groups + i);
                if (r < 0) {
                        free(groups);
                        return r;
                }
        }
        free(p->groups);
        p->groups = groups;
        p->n_groups = n;
        return 0;
}

static int json_to_user(json_object *value, void *member) {
        static const JsonField fields[] = {
                JSON_FIELD(RuntimeProcess, uid, "uid", json_to_u32, 0),
                JSON_FIELD(RuntimeProcess, gid, "gid", json_to_u32, 0),
                { "additionalGids", 0, json_to_groups, 0 },
                JSON_FIELD(RuntimeProcess, username, "username", json_to_string, 0),
        };

        return read_strict(value, fields, N_ELEMENTS(fields), member);
}

/* A capability that this list does not know is refused; one that the running kernel does not know is skipped later. */
static int json_to_capability_set(json_object *value, void *member) {
        uint64_t set = 0;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        for (size_t i = 0; i < json_object_array_length(value); i++) {
                json_object *item = json_object_array_get_idx(value, i);
                uint64_t bit = 0;

                for (size_t c = 0; c < N_ELEMENTS(capability_names) && json_object_is_type(item, json_type_string); c++)
                        if (streq(capability_names[c], json_object_get_string(item)))
                                bit = UINT64_C(1) << c;
                if (bit == 0)
                        return -EINVAL;
                set |= bit;
        }
        *(uint64_t *) member = set;
        return 0;
}

static int json_to_capabilities(json_object *value, void *member) {
        static const JsonField fields[] = {
                JSON_FIELD(RuntimeProcess, bounding, "bounding", json_to_capability_set, 0),
                JSON_FIELD(RuntimeProcess, effective, "effective", json_to_capability_set, 0),
                JSON_FIELD(RuntimeProcess, permitted, "permitted", json_to_capability_set, 0),
                JSON_FIELD(RuntimeProcess, inheritable, "inheritable", json_to_capability_set, 0),
                JSON_FIELD(RuntimeProcess, ambient, "ambient", json_to_capability_set, 0),
        };

        return read_strict(value, fields, N_ELEMENTS(fields), member);
}

typedef struct RawRlimit {
        json_object *type;
        uint64_t hard, soft;
} RawRlimit;

static int json_to_rlimit(json_object *value, RuntimeRlimit *ret) {
        static const JsonField fields[] = {
                JSON_FIELD(RawRlimit, type, "type", json_to_object, JSON_REQUIRED),
                JSON_FIELD(RawRlimit, hard, "hard", json_to_u64, JSON_REQUIRED),
                JSON_FIELD(RawRlimit, soft, "soft", json_to_u64, JSON_REQUIRED),
        };
        RawRlimit raw = { 0 };
        int r;

        r = read_strict(value, fields, N_ELEMENTS(fields), &raw);
        const Name *name = name_find(rlimit_names, N_ELEMENTS(rlimit_names), raw.type);
        json_object_put(raw.type);
        if (r < 0)
                return r;
        if (!name || raw.soft > raw.hard)
                return -EINVAL;
        *ret = (RuntimeRlimit) { .resource = name->value, .limit = { .rlim_cur = raw.soft, .rlim_max = raw.hard } };
        return 0;
}

static int json_to_rlimits(json_object *value, void *member) {
        RuntimeProcess *p = member;
        unsigned seen = 0;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        size_t n = json_object_array_length(value);
        if (n > RLIM_NLIMITS)
                return -E2BIG;
        free(p->rlimits);
        p->n_rlimits = 0;
        p->rlimits = calloc(n + 1, sizeof(RuntimeRlimit));
        if (!p->rlimits)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                RuntimeRlimit *limit = p->rlimits + i;
                int r = json_to_rlimit(json_object_array_get_idx(value, i), limit);
                if (r < 0)
                        return r;
                if (seen & 1u << limit->resource)
                        return -EINVAL;
                seen |= 1u << limit->resource;
                p->n_rlimits++;
        }
        return 0;
}

static int json_to_oom_score_adj(json_object *value, void *member) {
        RuntimeProcess *p = member;
        int r = json_to_i32(value, &p->oom_score_adj);

        if (r < 0)
                return r;
        if (p->oom_score_adj < -1000 || p->oom_score_adj > 1000)
                return -ERANGE;
        p->has_oom_score_adj = true;
        return 0;
}

static int process_read(json_object *object, RuntimeProcess *p) {
        static const JsonField fields[] = {
                JSON_FIELD(RuntimeProcess, terminal, "terminal", json_to_bool, 0),
                { "consoleSize", 0, json_to_console_size, 0 },
                { "user", 0, json_to_user, 0 },
                JSON_FIELD(RuntimeProcess, args, "args", json_to_args, JSON_REQUIRED),
                JSON_FIELD(RuntimeProcess, env, "env", json_to_env, 0),
                JSON_FIELD(RuntimeProcess, cwd, "cwd", json_to_path, JSON_REQUIRED),
                { "capabilities", 0, json_to_capabilities, 0 },
                { "rlimits", 0, json_to_rlimits, 0 },
                JSON_FIELD(RuntimeProcess, no_new_privileges, "noNewPrivileges", json_to_bool, 0),
                { "oomScoreAdj", 0, json_to_oom_score_adj, 0 },
        };
        int r = read_strict(object, fields, N_ELEMENTS(fields), p);
        if (r < 0)
                return r;
        if (!p->args || !p->args[0]) {
                fault = "args";
                return -EINVAL;
        }
        return 0;
}

static void process_clear(RuntimeProcess *p) {
        free(p->username);
        free(p->groups);
        strv_free(p->args);
        strv_free(p->env);
        free(p->cwd);
        free(p->rlimits);
}

RuntimeProcess *runtime_process_free(RuntimeProcess *p) {
        if (p) {
                process_clear(p);
                free(p);
        }
        return NULL;
}

int runtime_process_read(json_object *object, RuntimeProcess **ret, const char **ret_where) {
        _cleanup_(runtime_process_freep) RuntimeProcess *p = calloc(1, sizeof(RuntimeProcess));
        int r;

        fault = NULL;
        r = p ? process_read(object, p) : -ENOMEM;
        if (r < 0)
                return fault_return(r, ret_where);
        *ret = TAKE(p);
        return 0;
}

/* --- root, mounts, linux --------------------------------------------------------------------------------------- */

static int json_to_root(json_object *value, void *member) {
        static const JsonField fields[] = {
                { "path", 0, json_to_nothing, 0 }, /* the root file system is made of the annotated layers */
                JSON_FIELD(RuntimeConfig, root_readonly, "readonly", json_to_bool, 0),
        };

        return read_strict(value, fields, N_ELEMENTS(fields), member);
}

static int json_to_process(json_object *value, void *member) {
        return process_read(value, member);
}

static int json_to_hostname(json_object *value, void *member) {
        int r = json_to_string(value, member);
        return r < 0 ? r : strlen(*(char **) member) > HOSTNAME_MAX ? -ERANGE : 0;
}

static int json_to_mounts(json_object *value, void *member) {
        static const JsonField fields[] = {
                JSON_FIELD(RuntimeMount, destination, "destination", json_to_path, JSON_REQUIRED),
                JSON_FIELD(RuntimeMount, type, "type", json_to_string, JSON_REQUIRED),
                JSON_FIELD(RuntimeMount, source, "source", json_to_string, 0),
                JSON_FIELD(RuntimeMount, options, "options", json_to_strv, 0),
        };
        RuntimeConfig *c = member;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        size_t n = json_object_array_length(value);
        if (n > MOUNTS_MAX)
                return -E2BIG;
        c->mounts = calloc(n + 1, sizeof(RuntimeMount));
        if (!c->mounts)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                c->n_mounts++; /* before it is whole, so that a half-read one is freed */
                int r = read_strict(json_object_array_get_idx(value, i), fields, N_ELEMENTS(fields), c->mounts + i);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One range that begins at the container's 0: what every layer's ids are shifted by. */
static int json_to_id_map(json_object *value, void *member) {
        static const JsonField fields[] = {
                JSON_FIELD(RuntimeIdMap, container_id, "containerID", json_to_u32, JSON_REQUIRED),
                JSON_FIELD(RuntimeIdMap, host_id, "hostID", json_to_u32, JSON_REQUIRED),
                JSON_FIELD(RuntimeIdMap, size, "size", json_to_u32, JSON_REQUIRED),
        };
        RuntimeIdMap map = { 0 };
        int r;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        if (json_object_array_length(value) == 0)
                return 0;
        if (json_object_array_length(value) > 1)
                return -EOPNOTSUPP;
        r = read_strict(json_object_array_get_idx(value, 0), fields, N_ELEMENTS(fields), &map);
        if (r < 0)
                return r;
        if (map.container_id != 0 || map.size == 0 || map.host_id > UINT32_MAX - map.size)
                return -ERANGE;
        *(RuntimeIdMap *) member = map;
        return 0;
}

static int json_to_namespaces(json_object *value, void *member) {
        int *flags = member;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        for (size_t i = 0; i < json_object_array_length(value); i++) {
                json_object *item = json_object_array_get_idx(value, i);
                const Name *name = name_find(namespace_names, N_ELEMENTS(namespace_names), json_get(item, "type"));
                if (!name || *flags & name->value)
                        return -EINVAL;
                if (json_get(item, "path")) /* joining another container's comes with --network container:X */
                        return -EOPNOTSUPP;
                *flags |= name->value;
        }
        return 0;
}

static int json_to_linux(json_object *value, void *member) {
        static const JsonField fields[] = {
                JSON_FIELD(RuntimeConfig, uid_map, "uidMappings", json_to_id_map, 0),
                JSON_FIELD(RuntimeConfig, gid_map, "gidMappings", json_to_id_map, 0),
                JSON_FIELD(RuntimeConfig, namespaces, "namespaces", json_to_namespaces, 0),
                JSON_FIELD(RuntimeConfig, masked_paths, "maskedPaths", json_to_paths, 0),
                JSON_FIELD(RuntimeConfig, readonly_paths, "readonlyPaths", json_to_paths, 0),
                JSON_FIELD(RuntimeConfig, sysctls, "sysctl", json_to_map, 0),
                /* Where it runs, and within which limits, is the unit's business. */
                { "cgroupsPath", 0, json_to_nothing, 0 },
                { "resources", 0, json_to_nothing, 0 },
        };

        return read_strict(value, fields, N_ELEMENTS(fields), member);
}

/* What cannot be put together, whatever each field says by itself. */
static int config_check(const RuntimeConfig *c) {
        bool user_namespace = c->namespaces & CLONE_NEWUSER;

        if (!(c->namespaces & CLONE_NEWNS)) {
                fault = "linux.namespaces";
                return -EOPNOTSUPP;
        }
        if (user_namespace != (c->uid_map.size > 0)) {
                fault = "linux.uidMappings";
                return -EINVAL;
        }
        if (user_namespace != (c->gid_map.size > 0)) {
                fault = "linux.gidMappings";
                return -EINVAL;
        }
        return 0;
}

int runtime_config_read(json_object *object, RuntimeConfig **ret, const char **ret_where) {
        static const JsonField fields[] = {
                { "ociVersion", 0, json_to_version, JSON_REQUIRED },
                JSON_FIELD(RuntimeConfig, process, "process", json_to_process, JSON_REQUIRED),
                { "root", 0, json_to_root, 0 },
                JSON_FIELD(RuntimeConfig, hostname, "hostname", json_to_hostname, 0),
                { "mounts", 0, json_to_mounts, 0 },
                { "linux", 0, json_to_linux, JSON_REQUIRED },
                JSON_FIELD(RuntimeConfig, annotations, "annotations", json_to_map, 0),
        };
        _cleanup_(runtime_config_freep) RuntimeConfig *c = calloc(1, sizeof(RuntimeConfig));
        int r;

        fault = NULL;
        r = c ? read_strict(object, fields, N_ELEMENTS(fields), c) : -ENOMEM;
        if (r >= 0)
                r = config_check(c);
        if (r < 0)
                return fault_return(r, ret_where);
        *ret = TAKE(c);
        return 0;
}

RuntimeConfig *runtime_config_free(RuntimeConfig *c) {
        if (!c)
                return NULL;
        process_clear(&c->process);
        free(c->hostname);
        for (size_t i = 0; i < c->n_mounts; i++) {
                free(c->mounts[i].destination);
                free(c->mounts[i].type);
                free(c->mounts[i].source);
                strv_free(c->mounts[i].options);
        }
        free(c->mounts);
        strv_free(c->masked_paths);
        strv_free(c->readonly_paths);
        strv_free(c->sysctls);
        strv_free(c->annotations);
        free(c);
        return NULL;
}

const char *runtime_config_annotation(const RuntimeConfig *c, const char *key) {
        for (char **a = c->annotations; a && *a; a++) {
                const char *rest = startswith(*a, "org.berth.");
                rest = rest ? startswith(rest, key) : NULL;
                if (rest && *rest == '=')
                        return rest + 1;
        }
        return NULL;
}
