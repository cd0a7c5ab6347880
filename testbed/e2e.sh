#!/usr/bin/env bash
# Runs tests/cluster on the cluster of KUBECONFIG, else on the testbed, which it starts where it does not run.
# Usage: e2e.sh [arguments of pytest]
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"
if [[ -z ${KUBECONFIG-} ]]; then
    "$testbed/start.sh"
    # shellcheck source=/dev/null
    source "$state/environment"
fi
"$testbed/install.sh"
cd "$testbed/.."
exec pytest tests/cluster "$@"
