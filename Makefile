# Each command sets up what it needs, once. Nothing but Python 3.11 and make has to be there.
#
#   make demo      a picture from the model that ships with Darkroom
#   make test      every check, as CI runs them
#   make format    put the code in its form
#   make starter   train the starter model again (hours)
#   make clean     remove the environment and all caches; pictures and models stay
#
# PYTHON=python3.12 chooses the interpreter.
# TORCH_INDEX=https://download.pytorch.org/whl/cpu takes PyTorch from there (here: without CUDA).

PYTHON ?= python3
TORCH_INDEX ?=
BIN := .venv/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check -c constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: help demo test format clean starter
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
	  '  $(BIN)/darkroom --help'

test: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

format: .venv/installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

starter: .venv/installed
	$(BIN)/python -m nodes.starter train

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
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

.venv/installed: pyproject.toml constraints.txt | .venv/bin/pip
	@echo "Setting up .venv: a few minutes the first time, most of them for PyTorch."
	$(INSTALL) -e .
	@touch $@

.venv/installed-test: .venv/installed
	$(INSTALL) -e '.[test]'
	@touch $@
