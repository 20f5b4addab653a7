# A virtual environment is made on first use; a stamp remembers which extras are in it, and who has more has the fewer too.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

export NO_MKDOCS_2_WARNING := 1 # an advertisement of mkdocs-material, not a warning about these docs

.PHONY: demo test soak test-cuda check format bench docs docs-data screenshots clean

demo: $(VENV)/.demo
	$(BIN)/foldin demo

test: $(VENV)/.test
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

soak: $(VENV)/.test
	SOAK=1 $(BIN)/pytest tests/faults tests/service/faults tests/cli/test_demo.py --durations=20

test-cuda: $(VENV)/.test
	$(BIN)/pytest -m cuda

check: $(VENV)/.check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet

docs: $(VENV)/.check
	$(BIN)/mkdocs build --strict --quiet

docs-data: $(VENV)/.demo
	@test -d "$(DATA)" || { echo "say where the data sets are: make docs-data DATA=folder"; exit 1; }
	$(BIN)/python benchmarks/docs_data.py "$(DATA)"

screenshots: $(VENV)/.test
	$(BIN)/python -m benchmarks.screenshots

format: $(VENV)/.check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) site dist

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "foldin needs Python 3.11 or newer; say which: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[torch,plot]'
	touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[torch,plot,postgres,serve,test]'
	touch $(VENV)/.demo $@

$(VENV)/.check: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[torch,plot,postgres,serve,test,check]'
	touch $(VENV)/.demo $(VENV)/.test $@
