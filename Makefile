# Two commands: `make demo` shows the platform, `make test` proves it. Both set everything up first.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test check chaos screenshots clean

install: .venv/.installed

.venv/.installed: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	touch $@

demo: install
	$(BIN)/python manage.py demo $(if $(DATA),--data $(DATA)) $(if $(PORT),--port $(PORT))

check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy .

# Each process has servers of its own; a file's tests stay together. WORKERS=0 runs them all in one.
WORKERS ?= auto

test: check
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist loadfile

# Seven minutes of selling while worker, customers and PostgreSQL are killed; then every promise is checked.
chaos: .venv/.installed-dev
	$(BIN)/python -m tests.chaos

# Pictures for the README; needs chromium.
screenshots: .venv/.installed-dev
	$(BIN)/python -m tests.screenshots

clean:
	test ! -L .data/servers || rm -rf "$$(readlink -f .data/servers)"
	rm -rf .venv .data .cache
