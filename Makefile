# Targets for people and for CI; `make` lists them. Every one works from a fresh clone.

GO ?= go
FUZZTIME ?= 20s
BENCH ?= .
KILLS ?= 200
SHARDS ?= 10000
export GO
export CGO_ENABLED = 1

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: build ## make a dataset of 1,000 tRNAs in out/rna, getting everything needed first
	bin/pfgmgen run --domain rna -n 1000 --out out/rna

.PHONY: test
test: setup check ## set up, then every check and every test (what CI runs)

.PHONY: setup
setup: ## get ONNX Runtime into .onnxruntime/ and the Go modules
	@setup/tools.sh
	@setup/onnxruntime.sh
	$(GO) mod download

.PHONY: build
build: setup ## build bin/pfgmgen
	$(GO) build -trimpath -o bin/pfgmgen ./cmd/pfgmgen

.PHONY: servers
servers: setup ## build the servers that tests start on loopback (some minutes, once)
	@for server in s3 gcs temporal; do setup/server.sh $$server >/dev/null || exit 1; done

.PHONY: check
check: lint servers ## formatting, vet, staticcheck, tidy go.mod, and the tests under the race detector
	$(GO) test -race -timeout 18m ./...

.PHONY: lint
lint: setup ## the checks that run no tests
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt these files (gofmt -w .):"; echo "$$files"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: bench
bench: setup ## run the benchmarks (BENCH=regexp picks some)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m ./...

.PHONY: chaos
chaos: servers ## kill runs at every change and KILLS (200) times at random, in a directory and in buckets, and compare the bytes
	PFGMGEN_CHAOS=$(KILLS) $(GO) test -count=1 -v -timeout 90m -run 'TestKilled|TestStoreComesAndGoes|TestRunRepairs|TestRunsAtOnce' ./cmd/pfgmgen

.PHONY: bench-scale
bench-scale: setup ## what shards and commits cost, up to SHARDS (10000) shards, and the pipeline against arrow's writer alone
	PFGMGEN_SCALE_SHARDS=$(SHARDS) $(GO) test -run '^$$' -bench 'Shards|Commit|Null' -benchtime 1x -timeout 120m ./cmd/pfgmgen

.PHONY: quality
quality: build ## judge the built-in models from outside (Infernal, HMMER, RDKit, scikit-learn), one table
	models/quality/run.sh

# The shared data lie beside the project. A fixed number of steps, one thread: the same weights on the same machine. Each
# model is a target of its own, such as `make train-images-mnist`; names are those of `pfgmgen models`.
DATA = ../shared/data
TRAIN = bin/pfgmgen train --threads 1
BUILT_IN = rna-trna antibody-vh graphs-molecules graphs-community audio-digits images-mnist images-cells

.PHONY: models
models: $(BUILT_IN:%=train-%) ## train the built-in models again (about three hours on one core)

.PHONY: $(BUILT_IN:%=train-%)
$(BUILT_IN:%=train-%): build

train-rna-trna:
	$(TRAIN) --domain rna --data $(DATA)/rna/trna_rfam_sprinzl/sprinzl_tRNA1415.sto.gz --split $(DATA)/rna/trna_rfam_sprinzl/trna.tsv \
		--steps 5000 --ln-sigma-mean 0 --license BSD-3-Clause \
		--source "Sprinzl compilation of tRNAs (tRNA1415G.sto of Infernal's test suite), the train part of the project's split" \
		--out models/rna-trna.onnx

train-antibody-vh:
	$(TRAIN) --domain antibody --data $(DATA)/antibody/oas_jaffe2022_paired/paired_vh_vl.tsv.gz --set chains=heavy --set condition=v_family \
		--size medium --steps 9000 --ln-sigma-mean 0.4 --ln-sigma-std 1.1 --rate 2e-3 --weights fp16 --license CC-BY-4.0 \
		--source "heavy chains of one human donor, paired 10x data of Jaffe et al. 2022 in the Observed Antibody Space, the train part of the project's split" \
		--out models/antibody-vh.onnx

# First from variants of the molecules, ten times as many, then from the molecules themselves.
MOLECULES = --domain graphs --data $(DATA)/graphs/pubchemqc_cno/molecules.tsv.gz --set min_nodes=4 --set max_nodes=16 --set bandwidth=5 --size medium \
	--shared-modulation --weights fp16 --license LicenseRef-public-domain \
	--source "small neutral C/N/O molecules of PubChemQC (2019PubChemQC_can_nocharge) of 4 to 16 heavy atoms, the train part of the project's split"

train-graphs-molecules:
	mkdir -p out/train
	$(TRAIN) $(MOLECULES) --set variants=8 --steps 30000 --out out/train/graphs-molecules-first.onnx
	$(TRAIN) $(MOLECULES) --init out/train/graphs-molecules-first.onnx --rate 1e-3 --steps 3000 --out models/graphs-molecules.onnx

train-graphs-community:
	$(TRAIN) --domain graphs --data family:community-small --set count=8000 --size small --steps 6000 --weights fp16 --license Apache-2.0 \
		--source "community-small graphs drawn by pfgmgen itself: family:community-small, 8,000 graphs, seed 1" \
		--out models/graphs-community.onnx

train-audio-digits:
	$(TRAIN) --domain audio --data $(DATA)/audio/fsdd/recordings.zip --size medium --steps 5000 --guidance 1.5 --weights fp16 --license CC-BY-SA-4.0 \
		--source "Free Spoken Digit Dataset, takes 7 to 49 of six speakers" --out models/audio-digits.onnx

train-images-mnist:
	$(TRAIN) --domain images --data $(DATA)/images/mnist/train-images-idx3-ubyte.gz --size medium --steps 5000 --guidance 1.75 --weights fp16 \
		--license CC-BY-SA-3.0 --source "MNIST, the 60,000 training digits less a tenth held out" --out models/images-mnist.onnx

train-images-cells:
	$(TRAIN) --domain images --data $(DATA)/images/bccd_cells32/images-idx4-ubyte.gz --size medium --steps 1500 --weights fp16 \
		--license MIT --source "BCCD blood cells, 32x32 crops, the train part by source picture" --out models/images-cells.onnx

.PHONY: fuzz
fuzz: setup ## run every fuzz target for FUZZTIME (20s)
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

.PHONY: generate
generate: ## regenerate internal/onnx/onnxpb/onnx.pb.go (needs protoc: apt-get install protobuf-compiler)
	$(GO) build -o bin/protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go
	protoc -I internal/onnx/onnxpb --plugin=bin/protoc-gen-go --go_out=internal/onnx/onnxpb \
		--go_opt=paths=source_relative --go_opt=Monnx.proto=pfgmgen/internal/onnx/onnxpb onnx.proto
