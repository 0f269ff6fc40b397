# Needs Rust (rustup, or a cargo with the wasm32-unknown-unknown target) and GNU make 3.81 or newer.
# Whatever follows ## after a target is its line in `make`.

CARGO ?= cargo
PYTHON ?= python3
COMPONENT := dist/servicenow-flow-starter.wasm
WASM := wasm32-unknown-unknown

# `make tools` installs these versions; .ci/run asks for exactly these.
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2

# What recipes read as $$CONFIG: a file name with spaces survives only outside make's own lists.
CONFIG ?=
export CONFIG

# Cargo keeps every core busy by itself, and two cargos would only wait for each other's lock.
.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --workspace and a test beside the demo: cargo then chooses the same features for the dependencies as in `test`, and does not
# compile wasmtime once more for it.
.PHONY: run
run: config-file first-build build ## Start a flow at a stand-in ServiceNow and show it; CONFIG=file.json: with your own input
	@$(CARGO) build --locked --workspace --bin demo --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; \
		set -- --flow-starter "$$programs/flow-starter"; \
		if [ -n "$$CONFIG" ]; then set -- "$$@" --config "$$CONFIG"; fi; \
		exec "$$programs/demo" "$$@"

.PHONY: worker-demo
worker-demo: first-build build ## Complete one job: a test cluster, a stand-in ServiceNow and `flow-starter worker`
	@$(CARGO) build --locked --workspace --bin worker-demo --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; exec "$$programs/worker-demo" --flow-starter "$$programs/flow-starter"

# Where `cargo install` puts a program, unless told otherwise.
PREFIX ?=
.PHONY: install
install: build ## Install flow-starter, the component inside it (PREFIX=… for another place than cargo's own)
	@echo 'Compiling wasmtime for release takes some minutes.'
	$(CARGO) install --locked --path cli $(if $(PREFIX),--root '$(PREFIX)')

# What the tests' own runner takes: TESTFLAGS=--show-output
TESTFLAGS ?=

# For the tests alone: a component that does what the host must contain, and the same with imports that it may not have.
GUEST := $(CARGO) build --locked --profile component --target $(WASM) -p hostile-guest
.PHONY: guests
guests: wasm-target
	@mkdir -p dist/test
	@built=$$($(TARGET_DIR))/$(WASM)/component/hostile_guest.wasm; \
		$(GUEST) --features asks && cp "$$built" dist/test/asking-guest.wasm && \
		$(GUEST) && cp "$$built" dist/test/hostile-guest.wasm

.PHONY: test
test: first-build build guests ## Run every test
	$(CARGO) test --locked --workspace -- $(TESTFLAGS)

# RUSTFLAGS are for the machine one is on, not for the component. The one flag here keeps that machine's paths (of the crates, in
# the places where they could panic) out of the file, so that two people build the same bytes, of the same size.
.PHONY: build
build: wasm-target ## Build the component: dist/servicenow-flow-starter.wasm
	@CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}/registry/src=crates" \
		$(CARGO) build --locked --profile component --target $(WASM) -p servicenow-flow-starter
	@built=$$($(TARGET_DIR))/$(WASM)/component/servicenow_flow_starter.wasm; \
		if ! cmp -s "$$built" $(COMPONENT); then \
			mkdir -p dist && cp "$$built" $(COMPONENT).new && mv -f $(COMPONENT).new $(COMPONENT); \
		fi; \
		echo "$(COMPONENT): $$(wc -c < $(COMPONENT) | tr -d ' ') bytes"

# The last test is of the built file: what it imports and exports, and its size.
.PHONY: check
check: first-build ## Check all that can be told without running: format, lints, docs, the component's imports, licences
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path host-test/gatekeeper/Cargo.toml --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --profile component --target $(WASM) -p servicenow-flow-starter -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps
	@$(MAKE) --no-print-directory build
	$(CARGO) test --locked --workspace --test component_file
	@$(CARGO) deny --version > /dev/null 2>&1 || { echo 'cargo-deny is missing: run `make tools` once.' >&2; exit 1; }
	$(CARGO) deny --locked --workspace check bans licenses sources

# Not part of `check`: its database comes over the network, which a closed network does not let through.
.PHONY: audit
audit: ## Look the dependencies up in the database of security advisories (needs the network)
	$(CARGO) deny --locked --workspace check advisories

.PHONY: dist
dist: build ## Gather what a stranger takes away in dist/: the component, its contract, checksums, an SBOM, licences
	@$(PYTHON) release/gather.py dist

.PHONY: docs
docs: ## Write the host library's documentation, and open it
	$(CARGO) doc --locked --no-deps --open -p flow-starter-host

CALLS ?= 100000
BY ?= honest
.PHONY: soak
soak: build guests ## Make 100,000 calls (CALLS=…; BY=hostile: attacks), and see that memory and open sockets stay where they were
	$(CARGO) build --locked --workspace --bin soak --test component_file
	@"$$($(TARGET_DIR))/debug/soak" --calls $(CALLS) --guest $(BY)

.PHONY: templates
templates: ## Write the element template and its fields' documentation from their table
	$(CARGO) run --quiet --locked -p flow-starter-templates

.PHONY: test-templates
test-templates: npm ## Fill in the template in Camunda's own modeler, and check the examples (needs Node 20)
	$(CARGO) run --quiet --locked -p flow-starter-templates -- --check
	cd templates/check && npm ci && npm test

.PHONY: pictures
pictures: npm ## Draw the examples and the form for the docs (needs Node 20)
	cd templates/check && npm ci && npm run pictures

.PHONY: npm
npm:
	@command -v npm > /dev/null || { echo 'There is no npm here: install Node.js 20 or newer.' >&2; exit 1; }

# What the other hosts need lies in target/hosts and host-test/node/node_modules.
HOSTS_PYTHON := target/hosts/python/bin/python
RUN_HOSTS = programs=$$($(TARGET_DIR))/debug && $(PYTHON) host-test/conformance/hosts.py --component $(COMPONENT) \
	--gated target/hosts/gated.wasm --python $(HOSTS_PYTHON) --stand-in "$$programs/servicenow-stand-in" --embed-rust "$$programs/embed-rust"

.PHONY: test-hosts
test-hosts: hosts ## Play the table of cases in Node and Python as well, and run every example (needs Node 20, Python 3.9)
	@$(RUN_HOSTS)

.PHONY: host-table
host-table: hosts ## The same, and write the table of hosts and the examples in docs/embedding.md
	@$(RUN_HOSTS) --write

.PHONY: hosts
hosts: first-build build npm
	$(CARGO) build --locked --workspace --bin servicenow-stand-in --bin embed-rust --test component_file
	@$(MAKE) --no-print-directory gated ALLOW=127.0.0.1 GATED=target/hosts/gated.wasm
	cd host-test/node && npm ci --silent
	$(PYTHON) -m venv target/hosts/python
	$(HOSTS_PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r host-test/python/requirements.txt

# wasmtime-cli takes ten minutes of a core to build, so that .ci/run leaves it out.
WASMTIME_CLI_VERSION := 48.0.8
.PHONY: test-wasmtime-cli
test-wasmtime-cli: first-build build ## Build wasmtime's own command line (minutes) and play the table of cases in it
	$(CARGO) build --locked --workspace --bin servicenow-stand-in --test component_file
	$(CARGO) install --locked --root target/tools wasmtime-cli --version $(WASMTIME_CLI_VERSION) \
		--no-default-features --features run,cranelift,component-model,wasi-http
	@$(PYTHON) host-test/conformance/play.py --stand-in "$$($(TARGET_DIR))/debug/servicenow-stand-in" --component $(COMPONENT) -- \
		$(PYTHON) host-test/wasmtime-cli/host.py target/tools/bin/wasmtime

.PHONY: compare-camunda
compare-camunda: first-build build ## Play the same inputs through Camunda's REST connector, and compare (needs Maven and Java 21)
	@$(CARGO) build --locked --workspace --bin servicenow-stand-in --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; \
		$(PYTHON) host-test/judge/compare.py --stand-in "$$programs/servicenow-stand-in" --flow-starter "$$programs/flow-starter"

# The name is compiled in: a component that imports only HTTP has nowhere to read it from.
ALLOW ?=
GATED ?= dist/servicenow-flow-starter-gated.wasm
GATEKEEPER := --locked --manifest-path host-test/gatekeeper/Cargo.toml --target-dir target/gatekeeper
.PHONY: gated
gated: build ## The component behind a gatekeeper that forwards to one host alone: ALLOW=acme.service-now.com
	@if [ -z '$(ALLOW)' ]; then echo 'Say which host name: make gated ALLOW=acme.service-now.com' >&2; exit 1; fi
	@GATEKEEPER_HOST='$(ALLOW)' $(CARGO) build --quiet $(GATEKEEPER) --release --target $(WASM) -p gatekeeper
	@mkdir -p '$(dir $(GATED))'
	@$(CARGO) run --quiet $(GATEKEEPER) -p plug -- target/gatekeeper/$(WASM)/release/gatekeeper.wasm $(COMPONENT) '$(GATED)'
	@echo '$(GATED): reaches $(ALLOW) and nothing else'

# The tests compare docs/faults.md with each run; this writes it, for a reviewer to read what changed.
.PHONY: fault-table
fault-table: build ## Write docs/faults.md from a run of every fault
	WRITE_FAULT_TABLE=1 $(CARGO) test --locked --workspace --test it faults::walk

# A crate without dependencies, so that its release build takes seconds. PAGE=: nothing is written. See worker/explore/src/main.rs for
# EXPLORE_FAULTS, EXPLORE_SECONDS, EXPLORE_SCHEDULES and EXPLORE_SEED.
PAGE ?= docs/worker.md
.PHONY: explore
explore: ## Explore the life of a job in the worker, and write the figures to docs/worker.md (25 minutes; EXPLORE_SEED=… replays)
	$(CARGO) run --release --locked -p flow-starter-worker-explore -- $(PAGE)

# On stable Rust, which has no sanitizers (safe code needs none); libFuzzer itself needs a C++ compiler. What is found on the way is kept in
# fuzz/target/corpus, beside the seeds in fuzz/corpus; what crashes in fuzz/artifacts. Ten seconds for one input is a crash as well.
# Its lock file is its own: where a dependency of the component has changed, `cargo update --manifest-path fuzz/Cargo.toml` follows.
FUZZ_TARGETS := input answer dates masking
SECONDS = 60
# RUNS=… instead of SECONDS, with SEED=…: the same inputs each time.
RUNS =
SEED =
FUZZ_FLAGS = $(if $(RUNS),-runs=$(RUNS),-max_total_time=$(SECONDS)) $(if $(SEED),-seed=$(SEED)) -timeout=10 -verbosity=0 -print_final_stats=1
.PHONY: fuzz
fuzz: fuzz-build ## Fuzz the JSON input, the response, its dates and masking, 60 s each (SECONDS=… or RUNS=… SEED=…; needs a C++ compiler)
	@for target in $(FUZZ_TARGETS); do \
		echo "fuzz: $$target"; \
		mkdir -p fuzz/target/corpus/$$target && \
		$(CARGO) fuzz run --sanitizer none $$target fuzz/target/corpus/$$target fuzz/corpus/$$target -- -dict=fuzz/dictionaries/$$target.dict \
			$(FUZZ_FLAGS) || { echo "The input that failed, in base64:"; base64 fuzz/artifacts/$$target/*; exit 1; }; \
	done

.PHONY: fuzz-build
fuzz-build:
	@$(CARGO) fuzz --version > /dev/null 2>&1 || { echo 'cargo-fuzz is missing: run `make tools` once.' >&2; exit 1; }
	@$(CARGO) metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml > /dev/null
	$(CARGO) fuzz build --sanitizer none

.PHONY: fmt
fmt: ## Format the code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

# Full optimisation would take three times as long, and save nothing on a tool that runs for a second.
.PHONY: tools
tools: ## Install what `make check` and `make fuzz` need beside Rust: cargo-deny and cargo-fuzz
	@if [ "$$($(CARGO) deny --version 2> /dev/null)" != 'cargo-deny $(CARGO_DENY_VERSION)' ]; then \
		CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
			$(CARGO) install --locked cargo-deny --version $(CARGO_DENY_VERSION); fi
	@if [ "$$($(CARGO) fuzz --version 2> /dev/null)" != 'cargo-fuzz $(CARGO_FUZZ_VERSION)' ]; then \
		CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
			$(CARGO) install --locked cargo-fuzz --version $(CARGO_FUZZ_VERSION); fi

.PHONY: clean
clean: ## Remove all that was built: target/, dist/ and fuzz/target/
	$(CARGO) clean
	rm -rf dist fuzz/target

TARGET_DIR = $(CARGO) metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/'

# Comes first, so that a mistyped name is known before minutes of building.
.PHONY: config-file
config-file:
	@if [ -n "$$CONFIG" ] && [ ! -f "$$CONFIG" ]; then \
		echo "CONFIG=$$CONFIG: there is no such file." >&2; exit 1; fi

.PHONY: first-build
first-build: wasm-target
	@ls "$$($(TARGET_DIR))"/debug/deps/libwasmtime-*.rlib > /dev/null 2>&1 || \
		echo 'The first build compiles wasmtime, which takes some minutes (about five on two cores); the next ones take seconds.'

.PHONY: wasm-target
wasm-target:
	@command -v $(CARGO) > /dev/null || { \
		echo 'There is no cargo here. Install Rust (https://rustup.rs), open a new terminal, and try again.' >&2; exit 1; }
	@libraries=$$(rustc --print target-libdir --target $(WASM)) || exit 1; \
	if [ ! -d "$$libraries" ]; then \
		if command -v rustup > /dev/null; then rustup target add $(WASM); \
		else \
			echo 'This Rust cannot build for $(WASM), and there is no rustup here to fetch that target.' >&2; \
			echo 'Install Rust with rustup (https://rustup.rs), or the package of your system that holds the target.' >&2; \
			exit 1; \
		fi; \
	fi
