package mergetree

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// A replica applies an edit whether or not it has the files of the segments that the edit adds: the manifest is the log's
// business. What readers see in the meantime is made here. An edit that keeps rows, a flush or a merge, is held: views show its inputs, which
// are the same rows, until its files are here. What has no inputs that are the same rows, such as a bulk insert, cannot be
// hidden: views name the missing segment, and reading it is an error, never fewer rows.
//
// Held edits form a graph: a merge of a segment that is missing too is hidden with it, unless the merged segment is here, which makes
// the missing one needless. settle finds the latest cut through that graph all files of which are here.

// ErrMissingSegment is wrapped by errors of reading a live segment whose file is not here, and for which no inputs can be read
// instead: another replica has it. Code NoFileInDataPart.
var ErrMissingSegment = errors.New("mergetree: the file of a live segment is missing")

func missingSegment(seg Segment) error {
	return sqlerr.Wrap(ErrMissingSegment, sqlerr.NoFileInDataPart, "The file of live segment %s is missing", seg.ID)
}

// heldEdit is an edit that was applied, and that views may not show yet.
type heldEdit struct {
	index uint64
	keeps bool       // its outputs are the rows of its inputs
	add   []*segFile // outputs
	gone  []*segFile // input segments, pinned
	from  uint64     // of a flush: as in Edit
	mem   []*MemChunk
	bytes int64 // of mem
}

// keepsRows reports whether the edit's outputs are the rows of its inputs. Rows past their TTL, which a merge leaves out, may be
// seen on one replica and not on another.
func (e *Edit) keepsRows() bool {
	return e.Cause == CauseFlush || e.Cause == CauseMerge || e.Cause == CauseTTL && len(e.Add) > 0
}

// hold keeps the inputs of an edit that is being applied, if views cannot do without, and reports whether it does. The memtable still has the rows that the
// edit covers. Nothing is to be held while no file is missing: always so in a group of one member.
func (t *table) hold(index uint64, e *Edit, add, gone []*segFile) bool {
	if len(t.held) == 0 && !slices.ContainsFunc(add, (*segFile).isAbsent) {
		return false
	}
	h := &heldEdit{index: index, keeps: e.keepsRows(), add: add, gone: gone}
	if e.Watermark > 0 {
		h.from, h.mem = e.From, coveredBy(t.mem.freeze(), e.Watermark)
		for _, m := range h.mem {
			h.bytes += m.Rows.Bytes()
		}
	}
	t.held, t.unsure = append(t.held, h), true
	return true
}

// coveredBy returns the rows committed at or before the watermark.
func coveredBy(mem []*MemChunk, watermark uint64) []*MemChunk {
	var out []*MemChunk
	for _, m := range mem {
		if n := m.upTo(watermark); n > 0 {
			k := sort.Search(len(m.commits), func(k int) bool { return m.commits[k].index > watermark })
			out = append(out, &MemChunk{Schema: m.Schema, Rows: m.Rows.Slice(0, n), commits: m.commits[:k:k], from: m.from})
		}
	}
	return out
}

func (f *segFile) isAbsent() bool { return !f.here.Load() }

// letGo forgets all held edits: what they pinned is given back, and views show the manifest, files or none.
func (s *Store) letGo(t *table) {
	for _, h := range t.held {
		s.discard(h.index, h.gone)
	}
	t.held, t.hiding, t.unsure = nil, nil, false
}

// settle finds which held edits views cannot show, and lets go of the others. REQUIRES: s.work.
func (s *Store) settle(t *table) {
	if !t.unsure {
		return
	}
	t.unsure = false
	if len(t.held) > maxHeld {
		s.log.Warn("a replica lacks segments for too long; its inputs are given up", "table", t.id, "edits", len(t.held))
		s.letGo(t)
		return
	}
	hidden, ok := hide(t.held)
	if t.hiding = nil; !ok {
		return
	}
	keep := t.held[:0:0]
	for _, h := range t.held {
		if hidden[h] {
			keep = append(keep, h)
			continue
		}
		s.discard(h.index, h.gone)
	}
	t.held, t.hiding = keep, keep
}

// hide returns the fewest edits that have to be hidden so that what is shown is here. It is not ok where an edit that
// changes rows would have to be hidden: then nothing can be.
func hide(held []*heldEdit) (hidden map[*heldEdit]bool, ok bool) {
	hidden = map[*heldEdit]bool{}
	producer, consumer := map[*segFile]*heldEdit{}, map[*segFile]*heldEdit{}
	for _, h := range held {
		for _, f := range h.add {
			producer[f] = h
		}
		for _, f := range h.gone {
			consumer[f] = h
		}
	}
	mustHide := func(h *heldEdit) bool {
		for _, f := range h.gone {
			if p := producer[f]; p != nil && hidden[p] {
				return true // it reads what is not shown
			}
		}
		return h.keeps && slices.ContainsFunc(h.add, func(f *segFile) bool {
			c := consumer[f]
			return f.isAbsent() && (c == nil || hidden[c])
		})
	}
	for changed := true; changed; {
		changed = false
		for _, h := range held {
			if hidden[h] || !mustHide(h) {
				continue
			}
			if !h.keeps {
				return nil, false
			}
			hidden[h], changed = true, true
		}
	}
	return hidden, true
}

// show makes what readers see of a version: the inputs of hidden edits instead of their outputs.
func (t *table) show(v *tableVersion) *tableVersion {
	if len(t.hiding) == 0 {
		return v
	}
	out := *v
	outputs, inputs := map[*segFile]bool{}, []*segFile{}
	for _, h := range t.hiding {
		for _, f := range h.add {
			outputs[f] = true
		}
	}
	out.mem, out.memRows = nil, v.memRows
	for _, h := range t.hiding {
		for _, f := range h.gone {
			if !outputs[f] {
				inputs = append(inputs, f)
			}
		}
		if len(h.mem) > 0 && len(out.mem) == 0 {
			out.flushed = h.from
		}
		out.mem = append(out.mem, h.mem...) // flushes of a table follow one another
	}
	for _, m := range out.mem {
		out.memRows += m.Rows.N
	}
	out.mem = append(out.mem, v.mem...)
	out.segs = slices.Concat(slices.DeleteFunc(slices.Clone(v.segs), func(f *segFile) bool { return outputs[f] }), inputs)
	slices.SortFunc(out.segs, func(a, b *segFile) int { return compareSegments(a.seg, b.seg) })
	return &out
}

// lookFor brings absent up to date, and notes in the version what of it readers would miss.
func (t *table) lookFor(v *tableVersion) {
	if len(t.absent) == 0 {
		return
	}
	live := make(map[*segFile]bool, len(t.segs))
	for _, f := range t.segs {
		live[f] = true
	}
	t.absent = slices.DeleteFunc(slices.Clone(t.absent), func(f *segFile) bool { return !live[f] || f.here.Load() })
	if len(t.absent) > 0 {
		v.missing = t.absent[0]
	}
}

// firstAbsent returns a segment whose file is not here, nil if all are.
func (v *tableVersion) firstAbsent() *segFile {
	if i := slices.IndexFunc(v.segs, (*segFile).isAbsent); i >= 0 {
		return v.segs[i]
	}
	return nil
}

// boundHeld returns the bytes of memtable rows that are pinned for views, after it has let go of what is beyond a share of the memtables'
// limit: those rows are in segments that a majority has. REQUIRES: s.work.
func (s *Store) boundHeld() int64 {
	total := int64(0)
	for _, id := range tableIDs(s.tables) {
		t, n := s.tables[id], int64(0)
		for _, h := range t.held {
			n += h.bytes
		}
		if total+n > s.opts.MemtableLimit/heldShare {
			s.log.Warn("rows in segments that are missing here take too much memory; their table cannot be read until those come", "table", id, "bytes", n)
			s.letGo(t)
			t.version, n = nil, 0
		}
		total += n
	}
	return total
}

// Absent returns the live segments whose files are not here: what a replica fetches, the newest commits last.
func (s *Store) Absent() []Segment {
	s.work.Lock()
	defer s.work.Unlock()
	var out []Segment
	for _, id := range tableIDs(s.tables) {
		for _, f := range s.tables[id].absent {
			if f.isAbsent() {
				out = append(out, f.seg)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Segment) int { return cmp.Compare(a.Last, b.Last) })
	return out
}

// Wanted returns a channel that receives when files have become absent: look at Absent then. For one receiver.
func (s *Store) Wanted() <-chan struct{} { return s.files.wanted }

// arrived publishes again with files that have come, or gone missing, since; not in the middle of a batch, whose Publish does it.
func (s *Store) arrived(id string, here bool) {
	s.work.Lock()
	defer s.work.Unlock()
	for _, t := range s.tables {
		i := slices.IndexFunc(t.segs, func(f *segFile) bool { return f.seg.ID == id })
		if i >= 0 && !here && !slices.Contains(t.absent, t.segs[i]) {
			t.absent = append(slices.Clone(t.absent), t.segs[i])
			s.files.want()
		}
		if i < 0 && !slices.ContainsFunc(t.held, func(h *heldEdit) bool {
			return slices.ContainsFunc(slices.Concat(h.add, h.gone), func(f *segFile) bool { return f.seg.ID == id })
		}) {
			continue
		}
		t.unsure, t.version = true, nil
	}
	if !s.dirty {
		s.publish(s.applied)
	}
}

// Lacking reports whether some table cannot be read here now, for want of files.
func (s *Store) Lacking() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.lacking
}

// AwaitReady waits until the files are here that views of the tables (none: all) read, as of some state at or behind the present one.
func (s *Store) AwaitReady(ctx context.Context, tables ...catalog.TableID) error {
	for {
		s.mu.Lock()
		arrived := s.mu.arrived
		s.mu.Unlock()
		if s.ready(tables) == nil {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ready returns why the tables cannot be read now, or nil.
func (s *Store) ready(tables []catalog.TableID) error {
	snap := s.Snapshot()
	defer snap.Close()
	if len(tables) == 0 {
		tables = snap.Tables()
	}
	for _, id := range tables {
		if v := snap.Table(id); v != nil {
			if err := v.Ready(); err != nil {
				return err
			}
		}
	}
	return nil
}
