# A cluster of real processes under faults; included by the Makefile, which builds bin/olapd.

.PHONY: torture-cluster torture-cluster-short

FAULTS ?= 200
torture-cluster: bin/olapd ## FAULTS faults of three real processes under load
	$(GO) test ./test/torturecluster -count=1 -timeout 12h -server=$(CURDIR)/bin/olapd -faults $(FAULTS) -v

torture-cluster-short: bin/olapd ## the same, 8 faults or 40 s
	$(GO) test ./test/torturecluster -count=1 -timeout 20m -server=$(CURDIR)/bin/olapd -faults 8 -most 40s -v
