#!/usr/bin/env bash
# Makes Express's one file in the folder named, from exactly what is locked here.
set -euo pipefail
target=$(realpath "$1")
cd "$(dirname "$0")"
# Beside the lock, node_modules would be taken for a part of the checkout.
workspace=$(mktemp -d)
trap 'rm -rf "$workspace"' EXIT
cp package.json package-lock.json bundle.mjs "$workspace"
cd "$workspace"
npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --silent
node bundle.mjs "$target"
