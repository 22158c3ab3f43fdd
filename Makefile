# The front door. Each target installs what it needs first (scripts/install_packages says what and asks nothing).
#   make help     what there is
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PYTHON := /usr/bin/python3
FREEHOLD := build/release/freehold
SECONDS ?= 60
TARGET ?= all

.DEFAULT_GOAL := build
.PHONY: build up office test check bench client fuzz package test-guest format help clean

build: ## build the program: build/release/freehold
	@scripts/install_packages build
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build build/release -j $(JOBS)

up: build ## build it and run examples/quickstart here until ctrl-C; CHECK=1: start, fetch every URL it prints, stop
	@scripts/install_packages run
	@$(PYTHON) scripts/run_example $(if $(filter-out 0,$(CHECK)),--check) quickstart $(FREEHOLD)

office: build ## the same with examples/office: PostgreSQL, an application on it, calendars, a chat, a site, a nightly job
	@scripts/install_packages office
	@$(PYTHON) scripts/run_example $(if $(filter-out 0,$(CHECK)),--check) office $(FREEHOLD)

test: ## every test: units under ASan and UBSan, then the release binary from outside
	@scripts/install_packages build run office test
	@$(PYTHON) scripts/test --jobs $(JOBS)

check: ## layout, static analysis, layers, style, sizes
	@scripts/install_packages build run test
	@$(PYTHON) scripts/check --jobs $(JOBS)

bench: build ## micro-benchmarks, goals, measures beside peers; results in build/bench/results
	@scripts/install_packages run measure
	@$(PYTHON) scripts/bench --jobs $(JOBS)

fuzz: ## fuzz TARGET (all) for SECONDS (60) each
	@scripts/install_packages build run test
	@scripts/fuzz '$(TARGET)' '$(SECONDS)' '$(JOBS)'

client: ## the client for TypeScript: types generated anew from docs/operations/openapi.json, and checked
	@$(PYTHON) scripts/api_client

package: build ## a .deb of it with units for systemd: build/package/freehold_VERSION_ARCHITECTURE.deb
	@scripts/install_packages package
	@scripts/package

test-guest: package ## install, upgrade, reboot, exceed limits, remove: in an emulated Debian 12 with systemd
	@scripts/install_packages guest && $(PYTHON) -m pytest -q tests/guest

format: ## lay out every source file as make check wants it
	@scripts/install_packages test
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

clean: ## remove build/
	@rm -rf build

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done
