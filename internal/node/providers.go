package node

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/olapd/olapd/cluster"
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
		Sizes: n.sizes, Distinct: n.distinct, Parts: n.parts, PartColumns: n.partColumns, Merges: n.merges, KafkaConsumers: n.kafkaConsumers, Metrics: n.gauges, Disks: n.disks, Replicas: n.replicas,
		Nodes: n.clusterNodes, Shards: n.clusterShards, Moves: n.clusterMoves, Ask: n.askSelect,
		BuildOptions: func() [][2]string {
			return [][2]string{{"VERSION_FULL", "olapd " + Version}, {"VERSION_DESCRIBE", Version}, {"SYSTEM", runtime.GOOS}, {"SYSTEM_PROCESSOR", runtime.GOARCH}, {"CXX_COMPILER", runtime.Version()}}
		},
	}
}

// eachTable calls f for every table of each of this node's replicas.
func (n *Node) eachTable(f func(id catalog.TableID, v *mergetree.TableView) error) error {
	for _, r := range n.cluster.Shards() {
		if err := eachTableOf(r, f); err != nil {
			return err
		}
	}
	return nil
}

func eachTableOf(r *cluster.Shard, f func(id catalog.TableID, v *mergetree.TableView) error) error {
	snap := r.Now()
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
		s := out[id] // of the replicas before
		s.Rows += v.Rows()
		s.Bytes += v.Bytes()
		s.UncompressedBytes += uint64(v.MemtableBytes())
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
			out = append(out, partOf(id, h, granule))
		}
		if rows := v.MemtableRows(); rows > 0 {
			out = append(out, virtual.Part{Table: id, Name: "memtable", PartitionID: "memtable", Partition: "memtable", Rows: uint64(rows),
				UncompressedBytes: uint64(v.MemtableBytes()), Modified: n.cfg.Clock.Now(), Refs: 1, Memtable: true})
		}
		return nil
	})
	return out, err
}

func partOf(id catalog.TableID, h *mergetree.SegmentHandle, granule uint64) virtual.Part {
	return virtual.Part{
		Table: id, Name: partName(h.Segment), PartitionID: h.Partition, Partition: h.Partition, Rows: h.Rows, Marks: (h.Rows + granule - 1) / granule,
		BytesOnDisk: h.Bytes, CompressedBytes: h.Bytes, UncompressedBytes: h.RawBytes, Level: h.Level,
		MinBlock: int64(h.First), MaxBlock: int64(h.Last), Modified: time.Unix(h.Created, 0), Refs: 1,
		Path: h.ID + ".seg", Disk: "default", HashOfAllFiles: fmt.Sprintf("%x", h.Hash),
	}
}

// shownName is the name of a column that has a stored name.
func (n *Node) shownName(id catalog.TableID, stored string) string {
	if t := n.cluster.Meta().Catalog().ByID(id); t != nil {
		for i := range t.Columns {
			if t.Columns[i].StoredName() == stored {
				return t.Columns[i].Name
			}
		}
	}
	return stored
}

// partColumns are the segments of this node with what each column takes, read from their footers.
func (n *Node) partColumns(ctx context.Context) ([]virtual.Part, error) {
	var out []virtual.Part
	err := n.eachTable(func(id catalog.TableID, v *mergetree.TableView) error {
		granule := uint64(granularity(v))
		for _, h := range v.Segments() {
			r, err := h.Open(ctx)
			if err != nil {
				if ctx.Err() != nil {
					return err
				}
				continue // it is not on this node yet
			}
			p := partOf(id, h, granule)
			for _, c := range r.Meta().Columns {
				p.Columns = append(p.Columns, virtual.PartColumn{Name: n.shownName(id, c.Name), Type: c.Type, Bytes: uint64(c.Bytes), UncompressedBytes: uint64(c.RawBytes)})
			}
			out = append(out, p)
			if err := r.Release(); err != nil {
				return err
			}
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
	for _, m := range n.running() {
		v := virtual.Merge{Table: m.Table, Elapsed: n.cfg.Clock.Since(m.Started), Result: m.Result, PartitionID: m.Partition, BytesCompressed: m.Bytes, RowsRead: m.Rows}
		for _, s := range m.Inputs {
			v.Sources = append(v.Sources, partName(s))
		}
		out = append(out, v)
	}
	return out, nil
}

// running are the flushes and merges of this node's replicas.
func (n *Node) running() []mergetree.MergeInfo {
	var out []mergetree.MergeInfo
	for _, r := range n.cluster.Shards() {
		out = append(out, r.Store().Merges()...)
	}
	return out
}

func (n *Node) kafkaConsumers(context.Context) ([]virtual.KafkaConsumer, error) {
	var out []virtual.KafkaConsumer
	for _, st := range n.sources.status() {
		k := virtual.KafkaConsumer{Table: st.table, ConsumerID: st.ConsumerID, LastPoll: st.LastPoll, LastCommit: st.LastCommit, LastRebalance: st.LastAssigned,
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
	return out, nil
}

func (n *Node) gauges() []virtual.Metric {
	return []virtual.Metric{
		{Name: "Query", Description: "Queries running.", Value: float64(n.engine.Running())},
		{Name: "MemoryTracking", Description: "Bytes accounted for.", Value: float64(n.budget.Used())},
		{Name: "BackgroundMergesAndMutationsPoolTask", Description: "Flushes and merges running.", Value: float64(len(n.running()))},
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
	var out []virtual.Replica
	for _, st := range n.cluster.Status()[1:] {
		faults := map[catalog.TableID]virtual.ReplicaFaults{}
		if s := n.cluster.Shard(st.Group); s != nil {
			for id, f := range s.Store().Faults() {
				faults[id] = virtual.ReplicaFaults{Missing: uint32(f.Missing), Damaged: uint32(f.Damaged)}
			}
		}
		out = append(out, virtual.Replica{Faults: faults, Shard: st.Group, Leader: st.Term != 0, Readonly: st.Err != nil, Term: st.Term,
			Applied: st.Applied, Commit: st.Committed, Replicas: uint32(len(st.Members))})
	}
	return out, nil
}

// metrics is what /metrics shows of the node; docs/operations.md lists them.
func (n *Node) metrics() []server.Metric {
	out := []server.Metric{
		{Name: "olapd_queries_running", Help: "Queries running.", Value: float64(n.engine.Running())},
		{Name: "olapd_memory_bytes", Help: "Bytes accounted for.", Value: float64(n.budget.Used())},
		{Name: "olapd_memory_limit_bytes", Help: "Limit of the bytes accounted for.", Value: float64(n.budget.Limit())},
		{Name: "olapd_merges_running", Help: "Flushes and merges running.", Value: float64(len(n.running()))},
	}
	out = append(out, n.groupMetrics()...)
	cat := n.cluster.Meta().Catalog()
	for _, r := range n.cluster.Shards() {
		_ = eachTableOf(r, func(id catalog.TableID, v *mergetree.TableView) error { // the function below never fails
			t := cat.ByID(id)
			if t == nil {
				return nil
			}
			labels := tableLabels(t, r.ID())
			out = append(out,
				server.Metric{Name: "olapd_table_rows", Help: "Rows of a table in a replica.", Value: float64(v.Rows()), Labels: labels},
				server.Metric{Name: "olapd_table_bytes", Help: "Bytes of a table's segments in a replica.", Value: float64(v.Bytes()), Labels: labels},
				server.Metric{Name: "olapd_table_segments", Help: "Segments of a table in a replica.", Value: float64(len(v.Segments())), Labels: labels})
			return nil
		})
	}
	for _, st := range n.sources.status() {
		t := cat.ByID(st.table)
		if t == nil {
			continue
		}
		labels := tableLabels(t, st.shard)
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

func tableLabels(t *catalog.Table, shard uint64) []server.Label {
	return []server.Label{{Name: "database", Value: t.Database}, {Name: "table", Value: t.Name}, {Name: "shard", Value: strconv.FormatUint(shard, 10)}}
}

// groupMetrics is the state of each Raft group on this node; group 0 is the meta group.
func (n *Node) groupMetrics() []server.Metric {
	var out []server.Metric
	flag := func(on bool) float64 {
		if on {
			return 1
		}
		return 0
	}
	for _, st := range n.cluster.Status() {
		labels := []server.Label{{Name: "group", Value: strconv.FormatUint(st.Group, 10)}}
		out = append(out,
			server.Metric{Name: "olapd_group_leader", Help: "1 where this node leads the Raft group.", Value: flag(st.Term != 0), Labels: labels},
			server.Metric{Name: "olapd_group_has_leader", Help: "1 where this node knows a leader of the Raft group.", Value: flag(st.Leader != ""), Labels: labels},
			server.Metric{Name: "olapd_group_members", Help: "Members of the Raft group.", Value: float64(len(st.Members)), Labels: labels},
			server.Metric{Name: "olapd_group_stopped", Help: "1 where the replica has stopped after a failure.", Value: flag(st.Err != nil), Labels: labels},
			server.Metric{Name: "olapd_log_applied_index", Help: "Last log index applied.", Counter: true, Value: float64(st.Applied), Labels: labels},
			server.Metric{Name: "olapd_log_commit_index", Help: "Last log index known to be committed.", Counter: true, Value: float64(st.Committed), Labels: labels},
			server.Metric{Name: "olapd_segments_missing", Help: "Segments whose files are still to come from another replica.", Value: float64(st.Missing), Labels: labels},
			server.Metric{Name: "olapd_segments_damaged", Help: "Segments whose files were found damaged and not repaired so far.", Value: float64(st.Damaged), Labels: labels},
			server.Metric{Name: "olapd_memtable_pressure", Help: "How full the memtables are: writers wait at 1.", Value: st.MemtablePressure, Labels: labels})
	}
	return out
}

// lags is how far each Kafka table is behind, for /replicas_status.
func (n *Node) lags() []server.Lag {
	cat := n.cluster.Meta().Catalog()
	var out []server.Lag
	for _, st := range n.sources.status() {
		if t := cat.ByID(st.table); t != nil {
			delay := st.Freshness.Quantile(0.5)
			out = append(out, server.Lag{Database: t.Database, Table: t.Name, Absolute: delay, Relative: delay})
		}
	}
	return out
}
