# What a cluster changes on the machine outside of its own namespaces, and how that is taken back.
# shellcheck shell=bash source=settings.sh disable=SC2154

# The kubelet sets these for the whole machine.
kernel_settings=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops
    kernel.keys.root_maxkeys kernel.keys.root_maxbytes)

# control_groups: the folder of the cluster in each hierarchy.
control_groups() { findmnt -rno TARGET -t cgroup,cgroup2 | sed "s|\$|/$name|"; }

# Makes the cluster's control groups, limits their memory and puts this process into them.
enter_control_groups() {
    local group
    for group in $(control_groups); do
        mkdir -p "$group/node"
        if [[ -e $group/cpuset.cpus ]]; then
            cat "$group/../cpuset.cpus" >"$group/cpuset.cpus"
            cat "$group/../cpuset.mems" >"$group/cpuset.mems"
            cat "$group/cpuset.cpus" >"$group/node/cpuset.cpus"
            cat "$group/cpuset.mems" >"$group/node/cpuset.mems"
        fi
        [[ ! -e $group/memory.limit_in_bytes ]] || echo "$memory_limit" >"$group/memory.limit_in_bytes"
        echo "$BASHPID" >"$group/node/cgroup.procs"
    done
}

# Starts node/init.sh in new namespaces, remembers its pid and connects it to the machine.
launch() {
    local outside pid
    sysctl -e "${kernel_settings[@]}" >"$state/kernel-settings"
    (
        enter_control_groups
        exec setsid unshare --net --mount --pid --fork --mount-proc --ipc --uts --kill-child "$testbed/node/init.sh"
    ) </dev/null >>"$state/log/init.log" 2>&1 8>&- 9>&- &
    outside=$!
    # Until it is connected and remembered, nothing else could end it.
    trap 'kill -KILL $outside' EXIT
    for _ in {1..50}; do
        # Before it is unshare it is this shell, with children of its own.
        if [[ $(cat "/proc/$outside/comm" 2>/dev/null) == unshare ]]; then
            pid=$(cat "/proc/$outside/task/$outside/children")
            [[ -z $pid ]] || break
        fi
        sleep 0.1
    done
    [[ -n ${pid-} ]] || fail "no namespaces were made: $(tail -1 "$state/log/init.log")"
    pid=${pid%% *}
    echo "$pid $(process_started "$pid")" >"$state/init"
    ip link add "$host_device" type veth peer name eth0 netns "$pid"
    ip address add "$host_address/30" dev "$host_device"
    ip link set "$host_device" up
    ip route add "$service_range" via "$node_address" dev "$host_device"
    ip route add "$pod_range" via "$node_address" dev "$host_device"
    trap - EXIT
}

# Takes back everything outside of the namespaces; fine to call when nothing is there.
clean_host() {
    local group
    if ip link show "$host_device" >/dev/null 2>&1; then ip link delete "$host_device"; fi
    if [[ -s $state/kernel-settings ]]; then sysctl -q -p "$state/kernel-settings" || true; fi
    for group in $(control_groups); do
        if [[ -d $group ]]; then find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
    done
}
