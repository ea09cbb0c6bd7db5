#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What bad input gets: one line that says what was tried and why not, Docker's exit code, and nothing left behind.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image busybox
}

teardown() {
        cleanup_containers
        leak_check
}

# refused STATUS PART... -- COMMAND...: and no container is there afterwards.
refused() {
        local expected=()
        while [ "$1" != -- ]; do
                expected+=("$1")
                shift
        done
        shift
        run --separate-stderr "$@"
        assert_line "${expected[@]}" || { printf 'the command: %s\n' "$*"; return 1; }
        [ -z "$(berth ps -aq)" ] || { printf 'a container was made by: %s\n' "$*"; return 1; }
}

@test "a command or flag that is not there" {
        refused 1 "'frobnicate' is not a berth command" -- berth frobnicate
        refused 1 "'container frobnicate' is not a berth command" -- berth container frobnicate
        refused 125 "unknown flag: --frobnicate" "berth --help" -- berth --frobnicate
        refused 125 "unknown flag: --frobnicate" "berth run --help" -- berth run --frobnicate busybox true
        refused 125 "unknown shorthand flag: 'X' in -itX" -- berth run -itX busybox true
        refused 125 "unknown flag: --privileged" -- berth run --privileged busybox true
        refused 125 "unknown flag: --privileged" -- berth exec --privileged c true
        refused 125 "flag needs an argument: --name" -- berth run --name
        refused 1 "requires at least 1 argument" -- berth run
        refused 1 "requires at least 1 argument" -- berth rm
        refused 1 "requires exactly 2 arguments" -- berth tag busybox
        refused 1 "accepts no arguments" -- berth load x
}

@test "help is no error" {
        local verb
        for verb in '' run create exec start stop kill restart rm ps wait logs inspect load import images rmi tag version container image \
                "container ls" "image rm"; do
                # shellcheck disable=SC2086 # two words
                run --separate-stderr berth $verb --help
                assert_status 0
                assert_contains "$output" "Usage: berth $verb"
        done
}

@test "values of options that cannot be" {
        refused 125 'invalid argument "maybe" for "--rm" flag' -- berth run --rm=maybe busybox true
        refused 125 '"ten"' stop-timeout -- berth run --stop-timeout ten busybox true
        refused 125 "-2" -- berth run --stop-timeout -2 busybox true
        refused 125 "Invalid container name (../x)" -- berth run --name ../x busybox true
        refused 125 "Invalid container name" -- berth run --name $'a\nb' busybox true
        refused 125 "invalid hostname" -- berth run -h 'a b' busybox true
        refused 125 "network bridge not found" -- berth run --network bridge busybox true
        refused 125 "network bridge not found" -- berth run --net=bridge busybox true
        refused 125 "invalid signal: NOPE" -- berth run --stop-signal NOPE busybox true
        refused 125 "absolute path" -- berth run -w tmp busybox true
        refused 125 "user 65536 is above 65535" -- berth run -u 65536 busybox true
        refused 125 "name" -- berth run -e =x busybox true
        refused 125 "name" -- berth run -l =x busybox true
        refused 125 "pull" -- berth run --pull sometimes busybox true
        refused 125 "security option" -- berth run --security-opt seccomp=unconfined busybox true
        refused 125 "not valid UTF-8" -- berth run -e A=$'\xff' busybox true
        refused 125 "not valid UTF-8" -- berth run busybox echo $'\xc3'
        refused 125 "/no/such/file" -- berth run --env-file /no/such/file busybox true
        refused 125 "/no/such/file" -- berth run --label-file /no/such/file busybox true
        refused 125 "/no/such/dir/cid" -- berth run --cidfile /no/such/dir/cid busybox true
        refused 125 "invalid hostname" -- berth create -h -x busybox true
}

@test "an argument that is too long for any program" {
        # execve takes 128 KiB, of the command line as well: the value comes from a file.
        head -c 200000 /dev/zero | tr '\0' a | sed 's/^/A=/' >"$BATS_TEST_TMPDIR/env"
        refused 125 "longer than" -- berth run --env-file "$BATS_TEST_TMPDIR/env" busybox true
}

@test "an image that is not there" {
        refused 125 "no-such-image" -- berth run no-such-image true
        refused 125 "no-such-image" -- berth run -d no-such-image true
        refused 125 "no-such-image" -- berth run --pull never no-such-image true
        refused 1 "no-such-image" -- berth create no-such-image true
        refused 1 "no-such-image" -- berth rmi no-such-image
        refused 1 "no-such-image" -- berth tag no-such-image x
        refused 125 "UPPER" -- berth run x/UPPER true
        refused 1 "UPPER" -- berth tag busybox x/UPPER
}

@test "a container that is not there" {
        local verb
        for verb in start stop kill restart rm wait logs; do
                refused 1 "No such container" no-such-container -- berth "$verb" no-such-container
        done
        refused 1 "No such container" -- berth exec no-such-container true
        refused 1 "No such container" -- berth start -a no-such-container
        # As docker: -f says it, and is content.
        run --separate-stderr berth rm -f no-such-container
        assert_line 0 "No such container"
}

# D-Bus has no answer for a text that is not UTF-8: whoever waits for one would wait for ever.
@test "names that are not UTF-8, and one that is cut within a character" {
        local cut
        cut=$(printf 'a%.0s' {1..127})é
        refused 1 "No such container: caf?" -- timeout 60 berth stop $'caf\xe9'
        refused 1 "No such container: aaaa" -- timeout 60 berth attach "$cut"
        refused 1 "No such container: aaaa" -- timeout 60 berth stop "$cut"
        run -127 --separate-stderr timeout 60 berth run --rm busybox "/$(printf 'éé/%.0s' {1..150})x"
        assert_line 127 "éé/éé"
}

@test "of several names each is tried" {
        berth create --name one busybox true >/dev/null
        berth create --name two busybox true >/dev/null
        run --separate-stderr berth rm one no-such-container two
        assert_status 1
        assert_output $'one\ntwo'
        assert_contains "$stderr" no-such-container
}

@test "a name in use" {
        berth create --name taken busybox true >/dev/null
        run --separate-stderr berth run --name taken busybox true
        assert_line 125 taken
        run --separate-stderr berth create --name taken busybox true
        assert_line 1 taken
        assert_equal "$(berth ps -aq | wc -l)" 1
}

@test "a user that is not there" {
        run --separate-stderr berth run --rm -u no-such-user busybox true
        assert_contains "$stderr" no-such-user
        assert_equal "$(wc -l <<<"$stderr")" 1
        [ "$status" = 125 ] || [ "$status" = 126 ]
        run --separate-stderr berth run --rm -u root:no-such-group busybox true
        assert_contains "$stderr" no-such-group
        assert_equal "$(wc -l <<<"$stderr")" 1
        [ -z "$(berth ps -aq)" ]
}

@test "what is in the way of a verb" {
        berth run -d --name busy busybox sleep 1000 >/dev/null
        run --separate-stderr berth rm busy
        assert_line 1 busy
        run --separate-stderr berth rmi busybox
        assert_line 1 busybox
        run --separate-stderr berth kill -s NOPE busy
        assert_line 1 NOPE
        run --separate-stderr berth stop -s NOPE busy
        assert_line 1 NOPE
        container_has_state busy running
        run --separate-stderr berth stop -t 0 busy
        assert_status 0
        run --separate-stderr berth kill busy
        assert_line 1 "not running"
        run --separate-stderr berth stop busy
        assert_status 0
}

@test "a terminal that is not there" {
        refused 1 "the input device is not a TTY" -- berth run -it busybox true </dev/null
        refused 1 "the input device is not a TTY" -- berth exec -it x true </dev/null
}

# --- Archives ---

# docker_archive FILE LAYER [ID-OF-LAYER [ARCHITECTURE]]: what docker save would write, with this file as the only layer.
docker_archive() {
        local dir diff
        dir=$(mktemp -d "$BATS_TEST_TMPDIR/archive.XXXXXX")
        cp "$2" "$dir/layer.tar"
        diff=${3:-$(sha256sum <"$2" | cut -d ' ' -f 1)}
        printf '{"architecture":"%s","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
                "${4:-amd64}" "$diff" >"$dir/config.json"
        printf '[{"Config":"config.json","RepoTags":["bad:latest"],"Layers":["layer.tar"]}]' >"$dir/manifest.json"
        tar -C "$dir" -cf "$1" config.json manifest.json layer.tar
}

# no_image_from COMMAND...: it fails with one line, and no image and no layer has come of it.
no_image_from() {
        local before after
        before=$(berth images -aq --no-trunc; ls /var/lib/berth/layers)
        run --separate-stderr "$@"
        assert_line 1 || return 1
        after=$(berth images -aq --no-trunc; ls /var/lib/berth/layers)
        assert_equal "$after" "$before" && leak_check
}

@test "an archive that is not there, or none" {
        local file=$BATS_TEST_TMPDIR/file
        refused 1 "/no/such/file" -- berth load -i /no/such/file
        refused 1 "/no/such/file" -- berth import /no/such/file x
        refused 1 "directory" -- berth load -i /etc
        : >"$file"
        no_image_from berth load -i "$file"
        head -c 100000 /dev/urandom >"$file"
        no_image_from berth load -i "$file"
        no_image_from berth import "$file" bad
        echo '<html>404</html>' >"$file"
        no_image_from berth load -i "$file"
        no_image_from bash -c 'berth load </dev/null'
}

@test "an archive that was cut off" {
        local file=$BATS_TEST_TMPDIR/file
        docker_archive "$file" "$(busybox_rootfs)"
        truncate -s 700000 "$file"
        no_image_from berth load -i "$file"
        gzip -c "$(busybox_rootfs)" | head -c 300000 >"$file"
        no_image_from berth import "$file" bad
}

@test "a layer whose digest does not match" {
        local file=$BATS_TEST_TMPDIR/file
        docker_archive "$file" "$(busybox_rootfs)" "$(printf '0%.0s' {1..64})"
        no_image_from berth load -i "$file"
        assert_contains "$stderr" "sha256:0000"
}

@test "a layer that climbs out of its directory" {
        local dir=$BATS_TEST_TMPDIR/layer file=$BATS_TEST_TMPDIR/file
        mkdir -p "$dir/in"
        echo evil >"$dir/berth-evil"
        tar -C "$dir/in" -P -cf "$BATS_TEST_TMPDIR/layer.tar" ../berth-evil
        docker_archive "$file" "$BATS_TEST_TMPDIR/layer.tar"
        no_image_from berth load -i "$file"
        # Through a symlink that the same layer brings.
        ln -s /srv/test "$dir/in/out"
        tar -C "$dir/in" -cf "$BATS_TEST_TMPDIR/layer.tar" out
        rm "$dir/in/out"
        mkdir "$dir/in/out"
        echo evil >"$dir/in/out/berth-evil"
        tar -C "$dir/in" -rf "$BATS_TEST_TMPDIR/layer.tar" out/berth-evil
        docker_archive "$file" "$BATS_TEST_TMPDIR/layer.tar"
        berth load -q -i "$file" >/dev/null 2>&1 || true
        [ ! -e /srv/test/berth-evil ]
        [ -z "$(find /var/lib/berth /srv/test -maxdepth 2 -name berth-evil)" ]
        berth rmi -f bad:latest >/dev/null 2>&1 || true
}

@test "instructions of import that cannot be" {
        local change
        for change in 'FROM x' 'RUN true' 'ENV' 'EXPOSE notaport' 'NOPE x'; do
                no_image_from berth import -c "$change" "$(busybox_rootfs)" bad
        done
        no_image_from berth import "$(busybox_rootfs)" 'Not A Reference'
}

@test "a disk that is full" {
        local file=$BATS_TEST_TMPDIR/file
        systemctl stop berthd.service
        mount -t tmpfs -o size=300k tmpfs /var/lib/berth/staging
        run --separate-stderr berth import "$(busybox_rootfs)" full
        systemctl stop berthd.service
        umount /var/lib/berth/staging
        assert_line 1
        assert_contains "${stderr,,}" "space"
        [ -z "$(berth images -q full)" ]
}

@test "a disk that is full when a container starts" {
        local id state=/var/lib/berth/containers
        id=$(berth create --name full busybox true)
        systemctl stop berthd.service
        cp -a "$state" "$BATS_TEST_TMPDIR/kept"
        mount -t tmpfs -o size=64k,nr_inodes=100 tmpfs "$state"
        cp -a "$BATS_TEST_TMPDIR/kept/." "$state"
        # Until there is no room for one more file. In the container's own layer, since strays are swept away.
        local i=0
        while : >"$state/$id/upper/filler$i"; do i=$((i + 1)); done 2>/dev/null
        run --separate-stderr berth start -a full
        systemctl stop berthd.service
        umount "$state"
        assert_status 125
        assert_contains "$stderr" full
        [[ $stderr == *space* || $stderr == *"disk"* ]]
        berth rm full
}

@test "an archive that is refused is no failure of the host" {
        head -c 1000 /dev/urandom >"$BATS_TEST_TMPDIR/noise"
        run berth load -i "$BATS_TEST_TMPDIR/noise"
        assert_status 1
        journalctl --sync
        assert_equal "$(journalctl -q -o cat -p warning UNIT_RESULT=exit-code | grep -c berth-unpack)" 0
        assert_equal "$(journalctl -q -o cat -p warning _PID=1 | grep -c berth-unpack)" 0
}

# --- A host that lacks something ---

@test "a bus that is not there" {
        DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no/such/socket run --separate-stderr berth run busybox true
        assert_line 125 "system bus"
        DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no/such/socket run --separate-stderr berth ps
        assert_line 1 "system bus"
}

# hold_connections N: as many of this user to the bus, until its stdin ends; prints a line when they stand, or as many as can be.
hold_connections() {
        python3 -c '
import ctypes, sys
sd, held, name = ctypes.CDLL("libsystemd.so.0"), [], ctypes.c_char_p()
for i in range(int(sys.argv[1])):
    bus = ctypes.c_void_p()
    if sd.sd_bus_open_system(ctypes.byref(bus)) < 0 or sd.sd_bus_get_unique_name(bus, ctypes.byref(name)) < 0:
        break
    held.append(bus)
print(len(held), flush=True)
sys.stdin.read()' "$1"
}

@test "a bus that takes no more connections: it is tried again, and in the end said" {
        coproc HOLDER { hold_connections 300 3>&- 4>&-; }
        read -r held <&"${HOLDER[0]}"
        [ "$held" -lt 300 ] || skip "this bus takes more than 300"
        berth ps -aq >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
        client=$!
        run --separate-stderr berth ps
        assert_line 1 "takes no more connections"
        wait "$client" || true
        berth run --rm busybox echo after >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
        client=$!
        sleep 0.3 # for it to have been turned away
        eval "exec ${HOLDER[1]}>&-"
        wait "$client"
        assert_equal "$(cat "$BATS_TEST_TMPDIR/out")" after
}

@test "a bus that drops newcomers before they have said hello: they come again" {
        # As dbus-daemon does with the oldest when 64 are on their way in, and with who takes more than five seconds for it.
        timeout 60 python3 -c '
import socket, sys, threading
bus = socket.socket(socket.AF_UNIX)
bus.bind(sys.argv[1])
bus.listen()
def copy(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
for n in range(5):
    client = bus.accept()[0]
    if n < 4:
        client.recv(1)
        client.close()
        continue
    real = socket.socket(socket.AF_UNIX)
    real.connect("/run/dbus/system_bus_socket")
    threading.Thread(target=copy, args=(real, client)).start()
    copy(client, real)' "$BATS_TEST_TMPDIR/bus" 3>&- 4>&- &
        wait_until test -S "$BATS_TEST_TMPDIR/bus"
        DBUS_SYSTEM_BUS_ADDRESS=unix:path=$BATS_TEST_TMPDIR/bus run berth images -q busybox
        assert_status 0
        assert_equal "$output" "$(berth images -q busybox)"
}

@test "a machine without systemd" {
        run --separate-stderr unshare -m sh -c 'mount -t tmpfs tmpfs /run && exec berth run busybox true'
        assert_line 125 "systemd does not run this machine"
        run --separate-stderr unshare -m sh -c 'mount -t tmpfs tmpfs /run && exec berth rm x'
        assert_line 1 "systemd does not run this machine"
}

@test "a berthd that cannot be started" {
        systemctl mask --runtime --now berthd.socket berthd.service 2>/dev/null
        run --separate-stderr berth run busybox true
        systemctl unmask --runtime berthd.socket berthd.service 2>/dev/null
        systemctl start berthd.socket
        assert_line 125 berthd
        run --separate-stderr berth run --rm busybox echo again
        assert_output again
}

@test "an image with ids that no container has" {
        local dir=$BATS_TEST_TMPDIR/tree
        mkdir -p "$dir"
        echo x >"$dir/file"
        tar -C "$dir" --owner=70000 --group=0 -cf "$BATS_TEST_TMPDIR/far.tar" file
        berth import "$BATS_TEST_TMPDIR/far.tar" far:1
        refused 125 "user or group 70000" 65535 -- berth run far:1 true
        berth rmi far:1
}

@test "load names the images as they are given to run" {
        berth tag busybox shown:1
        command -v skopeo >/dev/null || skip "skopeo is not there"
        skopeo copy -q oci:/var/lib/berth/oci:docker.io/library/shown:1 docker-archive:"$BATS_TEST_TMPDIR/a.tar":shown:1
        run berth load -q -i "$BATS_TEST_TMPDIR/a.tar"
        [ "$output" = "Loaded image: shown:1" ]
        berth rmi shown:1
}

@test "an image for other machines: a warning in Docker's words, once, and it is tried" {
        local warning
        docker_archive "$BATS_TEST_TMPDIR/vax.tar" "$(busybox_rootfs)" '' vax
        berth load -i "$BATS_TEST_TMPDIR/vax.tar" >/dev/null
        warning="WARNING: The requested image's platform (linux/vax) does not match the detected host platform"
        warning+=" (linux/$(dpkg --print-architecture)) and no specific platform was requested"
        run --separate-stderr berth run --rm bad:latest echo runs
        assert_status 0
        assert_output runs
        assert_equal "$stderr" "$warning"
        run --separate-stderr berth create bad:latest true
        assert_status 0
        assert_equal "$stderr" "$warning"
        run --separate-stderr berth create busybox true
        assert_equal "$stderr" ''
}
