# `make compare` and `make test` install into .venv first, when that is missing or pyproject.toml is newer.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: install compare test test-all check reproduce clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@

# A finished run is not run again: its table and figures are drawn anew from the records.
compare: install
	@if [ -f results/cued_digits/summary.json ]; then $(BIN)/plasticity plot results/cued_digits && $(BIN)/plasticity report results/cued_digits; \
	else $(BIN)/plasticity compare cued_digits; fi

# At most 5 minutes on 2 cores, every kind of test in it; `make test-all` holds the rest.
test: install
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not full and not slow"

# In the order of the files: the long ones of tests/contracts come first, and short ones are left for the end.
test-all: install
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "full and not slow"

reproduce: install
	$(BIN)/python -m pytest -m slow -s

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build *.egg-info
