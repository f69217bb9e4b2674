package grouping

import "github.com/olapd/olapd/internal/column"

// Partitioned is a Table whose keys are dealt out, by their hash, to partitions with an Index each:
// tables of equal types put equal keys into the same partition, so that partitions of
// several workers merge independently, and each is small.
type Partitioned struct {
	enc    *Encoder
	index  []*Index
	hashes []uint64
	part   []uint8 // scratch, as are those below
	ids    []uint32
	rows   []uint32
	sorted []uint64
}

// Partition returns a table of the same keys in parts partitions (a power of two, at most 256), and where each key of
// t went: its partition and its number there. t must not be used any more.
func (t *Table) Partition(parts int) (p *Partitioned, part []uint8, ids []uint32, err error) {
	p = &Partitioned{enc: t.enc, index: make([]*Index, parts)}
	for i := range p.index {
		p.index[i] = NewIndex(t.enc.stride)
	}
	n := t.Len()
	var words []uint64
	if t.single != nil {
		words = make([]uint64, n)
		for i := range words {
			words[i] = uint64(i)
		}
	} else {
		words = t.index.Words(0, n)
	}
	part, ids = make([]uint8, n), make([]uint32, n)
	shares, err := p.insert(words, part, make([]uint32, n))
	for _, s := range shares {
		for i, r := range s.Rows {
			ids[r] = s.IDs[i]
		}
	}
	return p, part, ids, err
}

// Share is the rows of a block that fall into one partition, and their numbers there; valid until the next Insert.
type Share struct{ Rows, IDs []uint32 }

// Insert numbers n rows within their partitions.
func (p *Partitioned) Insert(cols []column.Vector, n int) ([]Share, error) {
	words, err := p.enc.Encode(cols, n)
	if err != nil {
		return nil, err
	}
	if cap(p.part) < n {
		p.part = make([]uint8, n)
	}
	p.ids = sized(p.ids, n)
	return p.insert(words, p.part[:n], p.ids)
}

// insert distributes rows of words; part and ids are scratch memory for as many rows, and the
// shares' IDs are parts of ids.
func (p *Partitioned) insert(words []uint64, part []uint8, ids []uint32) ([]Share, error) {
	n, stride := len(part), p.enc.stride
	p.enc.Partition(words, len(p.index), part)
	starts := make([]int, len(p.index)+1)
	for _, k := range part {
		starts[int(k)+1]++
	}
	for i := range p.index {
		starts[i+1] += starts[i]
	}
	p.rows, p.sorted = sized(p.rows, n), sized(p.sorted, n*stride)
	rows, sorted := p.rows, p.sorted
	at := make([]int, len(p.index))
	copy(at, starts)
	for i, k := range part {
		to := at[k]
		at[k]++
		rows[to] = uint32(i)
		copy(sorted[to*stride:(to+1)*stride], words[i*stride:])
	}
	p.hashes = sized(p.hashes, n)
	p.enc.Hash(sorted, p.hashes)
	shares := make([]Share, len(p.index))
	for k, x := range p.index {
		from, to := starts[k], starts[k+1]
		shares[k] = Share{Rows: rows[from:to], IDs: ids[from:to]}
		if err := x.Insert(sorted[from*stride:to*stride], p.hashes[from:to], ids[from:to]); err != nil {
			return nil, err
		}
	}
	return shares, nil
}

// Len is the number of keys of partition k.
func (p *Partitioned) Len(k int) int { return p.index[k].Len() }

// Total is the number of keys of all partitions.
func (p *Partitioned) Total() int {
	n := 0
	for _, x := range p.index {
		n += x.Len()
	}
	return n
}

// Key returns the values of key column i of the keys [from, to) of partition k. It may be called for several
// partitions concurrently once nothing is inserted any more.
func (p *Partitioned) Key(k, i, from, to int) column.Vector {
	return p.enc.Decode(i, p.index[k].Words(from, to))
}

// Bytes is the memory held.
func (p *Partitioned) Bytes() int64 {
	n := p.enc.Bytes() + 8*int64(cap(p.hashes)+cap(p.sorted)) + 4*int64(cap(p.ids)+cap(p.rows)) + int64(cap(p.part))
	for _, x := range p.index {
		n += x.Bytes()
	}
	return n
}
