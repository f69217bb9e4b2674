# Differential tests; included by the Makefile, which builds bin/olapd.

.PHONY: test-diff test-diff-short test-diff-rewrite

test-diff: bin/olapd bench-peers ## olapd against ClickHouse: the corpus and random statements
	go test ./test/diff -v -count=1 -server=$(CURDIR)/bin/olapd

test-diff-short: bin/olapd ## the same against the goldens only: no peer, under a minute
	go test ./test/diff -v -count=1 -short -server=$(CURDIR)/bin/olapd

test-diff-rewrite: bench-peers ## take the goldens from ClickHouse again
	go test ./test/diff -count=1 -run 'TestCorpus|TestRandomGolden' -rewrite
