/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exit record: see exit-record.h. */
#include "monitor/exit-record.h"
#include "util/json.h"

static int record_write(const ExitRecord *record, int bundle_fd, const char *name) {
        const struct { const char *key; int64_t value; } numbers[] = {
                { "exitCode",     record->exit_code              },
                { "signal",       record->signal                 },
                { "started",      (int64_t) record->started      },
                { "finished",     (int64_t) record->finished     },
                { "logOrdinal",   (int64_t) record->log_ordinal  },
                { "logLost",      (int64_t) record->log_lost     },
                { "restartCount", record->restart_count          },
        };
        const struct { const char *key; bool value; } flags[] = {
                { "oomKilled",     record->oom_killed      },
                { "restarting",    record->restarting      },
                { "stoppedByHand", record->stopped_by_hand },
        };
        const struct { const char *key, *value; } texts[] = {
                { "runId",     record->run_id     },
                { "error",     record->error      },
                { "stoppedBy", record->stopped_by },
                { "logEpoch",  record->log_epoch  },
        };
        _cleanup_json_ json_object *o = json_object_new_object();
        int r = o ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(flags); i++)
                r = json_add_bool(o, flags[i].key, flags[i].value);
        if (r >= 0)
                r = json_add_bool(o, "journaled", record->journaled);
        if (r >= 0 && record->stopper && record->stopper->pid > 0)
                r = caller_to_json(record->stopper, o);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(numbers); i++)
                r = json_add_i64(o, numbers[i].key, numbers[i].value);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(texts); i++)
                r = json_add_string(o, texts[i].key, texts[i].value ? texts[i].value : "");
        return r < 0 ? r : json_write_file(bundle_fd, name, o, 0600, 0);
}

int exit_record_write(const ExitRecord *record, int bundle_fd) {
        return record_write(record, bundle_fd, "exit.json");
}

int exit_record_write_interim(const ExitRecord *record, int bundle_fd) {
        return record_write(record, bundle_fd, "restart.json");
}
