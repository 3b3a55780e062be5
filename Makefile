# Tributary. `make` alone prints what there is; docs/architecture.md is the map.
.DEFAULT_GOAL := help
SHELL := /bin/bash

component := target/component/salesforce-pushtopic.wasm
# The host under test can end itself at named places in its code (host/src/labels.rs); that of `make build` cannot.
labels := --features tributary/labels

## Makes the release binaries, the component embedded in the host
.PHONY: build
build: component
	TRIBUTARY_COMPONENT="$(abspath $(component))" cargo build --release --bins -p tributary -p salesforce-simulator
	@printf '%s\n' "$(component)" target/release/tributary target/release/salesforce-simulator

## Carries events of a simulated org into the embedded log and shows them; Ctrl-C ends it
.PHONY: demo
demo:
	@scripts/demo.sh

## Makes the same connector in a service, to be asked at http://127.0.0.1:8083; Ctrl-C ends it
.PHONY: demo-service
demo-service:
	@scripts/demo.sh serve

## Runs every test, those against a real Kafka broker included
.PHONY: test
test: test-build
	cargo test --workspace --no-fail-fast $(labels)

# One build for binaries and tests together: built apart, dependencies with test-only features would be compiled twice.
.PHONY: test-build
test-build: component kafka registry clients
	cargo build --workspace --all-targets $(labels)

## Kills the host KILLS times (10000), at named places and at random, and counts what was lost or came twice
.PHONY: soak
soak: KILLS ?= 10000
soak: test-build
	KILLS=$(KILLS) cargo test --workspace $(labels) --test it -- kill_loop --nocapture

## Measures what docs/figures.md states; FIGURES="throughput --rounds 7" measures less, or more
.PHONY: figures
figures: build kafka registry
	TRIBUTARY_COMPONENT="$(abspath $(component))" cargo bench -p tributary-figures -- $(FIGURES)

## Checks formatting, lints, licences and scripts
.PHONY: lint
lint:
	@scripts/lint.sh

## Builds the component (COMPONENT_TOOLCHAIN=auto|rustup|debian)
.PHONY: component
component:
	@scripts/build-component.sh

## Fetches a Kafka broker for tests; `scripts/kafka.sh run` starts one for you
.PHONY: kafka
kafka:
	@scripts/kafka.sh
	@scripts/kafka.sh oldest

## Fetches a schema registry for tests; `scripts/registry.sh run` starts one for you
.PHONY: registry
registry:
	@scripts/registry.sh

## Fetches clients of the REST API that others wrote, for tests
.PHONY: clients
clients:
	@scripts/clients.sh

## Prints this
.PHONY: help
help:
	@awk '/^## /{ text = substr($$0, 4) } /^[a-z-]+:/{ if (text) printf "make %-10s %s\n", substr($$1, 1, index($$1, ":") - 1), text; text = "" }' Makefile
