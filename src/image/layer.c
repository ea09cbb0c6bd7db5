/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unpacks one layer: see layer.h. */
#include <unistd.h>

#include "image/layer-writer.h"
#include "image/layer.h"

void layer_result_clear(LayerResult *r) {
        json_object_put(r->report);
        *r = (LayerResult){ 0 };
}

static json_object *new_report(const LayerWriter *w) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_add_object(o, "size", json_object_new_uint64(w->size)) < 0 ||
            json_add_object(o, "entries", json_object_new_uint64(w->entries)) < 0 ||
            json_add_i64(o, "maxId", w->max_id) < 0 ||
            json_add_object(o, "skippedDevices", json_object_new_uint64(w->skipped_devices)) < 0 ||
            json_add_strv(o, "opaque", w->opaque) < 0 || json_add_strv(o, "implicit", w->implicit) < 0)
                return NULL;
        return TAKE(o);
}

int layer_unpack(int fd, int copy_fd, int dir_fd, LayerResult *ret, Fault *fault) {
        _cleanup_(layer_writer_clear) LayerWriter w;
        _cleanup_(tar_stream_freep) TarStream *s = NULL;
        struct archive_entry *e;
        LayerResult result = { 0 };
        int r;

        layer_writer_init(&w, dir_fd, fault);
        r = tar_stream_new(fd, copy_fd, TAR_STREAM_HASH, fault, &s);
        if (r < 0)
                return r;
        while ((r = tar_stream_next(s, &e)) > 0) {
                r = layer_writer_add(&w, s, e);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = tar_stream_finish(s, &result.stream);
        if (r < 0)
                return r;
        r = layer_writer_finish(&w);
        if (r < 0)
                return r;
        if (syncfs(dir_fd) < 0)
                return fault_set_errno(fault, -errno, "Cannot write the layer to the disk");
        result.report = new_report(&w);
        if (!result.report)
                return fault_set_errno(fault, -ENOMEM, "Cannot report");
        *ret = result;
        return 0;
}
