/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Container is one instance of an image, running or not. The Manager owns all of them; a pointer taken from it is
 * borrowed, and good until control returns to the event loop. Invariants: `run` is set while, and only while, the
 * state is STARTING, RUNNING or RESTARTING; what `result` says of the last run is on disk before anybody is told. */
#pragma once

#include "container/container-config.h"
#include "container/container-host.h"
#include "container/container-id.h"
#include "container/container-options.h"

typedef enum ContainerState {
        CONTAINER_CREATED,  /* never executed anything */
        CONTAINER_STARTING, /* from the call until the monitor says that the payload was executed */
        CONTAINER_RUNNING,
        CONTAINER_RESTARTING, /* has ended, and its monitor waits to start it again; `result` says how it ended */
        CONTAINER_EXITED,
        CONTAINER_REMOVING, /* its files are on their way out, nobody finds it any more */
} ContainerState;

/* Of the run under way or the last one. */
typedef struct ContainerResult {
        char run_id[33];          /* "": there was none */
        int32_t exit_code;
        int32_t signal;
        bool oom_killed;
        char *error;              /* why it could not be started, or what went wrong on our side; NULL: nothing */
        char *stopped_by;         /* "client", "systemd", "shutdown"; NULL: it ended by itself */
        Caller stopper;           /* where that was a client */
        bool journaled;           /* the monitor has told of the end in the journal; else that is ours to do */
        uint64_t log_lost;        /* lines that journald did not take */
        uint64_t started_usec, finished_usec; /* realtime; 0: has not */
        char log_epoch[33];
        uint64_t log_ordinal;
        uint32_t restart_count;   /* by the restart policy, within the run */
        bool stopped_by_hand;     /* somebody has stopped it or sent it a signal */
} ContainerResult;

typedef struct ContainerRun ContainerRun;
typedef struct ContainerWaiter ContainerWaiter;
typedef struct Departure Departure;

struct Container {
        ContainerHost *host;
        Container *next, *previous; /* the Manager's list */
        char id[CONTAINER_ID_LENGTH + 1];
        const char *name;           /* settings.name */
        ContainerSettings settings;
        ContainerConfig config;     /* settings and image, merged */
        char *image_id;             /* 64 hex digits */
        char *image_digest;         /* of the manifest, "sha256:…" */
        json_object *image_config;  /* `config` of the image record */
        uint64_t created_usec;
        ContainerState state;
        ContainerResult result;
        char *unit;                 /* of the run under way, or the last one */
        uint32_t ids_base;          /* first uid and gid on the host, while it runs */
        pid_t pid;                  /* of the payload's init, while it runs; to be shown, never to be signalled */
        ContainerRun *run;
        ContainerWaiter *waiters;
        Departure *departure;       /* of the last run's monitor, which may still hold the mounts */
        bool restart_wanted;        /* as soon as it has ended */
        bool restarting;            /* the start under way is for those who wait for a restart */
        bool remove_wanted;         /* as soon as it has ended */
        bool oom_told;              /* that the kernel took something of it, to those who listen to Event */
        bool adopted;               /* an earlier berthd began the run: somebody may have waited for it there */
};

/* Takes the settings over (they are empty afterwards), also on failure. Picks id and, where none was given, leaves
 * the name NULL. */
int container_new(ContainerHost *host, ContainerSettings *settings, const Image *image, Container **ret);
Container *container_free(Container *c);
DEFINE_FREEP(Container, container_free)

/* Its directories and container.json. */
int container_create(Container *c, sd_bus_error *error);

/* 0: under way, by this call or an earlier one; what goes wrong later is told through the streams' control descriptor.
 * Else nothing has changed. `streams` are taken. */
typedef struct ClientStreams ClientStreams;
int container_start(Container *c, ClientStreams *streams, sd_bus_error *error);

/* The same for a monitor that systemd has started as this container's service; `caller` is taken, unless -EAGAIN says
 * that it has to ask again. */
typedef struct ServiceCaller ServiceCaller;
int container_start_service(Container *c, ServiceCaller *caller, sd_bus_error *error);
/* Nothing of it runs; neither is systemd to start it again because its monitor was killed. */
void container_rest(Container *c);

/* Asks the monitor to stop it, as soon as it runs. signo 0: the container's own; timeout in seconds, -1: never kill,
 * OPTION_I32_UNSET: the container's own. That it has ended shows in container_ended(). */
void container_stop(Container *c, int signo, int32_t timeout);

/* container-rename.c. In any state; the unit and the journal of a run keep the name that it was started with. */
int container_rename(Container *c, const char *name, sd_bus_error *error);

/* Removes its files. It must not be running. */
int container_remove(Container *c, sd_bus_error *error);

/* For container-run.c: the run has ended, `result` (taken) says how. */
void container_ended(Container *c, ContainerResult *result);
void container_result_done(ContainerResult *r);

/* Docker's notion: what waits to be started again is running, too. */
bool container_is_running(const Container *c);

/* Docker's word for the state. */
const char *container_state_name(const Container *c);

/* Where its files are: `what` in STATEDIR (which survives a reboot) or RUNDIR (the bundle). */
int container_state_path(const Container *c, const char *what, char **ret);
int container_bundle_path(const Container *c, const char *what, char **ret);

/* Tells the bus that some properties may have changed, and those that listen to Event. */
void container_changed(Container *c);
void container_renamed(Container *c);
void container_emit(Container *c, const char *action, const char *attribute);
void container_emit_die(Container *c);

/* container-state.c: container.json and state.json. Load makes a container of what is on disk: -ENOENT, -EBADMSG if
 * that is no whole one. */
int container_save(Container *c);
int container_save_result(Container *c);
int container_load(ContainerHost *host, int dir_fd, const char *id, Container **ret);
int container_load_result(Container *c, int dir_fd);
/* What tells of a run after its bundle went with the boot: the mark is there from the start until the result is saved. */
int container_mark_running(const Container *c);
/* 1: there was such a run, *ret says what is known of its end. 0: there was none. */
int container_lost_run(const Container *c, ContainerResult *ret);
/* The exit record that a monitor wrote. -ENOENT: none; -EBADMSG: not of this run. */
int container_result_read(int bundle_fd, const char *run_id, ContainerResult *ret);
/* How far a run had got that was started again at least once: what it says is no end. Likewise. */
int container_result_read_interim(int bundle_fd, const char *run_id, ContainerResult *ret, bool *ret_restarting);

/* container-bus.c */
#define CONTAINER_INTERFACE "org.berth1.Container"
#define CONTAINER_PATH_PREFIX "/org/berth1/container"
int container_bus_path(const Container *c, char **ret);
extern const sd_bus_vtable container_vtable[];

/* container-inspect.c */
int container_inspect(Container *c, json_object **ret);
