package virtual

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
)

// row is one row by column; what is missing is the type's default. A func() any is called for its value if the column is read.
type row map[string]any

// rows gathers the columns a query reads.
type rows struct {
	names []string // the column whose value is shown
	cols  []column.Builder
	n     int
}

func newRows(schema column.Schema, alias []string, cols []int) *rows {
	r := &rows{}
	for _, c := range cols {
		name := schema[c].Name
		if alias != nil && alias[c] != "" {
			name = alias[c]
		}
		r.names = append(r.names, name)
		r.cols = append(r.cols, column.New(schema[c].Type.WithoutLowCardinality(), 0))
	}
	return r
}

func (r *rows) add(values row) {
	r.n++
	for i, name := range r.names {
		v := values[name]
		if v == nil {
			v = mapPart(values, name)
		}
		if later, ok := v.(func() any); ok {
			v = later()
		}
		if v != nil {
			appendGo(r.cols[i], v)
			continue
		}
		r.cols[i].AppendDefault()
	}
}

// mapPart is what mapKeys(m) and mapValues(m) are of a row; nil if the name is none of them.
func mapPart(values row, name string) any {
	for _, part := range []string{"mapKeys(", "mapValues("} {
		m, ok := strings.CutPrefix(name, part)
		if !ok || values[strings.TrimSuffix(m, ")")] == nil {
			continue
		}
		x := reflect.ValueOf(values[strings.TrimSuffix(m, ")")])
		var out []any
		for _, k := range sortedKeys(x) {
			if part == "mapKeys(" {
				out = append(out, k.Interface())
			} else {
				out = append(out, x.MapIndex(k).Interface())
			}
		}
		return out
	}
	return nil
}

// sortedKeys are the keys of a map with text for keys, in order.
func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

func (r *rows) block() *column.Block {
	b := &column.Block{N: r.n}
	for _, c := range r.cols {
		b.Cols = append(b.Cols, c)
	}
	return b
}

// appendGo appends a Go value of any kind that stands for the column's type: numbers of any width, bool, time.Time, the name of an
// enum value, slices and maps.
func appendGo(b column.Builder, v any) {
	t := b.Type()
	switch x := v.(type) {
	case time.Time:
		appendGo(b, ticks(t.Inner(), x))
		return
	case string:
		if in := t.Inner(); in.IsEnum() {
			n, _ := in.EnumNumber(x)
			appendGo(b, n)
			return
		}
	}
	switch b := b.(type) {
	case *column.Nullable:
		appendGo(b.Inner.(column.Builder), v)
		b.Nulls = append(b.Nulls, 0)
	case *column.Str:
		b.AppendString(fmt.Sprint(v))
	case *column.Array:
		each(v, func(e any) { appendGo(b.Elem.(column.Builder), e) })
		b.EndValue()
	case *column.Map:
		m := reflect.ValueOf(v)
		for _, k := range sortedKeys(m) {
			appendGo(b.Keys.(column.Builder), k.Interface())
			appendGo(b.Vals.(column.Builder), m.MapIndex(k).Interface())
		}
		b.EndValue()
	case *column.Num[types.U128]:
		column.AppendValue(b, v)
	case *column.Num[uint8]:
		b.Data = append(b.Data, number[uint8](v))
	case *column.Num[uint16]:
		b.Data = append(b.Data, number[uint16](v))
	case *column.Num[uint32]:
		b.Data = append(b.Data, number[uint32](v))
	case *column.Num[uint64]:
		b.Data = append(b.Data, number[uint64](v))
	case *column.Num[int8]:
		b.Data = append(b.Data, number[int8](v))
	case *column.Num[int16]:
		b.Data = append(b.Data, number[int16](v))
	case *column.Num[int32]:
		b.Data = append(b.Data, number[int32](v))
	case *column.Num[int64]:
		b.Data = append(b.Data, number[int64](v))
	case *column.Num[float32]:
		b.Data = append(b.Data, number[float32](v))
	case *column.Num[float64]:
		b.Data = append(b.Data, number[float64](v))
	default:
		b.AppendDefault()
	}
}

func each(v any, f func(any)) {
	s := reflect.ValueOf(v)
	for i := range s.Len() {
		f(s.Index(i).Interface())
	}
}

// number converts any Go number or bool.
func number[T uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | float32 | float64](v any) T {
	x := reflect.ValueOf(v)
	switch {
	case x.CanUint():
		return T(x.Uint())
	case x.CanInt():
		return T(x.Int())
	case x.CanFloat():
		return T(x.Float())
	case x.Kind() == reflect.Bool && x.Bool():
		return 1
	}
	return 0
}

// ticks is a time as the number that a type stores; the zero time is 0.
func ticks(t *types.Type, x time.Time) int64 {
	if x.IsZero() {
		return 0
	}
	switch t.Kind {
	case types.Date, types.Date32:
		return x.Unix() / 86400
	case types.DateTime64:
		n := x.UnixNano()
		for s := t.Scale; s < 9; s++ {
			n /= 10
		}
		return n
	}
	return x.Unix()
}

// morselRows is how many rows a scanner hands out at once.
const morselRows = 65536

// blockScanner hands out a block that is there.
type blockScanner struct {
	block *column.Block
	next  atomic.Int64
}

func (s *blockScanner) Next(ctx context.Context) (exec.Morsel, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	to := int(s.next.Add(morselRows))
	from := to - morselRows
	if from >= s.block.N {
		return nil, nil
	}
	return &blockMorsel{s.block, from, min(to, s.block.N)}, nil
}

func (s *blockScanner) Stats() exec.ScanStats {
	n := int64(s.block.N)
	return exec.ScanStats{Rows: n, TotalRows: n, Bytes: s.block.Bytes()}
}

func (s *blockScanner) Close() error { return nil }

// Ordered implements exec.Ordered: constant rows and listings keep their order.
func (s *blockScanner) Ordered() bool { return true }

type blockMorsel struct {
	b        *column.Block
	from, to int
}

func (m *blockMorsel) Rows() int { return m.to - m.from }

func (m *blockMorsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	v := m.b.Cols[i].Slice(m.from, m.to)
	if sel != nil {
		v = column.Gather(v, sel)
	}
	return v, nil
}
