package virtual

import (
	"context"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/dictionary"
)

// Providers is what system tables tell of the process beyond the catalog. A nil function means none; all are
// called from any goroutine, at the moment a query reads the table.
type Providers struct {
	// Sizes returns rows and bytes of the stored tables.
	Sizes func(ctx context.Context) (map[catalog.TableID]Size, error)
	// Distinct tells about how many values columns of a stored table have; false if nothing is known.
	Distinct func(ctx context.Context, t catalog.TableID, columns []string) (Distinct, bool)
	Parts    func(ctx context.Context) ([]Part, error)
	// PartColumns returns the segments that lie here, with their columns.
	PartColumns    func(ctx context.Context) ([]Part, error)
	Merges         func(ctx context.Context) ([]Merge, error)
	KafkaConsumers func(ctx context.Context) ([]KafkaConsumer, error)
	// Metrics are gauges, Events are counters since the start, AsyncMetrics are measured now and then.
	Metrics, Events, AsyncMetrics func() []Metric
	// Disks returns the data directory's disk.
	Disks func() []Disk
	// Replicas describes the shards' groups.
	Replicas func(ctx context.Context) ([]Replica, error)
	// Nodes asks all nodes of the cluster what they are doing; Shards are its shards, by number.
	Nodes  func(ctx context.Context) ([]ClusterNode, error)
	Shards func() []ClusterShard
	// Ask runs a SELECT on a node of the cluster, as a user with their roles that are on; the answer's last block is nil. It ends with ctx. An
	// error of the network itself has the code NetworkError.
	Ask func(ctx context.Context, node string, q Question) (func() (*column.Block, error), error)
	// Moves are those of rows between shards, under way, waiting and the last that ended, by number.
	Moves func() []ClusterMove
	// BuildOptions are names and values about the binary.
	BuildOptions func() [][2]string
	// Processes and QueryLog are filled in by the engine.
	Processes func() []Process
	QueryLog  func() []QueryLogEntry
	Errors    func() []ErrorCount
	Backups   func() []Backup
	// Dictionaries describes the dictionaries that were asked for here.
	Dictionaries func() map[catalog.TableID]dictionary.Info
	// QuotaUses returns what quotas count, for a reader; filled in by the engine.
	QuotaUses func(user string) []QuotaUse
}

// Question is a SELECT for another node. Its answer has the columns that it names.
type Question struct {
	Text     string            `json:"text"`
	User     string            `json:"user"`
	Roles    []string          `json:"roles"`
	Database string            `json:"database"`
	Settings map[string]string `json:"settings"` // those that were changed
}

// Size is how much a table holds.
type Size struct {
	Rows, Bytes       uint64 // bytes on disk
	UncompressedBytes uint64
	Segments, Marks   uint64
}

// Distinct is what a table's largest segment says of the values of some columns.
type Distinct struct {
	// Rows are those of the table that lie here; SegmentRows those of the segment.
	Rows, SegmentRows uint64
	// Values are how many the segment has of each column, NULL aside; 0 if unknown.
	Values []uint64
}

// Part is one live segment for system.parts.
type Part struct {
	Table                        catalog.TableID
	Name, PartitionID, Partition string // Partition is the value as text
	UUID                         string
	Rows, Marks                  uint64
	BytesOnDisk                  uint64
	CompressedBytes              uint64
	UncompressedBytes            uint64
	PrimaryKeyBytesInMemory      uint64
	Level                        uint32
	MinBlock, MaxBlock           int64
	MinTime, MaxTime             time.Time
	Modified                     time.Time
	RemovedAt                    time.Time // zero: live
	Refs                         uint32
	Path, Disk                   string
	HashOfAllFiles               string
	Memtable                     bool // the rows not yet in a segment
	Columns                      []PartColumn
}

// PartColumn is what a column of a segment takes.
type PartColumn struct {
	Name, Type               string
	Bytes, UncompressedBytes uint64
}

// Merge is a merge under way.
type Merge struct {
	Table                   catalog.TableID
	Elapsed                 time.Duration
	Progress                float64
	Sources                 []string
	Result, PartitionID     string
	BytesCompressed         uint64
	RowsRead, RowsWritten   uint64
	BytesRead, BytesWritten uint64
	MemoryUsage             uint64
}

// KafkaConsumer is the state of one Kafka table's consumer.
type KafkaConsumer struct {
	Table                                         catalog.TableID
	ConsumerID                                    string
	Assignments                                   []KafkaAssignment
	Exceptions                                    []KafkaException
	LastPoll, LastCommit, LastRebalance, LastUsed time.Time
	MessagesRead, Commits                         uint64
	IsUsed                                        bool
	State                                         string
}

// KafkaAssignment is one partition of a consumer; Lag is high watermark minus current offset, -1 if unknown.
type KafkaAssignment struct {
	Topic         string
	Partition     int32
	CurrentOffset int64
	HighWatermark int64
	Lag           int64
	State         string // running, retrying, halted …
}

// KafkaException is one error a consumer met.
type KafkaException struct {
	Time time.Time
	Text string
}

// Metric is one figure.
type Metric struct {
	Name, Description string
	Value             float64
}

// Disk is a directory for data.
type Disk struct {
	Name, Path, Type      string
	FreeBytes, TotalBytes uint64
}

// Replica is this node's replica of one shard.
type Replica struct {
	Shard                 uint64
	Leader, Readonly      bool
	Term, Applied, Commit uint64
	Lag                   uint64
	Replicas              uint32
	Faults                map[catalog.TableID]ReplicaFaults // of tables that have any
}

// ReplicaFaults is how many of a table's segments a replica has no whole file of: still to come, and found damaged.
type ReplicaFaults struct{ Missing, Damaged uint32 }

// Process is a query that runs.
type Process struct {
	QueryID, Query, User, Database, Kind string
	Address, Interface, ClientName       string
	Started                              time.Time
	Elapsed                              time.Duration
	Cancelled                            bool
	ReadRows, ReadBytes, TotalRows       uint64
	WrittenRows, WrittenBytes            uint64
	MemoryUsage, PeakMemory              int64
	Threads                              int
	Settings                             map[string]string
	HTTPMethod, UserAgent                string
	Secure                               bool // over TLS
}

// QueryLogEntry is a finished or failed query.
type QueryLogEntry struct {
	Process
	Type          QueryLogType
	Time          time.Time
	ResultRows    uint64
	ResultBytes   uint64
	Databases     []string
	Tables        []string
	ExceptionCode int32
	Exception     string
	LogComment    string
	// Events are by ClickHouse's names of profile events.
	Events         map[string]uint64
	Used           Used
	NormalizedHash uint64
	Formatted      string
}

// Used are the names that a statement uses.
type Used struct{ Functions, Aggregates, TableFunctions, Storages, Formats []string }

// QueryLogType is which of a query's events an entry records.
type QueryLogType int8

// The types of entries, with ClickHouse's numbers.
const (
	QueryStart               QueryLogType = 1
	QueryFinish              QueryLogType = 2
	ExceptionBeforeStart     QueryLogType = 3
	ExceptionWhileProcessing QueryLogType = 4
)

// ErrorCount is how often an error code went to a client.
type ErrorCount struct {
	Name        string
	Code        int32
	Value       uint64
	Last        time.Time
	LastMessage string
}
