# Each target sets up what it needs; the first one takes a few minutes, afterwards seconds.
PYTHON  ?= python3
VENV    := .venv
PY      := $(VENV)/bin/python
STUDENT ?= smollm2-135m
PORT    ?= 4200
# Test processes at once; two need about 4 GB of memory.
JOBS    ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check format up down bench lock clean

help:
	@echo "make demo    run the main job on the embedded models (sets everything up first)"
	@echo "make test    run the tests (sets everything up first)"
	@echo "make check   ruff, pyright, import-linter"
	@echo "make test-slow   the tests that load real models or start servers"
	@echo "make up      Prefect server, work pool, deployments and worker on 127.0.0.1"
	@echo "make down    stop exactly those"
	@echo "make bench   speed against peers"

setup: $(VENV)/.ready

# torch is installed with its own dependencies, so that a machine with a GPU gets its libraries;
# everything else exactly as locked.
$(VENV)/.ready: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pacaloom needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the locked packages into $(VENV) (about 2 GB, a few minutes) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock $$(grep '^torch==' requirements.lock)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.lock
	@echo "Compiling the loops of curation ..."
	@$(PY) -m pipeline.curation.compile_loops
	@touch $@

demo: setup
	@./pacaloom retrain --config demo.yaml --student $(STUDENT) --prefect

test: setup
	@$(PY) -m pytest -q -n $(JOBS) -m "not slow and not prefect and not gpu"

test-slow: setup
	@$(PY) -m pytest -q -m "slow or prefect"

check: setup
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/pyright
	@$(VENV)/bin/lint-imports

format: setup
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

up: setup
	@./pacaloom up --port $(PORT)

down: setup
	@./pacaloom down

BENCHMARKS := novelty korean_similarity near_duplicates contamination language rules curation \
	publishing report statistics exports \
	contract memory finetuning packing resume merging methods gate scoring \
	korean_rules journal idle replay kills caps throughput embedded_tokens endpoints \
	cold_start prefect_overhead metrics_scrape retention service_kills

bench: setup
	@for name in $(BENCHMARKS); do echo "== benchmarks.$$name"; $(PY) -m benchmarks.$$name || exit 1; done

# Resolve pyproject.toml anew into requirements.lock; the local part of torch's version is dropped.
lock:
	@rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check ".[train,embedded,distributed,metrics,dev]"
	@$(VENV)-lock/bin/python -m pip freeze --all --exclude pacaloom --exclude pip | sed -E 's/^(torch==[0-9.]+).*/\1/' > requirements.lock
	@rm -rf $(VENV)-lock build pacaloom.egg-info

clean:
	@rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
