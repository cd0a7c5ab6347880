# A real Kubernetes with Knative on this machine; needs root on Linux. See testbed/README.md.

.PHONY: cluster
cluster: $(BIN)/.run ## Start a single-node Kubernetes with Knative in namespaces of its own
	testbed/start.sh

.PHONY: cluster-smoke
cluster-smoke: ## Prove on the running cluster that Services scale and Brokers deliver
	testbed/smoke.sh

.PHONY: cluster-install
cluster-install: $(BIN)/.dev ## Put Knative Lambda on the cluster of the environment (testbed/README.md)
	testbed/install.sh

.PHONY: e2e
e2e: $(BIN)/.dev ## Run the tests of a real cluster: the testbed, or the one that KUBECONFIG names
	testbed/e2e.sh $(TEST_ARGS)

.PHONY: e2e-upgrade
e2e-upgrade: $(BIN)/.dev ## Upgrade from an older version in the middle of builds, on a fresh testbed: make e2e-upgrade FROM=v0.9
	testbed/upgrade.sh '$(FROM)' $(TEST_ARGS)

.PHONY: bench-cluster
bench-cluster: $(BIN)/.dev ## Measure that cluster, write its part of docs/BENCHMARKS.md; BENCH_ARGS=--quick for less
	TESTBED_RUN='python -m tests.bench.cluster' testbed/e2e.sh $(BENCH_ARGS)

.PHONY: cluster-stop
cluster-stop: ## End that cluster and what it changed on this machine
	testbed/stop.sh
