/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The probe's sections about files, mounts, devices and the network. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"

static const char *kind_of(mode_t mode) {
        static const char *const kinds[] = {
                [S_IFREG >> 12] = "file", [S_IFDIR >> 12] = "directory", [S_IFLNK >> 12] = "link", [S_IFCHR >> 12] = "char",
                [S_IFBLK >> 12] = "block", [S_IFIFO >> 12] = "pipe", [S_IFSOCK >> 12] = "socket",
        };
        size_t i = (mode & S_IFMT) >> 12;
        return i < N_ELEMENTS(kinds) && kinds[i] ? kinds[i] : "other";
}

void probe_descriptors(void) {
        static const char *const modes[] = { [O_RDONLY] = "read", [O_WRONLY] = "write", [O_RDWR] = "read-write", [3] = "none" };

        for (int fd = 0; fd < 4096; fd++) {
                int flags = fcntl(fd, F_GETFL);
                char device[64] = "";
                struct stat st;

                if (flags < 0 || fstat(fd, &st) < 0)
                        continue;
                if (S_ISCHR(st.st_mode) && major(st.st_rdev) == 136)
                        snprintf(device, sizeof(device), " pts"); /* which one is by chance */
                else if (S_ISCHR(st.st_mode))
                        snprintf(device, sizeof(device), " %u:%u", major(st.st_rdev), minor(st.st_rdev));
                report("%d %s%s %s%s%s%s owner %u:%u", fd, kind_of(st.st_mode), device, modes[flags & O_ACCMODE],
                       flags & O_NONBLOCK ? " nonblock" : "", flags & O_APPEND ? " append" : "",
                       fcntl(fd, F_GETFD) & FD_CLOEXEC ? " cloexec" : "", st.st_uid, st.st_gid);
        }
}

static void report_device(const char *path) {
        char target[4096];
        struct stat st;
        ssize_t n;

        if (lstat(path, &st) < 0) {
                report("%s %s", path, errno_text(errno));
                return;
        }
        if (S_ISLNK(st.st_mode)) {
                n = readlink(path, target, sizeof(target) - 1);
                report("%s link %.*s", path, (int) MAX_OF(n, 0), target);
        } else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
                report("%s %s %u:%u mode %04o owner %u:%u", path, kind_of(st.st_mode), major(st.st_rdev), minor(st.st_rdev),
                       st.st_mode & 07777, st.st_uid, st.st_gid);
        else
                report("%s %s mode %04o owner %u:%u", path, kind_of(st.st_mode), st.st_mode & 07777, st.st_uid, st.st_gid);
}

static void report_directory(const char *path) {
        DIR *dir = opendir(path);

        for (struct dirent *e; dir && (e = readdir(dir));) {
                char child[512];
                struct stat st;

                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
                report_device(child);
                if (lstat(child, &st) == 0 && S_ISDIR(st.st_mode))
                        report_directory(child);
        }
        if (dir)
                closedir(dir);
}

void probe_devices(void) {
        /* Opening says more than the mode: a node on a nodev mount, or one that the cgroup forbids, looks all right. */
        static const char *const nodes[] = { "full", "null", "ptmx", "random", "tty", "urandom", "zero", "kmsg", "mem", "fuse" };

        report_device("/dev");
        report_directory("/dev");
        for (size_t i = 0; i < N_ELEMENTS(nodes); i++) {
                char path[64];
                int fd;

                snprintf(path, sizeof(path), "/dev/%s", nodes[i]);
                fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
                report("opening %s: %s", path, fd >= 0 ? "yes" : errno_text(errno));
                if (fd >= 0)
                        close(fd);
        }
}

static const char *form_of_hostname(const char *name) {
        if (strlen(name) == 12 && strspn(name, "0123456789abcdef") == 12)
                return "12 hexadecimal digits";
        return name;
}

void probe_host(void) {
        static const char *const files[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/mtab" };
        struct utsname name;
        struct stat st;

        if (uname(&name) == 0) {
                report("name %s", form_of_hostname(name.nodename));
                report("domain %s", name.domainname);
        }
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                char target[256] = "";
                if (lstat(files[i], &st) < 0)
                        report("%s %s", files[i], errno_text(errno));
                else if (S_ISLNK(st.st_mode))
                        report("%s link %s", files[i], readlink(files[i], target, sizeof(target) - 1) < 0 ? "?" : target);
                else
                        report("%s %s mode %04o owner %u:%u %s", files[i], kind_of(st.st_mode), st.st_mode & 07777, st.st_uid, st.st_gid,
                               access(files[i], W_OK) == 0 ? "writable" : errno_text(errno));
        }
        char *copy = strdup(file_text("/etc/hosts")), *state = NULL;
        for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                report("/etc/hosts: %s", line);
        free(copy);
        report("/etc/hostname: %s", form_of_hostname(file_text("/etc/hostname")));
}

/* Parts of an overlay's options that name directories of the host. */
static bool option_is_of_host(const char *option) {
        static const char *const prefixes[] = { "lowerdir", "upperdir=", "workdir=", "datadir" };

        for (size_t i = 0; i < N_ELEMENTS(prefixes); i++)
                if (strncmp(option, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/* One line of mountinfo: ID PARENT MAJOR:MINOR ROOT TARGET OPTIONS [TAG…] - TYPE SOURCE OPTIONS. The tags tell propagation. */
static void report_mount(char *line) {
        char *field[6], *rest, *type, *source, *super, *state = NULL, tags[256] = "", kept[1024] = "";
        const char *what;

        for (size_t i = 0; i < N_ELEMENTS(field); i++) {
                field[i] = strtok_r(line, " ", &state);
                line = NULL;
                if (!field[i])
                        return;
        }
        while ((rest = strtok_r(NULL, " ", &state)) && strcmp(rest, "-") != 0)
                snprintf(tags + strlen(tags), sizeof(tags) - strlen(tags), " %.*s", (int) strcspn(rest, ":"), rest);
        type = strtok_r(NULL, " ", &state);
        source = strtok_r(NULL, " ", &state);
        super = strtok_r(NULL, " ", &state);
        if (!type || !source || !super)
                return;
        for (char *s = NULL, *o = strtok_r(super, ",", &s); o; o = strtok_r(NULL, ",", &s))
                if (!option_is_of_host(o))
                        snprintf(kept + strlen(kept), sizeof(kept) - strlen(kept), "%s%s", *kept ? "," : "", o);

        /* The file system behind a bound file is the host's affair. A bound node or directory says which one it is. */
        what = strcmp(field[3], "/") == 0 ? "" : strrchr(field[3], '/');
        if (strncmp(field[4], "/etc/", 5) == 0)
                report("%s a bound file %s%s", field[4], field[5], tags);
        else
                report("%s %s%s%s %s%s / %s", field[4], type, *what ? " part " : "", what, field[5], tags, kept);
}

void probe_mounts(void) {
        char *copy = strdup(file_text("/proc/self/mountinfo")), *state = NULL;

        for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                report_mount(line);
        free(copy);
}

void probe_network(void) {
        struct ifaddrs *all = NULL;
        struct if_nameindex *names = if_nameindex();
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        for (struct if_nameindex *i = names; i && i->if_name; i++) {
                struct ifreq request = { 0 };
                snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", i->if_name);
                if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
                        report("%s %s%s", i->if_name, request.ifr_flags & IFF_UP ? "up" : "down",
                               request.ifr_flags & IFF_LOOPBACK ? " loopback" : "");
        }
        if (names)
                if_freenameindex(names);
        if (getifaddrs(&all) == 0)
                for (struct ifaddrs *a = all; a; a = a->ifa_next) {
                        int family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;
                        char text[INET6_ADDRSTRLEN];
                        const void *address = family == AF_INET ? (void *) &((struct sockaddr_in *) a->ifa_addr)->sin_addr
                                                                : (void *) &((struct sockaddr_in6 *) a->ifa_addr)->sin6_addr;
                        if ((family == AF_INET || family == AF_INET6) && inet_ntop(family, address, text, sizeof(text)))
                                report("%s address %s", a->ifa_name, text);
                }
        freeifaddrs(all);
        if (fd >= 0)
                close(fd);
}

/* How a path looks from here: not there, empty, the null device, or with content; and whether its file system can be written to. */
static void report_path(const char *path) {
        struct statvfs vfs;
        struct stat st;
        const char *content = "";

        if (lstat(path, &st) < 0) {
                report("%s %s", path, errno_text(errno));
                return;
        }
        if (S_ISDIR(st.st_mode)) {
                DIR *dir = opendir(path);
                unsigned n = 0;
                while (dir && readdir(dir))
                        n++;
                content = !dir ? " closed" : n <= 2 ? " empty" : " with content";
                if (dir)
                        closedir(dir);
        } else if (S_ISREG(st.st_mode)) {
                int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
                content = fd >= 0 ? " readable" : " closed";
                if (fd >= 0)
                        close(fd);
        }
        report("%s %s%s%s %s", path, kind_of(st.st_mode), content,
               statvfs(path, &vfs) == 0 && vfs.f_flag & ST_RDONLY ? " on a read-only mount," : "",
               access(path, W_OK) == 0 ? "writable" : errno_text(errno));
}

void probe_paths(void) {
        static const char *const paths[] = {
                "/", "/dev", "/dev/mqueue", "/dev/pts", "/dev/shm", "/proc", "/proc/1/oom_score_adj", "/proc/acpi", "/proc/asound",
                "/proc/bus", "/proc/cmdline", "/proc/cpuinfo", "/proc/fs", "/proc/interrupts", "/proc/irq", "/proc/kallsyms", "/proc/kcore",
                "/proc/keys", "/proc/kmsg", "/proc/latency_stats", "/proc/loadavg", "/proc/meminfo", "/proc/modules", "/proc/mounts",
                "/proc/sched_debug", "/proc/scsi", "/proc/slabinfo", "/proc/sys", "/proc/sys/kernel/core_pattern",
                "/proc/sys/kernel/hostname", "/proc/sys/kernel/shmmax", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/vm/drop_caches",
                "/proc/sysrq-trigger", "/proc/timer_list", "/proc/timer_stats", "/sys", "/sys/class/net", "/sys/devices",
                "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/bpf", "/sys/fs/cgroup", "/sys/kernel", "/sys/kernel/debug",
                "/sys/kernel/mm", "/sys/kernel/security", "/sys/kernel/tracing", "/sys/power/state",
        };

        for (size_t i = 0; i < N_ELEMENTS(paths); i++)
                report_path(paths[i]);
}

void probe_sysctls(void) {
        static const char *const keys[] = {
                "fs/mqueue/msg_max", "fs/mqueue/queues_max", "kernel/msgmax", "kernel/msgmnb", "kernel/sem", "kernel/shm_rmid_forced",
                "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "net/ipv4/ip_forward", "net/ipv4/ip_unprivileged_port_start",
                "net/ipv4/ping_group_range", "net/ipv6/conf/all/disable_ipv6", "net/ipv6/conf/default/disable_ipv6",
        };

        for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
                char path[128];
                snprintf(path, sizeof(path), "/proc/sys/%s", keys[i]);
                report("%s %s", keys[i], file_text(path));
        }
}
