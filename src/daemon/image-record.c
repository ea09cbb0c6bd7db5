/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records in the journal about images: see image-bus.h. */
#include <stdio.h>

#include "container/record.h"
#include "daemon/image-bus.h"
#include "util/strv.h"
#include "wire/message-ids.h"

static const struct { const char *action, *message_id, *word; } kinds[] = {
        { "load",   BERTH_MESSAGE_IMAGE_LOADED,   "loaded"   },
        { "import", BERTH_MESSAGE_IMAGE_IMPORTED, "imported" },
        { "delete", BERTH_MESSAGE_IMAGE_REMOVED,  "removed"  },
};

void manager_record_image(Manager *m, const char *action, const char *id, const char *reference, const Caller *caller) {
        char who[CALLER_TEXT_MAX], uid[16], pid[16], message[1024];
        _cleanup_free_ char *full_id = NULL;
        size_t i = 0;

        while (i < N_ELEMENTS(kinds) && !streq(kinds[i].action, action))
                i++;
        if (i == N_ELEMENTS(kinds) || asprintf(&full_id, "sha256:%s", id) < 0)
                return;
        bool known = caller->pid > 0;
        snprintf(uid, sizeof(uid), "%u", caller->uid);
        snprintf(pid, sizeof(pid), "%i", caller->pid);
        snprintf(message, sizeof(message), "Image %.256s was %s%s%s.", reference && *reference ? reference : full_id,
                 kinds[i].word, known ? " by " : "", caller_describe(caller, who));
        const RecordField fields[] = {
                { "MESSAGE_ID",           kinds[i].message_id                           },
                { "PRIORITY",             "6"                                           },
                { "SYSLOG_IDENTIFIER",    "berth"                                       },
                { "BERTH_EVENT",          action                                        },
                { "IMAGE_NAME",           reference && *reference ? reference : full_id },
                { "IMAGE_ID",             full_id                                       },
                { "BERTH_CALLER_UID",     known ? uid : NULL                            },
                { "BERTH_CALLER_PID",     known ? pid : NULL                            },
                { "BERTH_CALLER_USER",    caller->user                                  },
                { "BERTH_CALLER_COMMAND", caller->command                               },
                { "BERTH_CALLER_UNIT",    caller->unit                                  },
                { "MESSAGE",              message                                       },
        };
        records_send(m->host.records, fields, N_ELEMENTS(fields));
}
