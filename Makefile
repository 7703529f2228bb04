# The commands of the checkout. `make demo` and `make test` set up what is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PORT ?= 7071
INPUTS ?= 1000000
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
LOCK := requirements-dev.lock
# Tools that only read the project, with an environment of their own.
TOOLS := .venv-tools
TOOLS_READY := $(TOOLS)/.ready
TOOLS_LOCK := requirements-tools.lock

.PHONY: help setup demo test serve drill world bench lint format fuzz mutants figures \
  security load soak audit sbom lock clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Set up the virtual environment.

# Only complete environments carry the mark; an interrupted one is made anew.
$(READY): $(LOCK) .python-version .ci/setup.sh
	@bash .ci/setup.sh $(VENV) $(LOCK)
	@touch $@

$(TOOLS_READY): $(TOOLS_LOCK) .python-version .ci/setup.sh
	@bash .ci/setup.sh $(TOOLS) $(TOOLS_LOCK)
	@touch $@

demo: $(READY) ## Show calls travelling through two regions.
	@$(PYTHON) -m tests.simulator demo

test: $(READY) $(TOOLS_READY) ## Run all tests, fast ones first.
	@bash .ci/test.sh $(PYTHON)

serve: $(READY) ## Serve function_app.py on loopback, PORT=7071.
	@exec $(PYTHON) -m tests.localhost --port $(PORT)

BOT ?= shared/bot.py
world: $(READY) ## A page of calls, and a phone to call BOT=shared/bot.py.
	@exec $(PYTHON) -m tests.simulator world --bot $(BOT)

drill: $(READY) ## Let things go wrong on purpose; lose no call.
	@exec $(PYTHON) -m tests.simulator drill --json drill.json --html drill.html

bench: $(READY) ## Measure cost and throughput as ratios.
	@$(PYTHON) -m tests.measure.bench

lint: $(READY) ## Check format, style, types, imports and Bicep.
	@bash .ci/lint.sh $(VENV)

format: $(READY) ## Format the code.
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix-only --quiet .

fuzz: $(READY) ## Fuzz six targets with INPUTS=1000000 inputs in all.
	@$(PYTHON) -m tests.property.fuzz --inputs $(INPUTS)

mutants: $(READY) ## Mutate the modules that guard the door: do tests notice?
	@nice -n 10 $(PYTHON) -m tests.measure.mutants

figures: $(READY) ## Write the measured figures into docs.
	@$(PYTHON) -m tests.measure.tables

security: $(READY) ## Show which tests prove which requirement.
	@$(PYTHON) -m tests.security.requirements

SECONDS_EACH ?= 60
load: $(READY) ## Load the local host with wrk, SECONDS_EACH=60.
	@$(PYTHON) -m tests.measure.load load --seconds $(SECONDS_EACH)

MINUTES ?= 30
# INSTANCES=1: the calls are held by instances, and these fail instead.
INSTANCES ?=
soak: $(READY) ## Half of the highest rate for MINUTES=30.
	@$(PYTHON) -m tests.measure.load soak --minutes $(MINUTES) \
	  $(if $(INSTANCES),--instances)

audit: $(TOOLS_READY) ## Look for known vulnerabilities (needs a network).
	@bash .ci/audit.sh $(TOOLS)

sbom: $(TOOLS_READY) ## Write sbom.json, the bill of materials of the app.
	@bash .ci/sbom.sh $(TOOLS) sbom.json

lock: ## Lock the versions anew (needs uv).
	@for name in requirements requirements-dev requirements-tools; do \
	  uv pip compile --quiet --universal --generate-hashes --no-header \
	    --no-emit-index-url --python-version 3.13 $$name.txt -o $$name.lock; done

clean: ## Remove what the commands made.
	@rm -rf $(VENV) $(TOOLS) .ci/kusto .ci/uv .coverage .coverage.* .pytest_cache .mypy_cache \
	  .ruff_cache .import_linter_cache .hypothesis test-artefacts mutants drill.json \
	  drill.log drill.html bench.json load.json flood.json soak.json soak_instances.json mutants.json \
	  sbom.json build
