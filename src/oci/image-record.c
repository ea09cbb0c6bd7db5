/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image records: see image-record.h. */
#include "oci/image-record.h"

static json_object *layer_new(const OciDescriptor *d, const OciDigest *diff_id, const OciDigest *chain_id) {
        _cleanup_json_ json_object *o = oci_descriptor_new_json(d->media_type, &d->digest, d->size);

        if (!o || json_add_string(o, "diffId", diff_id->text) < 0 || json_add_string(o, "chainId", chain_id->text) < 0)
                return NULL;
        return TAKE(o);
}

json_object *oci_image_record_new(const OciDescriptor *manifest_descriptor, const OciManifest *manifest,
                                  const OciImageConfig *config, const OciDigest *chain_ids) {
        _cleanup_json_ json_object *o = json_object_new_object(), *layers = json_object_new_array();

        if (!o || !layers)
                return NULL;
        for (size_t i = 0; i < manifest->layers.n; i++) {
                json_object *layer = layer_new(&manifest->layers.items[i], &config->diff_ids[i], &chain_ids[i]);
                if (!layer || json_object_array_add(layers, layer) < 0) {
                        json_object_put(layer);
                        return NULL;
                }
        }
        if (json_add_string(o, "id", manifest->config.digest.text) < 0 ||
            json_add_object(o, "manifest",
                            oci_descriptor_new_json(manifest_descriptor->media_type, &manifest_descriptor->digest,
                                                    manifest_descriptor->size)) < 0 ||
            json_add_string(o, "created", config->created) < 0 ||
            json_add_string(o, "architecture", config->architecture) < 0 ||
            json_add_string(o, "variant", config->variant) < 0 || json_add_string(o, "os", config->os) < 0 ||
            json_add_string(o, "author", config->author) < 0 || json_add_object(o, "layers", TAKE(layers)) < 0 ||
            json_add_object(o, "config", oci_run_config_to_json(&config->config)) < 0 ||
            json_add_object(o, "history", oci_history_to_json(config)) < 0)
                return NULL;
        return TAKE(o);
}

static const JsonField layer_fields[] = {
        JSON_FIELD(OciRecordLayer, digest,   "digest",  json_to_digest, JSON_REQUIRED),
        JSON_FIELD(OciRecordLayer, diff_id,  "diffId",  json_to_digest, JSON_REQUIRED),
        JSON_FIELD(OciRecordLayer, chain_id, "chainId", json_to_digest, JSON_REQUIRED),
        JSON_FIELD(OciRecordLayer, size,     "size",    json_to_u64,    JSON_REQUIRED),
};

/* The member is the whole record. */
static int to_layers(json_object *value, void *member) {
        OciImageRecord *r = member;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        size_t n = json_object_array_length(value);
        if (n > OCI_LAYERS_MAX)
                return -E2BIG;
        free(r->layers);
        r->n_layers = 0;
        r->layers = calloc(n + 1, sizeof(OciRecordLayer));
        if (!r->layers)
                return -ENOMEM;
        r->n_layers = n;
        for (size_t i = 0; i < n; i++) {
                int e = json_read_fields(json_object_array_get_idx(value, i), layer_fields, N_ELEMENTS(layer_fields),
                                         &r->layers[i], NULL);
                if (e < 0)
                        return e;
        }
        return 0;
}

static const JsonField record_fields[] = {
        JSON_FIELD(OciImageRecord, id,       "id",       json_to_digest,     JSON_REQUIRED),
        JSON_FIELD(OciImageRecord, manifest, "manifest", json_to_descriptor, JSON_REQUIRED),
        JSON_FIELD(OciImageRecord, created,  "created",  json_to_string,     0),
        JSON_FIELD(OciImageRecord, size,     "size",     json_to_u64,        0),
        { "layers", 0, to_layers, JSON_REQUIRED },
};

int oci_image_record_read(json_object *record, OciImageRecord **ret, const char **ret_where) {
        _cleanup_(oci_image_record_freep) OciImageRecord *r = calloc(1, sizeof(OciImageRecord));
        int e;

        if (!r)
                return -ENOMEM;
        e = json_read_fields(record, record_fields, N_ELEMENTS(record_fields), r, ret_where);
        if (e < 0)
                return e;
        *ret = TAKE(r);
        return 0;
}

OciImageRecord *oci_image_record_free(OciImageRecord *r) {
        if (!r)
                return NULL;
        oci_descriptor_clear(&r->manifest);
        free(r->created);
        free(r->layers);
        free(r);
        return NULL;
}
