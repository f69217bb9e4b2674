package mergetree

import (
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/invariants"
)

// root is one published state. Immutable but for refs.
type root struct {
	index  uint64
	seq    uint64 // counts Publish calls
	tables map[catalog.TableID]*tableVersion
	refs   int // of snapshots; guarded by Store.mu
}

// tableVersion is a table in a published state. Immutable.
type tableVersion struct {
	id       catalog.TableID
	spec     *Spec
	segs     []*segFile // sorted by partition, then First
	mem      []*MemChunk
	memRows  int
	memBytes int64
	flushed  uint64
}

// Snapshot pins one published state of all tables until Close. Safe for concurrent use.
type Snapshot struct {
	s *Store
	r *root
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
	return &TableView{s: p.s, v: v}
}

// TableView is a table in a snapshot. Safe for concurrent use.
type TableView struct {
	s *Store
	v *tableVersion
}

// Spec returns the table's spec as of the snapshot.
func (v *TableView) Spec() *Spec { return v.v.spec }

// Segments returns the live segments, by partition and then by order of commit.
func (v *TableView) Segments() []*SegmentHandle {
	out := make([]*SegmentHandle, len(v.v.segs))
	for i, f := range v.v.segs {
		out[i] = &SegmentHandle{Segment: f.seg, file: f, s: v.s}
	}
	return out
}

// Memtable returns the rows that are in no segment, oldest first.
func (v *TableView) Memtable() []*MemChunk { return v.v.mem }

// MemtableRows and MemtableBytes are the size of the memtable.
func (v *TableView) MemtableRows() int    { return v.v.memRows }
func (v *TableView) MemtableBytes() int64 { return v.v.memBytes }

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
