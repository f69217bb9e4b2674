# Differential tests; included by the Makefile, which builds bin/olapd.

.PHONY: test-diff test-diff-random test-diff-short test-diff-rewrite

test-diff: bin/olapd bench-peers ## olapd against ClickHouse: the corpus and random statements
	go test ./test/diff -v -count=1 -server=$(CURDIR)/bin/olapd

test-diff-short: bin/olapd ## the same against the goldens only: no peer, under a minute
	go test ./test/diff -v -count=1 -short -server=$(CURDIR)/bin/olapd

test-diff-rewrite: bench-peers ## take the goldens from ClickHouse again
	go test ./test/diff -count=1 -run 'TestCorpus|TestRandomGolden' -rewrite

N ?= 10
SEED ?= 1
test-diff-random: bin/olapd bench-peers ## N seeds of random queries over all types, from SEED on
	go test ./test/diff -v -count=1 -run TestSurface -server=$(CURDIR)/bin/olapd -seeds=$(N) -seed=$(SEED)
