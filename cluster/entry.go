package cluster

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// entryVersion is the first byte of every entry.
const entryVersion = 1

// kind says what an entry does.
type kind uint8

// The kinds. Stored: never renumber.
const (
	kindBeginTerm kind = iota + 1
	kindAppendRows
	kindCommitSegments
	kindDropSegments
	kindApplySchema
	kindDedupTrim
	kindSourceAcquire
	kindSourceRelease
	kindCatalogChange
	kindTopologyChange
	kindAccessChange
)

var kindNames = map[kind]string{kindBeginTerm: "BeginTerm", kindAppendRows: "AppendRows", kindCommitSegments: "CommitSegments",
	kindDropSegments: "DropSegments", kindApplySchema: "ApplySchema", kindDedupTrim: "DedupTrim", kindSourceAcquire: "SourceAcquire",
	kindStateHash: "StateHash", kindSourceRelease: "SourceRelease", kindCatalogChange: "CatalogChange", kindTopologyChange: "TopologyChange",
	kindAccessChange: "AccessChange", kindMoveStep: "MoveStep", kindLevelRise: "LevelRise", kindHandTokens: "HandTokens"}

// String returns the kind's name.
func (k kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// header is in front of every entry.
type header struct {
	kind    kind
	group   uint64
	term    uint64
	schema  uint64 // catalog version the body was derived under; 0: does not matter
	time    int64  // the leader's, Unix ns
	request uint64 // names the proposal in the process that made it, within a term
}

// entry is a decoded entry.
type entry struct {
	header
	body any // *beginTerm, *appendRows, … by the kind
}

// body is what can be proposed.
type body interface {
	kind() kind
	append(dst []byte) ([]byte, error)
}

type (
	beginTerm  struct{ node string }
	appendRows struct {
		ranges []SourceRange
		tokens []Token
		rows   []TableRows // as proposed
		coded  []codedRows // as decoded
	}
	codedRows struct {
		table catalog.TableID
		block []byte // shares the entry's bytes
	}
	commitSegments struct {
		ranges []SourceRange
		tokens []Token
		edits  []mergetree.Edit
	}
	dropSegments struct{ tables []catalog.TableID }
	applySchema  struct {
		tables  []*catalog.Table
		dropped []catalog.TableID
	}
	dedupTrim struct {
		table  catalog.TableID
		before int64
	}
	moveSource struct {
		acquire   bool
		source    catalog.TableID
		topic     string
		topicID   TopicID
		partition int32
		next      int64
	}
	catalogChange  struct{ delta catalog.Delta }
	topologyChange struct{ to *Topology } // of the version after the present one
)

func (*beginTerm) kind() kind      { return kindBeginTerm }
func (*appendRows) kind() kind     { return kindAppendRows }
func (*commitSegments) kind() kind { return kindCommitSegments }
func (*dropSegments) kind() kind   { return kindDropSegments }
func (*applySchema) kind() kind    { return kindApplySchema }
func (*dedupTrim) kind() kind      { return kindDedupTrim }
func (*catalogChange) kind() kind  { return kindCatalogChange }
func (*topologyChange) kind() kind { return kindTopologyChange }

func (m *moveSource) kind() kind {
	if m.acquire {
		return kindSourceAcquire
	}
	return kindSourceRelease
}

// appendHeader appends what is in front of a body.
func appendHeader(dst []byte, h header) []byte {
	dst = append(dst, entryVersion, byte(h.kind))
	dst = binary.AppendUvarint(dst, h.group)
	dst = binary.AppendUvarint(dst, h.term)
	dst = binary.AppendUvarint(dst, h.schema)
	dst = binary.AppendVarint(dst, h.time)
	return binary.AppendUvarint(dst, h.request)
}

func appendText[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func (b *beginTerm) append(dst []byte) ([]byte, error) { return appendText(dst, b.node), nil }

func (b *appendRows) append(dst []byte) ([]byte, error) {
	dst = appendClaims(dst, b.ranges, b.tokens)
	dst = binary.AppendUvarint(dst, uint64(len(b.rows)))
	scratch := blockScratch.Get().(*[]byte)
	defer blockScratch.Put(scratch)
	for _, r := range b.rows {
		block := (*scratch)[:0]
		if r.Block != nil {
			var err error
			if block, err = blockcodec.Append(block, r.Block); err != nil {
				return dst, err
			}
		}
		dst = appendText(binary.AppendUvarint(dst, uint64(r.Table)), block)
		if cap(block) <= MaxEntryBytes {
			*scratch = block
		}
	}
	return dst, nil
}

// blockScratch is where blocks are encoded before their length is known; the entry, which raft keeps, has the bytes alone.
var blockScratch = sync.Pool{New: func() any { return new([]byte) }}

func (b *commitSegments) append(dst []byte) ([]byte, error) {
	dst = appendClaims(dst, b.ranges, b.tokens)
	dst = binary.AppendUvarint(dst, uint64(len(b.edits)))
	for _, e := range b.edits {
		dst = mergetree.AppendEdit(dst, e)
	}
	return dst, nil
}

func appendIDs(dst []byte, ids []catalog.TableID) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ids)))
	for _, id := range ids {
		dst = binary.AppendUvarint(dst, uint64(id))
	}
	return dst
}

func (b *dropSegments) append(dst []byte) ([]byte, error) { return appendIDs(dst, b.tables), nil }

func (b *applySchema) append(dst []byte) ([]byte, error) {
	dst = binary.AppendUvarint(dst, uint64(len(b.tables)))
	for _, t := range b.tables {
		text, err := json.Marshal(t)
		if err != nil {
			return dst, fmt.Errorf("cluster: table %s: %w", t.FullName(), err)
		}
		dst = appendText(dst, text)
	}
	return appendIDs(dst, b.dropped), nil
}

func (b *dedupTrim) append(dst []byte) ([]byte, error) {
	return binary.AppendVarint(binary.AppendUvarint(dst, uint64(b.table)), b.before), nil
}

func (m *moveSource) append(dst []byte) ([]byte, error) {
	dst = appendPartition(dst, m.source, m.topic, m.topicID, m.partition)
	return binary.AppendVarint(dst, m.next), nil
}

func (b *catalogChange) append(dst []byte) ([]byte, error) {
	text, err := json.Marshal(b.delta)
	if err != nil {
		return dst, fmt.Errorf("cluster: catalog change: %w", err)
	}
	return appendText(dst, text), nil
}

func (b *topologyChange) append(dst []byte) ([]byte, error) {
	text, err := json.Marshal(b.to)
	if err != nil {
		return dst, fmt.Errorf("cluster: topology: %w", err)
	}
	return appendText(dst, text), nil
}

func appendPartition(dst []byte, source catalog.TableID, topic string, id TopicID, partition int32) []byte {
	dst = appendText(binary.AppendUvarint(dst, uint64(source)), topic)
	dst = append(dst, id[:]...)
	return binary.AppendUvarint(dst, uint64(partition))
}

// rangeGap is the flag of a SourceRange with Gap.
const rangeGap = 1

func appendClaims(dst []byte, ranges []SourceRange, tokens []Token) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ranges)))
	for i := range ranges {
		r := &ranges[i]
		dst = appendPartition(dst, r.Source, r.Topic, r.TopicID, r.Partition)
		if r.Gap {
			dst = binary.AppendVarint(append(dst, rangeGap), r.Expect)
		} else {
			dst = append(dst, 0)
		}
		for _, x := range [...]int64{r.Start, r.End, r.First, r.Last} {
			dst = binary.AppendVarint(dst, x)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(tokens)))
	for i := range tokens {
		t := &tokens[i]
		dst = appendText(binary.AppendUvarint(dst, uint64(t.Table)), t.ID)
		dst = append(dst, t.Hash[:]...)
	}
	return dst
}

// decodeEntry reads an entry, all of b. Any input gives an entry or an error of code CorruptedData; blocks are not
// looked into.
func decodeEntry(b []byte) (*entry, error) {
	r := &reader{b: b}
	e := &entry{}
	if v := r.u8(); r.err == nil && v != entryVersion {
		return nil, sqlerr.New(sqlerr.CorruptedData, "Log entry of version %d, this build reads %d", v, entryVersion)
	}
	e.kind = kind(r.u8())
	e.group, e.term, e.schema = r.uvarint(), r.uvarint(), r.uvarint()
	e.time, e.request = r.varint(), r.uvarint()
	read, ok := bodyReaders[e.kind]
	if !ok {
		r.fail("%s", e.kind)
	}
	if r.err == nil {
		e.body = read(r)
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes behind the end", len(r.b))
	}
	if r.err != nil {
		return nil, r.err
	}
	return e, nil
}
