.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM_VENV)/bin/sam
PYTEST := $(BIN)/pytest
COMPILE := $(BIN)/uv pip compile --quiet --no-emit-index-url --no-header --no-annotate
# Only what runs in Lambda, for the machine it runs on.
EXPORT := $(BIN)/python scripts/service_requirements.py \
  | $(COMPILE) - --python-version 3.13 --python-platform aarch64-manylinux2014 --constraint requirements.lock
# What each function asked AWS for in the end-to-end tests.
CALLS := $(CURDIR)/.cache/calls
LAYER_LOCK := layers/dependencies/requirements.txt

help: ## What each target does
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/ready ## Install everything into .venv

# pip fills the environments from outside: Debian's Python cannot put one in without a package more.
$(VENV)/ready: requirements.lock pyproject.toml
	test -e $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --require-hashes --requirement requirements.lock
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The SAM CLI wants other versions of our packages. Its lock is whole: pip cannot resolve extras under hashes, and need not.
$(SAM_VENV)/ready: requirements-sam.lock
	test -e $(SAM_VENV)/bin/python || $(PYTHON) -m venv --without-pip $(SAM_VENV)
	$(PYTHON) -m pip --python $(SAM_VENV)/bin/python install --quiet --no-deps --require-hashes \
	  --requirement requirements-sam.lock
	touch $@

run: setup ## Serve, run the sample job and show it live (Ctrl-C ends it)
	$(BIN)/jobtrack demo

test: setup ## All tests, end to end on both engines
	$(PYTEST) tests/unit tests/functions --numprocesses 2
	$(PYTEST) tests/faults --numprocesses 2
	$(MAKE) --jobs 2 --output-sync=target e2e-ministack e2e-dynamodb-local

# Both at once: most of their time they wait.
e2e-ministack: setup
	mkdir -p $(dir $(CALLS)) && rm -f $(CALLS)
	JOBTRACK_CALLS=$(CALLS) $(PYTEST) tests/e2e --engine ministack
	$(BIN)/python -m scripts.policies $(CALLS)

e2e-dynamodb-local: setup
	if $(BIN)/python -m local fetch-dynamodb-local; then \
	  $(PYTEST) tests/e2e --engine dynamodb-local; \
	else \
	  echo 'NOT RUN: tests/e2e on DynamoDB Local, which could not be fetched (see above)' >&2; \
	  [ "$${CI:-}" != true ]; \
	fi

test-deployed: setup $(SAM_VENV)/ready ## End to end through API Gateway: template.yaml deployed on ministack
	$(PYTEST) tests/e2e --engine deployed

check: setup $(SAM_VENV)/ready ## Style, types, import rules, template, locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/cfn-lint template.yaml
	$(SAM) validate --lint
	diff <($(EXPORT)) <(sed -n 's/^\([^ ]*==[^ ]*\).*/\1/p' $(LAYER_LOCK)) \
	  || { echo '$(LAYER_LOCK) is not what the lock says: run make lock' >&2; exit 1; }

openapi: setup ## Describe the API anew (functions/api/docs/openapi.json)
	$(BIN)/python -m scripts.openapi

bench: setup ## Cost of each operation beside its limit
	$(BIN)/python -m bench

build: setup $(SAM_VENV)/ready ## Build what is deployed, and print the layers' sizes
	$(SAM) build
	du -sh .aws-sam/build/*Layer

deploy: $(SAM_VENV)/ready ## Deploy what was built; asks for region and parameters (docs/operating.md)
	SAM_CLI_TELEMETRY=0 $(SAM_VENV)/bin/sam deploy --guided

lock: setup ## Resolve again: UPGRADE=--upgrade takes the newest versions
	$(COMPILE) $(UPGRADE) pyproject.toml --extra local --group dev --universal --python-version 3.11 \
	  --generate-hashes --output-file requirements.lock
	$(EXPORT) --generate-hashes --output-file $(LAYER_LOCK)
	echo 'aws-sam-cli==1.170.0' | $(COMPILE) $(UPGRADE) - --universal --python-version 3.11 \
	  --generate-hashes --output-file requirements-sam.lock

clean: ## Remove everything that was made here
	rm -rf $(VENV) $(SAM_VENV) .aws-sam .cache .hypothesis .*_cache dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup run test e2e-ministack e2e-dynamodb-local test-deployed check openapi bench build deploy lock clean
