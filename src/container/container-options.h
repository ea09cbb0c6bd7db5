/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The option table: every setting of a container is one row. The CLI's parser and help, the keys of CreateContainer's
 * a{sv}, the container's file and `inspect` are all read from it, so that no door lacks a key that another has. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/json.h"

/* What a user asked for. Everything is optional; vectors are NULL when not given. */
typedef struct ContainerSettings {
        char *name;
        char *image;        /* as given */
        char **command;     /* arguments after the image; NULL: the image's */
        char **entrypoint;  /* NULL: the image's; {""}: none (Docker's --entrypoint "") */
        char **env;         /* KEY=VALUE; `KEY` alone and files are resolved by the client */
        char **env_files;   /* client only, see container_settings_read_files */
        char **labels;      /* KEY=VALUE */
        char **label_files; /* client only */
        char *working_dir;
        char *user;
        char *hostname;
        char *stop_signal;
        int32_t stop_timeout; /* seconds; -1: never kill; OPTION_I32_UNSET: not given */
        char *network;      /* none, host; NULL: none */
        char **attach;      /* stdin, stdout, stderr: what the one who made it wanted to be attached to */
        char *console_size; /* ROWSxCOLUMNS, of its terminal at first; NULL: the kernel's */
        /* Limits: 0 is none. Bytes, but where something else is said. */
        int64_t memory, memory_swap, memory_reservation, shm_size; /* swap: with memory; -1: no limit */
        int64_t cpu_shares, cpu_period, cpu_quota, nano_cpus;      /* microseconds; billionths */
        int64_t pids_limit, blkio_weight, oom_score_adj;
        char *cpuset_cpus, *cpuset_mems;
        char *cgroup_parent; /* a slice; NULL: machine.slice */
        char *cgroupns;      /* host, private; NULL: private */
        char **blkio_weight_device, **device_read_bps, **device_write_bps, **device_read_iops, **device_write_iops;
        char **ulimits;     /* NAME=SOFT[:HARD] */
        char *pull;         /* always, missing, never; NULL: missing */
        char *restart;      /* no, on-failure[:N], always, unless-stopped; NULL: no */
        char **security_opt; /* no-new-privileges[:BOOL] for now */
        bool auto_remove;
        bool interactive;   /* keep stdin open */
        bool tty;
        bool read_only;
        bool init;
} ContainerSettings;

#define OPTION_I32_UNSET (-2)

/* OPTION_I64: 0 is "not given". */
typedef enum OptionType { OPTION_BOOL, OPTION_STRING, OPTION_STRV, OPTION_I32, OPTION_I64 } OptionType;

/* Where the option is taken on the command line. */
typedef enum OptionVerbs { VERB_RUN = 1 << 0, VERB_CREATE = 1 << 1, VERB_EXEC = 1 << 2, VERB_UPDATE = 1 << 3 } OptionVerbs;

typedef struct ContainerOption {
        const char *key;       /* in a{sv} and container.json; NULL: the command line's own (a file to read) */
        const char *flag;      /* "env": --env; NULL: no flag (command, image) */
        char short_flag;       /* 'e', 0: none */
        const char *unit_key;  /* Quadlet's spelling, NULL: none */
        OptionType type;
        size_t offset;
        const char *inspect;   /* dotted place in Docker's inspect JSON: "Config.Env", NULL: none */
        const char *argument;  /* for help: "list", "string", "int"; NULL for bool */
        const char *help;
        unsigned verbs;
        /* Turns one command line value into what goes into the struct (reads the caller's environment). NULL: as it
         * is; vectors are appended to. On failure *ret_error is a line to free. */
        int (*parse)(const char *value, void *member, char **ret_error);
        /* Checks a value that came over the bus or from a file (daemon) or the command line (client). NULL:
         * anything goes. */
        int (*validate)(const void *member, char **ret_error);
} ContainerOption;

extern const ContainerOption container_options[];
extern const size_t n_container_options;

void container_settings_init(ContainerSettings *s);
void container_settings_done(ContainerSettings *s);

/* Docker's StdinOnce: the end of a client's input is the container's. */
/* For update. Those of `s`, and over them what is set in `changes`. */
int container_settings_changed(const ContainerSettings *s, const ContainerSettings *changes, ContainerSettings *ret);
/* Exchanges what can be changed. */
void container_settings_swap(ContainerSettings *a, ContainerSettings *b);
/* The key of something that is set and can be changed, or of something that cannot; NULL: there is none. */
const char *container_settings_find(const ContainerSettings *s, bool changeable);

bool container_settings_stdin_once(const ContainerSettings *s);

/* For the client: puts the content of env_files and label_files where it belongs, below what was given one by one. */
int container_settings_read_files(ContainerSettings *s, char **ret_error);
/* Everything that is set. */
int container_settings_validate(const ContainerSettings *s, char **ret_error);

/* a{sv}, refusing unknown keys and wrong types by name: -EINVAL and *ret_error. Validates each value. */
int container_settings_from_bus(sd_bus_message *m, ContainerSettings *s, char **ret_error);
/* Appends the a{sv} of what is set. */
int container_settings_to_bus(const ContainerSettings *s, sd_bus_message *m);
/* Its entries alone, for an a{sv} that the caller opened and adds to (exec). */
int container_settings_append_entries(const ContainerSettings *s, sd_bus_message *m);
/* Refuses what is mistyped or invalid; other keys of the object are somebody else's. */
int container_settings_from_json(json_object *object, ContainerSettings *s);
int container_settings_to_json(const ContainerSettings *s, json_object **ret);
