#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What scripts read: ps, images, inspect, version, with their filters and formats.

# shellcheck disable=SC2154 # stderr is bats'
load helpers

setup_file() {
        make_busybox_image listed 'LABEL from=image'
        make_busybox_image localhost:5000/team/app:v1
}

teardown() {
        cleanup_containers
}

teardown_file() {
        local ids
        cleanup_containers
        mapfile -t ids < <(berth images -q -f label=from)
        berth rmi -f "${ids[@]}" >/dev/null
        leak_check
}

@test "ps: the running ones, -a: all, -q, -n, -l, newest first" {
        berth run -d --name up listed sleep 1000 >/dev/null
        berth run --name ended listed sh -c 'exit 3' || true
        berth create --name new listed true >/dev/null
        run --separate-stderr berth ps
        assert_equal "$(wc -l <<<"$output")" 2
        [[ ${lines[0]} =~ ^CONTAINER\ ID\ \ \ IMAGE\ +COMMAND\ +CREATED\ +STATUS\ +PORTS\ +NAMES$ ]]
        [[ ${lines[1]} =~ ^[0-9a-f]{12}\ \ \ listed\ +\"sleep\ 1000\"\ .*\ ago\ +Up\ .*\ up$ ]]
        run --separate-stderr berth ps -a --format '{{.Names}} {{.State}} {{.Status}}'
        assert_equal "${lines[0]}" 'new created Created'
        [[ ${lines[1]} =~ ^ended\ exited\ Exited\ \(3\)\ .*\ ago$ ]]
        [[ ${lines[2]} =~ ^up\ running\ Up\  ]]
        run --separate-stderr berth ps -aq
        assert_equal "$output" "$(berth ps -a --format '{{.ID}}')"
        run --separate-stderr berth ps -q --no-trunc
        assert_output "$(berth inspect -f '{{.Id}}' up)"
        run --separate-stderr berth ps -n 2 --format '{{.Names}}'
        assert_output $'new\nended'
        run --separate-stderr berth ps -l --format '{{.Names}}'
        assert_output new
}

@test "ps: filters" {
        berth run -d --name web-1 --label tier=front --label x listed sleep 1000 >/dev/null
        berth run -d --name web-2 --label tier=back localhost:5000/team/app:v1 sleep 1000 >/dev/null
        berth run --name gone listed sh -c 'exit 3' || true
        check() {
                local wanted=$1
                shift
                run --separate-stderr berth ps --format '{{.Names}}' "$@"
                assert_status 0 || return 1
                assert_output "$wanted"
        }
        check $'web-2\nweb-1' -f name=web
        check web-1 -f 'name=^/web-1$'
        check web-1 -f 'name=^web-1$'
        check $'web-2\nweb-1' -f name=web-1 -f name=web-2
        check web-1 -f label=tier=front
        check $'web-2\nweb-1' -f label=tier
        check '' -f label=tier=front -f label=y
        check web-1 -f label=tier=front -f label=x
        check web-1 -f label=from=image
        check gone -f status=exited
        check gone -a -f exited=3
        check '' -a -f exited=4
        check '' -f exited=3 # as with docker
        check $'gone\nweb-1' -a -f ancestor=listed
        check web-2 -f ancestor=localhost:5000/team/app:v1
        check web-2 -f "id=$(berth ps -q -f name=web-2)"
        check web-2 -f since=web-1
        check web-1 -f before=web-2
        run --separate-stderr berth ps -f nonsense=1
        assert_line 1 "invalid filter 'nonsense'"
        run --separate-stderr berth ps -f status=sleeping
        assert_line 1 "invalid filter 'status=sleeping'"
        run --separate-stderr berth ps -f nonsense
        assert_line 125 'bad format of filter'
        run --separate-stderr berth ps -f since=nothing
        assert_line 1 'No such container: nothing'
}

@test "ps: formats" {
        berth run -d --name web --label a.b=c listed sleep 1000 >/dev/null
        run --separate-stderr berth ps --format json
        assert_equal "$(jq -r '.Names, .Image, .State, .Labels' <<<"$output" | head -n 3)" $'web\nlisted\nrunning'
        run --separate-stderr berth ps --format 'table {{.Names}}\t{{.Label "a.b"}}'
        assert_output $'NAMES     a.b\nweb       c'
        run --separate-stderr berth ps --format '{{upper .Names}}\n{{json .Image}}'
        assert_output $'WEB\n"listed"'
        run --separate-stderr berth ps --format '{{.Nope}}'
        assert_line 1 'template parsing error: template: :1:2: executing "" at <.Nope>' '.Names'
        run --separate-stderr berth ps --format '{{.Names'
        assert_line 1 'template parsing error: template: :1: unclosed action'
        run --separate-stderr berth ps -s
        assert_line 125 "'s'"
}

@test "images: names, ids, patterns, filters" {
        run --separate-stderr berth images
        [[ ${lines[0]} =~ ^REPOSITORY\ +TAG\ +IMAGE\ ID\ +CREATED\ +SIZE$ ]]
        assert_contains "$output" $'listed                    latest'
        assert_contains "$output" $'localhost:5000/team/app   v1'
        run --separate-stderr berth images --format '{{.Repository}}:{{.Tag}}' listed
        assert_output listed:latest
        run --separate-stderr berth images --format '{{.Repository}}:{{.Tag}}' listed:other
        assert_output ""
        run --separate-stderr berth images --format '{{.Repository}}' 'localhost:5000/*/app'
        assert_output localhost:5000/team/app
        run --separate-stderr berth images --format '{{.Repository}}' -f label=from=image
        assert_output listed
        run --separate-stderr berth images --format '{{.Repository}}' -f 'reference=list*'
        assert_output listed
        run --separate-stderr berth images -q --no-trunc listed
        assert_output "$(berth inspect -f '{{.Id}}' --type image listed)"
        run --separate-stderr berth images --digests --format '{{.Digest}}' listed
        [[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
        run --separate-stderr berth images -f dangling=true -f label=from=image -q
        assert_output ""
        run --separate-stderr berth images -f nonsense=1
        assert_line 1 "invalid filter 'nonsense'"
}

@test "images: one without a name, one with two" {
        make_busybox_image moving 'LABEL from=older'
        make_busybox_image moving 'LABEL from=newer'
        berth tag moving second:v2
        run --separate-stderr berth images -f dangling=true -f label=from=older --format '{{.Repository}} {{.Tag}}'
        assert_output '<none> <none>'
        run --separate-stderr berth images -q -f label=from=newer
        assert_equal "$(wc -l <<<"$output")" 1
        run --separate-stderr berth images --format '{{.Repository}}' -f label=from=newer
        assert_output $'moving\nsecond'
        berth rmi "$(berth images -q -f label=from=older)" moving second:v2 >/dev/null
}

@test "inspect: containers and images as JSON" {
        berth create --name web --label a=b -e X=y listed sleep 1000 >/dev/null
        run --separate-stderr berth inspect web
        assert_equal "$(jq -r '.[0].Name, .[0].State.Status, .[0].Config.Labels.a' <<<"$output")" $'/web\ncreated\nb'
        assert_equal "${lines[0]}${lines[1]}" '[    {'
        run --separate-stderr berth inspect web listed
        assert_equal "$(jq length <<<"$output")" 2
        run --separate-stderr berth image inspect listed
        assert_equal "$(jq -r '.[0].RepoTags[0]' <<<"$output")" listed:latest
        run --separate-stderr berth inspect "$(berth inspect -f '{{.Id}}' web | head -c 10)"
        assert_status 0
}

@test "inspect: what all containers have, and scripts of Docker's ask for" {
        make_busybox_image shop 'EXPOSE 80/tcp' 'VOLUME /data'
        berth create --name web shop sleep 1000 >/dev/null
        berth create --name wire -i --network host listed sleep 1000 >/dev/null
        check() {
                run --separate-stderr berth inspect -f "$1" "${3:-web}"
                assert_status 0 || return 1
                assert_output "$2"
        }
        check '{{.NetworkSettings.IPAddress}}/{{json .NetworkSettings.Ports}}/{{.NetworkSettings.MacAddress}}' '/{}/'
        check '{{range $n, $e := .NetworkSettings.Networks}}{{$n}} [{{$e.IPAddress}}{{$e.Gateway}}{{$e.NetworkID}}]{{end}}' 'none []'
        check '{{range $n, $e := .NetworkSettings.Networks}}{{$n}} [{{$e.MacAddress}}]{{end}}' 'host []' wire
        check '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' 'no 0'
        check '{{json .HostConfig.Binds}} {{json .HostConfig.PortBindings}} {{json .HostConfig.Devices}}' 'null {} []'
        check '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.ShmSize}}' '0 0 0 67108864'
        check '{{.HostConfig.Privileged}} {{.HostConfig.PublishAllPorts}} {{.HostConfig.AutoRemove}}' 'false false false'
        check '{{.HostConfig.LogConfig.Type}} {{json .HostConfig.LogConfig.Config}}' 'journald {}'
        check '{{.HostConfig.IpcMode}} {{.HostConfig.CgroupnsMode}} {{.HostConfig.PidMode}}{{.HostConfig.UTSMode}}' 'private private '
        check '{{index .HostConfig.ReadonlyPaths 0}} {{index .HostConfig.MaskedPaths 0}}' '/proc/bus /proc/asound'
        check '{{json .Config.ExposedPorts}} {{json .Config.Volumes}}' '{"80/tcp":{}} {"/data":{}}'
        check '{{json .Config.ExposedPorts}} {{json .Config.Volumes}}' 'null null' wire
        check '{{.Config.OpenStdin}} {{.Config.AttachStdout}} {{.Config.StdinOnce}} [{{.Config.Domainname}}]' 'true true true []' wire
        check '[{{.LogPath}}{{.AppArmorProfile}}{{.ProcessLabel}}] {{json .ExecIDs}} {{.Platform}}' '[] null linux'
        cleanup_containers
        berth rmi shop >/dev/null
}

@test "inspect: templates" {
        berth create --name web --label a=b --label com.x/y=z -e X=y listed sleep 1000 >/dev/null
        check() {
                run --separate-stderr berth inspect -f "$1" web
                assert_status 0 || return 1
                assert_output "$2"
        }
        check '{{.Name}}' /web
        check '{{.State.Status}}' created
        check '{{.State.Running}} {{.State.ExitCode}}' 'false 0'
        check '{{index .Config.Labels "com.x/y"}}' z
        check '{{index .Config.Labels "none"}}' ''
        check '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}' 'a=b;com.x/y=z;from=image;'
        check '{{json .Config.Cmd}}' '["sleep","1000"]'
        check '{{.Config.Cmd}}' '[sleep 1000]'
        check '{{range .Config.Env}}{{println .}}{{end}}' $'X=y\nPATH=/bin:/usr/bin'
        check '{{if .State.Running}}yes{{else}}no{{end}}' no
        check '{{.ID}}' "$(berth ps -aq --no-trunc)"
        run --separate-stderr berth inspect -f '{{.State.Nope}}' web
        assert_line 1 'template parsing error: template: :1:8: executing "" at <.State.Nope>: map has no entry for key "Nope"'
        run --separate-stderr berth inspect -f '{{.State' web
        assert_line 1 'template parsing error: template: :1: unclosed action'
        run --separate-stderr berth inspect -f '{{range 1000000000000}}x{{end}}' web
        assert_line 1 'too many steps'
        run --separate-stderr berth inspect -f json web
        assert_equal "$(wc -l <<<"$output")" 1
        assert_equal "$(jq -r .Name <<<"$output")" /web
}

@test "inspect: what is not there" {
        berth create --name web listed true >/dev/null
        run --separate-stderr berth inspect nope
        assert_status 1
        assert_output '[]'
        assert_equal "$stderr" 'Error: No such object: nope'
        run --separate-stderr berth inspect nope web neither
        assert_status 1
        assert_equal "$(jq -r '.[].Name' <<<"$output")" /web
        assert_equal "$stderr" $'Error: No such object: nope\nError: No such object: neither'
        run --separate-stderr berth inspect --type image web
        assert_equal "$stderr" 'Error: No such image: web'
        run --separate-stderr berth container inspect listed
        assert_equal "$stderr" 'Error: No such container: listed'
        run --separate-stderr berth inspect --type volume web
        assert_line 1 volume container
        run --separate-stderr berth inspect -f '{{.Name}}' nope web
        assert_status 1
        assert_output /web
        run --separate-stderr berth inspect $'a\033[2Jb'
        assert_status 1
        assert_lacks "$stderr" $'\033'
}

@test "version: both sides" {
        run --separate-stderr berth version
        assert_status 0
        assert_contains "$output" Client:
        assert_contains "$output" Server:
        run --separate-stderr berth version -f '{{.Client.Version}} {{.Server.Version}}'
        assert_equal "${output% *}" "${output#* }"
        run --separate-stderr berth version -f json
        assert_equal "$(jq -r .Client.Os <<<"$output")" linux
}

@test "a hostile label neither breaks a list nor reaches the terminal" {
        berth create --name web --label $'evil=a\tb\033[2Jc' listed $'x\ny\033[2J' >/dev/null
        run --separate-stderr berth ps -a --format 'table {{.Names}}\t{{.Labels}}\t{{.Command}}'
        assert_status 0
        assert_equal "$(wc -l <<<"$output")" 2
        assert_lacks "$output" $'\033'
        assert_lacks "$output" $'\t'
}
