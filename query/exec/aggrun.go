package exec

import "github.com/olapd/olapd/internal/column"

// aggRun is rows of one partition joined from several blocks, so that a few rows of each cost little more than many of one.
type aggRun struct {
	n     int
	words []uint64
	cols  []runColumn
	vals  []column.Vector
}

// runColumn joins one column: codes into one dictionary, or flat values.
type runColumn struct {
	used  bool
	first column.Vector // what came first since the last reset
	codes []uint32
	build column.Builder // flat; kept from run to run
}

// fits reports whether the columns of another block can be joined with those at hand.
func (r *aggRun) fits(b *aggBlock) bool {
	for i, v := range b.vals {
		switch v := v.(type) {
		case nil:
		case *column.Dict:
			if d, ok := r.cols[i].first.(*column.Dict); !ok || d.Values != v.Values {
				return false
			}
		default:
			if _, ok := r.cols[i].first.(*column.Dict); ok || r.cols[i].first.Type().Phys() != v.Type().Phys() { // states may be bytes or plain
				return false
			}
		}
	}
	return true
}

// add takes rows [from, to) of a block that fits.
func (r *aggRun) add(t *aggTable, b *aggBlock, from, to int) {
	r.words = append(r.words, t.enc.Rows(b.words, from, to)...)
	if r.cols == nil {
		r.cols = make([]runColumn, len(b.vals))
	}
	for i, v := range b.vals {
		if v != nil {
			r.cols[i].add(v, from, to, r.n == 0)
		}
	}
	r.n += to - from
}

func (c *runColumn) add(v column.Vector, from, to int, first bool) {
	if first {
		c.used, c.first = true, v
	}
	if d, ok := v.(*column.Dict); ok {
		c.codes = append(c.codes, d.Codes[from:to]...)
		return
	}
	if c.build == nil || c.build.Type().Phys() != v.Type().Phys() {
		c.build = column.New(v.Type(), runRows)
	}
	c.build.AppendRange(v, from, to)
}

// vectors returns the columns; valid until reset.
func (r *aggRun) vectors() []column.Vector {
	if r.vals == nil {
		r.vals = make([]column.Vector, len(r.cols))
	}
	for i := range r.cols {
		c := &r.cols[i]
		switch d, ok := c.first.(*column.Dict); {
		case !c.used:
		case ok:
			r.vals[i] = d.With(c.codes)
		default:
			r.vals[i] = c.build
		}
	}
	return r.vals
}

func (r *aggRun) reset() {
	r.n, r.words = 0, r.words[:0]
	for i := range r.cols {
		c := &r.cols[i]
		c.codes, c.first = c.codes[:0], nil
		if c.build != nil {
			c.build.Truncate(0)
		}
	}
}
