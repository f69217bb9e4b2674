# A cluster of real processes under faults; included by the Makefile, which builds bin/olapd.

.PHONY: torture-cluster torture-cluster-short test-upgrade

FAULTS ?= 200
torture-cluster: bin/olapd ## FAULTS faults of three real processes under load
	$(GO) test ./test/torturecluster -count=1 -timeout 12h -server=$(CURDIR)/bin/olapd -faults $(FAULTS) -v

torture-cluster-short: bin/olapd ## the same, 8 faults or 40 s
	$(GO) test ./test/torturecluster -count=1 -timeout 20m -server=$(CURDIR)/bin/olapd -faults 8 -most 40s -v

# OLD is the last commit of feature level 0: builds from before there were levels.
OLD ?= 70d2dc04
OLD_BUILD = .cache/builds/olapd-$(OLD)

$(OLD_BUILD):
	rm -rf $@.src && mkdir -p $@.src
	git archive $(OLD) | tar -x -C $@.src
	cd $@.src && CGO_ENABLED=0 $(GO) build -trimpath -o ../$(notdir $@) ./cmd/olapd
	rm -rf $@.src

test-upgrade: bin/olapd $(OLD_BUILD) ## from the build of commit OLD to this one, node by node, under load
	$(GO) test ./test/torturecluster -count=1 -timeout 20m -run TestUpgrade -server=$(CURDIR)/bin/olapd -old=$(CURDIR)/$(OLD_BUILD) -v
