#!/usr/bin/env bash
# Ends the cluster that start.sh started, and takes back what it changed on this machine.
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"
# shellcheck source=host.sh
source "$testbed/host.sh"

wait_for_end() {
    local deadline=$((SECONDS + $1))
    while is_running; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}

[[ -d $state ]] || { say 'no cluster was ever started here' && exit 0; }
exec 8>"$state/lock"
flock 8
if is_running; then
    read -r pid _ <"$state/init"
    kill -TERM "$pid"
    if ! wait_for_end 20; then
        kill -KILL "$pid"
        wait_for_end 10 || fail "process $pid does not end"
    fi
fi
clean_host
rm -f "$state/init" "$state/kubeconfig"
say 'stopped'
