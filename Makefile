# Bowline's few verbs. `make demo` and `make test` are all that a newcomer needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

GO       ?= go
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 1m

# Hand-written Go of both modules.
GO_FILES = $(shell find . -name '*.go' -not -path './.git/*' -not -path './bin/*' -not -path '*/node_modules/*')
DEVCLUSTER_FILES := $(shell find devcluster -type f -not -name '*_test.go' -not -name '*.md')

# The components say which release they are by variables that Kubernetes' own build sets.
KUBERNETES := $(shell awk '$$1 == "k8s.io/kubernetes" {print $$2}' devcluster/go.mod)
DEVCLUSTER_LDFLAGS := -s -w -X k8s.io/client-go/pkg/version.gitVersion=$(KUBERNETES) \
	-X k8s.io/component-base/version.gitVersion=$(KUBERNETES) \
	-X k8s.io/component-base/version.gitMajor=$(word 1,$(subst ., ,$(KUBERNETES:v%=%))) \
	-X k8s.io/component-base/version.gitMinor=$(word 2,$(subst ., ,$(KUBERNETES:v%=%)))
# The build's own settings, or testing and vetting would compile all of Kubernetes again.
DEVCLUSTER_GO = cd devcluster && CGO_ENABLED=0 $(GO)

# The version-control stamp would make each commit a new link of every binary; ours is the ldflag.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

.PHONY: build
build: bin/devcluster page ## bin/bowline with the page, and bin/devcluster
	@CGO_ENABLED=0 scripts/go-build . bin/bowline ./cmd/bowline -trimpath \
		-ldflags '-s -w -X github.com/bowline-cd/bowline/internal/app.version=$(VERSION)'

bin/devcluster: $(DEVCLUSTER_FILES)
	@CGO_ENABLED=0 scripts/go-build devcluster bin/devcluster . -trimpath -ldflags '$(DEVCLUSTER_LDFLAGS)'

# The page, which is embedded in the binary.
WEB_FILES := $(shell find web/src web/index.html web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)
.PHONY: page
page: web/dist/page/index.html

web/dist/page/index.html: web/node_modules/.package-lock.json $(WEB_FILES)
	@cd web && npx vite build --logLevel warn

# With the versions of the lock file and without install scripts.
web/node_modules/.package-lock.json: web/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20.19 or newer with npm" >&2; exit 1; }
	@echo "page: installing what it is built with …"
	@npm ci --prefix web --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# The command line of Argo CD, unmodified: stories prove with it that Bowline takes its place.
bin/argocd: test/argocd/go.mod test/argocd/go.sum
	@CGO_ENABLED=0 scripts/go-build test/argocd bin/argocd github.com/argoproj/argo-cd/v3/cmd -trimpath

.PHONY: help
help: ## lists these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

.PHONY: demo
demo: build ## from nothing to a synced application; DEMO_EXIT=1 ends after the narration
	@bin/bowline demo $(if $(DEMO_EXIT),--exit)

.PHONY: test
test: build bin/argocd need-for-tests ## all tests: unit, and stories against a real control plane
	CGO_ENABLED=1 $(GO) test -race -timeout 40m ./...
	$(DEVCLUSTER_GO) test -trimpath -timeout 10m ./...

.PHONY: check
check: fmt-check lint generated-check web-check test ## what .ci/run runs

.PHONY: screenshots
screenshots: build ## pictures of the page's main views, into docs/screenshots
	@scripts/need-for-browser
	$(GO) test -count=1 -timeout 20m ./test/page -run TestPictures -pictures $(CURDIR)/docs/screenshots

.PHONY: bench
bench: build ## the benchmarks, one line of JSON each
	@$(GO) run ./bench

.PHONY: soak
soak: build bin/argocd need-for-tests ## the full property, fault and conformance sets, then every fuzz target for FUZZTIME
	BOWLINE_SOAK=1 CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 6h -v ./...
	@grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do \
		grep -oE '^func Fuzz[A-Za-z0-9_]*' "$$file" | while read -r _ target; do \
			echo "fuzz $$target in $$(dirname "$$file")"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")"; \
		done; \
	done

.PHONY: generate
generate: web/node_modules/.package-lock.json ## deepcopy functions, CRDs and messages of the API, copies in deploy, the reference of commands, types of the page
	$(GO) generate ./api/... ./deploy/... ./internal/cli/...
	@mkdir -p bin && $(GO) run ./internal/server/transport/openapi/generate > bin/openapi.json
	cd web && npm run --silent generate

.PHONY: lint
lint: ## go vet and golangci-lint
	$(GO) vet ./...
	$(GO) run $(GOLANGCI) run ./...
	$(DEVCLUSTER_GO) vet -trimpath ./...

.PHONY: web-check
web-check: web/node_modules/.package-lock.json ## types, lint and unit tests of the page
	cd web && npx tsc --noEmit && npx biome ci . && npx vitest run

.PHONY: fmt
fmt: ## gofmt all Go files
	@gofmt -l -w $(GO_FILES)

.PHONY: fmt-check
fmt-check:
	@unformatted=$$(gofmt -l $(GO_FILES)); \
	if [[ -n $$unformatted ]]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi

# Compares the files themselves, so that work which is not committed yet is no failure.
.PHONY: generated-check
generated-check:
	@sums() { find api deploy docs/man docs/reference/cli web/src/api/schema.ts -type f -print0 | sort -z | xargs -0 sha256sum; }; \
	before=$$(sums); $(MAKE) --no-print-directory generate; after=$$(sums); \
	if [[ $$before != "$$after" ]]; then \
		diff <(echo "$$before") <(echo "$$after") || true; \
		echo "generated files were out of date and are mended now: commit them"; exit 1; fi

.PHONY: need-for-tests
need-for-tests:
	@scripts/need-for-tests
	@scripts/need-for-browser
