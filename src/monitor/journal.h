/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Journal sends entries to journald in its native protocol, without libsystemd: that costs a fifth of the memory,
 * and several entries fit one datagram, which halves journald's work, where it reads more than the first of them.
 * Nothing is lost while journald is away or slow: entries wait in a bounded queue, and journal_is_full() tells the
 * caller to stop reading what it logs.
 *
 * Fields that are the same for every entry are encoded once. An entry is begin, field…, end; journal_send() after
 * the last entry of a burst sends all that is queued. */
#pragma once

#include "monitor/lines.h"
#include "monitor/loop.h"

typedef struct Journal Journal;

/* `handler` is called from the loop when the queue has become empty. `socket_path` must outlive it. */
int journal_new(Loop *loop, const char *socket_path, void (*handler)(void *), void *userdata, Journal **ret);
Journal *journal_free(Journal *j);
DEFINE_FREEP(Journal, journal_free)

/* How many entries a datagram may hold, from the next one on. One, until somebody knows that this journald reads
 * all. */
#define JOURNAL_BATCH_MAX 64u
void journal_set_batch(Journal *j, unsigned n_entries);

/* A field of every entry from now on. A value that is NULL or empty leaves the field out. */
int journal_add_common(Journal *j, const char *key, const char *value);

int journal_begin(Journal *j);
/* Not a line of what is logged but a record about it: without the common fields, and no line is missing if it is
 * lost. */
int journal_begin_record(Journal *j);
int journal_field(Journal *j, const char *key, const void *value, size_t size);
int journal_fieldf(Journal *j, const char *key, const char *format, ...) _printf_(3, 4);
/* Closes the entry; or, if any part of it failed (out of memory), drops it and counts it as lost. */
void journal_end(Journal *j);

void journal_send(Journal *j);

/* Counts up with every datagram that was sent. */
uint64_t journal_progress(const Journal *j);
bool journal_is_empty(const Journal *j);
bool journal_is_full(const Journal *j);
/* Bytes handed to the kernel that journald has not read yet. It looks up the sender's unit when it reads: who ends
 * before that logs without a unit. */
int journal_unread(const Journal *j);

/* Drops the queue and every entry that is still to come, counting them: journald did not come back in time. */
void journal_give_up(Journal *j);
bool journal_given_up(const Journal *j);
/* Takes entries again. */
void journal_resume(Journal *j);
uint64_t journal_lost(const Journal *j);

/* The records of one run, and how far they have come. */
typedef struct JournalLog {
        Journal *journal;
        char epoch[LINE_ID_SIZE];
        uint64_t ordinal; /* of the last line, 0: none yet */
} JournalLog;

typedef enum LogStream {
        LOG_STDOUT,
        LOG_STDERR,
} LogStream;

/* Writes one line as Docker's journald driver does, with the field names berth adds. `timestamp`: see
 * journal_timestamp(). */
void journal_log_line(JournalLog *log, LogStream stream, const char *timestamp, const Line *line);

#define JOURNAL_TIMESTAMP_SIZE 40
void journal_timestamp(char ret[JOURNAL_TIMESTAMP_SIZE]);
