/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The option table: see container-options.h. Rows are sorted by flag. */
#include <stdio.h>

#include "container/container-options.h"
#include "container/limit-values.h"
#include "container/option-values.h"
#include "util/strv.h"
#include "wire/restart-policy.h"

#define MEMBER(member) offsetof(ContainerSettings, member)

#define EVERY_VERB (VERB_RUN | VERB_CREATE | VERB_EXEC)
#define NEW_CONTAINER (VERB_RUN | VERB_CREATE)
#define CHANGEABLE (NEW_CONTAINER | VERB_UPDATE)

const ContainerOption container_options[] = {
        /* No flags: what stands behind them on the command line. */
        { "image", NULL, 0, "Image", OPTION_STRING, MEMBER(image), "Config.Image", NULL, NULL, 0, NULL,
          validate_image },
        { "command", NULL, 0, "Exec", OPTION_STRV, MEMBER(command), "Config.Cmd", NULL, NULL, 0, NULL,
          validate_strings },

        { "console-size", NULL, 0, NULL, OPTION_STRING, MEMBER(console_size), NULL, NULL, NULL, 0, NULL,
          validate_console_size },

        { "attach", "attach", 'a', NULL, OPTION_STRV, MEMBER(attach), NULL, "list",
          "Attach to stdin, stdout or stderr alone", NEW_CONTAINER, parse_attach, validate_attach },
        { "entrypoint", "entrypoint", 0, "Entrypoint", OPTION_STRV, MEMBER(entrypoint), "Config.Entrypoint", "string",
          "Run this instead of the image's entrypoint", NEW_CONTAINER, parse_single, validate_strings },
        { "env", "env", 'e', "Environment", OPTION_STRV, MEMBER(env), "Config.Env", "list",
          "Set environment variables (KEY=VALUE, or KEY: as it is here)", EVERY_VERB, parse_env, validate_env },
        { NULL, "env-file", 0, "EnvironmentFile", OPTION_STRV, MEMBER(env_files), NULL, "list",
          "Read environment variables from a file", EVERY_VERB, NULL, NULL },
        { "hostname", "hostname", 'h', "HostName", OPTION_STRING, MEMBER(hostname), "Config.Hostname", "string",
          "Host name inside the container", NEW_CONTAINER, parse_optional, validate_hostname },
        { "init", "init", 0, "RunInit", OPTION_BOOL, MEMBER(init), "HostConfig.Init", NULL,
          "Run under an init that forwards signals and reaps processes", NEW_CONTAINER, NULL, NULL },
        { "interactive", "interactive", 'i', NULL, OPTION_BOOL, MEMBER(interactive), "Config.OpenStdin", NULL,
          "Keep standard input open", EVERY_VERB, NULL, NULL },
        { "label", "label", 'l', "Label", OPTION_STRV, MEMBER(labels), "Config.Labels", "list",
          "Set labels (KEY=VALUE, or KEY)", NEW_CONTAINER, parse_label, validate_labels },
        { NULL, "label-file", 0, NULL, OPTION_STRV, MEMBER(label_files), NULL, "list",
          "Read labels from a file", NEW_CONTAINER, NULL, NULL },
        { "name", "name", 0, "ContainerName", OPTION_STRING, MEMBER(name), "Name", "string",
          "Name of the container", NEW_CONTAINER, parse_optional, validate_name },
        { "network", "network", 0, "Network", OPTION_STRING, MEMBER(network), "HostConfig.NetworkMode", "network",
          "Network: none, host", NEW_CONTAINER, parse_optional, validate_network },
        { "pull", "pull", 0, "Pull", OPTION_STRING, MEMBER(pull), NULL, "string",
          "Pull the image before: always, missing, never", NEW_CONTAINER, parse_optional, validate_pull },
        { "read-only", "read-only", 0, "ReadOnly", OPTION_BOOL, MEMBER(read_only), "HostConfig.ReadonlyRootfs", NULL,
          "Make the container's root file system read-only", NEW_CONTAINER, NULL, NULL },
        { "restart", "restart", 0, "Restart", OPTION_STRING, MEMBER(restart), NULL, "string",
          "Start it again when it ends: no, on-failure[:max-retries], always, unless-stopped", CHANGEABLE,
          parse_optional, validate_restart },
        { "auto-remove", "rm", 0, NULL, OPTION_BOOL, MEMBER(auto_remove), "HostConfig.AutoRemove", NULL,
          "Remove the container when it has ended", NEW_CONTAINER, NULL, NULL },
        { "security-opt", "security-opt", 0, NULL, OPTION_STRV, MEMBER(security_opt), "HostConfig.SecurityOpt", "list",
          "Security options: no-new-privileges", NEW_CONTAINER, NULL, validate_security_opt },
        { "stop-signal", "stop-signal", 0, "StopSignal", OPTION_STRING, MEMBER(stop_signal), "Config.StopSignal",
          "string",
          "Signal that stops the container", NEW_CONTAINER, parse_optional, validate_signal },
        { "stop-timeout", "stop-timeout", 0, "StopTimeout", OPTION_I32, MEMBER(stop_timeout), "Config.StopTimeout",
          "int",
          "Seconds to wait after that signal before the container is killed (-1: for ever)", NEW_CONTAINER,
          parse_timeout, validate_timeout },
        { "tty", "tty", 't', NULL, OPTION_BOOL, MEMBER(tty), "Config.Tty", NULL,
          "Give it a terminal", EVERY_VERB, NULL, NULL },
        { "user", "user", 'u', "User", OPTION_STRING, MEMBER(user), "Config.User", "string",
          "User name or number, and group (USER[:GROUP])", EVERY_VERB, parse_optional, validate_user },
        { "working-dir", "workdir", 'w', "WorkingDir", OPTION_STRING, MEMBER(working_dir), "Config.WorkingDir",
          "string",
          "Working directory inside the container", EVERY_VERB, parse_optional, validate_path },

        /* Limits. */
        { "blkio-weight", "blkio-weight", 0, NULL, OPTION_I64, MEMBER(blkio_weight), "HostConfig.BlkioWeight", "uint16",
          "Share of the block devices' time (10 to 1000)", CHANGEABLE, parse_number, validate_blkio_weight },
        { "blkio-weight-device", "blkio-weight-device", 0, NULL, OPTION_STRV, MEMBER(blkio_weight_device), NULL, "list",
          "The same of one device (DEVICE:WEIGHT)", NEW_CONTAINER, NULL, validate_blkio_weight_device },
        { "cgroup-parent", "cgroup-parent", 0, NULL, OPTION_STRING, MEMBER(cgroup_parent), "HostConfig.CgroupParent",
          "string",
          "The slice of its unit (default machine.slice)", NEW_CONTAINER, parse_optional, validate_cgroup_parent },
        { "cgroupns", "cgroupns", 0, NULL, OPTION_STRING, MEMBER(cgroupns), NULL, "string",
          "Cgroup namespace: private (default), host", NEW_CONTAINER, parse_optional, validate_cgroupns },
        { "cpu-period", "cpu-period", 0, NULL, OPTION_I64, MEMBER(cpu_period), "HostConfig.CpuPeriod", "int",
          "Length of the period that a quota is for, in microseconds", CHANGEABLE, parse_number,
          validate_cpu_period },
        { "cpu-quota", "cpu-quota", 0, NULL, OPTION_I64, MEMBER(cpu_quota), "HostConfig.CpuQuota", "int",
          "Processor time in each period, in microseconds", CHANGEABLE, parse_number, validate_cpu_quota },
        { "cpu-shares", "cpu-shares", 'c', NULL, OPTION_I64, MEMBER(cpu_shares), "HostConfig.CpuShares", "int",
          "Share of the processors' time (2 to 262144, usually 1024)", CHANGEABLE, parse_number,
          validate_cpu_shares },
        { "nano-cpus", "cpus", 0, NULL, OPTION_I64, MEMBER(nano_cpus), "HostConfig.NanoCpus", "decimal",
          "Number of processors", CHANGEABLE, parse_cpus, validate_cpus },
        { "cpuset-cpus", "cpuset-cpus", 0, NULL, OPTION_STRING, MEMBER(cpuset_cpus), "HostConfig.CpusetCpus", "string",
          "Processors it may run on (0-3, 0,1)", CHANGEABLE, parse_optional, validate_cpuset_cpus },
        { "cpuset-mems", "cpuset-mems", 0, NULL, OPTION_STRING, MEMBER(cpuset_mems), "HostConfig.CpusetMems", "string",
          "Memory nodes it may use (0-3, 0,1)", CHANGEABLE, parse_optional, validate_cpuset_mems },
        { "device-read-bps", "device-read-bps", 0, NULL, OPTION_STRV, MEMBER(device_read_bps), NULL, "list",
          "Bytes a second read from a device (DEVICE:SIZE)", NEW_CONTAINER, NULL, validate_device_bps },
        { "device-read-iops", "device-read-iops", 0, NULL, OPTION_STRV, MEMBER(device_read_iops), NULL, "list",
          "Operations a second on a device that read (DEVICE:NUMBER)", NEW_CONTAINER, NULL, validate_device_iops },
        { "device-write-bps", "device-write-bps", 0, NULL, OPTION_STRV, MEMBER(device_write_bps), NULL, "list",
          "Bytes a second written to a device (DEVICE:SIZE)", NEW_CONTAINER, NULL, validate_device_bps },
        { "device-write-iops", "device-write-iops", 0, NULL, OPTION_STRV, MEMBER(device_write_iops), NULL, "list",
          "Operations a second on a device that write (DEVICE:NUMBER)", NEW_CONTAINER, NULL, validate_device_iops },
        { "memory", "memory", 'm', NULL, OPTION_I64, MEMBER(memory), "HostConfig.Memory", "bytes",
          "Limit of its memory", CHANGEABLE, parse_memory, validate_memory },
        { "memory-reservation", "memory-reservation", 0, NULL, OPTION_I64, MEMBER(memory_reservation),
          "HostConfig.MemoryReservation", "bytes",
          "Memory that is left to it as long as others have some", CHANGEABLE, parse_memory,
          validate_memory_reservation },
        { "memory-swap", "memory-swap", 0, NULL, OPTION_I64, MEMBER(memory_swap), "HostConfig.MemorySwap", "bytes",
          "Limit of memory and swap together (-1: no limit of swap; default: twice the memory)", CHANGEABLE,
          parse_memory_swap, validate_memory_swap },
        { "oom-score-adj", "oom-score-adj", 0, NULL, OPTION_I64, MEMBER(oom_score_adj), "HostConfig.OomScoreAdj", "int",
          "How likely the kernel's OOM killer takes it (-1000 to 1000)", NEW_CONTAINER, parse_number,
          validate_oom_score_adj },
        { "pids-limit", "pids-limit", 0, "PidsLimit", OPTION_I64, MEMBER(pids_limit), "HostConfig.PidsLimit", "int",
          "Limit of its processes and threads (-1: none)", CHANGEABLE, parse_number, validate_pids_limit },
        { "shm-size", "shm-size", 0, "ShmSize", OPTION_I64, MEMBER(shm_size), NULL, "bytes",
          "Size of /dev/shm", NEW_CONTAINER, parse_memory, validate_shm_size },
        { "ulimit", "ulimit", 0, "Ulimit", OPTION_STRV, MEMBER(ulimits), NULL, "ulimit",
          "Set an rlimit (NAME=SOFT[:HARD], -1: none)", NEW_CONTAINER, NULL, validate_ulimits },
};
const size_t n_container_options = N_ELEMENTS(container_options);

static void *member_of(const ContainerSettings *s, const ContainerOption *o) {
        return (char *) s + o->offset;
}

static bool is_set(const ContainerSettings *s, const ContainerOption *o) {
        void *member = member_of(s, o);

        switch (o->type) {
        case OPTION_BOOL:
                return *(bool *) member;
        case OPTION_STRING:
                return *(char **) member;
        case OPTION_STRV:
                return *(char ***) member;
        case OPTION_I32:
                return *(int32_t *) member != OPTION_I32_UNSET;
        case OPTION_I64:
                return *(int64_t *) member != 0;
        }
        return false;
}

void container_settings_init(ContainerSettings *s) {
        *s = (ContainerSettings) { 0 };
        for (size_t i = 0; i < n_container_options; i++)
                if (container_options[i].type == OPTION_I32)
                        *(int32_t *) member_of(s, &container_options[i]) = OPTION_I32_UNSET;
}

void container_settings_done(ContainerSettings *s) {
        for (size_t i = 0; i < n_container_options; i++) {
                void *member = member_of(s, &container_options[i]);
                if (container_options[i].type == OPTION_STRING)
                        free(*(char **) member);
                else if (container_options[i].type == OPTION_STRV)
                        strv_free(*(char ***) member);
        }
        container_settings_init(s);
}

static int validate_option(const ContainerSettings *s, const ContainerOption *o, char **ret_error) {
        return o->validate && is_set(s, o) ? o->validate(member_of(s, o), ret_error) : 0;
}

/* Values that exclude one another. */
static int validate_together(const ContainerSettings *s, char **ret_error) {
        char why[RESTART_TEXT_MAX];
        RestartPolicy policy;

        if (s->auto_remove && restart_policy_parse(s->restart, &policy, why) >= 0 && policy.kind != RESTART_NO)
                return option_error(ret_error, "Conflicting options: --restart and --rm: "
                                               "can't create 'AutoRemove' container with restart policy");
        return 0;
}

int container_settings_validate(const ContainerSettings *s, char **ret_error) {
        for (size_t i = 0; i < n_container_options; i++) {
                int r = validate_option(s, &container_options[i], ret_error);
                if (r < 0)
                        return r;
        }
        return validate_together(s, ret_error);
}

static int copy_member(const ContainerOption *o, const void *from, void *to) {
        switch (o->type) {
        case OPTION_BOOL:
                *(bool *) to = *(const bool *) from;
                return 0;
        case OPTION_STRING:
                return string_replace(to, *(char *const *) from);
        case OPTION_STRV:
                strv_free(*(char ***) to);
                *(char ***) to = NULL;
                return strv_copy(*(char **const *) from, to);
        case OPTION_I32:
                *(int32_t *) to = *(const int32_t *) from;
                return 0;
        case OPTION_I64:
                *(int64_t *) to = *(const int64_t *) from;
                return 0;
        }
        return -EINVAL;
}

int container_settings_changed(const ContainerSettings *s, const ContainerSettings *changes, ContainerSettings *ret) {
        int r = 0;

        container_settings_init(ret);
        for (size_t i = 0; i < n_container_options && r >= 0; i++) {
                const ContainerOption *o = &container_options[i];
                r = copy_member(o, member_of(o->verbs & VERB_UPDATE && is_set(changes, o) ? changes : s, o),
                                member_of(ret, o));
        }
        if (r < 0)
                container_settings_done(ret);
        return r;
}

void container_settings_swap(ContainerSettings *a, ContainerSettings *b) {
        for (size_t i = 0; i < n_container_options; i++) {
                const ContainerOption *o = &container_options[i];
                if (!(o->verbs & VERB_UPDATE))
                        continue;
                if (o->type == OPTION_I64)
                        SWAP(*(int64_t *) member_of(a, o), *(int64_t *) member_of(b, o));
                else if (o->type == OPTION_STRING)
                        SWAP(*(char **) member_of(a, o), *(char **) member_of(b, o));
        }
}

const char *container_settings_find(const ContainerSettings *s, bool changeable) {
        for (size_t i = 0; i < n_container_options; i++) {
                const ContainerOption *o = &container_options[i];
                if (is_set(s, o) && !(o->verbs & VERB_UPDATE) == !changeable)
                        return o->key ? o->key : o->flag;
        }
        return NULL;
}

bool container_settings_stdin_once(const ContainerSettings *s) {
        return s->interactive && strv_contains(s->attach, "stdin");
}

int container_settings_read_files(ContainerSettings *s, char **ret_error) {
        int r = env_read_files(s->env_files, &s->env, ret_error);

        return r < 0 ? r : labels_read_files(s->label_files, &s->labels, ret_error);
}

/* The image is CreateContainer's own argument, and what has no key is for the command line alone. */
static bool is_bus_option(const ContainerOption *o) {
        return o->key && o->offset != MEMBER(image);
}

static const ContainerOption *find_bus_option(const char *key) {
        for (size_t i = 0; i < n_container_options; i++)
                if (is_bus_option(&container_options[i]) && streq(container_options[i].key, key))
                        return &container_options[i];
        return NULL;
}

static const char *const bus_types[] = {
        [OPTION_BOOL] = "b", [OPTION_STRING] = "s", [OPTION_STRV] = "as", [OPTION_I32] = "i",
        [OPTION_I64] = "x",
};

/* Reads the value inside an opened variant. */
static int read_bus_value(sd_bus_message *m, OptionType type, void *member) {
        const char *text;
        char **strings = NULL;
        int number, r;

        switch (type) {
        case OPTION_BOOL:
                r = sd_bus_message_read_basic(m, 'b', &number);
                if (r >= 0)
                        *(bool *) member = number;
                return r;
        case OPTION_STRING:
                r = sd_bus_message_read_basic(m, 's', &text);
                return r < 0 ? r : string_replace(member, text);
        case OPTION_STRV:
                r = sd_bus_message_read_strv(m, &strings);
                if (r < 0)
                        return r;
                /* an empty vector was given: not the same as none */
                if (!strings && !(strings = calloc(1, sizeof(char *))))
                        return -ENOMEM;
                strv_free(*(char ***) member);
                *(char ***) member = strings;
                return 0;
        case OPTION_I32:
                return sd_bus_message_read_basic(m, 'i', member);
        case OPTION_I64:
                return sd_bus_message_read_basic(m, 'x', member);
        }
        return -EINVAL;
}

/* One key and its variant. */
static int read_bus_option(sd_bus_message *m, ContainerSettings *s, char **ret_error) {
        const ContainerOption *o;
        const char *key, *type;
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r < 0)
                return r;
        o = find_bus_option(key);
        if (!o)
                return option_error(ret_error, "There is no option \"%.64s\"", key);
        r = sd_bus_message_peek_type(m, NULL, &type);
        if (r < 0)
                return r;
        if (!streq(type, bus_types[o->type]))
                return option_error(ret_error, "The option \"%s\" has type %s, not %.16s", key, bus_types[o->type],
                                    type);
        r = sd_bus_message_enter_container(m, 'v', type);
        if (r < 0)
                return r;
        r = read_bus_value(m, o->type, member_of(s, o));
        if (r < 0)
                return r;
        /* Whatever it is, also what would mean "not given" in the struct. */
        r = o->validate ? o->validate(member_of(s, o), ret_error) : 0;
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int container_settings_from_bus(sd_bus_message *m, ContainerSettings *s, char **ret_error) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_bus_option(m, s, ret_error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int append_bus_value(sd_bus_message *m, OptionType type, void *member) {
        switch (type) {
        case OPTION_BOOL:
                return sd_bus_message_append(m, "b", (int) *(bool *) member);
        case OPTION_STRING:
                return sd_bus_message_append(m, "s", *(char **) member);
        case OPTION_STRV:
                return sd_bus_message_append_strv(m, *(char ***) member);
        case OPTION_I32:
                return sd_bus_message_append(m, "i", *(int32_t *) member);
        case OPTION_I64:
                return sd_bus_message_append(m, "x", *(int64_t *) member);
        }
        return -EINVAL;
}

static int append_bus_option(sd_bus_message *m, const char *key, OptionType type, void *member) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "s", key);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'v', bus_types[type]);
        if (r < 0)
                return r;
        r = append_bus_value(m, type, member);
        if (r < 0)
                return r;
        r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int container_settings_append_entries(const ContainerSettings *s, sd_bus_message *m) {
        for (size_t i = 0; i < n_container_options; i++) {
                const ContainerOption *o = &container_options[i];
                if (!is_bus_option(o) || !is_set(s, o))
                        continue;
                int r = append_bus_option(m, o->key, o->type, member_of(s, o));
                if (r < 0)
                        return r;
        }
        return 0;
}

int container_settings_to_bus(const ContainerSettings *s, sd_bus_message *m) {
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        if (r >= 0)
                r = container_settings_append_entries(s, m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static const JsonConvert json_conversions[] = {
        [OPTION_BOOL] = json_to_bool, [OPTION_STRING] = json_to_string,
        [OPTION_STRV] = json_to_strv, [OPTION_I32] = json_to_i32, [OPTION_I64] = json_to_i64,
};

int container_settings_from_json(json_object *object, ContainerSettings *s) {
        for (size_t i = 0; i < n_container_options; i++) {
                const ContainerOption *o = &container_options[i];
                _cleanup_free_ char *why = NULL;
                json_object *value;
                int r;

                if (!o->key || !json_object_object_get_ex(object, o->key, &value))
                        continue;
                r = json_conversions[o->type](value, member_of(s, o));
                if (r < 0)
                        return r;
                r = o->validate ? o->validate(member_of(s, o), &why) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_json_option(json_object *object, const ContainerOption *o, void *member) {
        switch (o->type) {
        case OPTION_BOOL:
                return json_add_bool(object, o->key, *(bool *) member);
        case OPTION_STRING:
                return json_add_string(object, o->key, *(char **) member);
        case OPTION_STRV:
                return json_add_strv(object, o->key, *(char ***) member);
        case OPTION_I32:
                return json_add_i64(object, o->key, *(int32_t *) member);
        case OPTION_I64:
                return json_add_i64(object, o->key, *(int64_t *) member);
        }
        return -EINVAL;
}

int container_settings_to_json(const ContainerSettings *s, json_object **ret) {
        _cleanup_json_ json_object *object = json_object_new_object();

        if (!object)
                return -ENOMEM;
        for (size_t i = 0; i < n_container_options; i++) {
                const ContainerOption *o = &container_options[i];
                if (!o->key || !is_set(s, o))
                        continue;
                int r = add_json_option(object, o, member_of(s, o));
                if (r < 0)
                        return r;
        }
        *ret = TAKE(object);
        return 0;
}
