/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another name for a container. It is what people and berthd call it from now on; a run that is under way keeps what it
 * was given at its start: the unit's name, and CONTAINER_NAME in the journal. */
#include <limits.h>
#include <stdio.h>

#include "container/container-service.h"
#include "container/option-values.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/errors.h"

static int check(Container *c, const char *name, sd_bus_error *error) {
        _cleanup_(sd_bus_error_free) sd_bus_error taken = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        if (!*name)
                return sd_bus_error_set(error, BERTH_ERROR_BAD_OPTION, "Neither old nor new names may be empty");
        if (streq(name, c->name))
                return sd_bus_error_set(error, BERTH_ERROR_BAD_OPTION,
                                        "Renaming a container with the same name as its current name");
        r = validate_name(&name, &why);
        if (r < 0)
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "Error when allocating new name: %s",
                                         why ? why : strerror(-r));
        r = c->host->check_name(c->host, name, &taken);
        if (r < 0)
                return sd_bus_error_setf(error, taken.name, "Error when allocating new name: %s", taken.message);
        if (c->remove_wanted)
                return sd_bus_error_setf(error, BERTH_ERROR_BUSY, "Container %s is being removed.", c->name);
        if (c->run && container_unit_is_service(c->unit)) /* the unit is found by the name */
                return sd_bus_error_setf(error, BERTH_ERROR_BUSY,
                                         "Container %s runs as %s, which has its name: stop it before it is renamed.",
                                         c->name, c->unit);
        return 0;
}

int container_rename(Container *c, const char *name, sd_bus_error *error) {
        char attribute[NAME_MAX + 16], *old, *copy;
        int r;

        if (*name == '/') /* as inspect shows names */
                name++;
        r = check(c, name, error);
        if (r < 0)
                return r;
        container_rest(c);
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        old = c->settings.name;
        c->name = c->settings.name = copy;
        r = container_save(c);
        if (r < 0) {
                c->name = c->settings.name = old;
                free(copy);
                return sd_bus_error_setf(
                        error, r == -ENOSPC || r == -EDQUOT ? BERTH_ERROR_NO_SPACE : BERTH_ERROR_UNAVAILABLE,
                        "Container %s cannot be renamed: its new name cannot be kept in %s: %s", old,
                        c->host->statedir, strerror(-r));
        }
        r = container_service_rename(c, old);
        if (r < 0) /* the next berthd tries again */
                log_warning("container %s: what starts it with the machine is still under its old name %s: %s", c->name,
                            old, strerror(-r));
        container_renamed(c);
        snprintf(attribute, sizeof(attribute), "oldName=/%s", old);
        container_emit(c, "rename", attribute);
        free(old);
        return 0;
}
