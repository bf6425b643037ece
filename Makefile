# make run     set up, rebuild everything, answer three questions
# make test    set up, run every test (the whole pipeline on a small profile included)
# make check   ruff, mypy, unit tests
# make coverage   every test again, with the lines that they run
# make ui      the MLflow UI on http://127.0.0.1:5000
PYTHON ?= python3.11
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export BENTOML_DO_NOT_TRACK := True
export PYTHONDONTWRITEBYTECODE :=
SHARED := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: run test check coverage ui setup clean

setup:
	@command -v $(PYTHON) >/dev/null || { echo "setup: $(PYTHON) not found; install Python 3.11, or run make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) scripts/setup.py

run: setup
	@groundwork mend
	@dvc repro
	@groundwork tour

test: setup
	@pytest $(SHARED)

coverage: setup
	@pytest $(SHARED) --cov --cov-report=term:skip-covered --cov-report=xml:.cache/coverage.xml

check: setup
	@ruff check .
	@ruff format --check .
	@mypy
	@pytest -m "not slow and not gpu and not network"

ui: setup
	@mlflow ui --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///$(CURDIR)/mlflow.db}"

clean:
	@rm -rf artifacts .cache release
