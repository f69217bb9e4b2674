package define

import (
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/settings"
)

// Engine describes a table engine for system.table_engines.
type Engine struct {
	Name                                        string
	Settings, Indexes, SortOrder, TTL, Replicas bool
	Doc                                         string
}

// Engines are those that can be created.
var Engines = []Engine{
	{"MergeTree", true, true, true, true, false, "Keeps all rows, sorted by ORDER BY."},
	{"ReplacingMergeTree", true, true, true, true, false, "Keeps the newest row of each sort key."},
	{"SummingMergeTree", true, true, true, true, false, "Adds up the numeric columns of rows of one sort key."},
	{"AggregatingMergeTree", true, true, true, true, false, "Merges the aggregate states of rows of one sort key."},
	{"ReplicatedMergeTree", true, true, true, true, true, "Is MergeTree: every table is replicated as its shard is."},
	{"ReplicatedReplacingMergeTree", true, true, true, true, true, "Is ReplacingMergeTree."},
	{"ReplicatedSummingMergeTree", true, true, true, true, true, "Is SummingMergeTree."},
	{"ReplicatedAggregatingMergeTree", true, true, true, true, true, "Is AggregatingMergeTree."},
	{"SharedMergeTree", true, true, true, true, true, "Is MergeTree."},
	{"SharedReplacingMergeTree", true, true, true, true, true, "Is ReplacingMergeTree."},
	{"SharedSummingMergeTree", true, true, true, true, true, "Is SummingMergeTree."},
	{"SharedAggregatingMergeTree", true, true, true, true, true, "Is AggregatingMergeTree."},
	{"Log", false, false, false, false, false, "Keeps all rows, unsorted."},
	{"TinyLog", false, false, false, false, false, "Is Log."},
	{"StripeLog", false, false, false, false, false, "Is Log."},
	{"Memory", true, false, false, false, false, "Keeps rows in memory (and in the log)."},
	{"Null", false, false, false, false, false, "Keeps nothing; materialized views over it see what is inserted."},
	{"Kafka", true, false, false, false, false, "Reads a Kafka topic; materialized views over it receive the rows, exactly once."},
	{"S3", false, false, false, false, false, "Has the rows of objects of S3, as the table function s3 reads and writes them."},
	{"URL", false, false, false, false, false, "Has the rows that a web server answers, as the table function url reads and writes them."},
	{"View", false, false, false, false, false, "Is a stored SELECT."},
	{"MaterializedView", false, false, false, false, false, "Is a rollup: rows derived from those of another table, in the same commit."},
}

// known are engines of ClickHouse that olapd lacks.
var known = strings.Fields(`CollapsingMergeTree VersionedCollapsingMergeTree GraphiteMergeTree CoalescingMergeTree Distributed Buffer Merge
	Dictionary File S3Queue Set Join EmbeddedRocksDB MySQL PostgreSQL MongoDB Redis SQLite ODBC JDBC HDFS Hive RabbitMQ NATS
	GenerateRandom KeeperMap LiveView WindowView Executable ExecutablePool Iceberg DeltaLake Hudi AzureBlobStorage AzureQueue TimeSeries
	MaterializedPostgreSQL Loop Alias FileLog`)

// checkEngine returns the error of an engine that cannot be created.
func checkEngine(e *ast.Engine) error {
	if slices.ContainsFunc(Engines[:len(Engines)-2], func(x Engine) bool { return x.Name == e.Name }) {
		return nil
	}
	base := strings.TrimPrefix(strings.TrimPrefix(e.Name, "Replicated"), "Shared")
	if slices.Contains(known, e.Name) || slices.Contains(known, base) {
		return sqlerr.At(e.Start, sqlerr.NotImplemented, "Table engine %s is not implemented", e.Name)
	}
	return sqlerr.At(e.Start, sqlerr.UnknownStorage, "Unknown table engine %s", e.Name)
}

// IsMergeTree reports whether rows of the table are stored in sorted segments with keys.
func IsMergeTree(t *catalog.Table) bool { return strings.HasSuffix(t.Engine, "MergeTree") }

// EngineArgs returns the arguments of a table's engine as SQL, without the path and the replica's name of Replicated engines.
func EngineArgs(t *catalog.Table) []string {
	args := t.EngineArgs
	if t.BaseEngine() == t.Engine {
		return args
	}
	for n := 0; n < 2 && len(args) > 0 && strings.HasPrefix(args[0], "'"); n++ {
		args = args[1:]
	}
	return args
}

// EngineColumns returns the columns that an engine's arguments name: the version and the flag of deleted rows, the columns to add up.
func EngineColumns(t *catalog.Table) []string {
	var out []string
	for _, a := range EngineArgs(t) {
		a = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(a, "tuple"), "("), ")")
		for c := range strings.SplitSeq(a, ",") {
			if c = strings.Trim(strings.TrimSpace(c), "`\""); c != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

// checkEngineArgs checks the columns that an engine's arguments name.
func checkEngineArgs(t *catalog.Table) error {
	cols := EngineColumns(t)
	most, what := 0, ""
	switch t.BaseEngine() {
	case "ReplacingMergeTree":
		most, what = 2, "Version column"
	case "SummingMergeTree":
		most, what = len(t.Columns), "Column"
	}
	if IsMergeTree(t) && len(cols) > most {
		return sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "With extended storage definition syntax storage %s requires at most %d parameters", t.Engine, most)
	}
	for _, name := range cols {
		if c := t.Column(name); IsMergeTree(t) && (c == nil || !IsStored(c.Default)) {
			return sqlerr.New(sqlerr.NoSuchColumnInTable, "%s %s does not exist in table declaration", what, name)
		}
	}
	return nil
}

// kafkaArgs are the settings that the positional arguments of Kafka(…) stand for.
var kafkaArgs = strings.Fields(`kafka_broker_list kafka_topic_list kafka_group_name kafka_format kafka_row_delimiter kafka_schema kafka_num_consumers
	kafka_max_block_size kafka_skip_broken_messages kafka_commit_every_batch kafka_client_id kafka_poll_timeout_ms kafka_poll_max_batch_size
	kafka_flush_interval_ms kafka_thread_per_consumer kafka_handle_error_mode kafka_commit_on_select kafka_max_rows_per_message`)

// kafkaRequired are the settings without which there is nothing to read.
var kafkaRequired = []string{"kafka_broker_list", "kafka_topic_list", "kafka_group_name", "kafka_format"}

// engineSettings checks the settings of a table and adds those that ClickHouse shows always.
func engineSettings(t *catalog.Table, e *ast.Engine, list []ast.Setting) error {
	t.Settings = map[string]string{}
	if t.Kind == catalog.KindKafka {
		for i, a := range e.Args {
			if i >= len(kafkaArgs) {
				return sqlerr.At(e.Start, sqlerr.NumberOfArgumentsDoesntMatch, "Storage Kafka takes at most %d parameters", len(kafkaArgs))
			}
			v, err := literal(a)
			if err != nil {
				return err
			}
			t.Settings[kafkaArgs[i]] = v
		}
		t.EngineArgs = nil
	}
	for _, s := range list {
		v, err := literal(s.Value)
		if err == nil {
			v, err = tableSetting(t, s.Name, v)
		}
		if err != nil {
			return positioned(err, s)
		}
		t.Settings[s.Name] = v
	}
	if t.Kind == catalog.KindKafka {
		for _, name := range kafkaRequired {
			if t.Settings[name] == "" {
				return sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Required parameter '%s' for storage Kafka not specified", name)
			}
		}
	}
	if IsMergeTree(t) && t.Settings["index_granularity"] == "" {
		t.Settings["index_granularity"] = strconv.Itoa(defaultGranularity)
	}
	return nil
}

// defaultGranularity is ClickHouse's.
const defaultGranularity = 8192

func tableSetting(t *catalog.Table, name, v string) (string, error) {
	switch {
	case IsMergeTree(t):
		return settings.Table(name, v)
	case t.Kind == catalog.KindKafka:
		if strings.HasPrefix(name, "kafka_") || strings.HasPrefix(name, "format_") || strings.HasPrefix(name, "input_format_") || name == "date_time_input_format" {
			return v, nil
		}
	case strings.HasSuffix(t.Engine, "Log") && (name == "disk" || name == "storage_policy"), t.Engine == "Memory":
		return v, nil
	}
	return "", sqlerr.New(sqlerr.UnknownSetting, "Unknown setting '%s' for storage %s", name, t.Engine)
}

// literal is a setting's value as text.
func literal(e ast.Expr) (string, error) {
	l, ok := e.(*ast.Literal)
	if !ok {
		if e == nil {
			return "", sqlerr.New(sqlerr.BadArguments, "A setting of a table has no DEFAULT to go back to")
		}
		return "", sqlerr.At(e.Span().Start, sqlerr.BadArguments, "Value %s is not a literal", ast.Shown(e))
	}
	switch {
	case l.Kind == ast.LiteralString:
		return l.Str, nil
	case l.Kind == ast.LiteralBool:
		return map[bool]string{true: "1", false: "0"}[l.Bool], nil
	}
	return ast.Format(l), nil
}
