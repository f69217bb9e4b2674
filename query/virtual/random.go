package virtual

import (
	"context"
	"math"
	"math/rand/v2"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// Limits of generateRandom.
const (
	randomString, randomArray = 10, 10  // by default
	maxRandom                 = 1 << 16 // of both
	randomRows                = 1 << 13 // of a morsel
	nullEvery                 = 16      // one value in so many is NULL, as in ClickHouse
)

// random is what generateRandom yields: rows that depend on the seed and their place only.
type random struct {
	schema          column.Schema
	seed            uint64
	longest, widest uint64 // strings and arrays
}

func randomTable(call analyze.TableCall) (plan.Table, error) {
	if len(call.Args) < 1 || len(call.Args) > 4 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function 'generateRandom' requires from one to four parameters: structure [, random_seed, max_string_length, max_array_length].")
	}
	schema, err := StructureArg(call, 0)
	if err != nil {
		return nil, err
	}
	r := &random{schema: schema, seed: rand.Uint64(), longest: randomString, widest: randomArray}
	for i, to := range []*uint64{&r.seed, &r.longest, &r.widest} {
		if i+1 >= len(call.Args) || isNullArg(call.Args[i+1]) {
			continue
		}
		n, ok := countArg(call.Args[i+1])
		if !ok || i > 0 && n > maxRandom {
			return nil, sqlerr.New(sqlerr.BadArguments, "Argument %d of table function generateRandom must be a constant number, for lengths at most %d", i+2, maxRandom)
		}
		*to = n
	}
	for _, f := range schema {
		if err := checkRandom(f.Type); err != nil {
			return nil, err
		}
	}
	return &Table{name: call.Name, schema: schema, open: func(_ context.Context, cols []int) (exec.Scanner, error) {
		return &randomScanner{random: r, cols: cols}, nil
	}}, nil
}

func isNullArg(a analyze.TableArg) bool { return a.Value != nil && column.Value(a.Value, 0) == nil }

// checkRandom refuses types that have no random values.
func checkRandom(t *types.Type) error {
	if t.Kind == types.AggregateFunction || t.Kind == types.Nothing {
		return sqlerr.New(sqlerr.NotImplemented, "The 'generateRandom' is not implemented for type %s", t)
	}
	for _, e := range t.Elems {
		if err := checkRandom(e); err != nil {
			return err
		}
	}
	return nil
}

type randomScanner struct {
	*random
	cols []int
	next atomic.Uint64
}

// Next implements exec.Scanner; there is no end.
func (s *randomScanner) Next(ctx context.Context) (exec.Morsel, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &randomMorsel{s, s.next.Add(1)}, nil
}

// Stats implements exec.Scanner.
func (s *randomScanner) Stats() exec.ScanStats { return exec.ScanStats{} }

// Close implements exec.Scanner.
func (s *randomScanner) Close() error { return nil }

type randomMorsel struct {
	s *randomScanner
	n uint64
}

// Rows implements exec.Morsel.
func (m *randomMorsel) Rows() int { return randomRows }

// Column implements exec.Morsel.
func (m *randomMorsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	c := m.s.cols[i]
	g := generator{rand.New(rand.NewPCG(m.s.seed^uint64(c)<<32, m.n)), m.s.random}
	b := column.New(m.s.schema[c].Type, randomRows)
	g.fill(b, m.s.schema[c].Type.WithoutLowCardinality(), randomRows)
	if sel != nil {
		return column.Gather(b, sel), nil
	}
	return b, nil
}

// generator appends random values.
type generator struct {
	*rand.Rand
	*random
}

func (g generator) fill(b column.Builder, t *types.Type, n int) {
	switch v := b.(type) {
	case *column.Nullable:
		for range n {
			if g.IntN(nullEvery) == 0 {
				v.AppendNull()
				continue
			}
			v.Nulls = append(v.Nulls, 0)
			g.fill(v.Inner.(column.Builder), t.Elem().WithoutLowCardinality(), 1)
		}
	case *column.Array:
		for range n {
			g.fill(v.Elem.(column.Builder), t.Elem().WithoutLowCardinality(), g.length(g.widest))
			v.EndValue()
		}
	case *column.Map:
		for range n {
			size := g.length(g.widest)
			g.fill(v.Keys.(column.Builder), t.Elems[0].WithoutLowCardinality(), size)
			g.fill(v.Vals.(column.Builder), t.Elems[1].WithoutLowCardinality(), size)
			v.EndValue()
		}
	case *column.Tuple:
		for i, e := range v.Elems {
			g.fill(e.(column.Builder), t.Elems[i].WithoutLowCardinality(), n)
		}
		v.N += n
	case *column.Str:
		g.text(v, t, n)
	default:
		for range n {
			g.number(b, t)
		}
	}
}

func (g generator) length(most uint64) int { return g.IntN(int(most) + 1) }

// The printable characters of strings.
const firstPrintable, lastPrintable = ' ', '~'

func (g generator) text(v *column.Str, t *types.Type, n int) {
	for range n {
		size := t.Width()
		if size == 0 {
			size = g.length(g.longest)
		}
		for range size {
			c := byte(g.Uint32())
			if t.Kind == types.String {
				c = byte(firstPrintable + g.IntN(lastPrintable-firstPrintable+1))
			}
			v.Data = append(v.Data, c)
		}
		v.EndValue()
	}
}

// lastSecond is the end of 2299, the last moment of a DateTime64.
const firstSecond, lastSecond = -2208988800, 10413791999

func (g generator) number(b column.Builder, t *types.Type) {
	switch t.Kind {
	case types.Bool:
		column.AppendValue(b, uint8(g.IntN(2)))
		return
	case types.Enum8:
		column.AppendValue(b, int8(t.Enum[g.IntN(len(t.Enum))].Value))
		return
	case types.Enum16:
		column.AppendValue(b, t.Enum[g.IntN(len(t.Enum))].Value)
		return
	}
	switch v := b.(type) {
	case *column.Num[uint8]:
		v.Data = append(v.Data, uint8(g.Uint32()))
	case *column.Num[uint16]:
		v.Data = append(v.Data, uint16(g.Uint32()))
	case *column.Num[uint32]:
		v.Data = append(v.Data, g.Uint32())
	case *column.Num[uint64]:
		v.Data = append(v.Data, g.Uint64())
	case *column.Num[types.U128]:
		v.Data = append(v.Data, types.U128{Lo: g.Uint64(), Hi: g.Uint64()})
	case *column.Num[int8]:
		v.Data = append(v.Data, int8(g.Uint32()))
	case *column.Num[int16]:
		v.Data = append(v.Data, int16(g.Uint32()))
	case *column.Num[int32]:
		x := int32(g.Uint32())
		if t.Kind == types.Date32 {
			x = int32((firstSecond + g.Int64N(lastSecond-firstSecond)) / 86400)
		}
		if t.Kind == types.Time {
			x %= valuetext.MaxTime + 1
		}
		v.Data = append(v.Data, x)
	case *column.Num[int64]:
		x := int64(g.Uint64())
		if t.Kind == types.Time64 {
			limit := int64(valuetext.MaxTime + 1)
			for range t.Scale {
				limit *= 10
			}
			x %= limit
		}
		if t.Kind == types.DateTime64 {
			x = firstSecond + g.Int64N(lastSecond-firstSecond)
			for range t.Scale {
				x = x*10 + g.Int64N(10)
			}
		}
		v.Data = append(v.Data, x)
	case *column.Num[types.I128]:
		v.Data = append(v.Data, types.I128{Lo: g.Uint64(), Hi: int64(g.Uint64())})
	case *column.Num[types.U256]:
		v.Data = append(v.Data, types.U256{g.Uint64(), g.Uint64(), g.Uint64(), g.Uint64()})
	case *column.Num[types.I256]:
		v.Data = append(v.Data, types.I256{g.Uint64(), g.Uint64(), g.Uint64(), g.Uint64()})
	case *column.Num[float32]:
		x := math.Float32frombits(g.Uint32())
		if t.Kind == types.BFloat16 {
			x = types.TruncateBFloat16(x)
		}
		v.Data = append(v.Data, x)
	case *column.Num[float64]:
		v.Data = append(v.Data, math.Float64frombits(g.Uint64()))
	default:
		b.AppendDefault()
	}
}
