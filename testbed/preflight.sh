#!/usr/bin/env bash
# Says everything that keeps a cluster from running here, and ends with 1 when there is anything.
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"
problems=()

# needs command package
needs() { command -v "$1" >/dev/null || problems+=("$1 is missing: apt-get install $2"); }

# can what command...: the command must work here.
can() {
    local what=$1
    shift
    "$@" >/dev/null 2>&1 || problems+=("this machine cannot $what ($*)")
}

# shellcheck disable=SC2317 # called through can
mount_overlay() {
    local folder status=0
    folder=$(mktemp -d)
    mkdir "$folder"/{lower,upper,work,merged}
    unshare --mount mount -t overlay overlay -o "lowerdir=$folder/lower,upperdir=$folder/upper,workdir=$folder/work" \
        "$folder/merged" || status=1
    rm -rf "$folder"
    return "$status"
}

needs go 'golang (1.26 or newer)'
needs containerd 'containerd runc'
needs runc runc
needs docker-registry docker-registry
needs ip iproute2
needs nft nftables
needs unshare util-linux
needs openssl openssl
needs /usr/lib/cni/ptp containernetworking-plugins

if [[ $EUID != 0 ]]; then
    problems+=('a cluster needs root: containers, network devices and mounts')
else
    can 'make namespaces' unshare --net --mount --pid --fork true
    can 'mount overlayfs' mount_overlay
    can 'use nftables' unshare --net nft add table ip probe
    can 'make a veth pair' unshare --net ip link add probe0 type veth peer name probe1
    [[ -d /sys/fs/cgroup/memory ]] || problems+=('cgroup v1 with the memory controller is needed below /sys/fs/cgroup')
fi
free=$(df --output=avail -BG "$(dirname "$state")" | tail -1 | tr -dc 0-9)
((free >= 15)) || problems+=("15 GB of disk are needed below $(dirname "$state"), $free are free")
if ip route show | grep -vE "dev $host_device" | grep -qE "^(${service_range%.*.*}|${pod_range%.*.*}|${host_address%.*})\\."; then
    problems+=("this machine already routes $service_range, $pod_range or $host_address/30 elsewhere")
fi

((${#problems[@]} == 0)) && exit 0
printf 'testbed: %s\n' "${problems[@]}" 'Use a cluster you have instead: KUBECONFIG=... make e2e' >&2
exit 1
