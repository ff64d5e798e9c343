# `make demo` shows the exporter at work, `make test` runs every check. Both set up what they need in .venv and .lab.

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PROTO := tests/proto
READER := exporter/pprof_exporter/profile/reader
# Tests start the program again and again: without bytecode, each start would compile it.
unexport PYTHONDONTWRITEBYTECODE

# On CI both readers are tested: a compiler that is missing is an error.
ifdef CI
test unit: export PPROF_EXPORTER_BUILD ?= native
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check unit setup docs pictures site lock proto record renames bench fuzz walk clean

help:  ## Say what there is to make
	@$(PYTHON) -c "import re; [print(f'  make {m[1]:8} {m[2]}') for m in map(re.compile(r'(\w+):.*## (.*)').match, open('Makefile')) if m]"

demo: $(BIN)/pprof-exporter  ## Set up, start the exporter on recorded profiles, say where to look
	$(BIN)/pprof-exporter demo

test: setup check  ## Set up, run every check and every test
	$(BIN)/python -m tests

unit: setup  ## Only the tests that need no Go, Wine or Prometheus
	$(BIN)/python -m pytest -m "not lab" -n 4 --dist worksteal

check: setup  ## Style, types and floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: $(VENV)/ready

# The exporter alone, as a user has it; `setup` adds what the checks need.
# Without a compiler, the reader of profiles in Python serves (hatch_build.py).
$(BIN)/pprof-exporter: pyproject.toml hatch_build.py $(wildcard $(READER)/*.pyx $(READER)/*.pxd)
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'pprof-exporter needs Python 3.11 or later; name one with make PYTHON=...')"
	@# Debian's python3 without python3-venv says what it lacks, and leaves an environment without pip behind.
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/pprof-exporter --version
	touch $@

$(VENV)/ready: $(BIN)/pprof-exporter
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group test --group check --group docs
	touch $@

bench: setup  ## Measure: decoding against Go, /metrics while targets do everything wrong, what being watched costs, a fleet, start-up
	$(BIN)/python -m benchmarks.decode.run
	$(BIN)/python -m benchmarks.decode.memory
	$(BIN)/python -m benchmarks.metrics_latency
	$(BIN)/python -m benchmarks.target_cost
	$(BIN)/python -m benchmarks.request
	$(BIN)/python -m benchmarks.fleet
	$(BIN)/python -m benchmarks.startup

fuzz: setup  ## Many cases of each grammar of what comes in; CASES=100000 takes an hour
	$(BIN)/python -m tests.fuzz --cases $(or $(CASES),10000)

walk: setup  ## As root on Debian: follow the documentation on a fresh system, with systemd and containers, and time it
	$(BIN)/python -m tests.walk

docs: setup  ## Write the references that are generated
	$(BIN)/python docs/generate.py
	$(BIN)/python deploy/generate.py

# uv alone resolves for all systems at once; no address of an index is written down.
UV := .lab/uv/bin/uv pip compile --quiet --universal --generate-hashes --only-binary :all: --python-version 3.11 \
	--custom-compile-command "make lock"
lock: setup  ## Write the libraries of the image with their hashes
	test -x .lab/uv/bin/uv || { $(PYTHON) -m venv .lab/uv && .lab/uv/bin/python -m pip install --quiet uv==0.13.8; }
	$(UV) pyproject.toml --output-file deploy/docker/requirements.txt
	$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')" \
		| $(UV) - --output-file deploy/docker/build.txt

pictures: setup  ## Take the pictures of the documentation anew
	$(BIN)/python -m docs.screenshots

site: setup  ## Build the documentation as a site; a warning is an error
	$(BIN)/python docs/site/build.py

# The generator decides which protobuf runtimes can load the module: this one is for 6.31.1 and later, 7 included.
proto:  ## Generate the protobuf module of the tests from profile.proto
	test -d .lab/protoc || $(PYTHON) -m venv .lab/protoc
	.lab/protoc/bin/python -m pip install --quiet grpcio-tools==1.74.0
	cd $(PROTO) && $(CURDIR)/.lab/protoc/bin/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. profile.proto

record: setup  ## Record the profiles of tests and demo anew (Go from PyPI, Wine from Debian)
	$(BIN)/python -m tests.record

renames: setup  ## Derive which functions Go moved to other packages (Go from PyPI and Debian)
	$(BIN)/python -m tests.record_renames

clean:  ## Remove everything that was fetched or built
	rm -rf $(VENV) .lab dist build $(READER)/*.so $(READER)/*.pyd
