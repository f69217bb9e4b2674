package grouping

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/hashtable"
)

// internState is what one goroutine needs to intern or look up: the dictionary at hand and scratch memory.
type internState struct {
	part   *unionPart // of the base, whose rows came last
	values column.Vector
	codes  []uint32 // of values: number+1, 0 where unknown, absent where no value was found; shared while inserting
	text   *column.Str
	todo   []uint32 // positions in values to resolve
	hashes []uint64
	order  []uint32
	out    []uint32
	fresh  int // values that were new
	lookup lookup
}

// absent marks a code whose value is not there.
const absent = math.MaxUint32

// numbers writes the number of each value of v, which has no Nullable around it, to dst. With insert, new
// values are numbered; else they are Missing.
func (in *interner) numbers(st *internState, v column.Vector, dst []uint32, insert bool) error {
	if len(dst) == 0 {
		return nil
	}
	switch v := v.(type) {
	case *column.Const:
		if err := in.numbers(st, v.Value, dst[:1], insert); err != nil {
			return err
		}
		for i := range dst {
			dst[i] = dst[0]
		}
		return nil
	case *column.Dict:
		if text, ok := v.Values.(*column.Str); ok {
			return in.dictNumbers(st, v, text, dst, insert)
		}
		return in.numbers(st, column.Flatten(v), dst, insert)
	case *column.Str:
		in.begin(insert)
		return in.textNumbers(st, v, dst, insert)
	}
	in.begin(insert)
	return in.resolveOther(st, v, dst, insert)
}

// textNumbers resolves plain strings. Where most are new and long, they stay where they are: then copying them costs more than keeping the
// others.
func (in *interner) textNumbers(st *internState, v *column.Str, dst []uint32, insert bool) error {
	st.todo = sized(st.todo, len(dst))
	for i := range st.todo {
		st.todo[i] = uint32(i)
	}
	from := uint32(0)
	long := int(v.Off[len(dst)]-v.Off[0]) > shortBytes*len(dst)
	if insert && long && len(dst) >= fewRows && 2*in.plain.fresh.Load() > in.plain.rows.Load() {
		if from = in.register(v); from > 0 {
			in.plain.bytes.Add(v.Bytes())
		}
	}
	st.fresh = 0
	if err := in.resolve(st, v, nil, from, dst, insert); err != nil {
		return err
	}
	in.plain.rows.Add(int64(len(dst)))
	in.plain.fresh.Add(int64(st.fresh))
	return nil
}

// dictNumbers resolves each code of the dictionary once, unless only a few of them are at hand.
func (in *interner) dictNumbers(st *internState, d *column.Dict, text *column.Str, dst []uint32, insert bool) error {
	if p := in.part(st, d, text, insert); p != nil {
		if p.numbers == nil {
			copy(dst, d.Codes)
		} else {
			kernel.Gather(dst, p.numbers, d.Codes)
		}
		return nil
	}
	in.begin(insert)
	from := uint32(0)
	if insert {
		from = in.source(text)
	}
	known := in.known(st, d, insert)
	if known == nil {
		st.todo = append(st.todo[:0], d.Codes...)
		return in.resolve(st, text, d.Hashes, from, dst, insert)
	}
	st.todo = st.todo[:0]
	for i, c := range d.Codes {
		k := atomic.LoadUint32(&known[c])
		if k == 0 {
			st.todo = append(st.todo, c)
		}
		dst[i] = k - 1
	}
	if len(st.todo) > 0 {
		if err := in.learn(st, text, d, from, known, insert); err != nil {
			return err
		}
		for i, c := range d.Codes {
			dst[i] = atomic.LoadUint32(&known[c]) - 1
		}
	}
	for i, x := range dst {
		if x == absent-1 {
			dst[i] = hashtable.Missing
		}
	}
	return nil
}

// learn resolves the codes st.todo, some of which may stand there several times.
func (in *interner) learn(st *internState, text *column.Str, d *column.Dict, from uint32, known []uint32, insert bool) error {
	st.out = sized(st.out, len(st.todo))
	if err := in.resolve(st, text, d.Hashes, from, st.out, insert); err != nil {
		return err
	}
	for i, c := range st.todo {
		k := uint32(absent)
		if x := st.out[i]; x != hashtable.Missing {
			k = x + 1
		}
		atomic.StoreUint32(&known[c], k)
	}
	return nil
}

// known returns the numbers of the codes of a dictionary as far as they are known, or nil if it is too large for the
// rows at hand. While values are inserted all workers share them.
func (in *interner) known(st *internState, d *column.Dict, insert bool) []uint32 {
	if st.values == d.Values {
		return st.codes
	}
	if d.Values.Len() > entriesPerRow*len(d.Codes) {
		return nil
	}
	if !insert {
		st.values, st.codes = d.Values, make([]uint32, d.Values.Len())
		return st.codes
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	codes := in.mu.codes[d.Values]
	if codes == nil {
		if in.mu.codes == nil || len(in.mu.codes) >= dictLimit {
			in.mu.codes, in.mu.bytes = map[column.Vector][]uint32{}, 0
		}
		codes = make([]uint32, d.Values.Len())
		in.mu.codes[d.Values] = codes
		in.mu.bytes += 4 * int64(len(codes))
	}
	st.values, st.codes = d.Values, codes
	return codes
}

// resolve writes the numbers of the values at positions st.todo of text to dst, shard by shard. hashes are those of all values, or nil.
func (in *interner) resolve(st *internState, text *column.Str, hashes []uint64, from uint32, dst []uint32, insert bool) error {
	n := len(st.todo)
	st.hashes, st.order = sized(st.hashes, n), sized(st.order, n)
	switch {
	case in.collide:
		clear(st.hashes)
	case hashes != nil:
		kernel.Gather(st.hashes, hashes, st.todo)
	default:
		for i, at := range st.todo {
			st.hashes[i] = in.hash(text.At(int(at)))
		}
	}
	by := sharded{order: st.order, starts: make([]int, len(in.shards)+1)}
	in.deal(by, st.hashes)
	st.lookup = lookup{text: text, hashes: st.hashes, todo: st.todo}
	for k := range in.shards {
		if rows := by.order[by.starts[k]:by.starts[k+1]]; len(rows) > 0 {
			if err := in.resolveShard(k, st, from, rows, dst, insert); err != nil {
				return err
			}
		}
	}
	st.lookup = lookup{}
	return nil
}

func (in *interner) resolveShard(k int, st *internState, from uint32, rows, dst []uint32, insert bool) error {
	s, text := &in.shards[k], st.lookup.text
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.spans.n
	for len(rows) > 0 {
		n := min(len(rows), probeBatch)
		in.probe(s, &st.lookup, rows[:n], dst)
		for _, r := range rows[:n] {
			if dst[r] < like {
				continue
			}
			x, err := in.add(s, k, st.hashes[r], text, int(st.todo[r]), from, insert)
			if err != nil {
				return err
			}
			dst[r] = x
		}
		rows = rows[n:]
	}
	if now := s.spans.n; now > before {
		st.fresh += now - before
		in.raise(in.baseLen() + uint32(now-1)<<in.shardBits + uint32(k))
	}
	return nil
}

// resolveOther is resolve for values that are not byte strings: they are compared serialised, and kept in rep.
func (in *interner) resolveOther(st *internState, v column.Vector, dst []uint32, insert bool) error {
	if st.text == nil {
		st.text = column.NewStr(types.TString, 1)
	}
	s := &in.shards[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range dst {
		st.text.Truncate(0)
		st.text.Data = appendKey(st.text.Data, v, i)
		st.text.EndValue()
		before := s.spans.n
		x, err := in.add(s, 0, in.hash(st.text.At(0)), st.text, 0, 0, insert)
		if err != nil {
			return err
		}
		if dst[i] = x; s.spans.n > before {
			in.rep.AppendFrom(v, i)
			in.raise(x)
		}
	}
	return nil
}

// appendKey appends value i so that values of one type are equal exactly if their bytes are.
func appendKey(dst []byte, v column.Vector, i int) []byte {
	switch v := v.(type) {
	case *column.Const:
		return appendKey(dst, v.Value, 0)
	case *column.Dict:
		return appendKey(dst, v.Values, int(v.Codes[i]))
	case *column.Str:
		s := v.At(i)
		return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return append(dst, 1)
		}
		return appendKey(append(dst, 0), v.Inner, i)
	case *column.Array:
		return appendRun(dst, v.Off[i], v.Off[i+1], v.Elem)
	case *column.Map:
		return appendRun(dst, v.Off[i], v.Off[i+1], v.Keys, v.Vals)
	case *column.Variant:
		in, at := v.Value(i)
		if in == nil {
			return append(dst, 0) // no type has an empty name
		}
		name := in.Type().String()
		return appendKey(append(binary.AppendUvarint(dst, uint64(len(name))), name...), in, at)
	case *column.Tuple:
		for _, e := range v.Elems {
			dst = appendKey(dst, e, i)
		}
		return dst
	}
	return appendNumber(dst, v, i)
}

func appendRun(dst []byte, from, to uint32, parts ...column.Vector) []byte {
	dst = binary.AppendUvarint(dst, uint64(to-from))
	for j := from; j < to; j++ {
		for _, p := range parts {
			dst = appendKey(dst, p, int(j))
		}
	}
	return dst
}

func appendWords(dst []byte, x types.U256) []byte {
	for _, w := range x {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

func appendNumber(dst []byte, v column.Vector, i int) []byte {
	le := binary.LittleEndian
	switch v := v.(type) {
	case *column.Num[uint8]:
		return append(dst, v.Data[i])
	case *column.Num[int8]:
		return append(dst, uint8(v.Data[i]))
	case *column.Num[uint16]:
		return le.AppendUint16(dst, v.Data[i])
	case *column.Num[int16]:
		return le.AppendUint16(dst, uint16(v.Data[i]))
	case *column.Num[uint32]:
		return le.AppendUint32(dst, v.Data[i])
	case *column.Num[int32]:
		return le.AppendUint32(dst, uint32(v.Data[i]))
	case *column.Num[float32]:
		return le.AppendUint32(dst, math.Float32bits(v.Data[i]))
	case *column.Num[uint64]:
		return le.AppendUint64(dst, v.Data[i])
	case *column.Num[int64]:
		return le.AppendUint64(dst, uint64(v.Data[i]))
	case *column.Num[float64]:
		return le.AppendUint64(dst, math.Float64bits(v.Data[i]))
	case *column.Num[types.U128]:
		return le.AppendUint64(le.AppendUint64(dst, v.Data[i].Lo), v.Data[i].Hi)
	case *column.Num[types.I128]:
		return le.AppendUint64(le.AppendUint64(dst, v.Data[i].Lo), uint64(v.Data[i].Hi))
	case *column.Num[types.U256]:
		return appendWords(dst, v.Data[i])
	case *column.Num[types.I256]:
		return appendWords(dst, types.U256(v.Data[i]))
	}
	panic("grouping: a vector of unknown form")
}
