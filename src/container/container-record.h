/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The records of a container that are berthd's to write: its beginning and its end, and what its monitor could not tell. */
#pragma once

#include "container/container.h"

/* By whose call is looked up here: in the handler of a call, else it is nobody's. */
void container_record_created(const Container *c);
void container_record_updated(const Container *c);
void container_record_removed(const Container *c);
/* How the last run ended; if `journaled`, the monitor has told that, and only what it could not tell is added. */
void container_record_ended(const Container *c, bool journaled, uint64_t lines_lost);
