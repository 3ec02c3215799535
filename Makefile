# Everything runs from here; `make help` says what there is.
PORT ?= 8000
PYTHON ?= python3
SHELL := /bin/bash

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_QUIET := 1
# Hundreds of tests start a process of their own, and none should compile what the one before has compiled.
unexport PYTHONDONTWRITEBYTECODE

NODE_IS_THERE := $(shell command -v node >/dev/null && [ "$$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] && echo yes)
PAGE_SOURCES := $(shell find frontend/src frontend/*.html frontend/*.ts frontend/*.js -type f 2>/dev/null) schema/schema.graphql

.PHONY: help install run test page lint fmt bench soak lock demo clean

help: ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: .venv/.installed frontend/dist/index.html ## install what is needed, build the page, prepare the database
	@meilin migrate
	@meilin demo

run: install ## install and serve on 127.0.0.1, `make run PORT=9000` elsewhere
	@meilin serve --port $(PORT)

test: .venv/.dev frontend/dist/index.html .venv/.browser ## every test, on SQLite and on PostgreSQL with Redis, in a real browser
	@$(MAKE) --no-print-directory --jobs 2 lint page
	pytest -n 3 --dist loadgroup

page: frontend/node_modules/.package-lock.json ## types and tests of the page alone
	cd frontend && npm run --silent check && npm run --silent test

lint: .venv/.dev ## types and style
	ruff check .
	ruff format --check .
	mypy

fmt: .venv/.dev ## format
	ruff check --fix .
	ruff format .

bench: .venv/.dev frontend/dist/index.html ## reads and the live side beside plain Strawberry, the latter beside a bare writer in C, and single actions
	python -m bench

soak: .venv/.dev frontend/dist/index.html ## the long endurance runs
	pytest -n 2 -m soak

lock: .venv/.dev ## renew the hashed pins, without any registry's address
	pip install uv
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev -c requirements.txt requirements.in -o requirements-dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group node -o requirements-node.txt

clean: ## forget everything that was built, also the database
	rm -rf .venv frontend/node_modules frontend/dist var

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python requirements.txt pyproject.toml
	pip install --require-hashes -r requirements.txt
	pip install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.installed requirements-dev.txt
	pip install --require-hashes -r requirements-dev.txt
	@touch $@

.venv/.node: .venv/.installed requirements-node.txt
ifneq ($(NODE_IS_THERE),yes)
	pip install --require-hashes -r requirements-node.txt
endif
	@touch $@

frontend/node_modules/.package-lock.json: .venv/.node frontend/package.json frontend/package-lock.json
	npm ci --prefix frontend --no-audit --no-fund --loglevel=error
	@touch $@

frontend/dist/index.html: frontend/node_modules/.package-lock.json $(PAGE_SOURCES)
	npm run --silent --prefix frontend build
	@touch $@

# A browser for the tests: the system's, or one that an npm package carries.
.venv/.browser: .venv/.node
	@command -v chromium chromium-browser google-chrome >/dev/null || npm install --silent --no-save --prefix .venv/browser @sparticuz/chromium@153.0.0
	@touch $@
