package server

import (
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query"
)

var (
	eventType = types.NewEnum(types.Enum8, []types.EnumValue{{Name: "increment", Value: 1}, {Name: "gauge", Value: 2}})
	// eventColumns and logColumns are those of the packets ProfileEvents and Log.
	eventColumns = column.Schema{
		{Name: "host_name", Type: types.TString}, {Name: "current_time", Type: types.TDateTime}, {Name: "thread_id", Type: types.TUInt64},
		{Name: "type", Type: eventType}, {Name: "name", Type: types.TString}, {Name: "value", Type: types.TInt64},
	}
	logColumns = column.Schema{
		{Name: "event_time", Type: types.TDateTime}, {Name: "event_time_microseconds", Type: types.TUInt32}, {Name: "host_name", Type: types.TString},
		{Name: "query_id", Type: types.TString}, {Name: "thread_id", Type: types.TUInt64}, {Name: "priority", Type: types.TInt8},
		{Name: "source", Type: types.TString}, {Name: "text", Type: types.TString},
	}
)

// The types of events, and what the thread is called that stands for the whole query.
const (
	increment   = int8(1)
	gauge       = int8(2)
	wholeThread = uint64(0)
)

// appendEvents appends what the query has counted. REQUIRES: q.out.
func (q *nativeQuery) appendEvents(b []byte, kind string, p query.Progress) ([]byte, error) {
	var names []string
	var kinds []int8
	var values []int64
	add := func(name string, kind int8, v uint64) {
		if v > 0 {
			names, kinds, values = append(names, name), append(kinds, kind), append(values, int64(v))
		}
	}
	add("Query", increment, 1)
	switch kind {
	case "Select":
		add("SelectQuery", increment, 1)
	case "Insert":
		add("InsertQuery", increment, 1)
	}
	add("SelectedRows", increment, p.ReadRows)
	add("SelectedBytes", increment, p.ReadBytes)
	add("InsertedRows", increment, p.WrittenRows)
	add("InsertedBytes", increment, p.WrittenBytes)
	add("RealTimeMicroseconds", increment, p.ElapsedNanos/1000)
	add("MemoryTrackerPeakUsage", gauge, uint64(max(p.PeakMemory, 0)))
	n := len(names)
	now := uint32(q.s.cfg.Clock.Now().Unix())
	return q.out.enc.AppendPlain(b, uint64(protocol.ServerProfileEvents), protocol.Data{Schema: eventColumns, Block: &column.Block{N: n, Cols: []column.Vector{
		repeated(column.NewStrings(q.s.cfg.DisplayName), n), repeated(column.NewNum(types.TDateTime, []uint32{now}), n),
		repeated(column.NewNum(types.TUInt64, []uint64{wholeThread}), n), column.NewNum(eventType, kinds), column.NewStrings(names...),
		column.NewNum(types.TInt64, values),
	}}})
}

func repeated(one column.Vector, n int) column.Vector { return &column.Const{Value: one, N: n} }

// The priorities of log lines, as Poco numbers them, and the values of send_logs_level that ask for them.
const (
	priorityInformation = int8(6)
	priorityDebug       = int8(7)
)

var logLevels = map[string]int8{"information": priorityInformation, "debug": priorityDebug, "trace": 8, "test": 9}

// appendLogs appends the log lines of the query that the setting send_logs_level asks for. REQUIRES: q.out.
func (q *nativeQuery) appendLogs(b []byte, res *query.Result, p query.Progress) ([]byte, error) {
	level, _ := res.Settings.Get("send_logs_level")
	most := logLevels[strings.ToLower(level)]
	if most == 0 {
		return b, nil
	}
	seconds := max(float64(p.ElapsedNanos)/1e9, 1e-9)
	var sources, texts []string
	var priorities []int8
	add := func(priority int8, source, text string) {
		if priority <= most {
			sources, texts, priorities = append(sources, source), append(texts, text), append(priorities, priority)
		}
	}
	add(priorityDebug, "executeQuery", fmt.Sprintf("(from %s, user: %s) %s statement", q.net.RemoteAddr(), q.client.User, res.Kind))
	add(priorityInformation, "executeQuery", fmt.Sprintf("Read %d rows, %d bytes in %.6f sec., %.0f rows/sec., wrote %d rows.",
		p.ReadRows, p.ReadBytes, seconds, float64(p.ReadRows)/seconds, p.WrittenRows))
	add(priorityDebug, "MemoryTracker", fmt.Sprintf("Query peak memory usage: %d bytes.", p.PeakMemory))
	n, now := len(texts), q.s.cfg.Clock.Now()
	return q.out.enc.AppendPlain(b, uint64(protocol.ServerLog), protocol.Data{Schema: logColumns, Block: &column.Block{N: n, Cols: []column.Vector{
		repeated(column.NewNum(types.TDateTime, []uint32{uint32(now.Unix())}), n), repeated(column.NewNum(types.TUInt32, []uint32{uint32(now.Nanosecond() / 1000)}), n),
		repeated(column.NewStrings(q.s.cfg.DisplayName), n), repeated(column.NewStrings(res.QueryID), n),
		repeated(column.NewNum(types.TUInt64, []uint64{wholeThread}), n), column.NewNum(types.TInt8, priorities),
		column.NewStrings(sources...), column.NewStrings(texts...),
	}}})
}
