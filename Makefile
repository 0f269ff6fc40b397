# Needs Rust (rustup, or a cargo with the wasm32-unknown-unknown target) and GNU make 3.81 or newer.
# The text after ## is the target's help in `make`.

CARGO ?= cargo
PYTHON ?= python3
COMPONENT := dist/servicenow-flow-starter.wasm
WASM := wasm32-unknown-unknown
# For a rival of the bench only.
WASIP2 := wasm32-wasip2

# `make tools` installs these versions; .ci/run asks for exactly these.
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2

# Recipes read $$CONFIG: a file name with spaces survives only outside make's lists.
CONFIG ?=
export CONFIG

# Cargo keeps every core busy by itself, and two cargos would only wait for each other's lock.
.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# With --workspace and a test target, cargo resolves the same dependency features as in `test` and does not compile wasmtime again.
.PHONY: run
run: config-file first-build build ## Start a flow at a stand-in ServiceNow and show what happens (CONFIG=file.json: your own input)
	@$(CARGO) build --locked --workspace --bin demo --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; \
		set -- --flow-starter "$$programs/flow-starter"; \
		if [ -n "$$CONFIG" ]; then set -- "$$@" --config "$$CONFIG"; fi; \
		exec "$$programs/demo" "$$@"

.PHONY: worker-demo
worker-demo: first-build build ## Complete one job: a test cluster, a stand-in ServiceNow and `flow-starter worker`
	@$(CARGO) build --locked --workspace --bin worker-demo --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; exec "$$programs/worker-demo" --flow-starter "$$programs/flow-starter"

# The default is cargo's own directory.
PREFIX ?=
.PHONY: install
install: build ## Install flow-starter with the embedded component (PREFIX=…: somewhere other than cargo's default)
	@echo 'Compiling wasmtime for release, with link-time optimisation, takes about ten minutes on two cores.'
	$(CARGO) install --locked --path cli $(if $(PREFIX),--root '$(PREFIX)')

# Flags for the test runner, for example TESTFLAGS=--show-output
TESTFLAGS ?=

# For the tests only: a component that attacks the host, and the same with imports that it may not have.
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
	@if command -v $(PYTHON) > /dev/null; then $(MAKE) --no-print-directory test-cluster; \
		else echo 'Skipped the test cluster'"'"'s judges: they need Python 3.'; [ -z "$$CI" ]; fi

# RUSTFLAGS are for the build machine, not for the component. The one flag here keeps the machine's paths (in panic locations of crates)
# out of the file, so that everybody builds the same bytes.
.PHONY: build
build: wasm-target ## Build the component: dist/servicenow-flow-starter.wasm
	@CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}/registry/src=crates" \
		$(CARGO) build --locked --profile component --target $(WASM) -p servicenow-flow-starter
	@built=$$($(TARGET_DIR))/$(WASM)/component/servicenow_flow_starter.wasm; \
		if ! cmp -s "$$built" $(COMPONENT); then \
			mkdir -p dist && cp "$$built" $(COMPONENT).new && mv -f $(COMPONENT).new $(COMPONENT); \
		fi; \
		echo "$(COMPONENT): $$(wc -c < $(COMPONENT) | tr -d ' ') bytes"

# The last test checks the built file: imports, exports and size.
.PHONY: check
check: first-build ## Static checks: format, lints, docs, the component's imports, licences
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path host-test/gatekeeper/Cargo.toml --all --check
	$(CARGO) fmt --manifest-path host-test/openapi/Cargo.toml --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --profile component --target $(WASM) -p servicenow-flow-starter -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps
	@$(MAKE) --no-print-directory build
	$(CARGO) test --locked --workspace --test component_file
	@$(CARGO) deny --version > /dev/null 2>&1 || { echo 'cargo-deny is missing: run `make tools` once.' >&2; exit 1; }
	$(CARGO) deny --locked --workspace check bans licenses sources

# Not part of `check`: it downloads the database, which a closed network blocks.
.PHONY: audit
audit: ## Check dependencies against the security advisory database (needs the network)
	$(CARGO) deny --locked --workspace check advisories

.PHONY: dist
dist: build ## Build the release in dist/: component, contract, checksums, SBOM, licences
	@$(PYTHON) release/gather.py dist

.PHONY: docs
docs: ## Build the host library's documentation and open it
	$(CARGO) doc --locked --no-deps --open -p flow-starter-host

# What grows by more than 5 % fails. COUNTFLAGS=--only prints the figures alone; COUNTFLAGS='--keep FOLDER' keeps callgrind's output.
WRITE ?=
COUNTFLAGS ?=
.PHONY: count
count: first-build build ## Count the instructions of a call and compare them with the record (needs valgrind; WRITE=1 records them)
	@$(CARGO) build --locked --workspace --bin count --test component_file
	@programs=$$($(TARGET_DIR))/debug; exec "$$programs/count" $(if $(WRITE),--write) $(COUNTFLAGS)

CALLS ?= 100000
BY ?= honest
.PHONY: soak
soak: build guests ## Make 100,000 calls (CALLS=…; BY=hostile: attacks; BY=jobs: one worker) and check that memory and sockets do not grow
	@$(CARGO) build --locked --workspace --bin soak --bin soak-jobs --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; \
		case '$(BY)' in \
			jobs) exec "$$programs/soak-jobs" --jobs $(CALLS) --flow-starter "$$programs/flow-starter";; \
			*) exec "$$programs/soak" --calls $(CALLS) --guest $(BY);; \
		esac

# Without SEED, a new plan each time. A pause lasts as long as a job's lock, so that a run takes a minute and a half at least.
# BY=camunda: Camunda's connector runtime in place of ours, for comparison (needs Maven and Java 21).
JOBS ?= 10000
.PHONY: chaos
chaos: first-build build ## Kill, pause and stop workers while cluster and ServiceNow fail; judge all jobs (JOBS=…; SEED=… repeats the plan)
	@$(CARGO) build --locked --workspace --bin chaos --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; exec "$$programs/chaos" --flow-starter "$$programs/flow-starter" --jobs $(JOBS) \
		$(if $(filter camunda,$(BY)),--by camunda) $(if $(SEED),--seed $(SEED))

# The same release profile as `make install`. ROUNDS=1 is a quick look; WRITE=1 updates docs/performance.md, the README and the picture.
# ALSO: one more contender, as label=program argument … (bench/README.md).
ROUNDS ?= 5
ALSO ?=
export ALSO
.PHONY: bench
bench: build wasip2-target ## Measure a call in the sandbox against a native client and other sandboxed ones (15 minutes; ROUNDS=…, WRITE=1)
	$(CARGO) build --locked --release --workspace --bin bench --bin bench-client --bin bench-server
	$(CARGO) build --locked --release --target $(WASIP2) -p waki-guest
	@target=$$($(TARGET_DIR)); set -- --rounds $(ROUNDS) --component $(COMPONENT) --waki "$$target/$(WASIP2)/release/waki_guest.wasm"; \
		if [ -n "$$ALSO" ]; then set -- "$$@" --also "$$ALSO"; fi; \
		if [ -n '$(WRITE)' ]; then set -- "$$@" --write .; fi; \
		exec "$$target/release/bench" "$$@"

# TLS=1: HTTPS to the stand-in. WRITE=1 updates docs/performance.md.
TLS ?=
.PHONY: bench-worker
bench-worker: build ## Measure the worker against Camunda's connector runtime (release build; the runtime needs Maven and Java 21)
	$(CARGO) build --locked --release --workspace --bin bench-worker --bin flow-starter --bin camunda-test-cluster --bin servicenow-stand-in
	@programs=$$($(TARGET_DIR))/release; exec "$$programs/bench-worker" --flow-starter "$$programs/flow-starter" \
		--cluster "$$programs/camunda-test-cluster" --stand-in "$$programs/servicenow-stand-in" $(if $(TLS),--tls) $(if $(WRITE),--write)

.PHONY: bench-java
bench-java: build wasip2-target ## make bench with contenders in Java (needs Maven and Java 21)
	$(CARGO) build --locked --release --workspace --bin bench --bin bench-client --bin bench-server --bin bench-java
	$(CARGO) build --locked --release --target $(WASIP2) -p waki-guest
	@target=$$($(TARGET_DIR)); exec "$$target/release/bench-java" -- "$$target/release/bench" --rounds $(ROUNDS) --component $(COMPONENT) \
		--waki "$$target/$(WASIP2)/release/waki_guest.wasm" --command 'make bench-java'

.PHONY: templates
templates: ## Generate the element template and its field documentation
	$(CARGO) run --quiet --locked -p flow-starter-templates

.PHONY: test-templates
test-templates: npm ## Test the template in Camunda's modeler, and the examples (needs Node 20)
	$(CARGO) run --quiet --locked -p flow-starter-templates -- --check
	cd templates/check && npm ci && npm test

.PHONY: pictures
pictures: npm ## Draw the pictures for the docs: examples and form (needs Node 20)
	cd templates/check && npm ci && npm run pictures

.PHONY: npm
npm:
	@command -v npm > /dev/null || { echo 'There is no npm here: install Node.js 20 or newer.' >&2; exit 1; }

# The other hosts' dependencies go to target/hosts and host-test/node/node_modules.
HOSTS_PYTHON := target/hosts/python/bin/python
RUN_HOSTS = programs=$$($(TARGET_DIR))/debug && $(PYTHON) host-test/conformance/hosts.py --component $(COMPONENT) \
	--gated target/hosts/gated.wasm --python $(HOSTS_PYTHON) --stand-in "$$programs/servicenow-stand-in" --embed-rust "$$programs/embed-rust"

.PHONY: test-hosts
test-hosts: hosts ## Run the conformance cases in Node and Python, and every example (needs Node 20, Python 3.9)
	@$(RUN_HOSTS)

.PHONY: host-table
host-table: hosts ## Like test-hosts, and update the table of hosts and the examples in docs/embedding.md
	@$(RUN_HOSTS) --write

.PHONY: hosts
hosts: first-build build npm
	$(CARGO) build --locked --workspace --bin servicenow-stand-in --bin embed-rust --test component_file
	@$(MAKE) --no-print-directory gated ALLOW=127.0.0.1 GATED=target/hosts/gated.wasm
	cd host-test/node && npm ci --silent
	$(PYTHON) -m venv target/hosts/python
	$(HOSTS_PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r host-test/python/requirements.txt

# wasmtime-cli takes ten CPU minutes to build, so .ci/run leaves it out.
WASMTIME_CLI_VERSION := 48.0.8
.PHONY: test-wasmtime-cli
test-wasmtime-cli: first-build build ## Run the conformance cases in wasmtime's command line (builds it: minutes)
	$(CARGO) build --locked --workspace --bin servicenow-stand-in --test component_file
	$(CARGO) install --locked --root target/tools wasmtime-cli --version $(WASMTIME_CLI_VERSION) \
		--no-default-features --features run,cranelift,component-model,wasi-http
	@$(PYTHON) host-test/conformance/play.py --stand-in "$$($(TARGET_DIR))/debug/servicenow-stand-in" --component $(COMPONENT) -- \
		$(PYTHON) host-test/wasmtime-cli/host.py target/tools/bin/wasmtime

.PHONY: compare-camunda
compare-camunda: first-build build ## Compare with Camunda's REST connector on the same inputs (needs Maven and Java 21)
	@$(CARGO) build --locked --workspace --bin servicenow-stand-in --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; \
		$(PYTHON) host-test/judge/compare.py --stand-in "$$programs/servicenow-stand-in" --flow-starter "$$programs/flow-starter"

.PHONY: test-cluster
test-cluster: first-build build ## Test the test cluster with Camunda's own clients and OpenAPI document (needs Node 20, Java 21, Maven)
	@$(CARGO) build --locked --workspace --bin camunda-test-cluster --bin servicenow-stand-in --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; \
		$(PYTHON) host-test/clients/test_cluster.py --cluster "$$programs/camunda-test-cluster" \
			--flow-starter "$$programs/flow-starter" --stand-in "$$programs/servicenow-stand-in"

.PHONY: compare-expressions
compare-expressions: first-build ## Compare result and error expressions with Camunda's connector runtime (needs Maven and Java 21)
	@$(CARGO) build --locked --workspace --bin compare-expressions --test component_file
	@programs=$$($(TARGET_DIR))/debug; exec "$$programs/compare-expressions"

# CASES=ci: the quick part; CASES='part of a name': those jobs. Only a run of all jobs writes the page.
CASES ?= all
.PHONY: compare
compare: first-build build ## Send the same jobs to Camunda's runtime and to flow-starter worker: docs/compared.md (needs Maven and Java 21)
	@$(CARGO) build --locked --workspace --bin compare --bin flow-starter --test component_file
	@programs=$$($(TARGET_DIR))/debug; exec "$$programs/compare" --flow-starter "$$programs/flow-starter" --cases '$(CASES)'

# Python's packages go to target/deploy, Node's to deploy/check/node_modules.
DEPLOY_PYTHON := target/deploy/bin/python
.PHONY: check-deploy
check-deploy: ## Check deploy/: Kubernetes, systemd, Prometheus, Grafana (needs Python 3.9; systemd-analyze, promtool and Node 20 if there)
	@$(PYTHON) -m venv target/deploy
	@$(DEPLOY_PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r deploy/check/requirements.txt
	@$(DEPLOY_PYTHON) deploy/check/check.py

# The name is compiled in: a component that imports only HTTP cannot read it from anywhere.
ALLOW ?=
GATED ?= dist/servicenow-flow-starter-gated.wasm
GATEKEEPER := --locked --manifest-path host-test/gatekeeper/Cargo.toml --target-dir target/gatekeeper
.PHONY: gated
gated: build ## Build a component that can reach only one host: ALLOW=acme.service-now.com
	@if [ -z '$(ALLOW)' ]; then echo 'Set the host name: make gated ALLOW=acme.service-now.com' >&2; exit 1; fi
	@GATEKEEPER_HOST='$(ALLOW)' $(CARGO) build --quiet $(GATEKEEPER) --release --target $(WASM) -p gatekeeper
	@mkdir -p '$(dir $(GATED))'
	@$(CARGO) run --quiet $(GATEKEEPER) -p plug -- target/gatekeeper/$(WASM)/release/gatekeeper.wasm $(COMPONENT) '$(GATED)'
	@echo '$(GATED): reaches $(ALLOW) and nothing else'

# The tests compare docs/faults.md with each run; this target rewrites it, so that a reviewer sees what changed.
.PHONY: fault-table
fault-table: build ## Run every fault and write docs/faults.md
	WRITE_FAULT_TABLE=1 $(CARGO) test --locked --workspace --test it faults::walk

# A crate without dependencies, so that its release build takes seconds. PAGE=: nothing is written. See worker/explore/src/main.rs for
# EXPLORE_FAULTS, EXPLORE_SECONDS, EXPLORE_SCHEDULES and EXPLORE_SEED.
PAGE ?= docs/worker.md
.PHONY: explore
explore: ## Explore the worker's job lifecycle and update docs/worker.md (25 minutes; EXPLORE_SEED=… replays)
	$(CARGO) run --release --locked -p flow-starter-worker-explore -- $(PAGE)

# On stable Rust, which has no sanitizers (safe code needs none); libFuzzer itself needs a C++ compiler. New inputs go to fuzz/target/corpus
# (the seeds are in fuzz/corpus), crashes to fuzz/artifacts. Ten seconds for one input count as a crash, too.
# fuzz/ has its own lock file: after a change to the component's dependencies, run `cargo update --manifest-path fuzz/Cargo.toml`.
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
	$(CARGO) fmt --manifest-path host-test/openapi/Cargo.toml
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

# Full optimisation would take three times as long and gain nothing for tools that run for a second.
.PHONY: tools
tools: ## Install cargo-deny and cargo-fuzz, for `make check` and `make fuzz`
	@if [ "$$($(CARGO) deny --version 2> /dev/null)" != 'cargo-deny $(CARGO_DENY_VERSION)' ]; then \
		CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
			$(CARGO) install --locked cargo-deny --version $(CARGO_DENY_VERSION); fi
	@if [ "$$($(CARGO) fuzz --version 2> /dev/null)" != 'cargo-fuzz $(CARGO_FUZZ_VERSION)' ]; then \
		CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
			$(CARGO) install --locked cargo-fuzz --version $(CARGO_FUZZ_VERSION); fi

.PHONY: clean
clean: ## Remove all build output: target/, dist/ and fuzz/target/
	$(CARGO) clean
	rm -rf dist fuzz/target

TARGET_DIR = $(CARGO) metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/'

# Runs first, so that a mistyped name fails before minutes of building.
.PHONY: config-file
config-file:
	@if [ -n "$$CONFIG" ] && [ ! -f "$$CONFIG" ]; then \
		echo "CONFIG=$$CONFIG: there is no such file." >&2; exit 1; fi

.PHONY: first-build
first-build: wasm-target
	@ls "$$($(TARGET_DIR))"/debug/deps/libwasmtime-*.rlib > /dev/null 2>&1 || \
		echo 'The first build compiles wasmtime, which takes some minutes (about five on two cores); the next ones take seconds.'

.PHONY: wasm-target wasip2-target
wasm-target:
	$(call target-installed,$(WASM))
wasip2-target:
	$(call target-installed,$(WASIP2))

define target-installed
	@command -v $(CARGO) > /dev/null || { \
		echo 'There is no cargo here. Install Rust (https://rustup.rs), open a new terminal, and try again.' >&2; exit 1; }
	@libraries=$$(rustc --print target-libdir --target $(1)) || exit 1; \
	if [ ! -d "$$libraries" ]; then \
		if command -v rustup > /dev/null; then rustup target add $(1); \
		else \
			echo 'This Rust cannot build for $(1), and there is no rustup here to fetch that target.' >&2; \
			echo 'Install Rust with rustup (https://rustup.rs), or the package of your system that holds the target.' >&2; \
			exit 1; \
		fi; \
	fi
endef
