/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of a transient unit: see unit-properties.h, org.freedesktop.systemd1(5), systemd.exec(5). */
#include <linux/capability.h>
#include <signal.h>
#include <string.h>

#include "unit/unit-properties.h"
#include "util/strv.h"

#define WORKER_TASKS_MAX 256

typedef struct Property {
        const char *name;
        char type; /* 'b', 's', 'i', 't' */
        union {
                int b;
                int32_t i;
                const char *s;
                uint64_t t;
        };
} Property;

bool unit_is_service(const TransientUnit *unit) {
        size_t n = strlen(unit->name), suffix = strlen(".service");

        return n > suffix && streq(unit->name + n - suffix, ".service");
}

static int append_table(sd_bus_message *m, const Property *table, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                char type[] = { table[i].type, '\0' };

                switch (table[i].type) {
                case 'b':
                        r = sd_bus_message_append(m, "(sv)", table[i].name, type, table[i].b);
                        break;
                case 'i':
                        r = sd_bus_message_append(m, "(sv)", table[i].name, type, table[i].i);
                        break;
                case 't':
                        r = sd_bus_message_append(m, "(sv)", table[i].name, type, table[i].t);
                        break;
                default:
                        r = table[i].s ? sd_bus_message_append(m, "(sv)", table[i].name, type, table[i].s) : 0;
                }
        }
        return r;
}

/* Opens, for "(sv)" with a variant of an array of `item`. */
static int open_array(sd_bus_message *m, const char *name, const char *variant, const char *item) {
        int r = sd_bus_message_open_container(m, 'r', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', variant);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', item);
        return r;
}

static int close_array(sd_bus_message *m, int r) {
        for (int depth = 0; depth < 3 && r >= 0; depth++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_strv(sd_bus_message *m, const char *name, char *const *v) {
        int r;

        if (!v || !*v)
                return 0;
        r = open_array(m, name, "as", "s");
        for (; r >= 0 && *v; v++)
                r = sd_bus_message_append(m, "s", *v);
        return close_array(m, r);
}

/* A list of what is allowed or, on top of that, not allowed, as (bas). An empty one allows nothing. */
static int append_filter(sd_bus_message *m, const char *name, bool allowed, const char *first, char *const *more) {
        int r;

        if ((r = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
            (r = sd_bus_message_append(m, "s", name)) < 0 ||
            (r = sd_bus_message_open_container(m, 'v', "(bas)")) < 0 ||
            (r = sd_bus_message_open_container(m, 'r', "bas")) < 0 ||
            (r = sd_bus_message_append(m, "b", allowed)) < 0 ||
            (r = sd_bus_message_open_container(m, 'a', "s")) < 0)
                return r;
        if (first)
                r = sd_bus_message_append(m, "s", first);
        for (; r >= 0 && more && *more; more++)
                r = sd_bus_message_append(m, "s", *more);
        for (int depth = 0; depth < 4 && r >= 0; depth++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_devices(sd_bus_message *m, const UnitDevice *devices, size_t n) {
        int r;

        r = sd_bus_message_append(m, "(sv)", "DevicePolicy", "s", "strict");
        if (r < 0)
                return r;
        r = open_array(m, "DeviceAllow", "a(ss)", "(ss)");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = sd_bus_message_append(m, "(ss)", devices[i].path, devices[i].permissions);
        return close_array(m, r);
}

/* A scope that holds a container. Why each is as it is: docs/architecture.md, "The unit of a container". */
static int append_scope(sd_bus_message *m, const TransientUnit *unit, bool optional) {
        const Property table[] = {
                { "Delegate",         'b', .b = true },
                /* SIGCONT harms nobody; the monitor takes it from PID 1 as the request to stop. */
                { "KillSignal",       'i', .i = SIGCONT },
                { "SendSIGHUP",       'b', .b = false },
                { "TimeoutStopUSec",  't', .t = unit->timeout_stop_usec },
                { "CPUAccounting",    'b', .b = true },
                { "IOAccounting",     'b', .b = true },
                { "MemoryAccounting", 'b', .b = true },
                { "TasksAccounting",  'b', .b = true },
        };
        static const Property optional_table[] = {
                { "OOMPolicy",        's', .s = "continue" }, /* scopes: 253, and what distributions took back */
        };
        UnitLimits unlimited = unit_limits_keep;
        int r;

        unlimited.tasks_max = UNIT_LIMIT_NONE;
        r = append_table(m, table, N_ELEMENTS(table));
        if (r >= 0)
                r = unit_limits_append(m, unit->limits ? unit->limits : &unlimited);
        if (r >= 0 && optional)
                r = append_table(m, optional_table, N_ELEMENTS(optional_table));
        if (r >= 0)
                r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t) unit->pid);
        if (r >= 0 && unit->n_devices > 0)
                r = append_devices(m, unit->devices, unit->n_devices);
        if (r >= 0)
                r = append_strv(m, "RequiresMountsFor", unit->needs_mounts);
        if (r >= 0)
                r = append_strv(m, "After", unit->after);
        if (r >= 0)
                r = append_strv(m, "Before", unit->before);
        return r;
}

static int append_command(sd_bus_message *m, char *const *command) {
        int r;

        r = open_array(m, "ExecStart", "a(sasb)", "(sasb)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'r', "sasb");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", command[0]);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **) command);
        if (r >= 0)
                r = sd_bus_message_append(m, "b", false);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return close_array(m, r);
}

static int append_stream(sd_bus_message *m, const char *descriptor, const char *setting, int fd) {
        return fd >= 0 ? sd_bus_message_append(m, "(sv)", descriptor, "h", fd)
                       : sd_bus_message_append(m, "(sv)", setting, "s", "null");
}

static bool makes_nodes(const TransientUnit *unit) {
        return unit->capabilities & (UINT64_C(1) << CAP_MKNOD);
}

/* Device nodes that a worker may make but not open. A private /dev would take CAP_MKNOD away. */
static int append_worker_devices(sd_bus_message *m, const TransientUnit *unit) {
        static const UnitDevice make_only[] = { { "char-*", "m" }, { "block-*", "m" }, { "/dev/null", "rw" } };

        if (makes_nodes(unit))
                return append_devices(m, make_only, N_ELEMENTS(make_only));
        return sd_bus_message_append(m, "(sv)", "PrivateDevices", "b", true);
}

/* A worker is root: a socket of its own would be root's on the message bus, and a signal or a write into another
 * process root's, too. Should it be taken over, it has none of these. */
static char *const refused_system_calls[] = {
        (char *) "@network-io", (char *) "@setuid",        (char *) "kill",         (char *) "tkill",
        (char *) "tgkill",      (char *) "rt_sigqueueinfo", (char *) "rt_tgsigqueueinfo",
        (char *) "pidfd_open",  (char *) "pidfd_send_signal", (char *) "process_vm_readv",
        (char *) "process_vm_writev", (char *) "process_madvise", NULL,
};

/* A worker: a program that reads bytes from outside, and can do nothing but write to its own paths and its output. */
static int append_worker(sd_bus_message *m, const TransientUnit *unit) {
        const Property table[] = {
                { "Type",                    's', .s = "oneshot" },
                { "StandardError",           's', .s = "journal" },
                { "StandardOutput",          's', .s = "null" }, /* if it were the journal's, stderr would follow it to stdout_fd */
                { "TimeoutStartUSec",        't', .t = unit->runtime_max_usec ?: UINT64_MAX },
                { "TimeoutStopUSec",         't', .t = unit->timeout_stop_usec ?: 10000000 },
                { "TasksMax",                't', .t = unit->tasks_max > 0 ? unit->tasks_max : WORKER_TASKS_MAX },
                { "MemoryMax",               't', .t = unit->memory_max > 0 ? unit->memory_max : UINT64_MAX },
                { "OOMScoreAdjust",          'i', .i = 300 },
                { "CapabilityBoundingSet",   't', .t = unit->capabilities },
                { "NoNewPrivileges",         'b', .b = true },
                { "ProtectSystem",           's', .s = "strict" },
                { "ProtectHome",             's', .s = "yes" },
                { "PrivateTmp",              'b', .b = true },
                { "PrivateNetwork",          'b', .b = true },
                { "PrivateMounts",           'b', .b = true },
                { "ProtectKernelTunables",   'b', .b = true },
                { "ProtectKernelModules",    'b', .b = true },
                { "ProtectKernelLogs",       'b', .b = true },
                { "ProtectControlGroups",    'b', .b = true },
                { "ProtectClock",            'b', .b = !makes_nodes(unit) }, /* this sets DeviceAllow= */
                { "ProtectHostname",         'b', .b = true },
                { "ProtectProc",             's', .s = "invisible" },
                { "LockPersonality",         'b', .b = true },
                { "MemoryDenyWriteExecute",  'b', .b = true },
                { "RestrictRealtime",        'b', .b = true },
                { "RestrictNamespaces",      't', .t = 0 },
                { "AddRef",                  'b', .b = true }, /* until its result has been read */
        };
        int r;

        r = append_table(m, table, N_ELEMENTS(table));
        if (r >= 0)
                r = append_command(m, unit->command);
        if (r >= 0)
                r = append_strv(m, "Environment", unit->environment);
        if (r >= 0 && unit->groups)
                r = sd_bus_message_append(m, "(sv)", "DynamicUser", "b", true);
        if (r >= 0)
                r = append_strv(m, "SupplementaryGroups", unit->groups);
        if (r >= 0)
                r = append_strv(m, "ReadWritePaths", unit->write_paths);
        if (r >= 0 && makes_nodes(unit)) /* the machine's own, which ProtectSystem= leaves alone */
                r = append_strv(m, "ReadOnlyPaths", (char *[]) { (char *) "/dev", NULL });
        if (r >= 0)
                r = append_stream(m, "StandardInputFileDescriptor", "StandardInput", unit->stdin_fd);
        if (r >= 0)
                r = append_stream(m, "StandardOutputFileDescriptor", "StandardOutput", unit->stdout_fd);
        if (r >= 0)
                r = append_worker_devices(m, unit);
        if (r >= 0)
                r = append_filter(m, "SystemCallFilter", true, "@system-service", unit->system_calls);
        if (r >= 0)
                r = append_filter(m, "SystemCallFilter", false, NULL, refused_system_calls);
        if (r >= 0)
                r = append_filter(m, "RestrictAddressFamilies", true, NULL, NULL);
        return r < 0 ? r : sd_bus_message_append(m, "(sv)(sv)", "SystemCallArchitectures", "as", 1, "native",
                                                 "SystemCallErrorNumber", "i", EPERM);
}

int unit_append_properties(sd_bus_message *m, const TransientUnit *unit, bool optional) {
        const Property table[] = {
                { "Description", 's', .s = unit->description },
                { "Slice",       's', .s = unit->slice },
                { "CollectMode", 's', .s = "inactive-or-failed" },
        };
        int r;

        r = sd_bus_message_open_container(m, 'a', "(sv)");
        if (r >= 0)
                r = append_table(m, table, N_ELEMENTS(table));
        if (r >= 0)
                r = unit_is_service(unit) ? append_worker(m, unit) : append_scope(m, unit, optional);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r;
}
