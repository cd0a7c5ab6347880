#!/usr/bin/env bash
# The first process of the cluster's namespaces: when it ends, the kernel ends everything it started.
set -euo pipefail
# shellcheck source=../settings.sh
source "$(dirname "$0")/../settings.sh"
# shellcheck source=keep.sh
source "$testbed/node/keep.sh"
kubernetes=$(component_folder kubernetes)/k8s.io/kubernetes/cmd
pki=$state/pki
kept=()

prepare_mounts() {
    mount --make-rshared /
    mount -t tmpfs run /run
    mkdir /run/state
    mount --bind "$state" /run/state
    # kubelet, containerd and CNI write below these whatever their settings say.
    local folder layers
    for folder in /var/lib /var/log /usr/libexec; do
        layers=/run/layers$folder
        mkdir -p "$layers"/{upper,work}
        mount -t overlay overlay -o "lowerdir=$folder,upperdir=$layers/upper,workdir=$layers/work" "$folder"
    done
    mount --bind /run/state "$state"
}

prepare_network() {
    until_works 'the network device of the node' ip link show eth0
    ip link set lo up
    ip address add "$node_address/30" dev eth0
    ip link set eth0 up
    # Addresses of Services exist only in kube-proxy's rules; without a route the kernel refuses before it reads those.
    ip route add "$service_range" dev eth0
    # Nothing leads past the host's end of the pair, and who tries is told at once, however often.
    ip route add prohibit default
    echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
    echo 1 >/proc/sys/net/ipv4/ip_forward
    hostname testbed
}

start_stores() {
    keep etcd "$(component_folder etcd)/go.etcd.io/etcd/server/v3" --data-dir "$state/etcd" --unsafe-no-fsync \
        --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
        --listen-peer-urls http://127.0.0.1:2380 --log-level warn
    keep registry docker-registry serve "$state/rendered/registry.yaml"
    keep storage "$(component_folder storage)/github.com/versity/versitygw/cmd/versitygw" \
        --access "$storage_access" --secret "$storage_secret" --port "$node_address:$storage_port" --quiet \
        posix "$state/storage"
    keep packages python3 "$testbed/packages/serve.py" "$(packages_folder)" "$node_address" "$packages_port"
}

start_control_plane() {
    keep apiserver "$kubernetes/kube-apiserver" \
        --bind-address "$node_address" --advertise-address "$node_address" --secure-port "$api_port" \
        --etcd-servers http://127.0.0.1:2379 --service-cluster-ip-range "$service_range" \
        --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
        --client-ca-file "$pki/ca.crt" --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" \
        --kubelet-certificate-authority "$pki/ca.crt" \
        --kubelet-client-certificate "$pki/kubelet-client.crt" --kubelet-client-key "$pki/kubelet-client.key" \
        --kubelet-preferred-address-types InternalIP \
        --service-account-issuer https://kubernetes.default.svc \
        --service-account-key-file "$pki/service-accounts.pub" \
        --service-account-signing-key-file "$pki/service-accounts.key" \
        --requestheader-client-ca-file "$pki/ca.crt" --requestheader-allowed-names front-proxy-client \
        --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
        --requestheader-extra-headers-prefix X-Remote-Extra- \
        --proxy-client-cert-file "$pki/front-proxy.crt" --proxy-client-key-file "$pki/front-proxy.key" \
        --audit-policy-file "$testbed/node/audit-policy.yaml" --audit-log-path "$state/log/audit.log"
    until_works 'the Kubernetes API' \
        "$kubernetes/kubectl" --kubeconfig "$pki/admin.kubeconfig" get --raw /readyz
    keep controller-manager "$kubernetes/kube-controller-manager" --kubeconfig "$pki/controller-manager.kubeconfig" \
        --leader-elect=false --bind-address 127.0.0.1 --use-service-account-credentials \
        --service-account-private-key-file "$pki/service-accounts.key" --root-ca-file "$pki/ca.crt" \
        --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key"
    keep scheduler "$kubernetes/kube-scheduler" --kubeconfig "$pki/scheduler.kubeconfig" \
        --leader-elect=false --bind-address 127.0.0.1
}

start_node() {
    # What an end without warning left behind is not worth mending.
    [[ -e $state/containerd/clean ]] || rm -rf "$state/containerd"
    rm -f "$state/containerd/clean"
    keep containerd containerd --config "$state/rendered/containerd.toml" --log-level warn
    until_works containerd ctr --address /run/containerd/containerd.sock version
    keep kubelet "$kubernetes/kubelet" --config "$state/rendered/kubelet.yaml" --kubeconfig "$pki/kubelet.kubeconfig" \
        --root-dir "$state/kubelet" --hostname-override testbed --node-ip "$node_address"
    keep kube-proxy "$kubernetes/kube-proxy" --config "$state/rendered/kube-proxy.yaml"
}

# Leaves containerd with images and without containers, so that the next start needs no pull.
stop_node() {
    trap '' TERM
    local containers
    containers=(ctr --address /run/containerd/containerd.sock --namespace k8s.io)
    disown -a
    kill -KILL "${kept[@]}" "$(cat "$state/run/kubelet.pid")" 2>/dev/null || true
    "${containers[@]}" task list -q | xargs -r -n 1 -P 8 "${containers[@]}" task kill -s KILL || true
    sleep 0.5
    "${containers[@]}" task list -q | xargs -r "${containers[@]}" task delete --force || true
    "${containers[@]}" container list -q | xargs -r "${containers[@]}" container delete || true
    [[ -z $("${containers[@]}" container list -q) ]] && touch "$state/containerd/clean"
    kill -TERM "$(cat "$state/run/containerd.pid")" && sleep 1
    exit 0
}

trap 'stop_node >>"$state/log/init.log" 2>&1' TERM
prepare_mounts
prepare_network
start_stores
start_control_plane
start_node
touch "$state/run/started"
while :; do wait || true; sleep 1; done
