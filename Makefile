.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# The first of these that runs and is Python 3.11 or 3.12; `make setup PYTHON=...` overrides it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] not in [(3, 11), (3, 12)])' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready

# DVC orders some entries of dvc.lock by hash: a fixed seed gives the same lock every time.
export PYTHONHASHSEED := 0

# Compiled at once, because every stage is a new process: where Python may not write its bytecode, TensorFlow
# alone would be compiled anew in each of them, 7 s.
$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "skred needs Python 3.11 or 3.12 and found neither: install one, or name it: make setup PYTHON=/path/to/python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.txt >.venv/uv.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	echo 'export PYTHONHASHSEED=0  # DVC orders parts of dvc.lock by hash' >>.venv/bin/activate
	touch $@

# Stages are started as `python -m skred...`: the environment's python must be the first one found.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: setup
setup: $(READY) ## make the environment .venv from the hashed requirements

# A tracking server that is down costs one line, not the experiment.
.PHONY: repro
repro: $(READY) ## run the whole experiment and bring MLflow up to date
	@skred check >/dev/null  # a wrong parameter is told now, not when its stage runs
	@dvc status --quiet dvc.yaml || { test $$? = 1 && $(MAKE) $(AGAIN) cells; }
	dvc repro
	-skred track
	@skred compare
	@echo "scores: metrics/compare.json; curves: dvc plots show; maps: data/maps; models: reports/cards; runs: make lab"
	@echo "the report, to open in a browser: $(CURDIR)/reports/index.html"

# DVC runs one stage after the other, and a stage seldom keeps two cores busy. So whole cells run side by side, each in a
# DVC of its own; DVC lets only one at a time write dvc.lock. If a cell fails, no other begins.
JOBS := 2
AGAIN := --no-print-directory --old-file=$(READY)
.PHONY: cells
cells: $(READY) ## train, predict and evaluate what has changed, two cells at a time (four: JOBS=4; each takes up to 1.5 GB)
	@test "$(JOBS)" -ge 1 2>/dev/null || { echo "JOBS: got $(JOBS), wanted how many cells run at a time, 1 or more" >&2; exit 2; }
	@skred check >/dev/null
	dvc repro composite patch
	@cells=$$(dvc status dvc.yaml | sed -En 's/^(train|predict|evaluate)@(.*):$$/cell@\2/p' | sort -ru); \
		test -n "$$cells" || { echo "no cell has changed"; exit 0; }; \
		echo $$(wc -w <<<"$$cells") "cells to train, predict and evaluate, $(JOBS) at a time; what each says comes when it ends"; \
		$(MAKE) $(AGAIN) --jobs=$(JOBS) $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) $$cells

cell@%:
	dvc --wait-for-lock repro --single-item train@$* predict@$* evaluate@$*

# What MLflow would be told while a training goes on is told by `skred track` at the end of `make repro`.
repro cells: export SKRED_LIVE_AFTER_S ?= 120

STUDIES := seeds optimism days importance baselines ensembles

.PHONY: studies
studies: $(READY) ## run the studies on the root pipeline's data one after another: about an hour
	for study in $(STUDIES); do (cd experiments/$$study && dvc repro) || exit 1; done
	-skred track

.PHONY: test
test: $(READY) test-tools ## run every test, two files at a time
	pytest -n 2 --dist loadfile

# Where they cannot be installed the tests that need them are skipped, and say so.
.PHONY: test-tools
test-tools: ## install what some tests look through, where this machine lets us: Debian's Chromium, GDAL's ogrinfo
	@missing=""; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| missing="chromium"; \
	command -v ogrinfo >/dev/null || missing="$$missing gdal-bin"; \
	test -n "$$missing" || exit 0; \
	root=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	{ command -v apt-get >/dev/null && $$root apt-get update -qq \
		&& $$root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null; } \
		|| echo "cannot be installed here (apt-get as root): $$missing; the tests that need it will be skipped" >&2

.PHONY: lint
lint: $(READY) ## ruff and mypy
	ruff check
	ruff format --check
	mypy

.PHONY: lab
lab: PORT ?= 5000
lab: $(READY) ## open the MLflow page of all runs on http://127.0.0.1:5000 (another one: PORT=5001)
	MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db --artifacts-destination mlruns/artifacts --host 127.0.0.1 --port $(PORT) --workers 1

.PHONY: import
import: $(READY) ## import an experiment's images: make import NAME=flood-s1s2
	@test -n "$(NAME)" || { echo "which one? make import NAME=flood-s1s2" >&2; exit 2; }
	@test -e data/external/$(NAME) || { echo "data/external/$(NAME) is missing: place or link the images there (see experiments/$(NAME)/bands.yaml)" >&2; exit 2; }
	rm -rf experiments/$(NAME)/data/composites/$(NAME)
	cd experiments/$(NAME) && skred import bands.yaml ../../data/external/$(NAME) data/composites/$(NAME)
	cd experiments/$(NAME) && dvc commit --force import

.PHONY: share
share: $(READY) ## keep a copy of all data in a folder, to pull from elsewhere: make share TO=/path/to/folder
	@test -n "$(TO)" || { echo "where to? make share TO=/path/to/folder" >&2; exit 2; }
	dvc remote add --force --local --default share "$(abspath $(TO))"
	dvc push dvc.yaml

.PHONY: lock
lock: ## resolve the dependencies anew into requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --quiet --upgrade --output-file requirements.txt
