# Two commands on a fresh machine: `make demo` runs the main job, `make test` passes all tests.
SHELL := /bin/bash
SWIFT_BUILD := swift build -c release --product pronghorn
PRONGHORN = $(shell swift build -c release --show-bin-path)/pronghorn

.PHONY: build demo test test-swift test-python lint format conformance

build:
	$(SWIFT_BUILD)

# Trains 60 models of handwritten digits; the first time it also makes Pronghorn's Python environment.
demo: build
	$(PRONGHORN) demo

test: build lint test-python test-swift

# The tests use the environment that Pronghorn makes for itself, so making it is a part of what they test.
test-swift: build
	PRONGHORN_TEST_BINARY=$(PRONGHORN) Scripts/with-test-environment swift test $(TEST_ARGUMENTS)

test-python: build
	Scripts/with-test-environment bash -c 'cd python && "$$PRONGHORN_TEST_PYTHON" -m pytest -q -x tests'

lint: build
	swift format lint --strict --recursive --configuration .swift-format Sources Tests Package.swift
	Scripts/with-test-environment bash -c '"$$PRONGHORN_TEST_PYTHON" -m ruff check python Examples Tests Benchmarks && "$$PRONGHORN_TEST_PYTHON" -m ruff format --check python Examples Tests'

format:
	swift format -i --recursive --configuration .swift-format Sources Tests Package.swift
	Scripts/with-test-environment bash -c '"$$PRONGHORN_TEST_PYTHON" -m ruff format python Examples Tests'
