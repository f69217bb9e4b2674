package column

import "github.com/olapd/olapd/internal/kernel"

// Recycle gives the memory of numbers, codes and null flags of a vector that nobody uses any more to vectors decoded later. The
// vector and all that shares memory with it must be the caller's, who lets go of it; dictionaries and text stay as they are.
func Recycle(v Vector) {
	switch v := v.(type) {
	case *Dict:
		release(&v.Codes)
	case *Nullable:
		release(&v.Nulls)
		Recycle(v.Inner)
	case *Num[uint8]:
		release(&v.Data)
	case *Num[uint16]:
		release(&v.Data)
	case *Num[uint32]:
		release(&v.Data)
	case *Num[uint64]:
		release(&v.Data)
	case *Num[int8]:
		release(&v.Data)
	case *Num[int16]:
		release(&v.Data)
	case *Num[int32]:
		release(&v.Data)
	case *Num[int64]:
		release(&v.Data)
	case *Num[float32]:
		release(&v.Data)
	case *Num[float64]:
		release(&v.Data)
	}
}

// release forgets the slice too: using the vector once more panics rather than read what became of its memory.
func release[T kernel.Number](s *[]T) {
	kernel.Recycle(*s)
	*s = nil
}

// gathered returns src[sel[i]], in recycled memory where there is some.
func gathered[T kernel.Number](src []T, sel []uint32) []T {
	out := kernel.Dirty[T](len(sel))
	kernel.Gather(out, src, sel)
	return out
}

// gatherNum is Gather for numbers; nil for others.
func gatherNum(v Vector, sel []uint32) Vector {
	switch v := v.(type) {
	case *Num[uint8]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[uint16]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[uint32]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[uint64]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[int8]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[int16]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[int32]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[int64]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[float32]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	case *Num[float64]:
		return NewNum(v.Typ, gathered(v.Data, sel))
	}
	return nil
}
