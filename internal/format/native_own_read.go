package format

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// ownPrefix is what stands in front of the data of a column with Variant, Dynamic or JSON in it.
type ownPrefix struct {
	t       *types.Type
	version uint64
	parts   []*ownPrefix
	paths   []string // JSON: of the parts behind those of declared types
	compact bool     // Variant: discriminators in granules
}

// limits of what prefixes say.
const (
	maxOwnTypes = 1 << 12
	maxOwnPaths = 1 << 14
	// maxEmptyObjects bounds rows that take no byte.
	maxEmptyObjects = 1 << 21
)

func (s *binScan) u64() (uint64, error) {
	raw, err := s.bytes(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(raw), nil
}

// ownPrefix reads the prefix of a column of type t.
func (s *binScan) ownPrefix(t *types.Type, depth int) (*ownPrefix, error) {
	p := &ownPrefix{t: t}
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "A type is nested deeper than %d", maxDepth)
	}
	switch {
	case !hasOwnTypes(t):
		return p, s.prefix(t)
	case t.Kind == types.SimpleAggregateFunction:
		return s.ownPrefix(t.Elem(), depth+1)
	}
	var err error
	parts := t.Elems
	switch {
	case t.Kind == types.Variant:
		p.version, err = s.u64()
		if err == nil && p.version > 1 {
			err = sqlerr.New(sqlerr.IncorrectData, "Unknown mode %d of the discriminators of %s in Native data", p.version, t)
		}
		p.compact = p.version == 1
	case t.Kind == types.Dynamic:
		parts, err = s.dynamicPrefix(p)
	case t.Kind == types.JSON:
		parts, err = s.objectPrefix(p)
	}
	if err != nil {
		return nil, err
	}
	for _, e := range parts {
		part, err := s.ownPrefix(e, depth+1)
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, part)
	}
	return p, nil
}

// names reads a count and as many names.
func (s *binScan) names(most uint64) ([]string, error) {
	n, err := s.uvarint()
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, sqlerr.New(sqlerr.IncorrectData, "%d types or paths in Native data: at most %d are read", n, most)
	}
	var out []string
	for ; n > 0; n-- {
		raw, err := s.str()
		if err != nil {
			return nil, err
		}
		out = append(out, string(raw))
	}
	return out, nil
}

// dynamicPrefix reads the version and the types, SharedVariant, as String, among them in its place.
func (s *binScan) dynamicPrefix(p *ownPrefix) ([]*types.Type, error) {
	var err error
	if p.version, err = s.u64(); err != nil {
		return nil, err
	}
	switch p.version {
	case dynamicShared:
		if _, err := s.uvarint(); err != nil {
			return nil, err
		}
	case dynamicPlain, dynamicFlat:
	default:
		return nil, sqlerr.New(sqlerr.NotImplemented, "Version %d of Dynamic in Native data is not supported", p.version)
	}
	p.paths, err = s.names(maxOwnTypes)
	if err != nil {
		return nil, err
	}
	if p.version != dynamicFlat {
		if p.paths = append(p.paths, sharedVariant); len(p.paths) >= nullVariant {
			return nil, sqlerr.New(sqlerr.IncorrectData, "%d types of a Dynamic in Native data", len(p.paths))
		}
		slices.Sort(p.paths)
	}
	var out []*types.Type
	for _, name := range p.paths {
		t := types.TString
		if name != sharedVariant || p.version == dynamicFlat {
			if t, err = types.Parse(name); err != nil {
				return nil, err
			}
		}
		out = append(out, t)
	}
	if p.version != dynamicFlat {
		mode, err := s.u64()
		if err == nil && mode > 1 {
			err = sqlerr.New(sqlerr.IncorrectData, "Unknown mode %d of the discriminators of a Dynamic in Native data", mode)
		}
		p.compact = mode == 1
		return out, err
	}
	return out, nil
}

func (s *binScan) objectPrefix(p *ownPrefix) ([]*types.Type, error) {
	var err error
	if p.version, err = s.u64(); err != nil {
		return nil, err
	}
	switch p.version {
	case jsonText:
		return nil, nil
	case jsonShared:
		if _, err := s.uvarint(); err != nil {
			return nil, err
		}
	case jsonPlain, jsonFlat:
	default:
		return nil, sqlerr.New(sqlerr.NotImplemented, "Version %d of JSON in Native data is not supported", p.version)
	}
	if p.paths, err = s.names(maxOwnPaths); err != nil {
		return nil, err
	}
	var out []*types.Type
	for _, typed := range p.t.Object.Typed {
		out = append(out, typed.Type)
	}
	for range p.paths {
		out = append(out, p.t.Elems[1])
	}
	return out, nil
}

// own reads n values behind a prefix.
func (s *binScan) own(p *ownPrefix, n, depth int) (column.Vector, error) {
	t := p.t
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "A type is nested deeper than %d", maxDepth)
	}
	switch {
	case !hasOwnTypes(t):
		return s.native(t, n, depth)
	case t.Kind == types.Variant:
		return s.ownVariant(p, n, depth)
	case t.Kind == types.Dynamic && p.version == dynamicFlat:
		return s.flatDynamic(p, n, depth)
	case t.Kind == types.Dynamic:
		return s.sharedDynamic(p, n, depth)
	case t.Kind == types.JSON && p.version == jsonText:
		return s.textObjects(t, n)
	case t.Kind == types.JSON:
		return s.objects(p, n, depth)
	case t.Kind == types.Nullable:
		raw, err := s.bytes(uint64(n))
		if err != nil {
			return nil, err
		}
		nulls := make([]uint8, n)
		for i, x := range raw {
			nulls[i] = min(x, 1)
		}
		inner, err := s.own(p.parts[0], n, depth+1)
		if err != nil {
			return nil, err
		}
		return column.NewNullable(nulls, inner), nil
	case t.Kind == types.Tuple:
		v := &column.Tuple{Typ: t, N: n}
		for _, part := range p.parts {
			e, err := s.own(part, n, depth+1)
			if err != nil {
				return nil, err
			}
			v.Elems = append(v.Elems, e)
		}
		return v, nil
	}
	off, err := s.offsets(n)
	if err != nil {
		return nil, err
	}
	parts := make([]column.Vector, len(p.parts))
	for i, part := range p.parts {
		if parts[i], err = s.own(part, int(off[n]), depth+1); err != nil {
			return nil, err
		}
	}
	if t.Kind == types.Map {
		return &column.Map{Typ: t, Off: off, Keys: parts[0], Vals: parts[1]}, nil
	}
	return &column.Array{Typ: t, Off: off, Elem: parts[0]}, nil
}

// discriminators reads n numbers of types, each a byte, maybe in granules of one number.
func (s *binScan) discriminators(n int, compact bool) ([]uint32, error) {
	out := make([]uint32, 0, min(n, len(s.data)-s.pos))
	for len(out) < n {
		rows, one := uint64(n), false
		if compact {
			size, err := s.uvarint()
			if err != nil {
				return nil, err
			}
			kind, err := s.bytes(1)
			if err != nil {
				return nil, err
			}
			if size == 0 || size > uint64(n-len(out)) || kind[0] > 1 {
				return nil, sqlerr.New(sqlerr.IncorrectData, "A granule of %d discriminators of kind %d in Native data", size, kind[0])
			}
			rows, one = size, kind[0] == 1
		}
		count := rows
		if one {
			count = 1
		}
		raw, err := s.bytes(count)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			d := raw[0]
			if !one {
				d = raw[i]
			}
			k := uint32(d)
			if d == nullVariant {
				k = column.NoVariant
			}
			out = append(out, k)
		}
	}
	return out, nil
}

// alternatives reads the values of each type, as many as which says.
func (s *binScan) alternatives(p *ownPrefix, which []uint32, depth int) (*column.Variant, error) {
	v := &column.Variant{Typ: p.t, Which: which, At: make([]uint32, len(which))}
	counts := make([]uint32, len(p.parts))
	for i, k := range which {
		if k == column.NoVariant {
			continue
		}
		if int64(k) >= int64(len(counts)) {
			return nil, sqlerr.New(sqlerr.IncorrectData, "A value of type %d of %d in Native data", k, len(counts))
		}
		v.At[i] = counts[k]
		counts[k]++
	}
	for k, part := range p.parts {
		alt, err := s.own(part, int(counts[k]), depth+1)
		if err != nil {
			return nil, err
		}
		v.Alts = append(v.Alts, alt)
	}
	return v, nil
}

func (s *binScan) ownVariant(p *ownPrefix, n, depth int) (column.Vector, error) {
	which, err := s.discriminators(n, p.compact)
	if err != nil {
		return nil, err
	}
	v, err := s.alternatives(p, which, depth)
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (s *binScan) flatDynamic(p *ownPrefix, n, depth int) (column.Vector, error) {
	width := flatWidth(len(p.parts))
	raw, err := s.bytes(uint64(n) * uint64(width))
	if err != nil {
		return nil, err
	}
	which := make([]uint32, n)
	for i := range which {
		var word [4]byte
		copy(word[:], raw[i*width:(i+1)*width])
		if which[i] = binary.LittleEndian.Uint32(word[:]); which[i] == uint32(len(p.parts)) {
			which[i] = column.NoVariant
		}
	}
	v, err := s.alternatives(p, which, depth)
	if err != nil {
		return nil, err
	}
	return settledDynamic(v), nil
}

// settledDynamic puts a Dynamic right whose types came from outside: none of them is Nullable, Dynamic or Variant, none twice.
func settledDynamic(v *column.Variant) *column.Variant {
	seen := map[string]bool{}
	plain := true
	for _, a := range v.Alts {
		t := a.Type()
		plain = plain && !t.IsNullable() && !t.IsUnion() && !seen[t.String()]
		seen[t.String()] = true
	}
	if plain {
		return v
	}
	out := column.NewVariant(v.Typ, v.Len())
	for i := range v.Which {
		in, at := v.Value(i)
		if in == nil || column.IsNull(in, at) {
			out.AppendNull()
			continue
		}
		out.AppendFrom(in, at)
	}
	return out
}

func (s *binScan) sharedDynamic(p *ownPrefix, n, depth int) (column.Vector, error) {
	which, err := s.discriminators(n, p.compact)
	if err != nil {
		return nil, err
	}
	v, err := s.alternatives(p, which, depth)
	if err != nil {
		return nil, err
	}
	shared := slices.Index(p.paths, sharedVariant)
	text := v.Alts[shared].(*column.Str)
	out := column.NewVariant(p.t, n)
	for i := range n {
		if v.Which[i] == uint32(shared) {
			own := binScan{data: text.At(int(v.At[i])), eof: true}
			if err := own.ownValue(out, depth+1); err != nil {
				return nil, err
			}
			continue
		}
		if in, at := v.Value(i); in == nil || column.IsNull(in, at) {
			out.AppendNull()
		} else {
			out.AppendFrom(in, at)
		}
	}
	return out, nil
}

func (s *binScan) textObjects(t *types.Type, n int) (column.Vector, error) {
	b := column.New(t, min(n, len(s.data)-s.pos))
	var p valuetext.Parser
	for ; n > 0; n-- {
		raw, err := s.str()
		if err == nil {
			err = p.Into(b, t, raw)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// objects reads the columns of paths, then the pairs of other paths, and puts them together row by row.
func (s *binScan) objects(p *ownPrefix, n, depth int) (column.Vector, error) {
	typed := p.t.Object.Typed
	if len(p.parts) == 0 && p.version == jsonFlat && n > maxEmptyObjects {
		return nil, sqlerr.New(sqlerr.LimitExceeded, "%d rows of JSON without a path in one block of Native input", n)
	}
	if uint64(len(p.parts))*uint64(n) > maxObjectCells {
		return nil, sqlerr.New(sqlerr.LimitExceeded, "JSON of %d paths in %d rows is too wide for Native input", len(p.parts), n)
	}
	cells := make([]objectCell, len(p.parts))
	for i, part := range p.parts {
		v, err := s.own(part, n, depth+1)
		if err != nil {
			return nil, err
		}
		cells[i] = objectCell{v: column.Flatten(v), typed: i < len(typed)}
		if i < len(typed) {
			cells[i].path = typed[i].Path
		} else {
			cells[i].path = p.paths[i-len(typed)]
		}
	}
	shared := []uint32(nil)
	var names, values column.Vector
	if p.version != jsonFlat {
		var err error
		if shared, err = s.offsets(n); err != nil {
			return nil, err
		}
		if names, err = s.native(types.TString, int(shared[n]), depth+1); err != nil {
			return nil, err
		}
		if values, err = s.native(types.TString, int(shared[n]), depth+1); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(cells, func(a, b objectCell) int { return strings.Compare(a.path, b.path) })
	for i := 1; i < len(cells); i++ {
		if cells[i].path == cells[i-1].path {
			return nil, sqlerr.New(sqlerr.IncorrectData, "Path %s is twice in JSON in Native data", cells[i].path)
		}
	}
	b := column.New(p.t, n).(*column.Map)
	for i := range n {
		var err error
		if shared == nil {
			err = appendCells(b, cells, i)
		} else {
			err = appendShared(b, cells, i, names.(*column.Str), values.(*column.Str), int(shared[i]), int(shared[i+1]), depth)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// objectCell is the column of a path.
type objectCell struct {
	path  string
	v     column.Vector
	typed bool
}

// append appends the value of row i, if there is one, to an object.
func (c *objectCell) append(b *column.Map, i int) {
	vals := b.Vals.(*column.Variant)
	if column.IsNull(c.v, i) {
		if c.typed {
			b.Keys.(*column.Str).AppendString(c.path)
			vals.AppendNull()
		}
		return
	}
	b.Keys.(*column.Str).AppendString(c.path)
	vals.AppendFrom(c.v, i)
}

func appendCells(b *column.Map, cells []objectCell, i int) error {
	for k := range cells {
		cells[k].append(b, i)
	}
	b.EndValue()
	return nil
}

// appendShared is appendCells with pairs [from, to) of other paths between, which are in order.
func appendShared(b *column.Map, cells []objectCell, i int, names, values *column.Str, from, to, depth int) error {
	k := 0
	last := ""
	for j := from; j < to; j++ {
		path := string(names.At(j))
		for ; k < len(cells) && cells[k].path < path; k++ {
			cells[k].append(b, i)
		}
		if j > from && path <= last || k < len(cells) && cells[k].path == path {
			return sqlerr.New(sqlerr.IncorrectData, "Path %s of the shared data of JSON is out of order in Native data", path)
		}
		last = path
		b.Keys.(*column.Str).AppendString(path)
		own := binScan{data: values.At(j), eof: true}
		if err := own.ownValue(b.Vals.(*column.Variant), depth+1); err != nil {
			return err
		}
	}
	return appendCells(b, cells[k:], i)
}

// ownValue appends one value that stands behind its type in binary to a Dynamic.
func (s *binScan) ownValue(v *column.Variant, depth int) error {
	if depth > maxDepth {
		return sqlerr.New(sqlerr.TooDeepRecursion, "A value is nested deeper than %d", maxDepth)
	}
	t, err := types.DecodeBinary(func(n int) ([]byte, error) { return s.bytes(uint64(n)) })
	if err != nil {
		return err
	}
	if t.Kind == types.Nothing || t.Equal(types.TNull) {
		v.AppendNull()
		return nil
	}
	if t.IsNullable() || t.IsUnion() {
		one := column.New(t, 1)
		if err := s.value(one, depth+1); err != nil {
			return err
		}
		v.AppendFrom(one, 0)
		return nil
	}
	k := v.Alt(t)
	alt := v.Alts[k].(column.Builder)
	n := alt.Len()
	if err := s.value(alt, depth+1); err != nil {
		alt.Truncate(n)
		return err
	}
	v.EndValue(k)
	return nil
}
