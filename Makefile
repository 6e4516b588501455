# The same names as the steps of .ci/run; every target works on a fresh checkout.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install up test check audit leaks licences bench soak lock sbom docs clean

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

check: install  ## format, lint, types, architecture, deploy/, and what we depend on
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@command -v terraform > /dev/null || { echo "terraform 1.11 or newer is needed: developer.hashicorp.com/terraform/install"; exit 1; }
	terraform fmt -check -diff -recursive deploy/terraform
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --schemafile tests/data/compose-spec.json docker-compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet .github/workflows
	@$(MAKE) --no-print-directory audit leaks licences
	@tools=$$(.ci/prometheus) && $$tools/promtool check config deploy/prometheus/prometheus.yml && $$tools/promtool test rules deploy/prometheus/*.test.yml
	$(BIN)/python -m tests.deploy.kubernetes_schemas

test: install  ## the whole test suite, on a real Kafka; three files at a time, as most of it waits
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

bench: install  ## speed and memory on this machine
	$(BIN)/python -m tests.bench

LOCK ?= requirements.lock
OSV ?= https://api.osv.dev/v1/query
audit: install  ## known vulnerabilities of what LOCK pins; without the service it says so, and passes
	$(BIN)/python -m tests.supply_chain.dependency_audit $(LOCK) $(OSV)

# Left out: hashes, in lock files and in what Customer.io's own pages show; what our examples hold, encoded or hashed; up to
# four words in small letters, as tests and the sandbox have them, for real keys are random; names of variables. What else is
# none has `pragma: allowlist secret - WHY` on its line.
LIST ?= git ls-files
leaks: install  ## keys and passwords in the files that the command LIST names, by default all that are tracked
	$(LIST) | xargs -P 2 -n 300 $(BIN)/detect-secrets-hook --no-verify \
		--exclude-files '^requirements.*\.lock$$' --exclude-files '^tests/data/' \
		--exclude-lines '"(raw_base64|fingerprint|event_id)": "' \
		--exclude-secrets '^[a-z]+([ -][a-z]+){0,3}$$' --exclude-secrets '^[A-Z]+(_[A-Z]+)+$$' --exclude-secrets 'KAFKA_'

licences: install  ## only those that pyproject.toml allows, of what LOCK pins
	$(BIN)/pip-licenses --with-system --packages $$(sed -n 's/==.*//p' $(LOCK)) > /dev/null

SECONDS ?= 300
SEED ?= 1
SEEDS ?= 5000
soak: install  ## SEEDS runs of the simulation, then the fault test for SECONDS with SEED
	$(BIN)/python -m tests.simulation --first $(SEED) --seeds $(SEEDS)
	$(BIN)/python -m tests.faults --seconds $(SECONDS) --seed $(SEED)

lock: install  ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-emit-find-links pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-emit-find-links --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-emit-find-links --group pyproject.toml:build -c requirements-dev.lock -o requirements-build.lock

sbom: install  ## dist/sbom.cdx.json: what the image's Python environment is made of, as CycloneDX
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o dist/sbom.cdx.json requirements.lock

docs: install  ## the pages that are made from code
	$(BIN)/python -m streams.failure_page > FAILURES.md
	$(BIN)/python -m streams.warehouse.bigquery.table_file > deploy/terraform/module/warehouse.json
	$(BIN)/python -m streams.metrics.page > METRICS.md

clean:  ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
