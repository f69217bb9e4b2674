package column

import "github.com/olapd/olapd/internal/types"

// Size is the room that a vector takes at every depth: one made with that of the vectors it will hold, or of one like it, is
// not copied as it grows.
type Size struct {
	N     int // values
	Bytes int // of strings
	In    []Size
}

// SizeOf is the room that the values of a flat v take; of Const and Dict it knows the number of values alone.
func SizeOf(v Vector) Size {
	s := Size{N: v.Len()}
	switch v := v.(type) {
	case *Str:
		s.Bytes = int(v.Off[len(v.Off)-1] - v.Off[0])
	case *Nullable:
		s.In = []Size{SizeOf(v.Inner)}
	case *Array:
		s.In = []Size{SizeOf(v.Elem.Slice(int(v.Off[0]), int(v.Off[s.N])))}
	case *Map:
		from, to := int(v.Off[0]), int(v.Off[s.N])
		s.In = []Size{SizeOf(v.Keys.Slice(from, to)), SizeOf(v.Vals.Slice(from, to))}
	case *Tuple:
		for _, e := range v.Elems {
			s.In = append(s.In, SizeOf(e))
		}
	}
	return s
}

// Add adds the room of a vector of the same type.
func (s *Size) Add(o Size) {
	s.N, s.Bytes = s.N+o.N, s.Bytes+o.Bytes
	if s.In == nil {
		s.In = o.In
		return
	}
	for i := range o.In {
		s.In[i].Add(o.In[i])
	}
}

// Spare adds one part in n to spare.
func (s *Size) Spare(n int) {
	s.N, s.Bytes = s.N+s.N/n, s.Bytes+s.Bytes/n
	for i := range s.In {
		s.In[i].Spare(n)
	}
}

// NewSized is New with the room of s, of vectors of the type.
func NewSized(t *types.Type, s Size) Builder {
	b := New(t, s.N)
	if v, ok := b.(*Str); ok {
		v.Data = make([]byte, 0, s.Bytes)
	}
	if s.In == nil {
		return b
	}
	switch v := b.(type) {
	case *Nullable:
		v.Inner = NewSized(v.Inner.Type(), s.In[0])
	case *Array:
		v.Elem = NewSized(v.Elem.Type(), s.In[0])
	case *Map:
		v.Keys, v.Vals = NewSized(v.Keys.Type(), s.In[0]), NewSized(v.Vals.Type(), s.In[1])
	case *Tuple:
		for i, e := range v.Elems {
			v.Elems[i] = NewSized(e.Type(), s.In[i])
		}
	}
	return b
}
