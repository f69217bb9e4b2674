package torture

import "fmt"

const partitions = 3

// names are the topics: new ones in every run, since a real broker keeps the old.
type names struct{ clean, mixed string }

// schema returns the statements that make the tables.
func schema(kafka string, n names) []string {
	queue := func(table, topic string) string {
		return fmt.Sprintf(`CREATE TABLE %s (id UInt64, user UInt32, kind LowCardinality(String), amount Int64, ts DateTime('UTC'))
ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s', kafka_group_name = '%s', kafka_format = 'JSONEachRow'`,
			table, kafka, topic, topic)
	}
	return []string{
		`CREATE TABLE events (id UInt64, user UInt32, kind LowCardinality(String), amount Int64, ts DateTime('UTC'), p UInt64, o Int64)
ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY (kind, user, id)`,
		`CREATE MATERIALIZED VIEW by_second ENGINE = SummingMergeTree ORDER BY (second, kind)
AS SELECT ts AS second, kind, count() AS n, sum(amount) AS total FROM events GROUP BY second, kind`,
		`CREATE MATERIALIZED VIEW by_kind ENGINE = SummingMergeTree ORDER BY kind
AS SELECT kind, sum(n) AS n, sum(total) AS total FROM by_second GROUP BY kind`,
		`CREATE MATERIALIZED VIEW by_user ENGINE = AggregatingMergeTree ORDER BY bucket
AS SELECT user % 50 AS bucket, countState() AS n, sumState(amount) AS total, minState(id) AS first, maxState(id) AS last,
    uniqExactState(kind) AS kinds FROM events GROUP BY bucket`,
		queue("queue", n.clean),
		`CREATE MATERIALIZED VIEW queue_mv TO events AS SELECT id, user, kind, amount, ts, _partition AS p, toInt64(_offset) AS o FROM queue`,

		`CREATE TABLE mixed (id UInt64, p UInt64, o Int64) ENGINE = MergeTree ORDER BY id`,
		queue("mixed_queue", n.mixed),
		`CREATE MATERIALIZED VIEW mixed_mv TO mixed AS SELECT id, _partition AS p, toInt64(_offset) AS o FROM mixed_queue`,

		`CREATE TABLE inserts (token String, i UInt32, v Int64, pad String) ENGINE = MergeTree ORDER BY (token, i)`,
		`CREATE MATERIALIZED VIEW inserts_by_token ENGINE = SummingMergeTree ORDER BY token
AS SELECT token, count() AS n, sum(v) AS total FROM inserts GROUP BY token`,
	}
}

// pair is a rollup and the same query over its base table.
type pair struct{ name, base, rollup string }

var pairs = []pair{
	{"by_second",
		`SELECT toString(ts) AS a, toString(kind) AS b, count() AS c, sum(amount) AS d, '' AS e FROM events GROUP BY ts, kind`,
		`SELECT toString(second), toString(kind), sum(n), sum(total), '' FROM by_second GROUP BY second, kind`},
	{"by_kind",
		`SELECT toString(kind) AS a, '' AS b, count() AS c, sum(amount) AS d, '' AS e FROM events GROUP BY kind`,
		`SELECT toString(kind), '', sum(n), sum(total), '' FROM by_kind GROUP BY kind`},
	{"by_user",
		`SELECT toString(user % 50) AS a, toString(uniqExact(kind)) AS b, count() AS c, sum(amount) AS d, concat(toString(min(id)), ' ', toString(max(id))) AS e FROM events GROUP BY user % 50`,
		`SELECT toString(bucket), toString(uniqExactMerge(kinds)), countMerge(n), sumMerge(total), concat(toString(minMerge(first)), ' ', toString(maxMerge(last))) FROM by_user GROUP BY bucket`},
	{"inserts_by_token",
		`SELECT token AS a, '' AS b, count() AS c, sum(v) AS d, '' AS e FROM inserts WHERE token >= '%s' GROUP BY token`,
		`SELECT token, '', sum(n), sum(total), '' FROM inserts_by_token WHERE token >= '%s' GROUP BY token`},
}
