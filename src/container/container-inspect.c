/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `inspect`: a container in Docker's JSON shape. First comes what all containers have in common; what somebody set
 * stands where the option table says; then comes what follows from it and from the run. berth's own facts have names of
 * their own: Unit, RunId, UsernsBase, LogEpoch, LogOrdinal. */
#include <stdio.h>
#include <time.h>

#include "container/container-spec.h"
#include "container/option-values.h"
#include "util/strv.h"
#include "wire/restart-policy.h"

#define ZERO_TIME "0001-01-01T00:00:00Z"

/* What every container has in Docker's output and scripts look at, where berth has no setting of it, or not yet: what
 * holds then. */
static const struct { const char *place, *json; } constants[] = {
        { "AppArmorProfile",                      "\"\"" },
        { "Driver",                               "\"overlay\"" },
        { "ExecIDs",                              "null" },
        { "LogPath",                              "\"\"" },
        { "MountLabel",                           "\"\"" },
        { "Mounts",                               "[]" },
        { "Platform",                             "\"linux\"" },
        { "ProcessLabel",                         "\"\"" },
        { "GraphDriver.Name",                     "\"overlay\"" },
        { "Config.Domainname",                    "\"\"" },
        { "Config.OnBuild",                       "null" },
        { "HostConfig.Binds",                     "null" },
        { "HostConfig.CapAdd",                    "null" },
        { "HostConfig.CapDrop",                   "null" },
        { "HostConfig.CpuCount",                  "0" },
        { "HostConfig.CpuPercent",                "0" },
        { "HostConfig.CpuRealtimePeriod",         "0" },
        { "HostConfig.CpuRealtimeRuntime",        "0" },
        { "HostConfig.DeviceCgroupRules",         "null" },
        { "HostConfig.DeviceRequests",            "null" },
        { "HostConfig.Devices",                   "[]" },
        { "HostConfig.Dns",                       "[]" },
        { "HostConfig.DnsOptions",                "[]" },
        { "HostConfig.DnsSearch",                 "[]" },
        { "HostConfig.ExtraHosts",                "null" },
        { "HostConfig.GroupAdd",                  "null" },
        { "HostConfig.IOMaximumBandwidth",        "0" },
        { "HostConfig.IOMaximumIOps",             "0" },
        { "HostConfig.IpcMode",                   "\"private\"" },
        { "HostConfig.Links",                     "null" },
        { "HostConfig.LogConfig",                 "{\"Type\": \"journald\", \"Config\": {}}" },
        { "HostConfig.MemorySwappiness",          "null" },
        { "HostConfig.OomKillDisable",            "null" },
        { "HostConfig.PidMode",                   "\"\"" },
        { "HostConfig.PortBindings",              "{}" },
        { "HostConfig.Privileged",                "false" },
        { "HostConfig.PublishAllPorts",           "false" },
        { "HostConfig.UTSMode",                   "\"\"" },
        { "HostConfig.UsernsMode",                "\"\"" },
        { "HostConfig.VolumesFrom",               "null" },
        { "NetworkSettings.Bridge",               "\"\"" },
        { "NetworkSettings.EndpointID",           "\"\"" },
        { "NetworkSettings.Gateway",              "\"\"" },
        { "NetworkSettings.GlobalIPv6Address",    "\"\"" },
        { "NetworkSettings.IPAddress",            "\"\"" },
        { "NetworkSettings.IPPrefixLen",          "0" },
        { "NetworkSettings.IPv6Gateway",          "\"\"" },
        { "NetworkSettings.MacAddress",           "\"\"" },
        { "NetworkSettings.Ports",                "{}" },
};

/* Of the one network that the container has: neither none nor host gives it an address of its own. */
#define ENDPOINT \
        "{\"Aliases\": null, \"DNSNames\": null, \"DriverOpts\": null, \"EndpointID\": \"\", \"Gateway\": \"\"," \
        " \"GlobalIPv6Address\": \"\", \"GlobalIPv6PrefixLen\": 0, \"IPAMConfig\": null, \"IPAddress\": \"\"," \
        " \"IPPrefixLen\": 0, \"IPv6Gateway\": \"\", \"Links\": null, \"MacAddress\": \"\", \"NetworkID\": \"\"}"

/* Puts a value at "A.B.C", making the objects on the way. Takes the reference. */
static int set(json_object *root, const char *place, json_object *value) {
        const char *dot;

        while ((dot = strchr(place, '.'))) {
                _cleanup_free_ char *key = strndup(place, (size_t) (dot - place));
                json_object *next = NULL;

                if (!key) {
                        json_object_put(value);
                        return -ENOMEM;
                }
                if (!json_object_object_get_ex(root, key, &next)) {
                        next = json_object_new_object();
                        if (json_add_object(root, key, next) < 0) {
                                json_object_put(value);
                                return -ENOMEM;
                        }
                }
                root = next;
                place = dot + 1;
        }
        return json_object_object_add(root, place, value) < 0 ? -ENOMEM : 0;
}

static int set_string(json_object *root, const char *place, const char *value) {
        json_object *s = json_object_new_string(value ? value : "");
        return s ? set(root, place, s) : -ENOMEM;
}

static int set_bool(json_object *root, const char *place, bool value) {
        json_object *b = json_object_new_boolean(value);
        return b ? set(root, place, b) : -ENOMEM;
}

static int set_int(json_object *root, const char *place, int64_t value) {
        json_object *i = json_object_new_int64(value);
        return i ? set(root, place, i) : -ENOMEM;
}

static int set_json(json_object *root, const char *place, const char *text) {
        json_object *value;
        int r = json_parse(text, strlen(text), &value);

        return r < 0 ? r : set(root, place, value);
}

static int set_constants(json_object *root) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(constants); i++)
                r = set_json(root, constants[i].place, constants[i].json);
        return r;
}

static json_object *string_array(char *const *v) {
        json_object *array = json_object_new_array();

        for (; array && v && *v; v++)
                if (json_object_array_add(array, json_object_new_string(*v)) < 0) {
                        json_object_put(array);
                        return NULL;
                }
        return array;
}

/* No vector is null, as in Docker's output. */
static int set_strv(json_object *root, const char *place, char *const *value) {
        json_object *array = NULL;

        if (value && *value && !(array = string_array(value)))
                return -ENOMEM;
        return set(root, place, array);
}

static int set_time(json_object *root, const char *place, uint64_t usec) {
        time_t seconds = (time_t) (usec / 1000000);
        char date[32], text[64];
        struct tm tm;

        if (usec == 0 || !gmtime_r(&seconds, &tm))
                return set_string(root, place, ZERO_TIME);
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(text, sizeof(text), "%s.%06uZ", date, (unsigned) (usec % 1000000));
        return set_string(root, place, text);
}

static int set_map(json_object *root, const char *place, char *const *assignments) {
        json_object *map = json_object_new_object();
        int r;

        r = map ? set(root, place, map) : -ENOMEM;
        for (; r >= 0 && assignments && *assignments; assignments++) {
                size_t n = strcspn(*assignments, "=");
                _cleanup_free_ char *key = strndup(*assignments, n);
                r = key ? json_add_string(map, key, (*assignments)[n] ? *assignments + n + 1 : "") : -ENOMEM;
        }
        return r;
}

static int set_options(json_object *root, const ContainerSettings *s) {
        for (size_t i = 0; i < n_container_options; i++) {
                const ContainerOption *o = &container_options[i];
                const void *member = (const char *) s + o->offset;
                int r = 0;

                if (!o->inspect)
                        continue;
                switch (o->type) {
                case OPTION_BOOL:
                        r = set_bool(root, o->inspect, *(const bool *) member);
                        break;
                case OPTION_STRING:
                        r = set_string(root, o->inspect, *(char *const *) member);
                        break;
                case OPTION_STRV:
                        r = set_strv(root, o->inspect, *(char *const *const *) member);
                        break;
                case OPTION_I32:
                        if (*(const int32_t *) member != OPTION_I32_UNSET)
                                r = set_int(root, o->inspect, *(const int32_t *) member);
                        break;
                case OPTION_I64:
                        r = set_int(root, o->inspect, *(const int64_t *) member);
                        break;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static int set_state(json_object *root, const Container *c) {
        const ContainerResult *result = &c->result;
        int r;

        if ((r = set_string(root, "State.Status", container_state_name(c))) < 0 ||
            (r = set_bool(root, "State.Running", container_is_running(c))) < 0 ||
            (r = set_bool(root, "State.Paused", false)) < 0 ||
            (r = set_bool(root, "State.Restarting", c->state == CONTAINER_RESTARTING)) < 0 ||
            (r = set_bool(root, "State.OOMKilled", result->oom_killed)) < 0 ||
            (r = set_bool(root, "State.Dead", false)) < 0 ||
            (r = set_int(root, "State.Pid", c->pid)) < 0 ||
            (r = set_int(root, "State.ExitCode", result->exit_code)) < 0 ||
            (r = set_string(root, "State.Error", result->error)) < 0 ||
            (r = set_string(root, "State.StoppedBy", result->stopped_by)) < 0 ||
            (r = set_int(root, "State.StoppedByUid", result->stopper.pid > 0 ? (int64_t) result->stopper.uid : -1)) < 0 ||
            (r = set_string(root, "State.StoppedByUser", result->stopper.user)) < 0 ||
            (r = set_int(root, "State.StoppedByPid", result->stopper.pid)) < 0 ||
            (r = set_string(root, "State.StoppedByCommand", result->stopper.command)) < 0 ||
            (r = set_string(root, "State.StoppedByUnit", result->stopper.unit)) < 0 ||
            (r = set_time(root, "State.StartedAt", result->started_usec)) < 0)
                return r;
        return set_time(root, "State.FinishedAt", result->finished_usec);
}

/* What the option table alone cannot say of the limits. */
static int set_limits(json_object *root, const ContainerSettings *s) {
        const struct { const char *place; UnitIoKind kind; char *const *list; } devices[] = {
                { "HostConfig.BlkioWeightDevice",    UNIT_IO_WEIGHT,     s->blkio_weight_device },
                { "HostConfig.BlkioDeviceReadBps",   UNIT_IO_READ_BPS,   s->device_read_bps     },
                { "HostConfig.BlkioDeviceWriteBps",  UNIT_IO_WRITE_BPS,  s->device_write_bps    },
                { "HostConfig.BlkioDeviceReadIOps",  UNIT_IO_READ_IOPS,  s->device_read_iops    },
                { "HostConfig.BlkioDeviceWriteIOps", UNIT_IO_WRITE_IOPS, s->device_write_iops   },
        };
        json_object *array;
        int r;

        r = set_string(root, "HostConfig.CgroupnsMode", s->cgroupns ? s->cgroupns : "private");
        if (r >= 0)
                r = ulimits_to_inspect(s->ulimits, &array);
        if (r >= 0)
                r = set(root, "HostConfig.Ulimits", array);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(devices); i++) {
                r = device_limits_to_inspect(devices[i].list, devices[i].kind, &array);
                if (r >= 0)
                        r = set(root, devices[i].place, array);
        }
        if (r >= 0 && s->pids_limit == 0)
                r = set(root, "HostConfig.PidsLimit", NULL);
        if (r >= 0 && s->memory > 0 && s->memory_swap == 0)
                r = set_int(root, "HostConfig.MemorySwap", 2 * s->memory);
        return r < 0 ? r : set_int(root, "HostConfig.ShmSize", container_shm_size(s));
}

/* Docker's Path and Args: the whole command, cut behind its first word. */
static int set_command(json_object *root, const Container *c) {
        _cleanup_strv_ char **all = NULL;
        json_object *args;
        int r;

        r = strv_copy(c->config.entrypoint, &all);
        for (char *const *a = c->config.command; r >= 0 && a && *a; a++)
                r = strv_extend(&all, *a);
        if (r < 0)
                return r;
        args = string_array(all[0] ? all + 1 : NULL);
        if (!args)
                return -ENOMEM;
        if ((r = set(root, "Args", args)) < 0 || (r = set_string(root, "Path", all[0])) < 0)
                return r;
        return 0;
}

/* What the one who made it was attached to; who looks on now is no matter of the container's. */
static int set_streams(json_object *root, const ContainerSettings *s) {
        uint16_t rows = 0, columns = 0;
        char size[32];
        int r;

        if (s->console_size)
                (void) console_size_parse(s->console_size, &rows, &columns);
        snprintf(size, sizeof(size), "[%u,%u]", rows, columns);
        if ((r = set_bool(root, "Config.AttachStdin", strv_contains(s->attach, "stdin"))) < 0 ||
            (r = set_bool(root, "Config.AttachStdout", strv_contains(s->attach, "stdout"))) < 0 ||
            (r = set_bool(root, "Config.AttachStderr", strv_contains(s->attach, "stderr"))) < 0 ||
            (r = set_bool(root, "Config.StdinOnce", container_settings_stdin_once(s))) < 0)
                return r;
        return set_json(root, "HostConfig.ConsoleSize", size);
}

static int set_config(json_object *root, const Container *c) {
        const ContainerConfig *config = &c->config;
        char buffer[65];
        int r;

        if ((r = set_string(root, "Config.Hostname", container_hostname(c, buffer))) < 0 ||
            (r = set_string(root, "Config.User", config->user)) < 0 ||
            (r = set_strv(root, "Config.Env", config->env)) < 0 ||
            (r = set_strv(root, "Config.Cmd", config->command)) < 0 ||
            (r = set_strv(root, "Config.Entrypoint", config->entrypoint)) < 0 ||
            (r = set_string(root, "Config.WorkingDir", config->working_dir)) < 0 ||
            (r = set_map(root, "Config.Labels", config->labels)) < 0 ||
            (r = set(root, "Config.ExposedPorts", json_object_get(json_get(c->image_config, "ExposedPorts")))) < 0 ||
            (r = set(root, "Config.Volumes", json_object_get(json_get(c->image_config, "Volumes")))) < 0)
                return r;
        return config->stop_signal_text ? set_string(root, "Config.StopSignal", config->stop_signal_text) : 0;
}

static int set_restart(json_object *root, const Container *c) {
        RestartPolicy policy = { .kind = RESTART_NO };
        char why[RESTART_TEXT_MAX];
        int r;

        (void) restart_policy_parse(c->settings.restart, &policy, why); /* was looked at when it came in */
        if ((r = set_string(root, "HostConfig.RestartPolicy.Name", restart_kind_name(policy.kind))) < 0 ||
            (r = set_int(root, "HostConfig.RestartPolicy.MaximumRetryCount", policy.max_retries)) < 0)
                return r;
        return set_int(root, "RestartCount", c->result.restart_count);
}

static int set_rest(json_object *root, const Container *c) {
        const char *network = container_has_host_network(c) ? "host" : "none";
        _cleanup_free_ char *name = NULL, *image = NULL, *upper = NULL, *endpoint = NULL, *hosts = NULL,
                            *hostname = NULL, *resolv = NULL;
        int r;

        if (asprintf(&name, "/%s", c->name) < 0 ||
            asprintf(&image, "sha256:%s", c->image_id) < 0 ||
            asprintf(&endpoint, "NetworkSettings.Networks.%s", network) < 0 ||
            container_state_path(c, "upper", &upper) < 0 || container_bundle_path(c, "hosts", &hosts) < 0 ||
            container_bundle_path(c, "hostname", &hostname) < 0 ||
            container_bundle_path(c, "resolv.conf", &resolv) < 0)
                return -ENOMEM;
        if ((r = set_json(root, endpoint, ENDPOINT)) < 0 ||
            (r = set_string(root, "Id", c->id)) < 0 ||
            (r = set_time(root, "Created", c->created_usec)) < 0 ||
            (r = set_string(root, "Name", name)) < 0 ||
            (r = set_string(root, "Image", image)) < 0 ||
            (r = set_string(root, "ImageDigest", c->image_digest)) < 0 ||
            (r = set_string(root, "GraphDriver.Data.UpperDir", upper)) < 0 ||
            (r = set_string(root, "HostsPath", hosts)) < 0 ||
            (r = set_string(root, "HostnamePath", hostname)) < 0 ||
            (r = set_string(root, "ResolvConfPath", resolv)) < 0 ||
            (r = set_string(root, "HostConfig.NetworkMode", network)) < 0 ||
            (r = set_strv(root, "HostConfig.MaskedPaths", (char **) container_masked_paths)) < 0 ||
            (r = set_strv(root, "HostConfig.ReadonlyPaths", (char **) container_readonly_paths)) < 0 ||
            (r = set_string(root, "Unit", c->unit)) < 0 ||
            (r = set_string(root, "RunId", c->result.run_id)) < 0 ||
            (r = set_string(root, "LogEpoch", c->result.log_epoch)) < 0 ||
            (r = set_int(root, "LogOrdinal", (int64_t) c->result.log_ordinal)) < 0)
                return r;
        return set_int(root, "UsernsBase", c->ids_base);
}

int container_inspect(Container *c, json_object **ret) {
        _cleanup_json_ json_object *root = json_object_new_object();
        int r;

        if (!root)
                return -ENOMEM;
        if ((r = set_constants(root)) < 0 ||
            (r = set_options(root, &c->settings)) < 0 ||
            (r = set_limits(root, &c->settings)) < 0 ||
            (r = set_command(root, c)) < 0 ||
            (r = set_streams(root, &c->settings)) < 0 ||
            (r = set_state(root, c)) < 0 ||
            (r = set_restart(root, c)) < 0 ||
            (r = set_config(root, c)) < 0 ||
            (r = set_rest(root, c)) < 0)
                return r;
        *ret = TAKE(root);
        return 0;
}
