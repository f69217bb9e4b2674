package ingest

import (
	"slices"

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

// virtuals is what the virtual columns of the rows of one partition are made of: most views read none of them, so what all rows
// share is kept once, and what few messages have takes nothing until one has it.
type virtuals struct {
	fields  column.Schema
	offsets []uint64
	millis  []int64 // negative: the message has no timestamp
	nulls   bool    // some are
	topic   string
	part    int32
	sparse  [len(sparseNames)]column.Builder // from the first row that has one on
	begun   bool                             // some have
}

// sparseNames are the virtual columns that most messages have nothing for.
var sparseNames = [...]string{sparseKey: "_key", sparseHeader: "_headers.name", sparseValue: "_headers.value", sparseError: "_error", sparseRaw: "_raw_message"}

const (
	sparseKey = iota
	sparseHeader
	sparseValue
	sparseError
	sparseRaw
)

func newVirtuals(fields column.Schema, rows int) *virtuals {
	return &virtuals{fields: fields, offsets: make([]uint64, 0, rows), millis: make([]int64, 0, rows)}
}

// add appends n rows that came from r; failure is the error of a message that could not be read, or empty.
func (v *virtuals) add(r *kgo.Record, n int, failure string) {
	v.topic, v.part = r.Topic, r.Partition
	if len(r.Key) > 0 || len(r.Headers) > 0 || failure != "" || v.begun {
		v.addSparse(r, n, failure)
	}
	ms := r.Timestamp.UnixMilli()
	v.nulls = v.nulls || ms < 0
	for range n {
		v.offsets, v.millis = append(v.offsets, uint64(r.Offset)), append(v.millis, ms)
	}
}

func (v *virtuals) addSparse(r *kgo.Record, n int, failure string) {
	v.begun = true
	if len(r.Key) > 0 || v.sparse[sparseKey] != nil {
		repeat(v.from(sparseKey), n, func(b *column.Str) { b.Append(r.Key) })
	}
	if len(r.Headers) > 0 || v.sparse[sparseHeader] != nil || v.sparse[sparseValue] != nil {
		repeat(v.from(sparseHeader), n, func(b *column.Array) {
			for _, h := range r.Headers {
				b.Elem.(*column.Str).AppendString(h.Key)
			}
			b.EndValue()
		})
		repeat(v.from(sparseValue), n, func(b *column.Array) {
			for _, h := range r.Headers {
				b.Elem.(*column.Str).Append(h.Value)
			}
			b.EndValue()
		})
	}
	if failure != "" || v.sparse[sparseError] != nil || v.sparse[sparseRaw] != nil {
		raw := r.Value
		if failure == "" {
			raw = nil
		}
		repeat(v.from(sparseError), n, func(b *column.Str) { b.AppendString(failure) })
		repeat(v.from(sparseRaw), n, func(b *column.Str) { b.Append(raw) })
	}
}

// from is a sparse column, empty up to the rows there are when it begins; nil if the table hides it.
func (v *virtuals) from(sparse int) column.Builder {
	b := v.sparse[sparse]
	if b != nil {
		return b
	}
	if at := v.fields.Index(sparseNames[sparse]); at >= 0 {
		b = column.New(v.fields[at].Type, 0)
		for range v.offsets {
			b.AppendDefault()
		}
		v.sparse[sparse] = b
	}
	return b
}

// repeat calls one for each of n rows, unless b is nil; messages with many rows are the exception.
func repeat[B column.Builder](b column.Builder, n int, one func(B)) {
	t, ok := b.(B)
	for i := 0; ok && i < n; i++ {
		one(t)
	}
}

// columns returns the virtual columns.
func (v *virtuals) columns() []column.Vector {
	out := make([]column.Vector, len(v.fields))
	n := len(v.offsets)
	for i, f := range v.fields {
		switch f.Name {
		case "_topic":
			out[i] = &column.Const{Value: column.NewStrings(v.topic), N: n}
		case "_offset":
			out[i] = column.NewNum(f.Type, v.offsets)
		case "_partition":
			out[i] = &column.Const{Value: column.NewNum(f.Type, []uint64{uint64(v.part)}), N: n}
		case "_timestamp":
			seconds := make([]uint32, n)
			for k, ms := range v.millis {
				seconds[k] = uint32(max(ms, 0) / 1000)
			}
			out[i] = column.NewNullable(v.missing(), column.NewNum(f.Type.Elem(), seconds))
		case "_timestamp_ms":
			out[i] = column.NewNullable(v.missing(), column.NewNum(f.Type.Elem(), v.times()))
		default:
			if b := v.sparse[slices.Index(sparseNames[:], f.Name)]; b != nil {
				out[i] = b
			} else {
				out[i] = column.NewDefaults(f.Type, n)
			}
		}
	}
	return out
}

// missing tells the rows without a timestamp.
func (v *virtuals) missing() []uint8 {
	flags := make([]uint8, len(v.millis))
	if v.nulls {
		for i, ms := range v.millis {
			if ms < 0 {
				flags[i] = 1
			}
		}
	}
	return flags
}

// times are the timestamps in ms, 0 where there is none.
func (v *virtuals) times() []int64 {
	if !v.nulls {
		return v.millis
	}
	out := make([]int64, len(v.millis))
	for i, ms := range v.millis {
		out[i] = max(ms, 0)
	}
	return out
}
