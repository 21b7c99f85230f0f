# Everything is done in .venv, which the first target that needs it makes. `make` alone lists the targets.
# Needs make and Python 3.11 or newer; `make run PYTHON=python3.13` chooses another one than python3.

PYTHON ?= python3
VENV ?= .venv
# Pinned versions for a build that must be repeatable: make test CONSTRAINTS=requirements-ci.txt
CONSTRAINTS ?=
# More for the command itself: make run ARGS="--port 9000", make test ARGS="tests/unit -k merge"
ARGS ?=
# How much make soak plays, and what: make soak STEPS=100000 SEED=7
STEPS ?= 20000
SEED ?= 1

# Whole files, in their order: the long ones of faults and flows begin early, the short ones fill up the end.
SPREAD := -n 2 --dist loadfile --no-loadscope-reorder

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test soak check bench pictures messages lock clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile

run: $(VENV)/.serve ## Start the sandbox: a CRM, an Outlook and calsync between them
	@$(BIN)/calsync serve $(ARGS)

test: $(VENV)/.develop ## Run the tests
	@$(BIN)/python -m pytest $(SPREAD) $(ARGS)

soak: $(VENV)/.develop ## Play random histories, every fault with every stop, all on PostgreSQL and backwards (hours)
	$(BIN)/python -m tests.soak --steps $(STEPS) --seed $(SEED)
	$(BIN)/python -m tests.soak --steps $(STEPS) --seed $(SEED) --backwards
	@$(BIN)/python -m pytest $(SPREAD) -m soak $(ARGS)
	@$(BIN)/python -m pytest $(SPREAD) --all-postgresql -k postgresql tests/flows
	@$(BIN)/python -m pytest $(SPREAD) --backwards -k "not postgresql" tests/flows tests/faults

check: $(VENV)/.develop ## Look at style, types and the import table
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m pytest -q tests/test_architecture.py

bench: $(VENV)/.develop ## Measure, and print the table of the README
	@$(BIN)/python -m bench $(ARGS)

pictures: $(VENV)/.develop ## Take the pictures of the documentation from a running sandbox (Chromium)
	@$(BIN)/python docs/make_pictures.py $(ARGS)

messages: $(VENV)/.develop ## Collect the sentences of the pages for their translators, and compile the catalogues
	@$(BIN)/python docs/make_messages.py $(ARGS)

lock: ## Write requirements-ci.txt from the newest versions that pyproject.toml allows
	$(MAKE) --no-print-directory VENV=$(VENV)-lock CONSTRAINTS= $(VENV)-lock/.develop
	$(VENV)-lock/bin/python -m pip freeze --exclude-editable --exclude pip > requirements-ci.txt.new
	@if grep -n '[@/]' requirements-ci.txt.new; then echo "an address in the lock file" >&2; exit 1; fi
	{ echo "# Made by make lock. Versions for CI; users install the ranges of pyproject.toml."; \
	  cat requirements-ci.txt.new; } > requirements-ci.txt
	rm -rf $(VENV)-lock requirements-ci.txt.new

clean: ## Remove the virtual environment and everything that tools left
	rm -rf $(VENV) $(VENV)-lock build dist .mypy_cache .ruff_cache .hypothesis test-results

# Stamps: an installation is repeated only when pyproject.toml or the pinned versions are newer.

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  "calsync needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.13")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install "pip>=25.1"
	@touch $@

$(VENV)/.serve: pyproject.toml $(CONSTRAINTS) | $(VENV)/.python
	$(INSTALL) --editable ".[serve]"
	@touch $@

$(VENV)/.develop: pyproject.toml $(CONSTRAINTS) | $(VENV)/.python
	$(INSTALL) --group test --group check --editable ".[serve,postgres]"
	@touch $@ $(VENV)/.serve
