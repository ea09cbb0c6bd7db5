/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's config.json: see container-spec.h. Lists are Docker's defaults (moby oci/defaults.go, oci/caps), as
 * tables. */
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <unistd.h>

#include "container/container-spec.h"
#include "container/id-range.h"
#include "container/option-values.h"
#include "util/strv.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const struct { const char *name; unsigned number; } capabilities[] = {
        { "CAP_CHOWN",            CAP_CHOWN            }, { "CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE },
        { "CAP_FSETID",           CAP_FSETID           }, { "CAP_FOWNER",       CAP_FOWNER       },
        { "CAP_MKNOD",            CAP_MKNOD            }, { "CAP_NET_RAW",      CAP_NET_RAW      },
        { "CAP_SETGID",           CAP_SETGID           }, { "CAP_SETUID",       CAP_SETUID       },
        { "CAP_SETFCAP",          CAP_SETFCAP          }, { "CAP_SETPCAP",      CAP_SETPCAP      },
        { "CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE }, { "CAP_SYS_CHROOT",   CAP_SYS_CHROOT   },
        { "CAP_KILL",             CAP_KILL             }, { "CAP_AUDIT_WRITE",  CAP_AUDIT_WRITE  },
};

const char *const container_masked_paths[] = {
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys",
        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
        "/sys/firmware", "/sys/devices/virtual/powercap", NULL,
};
const char *const container_readonly_paths[] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

/* Of a network of its own: as in Docker, anybody inside may bind low ports and send pings. The range is that of the
 * user namespace. */
static const char *const network_sysctls[] = {
        "net.ipv4.ip_unprivileged_port_start=0", "net.ipv4.ping_group_range=0 65535", NULL,
};

/* A source in the bundle. It becomes an absolute path: what is bound must be a mount of the monitor's namespace, and
 * berthd, which opened the bundle, has a mount namespace of its own. */
#define BUNDLE "bundle:"

typedef enum MountWhen {
        MOUNT_ALWAYS,
        MOUNT_OWN_NETWORK,
        MOUNT_HOST_NETWORK,
        MOUNT_OWN_CGROUPS,
        MOUNT_HOST_CGROUPS,
} MountWhen;

static const struct {
        MountWhen when;
        const char *destination, *type, *source, *options; /* options: separated by commas */
} mounts[] = {
        { MOUNT_ALWAYS,       "/proc",            "proc",    "proc",               "nosuid,noexec,nodev" },
        { MOUNT_ALWAYS,       "/dev",             "tmpfs",   "tmpfs",              "nosuid,strictatime,mode=755,size=65536k" },
        { MOUNT_ALWAYS,       "/dev/pts",         "devpts",  "devpts",             "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
        { MOUNT_OWN_NETWORK,  "/sys",             "sysfs",   "sysfs",              "nosuid,noexec,nodev,ro" },
        /* sysfs shows the network namespace it was mounted in, and only its owner may mount it. */
        { MOUNT_HOST_NETWORK, "/sys",             "bind",    "/sys",               "rbind,nosuid,noexec,nodev,ro" },
        { MOUNT_OWN_CGROUPS,  "/sys/fs/cgroup",   "cgroup2", "cgroup",             "nosuid,noexec,nodev,ro" },
        /* Here, too, only the namespace's owner may mount. */
        { MOUNT_HOST_CGROUPS, "/sys/fs/cgroup",   "bind",    "/sys/fs/cgroup",     "rbind,nosuid,noexec,nodev,ro" },
        { MOUNT_ALWAYS,       "/dev/mqueue",      "mqueue",  "mqueue",             "nosuid,noexec,nodev" },
        { MOUNT_ALWAYS,       "/dev/shm",         "tmpfs",   "shm",                "nosuid,noexec,nodev,mode=1777" },
        { MOUNT_ALWAYS,       "/etc/resolv.conf", "bind",    BUNDLE "resolv.conf", "rbind,rprivate" },
        { MOUNT_ALWAYS,       "/etc/hostname",    "bind",    BUNDLE "hostname",    "rbind,rprivate" },
        { MOUNT_ALWAYS,       "/etc/hosts",       "bind",    BUNDLE "hosts",       "rbind,rprivate" },
};

static bool has_host_cgroups(const Container *c) {
        return streq_null(c->settings.cgroupns, "host");
}

static bool is_mounted(const Container *c, MountWhen when) {
        switch (when) {
        case MOUNT_OWN_NETWORK:
        case MOUNT_HOST_NETWORK:
                return container_has_host_network(c) == (when == MOUNT_HOST_NETWORK);
        case MOUNT_OWN_CGROUPS:
        case MOUNT_HOST_CGROUPS:
                return has_host_cgroups(c) == (when == MOUNT_HOST_CGROUPS);
        case MOUNT_ALWAYS:
                break;
        }
        return true;
}

uint64_t container_capabilities(void) {
        uint64_t mask = 0;

        for (size_t i = 0; i < N_ELEMENTS(capabilities); i++)
                mask |= UINT64_C(1) << capabilities[i].number;
        return mask;
}

bool container_has_host_network(const Container *c) {
        return c->settings.network && streq(c->settings.network, "host");
}

const char *container_hostname(const Container *c, char buffer[static 65]) {
        if (c->config.hostname)
                return c->config.hostname;
        if (container_has_host_network(c) && gethostname(buffer, 65) >= 0) {
                buffer[64] = '\0';
                return buffer;
        }
        snprintf(buffer, 65, "%.*s", CONTAINER_SHORT_ID_LENGTH, c->id);
        return buffer;
}

static int add_capabilities(json_object *process) {
        static const char *const sets[] = { "bounding", "effective", "permitted" };
        _cleanup_strv_ char **names = NULL;
        json_object *object = json_object_new_object();
        int r;

        r = json_add_object(process, "capabilities", object);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(capabilities); i++)
                r = strv_extend(&names, capabilities[i].name);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(sets); i++)
                r = json_add_strv(object, sets[i], names);
        return r;
}

/* Every container's variables, overridden by the image's and the owner's. HOME is for who looks the user up. */
static int environment(const Container *c, bool tty, char *const *more, char ***ret) {
        _cleanup_strv_ char **env = NULL;
        char buffer[65];
        int r;

        r = strv_extend(&env, PATH_DEFAULT);
        if (r >= 0)
                r = strv_extendf(&env, "HOSTNAME=%s", container_hostname(c, buffer));
        if (r >= 0 && tty)
                r = strv_extend(&env, "TERM=xterm");
        for (char *const *e = c->config.env; r >= 0 && e && *e; e++)
                if (strchr(*e, '=') && **e != '=') /* an image may hold anything */
                        r = strv_env_set(&env, *e);
        for (char *const *e = more; r >= 0 && e && *e; e++)
                r = strv_env_set(&env, *e);
        if (r < 0)
                return r;
        *ret = TAKE(env);
        return 0;
}

static int add_user(json_object *process, const char *user) {
        json_object *object = json_object_new_object();
        int r;

        r = json_add_object(process, "user", object);
        if (r >= 0)
                r = json_add_i64(object, "uid", 0);
        if (r >= 0)
                r = json_add_i64(object, "gid", 0);
        /* "": nobody was named, which is the image's root with all of its groups. */
        return r < 0 ? r : json_add_string(object, "username", user ? user : "");
}

static int add_console_size(json_object *process, const char *text) {
        json_object *size;
        uint16_t rows, columns;
        int r;

        if (!text || console_size_parse(text, &rows, &columns) < 0)
                return 0;
        size = json_object_new_object();
        r = json_add_object(process, "consoleSize", size);
        if (r >= 0)
                r = json_add_i64(size, "height", rows);
        return r < 0 ? r : json_add_i64(size, "width", columns);
}

static int add_rlimits(json_object *process, char *const *ulimits) {
        json_object *array;
        int r;

        if (!ulimits)
                return 0;
        r = ulimits_to_oci(ulimits, &array);
        return r < 0 ? r : json_add_object(process, "rlimits", array);
}

static int process_new(const Container *c, bool tty, const char *user, const char *working_dir, char *const *args,
                       char *const *more_env, json_object **ret) {
        _cleanup_json_ json_object *process = json_object_new_object();
        _cleanup_strv_ char **env = NULL;
        int r;

        if (!process)
                return -ENOMEM;
        r = environment(c, tty, more_env, &env);
        if (r < 0)
                return r;
        if ((r = json_add_bool(process, "terminal", tty)) < 0 ||
            (r = add_user(process, user)) < 0 ||
            (r = json_add_strv(process, "args", args)) < 0 ||
            (r = json_add_strv(process, "env", env)) < 0 ||
            (r = json_add_string(process, "cwd", working_dir ? working_dir : "/")) < 0 ||
            (r = add_capabilities(process)) < 0 ||
            (r = json_add_bool(process, "noNewPrivileges", c->config.no_new_privileges)) < 0 ||
            (r = json_add_i64(process, "oomScoreAdj", c->settings.oom_score_adj)) < 0 || /* not the monitor's */
            (r = add_rlimits(process, c->settings.ulimits)) < 0)
                return r;
        *ret = TAKE(process);
        return 0;
}

int container_spec_exec(const Container *c, const ExecSettings *exec, json_object **ret) {
        _cleanup_json_ json_object *process = NULL;
        int r;

        r = process_new(c, exec->tty, exec->user ? exec->user : c->config.user,
                        exec->working_dir ? exec->working_dir : c->config.working_dir, exec->command, exec->env,
                        &process);
        if (r >= 0)
                r = add_console_size(process, exec->console_size);
        if (r >= 0)
                *ret = TAKE(process);
        return r;
}

static int add_process(json_object *spec, const Container *c) {
        _cleanup_strv_ char **args = NULL;
        json_object *process;
        int r;

        r = strv_copy(c->config.entrypoint, &args);
        for (char *const *a = c->config.command; r >= 0 && a && *a; a++)
                r = strv_extend(&args, *a);
        if (r >= 0)
                r = process_new(c, c->settings.tty, c->config.user, c->config.working_dir, args, NULL, &process);
        if (r >= 0)
                r = json_add_object(spec, "process", process);
        return r < 0 ? r : add_console_size(process, c->settings.console_size);
}

static int add_source(json_object *mount, const Container *c, const char *source) {
        const char *in_bundle = startswith(source, BUNDLE);
        _cleanup_free_ char *path = NULL;
        int r;

        if (!in_bundle)
                return json_add_string(mount, "source", source);
        r = container_bundle_path(c, in_bundle, &path);
        return r < 0 ? r : json_add_string(mount, "source", path);
}

static int add_size(char ***options, const char *destination, const Container *c) {
        if (!streq(destination, "/dev/shm"))
                return 0;
        return strv_extendf(options, "size=%" PRIi64, container_shm_size(&c->settings));
}

static int add_mounts(json_object *spec, const Container *c) {
        json_object *array = json_object_new_array();
        int r;

        r = json_add_object(spec, "mounts", array);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(mounts); i++) {
                _cleanup_strv_ char **options = NULL;

                if (!is_mounted(c, mounts[i].when))
                        continue;
                json_object *mount = json_object_new_object();
                if (!mount || json_object_array_add(array, mount) < 0) {
                        json_object_put(mount);
                        return -ENOMEM;
                }
                if ((r = json_add_string(mount, "destination", mounts[i].destination)) < 0 ||
                    (r = json_add_string(mount, "type", mounts[i].type)) < 0 ||
                    (r = add_source(mount, c, mounts[i].source)) < 0 ||
                    (r = strv_split(mounts[i].options, ',', &options)) < 0 ||
                    (r = add_size(&options, mounts[i].destination, c)) < 0 ||
                    (r = json_add_strv(mount, "options", options)) < 0)
                        return r;
        }
        return r;
}

static int add_id_map(json_object *linux_object, const char *key, uint32_t base) {
        json_object *array = json_object_new_array(), *map = json_object_new_object();
        int r;

        r = json_add_object(linux_object, key, array);
        if (r < 0 || !map || json_object_array_add(array, map) < 0) {
                json_object_put(map);
                return r < 0 ? r : -ENOMEM;
        }
        if ((r = json_add_i64(map, "containerID", 0)) < 0 || (r = json_add_i64(map, "hostID", base)) < 0)
                return r;
        return json_add_i64(map, "size", ID_RANGE_SIZE);
}

static int add_namespaces(json_object *linux_object, const Container *c) {
        const struct { const char *type; bool wanted; } table[] = {
                { "pid", true },  { "ipc", true },  { "uts", true }, { "mount", true }, { "cgroup", !has_host_cgroups(c) },
                { "user", true }, { "network", !container_has_host_network(c) },
        };
        json_object *array = json_object_new_array();
        int r;

        r = json_add_object(linux_object, "namespaces", array);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(table); i++) {
                if (!table[i].wanted)
                        continue;
                json_object *namespace = json_object_new_object();
                if (!namespace || json_object_array_add(array, namespace) < 0) {
                        json_object_put(namespace);
                        return -ENOMEM;
                }
                r = json_add_string(namespace, "type", table[i].type);
        }
        return r;
}

static int add_linux(json_object *spec, const Container *c) {
        bool host_network = container_has_host_network(c);
        json_object *object = json_object_new_object();
        int r;

        if ((r = json_add_object(spec, "linux", object)) < 0 ||
            (r = add_id_map(object, "uidMappings", c->ids_base)) < 0 ||
            (r = add_id_map(object, "gidMappings", c->ids_base)) < 0 ||
            (r = add_namespaces(object, c)) < 0 ||
            (r = json_add_strv(object, "maskedPaths", (char **) container_masked_paths)) < 0 ||
            (r = json_add_strv(object, "readonlyPaths", (char **) container_readonly_paths)) < 0)
                return r;
        return host_network ? 0 : json_add_map(object, "sysctl", (char **) network_sysctls);
}

/* Since systemd 253, journald stops after the first entry of a datagram that it keeps. While it is not known which one
 * this is, nothing is risked. */
static bool journald_reads_batches(const Container *c) {
        unsigned version = c->host->units ? unit_manager_version(c->host->units) : 0;

        return version > 0 && version < 253;
}

static int add_annotations(json_object *spec, const Container *c, const char *layers, const char *seccomp) {
        _cleanup_free_ char *state = NULL, *image_id = NULL;
        char stop_signal[16], stop_timeout[16], tag[CONTAINER_SHORT_ID_LENGTH + 1];
        int r;

        r = container_state_path(c, NULL, &state);
        if (r < 0)
                return r;
        if (asprintf(&image_id, "sha256:%s", c->image_id) < 0)
                return -ENOMEM;
        snprintf(stop_signal, sizeof(stop_signal), "%i", c->config.stop_signal);
        snprintf(stop_timeout, sizeof(stop_timeout), "%i", c->config.stop_timeout);
        snprintf(tag, sizeof(tag), "%.*s", CONTAINER_SHORT_ID_LENGTH, c->id);
        const struct { const char *key, *value; } table[] = {
                { "org.berth.id",          c->id },
                { "org.berth.name",        c->name },
                { "org.berth.runId",       c->result.run_id },
                { "org.berth.image",       c->settings.image },
                { "org.berth.imageId",     image_id },
                { "org.berth.imageDigest", c->image_digest },
                { "org.berth.layers",      layers },
                { "org.berth.state",       state },
                { "org.berth.logTag",      tag },
                { "org.berth.logBatches",  journald_reads_batches(c) ? "true" : NULL },
                { "org.berth.stopSignal",  stop_signal },
                { "org.berth.stopTimeout", stop_timeout },
                { "org.berth.stopSignalGiven", c->config.stop_signal_text ? "true" : NULL },
                { "org.berth.restart",     c->settings.restart },
                { "org.berth.seccomp",     seccomp },
                { "org.berth.init",        c->settings.init ? "true" : NULL },
                { "org.berth.volatile",    c->settings.auto_remove ? "true" : NULL },
                { "org.berth.stdin",       c->settings.interactive ? "true" : NULL },
                { "org.berth.stdinOnce",   container_settings_stdin_once(&c->settings) ? "true" : NULL },
        };
        json_object *object = json_object_new_object();
        r = json_add_object(spec, "annotations", object);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(table); i++)
                r = json_add_string(object, table[i].key, table[i].value);
        return r;
}

int container_spec_new(const Container *c, const char *layers, const char *seccomp, json_object **ret) {
        _cleanup_json_ json_object *spec = json_object_new_object();
        json_object *root = json_object_new_object();
        char buffer[65];
        int r;

        if (!spec || !root) {
                json_object_put(root);
                return -ENOMEM;
        }
        if ((r = json_add_object(spec, "root", root)) < 0 ||
            (r = json_add_string(root, "path", "rootfs")) < 0 ||
            (r = json_add_bool(root, "readonly", c->settings.read_only)) < 0 ||
            (r = json_add_string(spec, "ociVersion", "1.0.2")) < 0 ||
            (r = add_process(spec, c)) < 0 ||
            (r = json_add_string(spec, "hostname", container_hostname(c, buffer))) < 0 ||
            (r = add_mounts(spec, c)) < 0 ||
            (r = add_linux(spec, c)) < 0 ||
            (r = add_annotations(spec, c, layers, seccomp)) < 0)
                return r;
        *ret = TAKE(spec);
        return 0;
}
