#!/usr/bin/env bash
# Starts a fresh cluster in namespaces of its own and waits until Knative is ready.
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"
# shellcheck source=host.sh
source "$testbed/host.sh"

# Containerd's images outlive a cluster; all else is new each time.
prepare_state() {
    mkdir -p "$state"
    find "$state" -mindepth 1 -maxdepth 1 ! -name containerd ! -name lock -exec rm -rf {} +
    mkdir -p "$state"/{etcd,kubelet,log,run,storage,containerd,rendered/cni,rendered/registries/_default}
    "$testbed/certificates.sh" "$state/pki"
    # Links, because nobody pushes to the repositories of the testbed itself.
    cp -al "$(images_folder)" "$state/registry" 2>/dev/null || cp -a "$(images_folder)" "$state/registry"
    : >"$state/rendered/resolv.conf"
    render kubelet.yaml kubelet.yaml
    render kube-proxy.yaml kube-proxy.yaml
    render registry.yaml registry.yaml
    render containerd.toml containerd.toml
    render pods.conflist cni/pods.conflist
    render registries.toml registries/_default/hosts.toml
}

# render template target: fills in @name@ from the settings of that name.
render() {
    sed -e "s|@state@|$state|g; s|@registry@|$registry|g; s|@pod_range@|$pod_range|g" \
        -e "s|@node_address@|$node_address|g; s|@dns_address@|$dns_address|g" \
        "$testbed/node/$1" >"$state/rendered/$2"
}

export KUBECACHEDIR=$state/kubectl-cache

kubectl() { "$(component_folder kubernetes)/k8s.io/kubernetes/cmd/kubectl" --kubeconfig "$state/pki/admin.kubeconfig" "$@"; }

wait_for() {
    local what=$1 deadline=$((SECONDS + 90))
    shift
    until "$@" >/dev/null 2>&1; do
        is_running || fail "the cluster ended while it started, see $state/log"
        ((SECONDS < deadline)) || fail "$what is not there after 90 s, see $state/log"
        sleep 0.3
    done
}

apply() { kubectl apply --server-side --force-conflicts --field-manager testbed -f "$1" >/dev/null; }

install_knative() {
    local manifests
    manifests=$(manifests_folder)
    wait_for 'the Kubernetes API' kubectl get --raw /readyz
    say "API is up after $SECONDS s"
    apply "$testbed/manifests/cluster.yaml"
    apply "$manifests/1-definitions.yaml"
    kubectl wait --for condition=Established crd --all --timeout 30s >/dev/null
    apply "$manifests/2-knative.yaml"
    apply "$manifests/3-webhooks.yaml"
    say "manifests are applied after $SECONDS s"
    kubectl wait --for condition=Available deployment --all --all-namespaces --timeout 120s >/dev/null
}

mkdir -p "$state"
exec 8>"$state/lock"
flock -n 8 || fail "another start or stop is under way"
if is_running; then
    say "a cluster runs already: $state"
    exit 0
fi
"$testbed/preflight.sh"
"$testbed/build.sh"
SECONDS=0
clean_host
prepare_state
launch
install_knative
cp "$state/pki/admin.kubeconfig" "$state/kubeconfig"
cat >"$state/environment" <<END
export KUBECONFIG=$state/kubeconfig
export PATH=$(component_folder kubernetes)/k8s.io/kubernetes/cmd:\$PATH
export TESTBED_REGISTRY=$registry
export TESTBED_HOST_ADDRESS=$host_address
export TESTBED_AUDIT_LOG=$state/log/audit.log
export TESTBED_STATE=$state
export TESTBED_STORAGE_URL=http://$node_address:$storage_port
export TESTBED_STORAGE_ACCESS_KEY=$storage_access
export TESTBED_STORAGE_SECRET_KEY=$storage_secret
export TESTBED_PACKAGE_INDEX_URL=http://$node_address:$packages_port
export TESTBED_KOURIER_URL=http://$(kubectl -n kourier-system get service kourier -o jsonpath='{.spec.clusterIP}')
export TESTBED_BROKER_URL=http://$(kubectl -n knative-eventing get service broker-ingress -o jsonpath='{.spec.clusterIP}')
END
say "Knative is ready after $SECONDS s; source $state/environment"
