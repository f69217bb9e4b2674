package exec

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/grouping"
)

// CopyNumbers adds a column that numbers the rows of equal keys from 1 on, in the order they come: row_number() over partitions, without
// sorting or holding the rows.
type CopyNumbers struct {
	base
	keys   []int
	schema column.Schema
	text   string
}

// NewCopyNumbers returns a CopyNumbers; schema is the input's.
func NewCopyNumbers(in Operator, keys []int, schema column.Schema, text string) *CopyNumbers {
	return &CopyNumbers{base: base{inputs: []Operator{in}}, keys: keys, schema: schema, text: text}
}

// Describe implements Operator.
func (n *CopyNumbers) Describe() string { return strings.TrimSpace(n.text) }

func (n *CopyNumbers) streams(r *run) ([]Stream, error) {
	in, err := single(r, n.inputs[0])
	if err != nil {
		return nil, err
	}
	table, held := grouping.New(columnTypes(n.schema, n.keys), r.opts.CollideHashes).Share(r.opts.Unions), r.reservation()
	var counts []uint64
	return []Stream{&mapped{in: in, f: func(b *column.Block) (*column.Block, error) {
		ids := make([]uint32, b.N)
		if err := held.set(table.Bytes() + table.Growth(b.N) + 8*int64(cap(counts)+b.N)); err != nil {
			return nil, err
		}
		if err := table.Insert(pick(b, n.keys), ids); err != nil {
			return nil, err
		}
		counts = append(counts, make([]uint64, table.Len()-len(counts))...)
		numbers := make([]uint64, b.N)
		for i, id := range ids {
			counts[id]++
			numbers[i] = counts[id]
		}
		cols := append(b.Cols[:len(b.Cols):len(b.Cols)], column.NewNum(types.TUInt64, numbers))
		return &column.Block{Cols: cols, N: b.N}, held.set(table.Bytes() + 8*int64(cap(counts)))
	}}}, nil
}
