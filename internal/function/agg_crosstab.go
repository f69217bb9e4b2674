package function

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		name, doc string
		result    func(*crosstab) float64
	}{
		{"cramersV", "Returns how much two columns depend on each other, from 0 to 1 (Cramér's V).", (*crosstab).cramersV},
		{"cramersVBiasCorrected", "Returns Cramér's V without its bias.", (*crosstab).cramersVCorrected},
		{"theilsU", "Returns how much of the first column the second one tells, from 0 to 1 (Theil's U).", (*crosstab).theilsU},
		{"contingency", "Returns the contingency coefficient of two columns.", (*crosstab).contingency},
	} {
		registerAggregates(&AggregateFamily{Name: f.name, MinArgs: 2, MaxArgs: 2, EmptyNull: true, Doc: f.doc, Example: f.name + "(a, b) → 0.5",
			Resolve: func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
				for _, t := range args {
					switch {
					case t.IsUnion(), t.Kind == types.JSON:
						return nil, badArg(f.name, t)
					case isTuple(t), isMap(t):
						return nil, sqlerr.New(sqlerr.NotImplemented, "Aggregate function %s is not supported for %s", f.name, t)
					}
				}
				return foldCrosstab(f.result), nil
			}})
	}
}

// crosstab counts pairs of values, by their hashes.
type crosstab struct{ pairs map[types.U128]uint64 }

// crosstabBytes is about what an entry of the map takes.
const crosstabBytes = 48

func (c *crosstab) add(pair types.U128, n uint64) int64 {
	if c.pairs == nil {
		c.pairs = map[types.U128]uint64{}
	}
	before := len(c.pairs)
	c.pairs[pair] += n
	return crosstabBytes * int64(len(c.pairs)-before)
}

// sorted is the pairs in one order, so that sums of floats are the same each time.
func (c *crosstab) sorted() []types.U128 {
	out := make([]types.U128, 0, len(c.pairs))
	for p := range c.pairs {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b types.U128) int { return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lo, b.Lo)) })
	return out
}

// margins is how often each value of the first and of the second column comes, and how many rows there are.
func (c *crosstab) margins() (a, b map[uint64]float64, count float64) {
	a, b = map[uint64]float64{}, map[uint64]float64{}
	for p, n := range c.pairs {
		a[p.Hi] += float64(n)
		b[p.Lo] += float64(n)
		count += float64(n)
	}
	return a, b, count
}

// phiSquared is χ² over the number of rows: Σ n²ab / (na·nb) - 1.
func (c *crosstab) phiSquared(a, b map[uint64]float64) float64 {
	sum := 0.0
	for _, p := range c.sorted() {
		n := float64(c.pairs[p])
		sum += n * n / (a[p.Hi] * b[p.Lo])
	}
	return min(max(sum-1, 0), float64(min(len(a), len(b))-1))
}

func (c *crosstab) cramersV() float64 {
	a, b, count := c.margins()
	least := min(len(a), len(b))
	if count < 2 || least < 2 {
		return math.NaN()
	}
	return math.Sqrt(c.phiSquared(a, b) / float64(least-1))
}

func (c *crosstab) cramersVCorrected() float64 {
	a, b, count := c.margins()
	if count < 2 {
		return math.NaN()
	}
	da, db := float64(len(a)-1), float64(len(b)-1)
	over := min(float64(len(a))-da*da/(count-1), float64(len(b))-db*db/(count-1)) - 1
	if over <= 0 {
		return math.NaN()
	}
	return math.Sqrt(max(0, c.phiSquared(a, b)-da*db/(count-1)) / over)
}

func (c *crosstab) theilsU() float64 {
	a, b, count := c.margins()
	if count < 2 {
		return math.NaN()
	}
	entropy, given := 0.0, 0.0
	last := uint64(0)
	for i, p := range c.sorted() {
		if i == 0 || p.Hi != last {
			entropy += a[p.Hi] / count * math.Log(a[p.Hi]/count)
			last = p.Hi
		}
		n := float64(c.pairs[p])
		given += n / count * math.Log(n/b[p.Lo])
	}
	if entropy == 0 {
		return 0
	}
	return (entropy - given) / entropy
}

func (c *crosstab) contingency() float64 {
	a, b, count := c.margins()
	if count < 2 {
		return math.NaN()
	}
	phi := c.phiSquared(a, b)
	return math.Sqrt(phi / (phi + 1))
}

// valueHashes is a hash of each of n values.
func valueHashes(dst []uint64, v column.Vector, n int) []uint64 {
	var buf []byte
	for i := range n {
		buf = appendValue(buf[:0], v, i)
		dst = append(dst, xxh3.Hash(buf))
	}
	return dst
}

func foldCrosstab(result func(*crosstab) float64) Aggregate {
	return &fold[crosstab]{
		result: types.TFloat64,
		add: func(s *foldStates[crosstab], groups []uint32, args []column.Vector, n int) error {
			a, b := valueHashes(nil, args[0], n), valueHashes(nil, args[1], n)
			for i := range n {
				s.extra += s.s[groups[i]].add(types.U128{Hi: a[i], Lo: b[i]}, 1)
			}
			return nil
		},
		merge: func(s *foldStates[crosstab], a, b *crosstab) {
			for p, n := range b.pairs {
				s.extra += a.add(p, n)
			}
		},
		save: func(dst []byte, s *crosstab) []byte {
			for _, p := range s.sorted() {
				dst = binary.AppendUvarint(appendU64(appendU64(dst, p.Hi), p.Lo), s.pairs[p])
			}
			return dst
		},
		load: func(s *crosstab, r *reader) error {
			for len(r.b) > 0 {
				p := types.U128{Hi: r.u64(), Lo: r.u64()}
				n := r.uvarint()
				if n == 0 {
					r.fail()
					break
				}
				s.add(p, n)
			}
			return nil
		},
		finish: func(out column.Builder, s *crosstab) error { push(out, result(s)); return nil },
	}
}
