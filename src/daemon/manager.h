/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager: everything that berthd owns. It finds containers and images, creates them, tells the bus of them, and
 * knows whether anything keeps berthd alive. */
#pragma once

#include "container/container.h"
#include "daemon/log-limit.h"
#include "daemon/polkit.h"
#include "image/image-load.h"

typedef struct Manager Manager;
typedef struct ImageCall ImageCall;

/* What a handler of org.berth1.Image gets. */
typedef struct ImageObject {
        Manager *manager;
        const Image *image;
} ImageObject;

struct Manager {
        ContainerHost host; /* first: callbacks get this and mean us */
        Polkit *polkit;
        LogLimit *log_limit;
        Container *containers;
        Container *removed;         /* to be freed when the event loop is back in control */
        sd_event_source *free_source, *trash_source, *sweep_source;
        int trash_fd;
        ImageCall *image_calls;     /* loads and imports under way */
        ImageObject image_object;   /* of the call that is being handled */
};

/* Connects everything but does not publish anything yet. `bus` is attached to `event`. */
int manager_new(sd_event *event, sd_bus *bus, const char *statedir, const char *rundir, Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_FREEP(Manager, manager_free)

/* Objects, interfaces, signals (manager-bus.c, image-bus.c). Before the bus name is taken. */
int manager_publish(Manager *m);
int manager_publish_images(Manager *m);

/* reconcile.c: reads the state tree; tells nobody anything. */
int manager_load(Manager *m);
/* With the bus name: takes up what runs, records what ended meanwhile, removes what is nobody's. Whatever an earlier berthd may
 * have left untold is told. */
int manager_reconcile(Manager *m);

/* Name, id or unambiguous prefix of an id. 0, or `error` is set. */
int manager_find_container(Manager *m, const char *reference, Container **ret, sd_bus_error *error);
int manager_find_image(Manager *m, const char *reference, const Image **ret, sd_bus_error *error);
Container *manager_container_by_id(Manager *m, const char *id);
Container *manager_container_by_name(Manager *m, const char *name);

/* Takes the settings. The container is in the list, on disk and on the bus. */
int manager_create(Manager *m, ContainerSettings *settings, Container **ret, sd_bus_error *error);
void manager_add(Manager *m, Container *c);

void manager_free_image_calls(Manager *m);
size_t manager_image_users(Manager *m, const char *image_id);

/* Does anything run, wait or remain to be done? `running`: do running containers count? */
bool manager_is_busy(const Manager *m, bool running);

/* The id at the end of an object's path, or NULL. Borrowed. */
const char *object_id(const char *path, const char *prefix);

#define MANAGER_PATH "/org/berth1"
#define MANAGER_INTERFACE "org.berth1.Manager"
#define IMAGE_PATH_PREFIX "/org/berth1/image"
#define IMAGE_INTERFACE "org.berth1.Image"
