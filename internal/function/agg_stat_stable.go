package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// welford is Welford's running sums of squares: they stay exact where sums of squares cancel.
type welford struct{ n, mx, my, xx, yy, xy float64 }

func (m *welford) add(x, y float64) {
	m.n++
	dx, dy := x-m.mx, y-m.my
	m.mx += dx / m.n
	m.my += dy / m.n
	m.xx += dx * (x - m.mx)
	m.yy += dy * (y - m.my)
	m.xy += dx * (y - m.my)
}

func (m *welford) merge(b *welford) {
	if b.n == 0 {
		return
	}
	if m.n == 0 {
		*m = *b
		return
	}
	n := m.n + b.n
	dx, dy, w := b.mx-m.mx, b.my-m.my, m.n*b.n/n
	m.xx += b.xx + dx*dx*w
	m.yy += b.yy + dy*dy*w
	m.xy += b.xy + dx*dy*w
	m.mx += dx * b.n / n
	m.my += dy * b.n / n
	m.n = n
}

func (m *welford) result(k stat) float64 {
	over := m.n
	if k == statVarSamp || k == statStddevSamp || k == statCovarSamp {
		over--
	}
	if m.n == 0 || over == 0 {
		return math.NaN()
	}
	switch k {
	case statVarPop, statVarSamp:
		return m.xx / over
	case statStddevPop, statStddevSamp:
		return math.Sqrt(m.xx / over)
	case statCovarPop, statCovarSamp:
		return m.xy / over
	}
	return m.xy / math.Sqrt(m.xx*m.yy)
}

func resolveStable(name string, k stat) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
		if err := checkStat(name, args); err != nil {
			return nil, err
		}
		return foldWelford(k), nil
	}
}

func foldWelford(k stat) Aggregate {
	return &fold[welford]{
		result: types.TFloat64,
		add: func(s *foldStates[welford], groups []uint32, args []column.Vector, _ int) error {
			xs := toFloats(args[0])
			ys := xs
			if len(args) == 2 {
				ys = toFloats(args[1])
			}
			for i, x := range xs {
				s.s[groups[i]].add(x, ys[i])
			}
			return nil
		},
		merge: func(_ *foldStates[welford], a, b *welford) { a.merge(b) },
		save: func(dst []byte, s *welford) []byte {
			for _, x := range []float64{s.n, s.mx, s.my, s.xx, s.yy, s.xy} {
				dst = appendF64(dst, x)
			}
			return dst
		},
		load: func(s *welford, r *reader) error {
			for _, x := range []*float64{&s.n, &s.mx, &s.my, &s.xx, &s.yy, &s.xy} {
				*x = r.f64()
			}
			return nil
		},
		finish: func(out column.Builder, s *welford) error { push(out, s.result(k)); return nil },
	}
}
