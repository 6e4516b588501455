# The same names as the steps of .ci/run; every target works on a fresh checkout.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install up test check bench soak lock docs clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

install: .venv/installed  ## create .venv with everything, exactly as locked

# --no-deps: the lock is whole, and pip would look for what is newer wherever something is asked for with an extra.
.venv/installed: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed (say which one: make PYTHON=python3.12 …)")'
	@echo "Installing into .venv: the first time takes a minute or two …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --no-deps -r requirements-dev.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

up: install  ## Kafka, the Customer.io sandbox, a worker and sample traffic on this machine
	@exec $(BIN)/cio-streams up

check: install  ## format, lint, types, architecture, Kubernetes objects
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.deploy.kubernetes_schemas

test: install  ## the whole test suite, on a real Kafka; two files at a time, as most of it waits
	$(BIN)/pytest -n 2 --dist loadfile

bench: install  ## speed and memory on this machine
	$(BIN)/python -m tests.bench

SECONDS ?= 300
SEED ?= 1
SEEDS ?= 5000
soak: install  ## SEEDS runs of the simulation, then the fault test for SECONDS with SEED
	$(BIN)/python -m tests.simulation --first $(SEED) --seeds $(SEEDS)
	$(BIN)/python -m tests.faults --seconds $(SECONDS) --seed $(SEED)

lock: install  ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-emit-find-links pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-emit-find-links --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

docs: install  ## the pages that are made from code
	$(BIN)/python -m streams.failure_page > FAILURES.md
	$(BIN)/python -m streams.metrics.page > METRICS.md

clean:  ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
