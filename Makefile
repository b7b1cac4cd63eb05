# `make` builds the environment and runs the study to its report; `make fast` checks in half a minute what an edit is
# likely to break; `make test` checks everything.
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
export PYTHONHASHSEED := 0
# Modules are compiled once, and not by each of the thousand processes that the tests start.
export PYTHONDONTWRITEBYTECODE :=
# One thread of linear algebra a process, as in the workflow: two workers with two each wait for one another by spinning.
export OPENBLAS_NUM_THREADS := 1
# One more than there are processors: tests wait for SLURM, and for studies that others run.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --maxprocesses 4

.PHONY: all report gallery environment fast test test-slurm lint types quick unit format lock clean
all: report

environment: .venv/.ready

# uv comes from the lock, hash and all; it then installs exactly what the lock names, and nothing else. What is there is
# kept: uv fetches all that is new before it takes away what is old, so that without a network nothing is lost. Only what
# was killed on the way (.half) or is of another Python is built anew.
.venv/.ready: requirements.lock pyproject.toml
	@[ ! -L .venv ] || { echo ".venv: a link; what it leads to is not changed (hint: make there, or delete it)" >&2; exit 1; }
	@[ ! -e .venv/.half ] && [ "$$($(BIN)/python --version 2>&1)" = "$$("$(PYTHON)" --version)" ] || "$(PYTHON)" -m venv --clear .venv
	touch .venv/.half
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	{ $(BIN)/python -m pip install --quiet --require-hashes --no-deps -r .venv/uv.lock \
	  && VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock \
	  && VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .; } \
	  || { rm -f .venv/.half; exit 1; }
# In a clone of one's own, git refuses from now on to commit answers of people (docs/confidential.md).
	@[ "$$(git rev-parse --show-prefix 2>/dev/null || echo none)" != "" ] || git config core.hooksPath >/dev/null || git config core.hooksPath .githooks || true
	mv .venv/.half $@

report: environment
	$(BIN)/snakemake --cores $(CORES)

# The page of figures in the documentation: made under results/, then copied over what is committed.
gallery: environment
	$(BIN)/snakemake --cores $(CORES) gallery
	cp results/gallery/figures.md docs/
	cp results/gallery/figures/*.svg docs/figures/

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	PYTHONPATH=workflow:demo $(BIN)/lint-imports --no-cache
	$(BIN)/deptry workflow

types: environment
	$(BIN)/mypy

quick: environment
	$(PYTEST) --dist load -m "not slow and not thorough"

unit: environment
	$(PYTEST) --dist loadfile --no-loadscope-reorder

# Side by side: while the tests wait for a run of the workflow, the others are done.
fast: environment
	$(MAKE) --no-print-directory --jobs 3 lint types quick

test: environment
	$(MAKE) --no-print-directory --jobs 3 lint types unit

# A SLURM of one node on the loopback; its programs are Debian's. Where they cannot be had, the test says so.
test-slurm: environment
	@command -v slurmctld >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -qq --no-install-recommends slurmctld slurmd slurm-client munge; } >/dev/null || true
	$(BIN)/pytest -rs tests/test_slurm.py

format: environment
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# Rewrites the lock from pyproject.toml: one version of each package for every Python and platform.
lock:
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --fork-strategy fewest \
	  --python-version 3.11 --generate-hashes --no-header --quiet --output-file requirements.lock

clean:
	rm -rf results/[!p]* results/pooled results/published .snakemake
