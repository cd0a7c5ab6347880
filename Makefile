# Knative Lambda. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Whatever environment a person has activated: uv installs into this one.
export VIRTUAL_ENV := $(CURDIR)/.venv
# Container images set it. Without bytecode each of the thousands of processes of `make test` compiles what it imports.
unexport PYTHONDONTWRITEBYTECODE
# uv trusts what this machine trusts, such as a company's proxy; without a store it would not start.
ifndef UV_NATIVE_TLS
SYSTEM_CERTIFICATES := /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
  /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem
export UV_SYSTEM_CERTS ?= $(if $(wildcard $(SYSTEM_CERTIFICATES)),true,false)
endif

# Ports of the embedded platform that `make run` starts: make run PORT=9000; 0 selects a free one.
PORT ?=
BROKER_PORT ?=
API_PORT ?=
PORTS = $(if $(PORT),--port '$(PORT)') $(if $(BROKER_PORT),--broker-port '$(BROKER_PORT)') \
  $(if $(API_PORT),--api-port '$(API_PORT)')

# Extra arguments of pytest: make test TEST_ARGS="tests/unit -k archive"
TEST_ARGS ?=
# tests_of level: its folder, unless TEST_ARGS names files or folders.
tests_of = $(if $(filter tests/%,$(TEST_ARGS)),,tests/$(1))
# Test processes; most wait for servers of theirs half of the time.
TEST_PROCESSES ?= 3

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1|/' | column -t -s '|'

# --- what users need ---------------------------------------------------------------------------

.PHONY: run
run: $(BIN)/.run ## Start the embedded platform and examples/hello-python: make run [PORT=, BROKER_PORT=, API_PORT=]
	kn-lambda up $(PORTS) --deploy examples/hello-python

.PHONY: demo
demo: $(BIN)/.run ## Start a platform of its own, deploy, invoke, print the lambda's response, stop
	@kn-lambda demo

# --- what developers need ------------------------------------------------------------------------

.PHONY: setup
setup: $(BIN)/.dev ## Install everything that tests and checks need

.PHONY: test
test: $(BIN)/.dev ## Run all tests; those whose server is not on this machine skip and say so
	pytest -n $(TEST_PROCESSES) --dist loadgroup $(TEST_ARGS)

.PHONY: unit
unit: $(BIN)/.dev ## Run the tests that take milliseconds, with branch coverage of the core
	pytest $(call tests_of,unit) -n $(TEST_PROCESSES) --cov --cov-report=term-missing:skip-covered $(TEST_ARGS)

.PHONY: contract integration attacks embedded
contract: $(BIN)/.dev ## Run the tests that check fakes and real servers against the same contract
integration: $(BIN)/.dev ## Run the tests of one part with its real processes and servers
attacks: $(BIN)/.dev ## Run the attacks: hostile sources, packages and results of builds, and secrets that nobody may find
embedded: $(BIN)/.dev ## Run the tests of the whole embedded platform, driven through its public interface
contract integration attacks embedded:
	pytest $(call tests_of,$@) -n $(TEST_PROCESSES) --dist loadgroup $(TEST_ARGS)

.PHONY: check
check: $(BIN)/.dev ## Lint, type-check and prove the direction of imports
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	codespell

.PHONY: format
format: $(BIN)/.dev ## Format the code and fix what the linter can
	ruff check --fix-only --quiet .
	ruff format .

.PHONY: schemas
schemas: $(BIN)/.dev ## Write docs/schemas and docs/openapi.json from the models
	python docs/schemas/generate.py

.PHONY: dist
dist: $(BIN)/.dev ## Build the wheel and the sdist of the command line into dist/
	python -m distribution.build

.PHONY: try-dist
try-dist: dist ## Install that wheel into an empty environment, out of sight of the checkout, and run its demo
	python -m distribution.trial dist/kn_lambda-*.whl

.PHONY: pictures
pictures: $(BIN)/.dev ## Write docs/pictures, what the command line looks like
	python docs/pictures/generate.py

.PHONY: bench
bench: $(BIN)/.dev ## Measure side by side and write docs/BENCHMARKS.md
	python -m tests.bench

.PHONY: lock
lock: $(BIN)/.dev ## Lock the dependencies again, with hashes
	requirements/compile.sh

.PHONY: clean
clean: ## Remove what make made
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .grimp_cache .coverage .coverage.*

# uv itself comes through pip, by hash; everything else through uv.
$(BIN)/uv: requirements/builder.txt
	@echo "Setting up .venv" >&2
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/builder.txt
	@touch $@

$(BIN)/.run: $(BIN)/uv requirements/run.txt pyproject.toml */pyproject.toml
	@echo "Installing dependencies" >&2
	uv pip install --quiet --require-hashes -r requirements/run.txt
	uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(BIN)/.dev: $(BIN)/.run requirements/dev.txt
	@echo "Installing what tests need" >&2
	uv pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

include images/images.mk
include testbed/testbed.mk
