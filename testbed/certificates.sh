#!/usr/bin/env bash
# Makes the certificates and kubeconfigs of one cluster. Usage: certificates.sh folder
set -euo pipefail
# shellcheck source=settings.sh
source "$(dirname "$0")/settings.sh"
mkdir -p "$1"
cd "$1"
umask 077

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

# issue name subject [subject alternative names]
issue() {
    new_key "$1"
    openssl req -new -key "$1.key" -subj "$2" | openssl x509 -req -days 365 -CA ca.crt -CAkey ca.key \
        -CAcreateserial -out "$1.crt" -extfile <(
            echo 'keyUsage=critical,digitalSignature'
            echo 'extendedKeyUsage=serverAuth,clientAuth'
            if [[ -n ${3-} ]]; then echo "subjectAltName=$3"; fi
        ) 2>/dev/null
}

# kubeconfig name: how the holder of that certificate reaches the API.
kubeconfig() {
    cat >"$1.kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: testbed
clusters:
  - name: testbed
    cluster:
      server: https://$node_address:$api_port
      certificate-authority-data: $(base64 -w0 ca.crt)
users:
  - name: $1
    user:
      client-certificate-data: $(base64 -w0 "$1.crt")
      client-key-data: $(base64 -w0 "$1.key")
contexts:
  - name: testbed
    context: {cluster: testbed, user: $1}
END
}

new_key ca
openssl req -x509 -new -key ca.key -subj "/CN=$name" -days 365 -out ca.crt
openssl genrsa -out service-accounts.key 2048 2>/dev/null
openssl rsa -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null

services=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
issue apiserver /CN=kube-apiserver "$services,DNS:localhost,IP:127.0.0.1,IP:$node_address,IP:$api_address"
issue kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
issue front-proxy /CN=front-proxy-client
issue admin /O=system:masters/CN=admin
issue controller-manager /CN=system:kube-controller-manager
issue scheduler /CN=system:kube-scheduler
issue proxy /CN=system:kube-proxy
issue kubelet /O=system:nodes/CN=system:node:testbed "DNS:testbed,IP:$node_address"
for holder in admin controller-manager scheduler proxy kubelet; do
    kubeconfig "$holder"
done
