package exec

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/exec/hashtable"
	"github.com/olapd/olapd/query/exec/spill"
)

// aggSpill is what the partitions of a grouping set hold together, and what was written of them where that was too much: the
// words of the groups' keys and their states, partition after partition. Interned values stay in memory.
type aggSpill struct {
	area     *spill.Area
	limit    int64        // bytes from which partitions are written; 0: they never are
	held     atomic.Int64 // by partitions, but for their tables' memory
	gathered atomic.Int64 // rows on their way to partitions
	wrote    atomic.Bool  // partitions were written
	mu       struct {
		sync.Mutex
		files []spilledGroups
	}
}

// fewHeld is the part of the limit, as one over it, that partitions hold at least for writing them to be worth a file.
const fewHeld = 8

// collectBytes is how much memory of states that were written is worth a run of the collector at once.
const collectBytes = 8 << 20

// spilledGroups is one file: the groups of partition k are rows [starts[k], starts[k+1]).
type spilledGroups struct {
	file   *spill.File
	starts []int64
}

func (s *aggSpill) init(r *run) {
	if s.area = r.opts.Temp; s.area != nil {
		s.limit = r.opts.Limits.GroupSpill
	}
}

// crowded reports whether a worker's table alone holds so much that its groups had better be in partitions.
func (s *aggSpill) crowded(bytes int64, threads int) bool {
	return s.limit > 0 && bytes > s.limit/int64(threads+1)
}

// tooMuch reports whether partitions hold more than the limit, or with the rows gathered half as much again.
func (s *aggSet) tooMuch() bool {
	m := &s.spill
	if m.limit == 0 {
		return false
	}
	held := m.held.Load() + s.tables.bytes()
	return held > m.limit || held > m.limit/fewHeld && held+m.gathered.Load() > m.limit+m.limit/2
}

// relieve writes all partitions if they hold too much.
func (s *aggSet) relieve() error {
	if !s.tooMuch() {
		return nil
	}
	m := &s.spill
	m.mu.Lock()
	defer m.mu.Unlock()
	if !s.tooMuch() {
		return nil
	}
	states := m.held.Load()
	if err := s.write(); err != nil {
		return err
	}
	if states >= collectBytes {
		runtime.GC() // or the states' memory counts as free, and is not until the next time
	}
	return nil
}

// write writes all partitions to a file. REQUIRES: s.spill.mu.
func (s *aggSet) write() error {
	m := &s.spill
	w, err := m.area.Create()
	if err != nil {
		return err
	}
	f := spilledGroups{starts: make([]int64, len(s.mu.parts)+1)}
	memory := s.tables.begin(s.r)
	m.wrote.Store(true)
	for k, p := range s.mu.parts {
		n, err := p.write(s, w, memory)
		if err == nil {
			err = s.r.ctx.Err()
		}
		if err != nil {
			return errors.Join(err, w.Abort())
		}
		f.starts[k+1] = f.starts[k] + int64(n)
	}
	if f.file, err = w.Finish(); err != nil {
		return err
	}
	s.r.atEnd(f.file.Remove)
	m.mu.files = append(m.mu.files, f)
	return s.tables.end()
}

// write writes the groups of the partition, which is empty then, its table in other memory, and returns how many they were.
func (p *aggPart) write(s *aggSet, w *spill.Writer, memory *hashtable.Memory) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.index.Len()
	for from := 0; from < n; from += spillRows {
		to := min(from+spillRows, n)
		b := &column.Block{N: to - from}
		words := p.index.Words(from, to)
		for k := range s.enc.Stride() {
			one := make([]uint64, to-from)
			for i := range one {
				one[i] = words[i*s.enc.Stride()+k]
			}
			b.Cols = append(b.Cols, column.NewNum(types.TUInt64, one))
		}
		for _, st := range p.states {
			saved := column.NewStr(types.TString, to-from)
			st.Save(saved, from, to)
			b.Cols = append(b.Cols, saved)
		}
		if err := w.Write(b); err != nil {
			return 0, err
		}
	}
	p.index, p.states = grouping.NewIndex(s.enc.Stride()), s.partStates()
	p.index.Use(memory)
	return n, p.account(s)
}

// reload brings the groups of partition k that were written back.
func (s *aggSet) reload(k int) error {
	for _, f := range s.spill.mu.files {
		if err := s.reloadFile(s.mu.parts[k], f, k); err != nil {
			return err
		}
	}
	return nil
}

func (s *aggSet) reloadFile(p *aggPart, f spilledGroups, k int) error {
	left := f.starts[k+1] - f.starts[k]
	if left == 0 {
		return nil
	}
	in, err := f.file.OpenAt(f.starts[k])
	if err != nil {
		return err
	}
	for left > 0 && err == nil {
		var b *column.Block
		if b, err = in.Next(); err == nil && b == nil {
			err = sqlerr.New(sqlerr.CorruptedData, "A temporary file of groups ends %d groups early", left)
		}
		if err == nil {
			left -= int64(b.N)
			err = s.load(p, b)
		}
	}
	return errors.Join(err, in.Close())
}

// load merges written groups into a partition.
func (s *aggSet) load(p *aggPart, b *column.Block) error {
	stride := s.enc.Stride()
	words, ids := make([]uint64, stride*b.N), make([]uint32, b.N)
	for k := range stride {
		v, ok := b.Cols[k].(*column.Num[uint64])
		if !ok {
			return sqlerr.New(sqlerr.CorruptedData, "A temporary file of groups holds keys of type %s", b.Cols[k].Type())
		}
		for i, w := range v.Data {
			words[i*stride+k] = w
		}
	}
	if _, err := s.enc.InsertWords(p.index, words, nil, ids); err != nil {
		return err
	}
	grow(p.states, p.index.Len())
	for i, st := range p.states {
		saved, ok := b.Cols[stride+i].(*column.Str)
		if !ok {
			return sqlerr.New(sqlerr.CorruptedData, "A temporary file of groups holds states of type %s", b.Cols[stride+i].Type())
		}
		if err := st.Load(ids, saved); err != nil {
			return err
		}
	}
	return p.account(s)
}
