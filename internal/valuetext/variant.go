package valuetext

import (
	"cmp"
	"slices"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// textRank is how early a type without nesting is tried when a text may be of several: earlier ones hold less. Those not here come last.
var textRank = func() map[types.Kind]int {
	order := []types.Kind{types.Array, types.Tuple, types.Map, types.AggregateFunction, types.Enum8, types.Enum16, types.UUID, types.IPv4, types.IPv6, types.Bool,
		types.Int8, types.UInt8, types.Int16, types.UInt16, types.Int32, types.UInt32, types.Int64, types.UInt64, types.Int128, types.UInt128,
		types.Int256, types.UInt256, types.Decimal, types.Float32, types.Float64, types.Date, types.Date32, types.DateTime, types.DateTime64,
		types.FixedString, types.String}
	m := map[types.Kind]int{}
	for i, k := range order {
		m[k] = len(order) - i
	}
	return m
}()

// rank orders the types of a Variant: the deeper nested first, then by textRank, then those with LowCardinality or Nullable inside.
type rank struct{ depth, kind, wrapped int }

func rankOf(t *types.Type, depth int) rank {
	switch t.Kind {
	case types.Nullable, types.LowCardinality:
		r := rankOf(t.Elem(), depth)
		r.wrapped++
		return r
	case types.Array, types.Tuple, types.Map, types.Variant:
		var sum rank
		deeper := depth + 1
		if t.Kind == types.Variant {
			deeper = depth
		}
		for _, e := range t.Elems {
			r := rankOf(e, deeper)
			sum = rank{max(sum.depth, r.depth), sum.kind + r.kind, max(sum.wrapped, r.wrapped)}
		}
		sum.kind += textRank[t.Kind]
		return sum
	}
	return rank{depth, textRank[t.Kind], 0}
}

// orders keeps variantOrder of types that were asked for; types are few, and immutable.
var orders sync.Map

// variantOrder is the order in which the types of a Variant are tried for a text.
func variantOrder(t *types.Type) []int {
	if o, ok := orders.Load(t); ok {
		return o.([]int)
	}
	order := make([]int, len(t.Elems))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := rankOf(t.Elems[a], 0), rankOf(t.Elems[b], 0)
		return -cmp.Or(cmp.Compare(x.depth, y.depth), cmp.Compare(x.kind, y.kind), cmp.Compare(x.wrapped, y.wrapped))
	})
	if t.Kind == types.Variant {
		orders.Store(t, order)
	}
	return order
}

// variant appends a text as the first type of a Variant that reads all of it by read.
func (p *Parser) variant(b *column.Variant, t *types.Type, s []byte, read func(alt column.Builder, t *types.Type) error) error {
	for _, k := range variantOrder(t) {
		alt := b.Alts[k].(column.Builder)
		n := alt.Len()
		if read(alt, t.Elems[k]) == nil {
			b.EndValue(k)
			return nil
		}
		alt.Truncate(n)
	}
	return sqlerr.New(sqlerr.IncorrectData, "Cannot parse text value of type %s here: %s", t, clip(s))
}

// union reads all of s as a value of a Variant or Dynamic; NULL is \N and NULL.
func (p *Parser) union(b *column.Variant, t *types.Type, s []byte) error {
	if string(s) == `\N` || equalFold(s, "null") {
		b.AppendNull()
		return nil
	}
	if t.Kind == types.Dynamic {
		guess := guessPlain(s)
		return appendAlternative(b, guess, func(alt column.Builder, t *types.Type) error { return p.Into(alt, t, s) })
	}
	exact := *p
	exact.Exact = true
	return p.variant(b, t, s, func(alt column.Builder, t *types.Type) error { return exact.Into(alt, t, s) })
}

// scanUnion is union of the quoted value at the front of s.
func (p *Parser) scanUnion(b *column.Variant, t *types.Type, s []byte) (rest []byte, err error) {
	n, err := quotedEnd(s)
	if err != nil {
		return s, err
	}
	text := trimSpace(s[:n])
	if equalFold(text, "null") {
		b.AppendNull()
		return s[n:], nil
	}
	exact := *p
	exact.Exact = true
	whole := func(alt column.Builder, t *types.Type) error {
		rest, err := exact.ScanQuoted(alt, t, text)
		if err == nil && len(rest) > 0 {
			err = badText(text, t, len(text)-len(rest))
		}
		return err
	}
	if t.Kind == types.Variant {
		return s[n:], p.variant(b, t, text, whole)
	}
	guess, err := guessQuoted(text, 0)
	if err != nil {
		return s, err
	}
	return s[n:], appendAlternative(b, guess, whole)
}

// quotedEnd is the length of the quoted value at the front of s: up to the comma, colon or bracket behind it.
func quotedEnd(s []byte) (int, error) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'':
			_, rest, err := ScanQuotedString(nil, s[i:])
			if err != nil {
				return 0, err
			}
			i = len(s) - len(rest) - 1
		case '[', '(', '{':
			depth++
		case ']', ')', '}':
			if depth == 0 {
				return i, nil
			}
			depth--
		case ',', ':':
			if depth == 0 {
				return i, nil
			}
		}
	}
	return len(s), nil
}

// guessPlain is the type of a text that stands alone.
func guessPlain(s []byte) *types.Type {
	switch {
	case len(s) == 0:
		return types.TString
	case string(s) == "true" || string(s) == "false":
		return types.TBool
	case s[0] == '[' || s[0] == '(' || s[0] == '{':
		if t, err := guessQuoted(s, 0); err == nil {
			return t
		}
		return types.TString
	}
	if t := GuessNumber(s); t != nil {
		return t
	}
	return GuessText(s)
}

// maxGuessDepth bounds brackets within each other.
const maxGuessDepth = 60

// guessQuoted is the type of a value as it stands in an array; what is not NULL is not Nullable.
func guessQuoted(s []byte, depth int) (*types.Type, error) {
	s = trimSpace(s)
	bad := sqlerr.New(sqlerr.IncorrectData, "Cannot determine the type of the value of a Dynamic: %s", clip(s))
	if len(s) == 0 || depth > maxGuessDepth {
		return nil, bad
	}
	switch s[0] {
	case '\'':
		text, rest, err := ScanQuotedString(nil, s)
		if err != nil || len(rest) > 0 {
			return nil, bad
		}
		return GuessText(text), nil
	case '[', '(', '{':
		return guessComposite(s, depth)
	}
	switch {
	case equalFold(s, "true") || equalFold(s, "false"):
		return types.TBool, nil
	case equalFold(s, "null"):
		return types.TNull, nil
	}
	if t := GuessNumber(s); t != nil {
		return t, nil
	}
	return nil, bad
}

func guessComposite(s []byte, depth int) (*types.Type, error) {
	var parts []*types.Type
	rest := trimLeft(s[1:])
	end := map[byte]byte{'[': ']', '(': ')', '{': '}'}[s[0]]
	for len(rest) > 0 && rest[0] != end {
		n, err := quotedEnd(rest)
		if err != nil {
			return nil, err
		}
		t, err := guessQuoted(rest[:n], depth+1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, t)
		if rest = trimLeft(rest[n:]); len(rest) > 0 && (rest[0] == ',' || s[0] == '{' && rest[0] == ':') {
			rest = trimLeft(rest[1:])
		}
	}
	if len(rest) != 1 {
		return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot determine the type of the value of a Dynamic: %s", clip(s))
	}
	if s[0] == '(' {
		return types.NewTuple(parts, nil), nil
	}
	step := 1
	if s[0] == '{' {
		step = 2
	}
	common := make([]*types.Type, step)
	for k := range common {
		var of []*types.Type
		for i := k; i < len(parts); i += step {
			of = append(of, parts[i])
		}
		t, err := types.Supertype(of...)
		if err != nil {
			return nil, err
		}
		if t.Inner().Kind == types.Nothing {
			t = types.TString
		}
		common[k] = t
	}
	if s[0] == '{' {
		return types.NewMap(common[0], common[1]), nil
	}
	return types.NewArray(common[0]), nil
}
