#!/usr/bin/env bash
# Proves on the running cluster: a Knative Service answers, goes to zero, comes back, and a Broker delivers to it.
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"
export KUBECONFIG=${KUBECONFIG:-$state/kubeconfig}
export KUBECACHEDIR=$state/kubectl-cache
PATH=$(component_folder kubernetes)/k8s.io/kubernetes/cmd:$PATH

now() { date +%s%N; }

# seconds_since start: with two decimals.
seconds_since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.2f s", (to - from) / 1e9 }'; }

# address namespace service
address() { kubectl -n "$1" get service "$2" -o jsonpath='{.spec.clusterIP}'; }

# send id url [header]: posts one event and needs a 2xx.
send() {
    curl --silent --show-error --fail --max-time 60 -o /dev/null -H "ce-id: $1" -H 'ce-specversion: 1.0' -H 'ce-type: smoke' \
        -H 'ce-source: smoke' -H 'content-type: application/json' -d '{}' ${3:+-H "$3"} "$2"
}

# within seconds command...
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "not within its time: $*"
        sleep 0.2
    done
}

no_pods() { [[ -z $(kubectl -n smoke get pods -o name) ]]; }
printed() { kubectl -n smoke logs -l serving.knative.dev/service=display -c user-container --tail=-1 | grep -q "id: $1"; }

# leaves address: whether the node, and so every pod, knows a way there.
leaves() { nsenter --target "$(cut -d' ' -f1 "$state/init")" --net ip route get "$1" >/dev/null 2>&1; }

if is_running; then
    for address in 192.0.2.1 1.1.1.1 169.254.169.254 2001:4860:4860::8888; do
        if leaves "$address"; then fail "packets to $address would leave the cluster"; fi
    done
    say 'no way leads out of the cluster'
fi

trap 'kubectl delete namespace smoke --ignore-not-found --wait=false >/dev/null' EXIT
kubectl create namespace smoke >/dev/null
start=$(now)
kubectl apply -f "$testbed/manifests/smoke.yaml" >/dev/null
kubectl -n smoke wait --for condition=Ready ksvc/display --timeout 60s >/dev/null
say "Service ready after $(seconds_since "$start")"
kubectl -n smoke wait --for condition=Ready broker/default trigger/display --timeout 60s >/dev/null
say "Broker and Trigger ready after $(seconds_since "$start")"

kourier=http://$(address kourier-system kourier)
host='Host: display.smoke.knative.test'
broker=http://$(address knative-eventing broker-ingress)/smoke/default

start=$(now)
send warm "$kourier" "$host"
say "warm Service answered in $(seconds_since "$start")"
start=$(now)
within 90 no_pods
say "Service at zero after $(seconds_since "$start")"
start=$(now)
send woken "$kourier" "$host"
say "Service from zero answered in $(seconds_since "$start")"
within 90 no_pods
start=$(now)
send brokered "$broker"
say "Broker accepted an event for the Service at zero in $(seconds_since "$start")"
within 20 printed brokered
say "Broker delivered to the Service from zero in $(seconds_since "$start")"
start=$(now)
send again "$broker"
say "Broker delivered to the warm Service in $(seconds_since "$start")"
within 20 printed again
say 'all well'
