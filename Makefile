# olapd: `make demo` shows it at work, `make test` passes the tests; `make help` lists the rest.

GO ?= go

.PHONY: all build demo cluster test test-race torture torture-short sim sim-notice fuzz fmt vet clean help

all: build

build: bin/olapd ## the one static binary

bin/olapd: FORCE
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./cmd/olapd

.PHONY: FORCE
FORCE:

demo: bin/olapd ## a node, a broker and a stream of events, to try out
	bin/olapd demo

cluster: bin/olapd ## three nodes, two shards of three replicas, a broker and a stream of events, to try out
	bin/olapd demo --nodes 3 --data data/cluster

test: vet bin/olapd ## what a change must pass: unit, golden, crash, simulation, differential and torture tests, short
	$(GO) test ./...
	$(GO) test -tags invariants ./internal/column ./segment/page ./query/exec/... ./query/build # memory used again is poisoned
	$(GO) test -tags invariants ./internal/node -skip Simulat # simulations have run
	$(MAKE) test-diff-short
	$(MAKE) surface-check
	$(MAKE) torture-short
	$(MAKE) torture-cluster-short
	$(MAKE) sim

test-race: ## the concurrent packages under the race detector, with assertions
	$(GO) test -race -tags invariants ./internal/... ./segment/... ./mergetree/... ./cluster/... ./ingest/... ./query/... ./server/...

torture: bin/olapd ## 1,000 kills of a real process under load
	$(GO) test ./test/torture -count=1 -timeout 6h -server=$(CURDIR)/bin/olapd -kills 1000 -v

torture-short: bin/olapd ## 30 kills
	$(GO) test ./test/torture -count=1 -timeout 20m -server=$(CURDIR)/bin/olapd -kills 30 -v

SIM ?= 1h
sim: ## SIM of virtual time of simulated clusters, each a few minutes long; SEED is the first one's
	GOGC=2000 $(GO) test ./internal/node -count=1 -timeout 24h -run 'TestSimulatedCluster' -sim $(SIM) -sim.seed $(or $(SEED),1) -v

sim-notice: ## the simulation without each of its fences, which it must notice within RUNS runs
	$(GO) test ./internal/node -count=1 -timeout 6h -run 'TestSimulationNotices' -sim.notice $(or $(RUNS),40) -v

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME each
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "== $$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) || exit 1; \
	  done; \
	done

vet: ## gofmt and go vet
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	$(GO) vet ./...

fmt: ## gofmt
	gofmt -w $$(git ls-files '*.go')

clean:
	rm -rf bin .cache

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

-include bench/bench.mk test/diff/diff.mk test/kafka/kafka.mk test/clients/clients.mk test/play/play.mk test/surface/surface.mk test/torturecluster/torturecluster.mk
