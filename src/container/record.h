/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What berthd itself writes to the journal about containers and images: records with a MESSAGE_ID that the catalog explains. It
 * does not wait for journald, which may hang: what it does not take at once is kept, in order and bounded, and tried again. */
#pragma once

#include <systemd/sd-event.h>

#include "util/macro.h"
#include "wire/caller.h"
#include "wire/message-ids.h"

typedef struct Records Records;

typedef struct RecordField {
        const char *key;
        const char *value; /* NULL or "": the field is left out */
} RecordField;

#define RECORD_FIELDS_MAX 32
#define RECORD_NUMBERS_MAX 8

/* One record being made: begin, add…, end. Strings are borrowed until the end; numbers and the message are its own. */
typedef struct Record {
        RecordField fields[RECORD_FIELDS_MAX];
        size_t n;
        char numbers[RECORD_NUMBERS_MAX][24];
        size_t n_numbers;
        char by[CALLER_TEXT_MAX + 16];
        char message[1024];
} Record;

void record_begin(Record *r, const char *message_id, Severity severity, const char *event);
void record_add(Record *r, const char *key, const char *value);
void record_add_number(Record *r, const char *key, int64_t value);
/* Who asked, as fields BERTH_CALLER_… . Returns " by …" for the message, "" if it was nobody in particular. */
const char *record_add_caller(Record *r, const Caller *caller);
/* Who asked for the end (exit-record.h: "client", "systemd", …), as fields BERTH_STOPPED_BY… . Returns ", asked for by …". */
const char *record_add_stopper(Record *r, const char *stopped_by, const Caller *stopper);
/* Sends it, with its message. What cannot be kept is dropped. `records` may be NULL: nobody is told. */
void record_end(Record *r, Records *records, const char *format, ...) _printf_(3, 4);

int records_new(sd_event *event, const char *socket_path, Records **ret);
Records *records_free(Records *r);
DEFINE_FREEP(Records, records_free)

/* Is anything kept? */
bool records_pending(const Records *r);
