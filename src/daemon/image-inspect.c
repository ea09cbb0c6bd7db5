/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `inspect` of an image: see image-inspect.h. */
#include <stdio.h>

#include "daemon/image-inspect.h"
#include "oci/reference.h"
#include "util/strv.h"

/* As Docker shows them: "web:latest", and for the manifest "web@sha256:…". */
static int add_names(json_object *object, const Image *image) {
        _cleanup_strv_ char **tags = NULL, **digests = NULL;
        int r = 0;

        for (char **full = image->references; r >= 0 && full && *full; full++) {
                _cleanup_free_ char *tag = NULL, *digest = NULL;
                r = oci_reference_shorten(*full, &tag);
                if (r < 0)
                        break;
                char *colon = strrchr(tag, ':');
                if (asprintf(&digest, "%.*s@%s",
                             (int) (colon && !strchr(colon, '/') ? colon - tag : (long) strlen(tag)), tag,
                             image->manifest) < 0)
                        return -ENOMEM;
                r = strv_extend(&tags, tag);
                if (r >= 0 && !strv_contains(digests, digest))
                        r = strv_extend(&digests, digest);
        }
        if (r >= 0)
                r = json_add_strv(object, "RepoTags", tags);
        return r < 0 ? r : json_add_strv(object, "RepoDigests", digests);
}

static int add_layers(json_object *object, json_object *record) {
        json_object *layers = json_get(record, "layers"), *rootfs = json_object_new_object();
        _cleanup_strv_ char **diff_ids = NULL;
        int r;

        r = json_add_object(object, "RootFS", rootfs);
        for (size_t i = 0;
             r >= 0 && json_object_is_type(layers, json_type_array) && i < json_object_array_length(layers); i++) {
                const char *diff_id = json_get_string(json_object_array_get_idx(layers, i), "diffId");
                r = diff_id ? strv_extend(&diff_ids, diff_id) : 0;
        }
        if (r >= 0)
                r = json_add_string(rootfs, "Type", "layers");
        return r < 0 ? r : json_add_strv(rootfs, "Layers", diff_ids);
}

/* What the record says under one name and inspect under another. */
static const struct { const char *record, *inspect; } copies[] = {
        { "created",      "Created"      },
        { "author",       "Author"       },
        { "architecture", "Architecture" },
        { "os",           "Os"           },
        { "config",       "Config"       },
        { "history",      "History"      }, /* not in Docker's, which has a call of its own for it */
        { "manifest",     "Descriptor"   },
};

int image_inspect(const Image *image, json_object **ret) {
        _cleanup_json_ json_object *object = json_object_new_object();
        _cleanup_free_ char *id = NULL;
        int r;

        if (!object || asprintf(&id, "sha256:%s", image->id) < 0)
                return -ENOMEM;
        if ((r = json_add_string(object, "Id", id)) < 0 ||
            (r = add_names(object, image)) < 0 ||
            (r = json_add_i64(object, "Size", (int64_t) image->size)) < 0 ||
            (r = add_layers(object, image->record)) < 0)
                return r;
        for (size_t i = 0; i < N_ELEMENTS(copies); i++) {
                json_object *value = json_get(image->record, copies[i].record);
                if (value && (r = json_add_object(object, copies[i].inspect, json_object_get(value))) < 0)
                        return r;
        }
        *ret = TAKE(object);
        return 0;
}
