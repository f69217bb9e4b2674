package eval

import (
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// Dictionaries. A tree of functions that reads one dictionary-coded column, and constants beside it, is evaluated
// once per entry and query: all workers that come to it share the work, chunk by chunk, and the result stays
// with the node under the dictionary's identity. Rows then only look their code up; strings stay coded.
//
// Conditions of scans are evaluated over entries too (Mask).
//
// An entry that no row uses may be one that a function refuses: where an entry fails, rows are computed as if there were no dictionary.

// Limits of derivations.
const (
	// derivedChunk is the entries one worker evaluates at a time: a fraction of a millisecond of cheap functions, few of a regular expression.
	derivedChunk = 8192
	// entriesPerRow is how many entries a dictionary may have per row seen: of a larger one only few may be used.
	entriesPerRow = 8
	// entriesPerExpected is how many it may have per row that is expected: each costs at least what a row does, and results by entry are worth something.
	entriesPerExpected = 2
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
	all  []*derivation // the oldest first
	kept *Kept
}

// derivation is a node evaluated over a dictionary, by all workers that need it.
type derivation struct {
	entries column.Vector // the dictionary; with NULL behind it if null
	key     column.Vector // the dictionary's identity
	null    bool          // the column is Nullable
	rows    atomic.Int64  // seen so far
	pieces  []piece
	next    atomic.Int64
	left    atomic.Int64
	bytes   atomic.Int64
	kept    *Kept
	failed  atomic.Bool
	begun   bool // REQUIRES derivations.Mutex
	done    chan struct{}
	repeats repeats

	// Of what is done: the values per entry, flat; or coded. Neither if an entry failed.
	values column.Vector
	coded  *column.Dict // of the strings
	nulls  []uint8      // beside coded, of Nullable values

	truth sync.Once
	mask  []uint8
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
	d := n.derived.of(dict.Values, nulls != nil, len(dict.Codes), p.rows(in.N))
	if d == nil {
		return nil, nil
	}
	if err := p.complete(d, i); err != nil || !d.ok() {
		return nil, err
	}
	codes := dict.Codes
	if nulls != nil {
		codes = withNullCode(codes, nulls, uint32(dict.Values.Len()))
	}
	return d.rowValues(codes), nil
}

// Expect tells how many rows with one dictionary are to be expected where a block has n: rows(n). Before the first Run.
func (p *Program) Expect(rows func(n int) int64) { p.expected = rows }

// rows is how many rows are expected where a block has n.
func (p *Program) rows(n int) int64 {
	if p.expected == nil {
		return 0
	}
	return p.expected(n)
}

// Mask returns which entries of the dictionary of a coded column, input at, a condition, the program's only expression, holds for, and behind them, if the
// column is Nullable, whether it does for NULL; nil if an entry fails. known is false if it does not depend on that column alone,
// or its entries were not evaluated yet: whole says that it pays to do so.
func (p *Program) Mask(v column.Vector, at int, whole bool) (mask []uint8, known bool, err error) {
	root := p.roots[0]
	n := p.nodes[root]
	dict, nulls := dictOf(v)
	if n.only != at || dict == nil {
		return nil, false, nil
	}
	d := n.derived.over(dict.Values, nulls != nil, whole)
	if d == nil {
		return nil, false, nil
	}
	if err := p.complete(d, root); err != nil || !d.ok() {
		return nil, true, err
	}
	d.truth.Do(func() { d.mask = Truth(d.values, d.values.Len()) })
	return d.mask, true, nil
}

// complete helps with a derivation of node i and waits for the others that do.
func (p *Program) complete(d *derivation, i int) error {
	d.help(p, i)
	<-d.done
	return p.cancelled()
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

// of returns the derivation over a dictionary of which n more rows were seen; nil as long as it has far more entries than rows were and are expected.
func (ds *derivations) of(values column.Vector, null bool, n int, expected int64) *derivation {
	ds.Lock()
	defer ds.Unlock()
	d := ds.find(values, null)
	if d.begun {
		return d
	}
	if int64(values.Len()) > max(entriesPerRow*d.rows.Add(int64(n)), entriesPerExpected*expected) {
		return nil
	}
	d.begin()
	return d
}

// over returns the derivation over a dictionary if it has begun, which it does if whole.
func (ds *derivations) over(values column.Vector, null, whole bool) *derivation {
	ds.Lock()
	defer ds.Unlock()
	d := ds.find(values, null)
	if !d.begun {
		if !whole {
			return nil
		}
		d.begin()
	}
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
		ds.all[0].drop()
		ds.all = append(ds.all[:0:0], ds.all[1:]...)
	}
	d := &derivation{key: values, null: null, kept: ds.kept, done: make(chan struct{})}
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
	d.pieces = make([]piece, n)
	d.left.Store(int64(n))
}

// help evaluates chunks of node i until none is left to take.
func (d *derivation) help(p *Program, i int) {
	for {
		k := int(d.next.Add(1)) - 1
		if k >= len(d.pieces) {
			return
		}
		d.chunk(p, i, k)
	}
}

// chunk evaluates chunk k; nobody waits for one in vain, even if a function panics.
func (d *derivation) chunk(p *Program, i, k int) {
	defer func() {
		if !d.pieces[k].known() {
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
	only := p.nodes[i].only
	in := &column.Block{Cols: make([]column.Vector, only+1), N: to - from}
	in.Cols[only] = d.entries.Slice(from, to)
	v, err := p.entries(i, in)
	if err != nil || p.cancelled() != nil {
		return
	}
	v = column.Flatten(v)
	part := d.repeats.add(v, from, d.entries.Len(), len(d.pieces) == 1)
	n := v.Bytes()
	if part.values == nil {
		n = 4 * int64(len(part.codes))
	}
	if d.bytes.Load()+n <= maxDerivedBytes && d.hold(n) {
		d.pieces[k] = part
	}
}

// hold counts n more bytes; false if there is no room.
func (d *derivation) hold(n int64) bool {
	if !d.kept.reserve(n) {
		return false
	}
	d.bytes.Add(n)
	return true
}

// drop gives back what the derivation holds.
func (d *derivation) drop() { d.kept.release(d.bytes.Swap(0)) }

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

// finish joins the pieces.
func (d *derivation) finish() {
	switch {
	case d.failed.Load():
		d.drop()
	case d.allCoded():
		d.coded = &column.Dict{Codes: d.repeats.codes, Values: d.repeats.texts(), Unique: true, Hashes: d.repeats.table.Hashes()}
		if d.pieces[0].nulls != nil {
			d.nulls = make([]uint8, 0, d.entries.Len())
			for _, p := range d.pieces {
				d.nulls = append(d.nulls, p.nulls...)
			}
		}
		if !d.hold(d.repeats.table.Bytes() + int64(len(d.nulls))) {
			d.coded = nil
			d.drop()
		}
	default:
		all := make([]column.Vector, len(d.pieces))
		for k, p := range d.pieces {
			all[k] = d.repeats.plain(p)
		}
		d.values = column.Concat(all...)
	}
	clear(d.pieces) // not nil: other workers still look for one to take
	d.entries, d.repeats.table, d.repeats.codes = nil, nil, nil
	close(d.done)
}

func (d *derivation) allCoded() bool {
	for _, p := range d.pieces {
		if p.codes == nil {
			return false
		}
	}
	return true
}

// ok reports whether no entry failed, of what is done.
func (d *derivation) ok() bool { return d.values != nil || d.coded != nil }

// rowValues is the values of rows, given the entry of each: strings stay coded, the rest is gathered.
func (d *derivation) rowValues(entries []uint32) column.Vector {
	if d.coded == nil {
		return recode(d.values, entries)
	}
	codes := make([]uint32, len(entries))
	kernel.Gather(codes, d.coded.Codes, entries)
	v := d.coded.With(codes)
	if d.nulls == nil {
		return v
	}
	nulls := make([]uint8, len(entries))
	kernel.Gather(nulls, d.nulls, entries)
	return column.NewNullable(nulls, v)
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
