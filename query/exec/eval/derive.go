package eval

import (
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Dictionaries. A tree of functions that reads one dictionary-coded column, and constants beside it, is evaluated
// once per entry and query: all workers that come to it share the work, chunk by chunk, and the result stays
// with the node under the dictionary's identity. Rows then only look their code up; strings stay coded.
//
// An entry that no row uses may be one that a function refuses: where an entry fails, rows are computed as if there were no dictionary.

// Limits of derivations.
const (
	// derivedChunk is the entries one worker evaluates at a time: a fraction of a millisecond of cheap functions, few of a regular expression.
	derivedChunk = 8192
	// entriesPerRow is how many entries a dictionary may have per row seen: of a larger one only few may be used.
	entriesPerRow = 8
	// maxDerivations is how many dictionaries a node remembers: about as many as segments that workers alternate between.
	maxDerivations = 16
	// maxDerivedBytes bounds what is kept for one node and dictionary; a larger result is not worth holding.
	maxDerivedBytes = 256 << 20
	// keptBytes bounds what a node keeps of dictionaries before the last two, which workers may be at.
	keptBytes = 256 << 20
)

// Values of node.only beside the position of an input column.
const (
	readsNothing = -1 // constants only
	readsMore    = -2 // several columns, or not a function of them
)

// reads joins what two parts of an expression read.
func reads(a, b int) int {
	switch {
	case a == readsNothing || a == b:
		return b
	case b == readsNothing:
		return a
	}
	return readsMore
}

// derivations holds what a node is over each dictionary.
type derivations struct {
	sync.Mutex
	all []*derivation // the oldest first
}

// derivation is a node evaluated over a dictionary, by all workers that need it.
type derivation struct {
	entries column.Vector // the dictionary; with NULL behind it if withNull
	key     column.Vector // the dictionary's identity
	null    bool          // the column is Nullable
	rows    atomic.Int64  // seen so far
	chunks  []column.Vector
	next    atomic.Int64
	left    atomic.Int64
	bytes   atomic.Int64
	failed  atomic.Bool
	begun   bool // REQUIRES derivations.Mutex
	done    chan struct{}
	result  column.Vector // flat, per entry; nil if an entry failed
}

// derived computes a node that reads one dictionary-coded column by way of the entries; nil if it is not such a node, does not pay or fails.
func (p *Program) derived(i int, in *column.Block) (column.Vector, error) {
	n := p.nodes[i]
	if n.only < 0 || n.kind == columnNode {
		return nil, nil
	}
	dict, nulls := dictOf(in.Cols[n.only])
	if dict == nil {
		return nil, nil
	}
	d := n.derived.of(dict.Values, nulls != nil, len(dict.Codes))
	if d == nil {
		return nil, nil
	}
	d.help(p, i, len(in.Cols))
	<-d.done
	if err := p.cancelled(); err != nil {
		return nil, err
	}
	if d.result == nil {
		return nil, nil
	}
	codes := dict.Codes
	if nulls != nil {
		codes = withNullCode(codes, nulls, uint32(dict.Values.Len()))
	}
	return recode(d.result, codes), nil
}

// cancelled is the error of a query that was ended.
func (p *Program) cancelled() error {
	if p.env.Ctx == nil {
		return nil
	}
	return p.env.Ctx.Err()
}

// dictOf takes a dictionary-coded column apart; nulls is nil if it is not Nullable.
func dictOf(v column.Vector) (d *column.Dict, nulls []uint8) {
	switch v := v.(type) {
	case *column.Dict:
		return v, nil
	case *column.Nullable:
		d, _ = v.Inner.(*column.Dict)
		return d, v.Nulls
	}
	return nil, nil
}

// of returns the derivation over a dictionary of which n more rows were seen; nil as long as it has far more entries.
func (ds *derivations) of(values column.Vector, null bool, n int) *derivation {
	ds.Lock()
	defer ds.Unlock()
	d := ds.find(values, null)
	if d.begun {
		return d
	}
	if int64(values.Len()) > entriesPerRow*d.rows.Add(int64(n)) {
		return nil
	}
	d.begin()
	return d
}

// find returns the derivation over a dictionary, made if there is none. REQUIRES: ds.Mutex.
func (ds *derivations) find(values column.Vector, null bool) *derivation {
	for _, d := range ds.all {
		if d.key == values && d.null == null {
			return d
		}
	}
	for len(ds.all) >= maxDerivations || len(ds.all) > 2 && ds.bytes() > keptBytes {
		ds.all = append(ds.all[:0:0], ds.all[1:]...)
	}
	d := &derivation{key: values, null: null, done: make(chan struct{})}
	ds.all = append(ds.all, d)
	return d
}

// bytes is what the derivations hold. REQUIRES: ds.Mutex.
func (ds *derivations) bytes() int64 {
	n := int64(0)
	for _, d := range ds.all {
		n += d.bytes.Load()
	}
	return n
}

// begin makes the derivation ready to be helped with. REQUIRES: derivations.Mutex.
func (d *derivation) begin() {
	d.begun, d.entries = true, d.key
	if d.null {
		d.entries = withNullEntry(d.key)
	}
	n := max((d.entries.Len()+derivedChunk-1)/derivedChunk, 1)
	d.chunks = make([]column.Vector, n)
	d.left.Store(int64(n))
}

// help evaluates chunks of node i until none is left to take.
func (d *derivation) help(p *Program, i, width int) {
	for {
		k := int(d.next.Add(1)) - 1
		if k >= len(d.chunks) {
			return
		}
		d.chunk(p, i, width, k)
	}
}

// chunk evaluates chunk k; nobody waits for one in vain, even if a function panics.
func (d *derivation) chunk(p *Program, i, width, k int) {
	defer func() {
		if d.chunks[k] == nil {
			d.failed.Store(true)
		}
		if d.left.Add(-1) == 0 {
			d.finish()
		}
	}()
	if d.failed.Load() {
		return
	}
	from := k * derivedChunk
	to := min(from+derivedChunk, d.entries.Len())
	in := &column.Block{Cols: make([]column.Vector, width), N: to - from}
	in.Cols[p.nodes[i].only] = d.entries.Slice(from, to)
	v, err := p.entries(i, in)
	if err != nil || p.cancelled() != nil {
		return
	}
	v = column.Flatten(v)
	if d.bytes.Add(v.Bytes()) <= maxDerivedBytes {
		d.chunks[k] = v
	}
}

// entries computes node i for the entries of a block.
func (p *Program) entries(i int, in *column.Block) (column.Vector, error) {
	if !p.lazy.Load() {
		f := p.frame()
		v, err := p.value(f, i, in)
		p.release(f)
		if err == nil || !p.branches || isFinal(err) {
			return v, err
		}
	}
	return p.lazily(i, in)
}

// finish joins the chunks.
func (d *derivation) finish() {
	if !d.failed.Load() {
		d.result = column.Concat(d.chunks...)
	}
	clear(d.chunks) // not nil: other workers still look for one to take
	d.entries = nil
	close(d.done)
}

// withNullEntry is Nullable around the entries of a dictionary, and NULL behind them.
func withNullEntry(values column.Vector) column.Vector {
	n := values.Len()
	nulls := make([]uint8, n+1)
	nulls[n] = 1
	if s, ok := values.(*column.Str); ok && s.Typ.Kind == types.String { // shares the bytes
		off := make([]uint32, n+2)
		copy(off, s.Off)
		off[n+1] = off[n]
		return column.NewNullable(nulls, &column.Str{Typ: s.Typ, Off: off, Data: s.Data})
	}
	b := column.New(values.Type(), n+1)
	b.AppendRange(values, 0, n)
	b.AppendDefault()
	return column.NewNullable(nulls, b)
}

// withNullCode is the codes, and null where a row is NULL.
func withNullCode(codes []uint32, nulls []uint8, null uint32) []uint32 {
	out := make([]uint32, len(codes))
	for i, c := range codes {
		if nulls[i] != 0 {
			c = null
		}
		out[i] = c
	}
	return out
}

// recode spreads results per entry over rows: strings stay coded, the rest is gathered.
func recode(r column.Vector, codes []uint32) column.Vector {
	switch r := r.(type) {
	case *column.Str:
		return &column.Dict{Codes: codes, Values: r}
	case *column.Nullable:
		if s, ok := r.Inner.(*column.Str); ok {
			nulls := make([]uint8, len(codes))
			for i, c := range codes {
				nulls[i] = r.Nulls[c]
			}
			return column.NewNullable(nulls, &column.Dict{Codes: codes, Values: s})
		}
	}
	return column.Gather(r, codes)
}
