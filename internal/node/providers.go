package node

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query/virtual"
	"github.com/olapd/olapd/segment"
	"github.com/olapd/olapd/server"
)

// providers is what system tables tell of this node.
func (n *Node) providers() virtual.Providers {
	return virtual.Providers{
		Sizes: n.sizes, Parts: n.parts, Merges: n.merges, KafkaConsumers: n.kafkaConsumers, Metrics: n.gauges, Disks: n.disks, Replicas: n.replicas,
		BuildOptions: func() [][2]string {
			return [][2]string{{"VERSION_FULL", "olapd " + Version}, {"VERSION_DESCRIBE", Version}, {"SYSTEM", runtime.GOOS}, {"SYSTEM_PROCESSOR", runtime.GOARCH}, {"CXX_COMPILER", runtime.Version()}}
		},
	}
}

// eachTable calls f for every table of one snapshot.
func (n *Node) eachTable(f func(id catalog.TableID, v *mergetree.TableView) error) error {
	snap := n.shard.Store().Snapshot()
	defer snap.Close()
	for _, id := range snap.Tables() {
		if v := snap.Table(id); v != nil {
			if err := f(id, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Node) sizes(context.Context) (map[catalog.TableID]virtual.Size, error) {
	out := map[catalog.TableID]virtual.Size{}
	err := n.eachTable(func(id catalog.TableID, v *mergetree.TableView) error {
		s := virtual.Size{Rows: v.Rows(), Bytes: v.Bytes(), UncompressedBytes: uint64(v.MemtableBytes())}
		granule := uint64(granularity(v))
		for _, h := range v.Segments() {
			s.Segments++
			s.UncompressedBytes += h.RawBytes
			s.Marks += (h.Rows + granule - 1) / granule
		}
		out[id] = s
		return nil
	})
	return out, err
}

func granularity(v *mergetree.TableView) int {
	if g := v.Spec().Granularity; g > 0 {
		return g
	}
	return segment.DefaultGranularity
}

func (n *Node) parts(context.Context) ([]virtual.Part, error) {
	var out []virtual.Part
	err := n.eachTable(func(id catalog.TableID, v *mergetree.TableView) error {
		granule := uint64(granularity(v))
		for _, h := range v.Segments() {
			out = append(out, virtual.Part{
				Table: id, Name: partName(h.Segment), PartitionID: h.Partition, Partition: h.Partition, Rows: h.Rows, Marks: (h.Rows + granule - 1) / granule,
				BytesOnDisk: h.Bytes, CompressedBytes: h.Bytes, UncompressedBytes: h.RawBytes, Level: h.Level,
				MinBlock: int64(h.First), MaxBlock: int64(h.Last), Modified: time.Unix(h.Created, 0), Refs: 1,
				Path: h.ID + ".seg", Disk: "default", HashOfAllFiles: fmt.Sprintf("%x", h.Hash),
			})
		}
		if rows := v.MemtableRows(); rows > 0 {
			out = append(out, virtual.Part{Table: id, Name: "memtable", PartitionID: "memtable", Partition: "memtable", Rows: uint64(rows),
				UncompressedBytes: uint64(v.MemtableBytes()), Modified: n.cfg.Clock.Now(), Refs: 1, Memtable: true})
		}
		return nil
	})
	return out, err
}

// partName is a segment's name in the form of ClickHouse's parts: partition, first and last block, level.
func partName(s mergetree.Segment) string {
	p := s.Partition
	if p == "" {
		p = "all"
	}
	return fmt.Sprintf("%s_%d_%d_%d", p, s.First, s.Last, s.Level)
}

func (n *Node) merges(context.Context) ([]virtual.Merge, error) {
	var out []virtual.Merge
	for _, m := range n.shard.Store().Merges() {
		v := virtual.Merge{Table: m.Table, Elapsed: n.cfg.Clock.Since(m.Started), Result: m.Result, PartitionID: m.Partition, BytesCompressed: m.Bytes, RowsRead: m.Rows}
		for _, s := range m.Inputs {
			v.Sources = append(v.Sources, partName(s))
		}
		out = append(out, v)
	}
	return out, nil
}

func (n *Node) kafkaConsumers(context.Context) ([]virtual.KafkaConsumer, error) {
	var out []virtual.KafkaConsumer
	for id, st := range n.sources.status() {
		k := virtual.KafkaConsumer{Table: id, ConsumerID: st.ConsumerID, LastPoll: st.LastPoll, LastCommit: st.LastCommit, LastRebalance: st.LastAssigned,
			LastUsed: st.LastPoll, MessagesRead: st.Messages, Commits: st.Commits, IsUsed: st.State != ingest.Stopped, State: string(st.State)}
		for _, p := range st.Partitions {
			k.Assignments = append(k.Assignments, virtual.KafkaAssignment{Topic: p.Topic, Partition: p.Partition, CurrentOffset: p.Next,
				HighWatermark: p.End, Lag: p.Lag(), State: p.State.String()})
		}
		for _, e := range st.Exceptions {
			k.Exceptions = append(k.Exceptions, virtual.KafkaException{Time: e.Time, Text: e.Text})
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b virtual.KafkaConsumer) int { return int(a.Table) - int(b.Table) })
	return out, nil
}

func (n *Node) gauges() []virtual.Metric {
	return []virtual.Metric{
		{Name: "Query", Description: "Queries running.", Value: float64(n.engine.Running())},
		{Name: "MemoryTracking", Description: "Bytes accounted for.", Value: float64(n.budget.Used())},
		{Name: "BackgroundMergesAndMutationsPoolTask", Description: "Flushes and merges running.", Value: float64(len(n.shard.Store().Merges()))},
		{Name: "KafkaConsumers", Description: "Kafka tables consumed.", Value: float64(len(n.sources.status()))},
	}
}

func (n *Node) disks() []virtual.Disk {
	d := virtual.Disk{Name: "default", Path: n.cfg.Data, Type: "local"}
	if u, err := n.cfg.FS.Usage(n.cfg.Data); err == nil {
		d.TotalBytes, d.FreeBytes = u.Total, u.Free
	}
	return []virtual.Disk{d}
}

func (n *Node) replicas(context.Context) ([]virtual.Replica, error) {
	term, leads := n.shard.Leader()
	return []virtual.Replica{{Shard: n.shard.ID(), Leader: leads, Readonly: n.shard.Err() != nil, Term: term,
		Applied: n.shard.Applied(), Commit: n.shard.Applied(), Replicas: 1}}, nil
}

// metrics is what /metrics shows of the node; docs/operations.md lists them.
func (n *Node) metrics() []server.Metric {
	out := []server.Metric{
		{Name: "olapd_queries_running", Help: "Queries running.", Value: float64(n.engine.Running())},
		{Name: "olapd_memory_bytes", Help: "Bytes accounted for.", Value: float64(n.budget.Used())},
		{Name: "olapd_memory_limit_bytes", Help: "Limit of the bytes accounted for.", Value: float64(n.budget.Limit())},
		{Name: "olapd_memtable_pressure", Help: "How full the memtables are: writers wait at 1.", Value: n.shard.Store().Pressure()},
		{Name: "olapd_merges_running", Help: "Flushes and merges running.", Value: float64(len(n.shard.Store().Merges()))},
		{Name: "olapd_log_applied_index", Help: "Last log index applied.", Counter: true, Value: float64(n.shard.Applied())},
	}
	cat := n.cluster.Meta().Catalog()
	_ = n.eachTable(func(id catalog.TableID, v *mergetree.TableView) error { // the function below never fails
		t := cat.ByID(id)
		if t == nil {
			return nil
		}
		labels := []server.Label{{Name: "database", Value: t.Database}, {Name: "table", Value: t.Name}}
		out = append(out,
			server.Metric{Name: "olapd_table_rows", Help: "Rows of a table.", Value: float64(v.Rows()), Labels: labels},
			server.Metric{Name: "olapd_table_bytes", Help: "Bytes of a table's segments.", Value: float64(v.Bytes()), Labels: labels},
			server.Metric{Name: "olapd_table_segments", Help: "Segments of a table.", Value: float64(len(v.Segments())), Labels: labels})
		return nil
	})
	for id, st := range n.sources.status() {
		t := cat.ByID(id)
		if t == nil {
			continue
		}
		labels := []server.Label{{Name: "database", Value: t.Database}, {Name: "table", Value: t.Name}}
		lag := int64(0)
		for _, p := range st.Partitions {
			lag += p.Lag()
		}
		out = append(out,
			server.Metric{Name: "olapd_kafka_messages_total", Help: "Messages committed.", Counter: true, Value: float64(st.Messages), Labels: labels},
			server.Metric{Name: "olapd_kafka_dead_letters_total", Help: "Messages that could not be read.", Counter: true, Value: float64(st.DeadLetters), Labels: labels},
			server.Metric{Name: "olapd_kafka_lag", Help: "Offsets not yet committed.", Value: float64(lag), Labels: labels},
			server.Metric{Name: "olapd_kafka_freshness_p99_seconds", Help: "Delay from a message's timestamp to its visibility, 99th percentile.",
				Value: st.Freshness.Quantile(0.99).Seconds(), Labels: labels})
	}
	return out
}

// lags is how far each Kafka table is behind, for /replicas_status.
func (n *Node) lags() []server.Lag {
	cat := n.cluster.Meta().Catalog()
	var out []server.Lag
	for id, st := range n.sources.status() {
		if t := cat.ByID(id); t != nil {
			delay := st.Freshness.Quantile(0.5)
			out = append(out, server.Lag{Database: t.Database, Table: t.Name, Absolute: delay, Relative: delay})
		}
	}
	return out
}
