package function

import (
	"math"
	"math/bits"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

const (
	hll12Precision = 12
	hll12Cells     = 1 << hll12Precision
	hll12Few       = 16 // values are counted exactly up to here
	hll12MaxRank   = 32 - hll12Precision + 1
)

// hll12 is ClickHouse's uniqHLL12, answer by answer: values themselves up to hll12Few, then HyperLogLog over hashes of 32 bits.
type hll12 struct {
	few   []uint64
	cells []uint8 // ranks; nil while few
}

func (h *hll12) add(key uint64) int64 {
	if h.cells != nil {
		h.cell(key)
		return 0
	}
	for _, k := range h.few {
		if k == key {
			return 0
		}
	}
	if len(h.few) < hll12Few {
		before := cap(h.few)
		h.few = append(h.few, key)
		return 8 * int64(cap(h.few)-before)
	}
	grown := h.spread()
	h.cell(key)
	return grown
}

// spread turns values into cells.
func (h *hll12) spread() int64 {
	h.cells = make([]uint8, hll12Cells)
	for _, k := range h.few {
		h.cell(k)
	}
	grown := hll12Cells - 8*int64(cap(h.few))
	h.few = nil
	return grown
}

func (h *hll12) cell(key uint64) {
	x := uint32(intHash32(key))
	rank := uint8(min(bits.TrailingZeros32(x>>hll12Precision)+1, hll12MaxRank))
	i := x % hll12Cells
	h.cells[i] = max(h.cells[i], rank)
}

func (h *hll12) merge(b *hll12) (grown int64) {
	for _, k := range b.few {
		grown += h.add(k)
	}
	if b.cells == nil {
		return grown
	}
	if h.cells == nil {
		grown += h.spread()
	}
	for i, r := range b.cells {
		h.cells[i] = max(h.cells[i], r)
	}
	return grown
}

func (h *hll12) estimate() uint64 {
	if h.cells == nil {
		return uint64(len(h.few))
	}
	return estimateCells(h.cells)
}

// estimateCells is the classic HyperLogLog estimate, with linear counting of few.
func estimateCells(cells []uint8) uint64 {
	m, sum, zeros := float64(len(cells)), 0.0, 0
	for _, r := range cells {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && zeros > 0 {
		e = m * math.Log(m/float64(zeros))
	}
	return uint64(math.Round(e))
}

func resolveHLL12(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return &fold[hll12]{
		result: types.TUInt64,
		once:   true,
		dict:   true,
		add: func(s *foldStates[hll12], groups []uint32, args []column.Vector, n int) error {
			for i, x := range keys64(s, args, n) {
				s.extra += s.s[groups[i]].add(x)
			}
			return nil
		},
		merge: func(s *foldStates[hll12], a, b *hll12) { s.extra += a.merge(b) },
		save: func(dst []byte, s *hll12) []byte {
			if s.cells != nil {
				return append(append(dst, hll12Few+1), s.cells...)
			}
			dst = append(dst, uint8(len(s.few)))
			for _, k := range s.few {
				dst = appendU64(dst, k)
			}
			return dst
		},
		load: func(s *hll12, r *reader) error {
			n := r.u8()
			if n > hll12Few {
				if len(r.b) != hll12Cells {
					r.fail()
					return nil
				}
				for _, rank := range r.b {
					if rank > hll12MaxRank {
						r.fail()
						return nil
					}
				}
				s.cells, r.b = append([]uint8(nil), r.b...), nil
				return nil
			}
			for ; n > 0; n-- {
				s.add(r.u64())
			}
			return nil
		},
		finish: func(out column.Builder, s *hll12) error { push(out, s.estimate()); return nil },
	}, nil
}
