/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes to a container: see container-update.h. */
#include "config.h"
#include "container/container-record.h"
#include "container/container-run.h"
#include "container/container-service.h"
#include "container/container-update.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/errors.h"

#define TIMEOUT_USEC (60 * UINT64_C(1000000))

static int read_changes(sd_bus_message *m, ContainerSettings *changes, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;
        int r = container_settings_from_bus(m, changes, &why);

        if (r < 0)
                return why ? sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "%s", why) : r;
        const char *fixed = container_settings_find(changes, false);
        if (fixed)
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION,
                                         "The option \"%s\" of a container cannot be changed.", fixed);
        if (!container_settings_find(changes, true))
                return sd_bus_error_set(error, BERTH_ERROR_BAD_OPTION, "There is nothing to be changed.");
        return 0;
}

/* As for a new container: all of it together is looked at before anything is done. */
static int check(const ContainerSettings *next, ContainerLimits *ret, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;
        int r = container_settings_validate(next, &why);

        if (r >= 0)
                r = container_limits_check_host(next, &why);
        if (r >= 0)
                r = container_limits_make(next, ret, &why);
        return r < 0 ? sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "%s", why ? why : strerror(-r)) : 0;
}

/* `next` has the old settings afterwards. */
static int keep(Container *c, ContainerSettings *next, ContainerLimits *limits, sd_bus_error *error) {
        container_settings_swap(&c->settings, next);
        int r = container_save(c);
        if (r < 0) {
                container_settings_swap(&c->settings, next);
                container_limits_done(limits);
                return sd_bus_error_setf(
                        error, r == -ENOSPC || r == -EDQUOT ? BERTH_ERROR_NO_SPACE : BERTH_ERROR_UNAVAILABLE,
                        "The changes of container %s cannot be kept in %s: %s", c->name, c->host->statedir,
                        strerror(-r));
        }
        SWAP(c->config.limits, *limits);
        container_limits_done(limits);
        return 0;
}

/* 1: systemd must read it. One that never ran is not to start with the machine because its policy says always. */
static int install(const Container *c) {
        if (container_wants_service(c) && !c->run && c->result.started_usec == 0)
                return 0;
        int r = container_service_install(c);
        if (!c->run)
                container_service_ended(c); /* who was stopped by hand stays so */
        return r;
}

static void on_done(int result, const char *text, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = userdata;

        if (result < 0) {
                sd_bus_error_setf(&error, BERTH_ERROR_UNAVAILABLE,
                                  "The changes are kept for the next start, but systemd could not make them now: %s",
                                  text ? text : strerror(-result));
                (void) sd_bus_reply_method_error(call, &error);
        } else
                (void) sd_bus_reply_method_return(call, NULL);
        sd_bus_message_unref(call);
}

/* 1: on_done() answers. */
static int apply(Container *c, sd_bus_message *call) {
        int changed = install(c), r;

        if (changed < 0)
                log_warning("container %s: its limits cannot be written to %s: %s", c->name, BERTH_SYSTEMUNITDIR,
                            strerror(-changed));
        if (c->run && (r = container_run_set_policy(c->run, c->settings.restart)) < 0)
                log_warning("container %s: its monitor cannot be told of the new restart policy: %s", c->name,
                            strerror(-r));
        if (!c->run)
                return 0;
        sd_bus_message_ref(call);
        if (container_unit_is_service(c->unit)) /* systemd makes them in force when it has read them */
                r = unit_refresh(c->host->units, c->unit, TIMEOUT_USEC, on_done, call, NULL);
        else
                r = unit_set_limits(c->host->units, c->unit, &c->config.limits.unit, TIMEOUT_USEC, on_done, call, NULL);
        if (r < 0)
                sd_bus_message_unref(call);
        return r < 0 ? r : 1;
}

int container_method_update(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(container_settings_done) ContainerSettings changes, next;
        ContainerLimits limits;
        Container *c = userdata;
        int r;

        container_settings_init(&changes);
        container_settings_init(&next);
        r = read_changes(m, &changes, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (c->remove_wanted)
                return sd_bus_error_setf(error, BERTH_ERROR_BUSY, "Container %s is being removed.", c->name);
        if ((r = container_settings_changed(&c->settings, &changes, &next)) < 0 ||
            (r = check(&next, &limits, error)) < 0 || (r = keep(c, &next, &limits, error)) < 0)
                return r;
        container_emit(c, "update", NULL);
        container_record_updated(c);
        r = apply(c, m);
        return r < 0 ? r : r > 0 ? 1 : sd_bus_reply_method_return(m, NULL);
}
