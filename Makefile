# Everything from a fresh clone: `make run` starts the portal, `make test` runs the whole suite.

.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv/bin/python
PACKAGES := .venv/.packages-$(shell sha256sum requirements.txt | cut -c1-16)
TOOLS := .venv/.tools-$(shell cat requirements.txt requirements-dev.txt | sha256sum | cut -c1-16)
PIP := $(VENV) -m pip install --quiet --disable-pip-version-check --no-input
# What the tests need beside Python packages: a browser, the large profile's servers, independent DICOM tools.
SYSTEM := chromium fonts-dejavu-core fonts-droid-fallback poppler-utils redis-server postgresql dcmtk libgdcm-tools dicom3tools nodejs
PYTEST := $(VENV) -m pytest -n 2 --dist loadgroup -p no:cacheprovider

.PHONY: help run setup setup-dev system test test-plain test-large lint format clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: setup ## set everything up and start web, worker and beat
	@$(VENV) manage.py run

setup: $(PACKAGES) ## make .venv with the packages that the portal needs

setup-dev: $(TOOLS) ## … and those of tests and linter

$(VENV):
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: apt-get install python3-venv." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "The portal needs Python 3.11 or later; this is $$($(PYTHON) --version)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing: apt-get install python3-venv." >&2; exit 1; }
	@$(PYTHON) -m venv .venv

$(PACKAGES): | $(VENV)
	@echo "Installing the packages of requirements.txt into .venv."
	@$(PIP) -r requirements.txt || { echo "The packages could not be installed: see above." >&2; exit 1; }
	@rm -f .venv/.packages-* && touch $@

$(TOOLS): | $(PACKAGES)
	@echo "Installing the packages of requirements-dev.txt into .venv."
	@$(PIP) -r requirements-dev.txt || { echo "The packages could not be installed: see above." >&2; exit 1; }
	@rm -f .venv/.tools-* && touch $@

system: ## install what the tests need of Debian (as root), or say what is missing
	@missing=$$(for name in $(SYSTEM); do \
	    dpkg-query -W -f='$${Status}' $$name 2>/dev/null | grep -q '^install ok installed' || echo $$name; done); \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "The tests need these Debian packages, which are missing:" $$missing >&2; \
	    echo "As root: apt-get install" $$missing >&2; exit 1; \
	fi; \
	echo "Installing:" $$missing; \
	log=$$(mktemp); export DEBIAN_FRONTEND=noninteractive; \
	{ apt-get update && apt-get install --yes --no-install-recommends $$missing; } >$$log 2>&1 || \
	    { tail -n 20 $$log >&2; rm -f $$log; echo "These packages could not be installed:" $$missing >&2; exit 1; }; \
	rm -f $$log

lint: setup-dev ## linter, format and types
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check --quiet . || { echo "Some files are not formatted: make format." >&2; exit 1; }
	@PORTAL_SECRET_KEY=only-for-types $(VENV) -m mypy

format: setup-dev ## format the Python files
	@$(VENV) -m ruff check --fix .
	@$(VENV) -m ruff format .

test-plain: setup-dev ## the tests that need neither database nor browser
	@$(PYTEST) -m plain

test-large: setup-dev system ## what touches database, broker or storage, on PostgreSQL and Redis
	@echo "PostgreSQL and Redis:"
	@$(VENV) -m tests.servers -- $(PYTEST) -m profiles

test: lint test-large ## everything: linter, types, tests on both profiles, browser
	@echo "SQLite, files and browser:"
	@$(PYTEST)

clean: ## remove what the commands above made, but no data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
