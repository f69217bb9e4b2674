package exec

import (
	"math/bits"
	"slices"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/query/exec/grouping"
)

// Sizes of partitioned aggregation.
const (
	// partGroups is how many groups a partition should have at most, so that table and states stay in the second-level cache.
	partGroups = 8192
	// minPartBits and maxPartBits bound the partitions: fewer would not be small, and a block of 64 K rows falls into
	// more only in scraps.
	minPartBits, maxPartBits = 7, 10
	// flushBytes is what all workers together gather before they visit the partitions: enough rows for each that its table is worth
	// loading into the cache. A worker gathers at least minFlushBytes.
	flushBytes, minFlushBytes = 128 << 20, 16 << 20
	// runRows is how many rows of a partition are aggregated at once, joined from several blocks.
	runRows = 4096
)

// aggPart is one partition: the groups whose keys hash to it. It belongs to whoever holds mu.
type aggPart struct {
	mu      sync.Mutex
	held    *reservation
	counted int64 // bytes of it in the set's spill.held
	known   int   // groups of it in the set's grouped
	index   *grouping.Index
	states  []function.States
}

// partitions returns the partitions, made when the first worker needs them: t, whose groups have the given keys.
func (s *aggSet) partitions(t *aggTable, words []uint64, groups int) ([]*aggPart, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.parts != nil {
		return s.mu.parts, nil
	}
	if err := s.separate(t, words, groups); err != nil {
		return nil, err
	}
	s.begun = sample{rows: max(t.rows, groups, 1), groups: groups}
	most, likely := s.expectedGroups(s.begun)
	n := min(max(bits.Len(uint(most/partGroups)), minPartBits), maxPartBits)
	s.mu.parts = make([]*aggPart, 1<<n)
	s.groupSize = s.bytesOfGroup()
	s.expected.Store(int64(likely))
	memory := s.tables.begin(s.r)
	for i := range s.mu.parts {
		p := &aggPart{held: s.r.reservation(), index: grouping.NewIndex(s.enc.Stride()), states: s.partStates()}
		p.index.Use(memory)
		s.mu.parts[i] = p
	}
	return s.mu.parts, nil
}

// insert numbers rows of words.
func (p *aggPart) insert(t *aggTable, words []uint64, n int) ([]uint32, error) {
	t.ids = sized(t.ids, n)
	err := p.held.add(p.index.Growth(n)) // until account
	if err != nil {
		return nil, err
	}
	if t.hashes, err = t.enc.InsertWords(p.index, words, t.hashes, t.ids); err != nil {
		return nil, err
	}
	grow(p.states, p.index.Len())
	return t.ids, nil
}

// makeRoom makes room for n groups.
func (p *aggPart) makeRoom(n int) {
	p.index.Reserve(n)
	grow(p.states, n)
}

func (p *aggPart) account(s *aggSet) error {
	n := p.index.Bytes() + bytesOf(p.states)
	s.spill.held.Add(n - p.counted)
	s.grouped.Add(int64(p.index.Len() - p.known))
	p.counted, p.known = n, p.index.Len()
	if err := s.tables.account(); err != nil {
		return err
	}
	return p.held.set(n)
}

// deal moves the groups of the table to the partitions, and all further rows go there.
func (t *aggTable) deal() error {
	words, numbers, n := t.all()
	parts, err := t.set.partitions(t, words, n)
	if err != nil {
		return err
	}
	t.buf = newAggBuffer(t, parts)
	if t.set.out != nil {
		if err := t.makeSide(words, numbers, n); err != nil {
			return err
		}
	}
	states := t.states
	t.index, t.seen, t.states = nil, nil, nil
	order, starts := t.buf.order(words, n)
	order = slices.Clone(order) // insert uses the scratch memory it is in
	sorted := t.enc.AppendRows(nil, words, order)
	for i, at := range order {
		if numbers != nil {
			order[i] = numbers[at]
		}
	}
	for k, p := range t.buf.parts {
		from, to := int(starts[k]), int(starts[k+1])
		if from == to {
			continue
		}
		if err := p.move(t, t.enc.Rows(sorted, from, to), states, order[from:to]); err != nil {
			return err
		}
	}
	return t.set.relieve()
}

// all returns the keys of the table; by number, also the numbers.
func (t *aggTable) all() (words []uint64, numbers []uint32, n int) {
	if t.seen == nil {
		n = t.index.Len()
		return t.index.Words(0, n), nil, n
	}
	g := groups{seen: t.seen}
	numbers = g.present(0, len(t.seen))
	for _, x := range numbers {
		words = append(words, uint64(x))
	}
	return words, numbers, len(numbers)
}

// move takes the groups sel of states, whose keys are words.
func (p *aggPart) move(t *aggTable, words []uint64, states []function.States, sel []uint32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids, err := p.insert(t, words, len(sel))
	if err != nil {
		return err
	}
	if err := mergeStates(p.states, ids, states, sel); err != nil {
		return err
	}
	return p.account(t.set)
}

// aggBuffer is the rows of one worker on their way to the partitions.
type aggBuffer struct {
	t      *aggTable
	parts  []*aggPart
	arena  *mem.Arena // of the blocks' words; nil where there are no blocks
	blocks []aggBlock
	rows   int
	vals   int64 // bytes of what the blocks hold beside their words
	run    aggRun
}

// bytes is the memory of the blocks.
func (b *aggBuffer) bytes() int64 { return b.arena.Held() + b.vals }

func newAggBuffer(t *aggTable, parts []*aggPart) *aggBuffer {
	b := &aggBuffer{t: t, parts: parts, arena: mem.NewArena(nil)}
	t.set.r.atEnd(func() error { b.arena.Free(); return nil })
	return b
}

// aggBlock is rows sorted by partition: those of partition k are [starts[k], starts[k+1]).
type aggBlock struct {
	words  []uint64
	vals   []column.Vector // nil where no call reads
	starts []uint32
}

// order returns the rows in the order of their partitions, in scratch memory of the table, and where each partition begins.
func (b *aggBuffer) order(words []uint64, n int) (order, starts []uint32) {
	t := b.t
	t.hashes, t.ids = sized(t.hashes, n), sized(t.ids, n)
	t.enc.Hash(words, t.hashes)
	shift := 64 - bits.TrailingZeros(uint(len(b.parts)))
	starts = make([]uint32, len(b.parts)+1)
	for _, h := range t.hashes {
		starts[h>>shift+1]++
	}
	for k := range b.parts {
		starts[k+1] += starts[k]
	}
	next := append([]uint32(nil), starts...)
	order = t.ids
	for i, h := range t.hashes {
		at := &next[h>>shift]
		order[*at] = uint32(i)
		*at++
	}
	return order, starts
}

// add takes n rows.
func (b *aggBuffer) add(words []uint64, vals []column.Vector, n int) error {
	if side := b.t.side; side != nil {
		if err := side.addSide(b.t.set, words, vals, n); err != nil {
			return err
		}
	}
	order, starts := b.order(words, n)
	block := aggBlock{starts: starts}
	if b.t.side == nil {
		block.vals = b.t.set.gather(vals, order)
	}
	before := b.bytes()
	room, err := mem.DirtySlice[uint64](b.arena, n*b.t.enc.Stride())
	if err != nil {
		return err
	}
	block.words = b.t.enc.AppendRows(room[:0], words, order)
	b.blocks = append(b.blocks, block)
	b.vals += 4 * int64(len(starts))
	for _, v := range block.vals {
		b.vals += vectorBytes(v)
	}
	b.rows += n
	b.t.set.taken.Add(int64(n))
	b.t.set.spill.gathered.Add(b.bytes() - before)
	if b.bytes() < b.room() {
		return nil
	}
	return b.flush()
}

// flush aggregates all rows, partition by partition; workers begin at different ones.
func (b *aggBuffer) flush() error {
	first := b.t.worker * len(b.parts) / max(b.t.set.r.opts.Threads, 1)
	for i := range b.parts {
		if err := b.flushPart((first+i)%len(b.parts), b); err != nil {
			return err
		}
		if err := b.t.set.relieve(); err != nil {
			return err
		}
	}
	b.t.set.visited.Add(int64(b.rows))
	b.release()
	b.t.set.learn()
	return nil
}

// release gives the memory of rows that were aggregated back.
func (b *aggBuffer) release() {
	b.t.set.spill.gathered.Add(-b.bytes())
	b.blocks, b.vals, b.rows = nil, 0, 0
	b.arena.Free()
}

// flushPart aggregates the rows of a partition in the given buffers, which nobody adds to meanwhile, with b's scratch memory.
func (b *aggBuffer) flushPart(k int, bufs ...*aggBuffer) error {
	p := b.parts[k]
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := b.t.set.roomOfPart(); n > p.index.Len() {
		p.makeRoom(n)
	}
	for _, from := range bufs {
		if err := b.collect(p, k, from.blocks); err != nil {
			return err
		}
	}
	if err := b.flushRun(p); err != nil {
		return err
	}
	return p.account(b.t.set)
}

// collect joins the rows of a partition, aggregating them whenever they are enough.
func (b *aggBuffer) collect(p *aggPart, k int, blocks []aggBlock) error {
	for i := range blocks {
		block := &blocks[i]
		from, to := int(block.starts[k]), int(block.starts[k+1])
		if from == to {
			continue
		}
		if b.run.n > 0 && (b.run.n+to-from > runRows || !b.run.fits(block)) {
			if err := b.flushRun(p); err != nil {
				return err
			}
		}
		b.run.add(b.t, block, from, to)
	}
	return nil
}

// flushRun aggregates the rows of the run.
func (b *aggBuffer) flushRun(p *aggPart) error {
	r := &b.run
	if r.n == 0 {
		return nil
	}
	ids, err := p.insert(b.t, r.words, r.n)
	if err != nil {
		return err
	}
	err = b.t.set.feed(p.states, ids, r.vectors(), r.n)
	r.reset()
	return err
}
