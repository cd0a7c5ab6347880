#!/usr/bin/env bash
# Locks every environment with hashes. Index addresses stay out of the repository.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
    --no-emit-package lambda-oci --no-emit-package kn-lambda "$@"
}
compile --no-emit-package knative-lambda -o requirements/functions.txt shared/pyproject.toml
compile -o requirements/builder.txt builder/pyproject.toml
compile -o runtimes/python/requirements.txt runtimes/python/requirements.in
compile -o runtimes/python/debugger/requirements.txt runtimes/python/debugger/requirements.in
compile -o requirements/run.txt requirements/run.in
compile --group dev -c requirements/run.txt -o requirements/dev.txt requirements/run.in
npm --prefix requirements/express install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --silent
requirements/express/bundle.sh runtimes/nodejs/server/express
