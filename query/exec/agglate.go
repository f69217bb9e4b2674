package exec

import (
	"context"
	"sync/atomic"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/exec/hashtable"
)

// Late partitions. What workers have gathered when the input ends is aggregated partition by partition while the result is read: table and
// states of a partition are in memory only until its groups are output, and the next partition takes the same memory, warm in the
// cache. A LIMIT that has enough leaves the other partitions as they are. Where nearly every row is a group of its own, gathered
// rows are smaller than groups, and all rows are gathered.

// fewMoved is how many times fewer groups than rows to come a partition has for it to be worth moving its groups.
const fewMoved = 4

// estimateGroups is for how many groups states are made to learn what one takes.
const estimateGroups = 1024

// aggRows is the rows that workers have gathered of a set, for partitions that are aggregated late.
type aggRows struct {
	set    *aggSet
	tables []*aggTable
	left   atomic.Int64 // partitions that are not aggregated yet
}

// lateUnits returns the partitions as units that are aggregated when they are asked for.
func (s *aggSet) lateUnits(tables []*aggTable) []groups {
	rows := &aggRows{set: s, tables: tables}
	rows.left.Store(int64(len(s.mu.parts)))
	out := make([]groups, len(s.mu.parts))
	for k := range out {
		out[k] = groups{rows: rows, number: k}
	}
	return out
}

// count is how many rows of partition k were gathered.
func (r *aggRows) count(k int) int {
	n := 0
	for _, t := range r.tables {
		for i := range t.buf.blocks {
			starts := t.buf.blocks[i].starts
			n += int(starts[k+1] - starts[k])
		}
	}
	return n
}

// done gives the gathered rows back once no partition needs them.
func (r *aggRows) done() error {
	if r.left.Add(-1) > 0 {
		return nil
	}
	for _, t := range r.tables {
		t.buf.release()
		if err := t.account(); err != nil {
			return err
		}
	}
	return nil
}

// aggFinisher aggregates late partitions, one at a time: what one goroutine needs for it, used again for each. The zero value is ready.
type aggFinisher struct {
	set    *aggSet // that the rest is of
	buf    *aggBuffer
	memory *hashtable.Memory
	held   *reservation // of memory
	states []function.States
}

// ready returns the groups of a unit, aggregated and, if some were written, read back. It is valid until the next call.
func (f *aggFinisher) ready(ctx context.Context, g groups) (groups, error) {
	if g.rows == nil {
		return g, nil
	}
	if err := ctx.Err(); err != nil {
		return g, err
	}
	f.use(g.rows.set)
	p := f.set.mu.parts[g.number]
	if err := f.begin(p, g.number, g.rows.count(g.number)); err != nil {
		return g, err
	}
	if err := f.held.set(f.memory.Held()); err != nil {
		return g, err
	}
	bufs := make([]*aggBuffer, len(g.rows.tables))
	for i, t := range g.rows.tables {
		bufs[i] = t.buf
	}
	if err := f.buf.flushPart(g.number, bufs...); err != nil {
		return g, err
	}
	if err := f.held.set(f.memory.Held()); err != nil {
		return g, err
	}
	return p.groups(f.set), g.rows.done()
}

// use makes the finisher ready for partitions of a set.
func (f *aggFinisher) use(s *aggSet) {
	if f.set == s {
		f.memory.Free() // the last unit's
		return
	}
	f.set, f.buf, f.memory, f.states = s, &aggBuffer{t: newAggTable(s), parts: s.mu.parts}, hashtable.NewMemory(), nil
	f.held = s.r.reservation()
	memory := f.memory
	s.r.atEnd(func() error { memory.Free(); return nil })
}

// begin moves partition k, to which so many rows are to come, to the finisher's memory if it has few groups, or if some were written, which come
// first.
func (f *aggFinisher) begin(p *aggPart, k, rows int) error {
	n := p.index.Len()
	if n > rows/fewMoved && len(f.set.spill.mu.files) == 0 {
		return nil
	}
	words, states := p.index.Words(0, n), p.states
	p.index = grouping.NewIndex(f.set.enc.Stride())
	p.index.Use(f.memory)
	if !emptied(f.states) {
		f.states = f.set.partStates()
	}
	p.states = f.states
	p.makeRoom(max(n, min(f.set.roomOfPart(), n+rows)))
	if err := f.set.reload(k); err != nil {
		return err
	}
	ids, err := p.insert(f.buf.t, words, n)
	if err != nil {
		return err
	}
	all := make([]uint32, n) // states may be of more groups than there are
	for i := range all {
		all[i] = uint32(i)
	}
	return mergeStates(p.states, ids, states, all)
}

// emptied makes states that were used ready to be used again; false where that cannot be, or there are none.
func emptied(states []function.States) bool {
	for _, s := range states {
		again, ok := s.(function.Reusable)
		if !ok {
			return false
		}
		again.Reset()
	}
	return states != nil
}

// room is how many bytes of rows the worker gathers before it visits the partitions: more than else if that is less than the groups would take.
func (b *aggBuffer) room() int64 {
	s := b.t.set
	threads := int64(max(s.r.opts.Threads, 1))
	usual := max(flushBytes/threads, minFlushBytes)
	read := max(s.r.read.rows.Load(), 1)
	row := float64(8*s.enc.Stride()) + float64(b.vals)/float64(max(b.rows, 1))
	planned := float64(max(plannedRows(s.a), read))
	all := row * float64(b.t.rows) * planned / float64(read)
	room := usual
	tables := float64(s.expected.Load()*s.groupSize) / float64(threads)
	if all <= tables || all <= tables*rowsPerVisit && s.spill.limit > 0 {
		room = max(room, int64(all*spareRoom))
	}
	switch limit := s.spill.limit; {
	case limit == 0:
		return room
	case int64(row*planned) <= limit: // all workers' rows have room
		return min(room, limit-s.spill.gathered.Load()+b.bytes())
	default:
		return max(min(room, limit/2/threads), leastRoom)
	}
}

const (
	// rowsPerVisit is how many times the bytes of the groups those of the rows may be for all rows to be gathered and partitions visited once, where too
	// much memory is not an error but a file: each visit loads the tables from memory, which costs as much as several times their bytes of rows.
	rowsPerVisit = 4
	// spareRoom is by how much more rows may come than were expected.
	spareRoom = 1.25
	// leastRoom is what is gathered under any limit: partitions are not visited for a few rows each.
	leastRoom = 1 << 20
)

// bytesOfGroup is about what a group takes in the table and in the states of a partition: a table is full between a quarter and half, and
// has room for half as many keys as slots.
func (s *aggSet) bytesOfGroup() int64 {
	states := s.partStates()
	grow(states, estimateGroups)
	stride := int64(s.enc.Stride())
	return 3*8*(stride+1) + 12*stride + bytesOf(states)/estimateGroups
}
