/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may do what: root may everything, everybody else what polkit says. Asynchronous: a handler that is told to
 * wait is run again, from the top, when the answer is in. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/macro.h"
#include "wire/caller.h"

typedef struct Polkit Polkit;

int polkit_new(sd_bus *bus, Polkit **ret);
Polkit *polkit_free(Polkit *p);
DEFINE_FREEP(Polkit, polkit_free)

/* How polkit is to name what a call is about, in the question that a person is asked: a container's name, or NULL. */
void polkit_set_subject(Polkit *p, const char *(*subject)(sd_bus_message *m, void *userdata), void *userdata);

/* > 0: may; 0: asked, return 1 from the handler; negative: may not, or nobody can say, and `error` says why.
 * `action` is a literal. A message that has been authorised stays so until it is let go of: ask last before acting. */
int polkit_authorize(Polkit *p, sd_bus_message *m, const char *action, sd_bus_error *error);

/* Who made the call that is being handled and was allowed to; nobody, outside of such a call. */
void polkit_caller(const Polkit *p, Caller *ret);

/* For each call, before it is handled: whoever it was about may have gone while polkit was asked, and then nobody comes
 * for the answer. */
void polkit_dispatching(Polkit *p, sd_bus_message *m);

/* Is somebody waiting for an answer? */
bool polkit_is_busy(const Polkit *p);
