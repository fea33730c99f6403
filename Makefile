# Everything a developer does here. `make` alone lists it.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help demo demo-clean test unit browser integration versions conformance sanity lint docs molecule bench format setup clean

# Each part of the tests runs alone; `make test` runs them all and ends with one summary.
RUN := scripts/test

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## Deploy a Django application, let two releases fail, watch both roll back
	@examples/demo/run

demo-clean: ## Stop the demo's server and application and remove .demo/
	@examples/demo/clean

test: ## Run every part below but conformance, and the demo; end with one summary
	@$(RUN)

unit: ## Unit tests
	@$(RUN) unit

browser: ## The report of a restore test in a headless Chromium
	@$(RUN) browser

integration: ## Tests on private MariaDB servers
	@$(RUN) integration

versions: ## The modules on MariaDB 10.5, MariaDB 11.8 and MySQL 9 (needs root)
	@$(RUN) versions

conformance: ## Stores on Ceph's S3 gateway, an old server over TLS (needs root)
	@$(RUN) conformance

sanity: ## ansible-test sanity
	@$(RUN) sanity

lint: ## ansible-lint, ruff, shellcheck, actionlint, changelog, the built collection and Galaxy's importer
	@$(RUN) lint

docs: ## The site of the documents in .cache/docs/html, with the reference; no link may be broken
	@$(RUN) docs

molecule: ## Molecule on hosts with systemd; one scenario: make molecule SCENARIO=fleet
	@SCENARIO=$(SCENARIO) $(RUN) molecule

bench: setup ## Time, size and memory beside the plain tools: backup, restore, upload, retention; deployments
	@.venv/bin/python tests/benchmark/run.py && .venv/bin/python tests/benchmark/offsite.py && \
		.venv/bin/python tests/benchmark/deploy.py

format: setup ## Format the Python code and apply ruff's safe fixes
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

setup: ## Make .venv with everything pinned in requirements/
	@scripts/setup runtime demo test docs

clean: ## Remove .venv and .cache (the demo has its own: demo-clean)
	@[ ! -d .cache/versions ] || [ -O .cache/versions ] || sudo rm -rf .cache/versions
	@rm -rf .venv .cache .pytest_cache .ruff_cache .hypothesis .ansible tests/output
