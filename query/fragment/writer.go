package fragment

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// writer appends the parts of an encoding. The first error stays.
type writer struct {
	b          []byte
	types      map[string]uint64 // numbers, by name
	broadcasts map[*plan.Broadcast]uint64
	params     []*plan.Param // of the lambdas around
	merges     bool          // some aggregate merges states
	err        error
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) u8(x byte)     { w.b = append(w.b, x) }
func (w *writer) uv(x uint64)   { w.b = binary.AppendUvarint(w.b, x) }
func (w *writer) sv(x int64)    { w.b = binary.AppendVarint(w.b, x) }
func (w *writer) count(n int)   { w.uv(uint64(n)) }
func (w *writer) f64(x uint64)  { w.b = binary.LittleEndian.AppendUint64(w.b, x) }
func (w *writer) text(s string) { w.count(len(s)); w.b = append(w.b, s...) }

func (w *writer) flag(x bool) {
	if x {
		w.u8(1)
	} else {
		w.u8(0)
	}
}

func (w *writer) ints(list []int) {
	w.count(len(list))
	for _, x := range list {
		w.count(x)
	}
}

// typ writes a type: its number and, where that is new, its name.
func (w *writer) typ(t *types.Type) {
	name := t.String()
	n, ok := w.types[name]
	if !ok {
		n = uint64(len(w.types))
		if w.types == nil {
			w.types = map[string]uint64{}
		}
		w.types[name] = n
	}
	if w.uv(n); !ok {
		w.text(name)
	}
}

func (w *writer) fields(s column.Schema) {
	w.count(len(s))
	for _, f := range s {
		w.text(f.Name)
		w.typ(f.Type)
	}
}

// block writes rows with their length before them.
func (w *writer) block(b *column.Block) {
	enc, err := blockcodec.Append(nil, b)
	if err != nil {
		w.fail(err)
		return
	}
	w.count(len(enc))
	w.b = append(w.b, enc...)
}

func (w *writer) vector(v column.Vector) { w.block(column.NewBlock(v)) }
