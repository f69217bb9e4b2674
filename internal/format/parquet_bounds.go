package format

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/parquet-go/parquet-go"
	pqformat "github.com/parquet-go/parquet-go/format"
)

// wanted reports whether a row group may have rows that its reader's Keep wants, by the bounds of its columns.
func (r *parquetReader) wanted(g *pqformat.RowGroup) bool {
	if r.o.Keep == nil {
		return true
	}
	for i, n := range r.nodes {
		f := r.schema[i]
		if n == nil || n.leaf == nil || n.leaf.repeated || !boundedKind(n.leaf.kind.Kind()) || n.leaf.index >= len(g.Columns) || !n.leaf.typ.Equal(f.Type.WithoutLowCardinality().WithoutNullable()) {
			continue
		}
		lo, hi := parquetBounds(n.leaf.typ, &g.Columns[n.leaf.index].MetaData.Statistics)
		if lo != nil && column.Compare(lo, 0, hi, 0) <= 0 && !r.o.Keep(f.Name, lo, hi) {
			return false
		}
	}
	return true
}

// boundedKind leaves out bytes of a fixed length, such as decimals from the highest byte on, floats, of which NaN is in no bound, and Int96.
func boundedKind(k parquet.Kind) bool {
	return k == parquet.Int32 || k == parquet.Int64 || k == parquet.ByteArray
}

// parquetBounds are the least and the greatest value that are not NULL, as vectors of length 1, of a string perhaps shortened to what lies
// beyond it; nil if they are not told, or of types whose order or form in the statistics is another.
func parquetBounds(t *types.Type, s *pqformat.Statistics) (lo, hi column.Vector) {
	if len(s.MaxValue) == 0 {
		return nil, nil
	}
	if t.Kind == types.String {
		return column.NewStrings(string(s.MinValue)), column.NewStrings(string(s.MaxValue))
	}
	if lo, hi = parquetBound(t, s.MinValue), parquetBound(t, s.MaxValue); lo == nil || hi == nil {
		return nil, nil
	}
	return lo, hi
}

// parquetBound is one bound of integers and dates, which are 4 or 8 bytes.
func parquetBound(t *types.Type, b []byte) column.Vector {
	var v uint64
	switch len(b) {
	case 4:
		v = uint64(int64(int32(binary.LittleEndian.Uint32(b))))
	case 8:
		v = binary.LittleEndian.Uint64(b)
	default:
		return nil
	}
	out := column.New(t, 1)
	switch n := out.(type) {
	case *column.Num[int8]:
		n.Data = append(n.Data, int8(v))
	case *column.Num[int16]:
		n.Data = append(n.Data, int16(v))
	case *column.Num[int32]:
		n.Data = append(n.Data, int32(v))
	case *column.Num[int64]:
		n.Data = append(n.Data, int64(v))
	case *column.Num[uint8]:
		n.Data = append(n.Data, uint8(v))
	case *column.Num[uint16]:
		n.Data = append(n.Data, uint16(v))
	case *column.Num[uint32]:
		n.Data = append(n.Data, uint32(v))
	case *column.Num[uint64]:
		if len(b) != 8 {
			return nil
		}
		n.Data = append(n.Data, v)
	default:
		return nil
	}
	return out
}
