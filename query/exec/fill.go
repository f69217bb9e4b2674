package exec

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
)

// FillSpec says what a Fill adds; see plan.Fill.
type FillSpec struct {
	Prefix []int
	Keys   []plan.FillKey
	// Copied are columns that take the value of the row before; Computed those that Program computes from it.
	Copied   []int
	Computed []int
	Program  *eval.Program
	Zone     *time.Location // of keys without one
	Fields   column.Schema
	Text     string
}

// Fill adds rows for the missing values of sort keys to sorted rows, one after the other as they are asked for.
type Fill struct {
	base
	FillSpec
}

// NewFill returns a Fill.
func NewFill(in Operator, spec FillSpec) *Fill {
	return &Fill{base: base{inputs: []Operator{in}}, FillSpec: spec}
}

// Describe implements Operator.
func (f *Fill) Describe() string { return strings.TrimSpace(f.Text) }

func (f *Fill) streams(r *run) ([]Stream, error) {
	in, err := single(r, f.inputs[0])
	if err != nil {
		return nil, err
	}
	s := &fillStream{f: f, in: in, size: r.opts.MaxBlockSize, given: make([]bool, len(f.Fields))}
	s.grid = newFillGrid(f.Keys, f.Fields, f.Zone)
	for _, cols := range [][]int{f.Prefix, f.Copied, f.Computed} {
		for _, c := range cols {
			s.given[c] = true
		}
	}
	for _, k := range f.Keys {
		s.given[k.Index] = true
	}
	return []Stream{s}, nil
}

// fillPhase is what a fillStream does next.
type fillPhase uint8

const (
	fillFetch  fillPhase = iota // take an input row
	fillBefore                  // rows missing before it, and then it
	fillAfter                   // rows missing behind the last of a group
	fillDone
)

type fillStream struct {
	f     *Fill
	in    Stream
	size  int
	grid  *fillGrid
	phase fillPhase
	open  bool // a group of rows of one prefix is being filled
	begun bool // any was
	ended bool // the input

	b     *column.Block // of the input
	row   int
	last  *column.Block // with the group's last input row
	at    int
	given []bool // columns that do not take their default
	out   []column.Builder
	n     int
	prev  []column.Vector // the last row yielded, where out is empty
}

func (s *fillStream) stop() { stop(s.in) }

// Next implements Stream.
func (s *fillStream) Next(ctx context.Context) (*column.Block, error) {
	s.out, s.n = make([]column.Builder, len(s.f.Fields)), 0
	for i, f := range s.f.Fields {
		s.out[i] = column.New(f.Type.WithoutLowCardinality(), 0)
	}
	for s.n < s.size && s.phase != fillDone {
		if err := s.step(ctx); err != nil {
			return nil, err
		}
	}
	if s.n == 0 {
		return nil, nil
	}
	b := &column.Block{N: s.n}
	for _, c := range s.out {
		b.Cols = append(b.Cols, c)
	}
	s.prev = sliceBlock(b, s.n-1, s.n).Cols
	return b, nil
}

func (s *fillStream) step(ctx context.Context) error {
	switch s.phase {
	case fillFetch:
		return s.fetch(ctx)
	case fillBefore:
		if s.grid.next() {
			return s.insert()
		}
		s.copyRow()
		s.grid.passed(s.b, s.row)
		s.last, s.at = s.b, s.row
		s.row++
		s.phase = fillFetch
	case fillAfter:
		if s.grid.next() {
			return s.insert()
		}
		s.open, s.phase = false, fillFetch
	}
	return nil
}

// fetch looks at the next input row: it may begin a group, or be none.
func (s *fillStream) fetch(ctx context.Context) error {
	for !s.ended && (s.b == nil || s.row == s.b.N) {
		b, err := s.in.Next(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			s.ended = true
			break
		}
		s.b, s.row = b, 0
	}
	switch {
	case s.ended && !s.begun:
		s.begun, s.open, s.phase = true, true, fillAfter
		if s.grid.alone() {
			return s.insert()
		}
		return nil
	case s.open && (s.ended || s.leaves()):
		s.phase = fillAfter
		if s.grid.finish() {
			return s.insert()
		}
		return nil
	case s.ended:
		s.phase = fillDone
		return nil
	case s.grid.hasNull(s.b, s.row):
		s.copyRow()
		s.row++
		return nil
	}
	return s.enter()
}

// leaves reports whether the row at hand ends the group: its prefix is another, or a key is NULL.
func (s *fillStream) leaves() bool {
	if s.grid.hasNull(s.b, s.row) {
		return true
	}
	return slices.ContainsFunc(s.f.Prefix, func(c int) bool {
		return column.Compare(s.b.Cols[c], s.row, s.last.Cols[c], s.at) != 0
	})
}

// enter makes the row at hand the one to reach.
func (s *fillStream) enter() error {
	s.phase = fillBefore
	if !s.open {
		s.open, s.begun, s.last, s.at = true, true, s.b, s.row
		if s.grid.start(s.b, s.row) {
			if err := s.insert(); err != nil {
				return err
			}
		}
	}
	if s.grid.reach(s.b, s.row) {
		return s.insert()
	}
	return nil
}

func (s *fillStream) copyRow() {
	for i, c := range s.out {
		c.AppendFrom(s.b.Cols[i], s.row)
	}
	s.n++
}

// insert adds the row of the grid's values.
func (s *fillStream) insert() error {
	if err := s.interpolate(); err != nil {
		return err
	}
	for i, c := range s.out {
		if !s.given[i] {
			c.AppendDefault()
		}
	}
	for _, c := range s.f.Prefix {
		s.out[c].AppendFrom(s.last.Cols[c], s.at)
	}
	for i, k := range s.f.Keys {
		s.grid.append(s.out[k.Index], i)
	}
	s.n++
	return nil
}

// interpolate appends what is taken or computed from the row before; the first row of all has defaults before it.
func (s *fillStream) interpolate() error {
	if len(s.f.Copied)+len(s.f.Computed) == 0 {
		return nil
	}
	prev := s.previous()
	var computed []column.Vector
	if len(s.f.Computed) > 0 {
		var err error
		if computed, err = s.f.Program.Run(&column.Block{Cols: prev, N: 1}); err != nil {
			return err
		}
	}
	for _, c := range s.f.Copied {
		s.out[c].AppendFrom(prev[c], 0)
	}
	for i, c := range s.f.Computed {
		s.out[c].AppendFrom(computed[i], 0)
	}
	return nil
}

func (s *fillStream) previous() []column.Vector {
	if s.n > 0 {
		out := make([]column.Vector, len(s.out))
		for i, c := range s.out {
			out[i] = c.Slice(s.n-1, s.n)
		}
		return out
	}
	if s.prev == nil {
		for _, f := range s.f.Fields {
			s.prev = append(s.prev, column.Flatten(column.NewDefaults(f.Type.WithoutLowCardinality(), 1)))
		}
	}
	return s.prev
}
