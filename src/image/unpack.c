/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-unpack: the worker that touches what came from outside. It runs in a transient unit of its own, can write to
 * its staging directory alone, reads an archive or a layer from stdin and writes one JSON report to stdout. */
#include "image/unpack.h"

int main(int argc, char **argv) {
        return unpack_run(argc, argv);
}
