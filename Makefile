# make run    installs, starts the embedded PostgreSQL, plays the demo, serves on http://127.0.0.1:8080
# make test   installs, runs the whole suite on an embedded PostgreSQL
# Each can be repeated, needs Python 3.11 or newer, and works offline once the packages are cached.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2
SAML_IDP := tests/providers/saml
NODE_PROVIDERS := tests/providers/node
VENDOR := app/static/vendor

.PHONY: run test check prove fuzz plans providers journeys bench bench-tokens bench-console vendor screenshots migrate lock format clean

run: $(VENV)/run.stamp
	@$(BIN)/rollcall db upgrade
	@$(BIN)/rollcall demo play
	@exec $(BIN)/rollcall demo serve

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n $(WORKERS) -m "not journey"

# The same properties as in `test`, on new examples and twenty times as many. SEED=… repeats a run.
prove: SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
prove: $(VENV)/dev.stamp
	@echo "make prove SEED=$(SEED) repeats this run"
	PROOF_SEED=$(SEED) PROOF_TIMES=20 $(BIN)/python -m pytest -n $(WORKERS) tests/proofs \
		--hypothesis-profile=prove --hypothesis-seed=$(SEED)

# Bent requests, as many as one likes. SEED=… repeats a run.
fuzz: SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
fuzz: $(VENV)/dev.stamp
	@echo "make fuzz SEED=$(SEED) repeats this run"
	PROOF_SEED=$(SEED) FUZZ_REQUESTS=$(or $(REQUESTS),50000) $(BIN)/python -m pytest tests/proofs/test_fuzz.py

# The plans of `test` again, with a million people beside fifty thousand and five hundred: two minutes and more, 5 GB of disk.
plans: $(VENV)/dev.stamp
	PLANS_SIZES=1000000,50000,500 $(BIN)/python -m pytest tests/proofs/test_plans.py tests/proofs/test_token_plans.py

# Without node, xmlsec1 or Chromium the journeys that need them are skipped, and say so; with CI set that is a failure.
journeys: $(VENV)/dev.stamp
	@$(MAKE) --no-print-directory providers || test -z "$$CI"
	$(BIN)/python -m pytest -rs tests/journeys -m journey

# The identity providers and the relying party that the journeys start: pysaml2, oidc-provider, openid-client.
providers: $(VENV)/saml-idp.stamp $(VENV)/node.stamp

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.scim

# A million sessions: three minutes and more, 2 GB of disk.
bench-tokens: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.tokens

# The console's pages with 20,000 and 100,000 people: ten minutes and more, 3 GB of disk.
bench-console: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.console

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/guards/test_migrations.py

# The console's stylesheets, scripts and icons of other people, anew from what the lock names. Nothing else needs npm.
vendor: $(VENV)/dev.stamp
	@command -v npm >/dev/null || { echo "Node.js 20 or newer and npm are needed (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	rm -rf build/vendor && mkdir -p build/vendor
	cp $(VENDOR)/package.json $(VENDOR)/package-lock.json $(VENDOR)/.npmrc build/vendor
	cd build/vendor && npm ci --ignore-scripts --prefer-offline --silent
	$(BIN)/python -m tools.vendor build/vendor/node_modules

# Every page of the console in light and dark, wide and narrow. The journey that takes them looks for faults as well.
screenshots: $(VENV)/dev.stamp $(VENV)/node.stamp
	@command -v pngquant >/dev/null || { echo "pngquant is needed (Debian: apt-get install pngquant)" >&2; exit 1; }
	rm -rf build/screenshots
	JOURNEY_SCREENSHOTS=$(CURDIR)/build/screenshots $(BIN)/python -m pytest -q tests/journeys/test_console_pages.py
	$(BIN)/python -m tools.screenshots build/screenshots docs/screenshots

migrate: $(VENV)/run.stamp
	$(BIN)/rollcall db upgrade

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is installed is what the lock names, by hash. A stamp is written last: an interrupted installation is done again.
$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/saml-idp.stamp: $(SAML_IDP)/requirements.lock | $(BIN)/python
	@command -v xmlsec1 >/dev/null || { echo "xmlsec1 is needed (Debian: apt-get install xmlsec1)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)/saml-idp
	$(VENV)/saml-idp/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

$(VENV)/node.stamp: $(NODE_PROVIDERS)/package-lock.json $(NODE_PROVIDERS)/.npmrc | $(BIN)/python
	@command -v npm >/dev/null || { echo "Node.js 20 or newer and npm are needed (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	cd $(NODE_PROVIDERS) && npm ci --ignore-scripts --prefer-offline --silent
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

lock: $(VENV)/dev.stamp
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --no-emit-index-url --no-header --python-version 3.11 --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --no-emit-index-url --no-header --python-version 3.11 $(SAML_IDP)/requirements.in -o $(SAML_IDP)/requirements.lock

clean:
	rm -rf $(VENV) $(NODE_PROVIDERS)/node_modules build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
