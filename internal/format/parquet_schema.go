package format

import (
	"fmt"
	"slices"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/parquet-go/parquet-go"
	pqformat "github.com/parquet-go/parquet-go/format"
)

// parquetNode is a column of a file or a part of one, as the tree of its natural type.
type parquetNode struct {
	typ  *types.Type
	leaf *parquetLeaf   // of a column of values
	kids []*parquetNode // Array: element; Map: key, value; Tuple: elements
	// rep and def are the levels of the repeated group of an Array or Map: an entry of its leaves is an element of it if
	// its definition level is at least def, and the first of a new element if its repetition level is at most rep.
	rep, def byte
}

// leaves appends the leaves below n.
func (n *parquetNode) leaves(dst []*parquetLeaf) []*parquetLeaf {
	if n.leaf != nil {
		return append(dst, n.leaf)
	}
	for _, k := range n.kids {
		dst = k.leaves(dst)
	}
	return dst
}

// first is the first leaf below n.
func (n *parquetNode) first() *parquetLeaf {
	for n.leaf == nil {
		n = n.kids[0]
	}
	return n.leaf
}

// parquetNodeOf builds the tree of a column. slot is the definition level from which on a value of it has a place: that of the
// repeated group around it.
func parquetNodeOf(c *parquet.Column, slot byte, depth int) (*parquetNode, error) {
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "The Parquet schema is nested deeper than %d", maxDepth)
	}
	if c.Repeated() { // without a LIST around it
		return parquetList(c, func(slot byte) (*parquetNode, error) { return parquetContent(c, slot, depth+1) })
	}
	return parquetContent(c, slot, depth)
}

// parquetContent is parquetNodeOf without the repetition of c itself.
func parquetContent(c *parquet.Column, slot byte, depth int) (*parquetNode, error) {
	if c.Leaf() {
		return parquetLeafOf(c, slot)
	}
	kids := c.Columns()
	if len(kids) == 0 {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Column %s of the Parquet file is a group without fields", c.Name())
	}
	if t := c.Type().LogicalType(); t != nil && len(kids) == 1 && kids[0].Repeated() {
		switch t.Value.(type) {
		case *pqformat.ListType:
			return parquetList(kids[0], func(slot byte) (*parquetNode, error) { return parquetElement(kids[0], slot, depth+1) })
		case *pqformat.MapType:
			if len(kids[0].Columns()) == 2 {
				return parquetMap(kids[0], depth)
			}
		}
	}
	return parquetTuple(kids, slot, depth)
}

// parquetList is an Array of what element builds, repeated by group c.
func parquetList(c *parquet.Column, element func(slot byte) (*parquetNode, error)) (*parquetNode, error) {
	n := &parquetNode{rep: byte(c.MaxRepetitionLevel()), def: byte(c.MaxDefinitionLevel())}
	e, err := element(n.def)
	if err != nil {
		return nil, err
	}
	n.typ, n.kids = types.NewArray(e.typ), []*parquetNode{e}
	return n, nil
}

// parquetElement is the element of a LIST: the one field of the repeated group, or of old files the group itself.
func parquetElement(c *parquet.Column, slot byte, depth int) (*parquetNode, error) {
	if kids := c.Columns(); len(kids) == 1 && c.Name() != "array" {
		return parquetNodeOf(kids[0], slot, depth)
	}
	return parquetContent(c, slot, depth)
}

func parquetMap(c *parquet.Column, depth int) (*parquetNode, error) {
	n := &parquetNode{rep: byte(c.MaxRepetitionLevel()), def: byte(c.MaxDefinitionLevel())}
	for _, kid := range c.Columns() {
		k, err := parquetNodeOf(kid, n.def, depth+1)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, k)
	}
	n.typ = types.NewMap(n.kids[0].typ, n.kids[1].typ)
	return n, nil
}

func parquetTuple(fields []*parquet.Column, slot byte, depth int) (*parquetNode, error) {
	n := &parquetNode{}
	var elems []*types.Type
	var names []string
	for _, f := range fields {
		k, err := parquetNodeOf(f, slot, depth+1)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, k)
		elems, names = append(elems, k.typ), append(names, f.Name())
	}
	n.typ = types.NewTuple(elems, names)
	return n, nil
}

func parquetLeafOf(c *parquet.Column, slot byte) (*parquetNode, error) {
	l := &parquetLeaf{index: c.Index(), kind: c.Type(), maxDef: byte(c.MaxDefinitionLevel()), maxRep: byte(c.MaxRepetitionLevel()),
		repeated: c.MaxRepetitionLevel() > 0, slot: slot}
	var err error
	if l.typ, l.read, err = parquetLeafType(c.Type()); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "Column %s of the Parquet file", c.Name())
	}
	n := &parquetNode{leaf: l, typ: l.typ}
	if l.maxDef > slot {
		n.typ = types.NewNullable(l.typ)
	}
	return n, nil
}

// parquetLeafType returns the natural type of a leaf and how its values are read.
func parquetLeafType(t parquet.Type) (*types.Type, parquetRead, error) {
	if lt := t.LogicalType(); lt != nil {
		switch l := lt.Value.(type) {
		case *pqformat.IntType:
			return parquetInteger(t, int(l.BitWidth), l.IsSigned)
		case *pqformat.DecimalType:
			return parquetDecimal(t, int(l.Precision), int(l.Scale))
		case *pqformat.DateType:
			if t.Kind() == parquet.Int32 {
				return types.Simple(types.Date32), readFixed4[int32], nil
			}
		case *pqformat.TimestampType:
			return parquetTime(t, l.Unit)
		case *pqformat.TimeType:
			return parquetTime(t, l.Unit)
		case *pqformat.UUIDType:
			if t.Kind() == parquet.FixedLenByteArray && t.Length() == 16 {
				return types.Simple(types.UUID), readUUID, nil
			}
		case *pqformat.NullType, *pqformat.Float16Type, *pqformat.VariantType:
			return nil, nil, sqlerr.New(sqlerr.NotImplemented, "Values of the Parquet type %s are not supported", t)
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return types.Simple(types.Bool), readBools, nil
	case parquet.Int32:
		return types.Simple(types.Int32), readFixed4[int32], nil
	case parquet.Int64:
		return types.Simple(types.Int64), readFixed8[int64], nil
	case parquet.Int96:
		return types.NewDateTime64(9, time.UTC), readInt96, nil
	case parquet.Float:
		return types.Simple(types.Float32), readFloats, nil
	case parquet.Double:
		return types.Simple(types.Float64), readDoubles, nil
	case parquet.ByteArray:
		return types.TString, readStrings, nil
	case parquet.FixedLenByteArray:
		if n := t.Length(); n > 0 && n <= maxParquetFixed {
			return types.NewFixedString(n), readFixedStrings(n), nil
		}
	}
	return nil, nil, sqlerr.New(sqlerr.NotImplemented, "Values of the Parquet type %s are not supported", t)
}

// maxParquetFixed bounds the width of FIXED_LEN_BYTE_ARRAY.
const maxParquetFixed = 1 << 20

func parquetInteger(t parquet.Type, bits int, signed bool) (*types.Type, parquetRead, error) {
	switch {
	case t.Kind() == parquet.Int64 && signed:
		return types.Simple(types.Int64), readFixed8[int64], nil
	case t.Kind() == parquet.Int64:
		return types.Simple(types.UInt64), readFixed8[uint64], nil
	case t.Kind() != parquet.Int32:
	case bits == 8 && signed:
		return types.Simple(types.Int8), readFixed4[int8], nil
	case bits == 8:
		return types.Simple(types.UInt8), readFixed4[uint8], nil
	case bits == 16 && signed:
		return types.Simple(types.Int16), readFixed4[int16], nil
	case bits == 16:
		return types.Simple(types.UInt16), readFixed4[uint16], nil
	case signed:
		return types.Simple(types.Int32), readFixed4[int32], nil
	default:
		return types.Simple(types.UInt32), readFixed4[uint32], nil
	}
	return nil, nil, sqlerr.New(sqlerr.IncorrectData, "An integer of %d bits in Parquet cannot be %s", bits, t.Kind())
}

func parquetTime(t parquet.Type, unit pqformat.TimeUnit) (*types.Type, parquetRead, error) {
	scale := 9
	switch unit.Value.(type) {
	case *pqformat.MilliSeconds:
		scale = 3
	case *pqformat.MicroSeconds:
		scale = 6
	}
	switch t.Kind() {
	case parquet.Int32:
		return types.NewDateTime64(scale, time.UTC), readFixed4[int64], nil
	case parquet.Int64:
		return types.NewDateTime64(scale, time.UTC), readFixed8[int64], nil
	}
	return nil, nil, sqlerr.New(sqlerr.IncorrectData, "A time in Parquet cannot be %s", t.Kind())
}

func parquetDecimal(t parquet.Type, precision, scale int) (*types.Type, parquetRead, error) {
	if precision < 1 || scale < 0 || scale > precision {
		return nil, nil, sqlerr.New(sqlerr.IncorrectData, "Decimal(%d, %d) in Parquet is no type", precision, scale)
	}
	if precision > types.MaxPrecision256 {
		return nil, nil, sqlerr.New(sqlerr.NotImplemented, "Decimal of %d digits is not supported", precision)
	}
	d := types.NewDecimal(precision, scale)
	p := d.Phys()
	switch t.Kind() {
	case parquet.Int32:
		return d, pick(p, readFixed4[int32], readFixed4[int64], readWide[int32], readWidest[int32]), nil
	case parquet.Int64:
		return d, pick(p, readFixed8[int32], readFixed8[int64], readWide[int64], readWidest[int64]), nil
	case parquet.ByteArray, parquet.FixedLenByteArray:
		width := 0
		if t.Kind() == parquet.FixedLenByteArray {
			width = t.Length()
		}
		return d, pick(p, readBigEndian[int32](width), readBigEndian[int64](width), readBigEndian128(width), readBigEndian256(width)), nil
	}
	return nil, nil, sqlerr.New(sqlerr.IncorrectData, "A decimal in Parquet cannot be %s", t.Kind())
}

// pick chooses by the width of a Decimal.
func pick(p types.Phys, narrow, middle, wide, widest parquetRead) parquetRead {
	switch p {
	case types.PInt32:
		return narrow
	case types.PInt64:
		return middle
	case types.PInt128:
		return wide
	}
	return widest
}

// checkParquetNames refuses a schema with two columns of one name.
func checkParquetNames(cols []*parquet.Column) error {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name()
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return fmt.Errorf("column %s is there twice", names[i])
		}
	}
	return nil
}
