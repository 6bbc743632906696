# Each command sets up what it needs, once. Nothing but Python 3.11 and make has to be there; for
# the tests also Chromium, which they install where they may.
#
#   make demo      a picture from the model that ships with Darkroom
#   make test      every check, as CI runs them
#   make journeys  the editor in a browser, against real servers
#   make format    put the code in its form
#   make starter   train the starter model again (hours)
#   make clean     remove the environment and all caches; pictures and models stay
#
# PYTHON=python3.12 chooses the interpreter.
# DARKROOM_NO_EDITOR=1 leaves the editor out, whose packages come from registry.npmjs.org.
# TORCH_INDEX=https://download.pytorch.org/whl/cpu takes PyTorch from there (here: without CUDA).

PYTHON ?= python3
TORCH_INDEX ?=
BIN := .venv/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check -c constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

NPM := $(BIN)/python web/npm.py
# What the built editor is made of: a change of it builds anew.
EDITOR := $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/tests/*' \
	-not -path 'web/test-results/*' -not -path 'web/playwright-report/*' -not -name '*.test.*' \
	-not -name '*.md' -not -name '*.pyc')
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome))
export CHROMIUM

.PHONY: help demo test test-python test-web chromium format clean starter journeys
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   make/make/p' Makefile

demo: .venv/installed
	@$(BIN)/darkroom run workflows/text-to-image.json
	@printf '%s\n' '' \
	  'Next:' \
	  '  $(BIN)/darkroom run workflows/text-to-image.json --set prompt="a red house, winter, night"' \
	  '  $(BIN)/darkroom plan workflows/text-to-image.json      what is stored, what would run' \
	  '  $(BIN)/darkroom nodes                                  what a workflow can be made of' \
	  '  $(BIN)/darkroom --help' \
	  '' \
	  'The editor, in your browser:' \
	  '  $(BIN)/darkroom serve'

test: .venv/installed-test
	@$(MAKE) --no-print-directory -j2 test-python test-web
	$(BIN)/pytest -n 3 --dist worksteal
	@$(MAKE) --no-print-directory journeys JOURNEYS="load newcomer build twopass subgraph"

# Form, lint, types, layers. Most of it takes one core, as the editor's checks do.
test-python: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/mypy

# The editor: form, lint, types, layers; the core by itself.
test-web: .venv/installed-test
	$(NPM) run check
	$(NPM) run types -- --check
	$(NPM) test

journeys: .venv/installed-test chromium
	$(NPM) run e2e -- $(JOURNEYS)

chromium:
	@if [ -z "$(CHROMIUM)" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium, in which the editor is tested."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	      apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else \
	    echo "make: the editor is tested in Chromium, which is not there: install it (Debian: apt install" >&2; \
	    echo "      chromium), or say where it is: make $(MAKECMDGOALS) CHROMIUM=/path/to/chrome" >&2; exit 1; \
	  fi; \
	fi

format: .venv/installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(NPM) run format

starter: .venv/installed
	$(BIN)/python -m nodes.starter train

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage \
	  web/node_modules web/test-results web/playwright-report server/editor
	find engine nodes server tests -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/pip:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: '$(PYTHON)' is not there. Install Python 3.11 or later (Debian: apt install python3-venv)," >&2; \
	  echo "      or name another interpreter: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: Darkroom needs Python 3.11 or later, and '$(PYTHON)' is $$($(PYTHON) --version)." >&2; \
	  echo "      Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: this Python cannot make a virtual environment." >&2; \
	  echo "      Debian and Ubuntu keep that part apart: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/installed: pyproject.toml constraints.txt $(EDITOR) | .venv/bin/pip
	@echo "Setting up .venv: a few minutes the first time, most of them for PyTorch."
	$(INSTALL) -e .
	@touch $@

.venv/installed-test: .venv/installed
	$(INSTALL) -e '.[test]'
	@touch $@
