package format

import (
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// readArrowSchema reads the fields of a schema.
func readArrowSchema(t flatTable) ([]*arrowField, error) {
	if t.int(0, 2, 0) != 0 {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Arrow with the highest byte of a number first is not supported")
	}
	left := maxArrowFields
	var out []*arrowField
	for _, f := range t.tables(1) {
		field, err := readArrowField(f, 0, &left)
		if err != nil {
			return nil, err
		}
		out = append(out, field)
	}
	if t.b != nil && t.b.broken {
		return nil, errArrowMetadata()
	}
	return out, nil
}

func errArrowMetadata() error {
	return sqlerr.New(sqlerr.IncorrectData, "Cannot read Arrow: the metadata of a message is broken")
}

func readArrowField(t flatTable, depth int, left *int) (*arrowField, error) {
	if *left--; *left < 0 || depth > maxDepth {
		return nil, sqlerr.New(sqlerr.IncorrectData, "The Arrow schema has more than %d fields, or %d of them inside each other", maxArrowFields, maxDepth)
	}
	f := &arrowField{name: t.text(0), nullable: t.int(1, 1, 0) != 0}
	var err error
	if f.typ, err = readArrowType(int(t.int(2, 1, 0)), t.table(3)); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "Column %s of the Arrow data", f.name)
	}
	for _, kv := range t.tables(6) {
		f.uuid = f.uuid || f.typ.kind == arrowFixedBinary && f.typ.size == 16 && kv.text(0) == arrowExtension && kv.text(1) == arrowUUID
	}
	if d := t.table(4); d.b != nil {
		f.dict = &arrowDict{id: d.int(0, 8, 0), index: arrowType{kind: arrowInt, bits: 32, signed: true}}
		if i := d.table(1); i.b != nil {
			if f.dict.index, err = readArrowType(arrowInt, i); err != nil {
				return nil, err
			}
		}
	}
	for _, k := range t.tables(5) {
		kid, err := readArrowField(k, depth+1, left)
		if err != nil {
			return nil, err
		}
		f.kids = append(f.kids, kid)
	}
	return f, f.check()
}

// check holds together what the types of Arrow need.
func (f *arrowField) check() error {
	ok := true
	switch f.typ.kind {
	case arrowList, arrowLargeList, arrowFixedList:
		ok = len(f.kids) == 1
	case arrowMap:
		ok = len(f.kids) == 1 && f.kids[0].typ.kind == arrowStruct && len(f.kids[0].kids) == 2
	case arrowStruct:
		if ok = len(f.kids) > 0; !ok {
			return sqlerr.New(sqlerr.NotImplemented, "Column %s of the Arrow data is a struct without fields", f.name)
		}
	}
	if !ok {
		return sqlerr.New(sqlerr.IncorrectData, "Column %s of the Arrow data has %d fields inside", f.name, len(f.kids))
	}
	return nil
}

func readArrowType(kind int, t flatTable) (arrowType, error) {
	a := arrowType{kind: kind}
	ok := true
	switch kind {
	case arrowInt:
		a.bits, a.signed = int(t.int(0, 4, 0)), t.int(1, 1, 0) != 0
		ok = a.bits == 8 || a.bits == 16 || a.bits == 32 || a.bits == 64
	case arrowFloat:
		precision := t.int(0, 2, 0)
		ok = precision >= 0 && precision <= 2
		a.bits = 16 << (precision & 3)
	case arrowDecimal:
		a.precision, a.scale, a.bits = int(t.int(0, 4, 0)), int(t.int(1, 4, 0)), int(t.int(2, 4, 128))
		ok = a.precision >= 1 && a.precision <= types.MaxPrecision256 && a.scale >= 0 && a.scale <= a.precision && a.bits >= 32 && a.bits <= 256 && a.bits&(a.bits-1) == 0
	case arrowDate:
		a.unit = int(t.int(0, 2, arrowMilliseconds))
		ok = a.unit == 0 || a.unit == arrowMilliseconds
	case arrowTime:
		a.unit, a.bits = int(t.int(0, 2, arrowMilliseconds)), int(t.int(1, 4, 32))
		ok = a.unit >= 0 && a.unit < arrowUnits && (a.bits == 32 || a.bits == 64)
	case arrowTimestamp, arrowDuration:
		absent := int64(0)
		if kind == arrowDuration {
			absent = arrowMilliseconds
		}
		a.unit = int(t.int(0, 2, absent))
		ok = a.unit >= 0 && a.unit < arrowUnits
		if kind == arrowTimestamp {
			a.zone = t.text(1)
		}
	case arrowFixedBinary, arrowFixedList:
		a.size = int(t.int(0, 4, 0))
		ok = a.size > 0 && a.size < maxRow
	case arrowNull, arrowBinary, arrowUtf8, arrowBool, arrowList, arrowStruct, arrowMap, arrowLargeBinary, arrowLargeUtf8, arrowLargeList:
	default:
		return a, sqlerr.New(sqlerr.NotImplemented, "Type number %d of Arrow is not supported", kind)
	}
	if !ok {
		return a, sqlerr.New(sqlerr.IncorrectData, "Arrow has no such type: %+v", a)
	}
	return a, nil
}

// natural is the type that ClickHouse infers; null says that a struct around the field may be NULL.
func (f *arrowField) natural(null bool) (*types.Type, error) {
	null = null || f.nullable
	switch f.typ.kind {
	case arrowList, arrowLargeList, arrowFixedList:
		e, err := f.kids[0].natural(false)
		if err != nil {
			return nil, err
		}
		return types.NewArray(e), nil
	case arrowMap:
		k, err := f.kids[0].kids[0].key().natural(false)
		if err != nil {
			return nil, err
		}
		v, err := f.kids[0].kids[1].natural(false)
		if err != nil {
			return nil, err
		}
		return types.NewMap(k, v), nil
	case arrowStruct:
		elems, names := make([]*types.Type, len(f.kids)), make([]string, len(f.kids))
		for i, k := range f.kids {
			var err error
			if elems[i], err = k.natural(null); err != nil {
				return nil, err
			}
			names[i] = k.name
		}
		return types.NewTuple(elems, names), nil
	case arrowNull:
		return types.TNull, nil
	}
	t, err := f.typ.leaf()
	if f.uuid {
		t = types.TUUID
	}
	if err == nil && null {
		t = types.NewNullable(t)
	}
	return t, err
}

// inferred is natural, with LowCardinality of what is coded.
func (f *arrowField) inferred() (*types.Type, error) {
	t, err := f.natural(false)
	if err == nil && f.dict != nil && lowCardinal(t.Inner()) {
		t = types.NewLowCardinality(t)
	}
	return t, err
}

// key is the field as the key of a map, which cannot be NULL.
func (f *arrowField) key() *arrowField {
	k := *f
	k.nullable = false
	return &k
}

// leaf is the type of values without parts.
func (a arrowType) leaf() (*types.Type, error) {
	switch a.kind {
	case arrowInt:
		narrow, wide := []types.Kind{types.UInt8, types.UInt16, types.UInt32, types.UInt64}, []types.Kind{types.Int8, types.Int16, types.Int32, types.Int64}
		i := map[int]int{8: 0, 16: 1, 32: 2, 64: 3}[a.bits]
		if a.signed {
			return types.Simple(wide[i]), nil
		}
		return types.Simple(narrow[i]), nil
	case arrowFloat:
		if a.bits == 64 {
			return types.TFloat64, nil
		}
		return types.TFloat32, nil
	case arrowBool:
		return types.TBool, nil
	case arrowBinary, arrowUtf8, arrowLargeBinary, arrowLargeUtf8:
		return types.TString, nil
	case arrowDecimal:
		return types.NewDecimal(a.precision, a.scale), nil
	case arrowDate:
		if a.unit == arrowMilliseconds {
			return types.NewDateTime64(3, time.UTC), nil
		}
		return types.TDate32, nil
	case arrowTime:
		if a.unit == 0 {
			return types.TTime, nil
		}
		return types.NewTime64(3 * a.unit), nil
	case arrowDuration:
		return types.NewInterval([]types.Unit{types.Second, types.Millisecond, types.Microsecond, types.Nanosecond}[a.unit]), nil
	case arrowTimestamp:
		if a.zone == "" {
			return types.NewDateTime64(3*a.unit, nil), nil
		}
		zone, err := types.LoadZone(a.zone)
		if err != nil {
			return nil, err
		}
		return types.NewDateTime64(3*a.unit, zone), nil
	case arrowFixedBinary:
		return types.NewFixedString(a.size), nil
	}
	return nil, sqlerr.New(sqlerr.NotImplemented, "Type number %d of Arrow is not supported", a.kind)
}

// lowCardinal reports whether there is LowCardinality of a type.
func lowCardinal(t *types.Type) bool {
	return t.IsString() || t.IsInteger() || t.IsFloat() || t.IsDate()
}
