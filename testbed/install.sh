#!/usr/bin/env bash
# Puts Knative Lambda on the cluster that the environment names: images, buckets, configuration, credentials.
# `make cluster` writes that environment for the testbed; testbed/README.md says what another cluster has to give.
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"
checkout=$(dirname "$testbed")
overlay=$checkout/dist/cluster

required=(KUBECONFIG TESTBED_REGISTRY TESTBED_STORAGE_URL TESTBED_STORAGE_ACCESS_KEY TESTBED_STORAGE_SECRET_KEY)
for variable in "${required[@]}"; do
    [[ -n ${!variable-} ]] || fail "$variable is not set; testbed/README.md tells what a cluster of your own needs"
done

make_buckets() {
    AWS_ACCESS_KEY_ID=$TESTBED_STORAGE_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$TESTBED_STORAGE_SECRET_KEY \
        python "$testbed/buckets.py" "$TESTBED_STORAGE_URL" knative-lambda knative-lambda-sources
}

# The overlay of one machine, with the images just made and the places of this cluster.
write_overlay() {
    mkdir -p "$overlay"
    cat >"$overlay/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../config/overlays/dev
components:
  - ../images
patches:
  - path: settings.yaml
END
    # Apart, since a here-document takes the quotes out of a default.
    local gate="[\"http://${TESTBED_HOST_ADDRESS-}:10480/\"]"
    cat >"$overlay/settings.yaml" <<END
apiVersion: v1
kind: ConfigMap
metadata:
  name: knative-lambda-settings
  namespace: knative-lambda
data:
  KN_LAMBDA_S3_ENDPOINT_URL: $TESTBED_STORAGE_URL
  KN_LAMBDA_REGISTRY_URL: http://$TESTBED_REGISTRY/lambdas
  KN_LAMBDA_IMAGE_PREFIX: $TESTBED_REGISTRY/lambdas
  ${TESTBED_PACKAGE_INDEX_URL:+KN_LAMBDA_PACKAGE_INDEX_URL: $TESTBED_PACKAGE_INDEX_URL}
  ${TESTBED_HOST_ADDRESS:+KN_LAMBDA_PACKAGE_URL_PREFIXES: '$gate'}
END
}

# Secrets come from standard input, so that no command line shows them.
apply_credentials() {
    kubectl apply --server-side --field-manager testbed -f - <<END >/dev/null
apiVersion: v1
kind: Secret
metadata:
  name: knative-lambda-storage
  namespace: knative-lambda
stringData:
  KN_LAMBDA_S3_ACCESS_KEY_ID: $TESTBED_STORAGE_ACCESS_KEY
  KN_LAMBDA_S3_SECRET_ACCESS_KEY: $TESTBED_STORAGE_SECRET_KEY
END
}

SECONDS=0
make -s -C "$checkout" images REGISTRY="$TESTBED_REGISTRY/knative-lambda" RUNTIMES="${TESTBED_RUNTIMES-python3.11 nodejs24}" >/dev/null
say "images are in $TESTBED_REGISTRY after $SECONDS s"
make_buckets
write_overlay
# Before the functions start: a Pod reads them once.
kubectl apply -f "$checkout/config/base/namespaces.yaml" >/dev/null
apply_credentials

await_ready() {
    local kind
    for kind in "$@"; do
        kubectl -n knative-lambda wait --for condition=Ready "$kind" --all --timeout 180s >/dev/null
    done
}

# As docs/OPERATIONS.md says of an upgrade: whoever takes the events of build-start is ready before it sends any.
rest=(-l 'knative-lambda.dev/function!=build-start')
# Given twice to a new cluster: the first time makes the kinds that the rest is of.
kubectl apply -k "$overlay" "${rest[@]}" >/dev/null 2>&1 || {
    kubectl wait --for condition=Established crd/lambdafunctions.knative-lambda.dev --timeout 60s >/dev/null
    kubectl apply -k "$overlay" "${rest[@]}" >/dev/null
}
await_ready broker ksvc
kubectl -n knative-lambda wait --for condition=Ready trigger/publish trigger/build-started --timeout 60s >/dev/null
say "all but build-start is ready after $SECONDS s"
kubectl apply -k "$overlay" >/dev/null
await_ready ksvc trigger pingsource
for namespace in knative-lambda-builds knative-lambda; do
    kubectl -n "$namespace" wait --for condition=Ready apiserversource --all --timeout 180s >/dev/null
done
kubectl -n default wait --for condition=Ready broker --all --timeout 60s >/dev/null
say "Knative Lambda is ready after $SECONDS s"
