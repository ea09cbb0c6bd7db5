# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For files whose tests need no more than containers of the image busybox: it is made before the first test, containers are removed
# after each, and at the end nothing may be left. `load busybox` instead of `load helpers`.

load "$(dirname "${BASH_SOURCE[0]}")/helpers"

setup_file() {
        make_busybox_image busybox
}

teardown() {
        cleanup_containers
}

teardown_file() {
        cleanup_containers
        leak_check
}
