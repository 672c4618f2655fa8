# Winnow. `make help` lists the targets.
PYTHON ?= python3.11
BIN := .venv/bin
LIMIT ?=
APT := apertium apertium-eng-spa perl-doc

.PHONY: help demo test test-slow check bench docs setup debian

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: setup ## set everything up and run the whole pipeline on 38,158 tweets; ends with a scorecard
	$(BIN)/winnow run data/recipes/tweets.yaml $(if $(LIMIT),--limit $(LIMIT))

test: setup ## set everything up and pass the tests
	$(BIN)/pytest

test-slow: setup ## the tests that take minutes: real models, kill -9, the demo's determinism
	$(BIN)/pytest -m slow

check: setup ## ruff, ruff format, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## time our commands from cold start; results go to bench/results
	$(BIN)/python -m bench.curation

docs: setup ## write docs/stages.md and docs/recipe.md from the code
	$(BIN)/python -m flows.reference docs

setup: .venv/installed debian

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --config-settings editable_mode=compat --editable '.[dev]'
	touch $@

debian: ## install the Debian packages that are missing, where the user may
	@missing=$$(for package in $(APT); do dpkg -s $$package >/dev/null 2>&1 || echo $$package; done); \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq $$missing >/dev/null; \
		elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then sudo -n apt-get update -qq && sudo -n apt-get install -y -qq $$missing >/dev/null; \
		else echo "left out: what needs the Debian packages" $$missing "(install them with apt-get and run again)"; fi; \
	fi
