package demo

import "fmt"

// schema returns the statements that make the demo's tables. All of them may be run again.
func schema(kafka string) []string {
	return []string{`
CREATE TABLE IF NOT EXISTS events (
    time       DateTime64(3, 'UTC'),
    event      LowCardinality(String),
    user_id    UInt64,
    session_id UUID,
    url        String,
    referer    String,
    country    LowCardinality(String),
    device     LowCardinality(String),
    browser    LowCardinality(String),
    status     UInt16,
    latency_ms UInt32,
    revenue    Decimal(12, 2),
    _partition UInt64,
    _offset    UInt64
) ENGINE = MergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (time, user_id)
TTL toDateTime(time) + INTERVAL 7 DAY`, `
CREATE MATERIALIZED VIEW IF NOT EXISTS events_by_minute
ENGINE = SummingMergeTree
ORDER BY (minute, country, device)
AS SELECT toStartOfMinute(time) AS minute, country, device,
    count() AS events, sum(revenue) AS revenue, countIf(status >= 500) AS errors
FROM events GROUP BY minute, country, device`, `
CREATE MATERIALIZED VIEW IF NOT EXISTS pages_by_hour
ENGINE = AggregatingMergeTree
ORDER BY (hour, url)
AS SELECT toStartOfHour(time) AS hour, url,
    countState() AS views, uniqState(user_id) AS users, quantilesState(0.5, 0.99)(latency_ms) AS latency
FROM events GROUP BY hour, url`, fmt.Sprintf(`
CREATE TABLE IF NOT EXISTS events_queue (
    time       DateTime64(3, 'UTC'),
    event      LowCardinality(String),
    user_id    UInt64,
    session_id UUID,
    url        String,
    referer    String,
    country    LowCardinality(String),
    device     LowCardinality(String),
    browser    LowCardinality(String),
    status     UInt16,
    latency_ms UInt32,
    revenue    Decimal(12, 2)
) ENGINE = Kafka
SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s', kafka_group_name = 'olapd-demo', kafka_format = 'JSONEachRow'`, kafka, topic), `
CREATE MATERIALIZED VIEW IF NOT EXISTS events_mv TO events
AS SELECT *, _partition, _offset FROM events_queue`}
}

// question is a query worth showing.
type question struct{ title, sql string }

// questions are asked in turn. Each returns one row of text.
var questions = []question{
	{"visitors of the last minute", `SELECT toString(uniq(user_id)) FROM events WHERE time >= now() - INTERVAL 1 MINUTE`},
	{"top product of 10 minutes", `SELECT concat(url, ' (', toString(count()), ')') FROM events
WHERE time >= now() - INTERVAL 10 MINUTE AND url LIKE '%/product/%' GROUP BY url ORDER BY count() DESC, url LIMIT 1`},
	{"best country by revenue", `SELECT concat(country, ' ', toString(sum(revenue))) FROM events_by_minute
GROUP BY country ORDER BY sum(revenue) DESC, country LIMIT 1`},
	{"p99 latency of searches, ms", `SELECT toString(round(quantile(0.99)(latency_ms))) FROM events
WHERE time >= now() - INTERVAL 10 MINUTE AND event = 'search'`},
	{"most visited page, from its rollup", `SELECT concat(url, ' (', toString(uniqMerge(users)), ' visitors)') FROM pages_by_hour
GROUP BY url ORDER BY countMerge(views) DESC, url LIMIT 1`},
}
