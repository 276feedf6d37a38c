PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml CMakeLists.txt $(wildcard curate/kernels/*.h curate/kernels/cpu/*.h curate/kernels/cpu/*.cpp curate/synth/*.h)

.PHONY: demo test test-cluster test-nemo check lint fuzz clean

demo: $(VENV)/installed
	$(BIN)/curate run pipelines/zyda2.yaml -o out/zyda2
	@echo "report: out/zyda2/report/index.html"

test: $(VENV)/test-installed
	$(BIN)/python -m pytest -n 2

# Three hosts out of network namespaces, cut off and killed in turn. Needs root and iproute2, takes minutes.
test-cluster: $(VENV)/test-installed
	$(BIN)/python -m pytest -m cluster

# curate's stages inside NeMo Curator, of which only what stages and batches are made of is installed.
test-nemo: $(VENV)/test-installed
	$(BIN)/pip install --quiet --no-deps nemo-curator cosmos-xenna loguru pandas python-dateutil six
	$(BIN)/python -m pytest tests/integrations

lint: $(VENV)/test-installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

# Kernels on hostile input under AddressSanitizer and UndefinedBehaviorSanitizer, for a minute.
fuzz: build/fuzz
	build/fuzz 60

# GCC takes what its own AVX-512 header leaves undefined on purpose for a mistake (bug 105593).
build/fuzz: $(wildcard tests/fuzz/* curate/kernels/*.h curate/kernels/cpu/*.h)
	@mkdir -p build
	$(CXX) -std=c++17 -O1 -g -Wall -Wextra -Wno-maybe-uninitialized -ffp-contract=off -fno-omit-frame-pointer \
	  -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all \
	  -Icurate/kernels -Icurate/kernels/cpu tests/fuzz/fuzz.cpp -o $@

# What tests need (torch, Ray, Dask, a stand-in for S3, ...) is many times what curate needs.
$(VENV)/test-installed: EXTRAS := [test]
$(VENV)/installed $(VENV)/test-installed: $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "curate needs Python 3.11 or later; set PYTHON=python3.12, say" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make a virtual environment: on Debian, apt install python3-venv python3-dev" >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.$(EXTRAS)'
	@touch $(VENV)/installed $@

clean:
	rm -rf $(VENV) build out synth
