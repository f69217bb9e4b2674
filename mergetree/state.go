package mergetree

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/zeebo/xxh3"
)

// The state of a Store as a stream, for a Raft snapshot: the manifest and the memtable rows of every table, without
// specs. It begins with 8 bytes, "olapst" and u16 version, and goes on in frames
//
//	u32 length of the payload | u64 xxh3 of the payload | payload
//
// whose payload begins with a kind:
//
//	u8 1 table   uv id | uv flushed | uv segments | segments as in an edit
//	u8 2 rows    of the table before: uv columns | per column: uv length, name, uv length, type | uv commit runs | per run: uv log
//	             index, uv rows | block (see package blockcodec)
//	u8 3 end     uv applied index | uv tables
//
// A stream that ends without the end frame is refused.
const (
	stateMagic   = "olapst"
	stateVersion = 1
	frameTable   = 1
	frameRows    = 2
	frameEnd     = 3
)

const (
	// maxFrame bounds a frame that DecodeState believes: a block at its limit.
	maxFrame = 1 << 28
	// stateBuffer is what small frames are gathered in on their way; larger ones pass it by.
	stateBuffer = 64 << 10
	// stateRowBytes is the size up to which rows go into one frame.
	stateRowBytes = 16 << 20
)

// EncodeState writes the snapshot's state. Two replicas at one index may write different bytes: memtables are cut
// into chunks as they grew.
func (p *Snapshot) EncodeState(w io.Writer) error {
	e := &stateWriter{w: bufio.NewWriterSize(w, stateBuffer)}
	e.raw(binary.LittleEndian.AppendUint16([]byte(stateMagic), stateVersion))
	ids := p.Tables()
	for _, id := range ids {
		t := p.r.tables[id]
		b := binary.AppendUvarint([]byte{frameTable}, uint64(id))
		b = binary.AppendUvarint(b, t.flushed)
		b = binary.AppendUvarint(b, uint64(len(t.segs)))
		for _, f := range t.segs {
			b = appendSegment(b, &f.seg)
		}
		e.frame(b)
		for _, m := range t.mem {
			e.rows(m)
		}
	}
	b := binary.AppendUvarint([]byte{frameEnd}, p.r.index)
	e.frame(binary.AppendUvarint(b, uint64(len(ids))))
	if e.err != nil {
		return fmt.Errorf("mergetree: encoding state: %w", e.err)
	}
	return e.w.Flush()
}

// stateWriter writes frames until the first error.
type stateWriter struct {
	w   *bufio.Writer
	err error
}

func (e *stateWriter) raw(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

func (e *stateWriter) frame(payload []byte) {
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	e.raw(binary.LittleEndian.AppendUint64(head, xxh3.Hash(payload)))
	e.raw(payload)
}

// rows writes a chunk as frames of bounded size.
func (e *stateWriter) rows(m *MemChunk) {
	step := max(int(int64(m.Rows.N)*stateRowBytes/(m.Rows.Bytes()+1)), 1)
	for from := 0; from < m.Rows.N && e.err == nil; from += step {
		to := min(from+step, m.Rows.N)
		b := binary.AppendUvarint([]byte{frameRows}, uint64(len(m.Schema)))
		for _, f := range m.Schema {
			b = appendString(appendString(b, f.Name), f.Type.String())
		}
		runs := m.runs(from, to)
		b = binary.AppendUvarint(b, uint64(len(runs)))
		for _, r := range runs {
			b = binary.AppendUvarint(binary.AppendUvarint(b, r.index), uint64(r.end))
		}
		if b, e.err = blockcodec.Append(b, m.Rows.Slice(from, to)); e.err == nil {
			e.frame(b)
		}
	}
}

// runs returns the commits of rows [from, to); end is the number of rows of each.
func (m *MemChunk) runs(from, to int) []commitRun {
	var out []commitRun
	at := from
	for _, r := range m.commits {
		if end := min(r.end-m.from, to); end > at {
			out = append(out, commitRun{r.index, end - at})
			at = end
		}
	}
	return out
}

// DecodeState replaces the whole state by one that EncodeState wrote, and publishes it. Tables keep the specs they
// have; new ones get theirs by ApplyCreate, before which their rows cannot be read or added to. On error the state is
// as before. Damage is CorruptedData or ChecksumDoesntMatch.
func (s *Store) DecodeState(r io.Reader) error {
	d := &stateReader{r: bufio.NewReaderSize(r, stateBuffer), s: s, tables: map[catalog.TableID]*table{}}
	index, err := d.read()
	if err != nil {
		return fmt.Errorf("mergetree: decoding state: %w", err)
	}
	s.work.Lock()
	defer s.work.Unlock()
	named := map[*segFile]bool{}
	for _, t := range d.tables {
		for _, seg := range d.segs[t.id] {
			f := s.files.file(seg)
			named[f] = true
			t.segs = append(t.segs, f)
			if f.isAbsent() {
				t.absent = append(t.absent, f)
				s.files.want()
			}
		}
		if old := s.tables[t.id]; old != nil {
			t.spec = old.spec
		}
	}
	for _, t := range s.tables {
		s.letGo(t)
		s.discard(index, t.segs)
	}
	s.garbage = slices.DeleteFunc(s.garbage, func(g garbage) bool { return named[g.file] })
	s.revive(named)
	s.tables = d.tables
	s.publish(index)
	return nil
}

// revive takes files that the new state names out of what waits to be deleted.
func (s *Store) revive(named map[*segFile]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.garbage = slices.DeleteFunc(s.mu.garbage, func(g garbage) bool { return named[g.file] })
}

// stateReader collects a state; of the store it reads options only.
type stateReader struct {
	r      *bufio.Reader
	s      *Store
	tables map[catalog.TableID]*table
	segs   map[catalog.TableID][]Segment
	last   *table
}

func (d *stateReader) read() (uint64, error) {
	var head [8]byte
	if _, err := io.ReadFull(d.r, head[:]); err != nil {
		return 0, sqlerr.Wrap(err, sqlerr.CorruptedData, "State without a header")
	}
	if v := binary.LittleEndian.Uint16(head[6:]); string(head[:6]) != stateMagic || v != stateVersion {
		return 0, sqlerr.New(sqlerr.CorruptedData, "State begins with %q, version %d; this build reads version %d", head[:6], v, stateVersion)
	}
	d.segs = map[catalog.TableID][]Segment{}
	for {
		payload, err := d.frame()
		if err != nil {
			return 0, err
		}
		in := &reader{b: payload}
		switch kind := in.u8(); kind {
		case frameTable:
			err = d.table(in)
		case frameRows:
			err = d.rows(in)
		case frameEnd:
			index, n := in.uvarint(), in.uvarint()
			if in.err == nil && n != uint64(len(d.tables)) {
				in.fail("tables are missing")
			}
			return index, in.err
		default:
			err = sqlerr.New(sqlerr.CorruptedData, "Corrupted state: frame of kind %d", kind)
		}
		if err != nil {
			return 0, err
		}
	}
}

func (d *stateReader) frame() ([]byte, error) {
	var head [12]byte
	if _, err := io.ReadFull(d.r, head[:]); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CorruptedData, "State is cut off")
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, sqlerr.New(sqlerr.CorruptedData, "Corrupted state: frame of %d bytes", n)
	}
	payload, err := readBounded(d.r, int(n))
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CorruptedData, "State is cut off in a frame of %d bytes", n)
	}
	if xxh3.Hash(payload) != binary.LittleEndian.Uint64(head[4:]) {
		return nil, sqlerr.New(sqlerr.ChecksumDoesntMatch, "Checksum doesn't match: corrupted state")
	}
	return payload, nil
}

// readBounded reads n bytes, allocating no more than the input has to offer.
func readBounded(r io.Reader, n int) ([]byte, error) {
	const step = 1 << 20
	var out []byte
	for len(out) < n {
		k := min(step, n-len(out))
		out = slices.Grow(out, k)[:len(out)+k]
		if _, err := io.ReadFull(r, out[len(out)-k:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *stateReader) table(in *reader) error {
	t := d.s.newTable(catalog.TableID(in.uvarint()))
	t.flushed = in.uvarint()
	if d.tables[t.id] != nil {
		in.fail("a table twice")
	}
	for range in.count() {
		d.segs[t.id] = append(d.segs[t.id], in.segment())
	}
	slices.SortFunc(d.segs[t.id], compareSegments)
	d.tables[t.id], d.last = t, t
	return in.err
}

func (d *stateReader) rows(in *reader) error {
	if d.last == nil {
		in.fail("rows without a table")
	}
	schema := make(column.Schema, 0, 16)
	for range in.count() {
		name, typ := in.text(maxIDLen*16), in.text(blockcodec.MaxTypeName)
		if in.err != nil {
			return in.err
		}
		t, err := types.Parse(typ)
		if err != nil {
			return err
		}
		schema = append(schema, column.Field{Name: name, Type: t})
	}
	var runs []commitRun
	total := uint64(0)
	for range in.count() {
		index, n := in.uvarint(), in.uvarint()
		if n > blockcodec.MaxRows {
			in.fail("bad commit")
			break
		}
		total += n
		runs = append(runs, commitRun{index, int(n)})
	}
	if in.err != nil {
		return in.err
	}
	b, err := blockcodec.Decode(in.b)
	if err != nil {
		return err
	}
	if err := checkBlock(&Spec{Name: "a state", Columns: schema}, b); err != nil {
		return sqlerr.Wrap(err, sqlerr.CorruptedData, "Corrupted state")
	}
	if total != uint64(b.N) {
		return sqlerr.New(sqlerr.CorruptedData, "Corrupted state: %d rows in commits, %d in the block", total, b.N)
	}
	at := 0
	for _, r := range runs {
		d.last.mem.append(schema, r.index, b.Slice(at, at+r.end))
		at += r.end
	}
	return nil
}
