# Two commands on a fresh machine: `make demo` runs the main job, `make test` passes all tests.
SHELL := /bin/bash
PRONGHORN = $(shell swift build -c release --show-bin-path)/pronghorn
PYTHON_FOLDERS := python Examples Tests Benchmarks Scripts/compare-results Scripts/make-wheel

.PHONY: docs wheel build build-tests demo test test-swift test-python conformance torture lint format

build:
	swift build -c release --product pronghorn

# A wheel in dist/: the program, with all that it needs, and the Python module.
wheel:
	Scripts/make-wheel

# The Swift library's documentation, as a web site in .build/docs; a warning is an error.
docs: build-tests
	rm -rf .build/symbols && mkdir -p .build/symbols
	swift symbolgraph-extract -module-name Pronghorn -I .build/debug/Modules -I "$$(swift build --show-bin-path)/Modules" \
	    $$(find .build/checkouts Sources -name module.modulemap -printf '-Xcc -fmodule-map-file=%p ') \
	    -target $$(uname -m)-unknown-linux-gnu -minimum-access-level public -output-dir .build/symbols
	docc convert Sources/Pronghorn/Pronghorn.docc --additional-symbol-graph-dir .build/symbols \
	    --fallback-display-name Pronghorn --fallback-bundle-identifier pronghorn --warnings-as-errors --output-path .build/docs

# Trains 60 models of handwritten digits; the first time it also makes Pronghorn's Python environment.
demo: build
	$(PRONGHORN) demo

# Everything is tested with one debug build: the binary that the end-to-end tests drive, and the tests themselves.
test: build-tests lint test-python test-swift

build-tests:
	swift build --build-tests

test-swift: build-tests
	Scripts/with-test-environment swift test --skip-build $(TEST_ARGUMENTS)

test-python: build-tests
	Scripts/with-test-environment bash -c 'cd python && "$$PRONGHORN_TEST_PYTHON" -m pytest -q tests'

# Everything that Keras exports, trained by Pronghorn and by Keras; TensorFlow is installed for what needs it. Takes a
# quarter of an hour.
conformance: build-tests
	Scripts/with-test-environment bash -c 'cd python && export PRONGHORN_PYTHON=$$PRONGHORN_TEST_PYTHON; \
	    "$$PRONGHORN_TEST_PYTHON" -m conformance.sweep --binary "$$PRONGHORN_TEST_BINARY" --output ../.build/conformance; \
	    status=$$?; \
	    "$$PRONGHORN_TEST_PYTHON" -m conformance.report ../.build/conformance/findings.json ../docs/Conformance.md \
	        && exit $$status'

# Kills at 1,000 random moments and at every step that makes something durable, 200 losses of power, 20 full disks, clocks that jump. Takes an
# hour or two; `TORTURE="kills --kills 100"` does a part.
torture: build-tests
	Scripts/with-test-environment bash -c 'cd python && "$$PRONGHORN_TEST_PYTHON" -m torture $(TORTURE)'

lint: build-tests
	swift format lint --strict --recursive --configuration .swift-format Sources Tests Package.swift
	Scripts/with-test-environment bash -c '"$$PRONGHORN_TEST_PYTHON" -m ruff check $(PYTHON_FOLDERS)'
	Scripts/with-test-environment bash -c '"$$PRONGHORN_TEST_PYTHON" -m ruff format --check $(PYTHON_FOLDERS)'

format:
	swift format -i --recursive --configuration .swift-format Sources Tests Package.swift
	Scripts/with-test-environment bash -c '"$$PRONGHORN_TEST_PYTHON" -m ruff format $(PYTHON_FOLDERS)'
