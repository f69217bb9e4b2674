package segment

import (
	"context"
	"fmt"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
)

// Match fills mask with which of the rows [from, to) of stored column col compare with x, value 0 of a vector of the column's type, as op
// says. The column is decoded, into memory that is used again, and not kept; of strings only codes are, and no dictionary is loaded. ok is
// false, and the mask means nothing, where that cannot be: for Nullable columns, for others than integers and coded strings, and for the order of strings.
func (r *Reader) Match(ctx context.Context, col, from, to int, op kernel.Op, x column.Vector, mask []uint8) (ok bool, err error) {
	if col < 0 || col >= len(r.schema) || from < 0 || from > to || to > r.Rows() || len(mask) != to-from {
		return false, sqlerr.New(sqlerr.LogicalError, "Rows %d to %d of column %d of segment %s with %d rows", from, to, col, r.path, r.Rows())
	}
	m, err := r.matcher(ctx, col, op, x)
	if err != nil || m == nil {
		return false, err
	}
	for at := from; at < to; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		p := r.pageOf(at)
		start, end := r.PageRows(p)
		end = min(end, to)
		ok, err := r.matchPage(m, col, p, at-start, mask[at-from:end-from])
		if err != nil {
			return false, fmt.Errorf("segment: page %d of column %s of %s: %w", p, r.schema[col].Name, r.path, err)
		}
		if !ok {
			return false, nil
		}
		at = end
	}
	return true, nil
}

// matcher compares the values of a stream of integers.
type matcher struct {
	coded bool // the stream is of codes
	page  func(mask []uint8, stream []byte, n, from int) error
}

// matcher returns nil if the column is not such as Match handles.
func (r *Reader) matcher(ctx context.Context, col int, op kernel.Op, x column.Vector) (*matcher, error) {
	switch t := r.schema[col].Type.WithoutLowCardinality(); {
	case t.Kind == types.String && (op == kernel.Eq || op == kernel.Ne) && r.Entries(col) > 0:
		return r.codeMatcher(ctx, col, op, x)
	case t.IsNullable() || t.Phys() != x.Type().Phys():
		return nil, nil
	}
	switch x := x.(type) {
	case *column.Num[uint8]:
		return intMatcher(op, x.Data[0], &scratch8), nil
	case *column.Num[int8]:
		return intMatcher(op, x.Data[0], &scratchI8), nil
	case *column.Num[uint16]:
		return intMatcher(op, x.Data[0], &scratch16), nil
	case *column.Num[int16]:
		return intMatcher(op, x.Data[0], &scratchI16), nil
	case *column.Num[uint32]:
		return intMatcher(op, x.Data[0], &scratch32), nil
	case *column.Num[int32]:
		return intMatcher(op, x.Data[0], &scratchI32), nil
	case *column.Num[uint64]:
		return intMatcher(op, x.Data[0], &scratch64), nil
	case *column.Num[int64]:
		return intMatcher(op, x.Data[0], &scratchI64), nil
	}
	return nil, nil
}

// codeMatcher looks the string up; where the dictionary has it not, no page need be read.
func (r *Reader) codeMatcher(ctx context.Context, col int, op kernel.Op, x column.Vector) (*matcher, error) {
	s, ok := x.(*column.Str)
	if !ok {
		return nil, nil
	}
	code, found, err := r.FindCode(ctx, col, s.At(0))
	if err != nil {
		return nil, err
	}
	m := intMatcher(op, code, &scratch32)
	if m.coded = true; !found {
		m.page = func(mask []uint8, _ []byte, _, _ int) error {
			for i := range mask {
				mask[i] = 0
				if op == kernel.Ne {
					mask[i] = 1
				}
			}
			return nil
		}
	}
	return m, nil
}

// The memory that pages are decoded into, *[]T of PageRows values.
var (
	scratch8, scratch16, scratch32, scratch64     sync.Pool
	scratchI8, scratchI16, scratchI32, scratchI64 sync.Pool
)

func intMatcher[T kernel.Int](op kernel.Op, x T, pool *sync.Pool) *matcher {
	return &matcher{page: func(mask []uint8, stream []byte, n, from int) error {
		buf, ok := pool.Get().(*[]T)
		if !ok {
			b := make([]T, PageRows)
			buf = &b
		}
		defer pool.Put(buf)
		for len(mask) > 0 { // a page has no more rows than that, but for old ones
			k := min(len(mask), len(*buf))
			if err := page.Ints((*buf)[:k], stream, n, from); err != nil {
				return err
			}
			kernel.CompareConst(mask[:k], op, (*buf)[:k], x)
			mask, from = mask[k:], from+k
		}
		return nil
	}}
}

// matchPage fills mask for the rows of page p from row from on.
func (r *Reader) matchPage(m *matcher, col, p, from int, mask []uint8) (ok bool, err error) {
	ix, err := r.index(&r.cols[col])
	if err != nil {
		return false, err
	}
	b, err := r.pageBody(&r.cols[col], ix, p)
	if err != nil {
		return false, err
	}
	start, end := r.PageRows(p)
	in := page.NewInput(b)
	kind := in.U8()
	if err := in.Err(); err != nil {
		return false, err
	}
	var stream []byte
	switch {
	case kind == pageVector && !m.coded:
		stream = in.Take(in.Len())
	case kind == pageCodes && m.coded:
		stream = in.Sized()
	default:
		return false, nil
	}
	if err := in.Err(); err != nil {
		return false, err
	}
	return true, m.page(mask, stream, end-start, from)
}
