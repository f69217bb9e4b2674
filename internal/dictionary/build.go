package dictionary

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
)

// maxRows bounds a dictionary: rows are numbered by 32 bits, and one number stands for none.
const maxRows = math.MaxUint32 - 1

// maxColumn bounds the bytes of one column: offsets into a vector have 32 bits.
const maxColumn = math.MaxUint32

// indexBytes is the most that the index of a row takes while it is made: slots of a table that is at least a quarter full, and its hash.
const indexBytes = 64

// Builder gathers rows. It belongs to one goroutine.
type Builder struct {
	shape  *Shape
	budget *mem.Budget
	cols   []column.Builder
	rows   int
	held   int64
}

// NewBuilder returns an empty one whose memory is counted in a budget, which may be nil.
func NewBuilder(s *Shape, budget *mem.Budget) *Builder {
	b := &Builder{shape: s, budget: budget}
	for _, f := range s.Schema() {
		b.cols = append(b.cols, column.New(f.Type, 0))
	}
	return b
}

// Add appends rows: columns of the shape's types in the order of its schema, or Nullable of them, where NULL stands for the
// attribute's default. Errors are those of memory, and TooManyRows.
func (b *Builder) Add(block *column.Block) error {
	if len(block.Cols) != len(b.cols) {
		return sqlerr.New(sqlerr.NumberOfColumnsDoesntMatch, "The source of dictionary %s has %d columns, not %d", b.shape.Name, len(block.Cols), len(b.cols))
	}
	if uint64(b.rows)+uint64(block.N) > maxRows {
		return sqlerr.New(sqlerr.TooManyRows, "Dictionary %s has more than %d rows", b.shape.Name, uint64(maxRows))
	}
	n := block.Bytes() + int64(block.N)*indexBytes
	if err := b.budget.Reserve(n); err != nil {
		return err
	}
	b.held += n
	for i, c := range block.Cols {
		if b.cols[i].Bytes()+c.Bytes() > maxColumn {
			return sqlerr.New(sqlerr.TooManyBytes, "Column %s of dictionary %s is larger than %d bytes", b.shape.Schema()[i].Name, b.shape.Name, int64(maxColumn))
		}
		b.append(i, column.Flatten(c))
	}
	b.rows += block.N
	return nil
}

// append appends a column's values, the default in place of NULL where the column takes none.
func (b *Builder) append(i int, v column.Vector) {
	to := b.cols[i]
	from, nullable := v.(*column.Nullable)
	if _, same := to.(*column.Nullable); same || !nullable {
		to.AppendRange(v, 0, v.Len())
		return
	}
	attribute := i - len(b.shape.Key) - len(b.shape.Range)
	start := 0
	for k, null := range from.Nulls {
		if null == 0 {
			continue
		}
		to.AppendRange(from.Inner, start, k)
		if start = k + 1; attribute >= 0 {
			to.AppendFrom(b.shape.Attributes[attribute].Default, 0)
		} else {
			to.AppendDefault()
		}
	}
	to.AppendRange(from.Inner, start, v.Len())
}

// Finish returns the dictionary, whose memory the caller releases when it is no longer used: what Held says. The builder is empty then. On
// error its memory is released.
func (b *Builder) Finish() (*Data, error) {
	d := &Data{shape: b.shape, rows: b.rows}
	var all []column.Vector
	nk, nb := len(b.shape.Key), len(b.shape.Key)+len(b.shape.Range)
	for i, c := range b.cols {
		if i >= nb {
			c.AppendFrom(b.shape.Attributes[i-nb].Default, 0)
		}
		all = append(all, c)
	}
	if b.shape.Layout == Flat { // whose index may be larger than the rows
		n := flatBytes(b.shape, all[0].(*column.Num[uint64]).Data)
		if err := b.budget.Reserve(n); err != nil {
			b.Discard()
			return nil, err
		}
		b.held += n
	}
	ix, keep, err := newIndex(b.shape, all[:nk], all[nk:nb])
	if err != nil {
		b.Discard()
		return nil, err
	}
	if keep != nil {
		d.rows = len(keep)
		for i := range all {
			if i == nb {
				keep = append(keep, uint32(b.rows)) // the default
			}
			all[i] = column.Gather(all[i], keep)
		}
		if t, ok := ix.(*table); ok {
			t.keys = all[:nk:nk]
		}
	}
	d.index, d.keys, d.bounds, d.attrs = ix, all[:nk], all[nk:nb], all[nb:]
	d.finish()
	if err := b.settle(d.bytes); err != nil {
		return nil, err
	}
	return d, nil
}

// settle makes what is reserved the bytes that the dictionary takes.
func (b *Builder) settle(bytes int64) error {
	if more := bytes - b.held; more > 0 {
		if err := b.budget.Reserve(more); err != nil {
			b.Discard()
			return err
		}
	} else {
		b.budget.Release(-more)
	}
	b.held = 0
	return nil
}

// Discard gives back the memory of rows that were gathered.
func (b *Builder) Discard() {
	b.budget.Release(b.held)
	b.held = 0
}
