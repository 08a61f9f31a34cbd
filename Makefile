# Lockstep. `make demo` shows it at work, `make test` proves it; `make help` lists the rest.
# Needed: Python 3.11 or newer, make, and a package index that pip can reach. No Docker, no Java, no root.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo test simulate planted mutation kill-test chart lint bench rebuild-day lock schemas pages clean

# The first of these that runs and is new enough. `make PYTHON=/some/python3 install` overrides it.
PYTHON ?= $(shell for one in python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$one" && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
# What a run is told beside its defaults: make demo ARGS="--orders 50", make test ARGS="-k telling".
ARGS ?=

help: ## List what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## Create .venv with everything pinned by hash (the second run does nothing)

$(INSTALLED): requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "expected Python 3.11 or newer as python3.11 or python3, found none" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "[1/3] virtual environment .venv with $$($(PYTHON) --version)"; $(PYTHON) -m venv .venv; }
	@echo "[2/3] packages of requirements-dev.txt, each checked by its hash"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes \
		-r requirements-dev.txt | sed -u -n 's/^Collecting \([^ ]*\).*/      \1/p; s/^Installing collected.*/      unpacking/p'
	@echo "[3/3] lockstep itself, editable"
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## Run the whole flow on this machine: Kafka, Shopify, Clarus, ERP, Lockstep; ends with a report
	@$(BIN)/lockstep demo $(ARGS)

test: install ## Run every test, on a real Kafka, with both cores
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

simulate: install ## Play 2000 histories of faults in virtual time on both cores, and judge them from the books
	@$(BIN)/lockstep simulate --histories 2000 --keep .cache/simulate $(ARGS)

planted: install ## Plant ten known bugs in copies of the code: the simulation must find each
	@$(BIN)/python -m tests.simulation.planting $(ARGS)

mutation: install ## Change the rules in thousands of small ways: their tests must notice (goes on where it was stopped)
	@nice -n 10 $(BIN)/python -m tests.mutation $(ARGS)

kill-test: install ## Kill, freeze, restart and cut off everything under load on a real Kafka; nothing lost, nothing doubled
	@$(BIN)/python -m tests.kills --keep .cache/kills $(ARGS)

chart: install ## Render the Helm chart and hold it against Kubernetes' schemas (where there is no helm, Go builds one)
	@$(BIN)/python -m tests.helm
	$(BIN)/pytest tests/operate/test_chart.py $(ARGS)

lint: install ## Check style, types, arrows between packages, YAML
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .

bench: install ## Measure throughput and latency
	@$(BIN)/python -m benchmarks $(ARGS)

rebuild-day: install ## A day of a million order events on a real Kafka: verified, rebuilt, put in place, measured
	@$(BIN)/python -m benchmarks.day $(ARGS)

COMPILE := $(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --no-emit-find-links --no-emit-index-url --strip-extras

lock: install ## Resolve the dependencies anew and pin them by hash
	@echo "[1/3] requirements-dev.txt"
	@$(COMPILE) --extra=dev --extra=sandbox --output-file=requirements-dev.txt pyproject.toml
	@echo "[2/3] requirements.txt, the same versions without tests and sandbox"
	@$(COMPILE) --constraint=requirements-dev.txt --output-file=requirements.txt pyproject.toml
	@echo "[3/3] sandbox/tryton/requirements.txt"
	@$(COMPILE) --output-file=sandbox/tryton/requirements.txt sandbox/tryton/requirements.in

schemas: install ## Keep the Avro schemas of changed records in schemas/history, after a check of compatibility
	@$(BIN)/lockstep topics schemas

pages: install ## Write the pages of docs/ that are made from code
	@$(BIN)/lockstep topics page
	@$(BIN)/lockstep case page
	@$(BIN)/lockstep case checks
	@$(BIN)/lockstep doctor --page docs/operate/doctor.md
	@$(BIN)/lockstep audit --page docs/operate/audit.md

clean: ## Remove .venv, caches and builds of this folder
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
