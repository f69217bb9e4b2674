# Benchmarks against ClickHouse and DuckDB; included by the Makefile. bench/README.md explains.

PEERS := .cache/peers
# chdb-core 26.7.3 is ClickHouse 26.7.2.1, the release whose behaviour olapd follows.
PEER_PACKAGES := chdb==4.3.0 chdb-core==26.7.3 duckdb==1.5.6

.PHONY: bench bench-full bench-peers

bench: bench-peers ## compare with the peers, 1 M rows of hits
	go run ./bench run --rows 1000000

bench-full: bench-peers ## compare with the peers, 10 M rows of hits
	go run ./bench run --rows 10000000

bench-peers: $(PEERS)/installed ## install the peers, into .cache

# --no-deps: pandas and pyarrow are only for results as data frames.
$(PEERS)/installed: bench/bench.mk
	python3 -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --no-deps $(PEER_PACKAGES)
	touch $@
