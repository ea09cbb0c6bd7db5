/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service of a container, berth@NAME.service: an instance of a static template, which every container has. Those
 * whose restart policy is always or unless-stopped run as it from their first start, and start with the machine. What that
 * takes in systemd's own directory is here: a drop-in, which has the container's limits, and its id, so that it can be told
 * from what people put there; and the link that `systemctl enable` would make.
 *
 * Who disables such a service keeps it disabled: the link is made together with the drop-in, once. While a container of
 * policy unless-stopped is stopped by hand, its link is parked beside the drop-in. */
#pragma once

#include "container/container.h"

#define SERVICE_PREFIX "berth@"
#define SERVICE_SUFFIX ".service"

/* By its policy. */
bool container_wants_service(const Container *c);
/* The instance is the name as it is: names hold nothing that systemd would escape. */
int container_service_unit(const char *name, char **ret);
bool container_unit_is_service(const char *unit); /* NULL: no */

/* For a start: the files are there and say what they should. 1: systemd must read them again if it has loaded the unit.
 * Of a container whose policy wants none, a drop-in is written if it has limits. */
int container_service_install(const Container *c);
/* That drop-in alone, for a container just made: who has systemctl start it finds its limits and its slice. */
int container_service_prepare(const Container *c);
/* After an end: what was stopped by hand may be to stay so. */
void container_service_ended(const Container *c);
void container_service_park(const Container *c); /* somebody wants it to stay so */
/* It had this name before. Also what a crash has left of that. */
int container_service_rename(const Container *c, const char *old_name);
/* Drop-in and link of a container that is gone. */
void container_service_remove(const char *name);
/* Calls `what` for each drop-in of ours, with the instance and the id in it. */
int container_service_each(void (*what)(const char *name, const char *id, void *userdata), void *userdata);

/* The unit is to be at rest, also if systemd was about to start it again. Nobody waits for it. */
void container_service_retire(ContainerHost *host, const char *unit);

/* A monitor that systemd has started as a service and that asks for its bundle (wire/service.h): its connection and
 * its pidfd. */
typedef struct ServiceCaller {
        int fd, pidfd;
        pid_t pid;
} ServiceCaller;

#define SERVICE_CALLER_NONE { -EBADF, -EBADF, 0 }

void service_caller_done(ServiceCaller *caller);
/* The descriptors stay the caller's. */
int service_caller_give(ServiceCaller *caller, int bundle_fd, int listen_fd);
void service_caller_refuse(ServiceCaller *caller, const char *text);
void service_caller_put_off(ServiceCaller *caller);
