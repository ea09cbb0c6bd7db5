/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sandbox with images that want out, images and mounts of unusual shape, monitors that die: nothing of the host is
 * touched or seen, nothing hangs, nothing is left. */
#include <dirent.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "config.h"
#include "sandbox-fixture.h"

static size_t count_entries(const char *path) {
        DIR *dir = opendir(path);
        size_t n = 0;

        if (!dir)
                die(path);
        for (struct dirent *e; (e = readdir(dir));)
                n += e->d_name[0] != '.';
        closedir(dir);
        return n;
}

static size_t count_mounts(void) {
        _cleanup_free_ char *all = NULL;
        size_t n = 0;

        if (fs_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &all, NULL) < 0)
                die("mountinfo");
        for (char *p = all; (p = strchr(p, '\n')); p++)
                n++;
        return n;
}

static void shell(const char *command) {
        if (system(command) != 0)
                die(command);
}

/* --- images that want out ---------------------------------------------------------------------------------------- */

/* `$O` is a directory of the host, outside; the command runs in the topmost layer. */
static void test_images(void) {
        static const struct {
                const char *name, *command;
                const char *inside; /* run by sh */
                int status;
                const char *expected;
        } cases[] = {
                { "etc-absolute", "rm -r etc; ln -s $O etc", "cat /etc/hosts; ls $O", 0, "localhost" },
                { "etc-climbs", "rm -r etc; ln -s ../../../../../../../../$O etc", "cat /etc/hosts", 0, "localhost" },
                { "hosts-absolute", "ln -s $O/secret etc/hosts", "cat /etc/hosts $O/secret", 0, "localhost" },
                { "hosts-climbs", "ln -s ../../../../../..$O/new etc/hosts", "cat /etc/hosts", 0, "localhost" },
                { "hosts-magic", "ln -s /proc/self/root/$O/secret etc/hosts", "cat /etc/hosts", 1, "No such file" },
                  /* under what /proc hides */
                { "hosts-loop", "ln -s hosts etc/hosts", "true", -1,
                  "cannot bind on /etc/hosts: Too many levels of symbolic links" },
                { "hosts-directory", "mkdir etc/hosts", "true", -1, "cannot bind on /etc/hosts" },
                { "etc-file", "rm -r etc; touch etc", "true", -1, "Not a directory" },
                { "dev-link", "ln -s $O dev", "ls -d /dev/null", 0, "/dev/null" },
                { "proc-link", "ln -s $O proc", "true", -1, "cannot mount proc on /proc: Not a directory" },
                { "sys-link", "ln -s ../../../../$O sys", "true", -1, "cannot mount sysfs on /sys: Not a directory" },
                { "sys-file", "touch sys", "true", -1, "cannot mount sysfs on /sys: Not a directory" },
                { "passwd-pipe", "rm -f etc/passwd; mknod etc/passwd p", "true", -1,
                  "cannot read /etc/passwd of the container: Invalid argument" },
                { "passwd-outside", "ln -sf $O/secret etc/passwd", "cat /etc/passwd", 1, "No such file" },
                { "passwd-self", "ln -sf passwd etc/passwd", "true", -1, "cannot read /etc/passwd of the container" },
                { "group-directory", "rm -f etc/group; mkdir etc/group", "true", -1,
                  "cannot read /etc/group of the container" },
                { "device", "mknod zero c 1 5; chmod 666 zero", "dd if=/zero of=/dev/null bs=1 count=1", 1,
                  "Permission denied" },
                { "setuid", "mkdir suid; cp /bin/busybox suid/id; chmod 6755 suid/id", "/suid/id -u", 0, "0" },
                { "mtab", "ln -s $O/secret etc/mtab", "readlink /etc/mtab | grep -c outside", 0, "1\n" },
                { "tmp-cwd", "ln -s $O cwd", "pwd; echo x > /cwd/made", 0, "/" },
        };
        _cleanup_free_ char *outside = text("%s/outside", top), *secret = text("%s/outside/secret", top);

        if (mkdir(outside, 0777) < 0 || chmod(outside, 0777) < 0)
                die(outside);
        put(secret, "secret", 0666);
        setenv("O", outside, 1);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *layer = text("%s/%s", top, cases[i].name);
                _cleanup_free_ char *command = text("mkdir -p '%s/etc' && cd '%s' && %s", layer, layer,
                        cases[i].command);
                _cleanup_free_ char *args = text("[\"sh\",\"-c\",\"O=%s; %s\"]", outside, cases[i].inside);
                _cleanup_free_ char *content = NULL;
                shell(command);
                Result res = run(&(Run) { .args = args, .layers = text("%s:%s/lower", layer, top),
                                          .process = streq(cases[i].name, "tmp-cwd") ? ",\"cwd\":\"/cwd\"" : NULL });
                CHECK(res.status == cases[i].status, "%s: status %i (%s)\n%s", cases[i].name, res.status,
                        res.error.text, res.output);
                CHECK(has(&res, cases[i].expected) || strstr(res.error.text, cases[i].expected), "%s: %s\n%s",
                        cases[i].name,
                      res.error.text, res.output);
                CHECK(!has(&res, "secret"), "%s: %s", cases[i].name, res.output);
                result_end(&res);
                CHECK(count_entries(outside) == 1, "%s: something was made outside", cases[i].name);
                CHECK(fs_read_file(AT_FDCWD, secret, 100, &content, NULL) == 0 && streq(content, "secret"),
                        "%s: written", cases[i].name);
        }
}

/* In a /dev that others can write to, the names of devices mean nothing: no file is masked with another one. */
static void test_foreign_dev(void) {
        static const struct {
                const char *command, *expected;
        } cases[] = {
                { "ln -s /proc/sys/kernel/domainname null", "cannot mask /proc/version: No such device" },
                { "touch null", "cannot mask /proc/version: No such device" },
                { "true", "cannot mask /proc/version: No such file or directory" },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *dev = text("%s/dev-%zu", top, i);
                _cleanup_free_ char *command = text("mkdir %s && cd %s && %s", dev, dev, cases[i].command);
                _cleanup_free_ char *bind = text(",{\"destination\":\"/dev\",\"type\":\"bind\",\"source\":\"%s\","
                                                 "\"options\":[\"ridmap\"]}", dev);
                shell(command);
                Result res = run(&(Run) { .args = "[\"true\"]", .mount = bind,
                                          .linux_more = ",\"maskedPaths\":[\"/proc/version\"]" });
                CHECK(strstr(res.error.text, cases[i].expected), "%zu: %s", i, res.error.text);
                result_end(&res);
        }
}

/* A path with as many names as there can be, through links that dangle: no monitor's stack is that deep. */
static void test_deep_directory(void) {
        enum { NAMES = 2000, LINKS = 30 };
        _cleanup_free_ char *layer = text("%s/deep", top), *path = malloc(2 * NAMES + 32);
        char *end;

        if (!path || mkdir(layer, 0755) < 0)
                die(layer);
        for (unsigned i = 0; i < LINKS; i++) {
                _cleanup_free_ char *link = text("%s/l%u", layer, i);
                end = path + sprintf(path, "/l%u", i + 1);
                for (unsigned n = 0; n < NAMES; n++)
                        end = stpcpy(end, "/a");
                if (symlink(path, link) < 0)
                        die(link);
        }
        for (unsigned linked = 0; linked < 2; linked++) {
                end = path + sprintf(path, ",\"cwd\":\"%s", linked ? "/l0" : "");
                for (unsigned n = 0; n < NAMES; n++)
                        end = stpcpy(end, "/a");
                (void) strcpy(end, "\"");
                Result res = run(&(Run) { .args = "[\"true\"]", .process = path,
                                          .layers = text("%s:%s/lower", layer, top) });
                CHECK(linked ? strstr(res.error.text, "File name too long") != NULL : res.status == 0, "%u: %i (%s)",
                      linked, res.status, res.error.text);
                result_end(&res);
        }
}

/* --- shapes ------------------------------------------------------------------------------------------------------ */

static void test_many_layers(void) {
        static const size_t counts[] = { 2, 127, 300 };

        for (size_t c = 0; c < N_ELEMENTS(counts); c++) {
                _cleanup_strv_ char **layers = NULL;
                for (size_t i = 0; i < counts[c] - 1; i++) {
                        _cleanup_free_ char *layer = text("%s/many-%zu-%zu", top, counts[c], i),
                                *file = text("%s/file-%zu", layer, i);
                        if (mkdir(layer, 0755) < 0)
                                die(layer);
                        put(file, "x", 0644);
                        strv_extend(&layers, layer);
                }
                strv_extendf(&layers, "%s/lower", top);
                Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"ls / | grep -c file-\"]",
                        .layers = strv_join(layers, ":") });
                CHECK(res.status == 0 && (size_t) atoi(res.output) == counts[c] - 1, "%zu: status %i, %s (%s)",
                        counts[c], res.status,
                      res.output, res.error.text);
                result_end(&res);
        }
}

/* A container whose writable layer is thrown away: the mark that overlayfs leaves shows that it never syncs. */
static void test_volatile(void) {
        Result res = run(&(Run) { .args = "[\"touch\",\"/made\"]", .annotations = ",\"org.berth.volatile\":\"true\"" });
        _cleanup_free_ char *mark = text("%s/state-%u/work/work/incompat/volatile", top, serial),
                *made = text("%s/state-%u/upper/made", top, serial);

        CHECK(res.status == 0, "%i: %s", res.status, res.error.text);
        CHECK(access(mark, F_OK) == 0, "%s", mark);
        CHECK(access(made, F_OK) == 0, "%s", made);
        result_end(&res);

        serial--; /* a restart: the same once more */
        res = run(&(Run) { .args = "[\"ls\",\"/made\"]", .annotations = ",\"org.berth.volatile\":\"true\"" });
        CHECK(res.status == 0, "%i: %s", res.status, res.error.text);
        result_end(&res);
}

static void test_no_layers(void) {
        Result res = run(&(Run) { .args = "[\"sh\"]", .layers = strdup("") });

        CHECK(res.error.exit_code == 127, "%i: %s", res.error.exit_code, res.error.text);
        result_end(&res);
}

static void test_host_network(void) {
        char own[64] = "";

        if (readlink("/proc/self/ns/net", own, sizeof(own) - 1) < 0)
                die("namespace");
        for (int users = 0; users < 2; users++) {
                Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"readlink /proc/self/ns/net; ls /sys/class/net; "
                        "mkdir /sys/fs/cgroup/x\"]",
                                          .host_network = true, .host_users = users });
                CHECK(res.status == 1 && has(&res, own) && has(&res, "lo\n") && has(&res, "Read-only file system"),
                        "%i: %s (%s)",
                      res.status, res.output, res.error.text);
                result_end(&res);
        }
}

/* --- init -------------------------------------------------------------------------------------------------------- */

static void test_init(void) {
        char self[512] = "";
        static const struct {
                const char *command;
                int status;
                const char *expected;
        } cases[] = {
                { "exit 5", 5, "" },
                { "kill -9 $$", 137, "" },
                { "kill -TERM $$", 143, "" },
                { "readlink /proc/1/exe; echo $$", 0, "/dev/init\n2\n" },
                { "(sleep 0.1; echo orphan) & exit 3", 3, "" },
                { "sh -c '(sleep 0 &)'; sleep 0.2; cat /proc/[0-9]*/status | grep -c State:.Z", 1, "0\n" }, /* reaped */
                { "trap 'echo got; exit 4' TERM; kill -TERM 1; while :; do sleep 0.01; done", 4, "got\n" },
                { "echo x > /dev/init", 1, "Read-only file system" },
        };
        if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
                die("exe");
        strrchr(self, '/')[0] = '\0';
        _cleanup_free_ char *built = text("%s/../../src/runtime/berth-init", self);
        if (access(built, X_OK) < 0 || access("/usr/libexec", F_OK) < 0 || !startswith(BERTH_LIBEXECDIR,
                "/usr/libexec/")) {
                fprintf(stderr, "not tested: berth-init, which is not built or goes elsewhere\n");
                return;
        }
        /* In a mount namespace of the test's own, see main. */
        _cleanup_free_ char *copy = text("mkdir -p %s && cp %s %s/berth-init", BERTH_LIBEXECDIR, built,
                BERTH_LIBEXECDIR);
        if (mount("tmpfs", "/usr/libexec", "tmpfs", 0, "mode=755") < 0)
                die("tmpfs");
        shell(copy);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *args = text("[\"sh\",\"-c\",\"%s\"]", cases[i].command);
                Result res = run(&(Run) { .args = args, .annotations = ",\"org.berth.init\":\"true\"" });
                CHECK(res.status == cases[i].status, "%s: status %i (%s)", cases[i].command, res.status,
                        res.error.text);
                CHECK(has(&res, cases[i].expected), "%s: %s", cases[i].command, res.output);
                result_end(&res);
        }
        Result res = run(&(Run) { .args = "[\"missing\"]", .annotations = ",\"org.berth.init\":\"true\"" });
        CHECK(res.error.exit_code == 127, "%i: %s", res.error.exit_code, res.error.text);
        result_end(&res);
}

/* --- seccomp ----------------------------------------------------------------------------------------------------- */

static void test_seccomp(void) {
        /* All that is refused shows that nothing but execve has to be allowed of what we do ourselves: capset, prctl,
         * setuid are. */
        static const struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 7, 0),
#ifdef SYS_mkdir
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 6, 0),
#else
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 6, 0),
#endif
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 5, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setresuid, 4, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setgroups, 3, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 2, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_faccessat2, 1, 0),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        };
        static const char *const more[] = { "", ",\"user\":{\"username\":\"web\"}", ",\"noNewPrivileges\":true" };
        _cleanup_free_ char *path = text("%s/filter.bpf", top), *annotation = text(",\"org.berth.seccomp\":\"%s\"",
                path);
        int r = fs_write_file(AT_FDCWD, path, filter, sizeof(filter), 0644, 0);

        CHECK(r == 0, "not written: %s", strerror(-r));
        for (size_t i = 0; i < N_ELEMENTS(more); i++) {
                Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"grep Seccomp: /proc/1/status; grep CapEff "
                        "/proc/1/status; mkdir /tmp/x\"]",
                                          .process = more[i], .annotations = annotation });
                CHECK(res.status == 1 && has(&res, "Seccomp:\t2\n") && has(&res, "Operation not permitted"),
                        "%s: %i: %s (%s)", more[i],
                      res.status, res.output, res.error.text);
                CHECK(has(&res, i == 1 ? "CapEff:\t0000000000000000\n" : "CapEff:\t00000000a80425fb\n"), "%s: %s",
                        more[i], res.output);
                result_end(&res);
        }
        put(path, "odd", 0644);
        Result res = run(&(Run) { .args = "[\"true\"]", .annotations = annotation });
        CHECK(res.status == -1 && strstr(res.error.text, "is no seccomp filter"), "%s", res.error.text);
        result_end(&res);
        res = run(&(Run) { .args = "[\"true\"]", .annotations = ",\"org.berth.seccomp\":\"/nowhere/x\"" });
        CHECK(res.status == -1 && strstr(res.error.text, "cannot read the seccomp filter /nowhere/x: No such file"),
                "%s", res.error.text);
        result_end(&res);
}

/* --- cgroups ----------------------------------------------------------------------------------------------------- */

/* Where cgroup2 is mounted; NULL if it is not. */
static char *cgroup_root(void) {
        static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

        for (size_t i = 0; i < N_ELEMENTS(places); i++) {
                _cleanup_free_ char *procs = text("%s/cgroup.procs", places[i]);
                if (access(procs, W_OK) == 0)
                        return strdup(places[i]);
        }
        return NULL;
}

/* The init's own cgroup is the root of what it sees; exec is born in another, and is counted there. */
static void test_cgroups(void) {
        _cleanup_free_ char *root = cgroup_root();

        if (!root) {
                fprintf(stderr, "not tested: cgroups, there is no cgroup2 hierarchy\n");
                return;
        }
        _cleanup_free_ char *base = text("%s/test-sandbox-%i", root, (int) getpid()), *payload = text("%s/payload",
                base);
        _cleanup_free_ char *other = text("%s/exec", base);
        if (mkdir(base, 0755) < 0 || mkdir(payload, 0755) < 0 || mkdir(other, 0755) < 0)
                die(base);
        Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs; "
                "echo; exec sleep 1000\"]",
                                  .keep = true, .cgroup = payload });
        for (ssize_t n; !strstr(res.output, "\n\n");) {
                size_t used = strlen(res.output);
                if ((n = read(res.output_fd, res.output + used, sizeof(res.output) - 1 - used)) <= 0)
                        break;
        }
        CHECK(streq(res.output, "0::/\n/sys/fs/cgroup/cgroup.procs\n\n") || has(&res, "\n0::/\n"), "%s (%s)",
                res.output, res.error.text);

        _cleanup_json_ json_object *object = NULL;
        static const char process[] = "{\"args\":[\"cat\",\"/proc/self/cgroup\"],\"cwd\":\"/\","
                "\"env\":[\"PATH=/bin\"]}";
        _cleanup_(runtime_process_freep) RuntimeProcess *p = NULL;
        if (json_parse(process, strlen(process), &object) < 0 || runtime_process_read(object, &p, NULL) < 0)
                die("process");
        _cleanup_close_ int cgroup_fd = fs_open_dir(AT_FDCWD, other);
        Result exec = { .output_fd = -EBADF, .input_fd = -EBADF };
        int out[2], pidfd, terminal;
        pid_t pid;
        if (pipe2(out, O_CLOEXEC) < 0)
                die("pipe");
        int stdio[3] = { -EBADF, out[1], out[1] };
        int r = res.sandbox ? sandbox_exec(res.sandbox, p, stdio, cgroup_fd, &pid, &pidfd, &terminal, &exec.error) : -1;
        fd_close(out[1]);
        exec.output_fd = out[0];
        CHECK(r >= 0, "%s", exec.error.text);
        if (r >= 0) {
                read_output(&exec);
                CHECK(wait_status(pidfd) == 0 && has(&exec, "0::/../exec\n"), "%s", exec.output);
                fd_close(pidfd);
        }
        result_end(&exec);
        result_end(&res);
        CHECK(rmdir(other) == 0 && rmdir(payload) == 0 && rmdir(base) == 0, "somebody is still in %s", base);
}

/* --- mounts that cannot be --------------------------------------------------------------------------------------- */

static void test_mounts(void) {
        static const struct {
                const char *mount;
                int status;
                const char *expected; /* of the error, or of `mount` inside */
        } cases[] = {
                { ",{\"destination\":\"/x/y\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":[\"size=1m\","
                  "\"mode=700\",\"uid=33\"]}", 0,
                  "t on /x/y type tmpfs (rw,relatime,size=1024k,mode=700,uid=600047649" },
                { ",{\"destination\":\"/x\",\"type\":\"tmpfs\",\"options\":[\"size=banana\"]}", -1,
                  "cannot mount tmpfs (tmpfs: Bad value for 'size'): Invalid argument" },
                { ",{\"destination\":\"/x\",\"type\":\"tmpfs\",\"options\":[\"uid=65536\"]}", -1,
                  "cannot use the options of /x: Invalid argument" },
                { ",{\"destination\":\"/x\",\"type\":\"ext4\",\"source\":\"/dev/sda\"}", -1,
                  "cannot mount ext4 on /x: not supported" },
                { ",{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"/no/such\"}", -1,
                  "cannot bind /no/such: No such file or directory" },
                { ",{\"destination\":\"/x\",\"type\":\"bind\"}", -1, "cannot bind on /x: no source" },
                { ",{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"/tmp\",\"options\":[\"rshared\"]}", -1,
                  "cannot bind /x: no such option: rshared" },
                { ",{\"destination\":\"/etc/above/x\",\"type\":\"tmpfs\"}", -1,
                  "cannot mount tmpfs on /etc/above/x: Not a directory" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Result res = run(&(Run) { .args = "[\"mount\"]", .mount = cases[i].mount });
                CHECK(res.status == cases[i].status, "%s: status %i (%s)", cases[i].mount, res.status, res.error.text);
                CHECK(has(&res, cases[i].expected) || strstr(res.error.text, cases[i].expected), "%s: %s\n%s",
                        cases[i].mount,
                      res.error.text, res.output);
                result_end(&res);
        }
}

/* An id-mapped bind has inside the ids that it has on disk. */
static void test_idmapped_bind(void) {
        _cleanup_free_ char *directory = text("%s/shared", top), *file = text("%s/shared/made", top);
        _cleanup_free_ char *bind = text(",{\"destination\":\"/shared\",\"type\":\"bind\",\"source\":\"%s\","
                "\"options\":[\"rbind\",\"ridmap\"]}",
                                         directory);
        struct stat st;

        if (mkdir(directory, 0755) < 0 || chown(directory, 33, 33) < 0)
                die(directory);
        Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"stat -c %u /shared; echo x > /shared/made\"]",
                .mount = bind,
                                  .process = ",\"user\":{\"username\":\"web\"}" });
        CHECK(res.status == 0 && has(&res, "33\n"), "%i: %s (%s)", res.status, res.output, res.error.text);
        CHECK(stat(file, &st) == 0 && st.st_uid == 33 && st.st_gid == 33, "%u:%u", st.st_uid, st.st_gid);
        result_end(&res);
}

/* --- exec, watched from inside --- */

/* Waits for each next process of the container, looks at its mounts, and says so if it ever sees one of the host's. */
_Noreturn static void watch_processes(int ret_fd) {
        static char mounts[1 << 16];

        for (int next = 3;;)
                for (int pid = next; pid < next + 8; pid++) {
                        char path[64];
                        snprintf(path, sizeof(path), "/proc/%i/mountinfo", pid);
                        int fd = open(path, O_RDONLY | O_CLOEXEC);
                        if (fd < 0)
                                continue;
                        for (ssize_t n; (n = read(fd, mounts, sizeof(mounts) - 1)) > 0;) {
                                mounts[n] = '\0';
                                if (strstr(mounts, "/host-only "))
                                        (void) !write(ret_fd, "x", 1);
                        }
                        fd_close(fd);
                        next = pid + 1;
                }
}

static void test_exec_is_born_inside(void) {
        static const char process[] = "{\"args\":[\"true\"],\"cwd\":\"/\",\"env\":[\"PATH=/bin\"]}";
        _cleanup_free_ char *mark = text("%s/host-only", top);
        _cleanup_(runtime_process_freep) RuntimeProcess *p = NULL;
        _cleanup_json_ json_object *object = NULL;
        int seen[2];

        if (mkdir(mark, 0755) < 0 || mount("tmpfs", mark, "tmpfs", 0, NULL) < 0 || pipe2(seen, O_CLOEXEC) < 0)
                die(mark);
        if (json_parse(process, strlen(process), &object) < 0 || runtime_process_read(object, &p, NULL) < 0)
                die("process");
        Result res = run(&(Run) { .args = "[\"sleep\",\"1000\"]", .keep = true });
        CHECK(res.sandbox, "%s", res.error.text);
        pid_t watcher = res.sandbox ? fork() : -1;
        if (watcher == 0) {
                if (setns(sandbox_pidfd(res.sandbox), CLONE_NEWPID | CLONE_NEWNS) < 0)
                        die("setns");
                if (fork() == 0) /* its second process, which dies with the container */
                        watch_processes(seen[1]);
                _exit(0);
        }
        fd_close(seen[1]);
        waitpid(watcher, NULL, 0);
        for (unsigned i = 0; i < 30 && res.sandbox; i++) {
                int stdio[3] = { -EBADF, -EBADF, -EBADF }, pidfd, terminal;
                pid_t pid;
                int r = sandbox_exec(res.sandbox, p, stdio, -EBADF, &pid, &pidfd, &terminal, &res.error);
                CHECK(r >= 0 && wait_status(pidfd) == 0, "%s", res.error.text);
                if (r < 0)
                        break;
                fd_close(pidfd);
        }
        result_end(&res);
        char c;
        CHECK(read(seen[0], &c, 1) == 0, "a process of exec shows the host's mounts");
        fd_close(seen[0]);
        if (umount(mark) < 0 || rmdir(mark) < 0)
                die(mark);
}

/* --- death, and what is left ------------------------------------------------------------------------------------- */

/* The init of a monitor that is killed ends too: before its start, and after, whoever the user is. */
static void test_monitor_dies(void) {
        static const char *const users[] = { NULL, ",\"user\":{\"username\":\"web\"}" };

        for (size_t i = 0; i < 4; i++) {
                int pipe_fds[2];
                pid_t init;

                if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                        die("pipe");
                pid_t monitor = fork();
                if (monitor < 0)
                        die("fork");
                if (monitor == 0) {
                        Result res = run(&(Run) { .args = "[\"sleep\",\"1000\"]", .keep = true, .process = users[i / 2],
                                                  .prepare_only = i % 2 == 0 });
                        pid_t pid = res.sandbox ? sandbox_pid(res.sandbox) : -1;
                        if (write(pipe_fds[1], &pid, sizeof(pid)) < 0)
                                _exit(1);
                        pause();
                        _exit(1);
                }
                serial++;
                fd_close(pipe_fds[1]);
                CHECK(read(pipe_fds[0], &init, sizeof(init)) == sizeof(init) && init > 0, "not started");
                int pidfd = pidfd_open(init, 0);
                CHECK(pidfd >= 0, "no pidfd");
                kill(monitor, SIGKILL);
                CHECK(fd_wait(pidfd, POLLIN, 30000) > 0, "case %zu: the init lives", i);
                (void) pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
                waitpid(monitor, NULL, 0);
                fd_close(pidfd);
                fd_close(pipe_fds[0]);
        }
}

/* After runs that went well, and after each kind of failure, the monitor is as before. */
static void test_nothing_left(void) {
        static const Run runs[] = {
                { .args = "[\"true\"]" },
                { .args = "[\"missing\"]" },
                { .args = "[\"true\"]", .terminal = true },
                { .args = "[\"true\"]", .process = ",\"cwd\":\"/etc/above\"" }, /* fails in the mount namespace */
                { .args = "[\"true\"]", .linux_more = ",\"rootfs\":null",
                  .annotations = ",\"org.berth.seccomp\":\"/nowhere\"" },
                { .args = "[\"true\"]", .sysctl = "kernel.nothing" }, /* in the init */
                { .args = "[\"sleep\",\"1000\"]", .keep = true },
                { .args = "[\"true\"]", .prepare_only = true },
        };
        size_t mounts = count_mounts();
        mode_t mask = umask(0);

        umask(mask);
        for (size_t i = 0; i < N_ELEMENTS(runs); i++) {
                size_t fds = count_entries("/proc/self/fd");
                Result res = run(runs + i);
                result_end(&res);
                CHECK(count_entries("/proc/self/fd") == fds, "run %zu left descriptors", i);
                CHECK(count_mounts() == mounts, "run %zu left mounts", i);
                CHECK(waitpid(-1, NULL, WNOHANG) < 0, "run %zu left a child", i);
                mode_t now = umask(mask);
                CHECK(now == mask, "run %zu left umask %o", i, now);
                _cleanup_free_ char *status = NULL;
                CHECK(fs_read_file(AT_FDCWD, "/proc/self/status", 1 << 16, &status, NULL) == 0 && strstr(status,
                        "Uid:\t0\t0\t0\t0\n") &&
                      strstr(status, "Gid:\t0\t0\t0\t0\n"), "run %zu left ids", i);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                SANDBOX_TEST(test_images),
                SANDBOX_TEST(test_foreign_dev),
                SANDBOX_TEST(test_deep_directory),
                SANDBOX_TEST(test_many_layers),
                SANDBOX_TEST(test_no_layers),
                SANDBOX_TEST(test_volatile),
                SANDBOX_TEST(test_mounts),
                SANDBOX_TEST(test_idmapped_bind),
                SANDBOX_TEST(test_cgroups),
                SANDBOX_TEST(test_host_network),
                SANDBOX_TEST(test_seccomp),
                SANDBOX_TEST(test_monitor_dies),
                SANDBOX_TEST(test_exec_is_born_inside),
                SANDBOX_TEST(test_nothing_left),
                SANDBOX_TEST(test_init),
        };

        /* What a test mounts is seen by nobody else, and a mount that gets out of a sandbox neither. */
        if (geteuid() == 0 && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
                die("unshare");
        return sandbox_tests(tests, N_ELEMENTS(tests));
}
