/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The D-Bus face of a container: org.berth1.Container. */
#include <signal.h>
#include <stdio.h>

#include "container/bus-bounds.h"
#include "container/bus-errors.h"
#include "container/call-options.h"
#include "container/container-logs.h"
#include "container/container-run.h"
#include "container/container-spec.h"
#include "container/container-update.h"
#include "container/container-wait.h"
#include "util/io.h"
#include "util/signals.h"
#include "util/strv.h"
#include "wire/errors.h"

int container_bus_path(const Container *c, char **ret) {
        return asprintf(ret, CONTAINER_PATH_PREFIX "/%s", c->id) < 0 ? -ENOMEM : 0;
}

static int not_running(Container *c, sd_bus_error *error) {
        return sd_bus_error_setf(error, BERTH_ERROR_NOT_RUNNING, "Container %s is not running.", c->name);
}

/* For calls that need a process to talk to. */
static int check_running(Container *c, sd_bus_error *error) {
        if (c->state == CONTAINER_RESTARTING)
                return sd_bus_error_setf(error, BERTH_ERROR_BUSY,
                                         "Container %s is restarting, wait until the container is running.", c->name);
        return c->state == CONTAINER_RUNNING ? 0 : not_running(c, error);
}

/* Answers with the client's end of a control pair, which is closed here whatever happens. */
static int reply_control(sd_bus_message *m, const char *id, int client_fd) {
        _cleanup_close_ int fd = client_fd;

        return id ? sd_bus_reply_method_return(m, "sh", id, fd) : sd_bus_reply_method_return(m, "h", fd);
}

/* Nothing but a container made with -i has a stdin: as with Docker, who brings one finds nobody who reads it. */
static void drop_stdin(const Container *c, ClientStreams *streams) {
        if (!c->settings.interactive)
                streams->fds[0] = fd_close(streams->fds[0]);
}

static int method_start(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(client_streams_done) ClientStreams streams = CLIENT_STREAMS_NONE;
        Container *c = userdata;
        int r, fd;

        r = client_streams_read(m, &streams, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1; /* asked: this handler runs again, from the top, when the answer is in */
        drop_stdin(c, &streams);
        fd = client_streams_open(&streams);
        if (fd < 0)
                return fd;
        r = container_start(c, &streams, error);
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        return reply_control(m, NULL, fd);
}

static int method_attach(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(client_streams_done) ClientStreams streams = CLIENT_STREAMS_NONE;
        Container *c = userdata;
        int r, fd;

        r = client_streams_read(m, &streams, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = check_running(c, error);
        if (r < 0)
                return r;
        drop_stdin(c, &streams);
        fd = client_streams_open(&streams);
        if (fd < 0)
                return fd;
        r = container_run_attach(c->run, &streams);
        if (r < 0) {
                fd_close(fd);
                return sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE,
                                         "Cannot attach to container %s: its monitor does not answer (%s).", c->name,
                                         strerror(-r));
        }
        return reply_control(m, NULL, fd);
}

/* --- Exec --- */

static const CallOption exec_options[] = {
        { "env",         "as", offsetof(ExecSettings, env)         },
        { "user",        "s",  offsetof(ExecSettings, user)        },
        { "working-dir", "s",  offsetof(ExecSettings, working_dir) },
        { "tty",         "b",  offsetof(ExecSettings, tty)         },
        { "interactive", "b",  offsetof(ExecSettings, interactive) },
        { "detach",      "b",  offsetof(ExecSettings, detach)      },
        { "console-size", "s", offsetof(ExecSettings, console_size) },
};

static void exec_settings_done(ExecSettings *s) {
        strv_free(s->command);
        strv_free(s->env);
        free(s->user);
        free(s->working_dir);
        free(s->console_size);
}

/* The options of exec are rows of the container's table, too: one set of rules for both. */
static int validate_exec(const ExecSettings *e, sd_bus_error *error) {
        const ContainerSettings as_settings = {
                .command = e->command,
                .env = e->env,
                .user = e->user,
                .working_dir = e->working_dir,
                .console_size = e->console_size,
                .stop_timeout = OPTION_I32_UNSET,
        };
        _cleanup_free_ char *why = NULL;
        int r;

        if (strv_length(e->env) > BUS_ASSIGNMENTS_MAX)
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "More than %d environment variables.",
                                         BUS_ASSIGNMENTS_MAX);
        if (!e->command || !e->command[0])
                return sd_bus_error_set(error, BERTH_ERROR_BAD_OPTION, "exec needs a command.");
        r = container_settings_validate(&as_settings, &why);
        return r < 0 ? sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "%s", why ? why : strerror(-r)) : 0;
}

static int read_exec(sd_bus_message *m, ExecSettings *e, ClientStreams *streams, sd_bus_error *error) {
        int r;

        r = sd_bus_message_read_strv(m, &e->command);
        if (r >= 0)
                r = call_options_read(m, exec_options, N_ELEMENTS(exec_options), e, error);
        if (r >= 0)
                r = client_streams_read(m, streams, error);
        if (r >= 0)
                r = validate_exec(e, error);
        streams->detached = e->detach;
        if (r >= 0 && !e->interactive && streams->fds[0] >= 0)
                return sd_bus_error_set(error, BERTH_ERROR_BAD_OPTION,
                                        "A stdin was passed, but the option interactive was not.");
        return r;
}

static int method_exec(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(client_streams_done) ClientStreams streams = CLIENT_STREAMS_NONE;
        _cleanup_(exec_settings_done) ExecSettings exec = { 0 };
        _cleanup_json_ json_object *process = NULL;
        char id[CONTAINER_ID_LENGTH + 1], attribute[CONTAINER_ID_LENGTH + 16];
        Container *c = userdata;
        int r, fd;

        r = read_exec(m, &exec, &streams, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = check_running(c, error);
        if (r < 0)
                return r;
        if ((r = container_id_new(id)) < 0 || (r = container_spec_exec(c, &exec, &process)) < 0)
                return r;
        fd = client_streams_open(&streams);
        if (fd < 0)
                return fd;
        r = container_run_exec(c->run, &streams, id, process);
        if (r < 0) {
                fd_close(fd);
                return sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE,
                                         "Cannot execute in container %s: its monitor does not answer (%s).", c->name,
                                         strerror(-r));
        }
        snprintf(attribute, sizeof(attribute), "execID=%s", id);
        container_emit(c, "exec_create", attribute);
        return reply_control(m, id, fd);
}

/* --- Stop, Restart, Kill, Remove, Wait --- */

typedef struct StopOptions {
        int32_t timeout;
        char *signal;
        int signo; /* 0: the container's */
} StopOptions;

static const CallOption stop_options[] = {
        { "timeout", "i", offsetof(StopOptions, timeout) },
        { "signal",  "s", offsetof(StopOptions, signal)  },
};

static int read_signal(const char *name, int *ret, sd_bus_error *error) {
        int signo = signal_parse(name);

        if (signo <= 0)
                return bus_refuse(error, BERTH_ERROR_BAD_OPTION, "invalid signal: %.64s", name);
        *ret = signo;
        return 0;
}

static int read_stop(sd_bus_message *m, StopOptions *o, sd_bus_error *error) {
        int r;

        *o = (StopOptions) { .timeout = OPTION_I32_UNSET };
        r = call_options_read(m, stop_options, N_ELEMENTS(stop_options), o, error);
        if (r >= 0 && o->timeout != OPTION_I32_UNSET && o->timeout < -1)
                r = sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "invalid timeout %i: seconds, or -1 for no limit",
                                      o->timeout);
        if (r >= 0 && o->signal && *o->signal)
                r = read_signal(o->signal, &o->signo, error);
        free(o->signal);
        return r;
}

static int method_stop(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        StopOptions o;
        int r;

        r = read_stop(m, &o, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (!c->run) {
                container_rest(c);
                return sd_bus_reply_method_return(m, NULL);
        }
        r = container_wait_add(c, m, WAIT_STOPPED, 0, error);
        if (r < 0)
                return r;
        container_stop(c, o.signo, o.timeout);
        return 1;
}

static int method_restart(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        StopOptions o;
        int r;

        r = read_stop(m, &o, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (c->remove_wanted)
                return sd_bus_error_setf(error, BERTH_ERROR_BUSY, "Container %s is being removed.", c->name);
        if (!c->run) {
                r = container_start(c, NULL, error);
                if (r < 0)
                        return r;
        }
        r = container_wait_add(c, m, WAIT_RESTART, 0, error);
        if (r < 0)
                return r;
        if (c->state == CONTAINER_STARTING) { /* what is being started is as good as started again */
                c->restarting = true;
                return 1;
        }
        c->restart_wanted = true;
        container_stop(c, o.signo, o.timeout);
        return 1;
}

static int method_kill(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        char attribute[32];
        const char *name;
        uint32_t cookie;
        int signo = 0, r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        r = read_signal(*name ? name : "KILL", &signo, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (!container_is_running(c))
                return sd_bus_error_setf(error, BERTH_ERROR_NOT_RUNNING,
                                         "Cannot kill container: %s: Container %s is not running", c->name, c->id);
        bool waits = c->state == CONTAINER_RESTARTING; /* and takes no signal, but hears of it */
        r = container_run_signal(c->run, signo, &cookie);
        if (r < 0)
                return sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE,
                                         "Cannot signal container %s: its monitor does not answer (%s).", c->name,
                                         strerror(-r));
        snprintf(attribute, sizeof(attribute), "signal=%i", signo);
        if (!waits)
                container_emit(c, "kill", attribute);
        r = container_wait_add(c, m, WAIT_ACK, cookie, error);
        return r < 0 ? r : 1;
}

typedef struct RemoveOptions {
        bool force, volumes;
} RemoveOptions;

static int method_remove(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        static const CallOption options[] = {
                { "force",   "b", offsetof(RemoveOptions, force)   },
                { "volumes", "b", offsetof(RemoveOptions, volumes) }, /* there are none yet */
        };
        RemoveOptions o = { 0 };
        Container *c = userdata;
        int r;

        r = call_options_read(m, options, N_ELEMENTS(options), &o, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (!c->run) {
                r = container_remove(c, error);
                return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
        }
        if (!o.force)
                return sd_bus_error_setf(error, BERTH_ERROR_RUNNING,
                                         "cannot remove container \"%s\": container is %s: "
                                         "stop the container before removing or force remove",
                                         c->name, c->state == CONTAINER_RESTARTING ? "restarting" : "running");
        r = container_wait_add(c, m, WAIT_REMOVE, 0, error);
        if (r < 0)
                return r;
        c->remove_wanted = true;
        container_stop(c, SIGKILL, 0);
        return 1;
}

static int method_wait(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        const char *condition;
        WaitFor what;
        int r;

        r = sd_bus_message_read(m, "s", &condition);
        if (r < 0)
                return r;
        if (streq(condition, "") || streq(condition, "not-running") || streq(condition, "next-exit"))
                what = WAIT_EXIT;
        else if (streq(condition, "removed"))
                what = WAIT_REMOVED;
        else
                return bus_refuse(error, BERTH_ERROR_BAD_OPTION, "invalid condition: \"%.64s\"", condition);
        r = c->host->authorize(c->host, m, POLKIT_INSPECT, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (what == WAIT_EXIT && !c->run && !streq(condition, "next-exit"))
                return sd_bus_reply_method_return(m, "i", c->result.exit_code);
        r = container_wait_add(c, m, what, 0, error);
        return r < 0 ? r : 1;
}

static int method_rename(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = container_rename(c, name, error);
        return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

static int method_inspect(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_json_ json_object *object = NULL;
        Container *c = userdata;
        int r;

        r = c->host->authorize(c->host, m, POLKIT_INSPECT, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = container_inspect(c, &object);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(
                m, "s",
                json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* --- Properties --- */

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        const struct { const char *name, *value; } table[] = {
                { "Id",      c->id                    }, { "Name",    c->name                  },
                { "Image",   c->settings.image        }, { "ImageId", c->image_id              },
                { "State",   container_state_name(c)  }, { "Unit",    c->unit                  },
                { "Error",   c->result.error          }, { "RunId",   c->result.run_id         },
                { "Network", container_has_host_network(c) ? "host" : "none" },
        };

        for (size_t i = 0; i < N_ELEMENTS(table); i++)
                if (streq(table[i].name, property))
                        return sd_bus_message_append(reply, "s", table[i].value ? table[i].value : "");
        return -EINVAL;
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        const struct { const char *name; uint64_t value; } table[] = {
                { "Created",    c->created_usec         }, { "Started",    c->result.started_usec },
                { "Finished",   c->result.finished_usec }, { "LogOrdinal", c->result.log_ordinal  },
        };

        for (size_t i = 0; i < N_ELEMENTS(table); i++)
                if (streq(table[i].name, property))
                        return sd_bus_message_append(reply, "t", table[i].value);
        return -EINVAL;
}

static int get_command(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        for (char *const *s = c->config.entrypoint; r >= 0 && s && *s; s++)
                r = sd_bus_message_append(reply, "s", *s);
        for (char *const *s = c->config.command; r >= 0 && s && *s; s++)
                r = sd_bus_message_append(reply, "s", *s);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_labels(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *error) {
        Container *c = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{ss}");
        for (char *const *s = c->config.labels; r >= 0 && s && *s; s++) {
                size_t n = strcspn(*s, "=");
                _cleanup_free_ char *key = strndup(*s, n);
                if (!key)
                        return -ENOMEM;
                r = sd_bus_message_append(reply, "{ss}", key, (*s)[n] ? *s + n + 1 : "");
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_pid(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                   void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "u", (uint32_t) ((Container *) userdata)->pid);
}

static int get_restart_count(sd_bus *bus, const char *path, const char *interface, const char *property,
                             sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "u", ((Container *) userdata)->result.restart_count);
}

static int get_exit_code(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "i", ((Container *) userdata)->result.exit_code);
}

static int get_flag(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                    void *userdata, sd_bus_error *error) {
        Container *c = userdata;

        return sd_bus_message_append(reply, "b",
                                     (int) (streq(property, "Tty") ? c->settings.tty : c->settings.auto_remove));
}

#define FIXED SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CALL SD_BUS_VTABLE_UNPRIVILEGED /* polkit decides */

const sd_bus_vtable container_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Start", SD_BUS_ARGS("a{sh}", streams), SD_BUS_RESULT("h", control), method_start,
                                CALL),
        SD_BUS_METHOD_WITH_ARGS("Attach", SD_BUS_ARGS("a{sh}", streams), SD_BUS_RESULT("h", control), method_attach,
                                CALL),
        SD_BUS_METHOD_WITH_ARGS("Exec", SD_BUS_ARGS("as", command, "a{sv}", options, "a{sh}", streams),
                                SD_BUS_RESULT("s", exec_id, "h", control), method_exec, CALL),
        SD_BUS_METHOD_WITH_ARGS("Stop", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_stop, CALL),
        SD_BUS_METHOD_WITH_ARGS("Restart", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_restart, CALL),
        SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("s", signal), SD_BUS_NO_RESULT, method_kill, CALL),
        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_remove, CALL),
        SD_BUS_METHOD_WITH_ARGS("Update", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, container_method_update, CALL),
        SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_ARGS("s", condition), SD_BUS_RESULT("i", status), method_wait, CALL),
        SD_BUS_METHOD_WITH_ARGS("Logs", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("h", lines), container_method_logs,
                                CALL),
        SD_BUS_METHOD_WITH_ARGS("Rename", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, method_rename, CALL),
        SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_inspect, CALL),
        SD_BUS_PROPERTY("Id", "s", get_string, 0, FIXED),
        SD_BUS_PROPERTY("Name", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Image", "s", get_string, 0, FIXED),
        SD_BUS_PROPERTY("ImageId", "s", get_string, 0, FIXED),
        SD_BUS_PROPERTY("Command", "as", get_command, 0, FIXED),
        SD_BUS_PROPERTY("State", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Pid", "u", get_pid, 0, CHANGES),
        SD_BUS_PROPERTY("ExitCode", "i", get_exit_code, 0, CHANGES),
        SD_BUS_PROPERTY("Created", "t", get_number, 0, FIXED),
        SD_BUS_PROPERTY("Started", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("Finished", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("Unit", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Labels", "a{ss}", get_labels, 0, FIXED),
        SD_BUS_PROPERTY("Error", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("RunId", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("LogOrdinal", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("RestartCount", "u", get_restart_count, 0, CHANGES),
        SD_BUS_PROPERTY("AutoRemove", "b", get_flag, 0, FIXED),
        SD_BUS_PROPERTY("Tty", "b", get_flag, 0, FIXED),
        SD_BUS_PROPERTY("Network", "s", get_string, 0, FIXED),
        SD_BUS_VTABLE_END};
