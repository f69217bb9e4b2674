package segment

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// The kinds of skip index. IndexMinMax needs no chunk of its own: every column and expression has bounds per granule.
const (
	IndexMinMax = "minmax"
	IndexSet    = "set"
	IndexBloom  = "bloom_filter"
	IndexTokens = "tokenbf_v1"
	IndexNgrams = "ngrambf_v1"
)

// Index is a skip index as a table declares it.
type Index struct {
	Name   string `json:"name"`
	Column string `json:"column"` // a stored column or a computed expression, by name
	Type   string `json:"type"`
	// Params are the numbers behind the type: set(N), bloom_filter(p), tokenbf_v1(bytes, hashes, seed),
	// ngrambf_v1(n, bytes, hashes, seed).
	Params      []float64 `json:"params,omitempty"`
	Granularity int       `json:"granularity"` // granules a block of the index covers
}

// maxFilterBytes bounds one Bloom filter.
const maxFilterBytes = 16 << 20

// ParseIndexType splits an index type as SQL writes it, such as "bloom_filter(0.01)", into name and parameters.
func ParseIndexType(s string) (typ string, params []float64, err error) {
	name, rest, parens := strings.Cut(strings.TrimSpace(s), "(")
	name = strings.TrimSpace(name)
	if parens {
		rest, ok := strings.CutSuffix(strings.TrimSpace(rest), ")")
		if !ok {
			return "", nil, sqlerr.New(sqlerr.IncorrectQuery, "Index type %q has no closing bracket", s)
		}
		for _, p := range strings.FieldsFunc(rest, func(r rune) bool { return r == ',' || r == ' ' }) {
			x, err := strconv.ParseFloat(p, 64)
			if err != nil {
				return "", nil, sqlerr.New(sqlerr.IncorrectQuery, "Parameter %q of index type %q is not a number", p, s)
			}
			params = append(params, x)
		}
	}
	ix := Index{Name: name, Type: name, Params: params, Granularity: 1}
	return name, params, ix.check(types.TString)
}

// check says whether the index can stand on a column of type t.
func (ix *Index) check(t *types.Type) error {
	bad := func(format string, args ...any) error {
		return sqlerr.New(sqlerr.IncorrectQuery, "Index "+ix.Name+": "+format, args...)
	}
	want := map[string][2]int{IndexMinMax: {0, 0}, IndexSet: {1, 1}, IndexBloom: {0, 1}, IndexTokens: {3, 3}, IndexNgrams: {4, 4}}
	n, ok := want[ix.Type]
	switch {
	case !ok:
		return sqlerr.New(sqlerr.NotImplemented, "Index type %s is not supported", ix.Type)
	case len(ix.Params) < n[0] || len(ix.Params) > n[1]:
		return bad("%s takes %d parameters, got %d", ix.Type, n[1], len(ix.Params))
	}
	scalar := scalarType(t)
	switch ix.Type {
	case IndexSet:
		if ix.Params[0] < 0 || ix.Params[0] > PageRows || !isScalar(t) {
			return bad("set(%v) on %s", ix.Params[0], t)
		}
	case IndexBloom:
		if p := ix.rate(); !(p > 0 && p < 1) || scalar == nil {
			return bad("bloom_filter(%v) on %s", p, t)
		}
	case IndexTokens, IndexNgrams:
		if size := ix.filterBytes(); size < 1 || size > maxFilterBytes || scalar == nil || scalar.Phys() != types.PBytes {
			return bad("%s of %d bytes on %s", ix.Type, size, t)
		}
		if ix.Type == IndexNgrams && (ix.Params[0] < 1 || ix.Params[0] > 64) {
			return bad("n-grams of %v", ix.Params[0])
		}
	}
	return nil
}

// rate is a bloom_filter's rate of false positives.
func (ix *Index) rate() float64 {
	if len(ix.Params) == 0 {
		return 0.025 // ClickHouse's default
	}
	return ix.Params[0]
}

// filterBytes is the declared size of a tokenbf_v1 or ngrambf_v1 filter.
func (ix *Index) filterBytes() int { return int(ix.Params[len(ix.Params)-3]) }

// isScalar reports whether values of t, NULL aside, are single comparable values.
func isScalar(t *types.Type) bool {
	t = t.Inner()
	switch t.Phys() {
	case types.PArray, types.PMap, types.PTuple, types.PNullable, types.PVariant:
		return false
	}
	return t.Kind != types.AggregateFunction
}

// scalarType is the type of the scalars within t: of an array's elements; nil if there are none.
func scalarType(t *types.Type) *types.Type {
	t = t.Inner()
	for t.Kind == types.Array {
		t = t.Elem().Inner()
	}
	if !isScalar(t) {
		return nil
	}
	return t
}
