# Winnow. `make help` lists the targets.
PYTHON ?= python3.11
BIN := .venv/bin
LIMIT ?=
APT := apertium apertium-eng-spa apertium-eo-en perl-doc wordnet-base

.PHONY: help demo test test-slow check bench docs setup debian browser

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: setup ## set everything up and run the whole pipeline on 38,158 tweets; ends with a scorecard
	$(BIN)/winnow run data/recipes/tweets.yaml $(if $(LIMIT),--limit $(LIMIT))

test: setup ## set everything up and pass the tests
	$(BIN)/pytest

test-slow: setup ## the tests that take minutes: real models, fifty kills, a server
	$(BIN)/pytest -m slow

check: setup ## ruff, ruff format, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## time our commands and measure what they find; takes hours; results go to bench/results
	$(BIN)/python -m bench.curation
	$(BIN)/python -m bench.identity
	$(BIN)/python -m bench.versions
	$(BIN)/python -m bench.nightly
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.band_features
	$(BIN)/python -m bench.duplicates_quality
	$(BIN)/python -m bench.semantic_duplicates
	$(BIN)/python -m bench.decontamination
	$(BIN)/python -m bench.hostile
	$(BIN)/python -m bench.audit_calibration
	$(BIN)/python -m bench.audit_scale
	$(BIN)/python -m bench.augmentation

docs: setup ## write docs/stages.md and docs/recipe.md from the code
	$(BIN)/python -m flows.reference docs

setup: .venv/installed debian

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --config-settings editable_mode=compat --editable '.[dev]'
	touch $@

browser: ## install the browser in which the report is tested; without it these tests are skipped
	@$(MAKE) --no-print-directory debian APT=chromium

debian: ## install the Debian packages that are missing, where the user may
	@missing() { for package in $(APT); do dpkg -s $$package >/dev/null 2>&1 || echo $$package; done; }; \
	apt() { if [ "$$(id -u)" = 0 ]; then apt-get -qq "$$@"; else sudo -n apt-get -qq "$$@"; fi </dev/null >/dev/null 2>&1; }; \
	if [ -n "$$(missing)" ]; then apt update; for package in $$(missing); do apt install -y $$package; done; fi; \
	left=$$(missing); \
	if [ -n "$$left" ]; then echo "left out: what needs the Debian packages" $$left "(install them with apt-get and run again)"; fi
