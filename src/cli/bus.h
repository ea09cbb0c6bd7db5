/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bus as the verbs see it: one connection to the system bus, opened by the first call, closed by bus_close. Calls
 * wait as long as it takes (a dead berthd is an error at once, so nothing waits for ever). Lines for people come out
 * of here, once, on stderr. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/macro.h"
#include "wire/errors.h"

#define BUS_NAME "org.berth1"
#define BUS_PATH "/org/berth1"
#define BUS_MANAGER "org.berth1.Manager"
#define BUS_CONTAINER "org.berth1.Container"
#define BUS_CONTAINER_PATH "/org/berth1/container"
#define BUS_IMAGE "org.berth1.Image"

static inline void bus_error_done(sd_bus_error *error) {
        sd_bus_error_free(error);
}
#define _cleanup_bus_error_ _cleanup_(bus_error_done)
static inline void bus_message_unrefp(sd_bus_message **m) {
        sd_bus_message_unref(*m);
}
#define _cleanup_bus_message_ _cleanup_(bus_message_unrefp)

/* The connection, borrowed. Negative errno and *error set (with a line that says what to do) when there is no bus. */
int bus_open(sd_bus **ret, sd_bus_error *error);

/* After this a berthd that dies is not noticed. Messages that hold descriptors must have been dropped. */
void bus_close(void);

/* A method call that is not sent yet. path: BUS_PATH for the manager. */
int bus_message_new(const char *path, const char *interface, const char *member, sd_bus_message **ret,
                    sd_bus_error *error);

/* Sends and waits. ret may be NULL. */
int bus_call(sd_bus_message *m, sd_bus_message **ret, sd_bus_error *error);

/* Both in one, for plain arguments. */
int bus_call_method(const char *path, const char *interface, const char *member, sd_bus_message **ret,
                    sd_bus_error *error, const char *types, ...);

/* After a call that only asks: may it be made once more, since berthd went away before it answered? *tries begins with 0.
 * Clears the error then. */
#define BUS_TRIES_MAX 10 /* in a row, each without an answer */
bool bus_ask_again(sd_bus_error *error, unsigned *tries);

/* Appends one entry to an a{sv} that is open. */
int bus_append_entry(sd_bus_message *m, const char *key, const char *type, ...);

/* Object path of a container or image by what the person called it; a string to free. */
int bus_get_container(const char *reference, char **ret_path, sd_bus_error *error);
int bus_get_image(const char *reference, char **ret_path, sd_bus_error *error);
/* A path that berthd finds the container by when the call comes, which saves asking for it first. Only for calls: it does not say
 * which container that is. */
int bus_container_path(const char *reference, char **ret_path, sd_bus_error *error);

/* The verb as the person called it ("rmi"), which messages about what is not allowed begin with; borrowed. `is_run`: errors have
 * the exit codes of `run`. */
void cli_set_command(const char *called, bool is_run);

/* One line on stderr: "berth: <what happened>". r is used where error is not set. Returns the exit code, from the table of
 * wire/errors.h. */
int bus_print_error(const sd_bus_error *error, int r);

/* "berth: …" on stderr, line breaks and control characters taken out. */
void cli_error(const char *format, ...) _printf_(1, 2);
/* The same after "WARNING: ", as docker prints what a call says that went well. */
void cli_warning(const char *format, ...) _printf_(1, 2);
