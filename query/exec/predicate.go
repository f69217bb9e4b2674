package exec

import (
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/eval"
)

// dictMask remembers which entries of the last dictionaries pass a predicate.
type dictMask struct {
	sync.Mutex
	masks map[column.Vector][]uint8
}

// Limits of dictMask: a dictionary this many times larger than the rows at hand is not
// worth evaluating whole; and about the segments that the workers alternate between.
const (
	dictPerRows = 4
	dictMasks   = 16
)

// mask returns the rows that pass. A predicate over one dictionary column is evaluated once
// per entry.
func (p *Predicate) mask(b *column.Block) ([]uint8, error) {
	cols := p.Program.Columns()
	if len(cols) == 1 && !p.Program.Volatile() {
		if d, ok := b.Cols[cols[0]].(*column.Dict); ok {
			if m := p.entries(cols[0], d, b); m != nil {
				out := make([]uint8, len(d.Codes))
				for i, c := range d.Codes {
					out[i] = m[c]
				}
				return out, nil
			}
		}
	}
	v, err := p.Program.Run1(b)
	if err != nil {
		return nil, err
	}
	return eval.Truth(v, b.N), nil
}

// entries returns which entries pass, or nil if that would not pay or fails: an entry
// that no row uses may be one a function refuses.
func (p *Predicate) entries(col int, d *column.Dict, b *column.Block) []uint8 {
	p.dict.Lock()
	m, known := p.dict.masks[d.Values]
	p.dict.Unlock()
	if known {
		return m
	}
	n := d.Values.Len()
	if n > dictPerRows*b.N {
		return nil
	}
	entries := &column.Block{Cols: make([]column.Vector, len(b.Cols)), N: n}
	entries.Cols[col] = d.Values
	if v, err := p.Program.Run1(entries); err == nil {
		m = eval.Truth(v, n)
	}
	p.dict.Lock()
	defer p.dict.Unlock()
	if p.dict.masks == nil || len(p.dict.masks) >= dictMasks {
		p.dict.masks = map[column.Vector][]uint8{}
	}
	p.dict.masks[d.Values] = m
	return m
}
