package ingest

import (
	"slices"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/twmb/franz-go/pkg/kgo"
)

// virtualColumns are the columns each row has beside the message's own, in ClickHouse's order and types.
var virtualColumns = column.Schema{
	{Name: "_topic", Type: types.NewLowCardinality(types.TString)},
	{Name: "_key", Type: types.TString},
	{Name: "_offset", Type: types.TUInt64},
	{Name: "_partition", Type: types.TUInt64},
	{Name: "_timestamp", Type: types.NewNullable(types.TDateTime)},
	{Name: "_timestamp_ms", Type: types.NewNullable(types.NewDateTime64(3, nil))},
	{Name: "_headers.name", Type: types.NewArray(types.TString)},
	{Name: "_headers.value", Type: types.NewArray(types.TString)},
}

// streamColumns are added by kafka_handle_error_mode = 'stream'.
var streamColumns = column.Schema{
	{Name: "_raw_message", Type: types.TString},
	{Name: "_error", Type: types.TString},
}

// VirtualColumns returns the columns that a table of this configuration has beside its own; a column of the table
// hides the virtual column of its name.
func (c *Config) VirtualColumns(table column.Schema) column.Schema {
	all := virtualColumns
	if c.Errors == ErrorStream {
		all = slices.Concat(virtualColumns, streamColumns)
	}
	return slices.DeleteFunc(slices.Clone(all), func(v column.Field) bool {
		return slices.ContainsFunc(table, func(f column.Field) bool { return f.Name == v.Name })
	})
}

// virtuals builds the virtual columns of the rows of one partition.
type virtuals struct {
	fields column.Schema
	cols   []column.Builder
}

func newVirtuals(fields column.Schema) *virtuals {
	v := &virtuals{fields: fields, cols: make([]column.Builder, len(fields))}
	for i, f := range fields {
		v.cols[i] = column.New(f.Type, 0)
	}
	return v
}

// add appends n rows that came from r; failure is the error of a message that could not be read, or empty.
func (v *virtuals) add(r *kgo.Record, n int, failure string) {
	for i, f := range v.fields {
		b := v.cols[i]
		switch f.Name {
		case "_topic":
			repeat(b, n, func(b *column.Str) { b.AppendString(r.Topic) })
		case "_key":
			repeat(b, n, func(b *column.Str) { b.Append(r.Key) })
		case "_offset":
			addNum(b, n, uint64(r.Offset))
		case "_partition":
			addNum(b, n, uint64(r.Partition))
		case "_timestamp":
			addTime(b, n, r.Timestamp, uint32(max(r.Timestamp.Unix(), 0)))
		case "_timestamp_ms":
			addTime(b, n, r.Timestamp, r.Timestamp.UnixMilli())
		case "_headers.name":
			repeat(b, n, func(b *column.Array) {
				for _, h := range r.Headers {
					b.Elem.(*column.Str).AppendString(h.Key)
				}
				b.EndValue()
			})
		case "_headers.value":
			repeat(b, n, func(b *column.Array) {
				for _, h := range r.Headers {
					b.Elem.(*column.Str).Append(h.Value)
				}
				b.EndValue()
			})
		case "_error":
			repeat(b, n, func(b *column.Str) { b.AppendString(failure) })
		case "_raw_message":
			raw := r.Value
			if failure == "" {
				raw = nil
			}
			repeat(b, n, func(b *column.Str) { b.Append(raw) })
		}
	}
}

// repeat calls one for each of n rows; messages with many rows are the exception.
func repeat[B column.Builder](b column.Builder, n int, one func(B)) {
	t := b.(B)
	for range n {
		one(t)
	}
}

func addNum[T column.Elem](b column.Builder, n int, x T) {
	v := b.(*column.Num[T])
	for range n {
		v.Data = append(v.Data, x)
	}
}

// addTime appends n times x, or NULL for a record without a timestamp, which Kafka writes as -1.
func addTime[T column.Elem](b column.Builder, n int, at time.Time, x T) {
	v := b.(*column.Nullable)
	for range n {
		if at.UnixMilli() < 0 {
			v.AppendNull()
			continue
		}
		inner := v.Inner.(*column.Num[T])
		inner.Data = append(inner.Data, x)
		v.Nulls = append(v.Nulls, 0)
	}
}
