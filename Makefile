# make demo | test | lint | bench | docs | linkcheck | clean | test-trixie | test-sid
# Each installs what is missing first; a second run finds it there and does nothing.

SHELL := /bin/bash
PYTHON ?= python3
# In a conda environment its own Python is used, elsewhere a virtual environment in .venv.
VENV := $(if $(CONDA_PREFIX),$(CONDA_PREFIX),.venv)
BIN := $(VENV)/bin
STAMPS := .make
SOURCES := pyproject.toml scripts/setup.sh
WORKERS ?= auto
# What make test runs, and further arguments of pytest.
TESTS ?=
PYTEST_ARGS ?=

.PHONY: demo test lint bench docs linkcheck clean test-trixie test-sid

demo: $(STAMPS)/run
	@$(BIN)/pymlm demo

# The tests run whatever the linters say; both must be content in the end.
test: $(STAMPS)/dev $(STAMPS)/r-all
	@lint=0; $(MAKE) --no-print-directory lint || lint=$$?; \
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist loadfile $(PYTEST_ARGS) $(TESTS) || exit $$?; \
	if [ $$lint != 0 ]; then echo "The tests passed; the linters did not: see above, or make lint." >&2; exit $$lint; fi

# The same in a Debian of another release, with that release's R (needs root, makes it when it is not there).
test-trixie test-sid: test-%:
	scripts/other_r.sh $* make test

lint: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if command -v Rscript >/dev/null; then Rscript --vanilla scripts/lint.R; \
	else echo "make lint: no R, its half was not checked"; fi

bench: $(STAMPS)/bench $(STAMPS)/r-all
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

docs: $(STAMPS)/docs $(STAMPS)/r-all
	$(BIN)/sphinx-build -W --keep-going -j auto -b html docs docs/_build/html

# Links to the outside; make docs checks those within. Without a network there is nothing to ask.
linkcheck: $(STAMPS)/docs $(STAMPS)/r
	@if $(BIN)/python -c "import socket; socket.create_connection(('doi.org', 443), 5)" 2>/dev/null; \
	then $(BIN)/sphinx-build -D nb_execution_mode=off -b linkcheck docs docs/_build/linkcheck; \
	else echo "make linkcheck: no network, links to the outside were not checked"; fi

clean:
	rm -rf $(STAMPS) .venv build dist docs/_build docs/reference .pytest_cache .mypy_cache .ruff_cache

$(STAMPS)/r: scripts/setup.sh
	@scripts/setup.sh r
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/r-all: scripts/setup.sh $(STAMPS)/r
	@scripts/setup.sh r-all
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: $(SOURCES) $(STAMPS)/r
	@PYTHON=$(PYTHON) VENV=$(VENV) scripts/setup.sh python
	@touch $@

$(STAMPS)/dev $(STAMPS)/docs $(STAMPS)/bench: $(STAMPS)/%: $(STAMPS)/run
	@PYTHON=$(PYTHON) VENV=$(VENV) scripts/setup.sh group $*
	@touch $@
