package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// pieces collects parts of the strings of one vector, which are copied as one batch.
type pieces struct {
	data     []byte
	from, to []uint32
}

// piecesOf returns a collector of parts of s with room for n.
func piecesOf(s strArg, n int) *pieces {
	return &pieces{data: s.Data, from: make([]uint32, 0, n), to: make([]uint32, 0, n)}
}

// add takes a piece: a slice of one of the vector's strings, cut at its end with no bound of capacity, or of no bytes.
func (p *pieces) add(piece []byte) {
	if len(piece) == 0 {
		p.from, p.to = append(p.from, 0), append(p.to, 0)
		return
	}
	at := uint32(cap(p.data) - cap(piece)) // both end where the memory does
	p.from, p.to = append(p.from, at), append(p.to, at+uint32(len(piece)))
}

// count is the number of pieces so far.
func (p *pieces) count() uint32 { return uint32(len(p.from)) }

// strings returns the pieces as a vector of the type of c's result, or of its elements.
func (p *pieces) strings(c *Call, name string) (*column.Str, error) {
	size := int64(0)
	for i, f := range p.from {
		size += int64(p.to[i] - f)
	}
	t := c.Result
	if isArray(t) {
		t = t.Elem()
	}
	out := column.NewStr(t, len(p.from))
	if err := c.checkSum(out, size, name); err != nil {
		return nil, err
	}
	out.Data, out.Off = kernel.AppendRanges(nil, out.Off, p.data, p.from, p.to)
	return out, nil
}

// arrays returns arrays of the pieces, of which array i ends before piece ends[i].
func (p *pieces) arrays(c *Call, name string, ends []uint32) (column.Vector, error) {
	elems, err := p.strings(c, name)
	if err != nil {
		return nil, err
	}
	return &column.Array{Typ: c.Result, Off: ends, Elem: elems}, nil
}

// partOf is a function from a string to a part of it.
func partOf(name string, aliases []string, doc string, part func([]byte) []byte) *Scalar {
	fn := mapStrings(name, aliases, doc, nil)
	fn.Eval = func(c *Call) (column.Vector, error) {
		s := stringsOf(c.Args[0])
		p := piecesOf(s, c.Rows)
		for i := range c.Rows {
			p.add(part(s.row(i)))
		}
		return p.strings(c, name)
	}
	return fn
}
