package exec

import (
	"context"
	"math"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/plan"
)

// Slice is LIMIT and OFFSET counted from the end, or as parts of all rows: it holds the rows until it knows how many there are.
type Slice struct {
	base
	limit, offset plan.Portion
	ties          *tieCheck // WITH TIES, or nil
	text          string
}

// NewSlice returns a Slice; ties are the sort keys of WITH TIES, or nil.
func NewSlice(in Operator, limit, offset plan.Portion, ties []plan.SortKey, text string) *Slice {
	s := &Slice{base: base{inputs: []Operator{in}}, limit: limit, offset: offset, text: text}
	if len(ties) > 0 {
		s.ties = &tieCheck{ties}
	}
	return s
}

// Describe implements Operator.
func (s *Slice) Describe() string { return strings.TrimSpace(s.text) }

func (s *Slice) streams(r *run) ([]Stream, error) {
	in, err := single(r, s.inputs[0])
	if err != nil {
		return nil, err
	}
	return []Stream{&sliceStream{r: r, in: in, cut: s.cut}}, nil
}

// sliceStream cuts at the first Next.
type sliceStream struct {
	r    *run
	in   Stream
	cut  func(ctx context.Context, r *run, in Stream) (*column.Block, error)
	done bool
	rest blocksOf
}

func (s *sliceStream) stop() { stop(s.in) }

func (s *sliceStream) Next(ctx context.Context) (*column.Block, error) {
	if !s.done {
		s.done = true
		b, err := s.cut(ctx, s.r, s.in)
		if err != nil {
			return nil, err
		}
		s.rest = blocksOf{b: b, size: s.r.opts.MaxBlockSize}
	}
	return s.rest.next(), nil
}

// cut reads all rows and cuts out the wanted ones. Where both bounds are counted from the end it holds no more than they speak of.
func (s *Slice) cut(ctx context.Context, r *run, in Stream) (*column.Block, error) {
	var blocks []*column.Block
	held, total, dropped := r.reservation(), uint64(0), uint64(0)
	want := s.tail()
	err := drain(ctx, in, func(b *column.Block) error {
		blocks, total = append(blocks, b), total+uint64(b.N)
		size := blockBytes(b)
		for want > 0 && total-dropped-uint64(blocks[0].N) >= want {
			size -= blockBytes(blocks[0])
			dropped += uint64(blocks[0].N)
			blocks = blocks[1:]
		}
		return held.add(2 * size) // joined at the end
	})
	if err != nil || len(blocks) == 0 {
		return nil, err
	}
	b := concatBlocks(blocks)
	from, to := plan.Cut(total, s.limit, s.offset)
	from, to = max(from, dropped)-dropped, max(to, dropped)-dropped
	if s.ties != nil && from < to {
		from, to = s.widen(b, from, to, total)
	}
	return sliceBlock(b, int(from), int(to)), nil
}

// tail is how many of the last rows matter; 0 is all.
func (s *Slice) tail() uint64 {
	fromEnd := s.limit.FromEnd && (s.offset.FromEnd || s.offset == plan.Portion{})
	if !fromEnd || s.ties != nil || s.limit.Rows > math.MaxUint64-s.offset.Rows {
		return 0
	}
	return s.limit.Rows + s.offset.Rows
}

// widen takes in the rows beside the cut that are equal to the last row of the side the limit counts to.
func (s *Slice) widen(b *column.Block, from, to, total uint64) (uint64, uint64) {
	first, end := plan.Cut(total, plan.Portion{Rows: plan.NoLimit}, s.offset)
	if !s.limit.FromEnd {
		n := s.ties.run(sliceBlock(b, int(to)-1, int(to)), b, int(to))
		return from, min(to+uint64(n), end)
	}
	for from > first && s.ties.equal(b, int(from)-1, int(from)) {
		from--
	}
	return from, to
}

// equal compares two rows of a block.
func (t *tieCheck) equal(b *column.Block, i, j int) bool {
	for _, k := range t.keys {
		if v := b.Cols[k.Index]; column.CompareOrder(v, i, v, j, k.Order) != 0 {
			return false
		}
	}
	return true
}

// SliceBy is LIMIT BY counted from the end: it holds all rows.
type SliceBy struct {
	Slice
	keys   []int
	schema column.Schema
}

// NewSliceBy returns a SliceBy of the groups of equal keys.
func NewSliceBy(in Operator, keys []int, limit, offset plan.Portion, schema column.Schema, text string) *SliceBy {
	return &SliceBy{Slice: *NewSlice(in, limit, offset, nil, text), keys: keys, schema: schema}
}

func (s *SliceBy) streams(r *run) ([]Stream, error) {
	in, err := single(r, s.inputs[0])
	if err != nil {
		return nil, err
	}
	return []Stream{&sliceStream{r: r, in: in, cut: s.cut}}, nil
}

// rowBytes is what a row's group and number in it take.
const rowBytes = 4 + 8

// cut numbers the rows of each group, and then keeps those within the group's cut.
func (s *SliceBy) cut(ctx context.Context, r *run, in Stream) (*column.Block, error) {
	table, held := grouping.New(columnTypes(s.schema, s.keys), r.opts.CollideHashes), r.reservation()
	var blocks []*column.Block
	var groups []uint32
	var numbers, counts []uint64
	err := drain(ctx, in, func(b *column.Block) error {
		if err := held.add(2*blockBytes(b) + rowBytes*int64(b.N) + table.Growth(b.N)); err != nil {
			return err
		}
		ids := make([]uint32, b.N)
		if err := table.Insert(pick(b, s.keys), ids); err != nil {
			return err
		}
		counts = append(counts, make([]uint64, table.Len()-len(counts))...)
		for _, id := range ids {
			numbers = append(numbers, counts[id])
			counts[id]++
		}
		blocks, groups = append(blocks, b), append(groups, ids...)
		return nil
	})
	if err != nil || len(blocks) == 0 {
		return nil, err
	}
	var sel []uint32
	for i, id := range groups {
		if from, to := plan.Cut(counts[id], s.limit, s.offset); numbers[i] >= from && numbers[i] < to {
			sel = append(sel, uint32(i))
		}
	}
	return gatherBlock(concatBlocks(blocks), sel), nil
}
