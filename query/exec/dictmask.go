package exec

import (
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/eval"
)

// dictMasks remembers which entries of the dictionaries met so far pass a predicate.
type dictMasks struct {
	sync.Mutex
	of map[column.Vector]*dictMask
}

// dictMask is a predicate evaluated over a whole dictionary, by all workers that need it: each takes chunk after chunk, and who finds
// none left waits for those still at work.
type dictMask struct {
	mask   []uint8 // per entry, and one more for NULL
	chunks int
	next   atomic.Int64
	left   atomic.Int64
	failed atomic.Bool // an entry that no row uses may be one that a function refuses
	done   chan struct{}
}

// Limits of the evaluation over dictionaries: entries of one chunk, a few milliseconds' work; and how many dictionaries
// are remembered, about as many as segments that workers alternate between.
const (
	dictChunk    = 32_768
	maxDictMasks = 16
	// cheapPerRow is what reading and testing a row costs at least, in tenths of a nanosecond.
	cheapPerRow = 5
)

// entries returns which entries pass p, exact at least for those the rows at hand use, or nil if rows had better be evaluated one by one.
func (w *scanStream) entries(p *Predicate, col int, c codedRows) (entries []uint8, sunk int64, err error) {
	n := c.dict.Values.Len()
	m := p.dicts.get(c.dict.Values)
	if m == nil {
		if !w.wholePays(p, n, c) {
			return w.lazyEntries(p, col, c)
		}
		m = p.dicts.start(c.dict.Values, n)
	}
	start := w.r.opts.Clock.Now()
	m.help(p, col, len(w.view.block.Cols), c)
	select {
	case <-m.done:
	case <-w.r.ctx.Done():
		return nil, 0, w.r.ctx.Err()
	}
	if m.failed.Load() {
		return nil, 0, nil
	}
	return m.mask, int64(w.r.opts.Clock.Since(start)), nil
}

// wholePays reports whether evaluating all n entries costs less than evaluating those that rows will use, or next to nothing beside the scan. How many
// rows are still to come is guessed from those left of this morsel; under a Sort's bound few are, so that entries are evaluated as they
// come up, until that has cost half of what all would.
func (w *scanStream) wholePays(p *Predicate, n int, c codedRows) bool {
	rows := w.view.block.N
	if n <= dictChunk || n <= rows || int64(n)*int64(p.Cost) <= cheapPerRow*w.s.planned.Rows {
		return true
	}
	if w.top != nil || w.s.Limit > 0 {
		l := w.lazy[p]
		return l != nil && l.values == c.dict.Values && l.evaluated > n/2
	}
	share := float64(rows) / float64(max(w.view.m.Rows(), 1))
	return share*float64(w.s.planned.Rows)/float64(max(w.s.planned.Segments, 1)) > float64(n)/2
}

func (d *dictMasks) get(values column.Vector) *dictMask {
	d.Lock()
	defer d.Unlock()
	return d.of[values]
}

// start returns the evaluation over a dictionary of n entries, the one that another worker has begun if there is.
func (d *dictMasks) start(values column.Vector, n int) *dictMask {
	d.Lock()
	defer d.Unlock()
	if m := d.of[values]; m != nil {
		return m
	}
	if d.of == nil || len(d.of) >= maxDictMasks {
		d.of = map[column.Vector]*dictMask{}
	}
	m := &dictMask{mask: make([]uint8, n+1), chunks: max((n+dictChunk-1)/dictChunk, 1), done: make(chan struct{})}
	m.left.Store(int64(m.chunks))
	d.of[values] = m
	return m
}

// help evaluates chunks until none is left to take.
func (m *dictMask) help(p *Predicate, col, width int, c codedRows) {
	n := len(m.mask) - 1
	for {
		k := int(m.next.Add(1)) - 1
		if k >= m.chunks {
			return
		}
		from := k * dictChunk
		m.chunk(p, col, width, c, from, min(from+dictChunk, n))
		if m.left.Add(-1) == 0 {
			close(m.done)
		}
	}
}

func (m *dictMask) chunk(p *Predicate, col, width int, c codedRows, from, to int) {
	if m.failed.Load() {
		return
	}
	mask, err := evaluate(p, col, width, c.values(from, to))
	if err != nil {
		m.failed.Store(true)
		return
	}
	copy(m.mask[from:to], mask)
	if c.nulls != nil && to == len(m.mask)-1 {
		m.mask[to] = mask[to-from]
	}
}

// evaluate computes a predicate over values of its only column.
func evaluate(p *Predicate, col, width int, values column.Vector) ([]uint8, error) {
	b := &column.Block{Cols: make([]column.Vector, width), N: values.Len()}
	b.Cols[col] = values
	v, err := p.Program.Run1(b)
	if err != nil {
		return nil, err
	}
	return eval.Truth(v, b.N), nil
}

// lazyMask is the entries of a large dictionary that one worker has evaluated so far.
type lazyMask struct {
	values    column.Vector
	mask      []uint8
	known     []bool
	evaluated int
}

// lazyEntries evaluates the entries that the rows at hand use and that are not known yet.
func (w *scanStream) lazyEntries(p *Predicate, col int, c codedRows) ([]uint8, int64, error) {
	n := c.dict.Values.Len()
	l := w.lazy[p]
	if l == nil || l.values != c.dict.Values {
		l = &lazyMask{values: c.dict.Values, mask: make([]uint8, n+1), known: make([]bool, n+1)}
		if w.lazy == nil {
			w.lazy = map[*Predicate]*lazyMask{}
		}
		w.lazy[p] = l
	}
	var fresh []uint32
	for _, code := range c.dict.Codes {
		if !l.known[code] {
			l.known[code] = true
			fresh = append(fresh, code)
		}
	}
	if len(fresh) == 0 && (c.nulls == nil || l.known[n]) {
		return l.mask, 0, nil
	}
	at := codedRows{dict: &column.Dict{Values: column.Gather(c.dict.Values, fresh)}, nulls: c.nulls}
	mask, err := evaluate(p, col, len(w.view.block.Cols), at.values(0, len(fresh)))
	if err != nil {
		delete(w.lazy, p) // the rows one by one tell whether it is a row that fails
		return nil, 0, nil
	}
	for i, code := range fresh {
		l.mask[code] = mask[i]
	}
	if c.nulls != nil {
		l.mask[n], l.known[n] = mask[len(fresh)], true
	}
	l.evaluated += len(fresh)
	return l.mask, 0, nil
}
