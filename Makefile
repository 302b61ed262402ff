# Targets for people and for CI; `make` lists them. Every one works from a fresh clone.

GO ?= go
FUZZTIME ?= 20s
BENCH ?= .
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

.PHONY: check
check: lint ## formatting, vet, staticcheck, tidy go.mod, and the tests under the race detector
	$(GO) test -race -timeout 14m ./...

.PHONY: lint
lint: setup ## the checks that run no tests
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt these files (gofmt -w .):"; echo "$$files"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: bench
bench: setup ## run the benchmarks (BENCH=regexp picks some)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m ./...

.PHONY: quality
quality: build ## judge the built-in models from outside (RNA: Infernal), one table
	models/quality/rna.sh

# The shared data lie beside the project. A fixed number of steps, one thread: the same weights on the same machine.
RNA_DATA = ../shared/data/rna/trna_rfam_sprinzl

.PHONY: models
models: build ## train the built-in models again (takes about 25 minutes on one core)
	bin/pfgmgen train --domain rna --data $(RNA_DATA)/sprinzl_tRNA1415.sto.gz --split $(RNA_DATA)/trna.tsv \
		--steps 8000 --threads 1 --license BSD-3-Clause \
		--source "Sprinzl compilation of tRNAs (tRNA1415G.sto of Infernal's test suite), the train part of the project's split" \
		--out models/rna-trna.onnx

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
