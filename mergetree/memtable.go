package mergetree

import (
	"slices"
	"sort"

	"github.com/olapd/olapd/internal/column"
)

// commitRun says that rows [the end of the run before, end) of a chunk were committed at one log index.
type commitRun struct {
	index uint64
	end   int
}

// chunk is a run of memtable rows in commit order, being appended to by the applying goroutine alone.
type chunk struct {
	schema  column.Schema
	cols    []column.Builder
	whole   *column.Block // in place of cols: a block that was large enough to be kept as it is
	commits []commitRun
	rows    int
	size    int64 // bytes appended
	from    int   // rows before it have been flushed
	sealed  bool
	view    *MemChunk // of the present state; nil when it is out of date
}

func newChunk(schema column.Schema, hint int) *chunk {
	c := &chunk{schema: schema}
	for _, f := range schema {
		c.cols = append(c.cols, column.New(f.Type, hint))
	}
	return c
}

// adopt is a chunk of the block itself.
func adopt(schema column.Schema, index uint64, b *column.Block) *chunk {
	return &chunk{schema: schema, whole: b.Flatten(), commits: []commitRun{{index, b.N}}, rows: b.N, size: b.Bytes(), sealed: true}
}

// append adds rows of a block; the caller sees to it that there is room.
func (c *chunk) append(index uint64, b *column.Block) {
	for i, col := range c.cols {
		col.AppendRange(b.Cols[i], 0, b.N)
	}
	c.rows += b.N
	c.size += b.Bytes()
	c.view = nil
	if n := len(c.commits); n > 0 && c.commits[n-1].index == index {
		c.commits[n-1].end = c.rows
		return
	}
	c.commits = append(c.commits, commitRun{index, c.rows})
}

// cut drops the rows committed at or before the watermark.
func (c *chunk) cut(watermark uint64) {
	for _, r := range c.commits {
		if r.index > watermark {
			return
		}
		c.from, c.view = r.end, nil
	}
}

// freeze returns the view of the rows there are now. It stays valid while the chunk grows.
func (c *chunk) freeze() *MemChunk {
	if c.view == nil && c.whole != nil {
		c.view = &MemChunk{Schema: c.schema, Rows: c.whole.Slice(c.from, c.rows), commits: c.commits, from: c.from}
	}
	if c.view == nil {
		b := &column.Block{N: c.rows - c.from, Cols: make([]column.Vector, len(c.cols))}
		for i, col := range c.cols {
			b.Cols[i] = frozen(col, c.from, c.rows)
		}
		c.view = &MemChunk{Schema: c.schema, Rows: b, commits: c.commits[:len(c.commits):len(c.commits)], from: c.from}
	}
	return c.view
}

// frozen returns values [from, to) of a vector that goes on growing: every slice header is copied, at every depth,
// so that a reader shares with the builder only elements that are never written again.
func frozen(v column.Vector, from, to int) column.Vector {
	switch v := v.(type) {
	case *column.Nullable:
		return column.NewNullable(v.Nulls[from:to:to], frozen(v.Inner, from, to))
	case *column.Array:
		off := v.Off[from : to+1 : to+1]
		return &column.Array{Typ: v.Typ, Off: off, Elem: frozen(v.Elem, 0, int(off[to-from]))}
	case *column.Map:
		off := v.Off[from : to+1 : to+1]
		n := int(off[to-from])
		return &column.Map{Typ: v.Typ, Off: off, Keys: frozen(v.Keys, 0, n), Vals: frozen(v.Vals, 0, n)}
	case *column.Variant:
		alts := make([]column.Vector, len(v.Alts))
		for i, a := range v.Alts {
			alts[i] = frozen(a, 0, a.Len())
		}
		return &column.Variant{Typ: v.Typ, Which: v.Which[from:to:to], At: v.At[from:to:to], Alts: alts}
	case *column.Tuple:
		elems := make([]column.Vector, len(v.Elems))
		for i, e := range v.Elems {
			elems[i] = frozen(e, from, to)
		}
		return &column.Tuple{Typ: v.Typ, Elems: elems, N: to - from}
	}
	return v.Slice(from, to)
}

// MemChunk is an immutable run of memtable rows, in commit order.
type MemChunk struct {
	// Schema is the table's columns when the rows were written: an older schema after an ALTER.
	Schema column.Schema
	// Rows has one vector per column of Schema.
	Rows    *column.Block
	commits []commitRun // ends count from the chunk's first row
	from    int         // Rows begins here
}

// firstIndex is the log index of the first row.
func (m *MemChunk) firstIndex() uint64 {
	return m.indexAt(0)
}

// upTo returns how many rows were committed at or before index.
func (m *MemChunk) upTo(index uint64) int {
	i := sort.Search(len(m.commits), func(i int) bool { return m.commits[i].index > index })
	if i == 0 {
		return 0
	}
	return max(m.commits[i-1].end-m.from, 0)
}

// memtable is the rows of a table that are in no segment, oldest first. It belongs to the applying goroutine.
type memtable struct {
	limit  int // rows of a chunk
	adopt  int // rows of a block that becomes a chunk; 0: of none
	chunks []*chunk
}

// append adds the block's rows, cutting it where a chunk is full. A large block becomes chunks of its own, without a copy.
func (m *memtable) append(schema column.Schema, index uint64, b *column.Block) {
	for m.adopt > 0 && b.N >= m.adopt && b.Bytes() < chunkBytes {
		if n := len(m.chunks); n > 0 {
			m.chunks[n-1].sealed = true
		}
		n := min(b.N, m.limit)
		m.chunks = append(m.chunks, adopt(schema, index, b.Slice(0, n)))
		if b = b.Slice(n, b.N); b.N == 0 {
			return
		}
	}
	for {
		c := m.open(schema, b)
		n := m.limit - c.rows
		if b.N <= n {
			c.append(index, b)
			return
		}
		c.append(index, b.Slice(0, n))
		b = b.Slice(n, b.N)
	}
}

// open returns the chunk to append to, a new one where the last is full, too large or of another schema.
func (m *memtable) open(schema column.Schema, b *column.Block) *chunk {
	if n := len(m.chunks); n > 0 {
		c := m.chunks[n-1]
		if !c.sealed && c.rows < m.limit && sameSchema(c.schema, schema) && c.size+b.Bytes() < chunkBytes {
			return c
		}
		c.sealed = true
	}
	c := newChunk(schema, min(b.N, m.limit))
	m.chunks = append(m.chunks, c)
	return c
}

func sameSchema(a, b column.Schema) bool {
	return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] || slices.EqualFunc(a, b, func(x, y column.Field) bool {
		return x.Name == y.Name && x.Type.Equal(y.Type)
	})
}

// cut drops the rows committed at or before the watermark.
func (m *memtable) cut(watermark uint64) {
	keep := m.chunks[:0:0]
	for _, c := range m.chunks {
		if c.cut(watermark); c.from < c.rows {
			keep = append(keep, c)
		}
	}
	m.chunks = keep
}

// freeze returns the views of all chunks.
func (m *memtable) freeze() []*MemChunk {
	out := make([]*MemChunk, 0, len(m.chunks))
	for _, c := range m.chunks {
		if c.rows > c.from {
			out = append(out, c.freeze())
		}
	}
	return out
}
