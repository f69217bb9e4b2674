package cluster

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// bodyReaders reads the body of each kind.
var bodyReaders = map[kind]func(*reader) any{
	kindBeginTerm:      func(r *reader) any { return &beginTerm{node: string(r.bytes(maxName))} },
	kindAppendRows:     readAppendRows,
	kindCommitSegments: readCommitSegments,
	kindDropSegments:   func(r *reader) any { return &dropSegments{tables: r.ids()} },
	kindApplySchema:    readApplySchema,
	kindDedupTrim: func(r *reader) any {
		return &dedupTrim{table: catalog.TableID(r.uvarint()), before: r.varint()}
	},
	kindSourceAcquire:  func(r *reader) any { return readMoveSource(r, true) },
	kindSourceRelease:  func(r *reader) any { return readMoveSource(r, false) },
	kindCatalogChange:  readCatalogChange,
	kindStateHash:      readStateHash,
	kindMoveStep:       readMoveStep,
	kindHandTokens:     readHandTokens,
	kindTopologyChange: func(r *reader) any { return &topologyChange{to: readTopology(r)} },
	kindLevelRise:      func(r *reader) any { return &levelRise{to: readTopology(r)} },
	kindAccessChange: func(r *reader) any {
		b := &accessChange{to: access.New()}
		r.json(r.bytes(math.MaxInt32), b.to)
		return b
	},
}

func readTopology(r *reader) *Topology {
	t := &Topology{}
	r.json(r.bytes(math.MaxInt32), t)
	return t
}

func readAppendRows(r *reader) any {
	b := &appendRows{}
	b.ranges, b.tokens = r.claims()
	for range r.count(maxTables, 2) {
		b.coded = append(b.coded, codedRows{catalog.TableID(r.uvarint()), r.bytes(math.MaxInt32)})
	}
	return b
}

func readCommitSegments(r *reader) any {
	b := &commitSegments{}
	b.ranges, b.tokens = r.claims()
	for range r.count(maxTables, 7) {
		b.edits = append(b.edits, r.edit())
	}
	return b
}

func readApplySchema(r *reader) any {
	b := &applySchema{}
	for range r.count(maxTables, 1) {
		t := &catalog.Table{}
		r.json(r.bytes(maxTableJSON), t)
		b.tables = append(b.tables, t)
	}
	b.dropped = r.ids()
	return b
}

func readMoveSource(r *reader, acquire bool) any {
	m := &moveSource{acquire: acquire}
	m.source, m.topic, m.topicID, m.partition = r.partition()
	m.next = r.varint()
	return m
}

func readCatalogChange(r *reader) any {
	b := &catalogChange{}
	r.json(r.bytes(math.MaxInt32), &b.delta)
	for _, t := range b.delta.Tables {
		if t == nil {
			r.fail("no table")
		}
	}
	for _, d := range b.delta.Databases {
		if d == nil {
			r.fail("no database")
		}
	}
	return b
}

// reader reads from the front of a byte slice; after the first failure every read gives zero and err stays.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = sqlerr.New(sqlerr.CorruptedData, "Corrupted log entry: "+format, args...)
	}
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.fail("too short")
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if r.err != nil || n <= 0 {
		r.fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.b)
	if r.err != nil || n <= 0 {
		r.fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return x
}

// count reads a number of things that take at least size bytes each.
func (r *reader) count(limit, size int) int {
	n := r.uvarint()
	if n > uint64(limit) || n > uint64(len(r.b)/size) {
		r.fail("bad count")
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *reader) bytes(limit int) []byte {
	n := r.uvarint()
	if n > uint64(limit) {
		r.fail("%d bytes, the limit is %d", n, limit)
		return nil
	}
	return r.take(int(n))
}

func (r *reader) ids() []catalog.TableID {
	var out []catalog.TableID
	for range r.count(maxTables, 1) {
		out = append(out, catalog.TableID(r.uvarint()))
	}
	return out
}

func (r *reader) json(text []byte, to any) {
	if r.err != nil {
		return
	}
	if err := json.Unmarshal(text, to); err != nil {
		r.fail("%v", err)
	}
}

func (r *reader) edit() mergetree.Edit {
	if r.err != nil {
		return mergetree.Edit{}
	}
	e, rest, err := mergetree.DecodeEdit(r.b)
	if err != nil {
		r.err = err
		return e
	}
	r.b = rest
	return e
}

func (r *reader) partition() (source catalog.TableID, topic string, id TopicID, partition int32) {
	source, topic = catalog.TableID(r.uvarint()), string(r.bytes(maxName))
	copy(id[:], r.take(len(id)))
	p := r.uvarint()
	if p > math.MaxInt32 {
		r.fail("partition %d", p)
	}
	return source, topic, id, int32(p)
}

func (r *reader) claims() (ranges []SourceRange, tokens []Token) {
	const minRange, minToken = 24, 18
	for range r.count(maxRanges, minRange) {
		ranges = append(ranges, r.sourceRange())
	}
	for range r.count(maxTokens, minToken) {
		t := Token{Table: catalog.TableID(r.uvarint()), ID: string(r.bytes(maxTokenID))}
		copy(t.Hash[:], r.take(len(t.Hash)))
		tokens = append(tokens, t)
	}
	return ranges, tokens
}

func (r *reader) sourceRange() SourceRange {
	var s SourceRange
	s.Source, s.Topic, s.TopicID, s.Partition = r.partition()
	if flags := r.u8(); flags == rangeGap {
		s.Gap, s.Expect = true, r.varint()
	} else if flags != 0 {
		r.fail("flags %d of a source range", flags)
	}
	s.Start, s.End, s.First, s.Last = r.varint(), r.varint(), r.varint(), r.varint()
	if r.err == nil && s.check() != nil {
		r.fail("%s", &s)
	}
	return s
}
