package column

import "fmt"

// Flatten returns v without Const and Dict: a *Num, *Str, *Nullable (with a flat inner), *Array, *Map or *Tuple.
// It returns v itself if it is flat already.
func Flatten(v Vector) Vector {
	switch v := v.(type) {
	case *Const:
		return repeat(v.Value, v.N)
	case *Dict:
		return Gather(v.Values, v.Codes)
	case *Nullable:
		if in := Flatten(v.Inner); in != v.Inner {
			return &Nullable{Nulls: v.Nulls, Inner: in, typ: v.typ}
		}
	case *Tuple:
		return flattenTuple(v)
	}
	return v
}

func flattenTuple(v *Tuple) Vector {
	var elems []Vector
	for i, e := range v.Elems {
		if f := Flatten(e); f != e {
			if elems == nil {
				elems = append([]Vector(nil), v.Elems...)
			}
			elems[i] = f
		}
	}
	if elems == nil {
		return v
	}
	return &Tuple{Typ: v.Typ, Elems: elems, N: v.N}
}

func repeat(v Vector, n int) Vector {
	b := New(v.Type(), n)
	b.AppendSelected(v, make([]uint32, n))
	return b
}

// Gather returns the values of v at the positions sel. Const stays Const and Dict stays Dict.
func Gather(v Vector, sel []uint32) Vector {
	switch v := v.(type) {
	case *Const:
		return &Const{Value: v.Value, N: len(sel)}
	case *Dict:
		return v.With(gathered(v.Codes, sel))
	case *Nullable:
		return &Nullable{Nulls: gathered(v.Nulls, sel), Inner: Gather(v.Inner, sel), typ: v.typ}
	}
	if out := gatherNum(v, sel); out != nil {
		return out
	}
	b := New(v.Type(), len(sel))
	b.AppendSelected(v, sel)
	return b
}

// Concat returns the values of all vectors, which have one type, one after the other; at least one is given.
func Concat(vs ...Vector) Vector {
	if len(vs) == 1 {
		return vs[0]
	}
	if d := concatDict(vs); d != nil {
		return d
	}
	size := SizeOf(vs[0])
	for _, v := range vs[1:] {
		size.Add(SizeOf(v))
	}
	b := NewSized(vs[0].Type(), size)
	for _, v := range vs {
		b.AppendRange(v, 0, v.Len())
	}
	return b
}

// concatDict keeps vectors over one and the same dictionary coded; nil if they are not.
func concatDict(vs []Vector) Vector {
	first, ok := vs[0].(*Dict)
	if !ok {
		return nil
	}
	var codes []uint32
	for _, v := range vs {
		d, ok := v.(*Dict)
		if !ok || d.Values != first.Values {
			return nil
		}
		codes = append(codes, d.Codes...)
	}
	return first.With(codes)
}

// Block is a set of equally long vectors. Names and declared types live in the schema beside it.
type Block struct {
	Cols []Vector
	N    int // rows; also of a block without columns
}

// NewBlock returns a block of the vectors, which must be equally long.
func NewBlock(cols ...Vector) *Block {
	b := &Block{Cols: cols}
	for i, c := range cols {
		if i > 0 && c.Len() != b.N {
			panic(fmt.Sprintf("column: vector %d has %d values in a block of %d rows", i, c.Len(), b.N))
		}
		b.N = c.Len()
	}
	return b
}

// Slice returns rows [from, to), sharing memory.
func (b *Block) Slice(from, to int) *Block {
	return b.each(to-from, func(v Vector) Vector { return v.Slice(from, to) })
}

// Gather returns the rows at the positions sel.
func (b *Block) Gather(sel []uint32) *Block {
	return b.each(len(sel), func(v Vector) Vector { return Gather(v, sel) })
}

// Flatten returns the block without Const and Dict vectors.
func (b *Block) Flatten() *Block { return b.each(b.N, Flatten) }

func (b *Block) each(n int, f func(Vector) Vector) *Block {
	out := &Block{Cols: make([]Vector, len(b.Cols)), N: n}
	for i, c := range b.Cols {
		out.Cols[i] = f(c)
	}
	return out
}

// Bytes is the memory of all vectors.
func (b *Block) Bytes() int64 {
	n := int64(0)
	for _, c := range b.Cols {
		n += c.Bytes()
	}
	return n
}

// Field is one column of a schema: a name and the declared type, LowCardinality included.
type Field struct {
	Name string
	Type *Type
}

// Schema is the columns of a block in order. It is immutable.
type Schema []Field

// Index returns the position of the column with the name, or -1.
func (s Schema) Index(name string) int {
	for i := range s {
		if s[i].Name == name {
			return i
		}
	}
	return -1
}
