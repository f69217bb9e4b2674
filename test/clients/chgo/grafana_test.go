package chgo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Grafana's ClickHouse datasource asks through clickhouse-go's database/sql, with these options and in these forms; the statements are
// those that its query builder, its schema browser and its macros make.

// grafana opens a connection as the datasource does: the native protocol with LZ4, or HTTP with gzip, and the setting "limit".
func grafana(t *testing.T, protocol clickhouse.Protocol) *sql.DB {
	t.Helper()
	o := &clickhouse.Options{
		Addr: []string{address(t, "OLAPD_NATIVE_PORT")}, Auth: clickhouse.Auth{Database: "default", Username: "default"},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4}, Protocol: protocol, DialTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		Settings: clickhouse.Settings{"limit": 10000},
	}
	o.ClientInfo.Products = append(o.ClientInfo.Products, struct{ Name, Version string }{"grafana", "12.2.0"}, struct{ Name, Version string }{"clickhouse-datasource", "4.11.0"})
	if protocol == clickhouse.HTTP {
		o.Addr = []string{address(t, "OLAPD_HTTP_PORT")}
		o.Compression.Method = clickhouse.CompressionGZIP
	}
	db := clickhouse.OpenDB(o)
	db.SetMaxIdleConns(25)
	db.SetMaxOpenConns(50)
	t.Cleanup(func() { check(t, db.Close()) })
	return db
}

// frame is a result as the datasource's frames take it: by the driver's types of the columns.
type frame struct {
	names, types []string
	rows         [][]any
}

func query(t *testing.T, db *sql.DB, ctx context.Context, text string) frame {
	t.Helper()
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	kinds, err := rows.ColumnTypes()
	check(t, err)
	var f frame
	for _, k := range kinds {
		f.names, f.types = append(f.names, k.Name()), append(f.types, k.DatabaseTypeName())
	}
	for rows.Next() {
		into := make([]any, len(kinds))
		for i, k := range kinds {
			into[i] = reflect.New(k.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for i := range into {
			into[i] = reflect.ValueOf(into[i]).Elem().Interface()
		}
		f.rows = append(f.rows, into)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

func TestGrafana(t *testing.T) {
	for _, protocol := range []clickhouse.Protocol{clickhouse.Native, clickhouse.HTTP} {
		t.Run(protocol.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			db := grafana(t, protocol)
			check(t, db.PingContext(ctx))
			for _, ddl := range []string{
				"DROP TABLE IF EXISTS gf_logs", "DROP TABLE IF EXISTS gf_traces", "DROP TABLE IF EXISTS gf_traces_trace_id_ts",
				`CREATE TABLE gf_logs (Timestamp DateTime64(9), TraceId String, SeverityText LowCardinality(String), ServiceName LowCardinality(String), Body String,
					ResourceAttributes Map(LowCardinality(String), String), LogAttributes Map(LowCardinality(String), String), n UInt64) ENGINE = MergeTree ORDER BY (ServiceName, Timestamp)`,
				`INSERT INTO gf_logs SELECT toDateTime64(1700000000, 9) + number, concat('t', toString(number % 3)), ['info', 'error'][number % 2 + 1], ['shop', 'cart'][number % 2 + 1],
					concat('line ', toString(number)), map('host.name', concat('h', toString(number % 2))), map('k', 'v'), number FROM numbers(100)`,
				`CREATE TABLE gf_traces (Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, SpanName LowCardinality(String), ServiceName LowCardinality(String),
					SpanAttributes Map(LowCardinality(String), String), ResourceAttributes Map(LowCardinality(String), String), Duration Int64, StatusCode LowCardinality(String), StatusMessage String,
					"Events.Timestamp" Array(DateTime64(9)), "Events.Name" Array(LowCardinality(String)), "Events.Attributes" Array(Map(LowCardinality(String), String)),
					"Links.TraceId" Array(String), "Links.SpanId" Array(String), "Links.TraceState" Array(String), "Links.Attributes" Array(Map(LowCardinality(String), String))) ENGINE = MergeTree ORDER BY (ServiceName, Timestamp)`,
				`INSERT INTO gf_traces VALUES (1700000000.5, 'abc', 's1', '', 'GET /', 'shop', map('http.method', 'GET'), map('host', 'h1'), 2500000, 'Error', 'boom', [1700000000.6], ['exception'], [map('type', 'oops')], ['other'], ['s9'], [''], [map('a', 'b')]),
					(1700000000.6, 'abc', 's2', 's1', 'SELECT', 'db', map(), map(), 1000000, 'Ok', '', [], [], [], [], [], [], [])`,
				"CREATE TABLE gf_traces_trace_id_ts (TraceId String, Start DateTime, End DateTime) ENGINE = MergeTree ORDER BY (TraceId, Start)",
				"INSERT INTO gf_traces_trace_id_ts VALUES ('abc', 1700000000, 1700000001)",
			} {
				_, err := db.ExecContext(ctx, ddl)
				check(t, err)
			}
			t.Run("schema", func(t *testing.T) { grafanaSchema(t, ctx, db) })
			t.Run("series", func(t *testing.T) { grafanaSeries(t, ctx, db) })
			t.Run("filters", func(t *testing.T) { grafanaFilters(t, ctx, db) })
			t.Run("logs", func(t *testing.T) { grafanaLogs(t, ctx, db) })
			t.Run("traces", func(t *testing.T) { grafanaTraces(t, ctx, db) })
			t.Run("types", func(t *testing.T) { grafanaTypes(t, ctx, db) })
			t.Run("errors", func(t *testing.T) {
				_, err := db.QueryContext(ctx, "SELECT * FROM gf_missing")
				var e *clickhouse.Exception
				if protocol == clickhouse.Native && (!errors.As(err, &e) || e.Code != 60) || err == nil || !strings.Contains(err.Error(), "gf_missing") {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

func grafanaSchema(t *testing.T, ctx context.Context, db *sql.DB) {
	var version string
	check(t, db.QueryRowContext(ctx, "SELECT version()").Scan(&version))
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d.", &major, &minor); err != nil || major < 23 {
		t.Errorf("version %q: the plugin leaves features out below 22.7", version)
	}
	for text, want := range map[string]string{
		"SHOW DATABASES": "default", `SHOW TABLES FROM "default"`: "gf_logs",
		"SELECT database, name FROM system.tables ORDER BY database, name":                                "default",
		`SELECT name FROM system.columns WHERE "database" = 'default' AND "table" = 'gf_logs'`:            "Body",
		"SELECT DISTINCT ServiceName FROM default.gf_logs SETTINGS max_execution_time=10":                 "shop",
		`SELECT DISTINCT arrayJoin(mapKeys("LogAttributes")) as keys FROM "default"."gf_logs" LIMIT 1000`: "k",
		"SELECT value FROM system.settings WHERE name='readonly'":                                         "0",
	} {
		f := query(t, db, ctx, text)
		if !slices.ContainsFunc(f.rows, func(r []any) bool { return r[0] == want }) {
			t.Errorf("%s: no %q in %v", text, want, f.rows)
		}
	}
	if f := query(t, db, ctx, `DESC TABLE "default"."gf_logs"`); len(f.names) != 7 || len(f.rows) != 8 {
		t.Errorf("DESC TABLE: %d columns, %d rows", len(f.names), len(f.rows))
	}
	if f := query(t, db, ctx, "SELECT name, type, table FROM system.columns WHERE database IN ('default')"); len(f.rows) == 0 {
		t.Error("no columns for ad-hoc filters")
	}
	if f := query(t, db, ctx, `SELECT database, table, name, type, comment FROM system.columns WHERE (database, table) IN (('default', 'gf_logs')) OR (database = currentDatabase() AND table IN ('gf_traces')) ORDER BY database, table, position`); len(f.rows) != 26 {
		t.Errorf("%d columns", len(f.rows))
	}
	if f := query(t, db, ctx, "SELECT name, is_aggregate, case_insensitive, alias_to, origin, description, syntax, arguments, returned_value, examples, categories FROM system.functions LIMIT 10000"); len(f.rows) < 500 {
		t.Errorf("%d functions", len(f.rows))
	}
	if f := query(t, db, ctx, "SELECT cluster, shard_num, replica_num, host_name, host_address, port, is_local, errors_count, slowdowns_count FROM system.clusters;\n"); len(f.names) != 9 {
		t.Errorf("clusters: %v", f.names)
	}
}

func grafanaSeries(t *testing.T, ctx context.Context, db *sql.DB) {
	f := query(t, db, ctx, `SELECT toStartOfInterval(toDateTime(Timestamp), INTERVAL 10 second) as "time", ServiceName, count(*) as c FROM "default"."gf_logs"
		WHERE ( time >= toDateTime(1700000000) AND time <= toDateTime(1700000099) ) GROUP BY ServiceName, time ORDER BY time ASC LIMIT 1000`)
	if _, ok := f.rows[0][0].(time.Time); !ok || len(f.rows) != 20 || f.rows[0][2] != uint64(5) {
		t.Errorf("%d rows, first %v", len(f.rows), f.rows[0])
	}
	f = query(t, db, ctx, `SELECT toStartOfInterval(toDateTime64(Timestamp, 3), INTERVAL 500 millisecond) AS t, avg(n) FROM gf_logs
		WHERE Timestamp >= fromUnixTimestamp64Milli(1700000000000) AND Timestamp <= fromUnixTimestamp64Milli(1700000009999) GROUP BY t ORDER BY t`)
	if f.types[0] != "DateTime64(3)" && !strings.HasPrefix(f.types[0], "DateTime64(3,") || len(f.rows) != 10 {
		t.Errorf("%v, %d rows", f.types, len(f.rows))
	}
	f = query(t, db, ctx, "SELECT count() FROM gf_logs WHERE (toDate(Timestamp) >= toDate('2023-11-14') AND toDate(Timestamp) <= toDate('2023-11-15')) AND (Timestamp >= toDateTime(1700000000) AND Timestamp <= toDateTime(1700000004))")
	if f.rows[0][0] != uint64(5) {
		t.Errorf("dateTimeFilter: %v", f.rows)
	}
	zone, err := time.LoadLocation("America/New_York")
	check(t, err)
	at := query(t, db, clickhouse.Context(ctx, clickhouse.WithUserLocation(zone)), "SELECT toDateTime(1700000000)").rows[0][0].(time.Time)
	if at.Unix() != 1700000000 {
		t.Errorf("with the user's time zone: %v", at)
	}
}

func grafanaFilters(t *testing.T, ctx context.Context, db *sql.DB) {
	for text, want := range map[string]uint64{
		`SELECT count() FROM default.gf_logs settings additional_table_filters={'default.gf_logs' : ' ServiceName = \'shop\' '}`:               50,
		`SELECT count() FROM gf_logs settings additional_table_filters={'gf_logs' : ' ServiceName = \'shop\' AND SeverityText != \'error\' '}`: 50,
		`SELECT count() FROM gf_logs settings additional_table_filters={'gf_logs' : ' LogAttributes[\'k\'] = \'v\' AND n > 89 '}`:              10,
		`SELECT count() FROM gf_logs settings additional_table_filters={'gf_logs' : ' Body ILIKE \'%LINE 9%\' '}`:                              11,
		`SELECT count() FROM gf_logs WHERE 1=1 AND ServiceName IN ('shop','cart')`:                                                             100,
		`SELECT count() FROM gf_logs WHERE multiSearchAny(Body, ['line 1', 'nothing'])`:                                                        11,
		`SELECT count() FROM gf_logs WHERE mapContains(ResourceAttributes, 'host.name') AND ResourceAttributes['host.name'] = 'h1'`:            50,
	} {
		if f := query(t, db, ctx, text); f.rows[0][0] != want {
			t.Errorf("%s: %v, want %d", text, f.rows[0][0], want)
		}
	}
}

func grafanaLogs(t *testing.T, ctx context.Context, db *sql.DB) {
	f := query(t, db, ctx, `SELECT Timestamp as "timestamp", Body as "body", SeverityText as "level", LogAttributes as "labels", TraceId as "traceID" FROM "default"."gf_logs"
		WHERE ( timestamp >= toDateTime(1700000000) AND timestamp <= toDateTime(1700000099) ) AND ( level = 'error' ) AND ( body LIKE '%line%' ) ORDER BY timestamp DESC LIMIT 1000`)
	if len(f.rows) != 50 || f.rows[0][1] != "line 99" || f.names[3] != "labels" {
		t.Errorf("%v: %d rows, first %v", f.names, len(f.rows), f.rows[0])
	}
	f = query(t, db, ctx, `SELECT toStartOfInterval("Timestamp", INTERVAL 20 SECOND) AS "time", sum(multiSearchAny(lower("SeverityText"), ['error','err'])) AS error, sum(multiSearchAny(lower("SeverityText"), ['info'])) AS info
		FROM "default"."gf_logs" WHERE "Timestamp" >= toDateTime(1700000000) GROUP BY time ORDER BY time ASC`)
	if len(f.rows) != 5 && len(f.rows) != 6 {
		t.Errorf("volume: %v", f.rows)
	}
}

func grafanaTraces(t *testing.T, ctx context.Context, db *sql.DB) {
	f := query(t, db, ctx, `WITH 'abc' as trace_id, (SELECT min(Start) FROM "default"."gf_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_start,
		(SELECT max(End) + 1 FROM "default"."gf_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_end
		SELECT "TraceId" as traceID, "SpanId" as spanID, "ParentSpanId" as parentSpanID, "ServiceName" as serviceName, "SpanName" as operationName,
		multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) as startTime, multiply("Duration", 0.000001) as duration,
		arrayMap(key -> map('key', key, 'value',"SpanAttributes"[key]), mapKeys("SpanAttributes")) as tags,
		arrayMap(key -> map('key', key, 'value',"ResourceAttributes"[key]), mapKeys("ResourceAttributes")) as serviceTags,
		if("StatusCode" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) as statusCode,
		arrayMap((name, timestamp, attributes) -> tuple(name, toString(toUnixTimestamp64Milli(timestamp)), arrayMap( key -> map('key', key, 'value', attributes[key]), mapKeys(attributes)))::Tuple(name String, timestamp String, fields Array(Map(String, String))), "Events".Name, "Events".Timestamp, "Events".Attributes) AS logs,
		arrayMap((traceID, spanID, attributes) -> tuple(traceID, spanID, arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes)))::Tuple(traceID String, spanID String, tags Array(Map(String, String))), "Links".TraceId, "Links".SpanId, "Links".Attributes) AS references,
		"StatusMessage" as statusMessage
		FROM "default"."gf_traces" WHERE traceID = trace_id AND "Timestamp" >= trace_start AND "Timestamp" <= trace_end LIMIT 1000`)
	if len(f.rows) != 2 || f.names[7] != "tags" {
		t.Fatalf("%d spans: %v", len(f.rows), f.names)
	}
	for _, r := range f.rows {
		if r[1] == "s1" && (r[6] != 2.5 || !strings.Contains(fmt.Sprint(r[7]), "http.method") || !strings.Contains(fmt.Sprint(r[10]), "exception") || !strings.Contains(fmt.Sprint(r[11]), "s9")) {
			t.Errorf("span %v", r)
		}
	}
	f = query(t, db, ctx, `SELECT "TraceId" as traceID, "ServiceName" as serviceName, "SpanName" as operationName, "Timestamp" as startTime, multiply("Duration", 0.000001) as duration FROM "default"."gf_traces"
		WHERE ( startTime >= toDateTime(1700000000) AND startTime <= toDateTime(1700000099) ) AND ( ParentSpanId = '' ) AND ( duration > 0 ) ORDER BY startTime DESC, duration DESC LIMIT 1000`)
	if len(f.rows) != 1 || f.rows[0][4] != 2.5 {
		t.Errorf("search: %v", f.rows)
	}
}

// grafanaTypes scans every kind of column by the type that the driver says it has.
func grafanaTypes(t *testing.T, ctx context.Context, db *sql.DB) {
	f := query(t, db, ctx, `SELECT true, toInt8(1), toUInt64(1), toInt128(1), toFloat32(1.5), toNullable(1.5), NULL::Nullable(Int32), toDecimal64(1.25, 2), toNullable(toDecimal64(1, 2)), 'x', toFixedString('ab', 2),
		toLowCardinality('x'), toNullable('x'), toDate('2023-11-14'), toDate32('2023-11-14'), toDateTime(1700000000, 'Europe/Berlin'), toNullable(toDateTime(1)), toDateTime64('2023-11-14 22:13:20.123456', 6, 'UTC'), toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'),
		toIPv4('127.0.0.1'), toIPv6('::1'), CAST('a', 'Enum8(\'a\' = 1)'), [1, 2], [[1], []], ['x', NULL], map('a', 1), (1, 'x'), [(1, 'x')], CAST((1, 'x'), 'Tuple(a UInt8, b String)')`)
	if len(f.rows) != 1 || len(f.rows[0]) != 29 {
		t.Errorf("%d columns", len(f.names))
	}
}
