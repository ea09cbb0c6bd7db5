/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manifests and indexes: see manifest.h. */
#include <string.h>

#include "oci/manifest.h"

static void descriptors_clear(OciDescriptors *d) {
        for (size_t i = 0; i < d->n; i++)
                oci_descriptor_clear(&d->items[i]);
        free(d->items);
        *d = (OciDescriptors){ 0 };
}

static int json_to_descriptors(json_object *value, size_t max, OciDescriptors *ret) {
        OciDescriptors d = { 0 };
        int r = 0;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        size_t n = json_object_array_length(value);
        if (n > max)
                return -E2BIG;
        d.items = calloc(n + 1, sizeof(OciDescriptor));
        if (!d.items)
                return -ENOMEM;
        for (; d.n < n && r >= 0; d.n++)
                r = json_to_descriptor(json_object_array_get_idx(value, d.n), &d.items[d.n]);
        if (r < 0) {
                descriptors_clear(&d);
                return r;
        }
        descriptors_clear(ret);
        *ret = d;
        return 0;
}

static int json_to_layers(json_object *value, void *member) {
        return json_to_descriptors(value, OCI_LAYERS_MAX, member);
}

static int json_to_entries(json_object *value, void *member) {
        return json_to_descriptors(value, OCI_INDEX_ENTRIES_MAX, member);
}

/* A field whose presence means that this is the other kind of document. */
static int json_to_nothing(json_object *value, void *member) {
        return -EINVAL;
}

static const JsonField manifest_fields[] = {
        JSON_FIELD(OciManifest, schema_version, "schemaVersion", json_to_u32,        JSON_REQUIRED),
        JSON_FIELD(OciManifest, media_type,     "mediaType",     json_to_string,     0),
        JSON_FIELD(OciManifest, config,         "manifests",     json_to_nothing,    0),
        JSON_FIELD(OciManifest, config,         "config",        json_to_descriptor, JSON_REQUIRED),
        JSON_FIELD(OciManifest, layers,         "layers",        json_to_layers,     0), /* Go writes null for none */
};

static const JsonField index_fields[] = {
        JSON_FIELD(OciIndex, schema_version, "schemaVersion", json_to_u32,     JSON_REQUIRED),
        JSON_FIELD(OciIndex, media_type,     "mediaType",     json_to_string,  0),
        JSON_FIELD(OciIndex, manifests,      "config",        json_to_nothing, 0),
        JSON_FIELD(OciIndex, manifests,      "layers",        json_to_nothing, 0),
        JSON_FIELD(OciIndex, manifests,      "manifests",     json_to_entries, JSON_REQUIRED),
};

static int parse(const char *text, size_t size, const JsonField *fields, size_t n, void *target,
                 const char **ret_where) {
        _cleanup_json_ json_object *object = NULL;
        int r;

        if (ret_where)
                *ret_where = "";
        if (size > OCI_MANIFEST_SIZE_MAX)
                return -EFBIG;
        r = json_parse(text, size, &object);
        if (r < 0)
                return r;
        return json_read_fields(object, fields, n, target, ret_where);
}

/* What both kinds must say of themselves. */
static int check_kind(uint32_t schema_version, const char *media_type, OciMedia wanted, const char **ret_where) {
        const char *where = NULL;

        if (schema_version != 2)
                where = "schemaVersion";
        else if (media_type && oci_media_from_string(media_type) != wanted)
                where = "mediaType";
        if (where && ret_where)
                *ret_where = where;
        return where ? -EOPNOTSUPP : 0;
}

int oci_manifest_parse(const char *text, size_t size, OciManifest **ret, const char **ret_where) {
        _cleanup_(oci_manifest_freep) OciManifest *m = calloc(1, sizeof(OciManifest));
        int r;

        if (!m)
                return -ENOMEM;
        r = parse(text, size, manifest_fields, N_ELEMENTS(manifest_fields), m, ret_where);
        if (r < 0)
                return r;
        r = check_kind(m->schema_version, m->media_type, OCI_MEDIA_MANIFEST, ret_where);
        if (r < 0)
                return r;
        *ret = TAKE(m);
        return 0;
}

OciManifest *oci_manifest_free(OciManifest *m) {
        if (!m)
                return NULL;
        free(m->media_type);
        oci_descriptor_clear(&m->config);
        descriptors_clear(&m->layers);
        free(m);
        return NULL;
}

int oci_index_parse(const char *text, size_t size, OciIndex **ret, const char **ret_where) {
        _cleanup_(oci_index_freep) OciIndex *i = calloc(1, sizeof(OciIndex));
        int r;

        if (!i)
                return -ENOMEM;
        r = parse(text, size, index_fields, N_ELEMENTS(index_fields), i, ret_where);
        if (r < 0)
                return r;
        r = check_kind(i->schema_version, i->media_type, OCI_MEDIA_INDEX, ret_where);
        if (r < 0)
                return r;
        *ret = TAKE(i);
        return 0;
}

OciIndex *oci_index_free(OciIndex *i) {
        if (!i)
                return NULL;
        free(i->media_type);
        descriptors_clear(&i->manifests);
        free(i);
        return NULL;
}
