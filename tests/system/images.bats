#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Images: what other tools' archives become, what import makes, names, removal, and what is refused.

load helpers

setup_file() {
        export PARTS=/srv/test/images
        mkdir -p "$PARTS"
        make_busybox_image source:1
        # An image-layout is what other tools read: skopeo makes every kind of archive from berth's own store.
        cp -r /var/lib/berth/oci "$PARTS/layout"
        export LAYOUT="oci:$PARTS/layout:docker.io/library/source:1"
        SOURCE_ID=$(image_id source:1)
        export SOURCE_ID
        berth rmi source:1 >/dev/null
        echo untouched >/srv/test/canary
}

teardown() {
        remove_images
        [ -z "${STORE_BEFORE:-}" ] || assert_equal "$(store_content)" "$STORE_BEFORE"
}

teardown_file() {
        stop_docker
        leak_check
}

image_id() {
        berth inspect --format '{{.Id}}' "$1"
}

remove_images() {
        local ids
        mapfile -t ids < <(berth images -aq --no-trunc | sort -u)
        [ ${#ids[@]} -eq 0 ] || berth rmi -f "${ids[@]}" >/dev/null
}

# Everything in the store that is not on its way out.
store_content() {
        (cd /var/lib/berth && find images layers oci staging ! -name index.json -printf '%y %p\n' | sort)
}

archive() {
        local file=${1#*:}
        rm -f "${file%%:*}"
        skopeo copy -q --insecure-policy "$LAYOUT" "$1"
}

# The image came in whole: same id, its files are there.
assert_is_source() {
        assert_equal "$(image_id "$1")" "$SOURCE_ID"
        run berth run --rm --network none "$1" cat /www/index.html
        assert_equal "$output" '<h1>It works.</h1>'
}

@test "load: an archive as docker writes it, made by skopeo" {
        archive "docker-archive:$PARTS/d.tar:web:1"
        run --separate-stderr berth load -i "$PARTS/d.tar"
        assert_status 0
        assert_contains "$output" "web:1"
        assert_is_source web:1
}

@test "load: an OCI archive, made by skopeo" {
        archive "oci-archive:$PARTS/o.tar:h.example/web:2"
        run --separate-stderr berth load -i "$PARTS/o.tar"
        assert_status 0
        assert_contains "$output" "h.example/web:2"
        assert_is_source h.example/web:2
}

@test "load: compressed, and through a pipe" {
        archive "docker-archive:$PARTS/p.tar:web:1"
        gzip -c "$PARTS/p.tar" | berth load
        assert_is_source web:1
        remove_images
        zstd -qc "$PARTS/p.tar" | berth load
        assert_is_source web:1
        remove_images
        # shellcheck disable=SC2002 # a pipe cannot be sought in
        cat "$PARTS/p.tar" | berth load
        assert_is_source web:1
        remove_images
        gzip -kf "$PARTS/p.tar"
        berth load -i "$PARTS/p.tar.gz"
        assert_is_source web:1
}

@test "load: what docker save writes" {
        start_docker
        archive "docker-archive:$PARTS/s.tar:web:1"
        docker load -q -i "$PARTS/s.tar"
        docker tag web:1 other/web:2
        docker save -o "$PARTS/saved.tar" web:1 other/web:2
        run --separate-stderr berth load -i "$PARTS/saved.tar"
        assert_status 0
        assert_is_source web:1
        assert_equal "$(image_id other/web:2)" "$(docker image inspect --format '{{.Id}}' web:1)"
}

@test "load: what podman save writes, in both formats" {
        command -v podman >/dev/null || skip "podman is not installed"
        archive "docker-archive:$PARTS/podman.tar:web:1"
        podman --root "$PARTS/podman" --runroot /run/test-podman --storage-driver vfs load -q -i "$PARTS/podman.tar" || \
                skip "podman cannot load here"
        for format in docker-archive oci-archive; do
                rm -f "$PARTS/saved.tar"
                podman --root "$PARTS/podman" --runroot /run/test-podman --storage-driver vfs save -q --format "$format" \
                        -o "$PARTS/saved.tar" web:1
                berth load -i "$PARTS/saved.tar"
                run berth images -q --no-trunc
                assert_contains "$output" "sha256:"
                run berth run --rm --network none "$output" cat /www/index.html
                assert_equal "$output" '<h1>It works.</h1>'
                remove_images
        done
}

@test "load: an index of several platforms gives the host's image" {
        umoci init --layout "$PARTS/multi"
        cp -rn "$PARTS"/layout/blobs "$PARTS/multi/"
        manifest=$(jq -c '.manifests[0] | del(.annotations)' "$PARTS/layout/index.json")
        arch=$(dpkg --print-architecture)
        index=$(jq -nc --argjson m "$manifest" --arg arch "$arch" '{schemaVersion: 2, manifests: [
                ($m + {digest: ("sha256:" + "0" * 64), platform: {os: "linux", architecture: "vax"}}),
                ($m + {platform: {os: "linux", architecture: $arch}})]}')
        hex=$(printf %s "$index" | sha256sum | cut -d' ' -f1)
        printf %s "$index" >"$PARTS/multi/blobs/sha256/$hex"
        jq -nc --arg d "sha256:$hex" --argjson size "${#index}" '{schemaVersion: 2, manifests: [{
                mediaType: "application/vnd.oci.image.index.v1+json", digest: $d, size: $size,
                annotations: {"org.opencontainers.image.ref.name": "multi:1"}}]}' >"$PARTS/multi/index.json"
        tar -C "$PARTS/multi" -cf "$PARTS/multi.tar" .
        berth load -i "$PARTS/multi.tar"
        assert_is_source multi:1
}

@test "import: every change is in the image" {
        run --separate-stderr berth import -c 'CMD echo $HOME' -c 'ENTRYPOINT ["/bin/sh", "-c"]' -c 'ENV A=1 B="two words"' \
                -c 'WORKDIR /www' -c 'USER app' -c 'EXPOSE 80 53/udp' -c 'LABEL one=1' -c 'VOLUME /data' -c 'STOPSIGNAL SIGINT' \
                "$(busybox_rootfs)" changed
        assert_status 0
        assert_equal "$(image_id changed)" "$output"
        run berth inspect --format '{{json .Config}}' changed
        assert_equal "$(jq -cS . <<<"$output")" "$(jq -cS . <<'END'
{"User": "app", "ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "Env": ["A=1", "B=two words"], "Entrypoint": ["/bin/sh", "-c"],
 "Cmd": ["/bin/sh", "-c", "echo $HOME"], "Volumes": {"/data": {}}, "WorkingDir": "/www", "StopSignal": "SIGINT", "Labels": {"one": "1"}}
END
)"
}

@test "import: from stdin, compressed, without a name" {
        gzip -c "$(busybox_rootfs)" | berth import - packed:gz
        zstd -qc "$(busybox_rootfs)" | berth import - packed:zst
        run --separate-stderr berth import - <"$(busybox_rootfs)"
        assert_status 0
        assert_equal "$(image_id "$output")" "$output"
        # one content, three blobs, one layer
        assert_equal "$(find /var/lib/berth/layers -mindepth 1 -maxdepth 1 | wc -l)" 1
        assert_equal "$(berth inspect --format '{{json .RootFS.Layers}}' packed:gz)" \
                "$(berth inspect --format '{{json .RootFS.Layers}}' packed:zst)"
}

@test "import: owners, modes, links and times of the tree" {
        berth import "$(busybox_rootfs)" tree
        layer=$(echo /var/lib/berth/layers/*/diff)
        mkdir "$BATS_TEST_TMPDIR/tree"
        tar -C "$BATS_TEST_TMPDIR/tree" --numeric-owner -xpf "$(busybox_rootfs)"
        list='%P %y %m %U:%G %n %T@ %l\n'
        diff <(cd "$layer" && find . -printf "$list" | sort) <(cd "$BATS_TEST_TMPDIR/tree" && find . -printf "$list" | sort)
        diff -r --no-dereference "$layer" "$BATS_TEST_TMPDIR/tree"
}

@test "the store is an image-layout that other tools read" {
        berth import -c 'CMD ["/bin/sh"]' "$(busybox_rootfs)" mine:1
        run skopeo inspect --config oci:/var/lib/berth/oci:docker.io/library/mine:1
        assert_status 0
        assert_contains "$output" '"Cmd"'
        rm -f "$PARTS/back.tar"
        skopeo copy -q --insecure-policy oci:/var/lib/berth/oci:docker.io/library/mine:1 "docker-archive:$PARTS/back.tar:back:1"
        berth load -i "$PARTS/back.tar"
        assert_equal "$(image_id back:1)" "$(image_id mine:1)"
}

@test "tag and rmi: a name moves, the last one takes the image along, shared layers stay" {
        make_busybox_image one:1
        make_busybox_image two:1 'LABEL a=b'
        berth tag one:1 one:2
        berth tag two:1 one:2
        assert_equal "$(image_id one:2)" "$(image_id two:1)"
        run --separate-stderr berth rmi one:1
        assert_status 0
        assert_contains "$output" "Untagged: one:1"
        assert_contains "$output" "Deleted: sha256:"
        run berth run --rm --network none two:1 cat /www/index.html
        assert_equal "$output" '<h1>It works.</h1>'
        berth rmi two:1
        assert_equal "$(berth images -q)" "$(image_id one:2 | cut -c8-19)"
        berth rmi one:2
        assert_equal "$(find /var/lib/berth/layers /var/lib/berth/oci/blobs/sha256 /var/lib/berth/images -mindepth 1 | wc -l)" 0
}

has_image_id() {
        [ "$(image_id "$1")" = "$2" ]
}

@test "images survive the end of berthd" {
        make_busybox_image lasting:1
        id=$(image_id lasting:1)
        systemctl kill -s KILL berthd.service
        wait_until has_image_id lasting:1 "$id" # a call that the dying one had taken is not answered
        systemctl restart berthd.service
        run berth run --rm --network none lasting:1 true
        assert_status 0
}

@test "berthd dies while an archive comes in: nothing of it stays" {
        archive "docker-archive:$PARTS/k.tar:web:1"
        STORE_BEFORE=$(store_content)
        mkfifo "$BATS_TEST_TMPDIR/slow"
        berth load <"$BATS_TEST_TMPDIR/slow" 3>&- 4>&- &
        client=$!
        exec 8>"$BATS_TEST_TMPDIR/slow"
        head -c 100000 "$PARTS/k.tar" >&8
        wait_until sh -c 'ls -d /var/lib/berth/staging/*/blobs'
        systemctl kill -s KILL berthd.service
        exec 8>&-
        run wait "$client"
        [ "$status" -ne 0 ]
        berth images
        wait_until sh -c '[ -z "$(ls /var/lib/berth/staging)" ]'
}

worker() {
        systemctl list-units --plain --no-legend --state=activating 'berth-unpack-*' | cut -d ' ' -f 1
}

worker_runs() {
        [ -n "$(worker)" ]
}

# It is root: a socket would be root's on the message bus, a signal root's, too.
@test "a worker has no sockets, signals nobody, and cannot change /dev" {
        mkfifo "$BATS_TEST_TMPDIR/slow"
        berth load <"$BATS_TEST_TMPDIR/slow" 3>&- 4>&- &
        client=$!
        exec 8>"$BATS_TEST_TMPDIR/slow"
        wait_until worker_runs
        unit=$(worker)
        filter=" $(systemctl show -P SystemCallFilter "$unit") "
        assert_contains "$filter" " openat "
        for call in socket socketpair connect sendmsg kill tgkill pidfd_send_signal process_vm_writev setuid ptrace bpf mount; do
                assert_lacks "$filter" " $call "
        done
        assert_equal "$(busctl get-property org.freedesktop.systemd1 "$(busctl call org.freedesktop.systemd1 \
                /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager GetUnit s "$unit" | cut -d '"' -f 2)" \
                org.freedesktop.systemd1.Service RestrictAddressFamilies)" "(bas) true 0"
        assert_equal "$(systemctl show -P ReadOnlyPaths "$unit")" /dev
        exec 8>&-
        run wait "$client"
        [ "$status" -ne 0 ]
}

@test "errors are one line that says what and why" {
        run --separate-stderr berth load -i /nowhere
        assert_line 1 /nowhere "No such file"
        run --separate-stderr berth load -i "$(busybox_rootfs)"
        assert_line 1 manifest.json import
        run --separate-stderr berth import "$(busybox_rootfs)" Upper:1
        assert_line 1 Upper "lower case"
        run --separate-stderr berth import -c 'RUN x' "$(busybox_rootfs)" x
        assert_line 1 'RUN x'
        run --separate-stderr berth rmi nope
        assert_line 1 nope
        run --separate-stderr berth tag nope a
        assert_line 1 nope
        make_busybox_image here
        run --separate-stderr berth tag here 'a@sha256:1'
        assert_line 1 sha256
}

@test "hostile archives: each is refused or harmless, and leaves nothing" {
        "$BATS_TEST_DIRNAME/../hostile/make" "$PARTS/hostile"
        STORE_BEFORE=$(store_content)
        for file in "$PARTS"/hostile/*/*/*.tar; do
                verb=$(basename "$(dirname "$(dirname "$file")")")
                outcome=$(basename "$(dirname "$file")")
                if [ "$verb" = load ]; then
                        run --separate-stderr berth load -i "$file"
                else
                        run --separate-stderr berth import "$file" hostile
                fi
                if [ "$outcome" = refused ]; then
                        assert_line 1 || fail "$file"
                        assert_equal "$(store_content)" "$STORE_BEFORE" || fail "$file"
                fi
                assert_equal "$(cat /srv/test/canary) $(stat -c %h /srv/test/canary)" "untouched 1" || fail "$file"
                assert_equal "$(ls /var/lib/berth/staging)" "" || fail "$file"
                remove_images
        done
}
