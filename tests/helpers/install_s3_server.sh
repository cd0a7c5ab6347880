#!/bin/sh
# Builds the second S3 server of the contract tests: versitygw, from the Go module proxy.
# Usage: tests/helpers/install_s3_server.sh [folder]; put that folder on PATH afterwards.
set -eu

version=v1.8.0
folder=${1:-"${XDG_CACHE_HOME:-$HOME/.cache}/knative-lambda/bin"}

# Go's own installer puts it there and leaves PATH alone.
PATH=$PATH:/usr/local/go/bin
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

installed=$(go version -m "$folder/versitygw" 2>/dev/null | awk '$1 == "mod" { print $3 }')
if [ "$installed" != "$version" ]; then
    GOBIN=$folder go install -ldflags='-s -w' "github.com/versity/versitygw/cmd/versitygw@$version"
fi
echo "$folder"
