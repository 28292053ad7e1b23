# The commands of this repository. Build output stays outside the checkout; set CARGO_TARGET_DIR to choose where.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

export CARGO_TARGET_DIR ?= $(HOME)/.cache/lockstep/target
# scripts/setup completes the toolchain, not each call of cargo.
export RUSTUP_AUTO_INSTALL := 0
export PATH := $(HOME)/.cargo/bin:$(PATH)

BIN := $(CARGO_TARGET_DIR)/debug
# Always the whole workspace with its tests and examples: the set of features is then the same for every command, and
# each dependency is compiled once. Without the tests' dependencies RocksDB alone would be built a second time.
BUILD := cargo build --workspace --all-targets --locked

.PHONY: help setup build demo dev example test lint bench bench-latency bench-claims kills soak fuzz weights

help: ## Lists the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Installs what is missing; quiet when nothing is
	@scripts/setup

build: setup ## Builds everything
	$(BUILD)

demo: build ## Four validators and five people in lockstep, before your eyes
	@$(BIN)/demo

dev: build ## A development chain of one validator, on 127.0.0.1:9944
	@exec $(BIN)/lockstep-node --dev

example: build ## Two members on the chain that `make dev` runs
	@$(BIN)/examples/two_members

test: build ## Every test; the network suites take some minutes
	cargo nextest run --workspace --locked

lint: ## Formatting, clippy and shellcheck, warnings denied
	@scripts/setup --lint
	scripts/lint

bench: setup ## A member's operations beside raw OpenMLS, opening, catching up; ten minutes after a release build
	cargo bench --locked -p lockstep-client --features simulation --bench operations
	cargo bench --locked -p lockstep-client --features simulation --bench open

bench-latency: build ## Submit-to-finalized latency, into bench-results/latency.json
	@$(BIN)/bench-latency

bench-claims: build ## What a block of claims takes a validator
	@$(BIN)/bench-claims

kills: build ## Kills members 500 times while they race, and checks that nothing was lost
	@$(BIN)/kills

soak: build ## Memory of a node and a client under steady commits; MINUTES=20
	@$(BIN)/soak --minutes $(or $(MINUTES),20)

fuzz: setup ## Fuzzes the decoders of the verifier, ten minutes each
	scripts/fuzz

weights: setup ## Measures the database and the calls of the pallets, in release builds; 40 minutes the first time
	scripts/weights
