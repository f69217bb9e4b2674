package format

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// codeNothing is the type in front of a NULL of a Dynamic, in binary.
const codeNothing = 0

// appendBinaryVariant appends, of a Variant, the number of the value's type and the value; of a Dynamic its type and the value.
func appendBinaryVariant(dst []byte, v *column.Variant, i int) []byte {
	in, at := v.Value(i)
	switch {
	case v.Typ.Kind == types.Dynamic && in == nil:
		return append(dst, codeNothing)
	case v.Typ.Kind == types.Dynamic:
		return appendOwn(dst, v, i)
	case in == nil:
		return append(dst, nullVariant)
	}
	return appendBinary(append(dst, uint8(v.Which[i])), in, at)
}

// appendBinaryObject appends the number of paths, and of each the path and the value: behind its type where none is declared.
func appendBinaryObject(dst []byte, v *column.Map, i int) []byte {
	keys, vals := v.Keys.(*column.Str), v.Vals.(*column.Variant)
	dst = binary.AppendUvarint(dst, uint64(v.Off[i+1]-v.Off[i]))
	for j := int(v.Off[i]); j < int(v.Off[i+1]); j++ {
		path := string(keys.At(j))
		dst = appendBinaryString(dst, path)
		if t := v.Typ.Object.TypedPath(path); t != nil {
			dst = appendBinary(dst, column.Flatten(typedValues(vals.Slice(j, j+1).(*column.Variant), t)), 0)
			continue
		}
		dst = appendBinaryVariant(dst, vals, j)
	}
	return dst
}

func (s *binScan) variant(v *column.Variant, depth int) error {
	if v.Typ.Kind == types.Dynamic {
		return s.ownValue(v, depth+1)
	}
	raw, err := s.bytes(1)
	if err != nil {
		return err
	}
	k := int(raw[0])
	switch {
	case k == nullVariant:
		v.AppendNull()
		return nil
	case k >= len(v.Alts):
		return sqlerr.New(sqlerr.IncorrectData, "A value of type %d of %s", k, v.Typ)
	}
	alt := v.Alts[k].(column.Builder)
	n := alt.Len()
	if err := s.value(alt, depth+1); err != nil {
		alt.Truncate(n)
		return err
	}
	v.EndValue(k)
	return nil
}

// object reads paths in any order.
func (s *binScan) object(b *column.Map, depth int) error {
	n, err := s.uvarint()
	if err != nil {
		return err
	}
	o := b.Typ.Object
	var cells []objectCell
	for ; n > 0; n-- {
		raw, err := s.str()
		if err != nil {
			return err
		}
		c := objectCell{path: string(raw)}
		t := o.TypedPath(c.path)
		if c.typed = t != nil; t == nil {
			t = b.Typ.Elems[1]
		}
		one := column.New(t, 1)
		if err := s.value(one, depth+1); err != nil {
			return err
		}
		c.v = one
		cells = append(cells, c)
	}
	for _, p := range o.Typed {
		if !slices.ContainsFunc(cells, func(c objectCell) bool { return c.path == p.Path }) {
			one := column.New(p.Type, 1)
			one.AppendDefault()
			cells = append(cells, objectCell{path: p.Path, v: one, typed: true})
		}
	}
	slices.SortFunc(cells, func(a, b objectCell) int { return strings.Compare(a.path, b.path) })
	for i := 1; i < len(cells); i++ {
		if cells[i].path == cells[i-1].path {
			return sqlerr.New(sqlerr.IncorrectData, "Path %s is twice in an object", cells[i].path)
		}
	}
	return appendCells(b, cells, 0)
}
