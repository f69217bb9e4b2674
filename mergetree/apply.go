package mergetree

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/invariants"
	"github.com/olapd/olapd/internal/sqlerr"
)

// ApplyCreate adds a table, or gives a table that is there its spec (after DecodeState, or an ALTER):
// later rows have the new columns, earlier ones are read with missing columns filled in.
func (s *Store) ApplyCreate(spec *Spec) {
	s.work.Lock()
	defer s.work.Unlock()
	s.setSpec(spec)
}

func (s *Store) setSpec(spec *Spec) {
	t := s.tables[spec.ID]
	if t == nil {
		t = s.newTable(spec.ID)
		s.tables[spec.ID] = t
	}
	t.spec, t.version, s.dirty = spec, nil, true
}

func (s *Store) newTable(id catalog.TableID) *table {
	return &table{id: id, mem: memtable{limit: s.opts.tune.chunkRows, adopt: s.opts.tune.adoptRows}}
}

// ApplyAlter gives a table another spec. UnknownTable if it is not there.
func (s *Store) ApplyAlter(spec *Spec) error {
	s.work.Lock()
	defer s.work.Unlock()
	if s.tables[spec.ID] == nil {
		return unknownTable(spec.ID)
	}
	s.setSpec(spec)
	return nil
}

func unknownTable(id catalog.TableID) error {
	return sqlerr.New(sqlerr.UnknownTable, "Table with ID %d does not exist in storage", id)
}

// ApplyDrop removes a table with all its rows; one that is not there is nothing to do. Snapshots keep it as it was.
func (s *Store) ApplyDrop(index uint64, id catalog.TableID) {
	s.work.Lock()
	defer s.work.Unlock()
	t := s.tables[id]
	if t == nil {
		return
	}
	s.letGo(t)
	s.discard(index, t.segs)
	s.dirty = true
	delete(s.tables, id)
}

// ApplyTruncate removes all rows of a table. Edits prepared before it are rejected.
func (s *Store) ApplyTruncate(index uint64, id catalog.TableID) error {
	s.work.Lock()
	defer s.work.Unlock()
	t := s.tables[id]
	if t == nil {
		return unknownTable(id)
	}
	s.letGo(t)
	s.discard(index, t.segs)
	s.dirty = true
	t.segs, t.mem, t.flushed, t.version = nil, memtable{limit: s.opts.tune.chunkRows, adopt: s.opts.tune.adoptRows}, index, nil
	return nil
}

// ApplyRows appends the rows of one log entry to a table's memtable. The block has one vector per column of
// the table's spec; it is immutable from here on, for a large one is kept as it is. A block that does not fit is an error, and nothing happened.
func (s *Store) ApplyRows(index uint64, id catalog.TableID, b *column.Block) error {
	s.work.Lock()
	defer s.work.Unlock()
	t := s.tables[id]
	if t == nil || t.spec == nil {
		return unknownTable(id)
	}
	if err := checkBlock(t.spec, b); err != nil {
		return err
	}
	if b.N == 0 {
		return nil
	}
	invariants.Check(index > t.flushed, "mergetree: rows at log index %d behind the flushed %d of table %d", index, t.flushed, id)
	t.mem.append(t.spec.Columns, index, b)
	t.version, s.dirty = nil, true
	return nil
}

func checkBlock(spec *Spec, b *column.Block) error {
	if len(b.Cols) != len(spec.Columns) {
		return sqlerr.New(sqlerr.NumberOfColumnsDoesntMatch, "A block of %d columns for table %s of %d", len(b.Cols), spec.Name, len(spec.Columns))
	}
	for i, f := range spec.Columns {
		if t := f.Type.WithoutLowCardinality(); b.Cols[i].Len() != b.N || !b.Cols[i].Type().Equal(t) {
			return sqlerr.New(sqlerr.IncompatibleColumns, "%d values of %s for column %s of type %s in a block of %d rows for table %s",
				b.Cols[i].Len(), b.Cols[i].Type(), f.Name, f.Type, b.N, spec.Name)
		}
	}
	return nil
}

// ApplyEdit applies an edit committed at a log index as a whole, or returns an error that wraps
// ErrEditRejected or is UnknownTable, and nothing happened.
//
// The files of the segments added need not be here: views show the edit's inputs until they are.
func (s *Store) ApplyEdit(index uint64, e Edit) error {
	s.work.Lock()
	defer s.work.Unlock()
	t := s.tables[e.Table]
	if t == nil {
		return fmt.Errorf("%w: %w", ErrEditRejected, unknownTable(e.Table))
	}
	if err := t.check(e); err != nil {
		return err
	}
	kept, gone := t.split(e.Remove)
	add := make([]*segFile, len(e.Add))
	for i, seg := range e.Add {
		if seg.First == 0 && seg.Last == 0 {
			seg.First, seg.Last = SeqAt(index, i), SeqAt(index, i)
		}
		if add[i] = s.files.file(seg); add[i].isAbsent() {
			t.absent = append(slices.Clone(t.absent), add[i])
			s.files.want()
		}
	}
	kept = append(kept, add...)
	slices.SortFunc(kept, func(a, b *segFile) int { return compareSegments(a.seg, b.seg) })
	checkOverlap(kept)
	t.segs, t.version, s.edited, s.dirty = kept, nil, true, true
	if !t.hold(index, &e, add, gone) {
		s.discard(index, gone)
	}
	if e.Watermark > 0 {
		t.mem.cut(e.Watermark)
		t.flushed = e.Watermark
	}
	return nil
}

// ApplyFrozen says which segments of a table no edit may remove but one of cause CauseMove, instead of those before: they are on their way to
// another shard, or have come from one and are not to be read by all yet. Merges leave them alone. A table that is not there is nothing to do.
func (s *Store) ApplyFrozen(id catalog.TableID, segments map[string]bool) {
	s.work.Lock()
	defer s.work.Unlock()
	if t := s.tables[id]; t != nil {
		t.frozen, t.version, s.dirty, s.edited = segments, nil, true, true
	}
}

// checkOverlap asserts that ranges of commits within a partition are disjoint, but for those of a segment and of what stays of it when others of its rows
// move to other shards: of these a reader sees one.
func checkOverlap(sorted []*segFile) {
	if !invariants.Enabled {
		return
	}
	for i := 1; i < len(sorted); i++ {
		a, b := sorted[i-1].seg, sorted[i].seg
		invariants.Check(a.Partition != b.Partition || a.Last < b.First || a.First == b.First && a.Last == b.Last, "mergetree: segments %s and %s overlap", a, b)
	}
}

// check tells whether the edit fits the table's state.
func (t *table) check(e Edit) error {
	if len(e.Add) > maxOrdinal {
		return fmt.Errorf("%w: %d segments at once, the limit is %d", ErrEditRejected, len(e.Add), maxOrdinal)
	}
	if e.Watermark > 0 && e.From != t.flushed {
		return fmt.Errorf("%w: the memtable of table %d begins behind %d, not %d", ErrEditRejected, t.id, t.flushed, e.From)
	}
	live := make(map[string]bool, len(t.segs))
	for _, f := range t.segs {
		live[f.seg.ID] = true
	}
	for _, id := range e.Remove {
		if !live[id] {
			return fmt.Errorf("%w: segment %s of table %d is not live", ErrEditRejected, id, t.id)
		}
		if t.frozen[id] && e.Cause != CauseMove {
			return fmt.Errorf("%w: segment %s of table %d is being moved to another shard", ErrEditRejected, id, t.id)
		}
		delete(live, id)
	}
	for _, seg := range e.Add {
		if live[seg.ID] {
			return fmt.Errorf("%w: segment %s of table %d is live already", ErrEditRejected, seg.ID, t.id)
		}
		live[seg.ID] = true
	}
	return nil
}

// split parts the live segments into those that stay, in a new slice with room, and those removed.
func (t *table) split(remove []string) (kept, gone []*segFile) {
	kept = make([]*segFile, 0, len(t.segs)+8)
	for _, f := range t.segs {
		if slices.Contains(remove, f.seg.ID) {
			gone = append(gone, f)
			continue
		}
		kept = append(kept, f)
	}
	return kept, gone
}

// compareSegments orders by partition, then by commit.
func compareSegments(a, b Segment) int {
	return cmp.Or(strings.Compare(a.Partition, b.Partition), cmp.Compare(a.First, b.First), strings.Compare(a.ID, b.ID))
}

// discard notes files that the present state no longer names.
func (s *Store) discard(index uint64, segs []*segFile) {
	for _, f := range segs {
		s.garbage = append(s.garbage, garbage{file: f, index: index})
	}
}

// Publish makes all that was applied up to index visible at once.
func (s *Store) Publish(index uint64) {
	s.work.Lock()
	defer s.work.Unlock()
	s.publish(index)
}

// publish is Publish. REQUIRES: s.work.
func (s *Store) publish(index uint64) {
	s.applied, s.dirty = index, false
	bytes := s.boundHeld()
	r := &root{index: index, tables: make(map[catalog.TableID]*tableVersion, len(s.tables))}
	for id, t := range s.tables {
		r.tables[id] = s.frozen(t)
		r.lacking = r.lacking || r.tables[id].shown.missing != nil
		bytes += t.version.memBytes
	}
	grown := bytes>>wakeShift != s.memBytes.Load()>>wakeShift
	s.account(bytes)
	s.swap(r)
	if grown || s.edited {
		s.edited = false
		s.bg.wake()
	}
}

// wakeShift is how much memtables grow, as a power of two, before background work looks at them: not at each commit.
const wakeShift = 20

// frozen returns the table as it is now. REQUIRES: s.work.
func (s *Store) frozen(t *table) *tableVersion {
	if t.version != nil {
		return t.version
	}
	s.settle(t)
	v := t.freeze()
	t.version, v.shown = v, v
	if t.lookFor(v); len(t.absent) > 0 || len(t.hiding) > 0 {
		v.shown = t.show(v)
		v.shown.missing = v.shown.firstAbsent()
	}
	return v
}

func (t *table) freeze() *tableVersion {
	v := &tableVersion{id: t.id, spec: t.spec, segs: t.segs, mem: t.mem.freeze(), flushed: t.flushed, frozen: t.frozen}
	for _, c := range t.mem.chunks {
		v.memBytes += c.size
	}
	for _, m := range v.mem {
		v.memRows += m.Rows.N
	}
	return v
}

// account brings the budget's count to what the memtables hold. Committed rows cannot be refused: what the
// budget does not grant stays uncounted and is asked for again; Pressure holds writers off meanwhile.
func (s *Store) account(bytes int64) {
	s.memBytes.Store(bytes)
	if bytes < s.accounted {
		s.opts.Budget.Release(s.accounted - bytes)
		s.accounted = bytes
		return
	}
	if s.opts.Budget.Reserve(bytes-s.accounted) == nil {
		s.accounted = bytes
	}
}

// swap makes r the current root and hands over the garbage collected since the last one.
func (s *Store) swap(r *root) {
	s.mu.Lock()
	r.seq = s.mu.root.seq + 1
	for i := range s.garbage {
		s.garbage[i].root = r.seq
	}
	s.mu.garbage = append(s.mu.garbage, s.garbage...)
	s.mu.root = r
	s.mu.roots = append(s.mu.roots, r)
	if s.mu.lacking { // what readers wait for may be here now
		close(s.mu.arrived)
		s.mu.arrived = make(chan struct{})
	}
	s.mu.lacking = r.lacking
	dead := s.collectLocked()
	s.mu.Unlock()
	s.garbage = s.garbage[:0]
	s.deleteFiles(dead)
}

// tableIDs returns the IDs of a root's tables in order.
func tableIDs[T any](m map[catalog.TableID]T) []catalog.TableID { return slices.Sorted(maps.Keys(m)) }

// CheckEdit returns the error that ApplyEdit would return now, and changes nothing: for entries of several edits that
// take effect together or not at all. Like Apply…, it belongs to the applying goroutine.
func (s *Store) CheckEdit(e Edit) error {
	s.work.Lock()
	defer s.work.Unlock()
	t := s.tables[e.Table]
	if t == nil {
		return fmt.Errorf("%w: %w", ErrEditRejected, unknownTable(e.Table))
	}
	return t.check(e)
}

// CheckRows returns the error that ApplyRows would return now, and changes nothing; see CheckEdit.
func (s *Store) CheckRows(id catalog.TableID, b *column.Block) error {
	s.work.Lock()
	defer s.work.Unlock()
	t := s.tables[id]
	if t == nil || t.spec == nil {
		return unknownTable(id)
	}
	return checkBlock(t.spec, b)
}
