package torturecluster

import (
	"fmt"
	"strings"
)

const (
	topic      = "torture"
	partitions = 4
)

// spreads are the two ways that rows find their shards: by partition or token, and by a sharding key.
var spreads = []struct{ name, events, inserts string }{
	{"plain", "", ""},
	{"keyed", " SETTINGS sharding_key = 'id'", " SETTINGS sharding_key = 'i'"},
}

// schema returns the statements that make the tables.
func schema(broker string) []string {
	out := []string{
		`CREATE TABLE registers (k UInt64, v UInt8) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'`,
		`CREATE TABLE altered (a UInt8) ENGINE = MergeTree ORDER BY a`,
	}
	for _, s := range spreads {
		for _, sql := range []string{
			`CREATE TABLE events_%s (id UInt64, kind LowCardinality(String), amount Int64, p UInt64, o Int64) ENGINE = MergeTree ORDER BY (kind, id)` + s.events,
			`CREATE MATERIALIZED VIEW kinds_%s ENGINE = SummingMergeTree ORDER BY kind AS SELECT kind, count() AS n, sum(amount) AS total FROM events_%s GROUP BY kind`,
			`CREATE TABLE queue_%s (id UInt64, kind String, amount Int64) ENGINE = Kafka('` + broker + `', '` + topic + `', 'torture_%s', 'JSONEachRow') SETTINGS kafka_flush_interval_ms = 100`,
			`CREATE MATERIALIZED VIEW feed_%s TO events_%s AS SELECT id, kind, amount, _partition AS p, toInt64(_offset) AS o FROM queue_%s`,
			`CREATE TABLE inserts_%s (token String, i UInt32, v Int64, pad String) ENGINE = MergeTree ORDER BY (token, i)` + s.inserts,
			`CREATE MATERIALIZED VIEW tokens_%s ENGINE = SummingMergeTree ORDER BY token AS SELECT token, count() AS n, sum(v) AS total FROM inserts_%s GROUP BY token`,
		} {
			out = append(out, strings.ReplaceAll(sql, "%s", s.name))
		}
	}
	return out
}

// rollups are queries that return what base tables and their rollups disagree about: nothing.
var rollups = []string{
	`SELECT w, kind, n, total FROM (
    SELECT 'base' AS w, toString(kind) AS kind, count() AS n, sum(amount) AS total FROM events_%s GROUP BY kind
    UNION ALL SELECT 'rollup', toString(kind), sum(n), sum(total) FROM kinds_%s GROUP BY kind)
ORDER BY kind, w`,
	`SELECT w, token, n, total FROM (
    SELECT 'base' AS w, token, count() AS n, sum(v) AS total FROM inserts_%s GROUP BY token
    UNION ALL SELECT 'rollup', token, sum(n), sum(total) FROM tokens_%s GROUP BY token)
ORDER BY token, w`,
}

func eventsSQL(spread string) string {
	return fmt.Sprintf("SELECT p, count(), uniqExact(o), min(o), max(o) FROM events_%s GROUP BY p ORDER BY p", spread)
}

func insertsSQL(spread string) string {
	return fmt.Sprintf("SELECT token, count(), sum(v), uniqExact(i) FROM inserts_%s GROUP BY token", spread)
}

const schemaSQL = `SELECT name, create_table_query FROM system.tables WHERE database = 'default' ORDER BY name`
