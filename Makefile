# Go and make are all that is needed.
GO     ?= go
TOOL    = $(GO) tool -modfile=tools/go.mod
FUZZ   ?= 20s
export CGO_ENABLED ?= 0

.PHONY: help build demo test race lint bench fuzz cover crash faults edits imports truth

help: ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

build: ## build bin/xshare
	$(GO) build -o bin/xshare ./cmd/xshare

demo: build ## run the main job on the embedded AWS
	@$(GO) run ./examples/demo bin/xshare examples/recipe

test: ## run all tests
	$(GO) test ./...

race: ## run the concurrent packages' tests under the race detector
	CGO_ENABLED=1 $(GO) test -race ./executor/... ./internal/awslive/... ./internal/sandbox/...

crash: ## kill xshare at every call of two applies
	XSHARE_CAMPAIGN=full $(GO) test ./internal/campaign -count=1 -v -run '^TestCrash$$' -timeout 30m

faults: ## 300 seeded runs with throttling, errors and lost answers
	XSHARE_CAMPAIGN=full $(GO) test ./internal/campaign -count=1 -v -run '^TestFaults$$' -timeout 30m

edits: ## 500 sequences of edits to a repository
	XSHARE_CAMPAIGN=full $(GO) test ./internal/campaign -count=1 -v -run '^TestEdits$$' -timeout 60m

imports: ## let import describe what 300 repositories have made
	XSHARE_CAMPAIGN=full $(GO) test ./internal/campaign -count=1 -v -run '^TestImport$$' -timeout 30m

truth: ## 3000 sequences of broken access: what verify and explain say, against real calls (20 minutes)
	XSHARE_CAMPAIGN=full $(GO) test ./internal/campaign -count=1 -v -run '^TestTruth$$' -timeout 180m

lint: ## check format, habits and the one-way imports
	$(TOOL) gofumpt -l -d $$(git ls-files '*.go')
	$(TOOL) golangci-lint run --allow-parallel-runners ./...
	$(GO) mod tidy -diff

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## fuzz each parser for FUZZ (default 20s)
	@for target in $$(grep -rhoE --include='*_test.go' 'func Fuzz[A-Za-z0-9]+' . | sed 's/func //' | sort -u); do \
		for package in $$(grep -rlE --include='*_test.go' "func $$target\(" . | xargs -n1 dirname | sort -u); do \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ) $$package || exit 1; \
		done; \
	done

cover: ## coverage by package
	$(GO) test -cover ./...
