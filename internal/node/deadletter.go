package node

import (
	"context"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/plan"
)

// The table of messages that could not be read, with ClickHouse's name and columns.
const (
	deadLetterDatabase = "system"
	deadLetterTable    = "dead_letter_queue"
)

// deadLetters is the table as it is created on the first start.
func deadLetters() *catalog.Table {
	return &catalog.Table{
		UUID: "00000000-0000-4000-8000-000000000001", Database: deadLetterDatabase, Name: deadLetterTable, Kind: catalog.KindTable, Engine: "MergeTree",
		Columns: []catalog.Column{
			{Name: "table_engine", Type: "String", Comment: "Engine of the table that read the message."},
			{Name: "event_date", Type: "Date", Comment: "Date of the message."},
			{Name: "event_time", Type: "DateTime", Comment: "Timestamp of the message, in seconds."},
			{Name: "event_time_microseconds", Type: "DateTime64(6)", Comment: "Timestamp of the message."},
			{Name: "database", Type: "LowCardinality(String)", Comment: "Database of the Kafka table."},
			{Name: "table", Type: "LowCardinality(String)", Comment: "The Kafka table."},
			{Name: "error", Type: "String", Comment: "Why the message could not be read."},
			{Name: "raw_message", Type: "String", Comment: "The message's bytes."},
			{Name: "kafka_topic_name", Type: "String"},
			{Name: "kafka_partition", Type: "UInt64"},
			{Name: "kafka_offset", Type: "UInt64"},
			{Name: "kafka_key", Type: "String"},
		},
		SortKey: []string{"event_date", "database", "table", "event_time"}, PrimaryKey: []string{"event_date", "database", "table", "event_time"},
		PartitionBy: "toYYYYMM(event_date)",
		CreateSQL:   "CREATE TABLE system.dead_letter_queue (`table_engine` String, `event_date` Date, `event_time` DateTime, `event_time_microseconds` DateTime64(6), `database` LowCardinality(String), `table` LowCardinality(String), `error` String, `raw_message` String, `kafka_topic_name` String, `kafka_partition` UInt64, `kafka_offset` UInt64, `kafka_key` String) ENGINE = MergeTree PARTITION BY toYYYYMM(event_date) ORDER BY (event_date, database, table, event_time)",
	}
}

// ensureDeadLetters creates the table if this is the first start of the cluster's first node, or of a node alone.
func (n *Node) ensureDeadLetters(ctx context.Context, created int64) error {
	if n.cluster.Meta().Catalog().Table(deadLetterDatabase, deadLetterTable) != nil || !n.cluster.First() {
		return nil
	}
	_, err := n.cluster.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		if c.Table(deadLetterDatabase, deadLetterTable) != nil {
			return c, nil
		}
		if c.Database(deadLetterDatabase) == nil {
			next, err := c.WithDatabase(&catalog.Database{Name: deadLetterDatabase, Engine: "Atomic"})
			if err != nil {
				return nil, err
			}
			c = next
		}
		t := deadLetters()
		t.Created = created
		return c.WithTables(t)
	})
	return err
}

// letters is the dead letters of a batch as rows of their table.
func (c *committer) letters(cat *catalog.Catalog, list []ingest.DeadLetter) (cluster.TableRows, error) {
	t := cat.Table(deadLetterDatabase, deadLetterTable)
	if t == nil {
		return cluster.TableRows{}, sqlerr.New(sqlerr.UnknownTable, "Table %s.%s does not exist", deadLetterDatabase, deadLetterTable)
	}
	pt, err := plan.NewTable(t)
	if err != nil {
		return cluster.TableRows{}, err
	}
	cols := make([]column.Vector, len(pt.Schema()))
	for i, f := range pt.Schema() {
		b := column.New(f.Type, len(list))
		for _, l := range list {
			column.AppendValue(b, letterValue(f.Name, l))
		}
		cols[i] = b
	}
	return cluster.TableRows{Table: t.ID, Block: column.NewBlock(cols...)}, nil
}

func letterValue(name string, l ingest.DeadLetter) any {
	switch name {
	case "table_engine":
		return "Kafka"
	case "event_date":
		return uint16(l.Timestamp.Unix() / 86400)
	case "event_time":
		return uint32(l.Timestamp.Unix())
	case "event_time_microseconds":
		return l.Timestamp.UnixMicro()
	case "database":
		return l.Database
	case "table":
		return l.Table
	case "error":
		return l.Error
	case "raw_message":
		return string(l.Raw)
	case "kafka_topic_name":
		return l.Topic
	case "kafka_partition":
		return uint64(l.Partition)
	case "kafka_offset":
		return uint64(l.Offset)
	case "kafka_key":
		return string(l.Key)
	}
	return nil
}
