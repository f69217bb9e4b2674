# Benchmarks against ClickHouse and DuckDB; included by the Makefile. bench/README.md explains.

PEERS := .cache/peers
# chdb-core 26.7.3 is ClickHouse 26.7.2.1, the release whose behaviour olapd follows.
PEER_PACKAGES := chdb==4.3.0 chdb-core==26.7.3 duckdb==1.5.6
# Named after the versions, so that others are installed when these change.
PEERS_INSTALLED := $(PEERS)/installed$(subst ==,-,$(patsubst %,+%,$(PEER_PACKAGES)))
PEERS_INSTALLED := $(subst $() ,,$(PEERS_INSTALLED))
BENCH := $(GO) run ./bench
# More flags for all commands, such as --dir on another disk: ten million rows need 25 GB.
BENCH_FLAGS ?=

.PHONY: bench bench-full bench-hits bench-ssb bench-keys bench-load bench-insert bench-kafka bench-clients bench-memory bench-profile bench-growth bench-scale bench-report bench-peers

bench: bench-peers bin/olapd ## compare with the peers on 1 M rows of hits, in minutes
	$(BENCH) run --rows 1000000 $(BENCH_FLAGS)
	$(BENCH) report

# The binary is built once (-o): it notes whether files have changed, and results are files.
# One after the other, and what fails does not keep the next from running. Those that need the ten million rows loaded find
# them as bench-hits left them.
bench-full: bench-peers bin/olapd ## every comparison: 10 M rows of hits, Star Schema, many keys, load, INSERT, clients, memory, profile
	-$(MAKE) -o bin/olapd bench-hits
	-$(MAKE) -o bin/olapd bench-clients
	-$(MAKE) -o bin/olapd bench-memory
	-$(MAKE) -o bin/olapd bench-ssb
	-$(MAKE) -o bin/olapd bench-keys
	-$(MAKE) -o bin/olapd bench-load
	-$(MAKE) -o bin/olapd bench-insert
	-$(MAKE) -o bin/olapd bench-kafka
	-$(MAKE) -o bin/olapd bench-profile
	$(BENCH) report

bench-hits: bench-peers bin/olapd ## 43 queries over 10 M rows of hits
	$(BENCH) run --suite hits --rows 10000000 --runs 4 $(BENCH_FLAGS)

bench-ssb: bench-peers bin/olapd ## 13 queries over 6 M rows of the Star Schema Benchmark
	$(BENCH) run --suite ssb --rows 6000000 $(BENCH_FLAGS)

bench-keys: bench-peers bin/olapd ## 12 queries over 5 M rows of keys with many distinct values
	$(BENCH) run --suite keys --rows 5000000 $(BENCH_FLAGS)

bench-load: bench-peers bin/olapd ## load from TSV and from Parquet
	$(BENCH) load --suite hits --rows 1000000 $(BENCH_FLAGS)
	$(BENCH) load --suite ssb --rows 6000000 --runs 1 $(BENCH_FLAGS)

bench-insert: bench-peers bin/olapd ## JSONEachRow INSERTs in batches
	$(BENCH) insert $(BENCH_FLAGS)

bench-kafka: bin/olapd ## JSONEachRow from a broker into a table with a rollup
	$(BENCH) kafka $(BENCH_FLAGS)
	$(BENCH) kafka --rate 100000 $(BENCH_FLAGS)

bench-clients: bench-peers bin/olapd ## 100 clients of a dashboard
	$(BENCH) clients $(BENCH_FLAGS)

bench-memory: bench-peers bin/olapd ## a GROUP BY of ten million groups under memory limits
	$(BENCH) memory $(BENCH_FLAGS)

bench-profile: bin/olapd ## where olapd's CPU time goes
	$(BENCH) profile $(BENCH_FLAGS)

bench-growth: bin/olapd ## 1, 10 and 50 M rows of hits in olapd
	$(BENCH) growth $(BENCH_FLAGS)

bench-scale: bin/olapd ## a table on 1, 2 and 3 nodes, and 64 idle groups
	$(BENCH) scale $(BENCH_FLAGS)

bench-report: ## the tables of README.md and docs/benchmarks.md, from bench/results
	$(BENCH) report

bench-peers: $(PEERS_INSTALLED) ## install the peers, into .cache

# --no-deps: pandas and pyarrow are only for results as data frames.
$(PEERS_INSTALLED):
	python3 -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --no-deps $(PEER_PACKAGES)
	touch $@
