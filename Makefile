# `make demo` and `make test` do all of their set-up themselves: Python >= 3.11, Node >= 20 and make are enough.
# Set-up is redone when what it depends on has changed, so running again is quick.

SHELL    := bash
VENV     := .venv
PROGRAMS := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN      := $(VENV)/$(PROGRAMS)
BUNDLE   := src/trackbook/_static/trackbook.js
MODULES  := js/node_modules/.package-lock.json
JS       := $(shell find js/src -type f 2>/dev/null) $(wildcard js/*.json js/*.mjs js/*.ts)
PYTEST   := $(BIN)/python -m pytest -q
PATIENT  := -o faulthandler_timeout=0
QUICK    := --hypothesis-profile=brief --ignore tests/browser -m "not slow and not notebook and not package"
WORKERS  := --numprocesses auto --maxprocesses 4 --dist
BY_FILE  := loadfile --no-loadscope-reorder --max-worker-restart=0
TRAINERS := .venv-trainers
PEERS    := .venv-peers
LOWEST   := .venv-lowest
EXTRAS   := .[hub,imports,lake,media,remote,server]
# The release whose CPU build the tests of training libraries use. On Linux a later release may be a CUDA build of several GB.
TORCH    ?= torch==2.13.0
STORE    := TRACKBOOK_DIR="$(CURDIR)/demo/store"
TIMES    := $(VENV)/times

# The first of these that really runs and is new enough (a pyenv shim may stand on PATH and fail).
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

# An interpreter of version $(1) on PATH or among pyenv's; empty when there is none.
interpreter = $(shell for p in python$(1) "$$(pyenv root 2>/dev/null)"/versions/$(1).*/bin/python; do \
	"$$p" -c '' 2>/dev/null && echo "$$p" && break; done)

# $(call timed,NAME,COMMAND): run the command and note its seconds for the table that `make test` and `make check` end with.
timed = echo "== $(1)"; $(2) && echo "$(1):$$SECONDS" >> $(TIMES)
times = awk -F: '{ printf "%5d s  %s\n", $$2, $$1; sum += $$2 } END { printf "%5d s  in total\n", sum }' $(TIMES)

# $(call pip,VENV,ARGUMENTS): a dot for each package instead of a wall of text; its end when it fails. Most modules of the large
# libraries are never imported, and Python compiles the others itself.
pip = set -o pipefail; $(1)/$(PROGRAMS)/python -m pip install --no-compile --root-user-action=ignore $(2) 2>&1 | tee $(1)/pip.log \
	| awk '/^ *(Collecting|Requirement|Installing)/ { printf "."; fflush() } END { print "" }' \
	|| { tail -n 30 $(1)/pip.log >&2; exit 1; }

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export JUPYTER_PLATFORM_DIRS := 1

.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup js demo lab test check clock lint unit quick vitest unit-3.13 unit-lowest browser browser-late browser-loaded chromium \
	test-faults test-lake test-uploads test-trainers test-peers fuzz pools dist docs specs golden bench picture clean

help:
	@echo "make demo     train on the digits in a notebook; leaves notebook, HTML and Parquet in demo/"
	@echo "make lab      open the same notebook in JupyterLab"
	@echo "make check    before a commit: linters, types and the unit tests, without the slow ones"
	@echo "make test     everything: ruff, mypy, actionlint, tsc, biome, vitest, pytest, pytest in a real JupyterLab"
	@echo "make lint | unit | browser     parts of it; browser-late: on pages that are late; browser-loaded: on a busy machine"
	@echo "make unit-3.13     the quick unit tests on Python 3.13"
	@echo "make unit-lowest   the quick unit tests with the lowest versions of all dependencies"
	@echo "make test-faults   a run's whole life, once for each call to the disk that may fail (about twenty minutes)"
	@echo "make test-lake    200 writers of a lake that are killed while requests fail (about twenty minutes)"
	@echo "make test-uploads  200 runs uploaded to a server, with faults at every request and kills (TRIALS=20 for fewer)"
	@echo "make test-trainers training libraries, in an environment of their own (about ten minutes with its set-up)"
	@echo "make test-peers   imports of what other trackers wrote, in an environment of their own (about five minutes)"
	@echo "make fuzz     damaged files and hostile messages for ten minutes; FOR=60 for a minute"
	@echo "make pools    500 forked and 100 spawned pools whose workers record runs"
	@echo "make dist     build the sdist and the wheel, and test them"
	@echo "make specs    make the charts' specs again       make golden    make the golden frames again"
	@echo "make picture  make the README's picture again    make bench     benchmarks"
	@echo "make docs     build the documentation in site/"
	@echo "make clean    remove what was built and installed"

# --- set-up -----------------------------------------------------------------------------------------------------------

setup: $(VENV)/.installed js

js: $(BUNDLE)

$(VENV)/.installed: pyproject.toml hatch_build.py | $(BUNDLE)
	@test -n "$(PYTHON)" || { echo "No Python >= 3.11 found: install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "setting up $(VENV) with $$($(PYTHON) --version) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "installing Trackbook and its tools into $(VENV) (a minute or two) ..."
	@$(call pip,$(VENV),--upgrade "pip>=25.1")
	@$(call pip,$(VENV),--editable '.[server]' --group dev)
	@touch $@

$(MODULES): js/package.json js/package-lock.json
	@command -v npm >/dev/null || { echo "No npm found: install Node.js 20 or later (https://nodejs.org)" >&2; exit 1; }
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' \
		|| { echo "Node.js $$(node --version) is too old: install 20 or later" >&2; exit 1; }
	@echo "installing the front end's packages ..."
	@cd js && npm ci --loglevel=error --no-audit --no-fund >/dev/null
	@touch $@

$(BUNDLE): $(MODULES) $(JS)
	@echo "building the front end ..."
	@cd js && npm run --silent build
	@touch $@

chromium: $(VENV)/.installed
	@$(BIN)/python tests/browser/chromium.py

# --- the two commands -------------------------------------------------------------------------------------------------

demo: setup
	@$(STORE) $(BIN)/python notebooks/demo.py

test: clock lint unit browser
	@$(times)

# --- before a commit --------------------------------------------------------------------------------------------------

check: clock lint quick
	@$(times)

clock: setup
	@rm -f $(TIMES)

# --- parts ------------------------------------------------------------------------------------------------------------

lab: setup
	@$(STORE) $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/quickstart.ipynb

lint: setup
	@$(call timed,ruff,$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .)
	@$(call timed,mypy for Linux macOS and Windows,printf '%s\n' linux darwin win32 | xargs -P 2 -I {} \
		$(BIN)/mypy --no-error-summary --platform {} --cache-dir .mypy_cache/{})
	@$(call timed,actionlint,PATH="$$PWD/$(BIN):$$PATH" actionlint .github/workflows/*.yml)
	@$(call timed,tsc,npm --prefix js run --silent check)
	@$(call timed,biome,npm --prefix js run --silent lint)

unit: vitest
	@$(call timed,pytest,$(PYTEST) $(WORKERS) worksteal -m "not browser")

quick: vitest
	@$(call timed,pytest without what is slow,$(PYTEST) $(WORKERS) worksteal $(QUICK))

vitest: setup
	@$(call timed,vitest,npm --prefix js test --silent)

browser: setup chromium
	@$(call timed,pytest in JupyterLab,$(PYTEST) $(WORKERS) $(BY_FILE) -m browser)

# The same on pages whose frames and messages are late: a test that does not wait for what it reads fails each time.
browser-late: setup chromium
	@$(call timed,pytest in JupyterLab with late pages,TRACKBOOK_LATE=$(or $(LATE),150) $(PYTEST) $(WORKERS) $(BY_FILE) --timeout=1800 -m browser)

# The same while other programs keep all cores busy: a slow browser and a late kernel are no excuse.
browser-loaded: setup chromium
	@$(call timed,pytest in JupyterLab on a busy machine,$(BIN)/python tests/browser/loaded.py)

# Every call of a run's life fails once, in every way; `make unit` takes one of 83, other ones for each way.
test-faults: setup
	@$(call timed,pytest of all faults,TRACKBOOK_FAULTS_EVERY=1 $(PYTEST) $(PATIENT) tests/test_fault_injection.py)

# `make unit` makes three trials a place, on a path and on a local S3.
test-lake: setup
	@$(call timed,pytest of killed writers of a lake,TRACKBOOK_LAKE_TRIALS=200 TRACKBOOK_LAKE_WRITERS=20 $(PYTEST) tests/remote/test_lake_writers.py)

# Uploads to a server through a proxy that spoils its answers, by processes that are killed; `make unit` does two trials.
test-uploads: setup
	@$(call timed,trials of uploads,PYTHONPATH=tests $(BIN)/python tests/remote/trials.py $(or $(TRIALS),200))

fuzz: setup
	@end=$$((SECONDS + $(or $(FOR),600))); while [ $$SECONDS -lt $$end ]; do \
		$(PYTEST) $(PATIENT) --hypothesis-profile=fuzz tests/test_fuzz.py || exit 1; done

# 500 forked and 100 spawned pools, in each of which every worker records a run: none may hang.
pools: setup
	@$(call timed,pools whose workers record runs,$(BIN)/python tests/pool_marathon.py 500 100)

# The unit tests once more on the newest supported Python, where the machine has one.
unit-3.13: setup
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))'; then \
		echo "== pytest on Python 3.13: skipped, $(VENV) is Python 3.13 itself"; \
	elif [ -z "$(call interpreter,3.13)" ]; then \
		echo "== pytest on Python 3.13: skipped, this machine has none"; \
	else \
		$(MAKE) --no-print-directory .venv-3.13/.installed && \
		$(call timed,pytest on Python 3.13,.venv-3.13/$(PROGRAMS)/python -m pytest -q $(WORKERS) worksteal $(QUICK)); \
	fi

.venv-3.13/.installed: pyproject.toml hatch_build.py
	@echo "setting up .venv-3.13 ..."
	@"$(call interpreter,3.13)" -m venv .venv-3.13
	@$(call pip,.venv-3.13,--upgrade "pip>=25.1")
	@$(call pip,.venv-3.13,--editable . --group unit)
	@touch $@

# The same with the lowest versions that pyproject.toml allows, on the oldest Python: later ones may have no wheels of them.
unit-lowest: setup
	@if [ -z "$(call interpreter,3.11)" ]; then \
		echo "== pytest with the lowest versions: skipped, this machine has no Python 3.11"; \
	else \
		$(MAKE) --no-print-directory $(LOWEST)/.installed && \
		$(call timed,pytest with the lowest versions,$(LOWEST)/$(PROGRAMS)/python -m pytest -q $(WORKERS) worksteal $(QUICK)); \
	fi

$(LOWEST)/.installed: pyproject.toml hatch_build.py tests/lower_bounds.py
	@echo "setting up $(LOWEST) ..."
	@"$(call interpreter,3.11)" -m venv $(LOWEST)
	@$(call pip,$(LOWEST),--upgrade "pip>=25.1")
	@$(BIN)/python tests/lower_bounds.py > $(LOWEST)/lowest.txt
	@$(call pip,$(LOWEST),--constraint $(LOWEST)/lowest.txt --editable '$(EXTRAS)' --group unit)
	@touch $@

# Trainings by the real libraries. They warn of much that is none of our business.
test-trainers: setup $(TRAINERS)/.installed
	@$(call timed,pytest with training libraries,$(TRAINERS)/$(PROGRAMS)/python -m pytest -q -m trainers \
		-W ignore -W error::trackbook.TrackbookWarning tests/integrations)

$(TRAINERS)/.installed: pyproject.toml hatch_build.py
	@echo "setting up $(TRAINERS) ..."
	@"$(or $(call interpreter,3.11),$(PYTHON))" -m venv $(TRAINERS)
	@$(call pip,$(TRAINERS),--upgrade "pip>=25.1")
	@$(call pip,$(TRAINERS),"$(TORCH)")
	@$(call pip,$(TRAINERS),--editable . --group trainers)
	@$(call pip,$(TRAINERS),--no-deps "fastai>=2.7.18" "ultralytics>=8.4.190")
	@touch $@

# Imports of what other trackers wrote, compared with their own readers.
test-peers: setup $(PEERS)/.installed
	@$(call timed,pytest with other trackers,$(PEERS)/$(PROGRAMS)/python -m pytest -q -m peers \
		-W ignore -W error::trackbook.TrackbookWarning tests/peer_stores)

$(PEERS)/.installed: pyproject.toml hatch_build.py
	@echo "setting up $(PEERS) ..."
	@"$(or $(call interpreter,3.11),$(PYTHON))" -m venv $(PEERS)
	@$(call pip,$(PEERS),--upgrade "pip>=25.1")
	@$(call pip,$(PEERS),--editable . --group peers)
	@touch $@

# The sdist, and the wheel that is made of it.
dist: setup
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation .
	@$(PYTEST) tests/test_package.py --built dist

specs: setup
	@$(BIN)/python -m trackbook.charts.bundled_specs

golden: setup
	@$(BIN)/python tests/golden/make.py && $(BIN)/python tests/golden/make_rows.py

picture: setup chromium
	@$(PYTEST) -m browser tests/browser/test_picture.py
	@cp tests/browser/output/trackbook.gif docs/images/
	@echo "docs/images/trackbook.gif"

docs: setup
	@$(call timed,docs,NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --clean)
	@echo "site/index.html"

# Installs the peers into .venv-bench, measures for about 20 minutes, writes benchmarks/results.json; ARGS="--quick --only log".
bench: setup chromium
	@$(BIN)/python benchmarks/bench.py $(ARGS)

clean:
	rm -rf .venv .venv-3.13 .venv-bench $(LOWEST) $(TRAINERS) $(PEERS) js/node_modules src/trackbook/_static demo dist site tests/browser/output
	find . -name __pycache__ -prune -exec rm -rf {} +
