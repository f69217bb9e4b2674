package grouping

import (
	"bytes"
	"encoding/binary"
	"sync"
	"unsafe"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec/hashtable"
)

// shard is the values whose hash begins with its number.
type shard struct {
	mu    sync.Mutex
	slots []internSlot
	used  int    // slots, those of the base included
	spans spans  // by position
	own   []byte // long values that were copied, one after the other
}

// internSlot is a number plus one (0: free) and the low half of the hash.
type internSlot struct{ number, tag uint32 }

// internSpan is a value. A short one is its head; a long one lies in source-1, or in the shard's own bytes where source is 0. So a short
// value that is met again costs the line of its slot and that of its span.
type internSpan struct {
	head   internHead
	size   uint32
	source uint32
}

// spans is values by position. Those of a chunk stay where they are once it is full: growing never copies many.
type spans struct {
	chunks [][]internSpan // all of chunkSpans but the last, and while there is one only, it is as long as the values are
	n      int
}

const (
	chunkBits  = 12
	chunkSpans = 1 << chunkBits // 128 KiB
)

// at returns the span at a position.
func (x *spans) at(i uint32) *internSpan { return &x.chunks[i>>chunkBits][i&(chunkSpans-1)] }

func (x *spans) append(v internSpan) {
	k := x.n >> chunkBits
	if k == len(x.chunks) {
		var chunk []internSpan // the first grows, for the many queries with few values
		if k > 0 {
			chunk = make([]internSpan, 0, chunkSpans)
		}
		x.chunks = append(x.chunks, chunk)
	}
	x.chunks[k] = append(x.chunks[k], v)
	x.n++
}

// bytes is the memory held.
func (x *spans) bytes() int64 {
	if len(x.chunks) == 0 {
		return 0
	}
	return int64(unsafe.Sizeof(internSpan{})) * int64(cap(x.chunks[0])+chunkSpans*(len(x.chunks)-1))
}

// internHead is the bytes of a short value, zeros behind it; of a long value c is where it starts in its source.
type internHead struct{ a, b, c uint64 }

// shortBytes is the length of the longest short value.
const shortBytes = int(unsafe.Sizeof(internHead{}))

// headMasks keep, by length, the bytes of a short value.
var headMasks = func() (masks [shortBytes + 1]internHead) {
	for n := range masks {
		masks[n] = headOf(append(bytes.Repeat([]byte{0xff}, n), make([]byte, shortBytes)...))
	}
	return masks
}()

// headOf is the first bytes of data, which has enough of them, as words.
func headOf(data []byte) internHead {
	ne := binary.NativeEndian
	return internHead{ne.Uint64(data), ne.Uint64(data[8:]), ne.Uint64(data[16:])}
}

// shortHead is the head of the short value data[from:to].
func shortHead(data []byte, from, to uint32) internHead {
	var h internHead
	if int(from)+shortBytes <= len(data) {
		h = headOf(data[from:])
	} else {
		var end [shortBytes]byte
		copy(end[:], data[from:])
		h = headOf(end[:])
	}
	m := &headMasks[to-from]
	return internHead{h.a & m.a, h.b & m.b, h.c & m.c}
}

// spanBytes is the value of a span of s, which is locked, or nobody inserts.
func (in *interner) spanBytes(s *shard, x *internSpan) []byte {
	if int(x.size) <= shortBytes {
		return (*[shortBytes]byte)(unsafe.Pointer(&x.head))[:x.size]
	}
	return in.bytesBehind(s, x)[:x.size]
}

// bytesBehind is the long value of a span, and what lies behind it.
func (in *interner) bytesBehind(s *shard, x *internSpan) []byte {
	data := s.own
	if x.source > 0 {
		data = (*in.sources.Load())[x.source-1].Data
	}
	return data[x.head.c:]
}

// holds reports whether the value of a span of s, which is locked, is data[from:to].
func (in *interner) holds(s *shard, x *internSpan, data []byte, from, to uint32) bool {
	if x.size != to-from {
		return false
	}
	if int(x.size) <= shortBytes {
		return x.head == shortHead(data, from, to)
	}
	return bytes.Equal(data[from:to], in.spanBytes(s, x))
}

// probeBatch is how many values are looked for together, so that the memory their slots and spans are in is fetched side by side.
const probeBatch = 128

// like stands for a number where probe has found a value of the same tag that is another one: there may still be the right one.
const like = hashtable.Missing - 1

// lookup is values to look for: those at positions todo of text, nil being all, whose hashes are hashes.
type lookup struct {
	text    *column.Str
	hashes  []uint64
	todo    []uint32
	touched uint8 // keeps loads that only bring memory near
}

// at is the position in the text of value r.
func (l *lookup) at(r uint32) uint32 {
	if l.todo == nil {
		return r
	}
	return l.todo[r]
}

// probe writes the numbers of the values at rows that the shard s, which is locked, has to dst, as far as they are found at once: Missing
// where there is none, or like.
func (in *interner) probe(s *shard, l *lookup, rows, dst []uint32) {
	if len(s.slots) == 0 {
		for _, r := range rows {
			dst[r] = hashtable.Missing
		}
		return
	}
	var found [probeBatch]internSlot
	mask := uint32(len(s.slots) - 1)
	for j, r := range rows { // nothing waits for these loads
		found[j] = s.slots[uint32(l.hashes[r])&mask]
	}
	for j, r := range rows {
		tag := uint32(l.hashes[r])
		for p := tag & mask; found[j].number != 0 && found[j].tag != tag; {
			p = (p + 1) & mask
			found[j] = s.slots[p]
		}
	}
	u, base := in.base.Load(), in.baseLen()
	based := 0
	var at [probeBatch]internSpan
	for j := range rows {
		switch n := found[j].number; {
		case n > base:
			at[j] = *s.spans.at((n - 1 - base) >> in.shardBits)
		case n > 0:
			based++
		}
	}
	for j := range rows {
		if x := &at[j]; int(x.size) > shortBytes {
			v := in.bytesBehind(s, x)
			l.touched += v[0] + v[x.size-1]
		}
	}
	for j, r := range rows {
		i := l.at(r)
		switch {
		case found[j].number == 0:
			dst[r] = hashtable.Missing
		case found[j].number <= base: // below
		case in.holds(s, &at[j], l.text.Data, l.text.Off[i], l.text.Off[i+1]):
			dst[r] = found[j].number - 1
		default:
			dst[r] = like
		}
	}
	if based > 0 {
		u.compare(l, rows, &found, dst)
	}
}

// compare is the end of probe for the values of the base that were found.
func (u *union) compare(l *lookup, rows []uint32, found *[probeBatch]internSlot, dst []uint32) {
	var (
		text     [probeBatch]*column.Str // nil: not of the base
		code     [probeBatch]uint32
		from, to [probeBatch]uint32
	)
	for j := range rows {
		if n := found[j].number; n > 0 && n <= u.n {
			p := u.home(n - 1)
			text[j], code[j] = p.text, p.code(n-1)
		}
	}
	for j := range rows {
		if t := text[j]; t != nil {
			from[j], to[j] = t.Off[code[j]], t.Off[code[j]+1]
		}
	}
	for j := range rows {
		if from[j] < to[j] {
			data := text[j].Data
			l.touched += data[from[j]] + data[to[j]-1]
		}
	}
	for j, r := range rows {
		if text[j] == nil {
			continue
		}
		dst[r] = like
		if bytes.Equal(text[j].Data[from[j]:to[j]], l.text.At(int(l.at(r)))) {
			dst[r] = found[j].number - 1
		}
	}
}

// find returns the number of a value, whose hash is h, or Missing. s is h's shard, locked.
func (in *interner) find(s *shard, h uint64, value []byte) uint32 {
	if len(s.slots) == 0 {
		return hashtable.Missing
	}
	tag, mask := uint32(h), uint32(len(s.slots)-1)
	for p := tag & mask; s.slots[p].number != 0; p = (p + 1) & mask {
		if x := s.slots[p]; x.tag == tag && bytes.Equal(in.bytesOf(x.number-1), value) {
			return x.number - 1
		}
	}
	return hashtable.Missing
}

// add returns the number of value i of values, whose hash is h and whose source is from; without insert it may be Missing. s is h's
// shard, locked.
func (in *interner) add(s *shard, shardNumber int, h uint64, values *column.Str, i int, from uint32, insert bool) (uint32, error) {
	if x := in.find(s, h, values.At(i)); x != hashtable.Missing || !insert {
		return x, nil
	}
	number := uint64(in.baseLen()) + uint64(s.spans.n)<<in.shardBits + uint64(shardNumber)
	if number >= maxNumber {
		return 0, sqlerr.New(sqlerr.MemoryLimitExceeded, "More than %d distinct strings are grouped by", maxNumber)
	}
	s.spans.append(s.span(values, i, from))
	s.reserve(1)
	s.put(h, uint32(number))
	return uint32(number), nil
}

// span makes one of value i of values, which are the source from. A long value without a source is copied.
func (s *shard) span(values *column.Str, i int, from uint32) internSpan {
	start, end := values.Off[i], values.Off[i+1]
	x := internSpan{size: end - start, source: from}
	if int(x.size) <= shortBytes {
		x.head = shortHead(values.Data, start, end)
		return x
	}
	x.head.c = uint64(start)
	if from == 0 {
		x.head.c = uint64(len(s.own))
		s.own = append(s.own, values.Data[start:end]...)
	}
	return x
}

// put adds a value that is not there.
func (s *shard) put(h uint64, number uint32) {
	mask := uint32(len(s.slots) - 1)
	p := uint32(h) & mask
	for s.slots[p].number != 0 {
		p = (p + 1) & mask
	}
	s.slots[p] = internSlot{number + 1, uint32(h)}
	s.used++
}

// minInternSlots is the first size of a shard's table.
const minInternSlots = 16

// reserve makes room for n more values.
func (s *shard) reserve(n int) {
	if 2*(s.used+n) <= len(s.slots) {
		return
	}
	old := s.slots
	s.slots = make([]internSlot, slotsFor(s.used+n))
	mask := uint32(len(s.slots) - 1)
	for _, x := range old {
		if x.number == 0 {
			continue
		}
		p := x.tag & mask
		for s.slots[p].number != 0 {
			p = (p + 1) & mask
		}
		s.slots[p] = x
	}
}

// bytes is the memory held, but for sources.
func (s *shard) bytes() int64 {
	return int64(unsafe.Sizeof(internSlot{}))*int64(cap(s.slots)) + s.spans.bytes() + int64(cap(s.own))
}
