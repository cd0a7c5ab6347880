#!/usr/bin/env bash
# Fetches what the examples install, for every Python that they may ask for. Usage: fetch.sh folder
# requirements.txt here: uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
#   --no-header --no-annotate -o testbed/packages/requirements.txt examples/*/requirements.txt
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"

for version in 3.11 3.12 3.13 3.14; do
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        --python-version "$version" --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
        --platform manylinux2014_x86_64 --dest . -r "$here/requirements.txt"
done

python3 "$here/locked.py" "$here/../../examples/hello-node/package-lock.json" | while read -r package integrity; do
    packed=$(npm pack --silent "$package")
    [[ sha512-$(openssl dgst -sha512 -binary "$packed" | base64 -w0) == "$integrity" ]] || {
        echo "testbed: $package is not what the lock names" >&2
        exit 1
    }
done
