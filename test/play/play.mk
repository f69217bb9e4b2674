# The play page in a real browser; included by the Makefile, which builds bin/olapd.

.PHONY: test-play

SHOTS ?=
test-play: bin/olapd ## the play page in a headless Chromium, if there is one; SHOTS=DIRECTORY keeps screenshots
	$(GO) test ./test/play -v -count=1 -timeout 10m -server=$(CURDIR)/bin/olapd $(if $(SHOTS),-shots=$(abspath $(SHOTS)))
