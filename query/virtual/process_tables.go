package virtual

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/catalog"
)

func init() {
	fill("processes", func(_ context.Context, s *Source, add func(row)) error {
		for _, p := range list(s.Processes) {
			if !s.showsUser(p.User) {
				continue
			}
			add(processRow(p))
		}
		return nil
	})
	fill("query_log", queryLog)
	fill("errors", func(_ context.Context, s *Source, add func(row)) error {
		for _, e := range list(s.Errors) {
			add(row{"name": e.Name, "code": e.Code, "value": e.Value, "last_error_time": e.Last, "last_error_message": e.LastMessage})
		}
		return nil
	})
	fill("parts", parts)
	fill("merges", merges)
	fill("kafka_consumers", kafkaConsumers)
	fill("replicas", replicas)
	for name, get := range map[string]func(*Source) func() []Metric{
		"metrics": func(s *Source) func() []Metric { return s.Metrics }, "events": func(s *Source) func() []Metric { return s.Events },
		"asynchronous_metrics": func(s *Source) func() []Metric { return s.AsyncMetrics },
	} {
		column := map[string]string{"metrics": "metric", "events": "event", "asynchronous_metrics": "metric"}[name]
		fill(name, func(_ context.Context, s *Source, add func(row)) error {
			for _, m := range list(get(s)) {
				add(row{column: m.Name, "value": m.Value, "description": m.Description})
			}
			return nil
		})
	}
	fill("disks", func(_ context.Context, s *Source, add func(row)) error {
		for _, d := range list(s.Disks) {
			add(row{"name": d.Name, "path": d.Path, "free_space": d.FreeBytes, "total_space": d.TotalBytes, "unreserved_space": d.FreeBytes,
				"type": d.Type, "object_storage_type": "None", "metadata_type": "None"})
		}
		return nil
	})
}

func list[T any](f func() []T) []T {
	if f == nil {
		return nil
	}
	return f()
}

func gathered[T any](ctx context.Context, f func(context.Context) ([]T, error)) ([]T, error) {
	if f == nil {
		return nil, nil
	}
	return f(ctx)
}

// interfaces are ClickHouse's numbers of protocols.
var interfaces = map[string]int{"TCP": 1, "HTTP": 2}

var methods = map[string]int{"GET": 1, "POST": 2, "HEAD": 3, "PUT": 4}

func processRow(p Process) row {
	r := row{
		"is_initial_query": 1, "user": p.User, "query_id": p.QueryID, "initial_user": p.User, "initial_query_id": p.QueryID,
		"interface": interfaces[p.Interface], "client_name": p.ClientName, "http_method": methods[p.HTTPMethod], "http_user_agent": p.UserAgent,
		"elapsed": p.Elapsed.Seconds(), "is_cancelled": p.Cancelled, "read_rows": p.ReadRows, "read_bytes": p.ReadBytes, "total_rows_approx": p.TotalRows,
		"written_rows": p.WrittenRows, "written_bytes": p.WrittenBytes, "memory_usage": p.MemoryUsage, "peak_memory_usage": p.PeakMemory,
		"query": p.Query, "query_kind": p.Kind, "peak_threads_usage": p.Threads, "current_database": p.Database,
	}
	if len(p.Settings) > 0 {
		r["Settings"] = p.Settings
	}
	if a, err := netip.ParseAddrPort(p.Address); err == nil {
		ip := a.Addr().As16()
		r["address"], r["initial_address"], r["port"], r["initial_port"] = string(ip[:]), string(ip[:]), a.Port(), a.Port()
	}
	return r
}

func queryLog(_ context.Context, s *Source, add func(row)) error {
	for _, e := range list(s.QueryLog) {
		r := processRow(e.Process)
		r["type"], r["event_time"], r["event_date"], r["event_time_microseconds"] = int8(e.Type), e.Time, e.Time, e.Time
		r["query_start_time"], r["query_start_time_microseconds"] = e.Started, e.Started
		r["query_duration_ms"] = e.Elapsed.Milliseconds()
		r["memory_usage"] = max(e.PeakMemory, 0)
		r["result_rows"], r["result_bytes"] = e.ResultRows, e.ResultBytes
		r["formatted_query"], r["log_comment"], r["exception_code"], r["exception"] = e.Formatted, e.LogComment, e.ExceptionCode, e.Exception
		r["normalized_query_hash"], r["initial_query_start_time"], r["initial_query_start_time_microseconds"] = e.NormalizedHash, e.Started, e.Started
		for column, names := range map[string][]string{"used_functions": e.Used.Functions, "used_aggregate_functions": e.Used.Aggregates,
			"used_table_functions": e.Used.TableFunctions, "used_storages": e.Used.Storages, "used_formats": e.Used.Formats} {
			if names != nil {
				r[column] = names
			}
		}
		if e.Events != nil {
			r["ProfileEvents"] = e.Events
		}
		r["hostname"], r["is_secure"] = s.Host, e.Secure
		if e.Tables != nil {
			r["databases"], r["tables"] = e.Databases, e.Tables
		}
		add(r)
	}
	return nil
}

func parts(ctx context.Context, s *Source, add func(row)) error {
	all, err := gathered(ctx, s.Parts)
	for _, p := range all {
		t := s.Catalog.ByID(p.Table)
		if t == nil || !s.showsTable(t.Database, t.Name) {
			continue
		}
		kind := "Wide"
		if p.Memtable {
			kind = "InMemory"
		}
		add(row{
			"partition": p.Partition, "name": p.Name, "uuid": uuid(p.UUID), "part_type": kind, "active": p.RemovedAt.IsZero(), "marks": p.Marks, "rows": p.Rows,
			"files": 1, "bytes_on_disk": p.BytesOnDisk, "data_compressed_bytes": p.CompressedBytes, "data_uncompressed_bytes": p.UncompressedBytes,
			"modification_time": p.Modified, "remove_time": p.RemovedAt, "refcount": p.Refs, "min_time": p.MinTime, "max_time": p.MaxTime,
			"min_date": p.MinTime, "max_date": p.MaxTime, "partition_id": p.PartitionID, "min_block_number": p.MinBlock, "max_block_number": p.MaxBlock,
			"level": p.Level, "primary_key_bytes_in_memory": p.PrimaryKeyBytesInMemory, "database": t.Database, "table": t.Name, "engine": t.Engine,
			"disk_name": p.Disk, "path": p.Path, "hash_of_all_files": p.HashOfAllFiles, "visible": 1,
		})
	}
	return err
}

func merges(ctx context.Context, s *Source, add func(row)) error {
	all, err := gathered(ctx, s.Merges)
	for _, m := range all {
		if t := s.Catalog.ByID(m.Table); t != nil && s.showsTable(t.Database, t.Name) {
			add(row{
				"database": t.Database, "table": t.Name, "elapsed": m.Elapsed.Seconds(), "progress": m.Progress, "num_parts": len(m.Sources),
				"source_part_names": append([]string{}, m.Sources...), "result_part_name": m.Result, "partition_id": m.PartitionID,
				"total_size_bytes_compressed": m.BytesCompressed, "rows_read": m.RowsRead, "rows_written": m.RowsWritten,
				"bytes_read_uncompressed": m.BytesRead, "bytes_written_uncompressed": m.BytesWritten, "memory_usage": m.MemoryUsage,
				"merge_type": "Regular", "merge_algorithm": "Vertical",
			})
		}
	}
	return err
}

func kafkaConsumers(ctx context.Context, s *Source, add func(row)) error {
	all, err := gathered(ctx, s.KafkaConsumers)
	for _, k := range all {
		t := s.Catalog.ByID(k.Table)
		if t == nil || !s.showsTable(t.Database, t.Name) {
			continue
		}
		var topics, states, texts []string
		var partitions []int32
		var offsets, lags []int64
		var times []time.Time
		for _, a := range k.Assignments {
			topics, partitions, offsets = append(topics, a.Topic), append(partitions, a.Partition), append(offsets, a.CurrentOffset)
			lags, states = append(lags, a.Lag), append(states, a.State)
		}
		for _, e := range k.Exceptions {
			times, texts = append(times, e.Time), append(texts, e.Text)
		}
		r := row{
			"database": t.Database, "table": t.Name, "consumer_id": k.ConsumerID, "last_poll_time": k.LastPoll, "num_messages_read": k.MessagesRead,
			"last_commit_time": k.LastCommit, "num_commits": k.Commits, "last_rebalance_time": k.LastRebalance, "is_currently_used": k.IsUsed, "last_used": k.LastUsed,
			"state": k.State,
		}
		if topics != nil {
			r["assignments.topic"], r["assignments.partition_id"], r["assignments.current_offset"] = topics, partitions, offsets
			r["assignments.lag"], r["assignments.state"] = lags, states
		}
		if times != nil {
			r["exceptions.time"], r["exceptions.text"] = times, texts
		}
		add(r)
	}
	return err
}

func replicas(ctx context.Context, s *Source, add func(row)) error {
	all, err := gathered(ctx, s.Replicas)
	if err != nil || len(all) == 0 {
		return err
	}
	for _, t := range s.Catalog.Tables("") {
		if t.Kind != catalog.KindTable || !s.showsTable(t.Database, t.Name) {
			continue
		}
		for _, p := range all {
			if p.Replicas < 2 && !strings.HasPrefix(t.Engine, "Replicated") {
				continue
			}
			faults := p.Faults[t.ID]
			add(row{"database": t.Database, "table": t.Name, "uuid": uuid(t.UUID), "engine": t.Engine, "is_leader": p.Leader, "can_become_leader": 1,
				"is_readonly": p.Readonly, "replica_name": s.Host, "log_max_index": p.Commit, "log_pointer": p.Applied, "absolute_delay": p.Lag,
				"total_replicas": p.Replicas, "active_replicas": p.Replicas,
				"queue_size": faults.Missing, "inserts_in_queue": faults.Missing, "parts_to_check": faults.Damaged})
		}
	}
	return nil
}
