package analyze

import (
	"math/big"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// sample applies SAMPLE: rows whose sampling key lies in a range that is the wanted part of what its type holds. The key is uniform, being a hash as a
// rule, and stands in the primary key, so that the range prunes. SAMPLE n with n > 1 is n rows of as many as the table has.
func (s *scope) sample(f *frame, entry *catalog.Table, r *ast.SampleRatio) error {
	factor := big.NewRat(1, 1)
	if r != nil {
		ratio, err := s.ratio(r.Ratio, entry)
		if err != nil {
			return err
		}
		offset, err := s.ratio(r.Offset, entry)
		if err != nil {
			return err
		}
		if ratio.Sign() > 0 {
			factor.Inv(ratio)
			if err := s.sampleRange(f, entry, ratio, offset); err != nil {
				return err
			}
		}
	}
	if entry.SampleBy != "" {
		src := f.sources[0]
		text, _ := factor.Float64()
		src.columns = append(src.columns, &sourceColumn{name: "_sample_factor", shown: "_sample_factor", t: types.TFloat64, alias: constant(types.TFloat64, text).String()})
		src.index()
	}
	return nil
}

// sampleRange keeps the rows whose key lies in [offset, offset + ratio) of its type's range.
func (s *scope) sampleRange(f *frame, entry *catalog.Table, ratio, offset *big.Rat) error {
	e, err := parseExpr(entry.SampleBy)
	if err != nil {
		return err
	}
	own := s.a.scope(nil)
	own.from = f
	key, err := own.resolve(e)
	if err != nil {
		return err
	}
	t := key.Type()
	if !t.IsUnsigned() || t.Width() > 8 {
		return sqlerr.New(sqlerr.IllegalTypeOfColumnForFilter, "Invalid sampling column type in storage parameters: %s. Must be one unsigned integer type", t)
	}
	size := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(8*t.Width())))
	bound := func(op string, r *big.Rat) error {
		at := new(big.Rat).Mul(r, size)
		n := new(big.Int).Quo(at.Num(), at.Denom()).Uint64()
		c, err := own.call(op, key, unsigned(n))
		if err == nil {
			f.node = &plan.Filter{Input: f.node, Cond: c}
		}
		return err
	}
	end := new(big.Rat).Add(offset, ratio)
	one := big.NewRat(1, 1)
	switch {
	case offset.Cmp(one) >= 0: // nothing
		f.node = &plan.Filter{Input: f.node, Cond: unsigned(0)}
		return nil
	case offset.Sign() > 0:
		if err := bound("greaterOrEquals", offset); err != nil {
			return err
		}
	}
	if end.Cmp(one) < 0 {
		return bound("less", end)
	}
	return nil
}

// ratio is a constant of SAMPLE as a part of all rows: a number up to 1, a fraction a/b, or a number of rows. Nil is 0.
func (s *scope) ratio(e ast.Expr, entry *catalog.Table) (*big.Rat, error) {
	if e == nil {
		return new(big.Rat), nil
	}
	r := exactRatio(e)
	if r == nil || r.Sign() < 0 {
		return nil, sqlerr.At(e.Span().Start, sqlerr.SyntaxError, "SAMPLE takes a number or a fraction of numbers, not %s", ast.Shown(e))
	}
	if r.Cmp(big.NewRat(1, 1)) <= 0 {
		return r, nil
	}
	if s.a.opts.Rows == nil {
		return nil, sqlerr.At(e.Span().Start, sqlerr.NotImplemented, "SAMPLE of a number of rows is not supported in this place")
	}
	rows, err := s.a.opts.Rows(entry)
	if err != nil || rows == 0 {
		return new(big.Rat), err
	}
	if r.Quo(r, new(big.Rat).SetInt(new(big.Int).SetUint64(rows))); r.Cmp(big.NewRat(1, 1)) > 0 {
		r.SetInt64(1)
	}
	return r, nil
}

// exactRatio reads a literal or a quotient of two as it is written; nil for anything else.
func exactRatio(e ast.Expr) *big.Rat {
	switch e := e.(type) {
	case *ast.Literal:
		if e.Kind != ast.LiteralUint && e.Kind != ast.LiteralFloat || len(e.Text) > maxRatioDigits {
			return nil
		}
		r, ok := new(big.Rat).SetString(e.Text)
		if !ok {
			return nil
		}
		return r
	case *ast.FuncCall:
		if e.Name == "divide" && len(e.Args) == 2 {
			a, b := exactRatio(e.Args[0]), exactRatio(e.Args[1])
			if a != nil && b != nil && b.Sign() != 0 {
				return a.Quo(a, b)
			}
		}
	}
	return nil
}

// maxRatioDigits bounds the text of a number whose exact value is wanted.
const maxRatioDigits = 64
