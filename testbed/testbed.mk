# A real Kubernetes with Knative on this machine; needs root on Linux. See testbed/README.md.

.PHONY: cluster
cluster: $(BIN)/.run ## Start a single-node Kubernetes with Knative in namespaces of its own
	testbed/start.sh

.PHONY: cluster-smoke
cluster-smoke: ## Prove on the running cluster that Services scale and Brokers deliver
	testbed/smoke.sh

.PHONY: cluster-stop
cluster-stop: ## End that cluster and what it changed on this machine
	testbed/stop.sh
