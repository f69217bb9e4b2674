# Real clients against olapd; included by the Makefile, which builds bin/olapd.

.PHONY: test-clients test-clients-short test-grafana

test-clients: bin/olapd ## the clients that people have, and clickhouse-go's own tests; writes its section of docs/compatibility.md
	GO='$(GO)' test/clients/run.sh all

test-clients-short: bin/olapd ## the same without clickhouse-go's own tests
	GO='$(GO)' test/clients/run.sh short

test-grafana: bin/olapd ## what Grafana's ClickHouse datasource asks, and the dashboards of deploy/grafana
	$(GO) test ./deploy -count=1 -run 'Grafana|Dashboard|Expand'
	GO='$(GO)' test/clients/run.sh grafana
