#!/usr/bin/env bash
# Installs an older version on a fresh cluster; tests/e2e/test_upgrade.py then applies this one in the middle of builds.
# Usage: upgrade.sh revision [arguments of pytest]
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"
checkout=$(dirname "$testbed")
revision=$(git -C "$checkout" rev-parse --verify --quiet "${1-}^{commit}") || fail "name the older version: a commit or a tag"
shift
# Once only: on a cluster that has the newer version, nothing would be upgraded.
if [[ -z ${KUBECONFIG-} ]]; then
    "$testbed/stop.sh"
    "$testbed/start.sh"
    # shellcheck source=/dev/null
    source "$state/environment"
elif kubectl get namespace knative-lambda >/dev/null 2>&1; then
    fail 'the cluster of KUBECONFIG has Knative Lambda already; remove it first, or give another'
fi

older=$(mktemp -d)
trap 'git -C "$checkout" worktree remove --force "$older"' EXIT
git -C "$checkout" worktree add --quiet --detach "$older" "$revision"
# Its own Makefile puts its own programs first.
env -u VIRTUAL_ENV make -s -C "$older" cluster-install
cd "$checkout"
# Made before: an installer does not wait for its package as long as that may take.
make -s images REGISTRY="$TESTBED_REGISTRY/knative-lambda" RUNTIMES="${TESTBED_RUNTIMES-python3.11 nodejs24}" >/dev/null
TESTBED_UPGRADE=$revision pytest tests/e2e/test_upgrade.py "$@"
