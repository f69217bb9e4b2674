# How much of ClickHouse's SQL surface runs; included by the Makefile, which builds bin/olapd.

.PHONY: surface surface-check surface-rewrite

surface: bin/olapd ## walk the lists of names, and all variants of calls; writes its sections of docs/compatibility.md
	go test ./test/surface -v -count=1 -server=$(CURDIR)/bin/olapd -write

surface-check: bin/olapd ## the same, without writing: what ran must go on running, and no new difference
	go test ./test/surface -count=1 -server=$(CURDIR)/bin/olapd

surface-rewrite: bench-peers ## take the goldens of the lists and of the variants from ClickHouse again
	go test ./test/surface -count=1 -rewrite
