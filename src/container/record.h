/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What berthd itself writes to the journal about containers and images: records with a MESSAGE_ID that the catalog explains. It
 * does not wait for journald, which may hang: what it does not take at once is kept, in order and bounded, and tried again. */
#pragma once

#include <systemd/sd-event.h>

#include "util/macro.h"

#define RECORD_WARNING 4
#define RECORD_NOTICE 5
#define RECORD_INFO 6

typedef struct Records Records;

typedef struct RecordField {
        const char *key;
        const char *value; /* NULL or "": the field is left out */
} RecordField;

int records_new(sd_event *event, const char *socket_path, Records **ret);
Records *records_free(Records *r);
DEFINE_FREEP(Records, records_free)

/* What cannot be kept is dropped. `records` may be NULL: nobody is told. */
void records_send(Records *records, const RecordField *fields, size_t n);
/* Is anything kept? */
bool records_pending(const Records *r);
