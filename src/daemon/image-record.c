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
        _cleanup_free_ char *full_id = NULL;
        const char *name, *by;
        size_t i = 0;
        Record r;

        while (i < N_ELEMENTS(kinds) && !streq(kinds[i].action, action))
                i++;
        if (i == N_ELEMENTS(kinds) || asprintf(&full_id, "sha256:%s", id) < 0)
                return;
        name = reference && *reference ? reference : full_id;
        record_begin(&r, kinds[i].message_id, SEVERITY_INFO, action);
        record_add(&r, "IMAGE_NAME", name);
        record_add(&r, "IMAGE_ID", full_id);
        by = record_add_caller(&r, caller);
        record_end(&r, m->host.records, "Image %.256s was %s%s.", name, kinds[i].word, by);
}
