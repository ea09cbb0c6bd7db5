/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors, media types and platforms: see descriptor.h. */
#include <sys/utsname.h>

#include "oci/descriptor.h"
#include "util/strv.h"

static const JsonField platform_fields[] = {
        JSON_FIELD(OciPlatform, os,           "os",           json_to_string, 0),
        JSON_FIELD(OciPlatform, architecture, "architecture", json_to_string, 0),
        JSON_FIELD(OciPlatform, variant,      "variant",      json_to_string, 0),
};

static int json_to_platform(json_object *value, void *member) {
        return json_read_fields(value, platform_fields, N_ELEMENTS(platform_fields), member, NULL);
}

static const JsonField descriptor_fields[] = {
        JSON_FIELD(OciDescriptor, media_type,  "mediaType",   json_to_string,   0),
        JSON_FIELD(OciDescriptor, digest,      "digest",      json_to_digest,   JSON_REQUIRED),
        JSON_FIELD(OciDescriptor, size,        "size",        json_to_u64,      JSON_REQUIRED),
        JSON_FIELD(OciDescriptor, annotations, "annotations", json_to_map,      0),
        JSON_FIELD(OciDescriptor, platform,    "platform",    json_to_platform, 0),
};

int json_to_descriptor(json_object *value, void *member) {
        OciDescriptor d = { 0 };
        int r = json_read_fields(value, descriptor_fields, N_ELEMENTS(descriptor_fields), &d, NULL);

        if (r < 0) {
                oci_descriptor_clear(&d);
                return r;
        }
        oci_descriptor_clear(member);
        *(OciDescriptor *) member = d;
        return 0;
}

void oci_descriptor_clear(OciDescriptor *d) {
        free(d->media_type);
        strv_free(d->annotations);
        free(d->platform.os);
        free(d->platform.architecture);
        free(d->platform.variant);
        *d = (OciDescriptor){ 0 };
}

json_object *oci_descriptor_new_json(const char *media_type, const OciDigest *digest, uint64_t size) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_add_string(o, "mediaType", media_type) < 0 || json_add_string(o, "digest", digest->text) < 0 ||
            json_add_object(o, "size", json_object_new_uint64(size)) < 0)
                return NULL;
        return TAKE(o);
}

OciMedia oci_media_from_string(const char *media_type) {
        static const struct {
                const char *name;
                OciMedia media;
        } table[] = {
                { MEDIA_OCI_MANIFEST,           OCI_MEDIA_MANIFEST },
                { MEDIA_DOCKER_MANIFEST,        OCI_MEDIA_MANIFEST },
                { MEDIA_OCI_INDEX,              OCI_MEDIA_INDEX    },
                { MEDIA_DOCKER_LIST,            OCI_MEDIA_INDEX    },
                { MEDIA_OCI_CONFIG,             OCI_MEDIA_CONFIG   },
                { MEDIA_DOCKER_CONFIG,          OCI_MEDIA_CONFIG   },
                { MEDIA_OCI_LAYER,              OCI_MEDIA_LAYER    },
                { MEDIA_OCI_LAYER "+gzip",      OCI_MEDIA_LAYER    },
                { MEDIA_OCI_LAYER "+zstd",      OCI_MEDIA_LAYER    },
                { MEDIA_DOCKER_LAYER,           OCI_MEDIA_LAYER    },
                { MEDIA_DOCKER_LAYER ".gzip",   OCI_MEDIA_LAYER    },
                { MEDIA_DOCKER_LAYER ".zstd",   OCI_MEDIA_LAYER    },
        };

        for (size_t i = 0; i < N_ELEMENTS(table); i++)
                if (streq_null(media_type, table[i].name))
                        return table[i].media;
        return OCI_MEDIA_UNKNOWN;
}

static const struct {
        const char *machine, *architecture, *variant;
} machines[] = {
        { "x86_64",      "amd64",   NULL },
        { "aarch64",     "arm64",   "v8" },
        { "armv7l",      "arm",     "v7" },
        { "armv6l",      "arm",     "v6" },
        { "i686",        "386",     NULL },
        { "i586",        "386",     NULL },
        { "ppc64le",     "ppc64le", NULL },
        { "s390x",       "s390x",   NULL },
        { "riscv64",     "riscv64", NULL },
        { "mips64",      "mips64le", NULL },
        { "loongarch64", "loong64", NULL },
};

static size_t host_row(void) {
        struct utsname u;

        if (uname(&u) >= 0)
                for (size_t i = 0; i < N_ELEMENTS(machines); i++)
                        if (streq(u.machine, machines[i].machine))
                                return i;
        return 0;
}

const char *oci_host_architecture(void) {
        return machines[host_row()].architecture;
}

const char *oci_host_variant(void) {
        return machines[host_row()].variant;
}

bool oci_platform_is_host(const OciPlatform *p) {
        const char *variant = oci_host_variant();

        if (p->os && !streq(p->os, "linux"))
                return false;
        if (p->architecture && !streq(p->architecture, oci_host_architecture()))
                return false;
        return !p->variant || !p->variant[0] || !variant || streq(p->variant, variant);
}
