/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bus as the verbs see it: see bus.h. */
#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "cli/bus.h"
#include "cli/polkit-agent.h"
#include "container/bus-errors.h"
#include "util/io.h"
#include "util/strv.h"
#include "util/utf8.h"

#define CONNECT_ATTEMPTS_MAX 14 /* some 10 to 20 s in all */

static sd_bus *the_bus;

static const char *the_command; /* "image rm" */
static bool command_is_run;

void cli_set_command(const char *called, bool is_run) {
        the_command = called;
        command_is_run = is_run;
}

static void print_line(const char *begin, const char *command, const char *format, va_list ap) {
        char line[4096];
        size_t prefix, length;

        snprintf(line, sizeof(line), "%s%s%s: ", begin, command ? " " : "", command ? command : "");
        prefix = strlen(line);
        vsnprintf(line + prefix, sizeof(line) - prefix - 1, format, ap);
        length = strlen(line);
        while (length > prefix && (line[length - 1] == '\n' || line[length - 1] == ' '))
                length--;
        for (size_t i = 0; i < length; i++)
                if ((unsigned char) line[i] < ' ' || line[i] == 127)
                        line[i] = ' ';
        line[length++] = '\n';
        (void) fd_write_all(STDERR_FILENO, line, length);
}

void cli_error(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        print_line("berth", NULL, format, ap);
        va_end(ap);
}

void cli_warning(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        print_line("WARNING", NULL, format, ap);
        va_end(ap);
}

static void _printf_(1, 2) command_error(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        print_line("berth", the_command, format, ap);
        va_end(ap);
}

/* What the bus itself says, in words that tell what to do. */
static const struct { const char *name, *text; } bus_errors[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN,
          "berthd is not known on the system bus: is berth installed? After that: systemctl reload dbus" },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER,
          "berthd is not running and could not be started: see systemctl status berthd" },
        { SD_BUS_ERROR_NO_REPLY, "berthd went away before it answered: see journalctl -u berthd" },
        { SD_BUS_ERROR_DISCONNECTED, "the system bus closed the connection: see journalctl -u dbus" },
        { "System.Error.ECONNRESET", "the system bus closed the connection: see journalctl -u dbus" },
        { "System.Error.ENOTCONN", "the system bus closed the connection: see journalctl -u dbus" },
        { "org.freedesktop.DBus.Error.Spawn.ChildExited", "berthd could not be started: see systemctl status berthd" },
        { "org.freedesktop.DBus.Error.Spawn.Failed", "berthd could not be started: see systemctl status berthd" },
        { "org.freedesktop.DBus.Error.TimedOut", "berthd did not start in time: see systemctl status berthd" },
        { "org.freedesktop.systemd1.NoSuchUnit",
          "berthd.service is not installed: run systemctl daemon-reload after installing berth" },
        { "org.freedesktop.systemd1.LoadFailed", "berthd.service cannot be loaded: see systemctl status berthd" },
        { "org.freedesktop.systemd1.UnitMasked", "berthd.service is masked: systemctl unmask berthd" },
        { SD_BUS_ERROR_NO_MEMORY, "out of memory" },
};

/* A refusal is worded the same for every verb: what was refused has to be added. */
static bool is_refusal(const sd_bus_error *error) {
        return sd_bus_error_has_names(error, BERTH_ERROR_DENIED, SD_BUS_ERROR_ACCESS_DENIED,
                                      SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

static void print_error(const sd_bus_error *error, int r) {
        if (!error || !error->name) {
                cli_error("%s", strerror(r < 0 ? -r : EIO));
                return;
        }
        for (size_t i = 0; i < N_ELEMENTS(bus_errors); i++)
                if (streq(error->name, bus_errors[i].name)) {
                        cli_error("%s", bus_errors[i].text);
                        return;
                }
        const char *message = error->message && *error->message ? error->message : error->name;
        if (is_refusal(error))
                command_error("%s", message);
        else
                cli_error("%s", message);
}

int bus_print_error(const sd_bus_error *error, int r) {
        const BerthError *row = berth_error_find(error ? error->name : NULL);

        print_error(error, r);
        return command_is_run ? row->run_exit : row->exit;
}

/* The bus takes 256 connections of a user, and 64 at once that it does not know yet: of these it drops the oldest, and
 * whoever has not said hello within five seconds, which a loaded machine may not let it. No call has been made then: it
 * can be tried again. */
static bool is_crowded(int r) {
        return r == -ENOBUFS || r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE || r == -EAGAIN;
}

static int connect_to_bus(sd_bus **ret) {
        unsigned wait_ms = 20;

        for (unsigned attempt = 0;; attempt++) {
                const char *name;
                int r = sd_bus_open_system(ret);
                if (r >= 0)
                        r = sd_bus_get_unique_name(*ret, &name); /* it has answered our hello */
                if (r >= 0)
                        return 0;
                *ret = sd_bus_close_unref(*ret);
                if (!is_crowded(r) || attempt == CONNECT_ATTEMPTS_MAX)
                        return r;
                /* Not all at once that were turned away at once. */
                (void) usleep((wait_ms + (unsigned) getpid() % wait_ms) * 1000);
                wait_ms = MIN_OF(2 * wait_ms, 1000u);
        }
}

int bus_open(sd_bus **ret, sd_bus_error *error) {
        int r = the_bus ? 0 : connect_to_bus(&the_bus);

        if (r < 0 && sd_booted() <= 0)
                return sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE,
                                         "systemd does not run this machine (there is no /run/systemd/system), and "
                                         "berth works through it: boot a host with systemd, or enter one");
        if (r < 0 && is_crowded(r))
                return sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE,
                                         "the system bus takes no more connections (%s): too many are open at once, "
                                         "see busctl list --unique", strerror(-r));
        if (r < 0)
                return sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE,
                                         "cannot connect to the system bus: %s; see systemctl status dbus.socket",
                                         strerror(-r));
        /* For every call: somebody at a terminal may be asked by polkit's agent. */
        polkit_agent_open();
        r = sd_bus_set_allow_interactive_authorization(the_bus, polkit_agent_may_ask());
        if (r < 0)
                return sd_bus_error_set_errno(error, r);
        *ret = the_bus;
        return 0;
}

void bus_close(void) {
        polkit_agent_close();
        the_bus = sd_bus_flush_close_unref(the_bus);
}

int bus_message_new(const char *path, const char *interface, const char *member, sd_bus_message **ret,
                    sd_bus_error *error) {
        sd_bus *bus;
        int r = bus_open(&bus, error);

        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(bus, ret, BUS_NAME, path, interface, member);
        if (r < 0)
                return sd_bus_error_set_errno(error, r);
        return 0;
}

int bus_call(sd_bus_message *m, sd_bus_message **ret, sd_bus_error *error) {
        return sd_bus_call(sd_bus_message_get_bus(m), m, UINT64_MAX, error, ret);
}

int bus_call_method(const char *path, const char *interface, const char *member, sd_bus_message **ret,
                    sd_bus_error *error, const char *types, ...) {
        _cleanup_bus_message_ sd_bus_message *m = NULL;
        va_list ap;
        int r;

        r = bus_message_new(path, interface, member, &m, error);
        if (r < 0)
                return r;
        if (types && *types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
                if (r < 0)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "an argument is not valid UTF-8");
        }
        return bus_call(m, ret, error);
}

bool bus_ask_again(sd_bus_error *error, unsigned *tries) {
        if (!sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) || *tries >= BUS_TRIES_MAX)
                return false;
        (*tries)++;
        sd_bus_error_free(error);
        return true;
}

int bus_append_entry(sd_bus_message *m, const char *key, const char *type, ...) {
        va_list ap;
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', type);
        if (r >= 0) {
                va_start(ap, type);
                r = sd_bus_message_appendv(m, type, ap);
                va_end(ap);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int get_object(const char *member, const char *reference, char **ret_path, sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        unsigned tries = 0;
        const char *path;
        int r;

        do
                r = bus_call_method(BUS_PATH, BUS_MANAGER, member, &reply, error, "s", reference);
        while (r < 0 && bus_ask_again(error, &tries));
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return sd_bus_error_set_errno(error, r);
        *ret_path = strdup(path);
        return *ret_path ? 0 : sd_bus_error_set_errno(error, -ENOMEM);
}

int bus_get_container(const char *reference, char **ret_path, sd_bus_error *error) {
        if (!utf8_is_valid(reference)) /* D-Bus cannot carry it, and no container has such a name */
                return bus_refuse(error, BERTH_ERROR_NO_SUCH_CONTAINER, "No such container: %s", reference);
        return get_object("GetContainer", reference, ret_path, error);
}

int bus_container_path(const char *reference, char **ret_path, sd_bus_error *error) {
        /* An empty reference has no path; berthd says what is wrong with it. */
        int r = *reference ? sd_bus_path_encode(BUS_CONTAINER_PATH, reference, ret_path)
                           : bus_get_container(reference, ret_path, error);

        return r < 0 && !sd_bus_error_is_set(error) ? sd_bus_error_set_errno(error, r) : MIN_OF(r, 0);
}

int bus_get_image(const char *reference, char **ret_path, sd_bus_error *error) {
        return get_object("GetImage", reference, ret_path, error);
}
