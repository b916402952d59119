# `make help` lists what there is. Everything runs in .venv, which each target makes and keeps up to date by itself.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
SERVICES := registry logsvc grading webui
BROWSER ?= yes
CLICKHOUSE ?= no
.DEFAULT_GOAL := help

.PHONY: help up test check format bench faults messages assets baselines lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit("Rollcall needs Python 3.11 or later, and $(PYTHON) is %s: name another, such as make PYTHON=python3.11 up." \
		% sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

.venv/.base: deploy/requirements/base.txt | .venv/bin/pip
	@echo "Installing what Rollcall needs into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@$(BIN)/python -m compileall -q config $(SERVICES)
	@touch $@

.venv/.dev: deploy/requirements/dev.txt .venv/.base
	@echo "Installing what its development needs into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

up: .venv/.base ## Start everything: Redis, the four services, workers and beat; Ctrl-C stops it
	@exec $(BIN)/python manage.py up

test: .venv/.dev ## Run the whole suite, with all its set-up; BROWSER=no leaves out what needs a browser, CLICKHOUSE=yes adds that engine
	@BROWSER=$(BROWSER) CLICKHOUSE=$(CLICKHOUSE) $(BIN)/python -m tests.machine
	@BROWSER=$(BROWSER) CLICKHOUSE=$(CLICKHOUSE) $(BIN)/python -m tests.suite

check: .venv/.dev ## Lint, types, architecture, templates, dependencies, deployment and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# It ends without what runs at exit, and so leaves the data directory of the settings that it reads.
	directory=$$(mktemp -d) && trap 'rm -rf "$$directory"' EXIT && TMPDIR=$$directory $(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	git ls-files '*.html' ':!webui/jinja2' | xargs --no-run-if-empty $(BIN)/djade --check --target-version 5.2
	$(BIN)/deptry .
	@for service in $(SERVICES); do \
		ROLLCALL_HTTPS=on $(BIN)/python manage.py $$service check --deploy --fail-level WARNING || exit 1; \
		$(BIN)/python manage.py $$service makemigrations --check --dry-run || exit 1; \
	done

format: .venv/.dev ## Format the code and the templates
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files '*.html' ':!webui/jinja2' | xargs --no-run-if-empty $(BIN)/djade --target-version 5.2

bench: .venv/.dev ## Run the benchmarks; bench/README.md says what they mean
	@for file in bench/bench_*.py; do \
		echo "== $$file"; \
		$(BIN)/python -m "$$(echo $${file%.py} | tr / .)" || exit 1; \
	done

faults: .venv/.dev ## Do to the registry what must not harm it, and check: MINUTES=10 SEED=<any>; docs/reliability.md
	@$(BIN)/python -m tests.faults --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

messages: .venv/.dev ## Collect the web UI's texts for translators; it needs gettext
	cd webui && DJANGO_SETTINGS_MODULE=config.settings.webui PYTHONPATH=.. \
		../$(BIN)/django-admin makemessages --all --no-location --no-obsolete

TABLER := 1.6.1
TABLER_DIR := webui/static/vendor/tabler

assets: ## Vendor the web UI's design system again, from npm; its licence stands beside it
	@directory=$$(mktemp -d) && trap 'rm -rf "$$directory"' EXIT && \
		npm pack --silent --pack-destination "$$directory" @tabler/core@$(TABLER) > /dev/null && \
		tar -xzf "$$directory"/tabler-core-$(TABLER).tgz -C "$$directory" && \
		sed '/^\/\*# sourceMappingURL=/d' "$$directory"/package/dist/css/tabler.min.css > $(TABLER_DIR)/tabler.min.css
	gzip -9nkf $(TABLER_DIR)/tabler.min.css

baselines: .venv/.base ## Write each service's migrations/baseline.sql anew, after a migration
	@for service in $(SERVICES); do \
		directory=$$(mktemp -d) && ROLLCALL_DATA_DIR=$$directory $(BIN)/python manage.py $$service write_baseline || exit 1; \
		rm -rf "$$directory"; \
	done

lock: ## Pin the dependencies again, with hashes, after a change in pyproject.toml
	uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
		pyproject.toml -o deploy/requirements/base.txt
	uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
		pyproject.toml --group dev -c deploy/requirements/base.txt -o deploy/requirements/dev.txt

clean: ## Remove the environment and the data directory
	rm -rf .venv var
