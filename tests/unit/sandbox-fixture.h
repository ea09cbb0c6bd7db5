/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the sandbox share: a busybox image in layers, a configuration as text, and a run of it to the end.
 * Needs root, a static busybox and a file system that can map ids; where one is missing it says so and skips.
 * Everything lies in one directory of /var/tmp, which is removed at the end. */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/sandbox.h"
#include "util/fs.h"
#include "util/io.h"
#include "util/strv.h"

#define FIRST_ID 600047616u /* aligned, within systemd's range for containers */
#define SKIP 77

static char top[] = "/var/tmp/test-sandbox.XXXXXX";
static unsigned failures, serial;

#define CHECK(condition, ...)                                                  \
        do {                                                                   \
                if (!(condition)) {                                            \
                        fprintf(stderr, "%s:%i: ", __func__, __LINE__);        \
                        fprintf(stderr, __VA_ARGS__);                          \
                        fputc('\n', stderr);                                   \
                        failures++;                                            \
                }                                                              \
        } while (0)

/* One run, as a test describes it. Everything may be left out. */
typedef struct Run {
        const char *args; /* JSON of process.args */
        const char *process;     /* more members of `process`, each with a comma before it */
        const char *annotations; /* likewise */
        const char *linux_more;  /* likewise */
        const char *root;        /* members of `root` */
        const char *sysctl;      /* one more key */
        const char *mount;       /* one more mount, with a comma before it */
        const char *cgroup;      /* moved there before it is started */
        char *layers;            /* as the annotation has them, freed; NULL: the two of make_image */
        bool host_users;         /* no user namespace */
        bool host_network;
        bool terminal;
        bool keep;               /* do not wait for its end */
        bool prepare_only;       /* not even start it */
} Run;

/* What became of it. */
typedef struct Result {
        Sandbox *sandbox;
        RuntimeConfig *config;
        SandboxError error;
        int status; /* as the shell has it; -1: not started */
        char output[16384];
        int output_fd; /* while it runs */
        int input_fd;
} Result;

static void die(const char *what) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        exit(1);
}

static void put(const char *path, const char *content, mode_t mode) {
        int r = fs_write_file(AT_FDCWD, path, content, strlen(content), mode, 0);
        if (r < 0) {
                errno = -r;
                die(path);
        }
}

static char *text(const char *format, ...) _printf_(1, 2);
static char *text(const char *format, ...) {
        va_list ap;
        char *s;

        va_start(ap, format);
        if (vasprintf(&s, format, ap) < 0)
                abort();
        va_end(ap);
        return s;
}

/* Two layers: busybox with its links below, a file above. */
static void make_image(void) {
        static const char *const tools[] = { "sh", "cat", "ls", "id", "true", "sleep", "hostname", "ip", "stat", "echo",
                "touch", "mkdir",
                                             "tty", "kill", "ping", "mount", "grep", "ln", "rm", "env", "pwd", "dd",
                                                     "ps", "stty", "readlink" };
        static const char *const directories[] = { "lower", "lower/bin", "lower/etc", "lower/tmp", "upper-layer",
                "upper-layer/etc", "bundle" };

        for (size_t i = 0; i < N_ELEMENTS(directories); i++) {
                _cleanup_free_ char *d = text("%s/%s", top, directories[i]);
                if (mkdir(d, 0755) < 0)
                        die(d);
        }
        _cleanup_free_ char *command = text("cp /bin/busybox %s/lower/bin/busybox", top);
        if (system(command) != 0)
                die(command);
        for (size_t i = 0; i < N_ELEMENTS(tools); i++) {
                _cleanup_free_ char *link = text("%s/lower/bin/%s", top, tools[i]);
                if (symlink("busybox", link) < 0)
                        die(link);
        }
        static const struct {
                const char *name, *content;
                mode_t mode;
        } files[] = {
                { "lower/etc/passwd",
                  "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/srv/web:/bin/sh\nfar:x:70000:0::/:/bin/sh\n", 0644 },
                { "lower/etc/group", "root:x:0:\nadm:x:4:root,web\nwww:x:33:\nlogs:x:50:web\n", 0644 },
                { "lower/bin/noexec", "#!/bin/sh\n", 0644 },
                { "lower/bin/nonsense", "nonsense", 0755 },
                { "lower/bin/lost", "#!/bin/nowhere\n", 0755 },
                { "upper-layer/etc/above", "above\n", 0644 },
                { "bundle/hosts", "127.0.0.1 localhost\n", 0644 },
                { "bundle/hostname", "boxed\n", 0644 },
                { "bundle/resolv.conf", "nameserver 192.0.2.1\n", 0644 },
        };
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                _cleanup_free_ char *f = text("%s/%s", top, files[i].name);
                put(f, files[i].content, files[i].mode);
        }
        /* a link that dangles, as in images for systemd */
        _cleanup_free_ char *resolv = text("%s/lower/etc/resolv.conf", top);
        if (symlink("../run/systemd/resolve/stub-resolv.conf", resolv) < 0)
                die(resolv);
}

static RuntimeConfig *make_config(const Run *run) {
        static const char mounts[] =
                "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\","
                        "\"nodev\"]},"
                "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\","
                        "\"strictatime\",\"mode=755\",\"size=65536k\"]},"
                "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\","
                        "\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
                "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\","
                        "\"nodev\",\"ro\"]},"
                "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"ro\","
                        "\"nosuid\",\"noexec\",\"nodev\"]},"
                "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\","
                        "\"noexec\",\"nodev\"]},"
                "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\","
                        "\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
                "{\"destination\":\"/etc/resolv.conf\",\"type\":\"bind\",\"source\":\"resolv.conf\","
                        "\"options\":[\"rbind\",\"rprivate\"]},"
                "{\"destination\":\"/etc/hostname\",\"type\":\"bind\",\"source\":\"hostname\",\"options\":[\"rbind\","
                        "\"ro\"]},"
                "{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"hosts\",\"options\":[\"bind\"]}";
        static const char caps[] = "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\","
                "\"CAP_SETGID\",\"CAP_SETUID\","
                                   "\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\",\"CAP_NET_RAW\",\"CAP_SYS_CHROOT\","
                                           "\"CAP_MKNOD\",\"CAP_AUDIT_WRITE\",\"CAP_SETFCAP\"]";
        _cleanup_free_ char *state = text("%s/state-%u", top, ++serial), *map = NULL;

        static const char *const parts[] = { "", "/upper", "/work" };
        for (size_t i = 0; i < N_ELEMENTS(parts); i++) {
                _cleanup_free_ char *d = text("%s%s", state, parts[i]);
                if (mkdir(d, 0755) < 0 && errno != EEXIST) /* a test may want the last one again */
                        die(d);
        }
        map = text("[{\"containerID\":0,\"hostID\":%u,\"size\":65536}]", FIRST_ID);
        _cleanup_free_ char *maps = run->host_users ? strdup("") : text(",\"uidMappings\":%s,\"gidMappings\":%s", map,
                map);
        static const char sysctls[] = "\"net.ipv4.ping_group_range\":\"0 2147483647\","
                "\"net.ipv4.ip_unprivileged_port_start\":\"0\"";
        _cleanup_free_ char *layers = run->layers ?: text("%s/upper-layer:%s/lower", top, top);
        _cleanup_free_ char *more_sysctls = run->sysctl ? text(",\"%s\":\"1\"", run->sysctl) : strdup("");
        _cleanup_free_ char *json = text(
                "{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":%s,\"args\":%s,\"env\":[\"PATH=/bin\"],"
                        "\"cwd\":\"/\","
                "\"capabilities\":{\"bounding\":%s,\"effective\":%s,\"permitted\":%s}%s},\"root\":{"
                        "\"path\":\"rootfs\"%s},\"hostname\":\"boxed\","
                "\"mounts\":[%s%s],\"linux\":{\"namespaces\":[%s{\"type\":\"mount\"},{\"type\":\"pid\"},{"
                        "\"type\":\"ipc\"},{\"type\":\"uts\"},"
                "%s{\"type\":\"cgroup\"}]%s,\"maskedPaths\":[\"/proc/kcore\",\"/proc/acpi\",\"/proc/scsi\","
                        "\"/sys/firmware\",\"/proc/nothing\"],"
                "\"readonlyPaths\":[\"/proc/sys\",\"/proc/bus\",\"/proc/nothing\"],\"sysctl\":{%s%s}%s},"
                "\"annotations\":{\"org.berth.layers\":\"%s\","
                "\"org.berth.state\":\"%s\"%s}}",
                run->terminal ? "true" : "false", run->args, caps, caps, caps, run->process ?: "", run->root ?: "",
                        mounts, run->mount ?: "",
                run->host_users ? "" : "{\"type\":\"user\"},", run->host_network ? "" : "{\"type\":\"network\"},", maps,
                run->host_network ? "" : sysctls, more_sysctls, run->linux_more ?: "", layers, state,
                        run->annotations ?: "");
        _cleanup_json_ json_object *object = NULL;
        RuntimeConfig *config = NULL;
        const char *where = "";
        int r = json_parse(json, strlen(json), &object);
        if (r >= 0)
                r = runtime_config_read(object, &config, &where);
        if (r < 0) {
                fprintf(stderr, "%s\nnot read (%s): %s\n", json, where, strerror(-r));
                exit(1);
        }
        return config;
}

static void read_output(Result *res) {
        size_t used = strlen(res->output);
        ssize_t n;

        while (used < sizeof(res->output) - 1 && (n = read(res->output_fd, res->output + used,
                sizeof(res->output) - 1 - used)) > 0)
                used += (size_t) n;
        res->output[used] = '\0';
}

static int wait_status(int pidfd) {
        siginfo_t info;

        if (waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED) < 0)
                return -errno;
        return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static void result_end(Result *res) {
        sandbox_free(res->sandbox);
        runtime_config_free(res->config);
        fd_close(res->output_fd);
        fd_close(res->input_fd);
}

static Result run(const Run *what) {
        Result res = { .config = make_config(what), .status = -1, .output_fd = -EBADF, .input_fd = -EBADF };
        _cleanup_free_ char *bundle = text("%s/bundle", top);
        _cleanup_close_ int bundle_fd = fs_open_dir(AT_FDCWD, bundle);
        int out[2] = { -EBADF, -EBADF }, in[2] = { -EBADF, -EBADF };

        if (!what->terminal && (pipe2(out, O_CLOEXEC) < 0 || pipe2(in, O_CLOEXEC) < 0))
                die("pipe");
        int stdio[3] = { in[0], out[1], out[1] };
        int r = sandbox_prepare(res.config, bundle_fd, stdio, &res.sandbox, &res.error);
        if (r >= 0 && what->cgroup) {
                _cleanup_free_ char *procs = text("%s/cgroup.procs", what->cgroup), *pid = text("%i",
                        (int) sandbox_pid(res.sandbox));
                _cleanup_close_ int fd = open(procs, O_WRONLY | O_CLOEXEC);
                if (fd < 0 || fd_write_all(fd, pid, strlen(pid)) < 0)
                        die(procs);
        }
        if (r >= 0 && !what->prepare_only)
                r = sandbox_start(res.sandbox, &res.error);
        fd_close(out[1]);
        fd_close(in[0]);
        res.input_fd = in[1];
        res.output_fd = what->terminal && res.sandbox ? fcntl(sandbox_terminal(res.sandbox), F_DUPFD_CLOEXEC,
                3) : out[0];
        if (r < 0)
                return res;
        if (what->keep || what->prepare_only)
                return res;
        read_output(&res);
        res.status = wait_status(sandbox_pidfd(res.sandbox));
        return res;
}

static bool has(const Result *res, const char *needle) {
        return strstr(res->output, needle) != NULL;
}

typedef void (*SandboxTest)(void);

/* One test for cmocka, which prints and counts it: CHECK goes on after a failure, so what failed is known at the end. */
static void sandbox_test(void **state) {
        unsigned before = failures;

        ((SandboxTest) *state)();
        assert_int_equal(failures, before);
}

static int sandbox_setup(void **state) {
        umask(022);
        if (!mkdtemp(top))
                die(top);
        make_image();
        return 0;
}

static int sandbox_teardown(void **state) {
        CHECK(waitpid(-1, NULL, WNOHANG) < 0, "a child was left");
        int r = fs_remove_tree(AT_FDCWD, top);
        if (r < 0)
                fprintf(stderr, "cannot remove %s: %s\n", top, strerror(-r));
        return failures || r < 0 ? -1 : 0;
}

/* A row of the table that sandbox_tests() takes. */
#define SANDBOX_TEST(function) { #function, sandbox_test, NULL, NULL, (void *) (function) }

static int sandbox_tests(const struct CMUnitTest *tests, size_t n) {
        if (geteuid() != 0) {
                fprintf(stderr, "skipped: needs root\n");
                return SKIP;
        }
        if (access("/bin/busybox", X_OK) < 0) {
                fprintf(stderr, "skipped: needs /bin/busybox (busybox-static)\n");
                return SKIP;
        }
        return _cmocka_run_group_tests("sandbox", tests, n, sandbox_setup, sandbox_teardown);
}
