/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sandbox, with a busybox image: needs root, a static busybox, a file system that can map ids, and the cgroup2 hierarchy; where one
 * is missing it says so and skips. Everything it makes lies in one directory of /var/tmp, which it removes. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

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
        bool host_users;         /* no user namespace */
        bool terminal;
        bool keep;               /* do not wait for its end */
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
        static const char *const tools[] = { "sh", "cat", "ls", "id", "true", "sleep", "hostname", "ip", "stat", "echo", "touch", "mkdir",
                                             "tty", "kill", "ping", "mount", "grep", "ln", "rm", "env", "pwd", "dd", "ps", "stty", "readlink" };
        static const char *const directories[] = { "lower", "lower/bin", "lower/etc", "lower/tmp", "upper-layer", "upper-layer/etc", "bundle" };

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
                { "lower/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/srv/web:/bin/sh\nfar:x:70000:0::/:/bin/sh\n", 0644 },
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
                "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
                "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
                "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
                "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
                "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"ro\",\"nosuid\",\"noexec\",\"nodev\"]},"
                "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
                "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
                "{\"destination\":\"/etc/resolv.conf\",\"type\":\"bind\",\"source\":\"resolv.conf\",\"options\":[\"rbind\",\"rprivate\"]},"
                "{\"destination\":\"/etc/hostname\",\"type\":\"bind\",\"source\":\"hostname\",\"options\":[\"rbind\",\"ro\"]},"
                "{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"hosts\",\"options\":[\"bind\"]}";
        static const char caps[] = "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\",\"CAP_KILL\",\"CAP_SETGID\",\"CAP_SETUID\","
                                   "\"CAP_SETPCAP\",\"CAP_NET_BIND_SERVICE\",\"CAP_NET_RAW\",\"CAP_SYS_CHROOT\",\"CAP_MKNOD\",\"CAP_AUDIT_WRITE\",\"CAP_SETFCAP\"]";
        _cleanup_free_ char *state = text("%s/state-%u", top, ++serial), *map = NULL;

        static const char *const parts[] = { "", "/upper", "/work" };
        for (size_t i = 0; i < N_ELEMENTS(parts); i++) {
                _cleanup_free_ char *d = text("%s%s", state, parts[i]);
                if (mkdir(d, 0755) < 0)
                        die(d);
        }
        map = text("[{\"containerID\":0,\"hostID\":%u,\"size\":65536}]", FIRST_ID);
        _cleanup_free_ char *maps = run->host_users ? strdup("") : text(",\"uidMappings\":%s,\"gidMappings\":%s", map, map);
        _cleanup_free_ char *json = text(
                "{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":%s,\"args\":%s,\"env\":[\"PATH=/bin\"],\"cwd\":\"/\","
                "\"capabilities\":{\"bounding\":%s,\"effective\":%s,\"permitted\":%s}%s},\"root\":{\"path\":\"rootfs\"%s},\"hostname\":\"boxed\","
                "\"mounts\":[%s],\"linux\":{\"namespaces\":[%s{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
                "{\"type\":\"network\"},{\"type\":\"cgroup\"}]%s,\"maskedPaths\":[\"/proc/kcore\",\"/proc/acpi\",\"/proc/scsi\",\"/sys/firmware\",\"/proc/nothing\"],"
                "\"readonlyPaths\":[\"/proc/sys\",\"/proc/bus\",\"/proc/nothing\"],\"sysctl\":{\"net.ipv4.ping_group_range\":\"0 2147483647\","
                "\"net.ipv4.ip_unprivileged_port_start\":\"0\"}%s},\"annotations\":{\"org.berth.layers\":\"%s/upper-layer:%s/lower\","
                "\"org.berth.state\":\"%s\"%s}}",
                run->terminal ? "true" : "false", run->args, caps, caps, caps, run->process ?: "", run->root ?: "", mounts,
                run->host_users ? "" : "{\"type\":\"user\"},", maps, run->linux_more ?: "", top, top, state, run->annotations ?: "");
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

        while (used < sizeof(res->output) - 1 && (n = read(res->output_fd, res->output + used, sizeof(res->output) - 1 - used)) > 0)
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
        if (r >= 0) {
                /* what the monitor does between the two, where it has a unit */
                r = sandbox_start(res.sandbox, &res.error);
        }
        fd_close(out[1]);
        fd_close(in[0]);
        res.input_fd = in[1];
        res.output_fd = what->terminal && res.sandbox ? fcntl(sandbox_terminal(res.sandbox), F_DUPFD_CLOEXEC, 3) : out[0];
        if (r < 0)
                return res;
        if (what->keep)
                return res;
        read_output(&res);
        res.status = wait_status(sandbox_pidfd(res.sandbox));
        return res;
}

static bool has(const Result *res, const char *needle) {
        return strstr(res->output, needle) != NULL;
}

/* --- exit codes ------------------------------------------------------------------------------------------------- */

static void test_exit_codes(void) {
        static const struct {
                const char *args;
                int status, refused;
                const char *error;
        } cases[] = {
                { "[\"true\"]", 0, 0, "" },
                { "[\"sh\",\"-c\",\"exit 7\"]", 7, 0, "" },
                { "[\"sh\",\"-c\",\"kill -9 $$; exit 3\"]", 3, 0, "" }, /* PID 1 does not get its own KILL */
                { "[\"missing\"]", -1, 127, "exec: \"missing\": executable file not found in $PATH" },
                { "[\"\"]", -1, 127, "exec: \"\": executable file not found in $PATH" },
                { "[\"/bin/missing\"]", -1, 127, "exec: \"/bin/missing\": stat /bin/missing: no such file or directory" },
                { "[\"/etc\"]", -1, 126, "exec: \"/etc\": is a directory" },
                { "[\"/bin/noexec\"]", -1, 126, "exec: \"/bin/noexec\": permission denied" },
                { "[\"noexec\"]", -1, 126, "exec: \"noexec\": permission denied" },
                { "[\"nonsense\"]", -1, 126, "exec /bin/nonsense: exec format error" },
                { "[\"/bin/lost\"]", -1, 127, "exec /bin/lost: no such file or directory" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Result res = run(&(Run) { .args = cases[i].args });
                CHECK(res.status == cases[i].status, "%s: status %i (%s)", cases[i].args, res.status, res.error.text);
                CHECK(res.error.exit_code == cases[i].refused, "%s: code %i", cases[i].args, res.error.exit_code);
                CHECK(streq(res.error.text, cases[i].error), "%s: %s", cases[i].args, res.error.text);
                result_end(&res);
        }
}

/* --- what it looks like inside ----------------------------------------------------------------------------------- */

static void test_inside(void) {
        static const struct {
                const char *command;
                const char *expected; /* in the output */
        } cases[] = {
                { "cat /proc/self/uid_map", "         0  600047616      65536\n" },
                { "cat /proc/self/gid_map", "         0  600047616      65536\n" },
                { "id", "uid=0(root) gid=0(root)\n" },
                { "grep -cE '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / ' /proc/self/mountinfo", "1\n" }, /* one root */
                { "stat -c '%u %g' / /bin/busybox /etc/above", "0 0\n0 0\n0 0\n" },
                { "touch /new && mkdir /d && stat -c '%u %g %a' /new /d", "0 0 644\n0 0 755\n" },
                { "cat /etc/above", "above\n" },
                { "echo x > /bin/noexec && cat /bin/noexec", "x\n" }, /* copied up */
                { "hostname", "boxed\n" },
                { "cat /etc/hosts /etc/hostname", "127.0.0.1 localhost\nboxed\n" },
                { "echo x > /etc/hostname", "Read-only file system" },
                { "cat /etc/resolv.conf /run/systemd/resolve/stub-resolv.conf", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n" },
                { "ip -o link show lo", "<LOOPBACK,UP,LOWER_UP>" },
                { "ping -c1 -w2 127.0.0.1", "1 packets received" },
                { "stat -c '%n %F %u %g %a' /dev/null /dev/full /dev/tty", "/dev/null character special file 0 0 666\n"
                  "/dev/full character special file 0 0 666\n/dev/tty character special file 0 0 666\n" },
                { "echo gone > /dev/null; dd if=/dev/urandom of=/dev/null bs=8 count=1 2>/dev/null && echo fine", "fine\n" },
                { "readlink /dev/fd; readlink /dev/stdout; readlink /dev/ptmx", "/proc/self/fd\n/proc/self/fd/1\npts/ptmx\n" },
                { "echo through > /dev/stdout", "through\n" },
                { "grep -E 'Cap(Prm|Eff|Bnd|Amb)' /proc/self/status", "CapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
                  "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n" },
                                { "umask; pwd", "0022\n/\n" },
                { "env", "HOME=/root\n" },
                { "ls /proc/self/fd", "0\n1\n2\n3\n" }, /* 3 is ls's own */
                { "ps | grep -c .", "4\n" },
                { "cat /proc/kcore | grep -c .; ls -A /sys/firmware /proc/acpi /proc/scsi | grep -v : | grep -c .", "0\n" },
                { "echo 1 > /proc/sys/net/ipv4/ip_forward", "Read-only file system\n" },
                { "cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start", "0\t65535\n0\n" },
                { "mount | grep -E ' (/|/proc|/sys|/dev|/dev/pts|/dev/shm|/dev/mqueue|/sys/fs/cgroup) ' | grep -c .", "8\n" },
                { "grep -c /var/tmp /proc/self/mountinfo", "3\n" }, /* hosts, hostname, resolv.conf, and no scratch */
                { "touch /sys/fs/cgroup/x", "Read-only file system\n" },
                { "cat /proc/self/cgroup", "0::/\n" },
                { "mount -t tmpfs none /tmp", "permission denied" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ json_object *args = json_object_new_array();
                json_object_array_add(args, json_object_new_string("sh"));
                json_object_array_add(args, json_object_new_string("-c"));
                json_object_array_add(args, json_object_new_string(cases[i].command));
                Result res = run(&(Run) { .args = json_object_to_json_string(args) });
                CHECK(has(&res, cases[i].expected), "%s:\n%s%s", cases[i].command, res.output, res.error.text);
                result_end(&res);
        }
}

/* --- what the configuration asks for ------------------------------------------------------------------------------ */

static void test_options(void) {
        static const struct {
                Run run;
                int status;
                const char *expected; /* in the output or the error */
        } cases[] = {
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"web\"}" }, 0, "uid=33(web) gid=33(www) groups=4(adm),50(logs)\n" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"\"}" }, 0, "uid=0(root) gid=0(root) groups=4(adm)\n" },
                { { .args = "[\"grep\",\"-E\",\"NoNewPrivs|Seccomp:|Sig(Blk|Ign)\",\"/proc/1/status\"]" }, 0,
                  "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"web:4\"}" }, 0, "uid=33(web) gid=4(adm)" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"1234:4321\"}" }, 0, "uid=1234 gid=4321" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7,8]}" }, 0, "uid=5 gid=6 groups=7,8\n" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"nobody\"}" }, -1,
                  "unable to find user nobody: no matching entries in passwd file" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"far\"}" }, -1, "user 70000 is above 65535" },
                { { .args = "[\"env\"]", .process = ",\"user\":{\"username\":\"web\"}" }, 0, "HOME=/srv/web\n" },
                { { .args = "[\"grep\",\"Cap\",\"/proc/self/status\"]", .process = ",\"user\":{\"username\":\"web\"}" }, 0,
                  "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n" },
                { { .args = "[\"sh\",\"-c\",\"echo mine > /dev/stdout\"]", .process = ",\"user\":{\"username\":\"web\"}" }, 0, "mine\n" },
                { { .args = "[\"grep\",\"NoNewPrivs\",\"/proc/self/status\"]", .process = ",\"noNewPrivileges\":true" }, 0, "NoNewPrivs:\t1\n" },
                { { .args = "[\"sh\",\"-c\",\"pwd; stat -c '%u %a' .\"]", .process = ",\"cwd\":\"/made/for/it\"" }, 0, "/made/for/it\n0 755\n" },
                { { .args = "[\"pwd\"]", .process = ",\"cwd\":\"/etc/above\"" }, -1, "cannot make the working directory /etc/above: Not a directory" },
                { { .args = "[\"true\"]", .process = ",\"cwd\":\"/proc/self/fd/3\"" }, -1, "cannot enter the working directory" },
                { { .args = "[\"sh\",\"-c\",\"ulimit -n; ulimit -Hn\"]",
                    .process = ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":200}]" }, 0, "100\n200\n" },
                { { .args = "[\"cat\",\"/proc/self/oom_score_adj\"]", .process = ",\"oomScoreAdj\":500" }, 0, "500\n" },
                { { .args = "[\"touch\",\"/x\"]", .root = ",\"readonly\":true" }, 1, "Read-only file system" },
                { { .args = "[\"touch\",\"/dev/shm/x\"]", .root = ",\"readonly\":true" }, 0, "" },
                { { .args = "[\"id\"]", .host_users = true }, 0, "uid=0(root)" },
                { { .args = "[\"cat\",\"/proc/self/uid_map\"]", .host_users = true }, 0, "4294967295" },
                { { .args = "[\"id\"]", .host_users = true, .process = ",\"user\":{\"username\":\"far\"}" }, 0, "uid=70000(far)" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Result res = run(&cases[i].run);
                CHECK(res.status == cases[i].status, "%s%s: status %i (%s)", cases[i].run.args, cases[i].run.process ?: "",
                      res.status, res.error.text);
                CHECK(has(&res, cases[i].expected) || strstr(res.error.text, cases[i].expected), "%s%s:\n%s%s", cases[i].run.args,
                      cases[i].run.process ?: "", res.output, res.error.text);
                result_end(&res);
        }
}

/* On disk the ids are those of the inside. */
static void test_upper_ids(void) {
        Result res = run(&(Run) { .args = "[\"touch\",\"/made\"]", .process = ",\"user\":{\"username\":\"0:33\"}" });
        _cleanup_free_ char *made = text("%s/state-%u/upper/made", top, serial);
        struct stat st;

        CHECK(stat(made, &st) >= 0 && st.st_uid == 0 && st.st_gid == 33, "%s: %u:%u", made, st.st_uid, st.st_gid);
        result_end(&res);
}

/* --- exec -------------------------------------------------------------------------------------------------------- */

static RuntimeProcess *make_process(const char *args, const char *more) {
        _cleanup_free_ char *json = text("{\"args\":%s,\"cwd\":\"/\",\"env\":[\"PATH=/bin\"]%s}", args, more);
        _cleanup_json_ json_object *object = NULL;
        RuntimeProcess *p = NULL;

        if (json_parse(json, strlen(json), &object) < 0 || runtime_process_read(object, &p, NULL) < 0)
                die(json);
        return p;
}

static void test_exec(void) {
        static const struct {
                const char *args, *more;
                int status, refused;
                const char *expected;
        } cases[] = {
                { "[\"id\"]", "", 0, 0, "uid=0(root)" },
                { "[\"id\"]", ",\"user\":{\"username\":\"web\"}", 0, 0, "uid=33(web) gid=33(www) groups=4(adm),50(logs)" },
                { "[\"id\"]", ",\"user\":{\"username\":\"nosuch\"}", -1, 126, "unable to find user nosuch" },
                { "[\"sh\",\"-c\",\"exit 9\"]", "", 9, 0, "" },
                { "[\"cat\",\"/tmp/left\"]", "", 0, 0, "by init\n" },
                { "[\"hostname\"]", "", 0, 0, "boxed\n" },
                { "[\"ps\"]", "", 0, 0, "sleep 1000" },
                { "[\"grep\",\"Cap\",\"/proc/self/status\"]", ",\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}", 0, 0, "CapEff:\t0000000000000020\n" },
                { "[\"missing\"]", "", -1, 127, "exec: \"missing\": executable file not found in $PATH" },
                { "[\"/etc\"]", "", -1, 126, "exec: \"/etc\": is a directory" },
                { "[\"ls\",\"/proc/self/fd\"]", "", 0, 0, "0\n1\n2\n3\n" },
        };
        Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"echo by init > /tmp/left; echo up; exec sleep 1000\"]", .keep = true });
        char line[8];

        CHECK(res.sandbox && read(res.output_fd, line, 3) == 3, "not started: %s", res.error.text);
        for (size_t i = 0; i < N_ELEMENTS(cases) && res.sandbox; i++) {
                _cleanup_(runtime_process_freep) RuntimeProcess *p = make_process(cases[i].args, cases[i].more);
                Result exec = { .status = -1, .output_fd = -EBADF, .input_fd = -EBADF };
                int out[2], pidfd = -EBADF, terminal;
                pid_t pid;

                if (pipe2(out, O_CLOEXEC) < 0)
                        die("pipe");
                int stdio[3] = { -EBADF, out[1], out[1] };
                int r = sandbox_exec(res.sandbox, p, stdio, -EBADF, &pid, &pidfd, &terminal, &exec.error);
                fd_close(out[1]);
                exec.output_fd = out[0];
                if (r >= 0) {
                        read_output(&exec);
                        exec.status = wait_status(pidfd);
                        fd_close(pidfd);
                }
                CHECK(exec.status == cases[i].status, "%s: status %i (%s)", cases[i].args, exec.status, exec.error.text);
                CHECK(exec.error.exit_code == cases[i].refused, "%s: code %i", cases[i].args, exec.error.exit_code);
                CHECK(has(&exec, cases[i].expected) || strstr(exec.error.text, cases[i].expected), "%s:\n%s%s", cases[i].args,
                      exec.output, exec.error.text);
                result_end(&exec);
        }
        if (res.sandbox) { /* and when it has ended */
                _cleanup_(runtime_process_freep) RuntimeProcess *p = make_process("[\"true\"]", "");
                int stdio[3] = { -EBADF, -EBADF, -EBADF }, pidfd, terminal;
                SandboxError error = { 0 };
                pid_t pid;

                kill(sandbox_pid(res.sandbox), SIGKILL);
                CHECK(wait_status(sandbox_pidfd(res.sandbox)) == 137, "not killed");
                CHECK(sandbox_exec(res.sandbox, p, stdio, -EBADF, &pid, &pidfd, &terminal, &error) < 0, "runs in nothing");
                CHECK(streq(error.text, "the container is not running"), "%s", error.text);
        }
        result_end(&res);
}

/* --- terminal ---------------------------------------------------------------------------------------------------- */

static void test_terminal(void) {
        Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"tty; stty size; stat -c '%F' /dev/console; echo ctl > /dev/tty; stat -c '%u' $(tty)\"]",
                                  .process = ",\"consoleSize\":{\"height\":33,\"width\":111},\"user\":{\"username\":\"web\"}",
                                  .terminal = true });
        CHECK(res.status == 0, "status %i: %s", res.status, res.error.text);
        CHECK(has(&res, "/dev/pts/0\r\n33 111\r\ncharacter special file\r\nctl\r\n33\r\n"), "%s", res.output);
        result_end(&res);

        res = run(&(Run) { .args = "[\"sleep\",\"1000\"]", .keep = true });
        if (res.sandbox) {
                _cleanup_(runtime_process_freep) RuntimeProcess *p =
                        make_process("[\"sh\",\"-c\",\"tty; echo ctl > /dev/tty\"]", ",\"terminal\":true");
                int stdio[3] = { -EBADF, -EBADF, -EBADF }, pidfd;
                Result exec = { .output_fd = -EBADF, .input_fd = -EBADF };
                pid_t pid;
                int r = sandbox_exec(res.sandbox, p, stdio, -EBADF, &pid, &pidfd, &exec.output_fd, &exec.error);
                CHECK(r >= 0, "%s", exec.error.text);
                if (r >= 0) {
                        read_output(&exec);
                        CHECK(wait_status(pidfd) == 0, "failed");
                        CHECK(has(&exec, "/dev/pts/0\r\nctl\r\n"), "%s", exec.output);
                        fd_close(pidfd);
                }
                result_end(&exec);
        }
        result_end(&res);
}

int main(void) {
        static void (*const tests[])(void) = { test_exit_codes, test_inside, test_options, test_upper_ids, test_exec, test_terminal };

        if (geteuid() != 0) {
                fprintf(stderr, "skipped: needs root\n");
                return SKIP;
        }
        if (access("/bin/busybox", X_OK) < 0) {
                fprintf(stderr, "skipped: needs /bin/busybox (busybox-static)\n");
                return SKIP;
        }
        umask(022);
        if (!mkdtemp(top))
                die(top);
        chmod(top, 0700);
        make_image();
        for (size_t i = 0; i < N_ELEMENTS(tests); i++)
                tests[i]();
        int r = fs_remove_tree(AT_FDCWD, top);
        if (r < 0)
                fprintf(stderr, "cannot remove %s: %s\n", top, strerror(-r));
        if (failures)
                fprintf(stderr, "%u failures\n", failures);
        return failures || r < 0 ? 1 : 0;
}
