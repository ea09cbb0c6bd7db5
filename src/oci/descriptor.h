/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A descriptor (image-spec, descriptor.md): the kind, digest and size of a blob. */
#pragma once

#include "oci/digest.h"
#include "util/json.h"

#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_CONFIG   "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER    "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER    "application/vnd.docker.image.rootfs.diff.tar"

#define OCI_ANNOTATION_REF_NAME        "org.opencontainers.image.ref.name"
#define OCI_ANNOTATION_CONTAINERD_NAME "io.containerd.image.name"

typedef struct OciPlatform {
        char *os, *architecture, *variant; /* NULL: not said */
} OciPlatform;

typedef struct OciDescriptor {
        char *media_type;
        OciDigest digest;
        uint64_t size;
        char **annotations; /* KEY=VALUE */
        OciPlatform platform;
} OciDescriptor;

/* Frees what it holds, not itself. */
void oci_descriptor_clear(OciDescriptor *d);
/* For field tables: the member is an OciDescriptor. */
int json_to_descriptor(json_object *value, void *member);
/* The core of a descriptor as JSON. NULL when out of memory. */
json_object *oci_descriptor_new_json(const char *media_type, const OciDigest *digest, uint64_t size);

typedef enum OciMedia {
        OCI_MEDIA_UNKNOWN,
        OCI_MEDIA_MANIFEST,
        OCI_MEDIA_INDEX,
        OCI_MEDIA_CONFIG,
        OCI_MEDIA_LAYER
} OciMedia;
OciMedia oci_media_from_string(const char *media_type);

/* The architecture of this machine as images name it: "amd64". */
const char *oci_host_architecture(void);
const char *oci_host_variant(void);
/* A platform that says nothing matches. */
bool oci_platform_is_host(const OciPlatform *p);
