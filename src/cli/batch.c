/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call for each of several containers: see batch.h. */
#include <stdio.h>

#include "cli/batch.h"
#include "cli/bus.h"
#include "cli/verb.h"
#include "util/strv.h"
#include "util/timestamp.h"

#define TRY_USEC (10 * USEC_PER_SEC) /* a berthd that lived so long with our call was not killed by it */

typedef struct Item {
        const char *name;
        char *path;
        unsigned tries;
        uint64_t called_usec;
        bool done;
        sd_bus_error error;    /* set: it failed */
        sd_bus_message *reply; /* set: it went well */
} Item;

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Item *item = userdata;

        item->done = true;
        if (sd_bus_message_is_method_error(reply, NULL))
                (void) sd_bus_error_copy(&item->error, sd_bus_message_get_error(reply));
        else
                item->reply = sd_bus_message_ref(reply);
        return 0;
}

static int send_call(const Batch *batch, Item *item) {
        _cleanup_bus_message_ sd_bus_message *m = NULL;
        int (*find)(const char *, char **, sd_bus_error *) = batch->again ? bus_get_container : bus_container_path;
        int r = item->path ? 0 : find(item->name, &item->path, &item->error);

        item->called_usec = time_monotonic_usec();
        if (r >= 0)
                r = bus_message_new(item->path, BUS_CONTAINER, batch->member, &m, &item->error);
        if (r >= 0 && batch->append)
                r = batch->append(m);
        if (r >= 0)
                r = sd_bus_call_async(sd_bus_message_get_bus(m), NULL, m, on_reply, item, UINT64_MAX);
        if (r < 0 && !sd_bus_error_is_set(&item->error))
                sd_bus_error_set_errno(&item->error, r);
        return r;
}

static bool print_item(const Batch *batch, const Item *item) {
        if (sd_bus_error_is_set(&item->error)) {
                bus_print_error(&item->error, -EIO);
                return batch->ignore && sd_bus_error_has_name(&item->error, batch->ignore);
        }
        if (batch->print)
                batch->print(item->name, item->reply);
        else
                printf("%s\n", item->name);
        (void) fflush(stdout);
        return true;
}

/* Makes the call once more, if berthd went away before it answered and that may be: the next berthd, which the bus
 * starts, knows what the last one knew. It is the same object that is asked: the name may be another's by then. */
static bool call_again(const Batch *batch, Item *item) {
        if (!batch->again || !item->path)
                return false;
        if (time_monotonic_usec() - item->called_usec >= TRY_USEC)
                item->tries = 0;
        while (item->done && bus_ask_again(&item->error, &item->tries))
                item->done = send_call(batch, item) < 0;
        return !item->done;
}

/* A container that went while we asked is named as the person did, not by its id. */
static void name_missing(const Batch *batch, Item *item) {
        if (!item->path || !sd_bus_error_has_name(&item->error, BERTH_ERROR_NO_SUCH_CONTAINER))
                return;
        sd_bus_error_free(&item->error);
        if (!batch->gone_is_done || item->tries == 0)
                sd_bus_error_setf(&item->error, BERTH_ERROR_NO_SUCH_CONTAINER, "No such container: %s", item->name);
}

static int wait_for(const Batch *batch, Item *item) {
        sd_bus *bus;
        int r = bus_open(&bus, &item->error);

        while (r >= 0 && (!item->done || call_again(batch, item))) {
                r = sd_bus_process(bus, NULL);
                if (r == 0 && !item->done)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        if (r < 0 && !item->done && !sd_bus_error_is_set(&item->error))
                sd_bus_error_set(&item->error, SD_BUS_ERROR_DISCONNECTED, NULL);
        return r;
}

int batch_run(const Batch *batch, int argc, char **argv) {
        _cleanup_free_ Item *items = calloc((size_t) argc, sizeof(Item));
        bool failed = false;

        if (!items)
                return -ENOMEM;
        for (int i = 0; i < argc; i++) {
                items[i].name = argv[i];
                items[i].done = send_call(batch, &items[i]) < 0;
        }
        for (int i = 0; i < argc; i++) {
                (void) wait_for(batch, &items[i]);
                name_missing(batch, &items[i]);
                if (!print_item(batch, &items[i]))
                        failed = true;
        }
        for (int i = 0; i < argc; i++) {
                sd_bus_error_free(&items[i].error);
                sd_bus_message_unref(items[i].reply);
                free(items[i].path);
        }
        return failed ? EXIT_FAILED : EXIT_OK;
}
