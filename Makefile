# Two commands: `make run` and `make test`. Everything else is in CONTRIBUTING.md.
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: run test test-all lint types setup clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tools/setup_venv.sh
	bash tools/setup_venv.sh $(VENV)
	touch $@

run: $(STAMP)
	$(PY) brain/cla_reward_punish_1roi.py --mouse DEMO

test: $(STAMP)
	$(PY) -m pytest -n 2 tests --ignore tests/realtime

test-all: test
	$(PY) -m pytest tests/realtime

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(STAMP)
	$(VENV)/bin/mypy

clean:
	rm -rf $(VENV)
