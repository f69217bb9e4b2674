package mergetree

import (
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/invariants"
)

// root is one published state. Immutable but for refs.
type root struct {
	index  uint64
	seq    uint64 // counts Publish calls
	tables map[catalog.TableID]*tableVersion
	refs   int // of snapshots; guarded by Store.mu
	// lacking says that files are missing which some table's readers need.
	lacking bool
}

// tableVersion is a table in a published state. Immutable.
type tableVersion struct {
	// shown is what readers see of it: itself, unless files are missing that its inputs stand in for.
	shown *tableVersion
	// missing is a segment of segs whose file is not here; nil if all are.
	missing *segFile

	id       catalog.TableID
	spec     *Spec
	segs     []*segFile // sorted by partition, then First
	mem      []*MemChunk
	memRows  int
	memBytes int64
	flushed  uint64
	frozen   map[string]bool
}

// Snapshot pins one published state of all tables until Close. Safe for concurrent use.
type Snapshot struct {
	s      *Store
	r      *root
	hidden map[string]bool // segments that are not shown: see Hide
	empty  func(catalog.TableID) bool
}

// Snapshot pins the present state.
func (s *Store) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.root.refs++
	return &Snapshot{s: s, r: s.mu.root}
}

// Close releases the pin, once.
func (p *Snapshot) Close() {
	p.s.mu.Lock()
	p.r.refs--
	invariants.Check(p.r.refs >= 0, "mergetree: a snapshot closed twice")
	dead := p.s.collectLocked()
	p.s.mu.Unlock()
	p.s.deleteFiles(dead)
}

// Index returns the log index whose state this is.
func (p *Snapshot) Index() uint64 { return p.r.index }

// Tables returns the IDs of all tables, in order.
func (p *Snapshot) Tables() []catalog.TableID { return tableIDs(p.r.tables) }

// Table returns the view of a table, valid until the snapshot is closed; nil if there is none with a spec.
func (p *Snapshot) Table(id catalog.TableID) *TableView {
	v := p.r.tables[id]
	if v == nil || v.spec == nil {
		return nil
	}
	if p.empty != nil && p.empty(id) {
		none := &tableVersion{id: v.id, spec: v.spec, flushed: v.flushed}
		none.shown = none
		return &TableView{s: p.s, v: none, live: v}
	}
	return &TableView{s: p.s, v: v.without(p.hidden), live: v}
}

// Hide leaves segments out of what the snapshot's views read from now on, and all rows of tables that empty says. For its owner, before it is shared.
func (p *Snapshot) Hide(segments map[string]bool, empty func(catalog.TableID) bool) {
	p.hidden, p.empty = segments, empty
}

// without returns what is read of the version without some of its segments. Where these are, nothing stands in for files that are missing: the inputs of a
// segment left out would be its rows.
func (v *tableVersion) without(hidden map[string]bool) *tableVersion {
	if len(hidden) == 0 || !slices.ContainsFunc(v.segs, func(f *segFile) bool { return hidden[f.seg.ID] }) {
		return v.shown
	}
	out := *v
	out.segs = slices.DeleteFunc(slices.Clone(v.segs), func(f *segFile) bool { return hidden[f.seg.ID] })
	out.missing = out.firstAbsent()
	return &out
}

// TableView is a table in a snapshot. Safe for concurrent use.
type TableView struct {
	s    *Store
	v    *tableVersion // what is shown
	live *tableVersion // the manifest and the memtable: what edits are made against
}

// Ready returns nil if all files that the view reads are here, or else an error that wraps ErrMissingSegment.
func (v *TableView) Ready() error {
	if v.v.missing == nil {
		return nil
	}
	if f := v.v.firstAbsent(); f != nil {
		return missingSegment(f.seg)
	}
	return nil
}

// Spec returns the table's spec as of the snapshot.
func (v *TableView) Spec() *Spec { return v.v.spec }

// Segments returns the segments to be read, by partition and then by order of commit: the live ones, or inputs of those whose files
// are not here.
func (v *TableView) Segments() []*SegmentHandle {
	out := make([]*SegmentHandle, len(v.v.segs))
	for i, f := range v.v.segs {
		out[i] = &SegmentHandle{Segment: f.seg, file: f, s: v.s}
	}
	return out
}

// Memtable returns the rows to be read that are in no segment of Segments, oldest first.
func (v *TableView) Memtable() []*MemChunk { return v.v.mem }

// MemtableRows and MemtableBytes are the size of the memtable: of the rows that no flush has covered.
func (v *TableView) MemtableRows() int    { return v.live.memRows }
func (v *TableView) MemtableBytes() int64 { return v.live.memBytes }

// Rows is the number of rows in segments and memtable, before any FINAL.
func (v *TableView) Rows() uint64 {
	n := uint64(v.v.memRows)
	for _, f := range v.v.segs {
		n += f.seg.Rows
	}
	return n
}

// Bytes is the size of the segment files.
func (v *TableView) Bytes() uint64 {
	n := uint64(0)
	for _, f := range v.v.segs {
		n += f.seg.Bytes
	}
	return n
}
