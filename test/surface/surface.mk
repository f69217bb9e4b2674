# How much of ClickHouse's SQL surface runs; included by the Makefile, which builds bin/olapd.

.PHONY: surface surface-short surface-rewrite

surface: bin/olapd ## walk the lists of names, and all variants of calls; writes its sections of docs/compatibility.md
	go test ./test/surface -v -count=1 -server=$(CURDIR)/bin/olapd -write

surface-short: bin/olapd ## the lists, and an eighth of the variants
	go test ./test/surface -count=1 -short -server=$(CURDIR)/bin/olapd

surface-rewrite: bench-peers ## take the goldens of the lists and of the variants from ClickHouse again
	go test ./test/surface -count=1 -rewrite
