# make run: set up and open the window. make test: set up for tests and run them.
# On Linux the package index gives torch with CUDA (gigabytes). For the CPU build:
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
VENV ?= .venv
PYTHON ?= python3
TORCH_INDEX ?=
# as pyproject.toml has it; in a variable, since a comma would end an argument of $(if)
TORCH := torch>=2.6,<=2.13.0
BIN := $(VENV)/bin
SAMPLE := resources/samples/si001h-double-tip.gwy
# two OpenMP threads that wait for each other slow a busy machine down several times
export GOMP_SPINCOUNT ?= 0
export OPENBLAS_NUM_THREADS ?= 1

# half an environment is none: `python3 -m venv` leaves one where Debian's python3-venv is missing
.DELETE_ON_ERROR:
.PHONY: run test lint bench slow fuzz screenshots pictures surfaces degradations samples installer release-notes clean

run: $(VENV)/installed
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
	  sh installer/linux_libraries.sh && $(BIN)/stmviewer $(SAMPLE); \
	else \
	  echo "There is no display: restoring the sample scan on the command line instead of opening the window."; \
	  $(BIN)/stmviewer restore $(SAMPLE) --task repair --format png -o out; \
	fi

# processes that share the tests; each file of tests stays in one
WORKERS ?= 2
test: $(VENV)/installed-test
	@sh installer/linux_libraries.sh
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	$(BIN)/stmviewer bench

# what takes minutes: a wheel in a fresh environment, long comparisons
slow: $(VENV)/installed-test
	$(BIN)/python -m pytest -m slow --timeout=1800

# damaged files of every format, the same ones for the same FUZZ_SEED; bytes of faults go to out/fuzz
FUZZ_COUNT ?= 20000
FUZZ_SEED ?= 0
fuzz: $(VENV)/installed-test
	cd tests && $(abspath $(BIN))/python -m files.fuzz.campaign --count $(FUZZ_COUNT) --seed $(FUZZ_SEED) --keep ../out/fuzz

# the pictures of the README, taken from the real window
screenshots: $(VENV)/installed-test
	$(BIN)/python tests/gui/screenshots.py resources/pictures/double-tip.png --size 1280x860 --without-time \
	  --file resources/samples/si001h-double-tip.gwy --task repair --model regression-sim
	$(BIN)/python tests/gui/screenshots.py resources/pictures/sparse-lines.png --size 1280x800 --theme dark --without-time \
	  --file resources/samples/si001h-sparse-lines.gwy --task sparse --mask file --model regression-sim --zoom 3.5
	$(BIN)/python tests/gui/screenshots.py resources/pictures/simulate.png --size 1180x720 \
	  --simulate SeveralTips=0.7 Scars=0.4 LoopNoise=0.5

# every state of the window, to be looked at: out/pictures/*.png
pictures: $(VENV)/installed-test
	$(BIN)/python tests/gui/pictures.py out/pictures
	$(BIN)/python tests/gui/view_pictures.py out/pictures

# the contact sheet of what the simulator can draw
surfaces: $(VENV)/installed
	$(BIN)/python resources/pictures/make_surfaces.py

# the contact sheet of what goes wrong while scanning
degradations: $(VENV)/installed
	$(BIN)/python resources/pictures/make_degradations.py

samples: $(VENV)/installed
	$(BIN)/python resources/samples/make_samples.py

# the frozen application of Linux, tried and packed: dist/*.deb, dist/*.tar.gz. Takes minutes, and 4 GB in build/
BUILD ?= build
DIST ?= dist
installer: $(VENV)/installed-package
	$(BIN)/python installer/build_linux.py --work $(BUILD) --out $(DIST)

# sizes and start-up times of what `make installer` made
release-notes: $(VENV)/installed-package
	$(BIN)/python installer/measure.py $(BUILD)/dist/stmviewer $(DIST)/stmviewer*.deb $(DIST)/stmviewer*.tar.gz \
	  --notes installer/RELEASE_NOTES.md

clean:
	rm -rf $(VENV) build dist out .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stmviewer needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install -q '$(TORCH)' --index-url $(TORCH_INDEX))
	$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install -q -e '.[test]'
	@touch $@

$(VENV)/installed-package: $(VENV)/installed
	$(BIN)/python -m pip install -q -e '.[package]'
	@touch $@
