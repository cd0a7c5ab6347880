#!/usr/bin/env bash
# Runs tests/e2e on the cluster of KUBECONFIG, else on the testbed, which it starts where it does not run.
# Usage: e2e.sh [arguments of pytest]; TESTBED_RUN names another program that takes them, as `make bench-cluster` does.
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
read -ra program <<<"${TESTBED_RUN:-pytest tests/e2e}"
exec "${program[@]}" "$@"
