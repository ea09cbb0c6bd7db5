/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Caller is who asked for something over the bus, as far as that is known: for people to read, never to decide
 * anything by. The texts hold printable ASCII alone. */
#pragma once

#include <stdint.h>
#include <stddef.h>

#include "util/json.h"

typedef struct Caller {
        int32_t pid;      /* 0: nobody in particular, and the rest is empty */
        uint32_t uid;
        char user[33];    /* "root"; "": has no name here */
        char command[17]; /* of the process: "berth" */
        char unit[128];   /* it is in: "session-3.scope" */
} Caller;

/* Who asked for an end, in words, where no more is known of it; `stopped_by` as the record of the end has it. */
const char *caller_kind(const char *stopped_by);

/* "root (uid 0, berth[123] in session-3.scope)"; "" for nobody. Returns `buffer`. */
#define CALLER_TEXT_MAX 256
const char *caller_describe(const Caller *c, char buffer[CALLER_TEXT_MAX]);

/* As members stoppedByUid, … of an object, and back; without a pid there are none. */
int caller_to_json(const Caller *c, json_object *object);
int caller_from_json(json_object *object, Caller *ret);

/* Its texts end somewhere, whatever came over the wire. */
void caller_terminate(Caller *c);

/* Copies what is printable, and something else for what is not. */
void caller_set_text(char *target, size_t size, const char *text);
