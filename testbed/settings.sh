# Names, places and addresses of the testbed. Sourced by its other scripts.
# shellcheck shell=bash disable=SC2034

testbed=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=knative-lambda-testbed

# Built things, by the hash of what they are built from; safe to delete while no cluster runs.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/knative-lambda/testbed
# What one cluster writes; one cluster per machine.
state=${KNATIVE_LAMBDA_TESTBED_STATE:-/var/lib/$name}

# The cluster lives in a network namespace of its own; this pair of addresses is its only way in or out.
host_device=klambda0
host_address=10.10.0.1
node_address=10.10.0.2
service_range=10.96.0.0/16
api_address=10.96.0.1
dns_address=10.96.0.10
pod_range=10.244.0.0/16
api_port=6443
registry=$node_address:5000
storage_port=7070
storage_access=testbed
storage_secret=testbed-secret
packages_port=8081
memory_limit=6G

# Go's own installer puts it there and leaves PATH alone.
PATH=$PATH:/usr/local/go/bin:/usr/sbin:/sbin

components=(kubernetes etcd coredns knative storage pause envoy)

fail() {
    echo "testbed: $*" >&2
    exit 1
}

say() { echo "testbed: $*" >&2; }

# content_hash folder...: a short hash of the names and contents of all files in them.
content_hash() {
    (cd "$testbed" && find "$@" -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z \
        | xargs -0 sha256sum) | sha256sum | cut -c1-16
}

# component_folder name: where the binaries of that component are cached.
component_folder() { echo "$cache/$1-$(content_hash "components/$1")"; }

images_folder() { echo "$cache/images-$(content_hash components images.py)"; }

packages_folder() { echo "$cache/packages-$(content_hash packages ../examples/hello-node/package-lock.json)"; }

manifests_folder() { echo "$cache/manifests-$(content_hash components/knative manifests/settings.yaml manifests.py)"; }

# process_started pid: when that process started, in ticks since boot; with the pid it names one process.
process_started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# is_running: whether the cluster whose state folder this is still runs.
is_running() {
    local pid started
    [[ -e $state/init ]] && read -r pid started <"$state/init" || return 1
    [[ -n ${started-} && $(process_started "$pid") == "$started" ]]
}
