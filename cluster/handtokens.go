package cluster

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
)

// Tokens of a table that has grown. The rows of an INSERT that a shard has by the present spread may have been committed by an older one, where they were
// then; and of an INSERT that failed halfway those of one shard may have been, and those of another not. So rows are committed by the way that they have
// gone from shard to shard, and a token counts for one way: its ID is that of the INSERT, behind the shards that they have left.
//
//	t        rows that are where they always were
//	3 0x00 t      rows that lay on shard 3 before the table grew
//	3.5 0x00 t    rows that lay on shard 3, and on 5 then
//
// When a table grows, its new shards get the tokens of the old ones, each as the one of rows that come from there.

// TokenOn is the ID that an INSERT's token has where rows have gone a way.
func TokenOn(id string, w catalog.Way) string {
	if len(w) < 2 {
		return id
	}
	var b strings.Builder
	for i, shard := range w[:len(w)-1] {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.FormatUint(shard, 10))
	}
	b.WriteByte(wayEnd)
	b.WriteString(id)
	return b.String()
}

// wayEnd is between a way and a token's own ID.
const wayEnd = 0

// from is the ID that a token of a shard has for rows that leave it; base is the number of shards that never had tokens with a way.
func (t Token) from(shard uint64, base int) string {
	way, id := "", t.ID
	if shard > uint64(base) {
		way, id, _ = strings.Cut(t.ID, string(rune(wayEnd)))
		way += "."
	}
	return way + strconv.FormatUint(shard, 10) + string(rune(wayEnd)) + id
}

// ownBytes is the length of a token's own ID.
func ownBytes(id string) int {
	if way, own, ok := strings.Cut(id, string(rune(wayEnd))); ok && way != "" && len(way) <= maxWayBytes && strings.Trim(way, ".0123456789") == "" {
		return len(own)
	}
	return len(id)
}

// KnownToken is a token that a shard knows, in JSON.
type KnownToken struct {
	ID   []byte   `json:"id"`
	Hash [16]byte `json:"hash"`
	Time int64    `json:"time"` // of the commit, Unix ns
}

// Tokens returns the tokens of a table that the shard knows, oldest first, from a place on, as many as fit a message; none: there are no more.
func (s *Shard) Tokens(table catalog.TableID, from int) []KnownToken {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	w := s.fsm.state.tokens[table]
	if w == nil || from >= len(w.order) {
		return nil
	}
	var out []KnownToken
	for _, id := range w.order[from:min(from+maxHandedTokens, len(w.order))] {
		r := w.byID[id]
		out = append(out, KnownToken{ID: []byte(id), Hash: r.hash, Time: r.time})
	}
	return out
}

// kindHandTokens is the kind of a HandTokens entry; see entry.go.
const kindHandTokens kind = 15

// handTokens is the body of a HandTokens entry: tokens of another shard that count here too.
type handTokens struct {
	table  catalog.TableID
	tokens []remembered // without index
}

func (*handTokens) kind() kind { return kindHandTokens }

func (b *handTokens) append(dst []byte) ([]byte, error) {
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(b.table)), uint64(len(b.tokens)))
	for _, t := range b.tokens {
		dst = append(appendText(dst, t.id), t.hash[:]...)
		dst = binary.AppendVarint(dst, t.time)
	}
	return dst, nil
}

func readHandTokens(r *reader) any {
	b := &handTokens{table: catalog.TableID(r.uvarint())}
	for range r.count(maxHandedTokens, 18) {
		t := remembered{id: string(r.bytes(maxTokenID))}
		copy(t.hash[:], r.take(len(t.hash)))
		t.time = r.varint()
		b.tokens = append(b.tokens, t)
	}
	return b
}

// handTokens applies it. A table takes more tokens so than its window has, until its next commit: then it has grown, and its window too.
func (m *shardFSM) handTokens(index uint64, b *handTokens) response {
	if m.state.tables[b.table] != nil {
		for _, t := range b.tokens {
			t.index = index
			m.state.tokens.remember(b.table, t)
		}
	}
	return response{value: Result{Index: index}}
}

// TakeTokens lets tokens that a shard knows count for the rows that come from there. To do so again has no effect. base is the number of shards that the
// table was on at first.
func (w *Writer) TakeTokens(ctx context.Context, table catalog.TableID, from uint64, base int, known []KnownToken) error {
	b := &handTokens{table: table}
	for _, k := range known {
		t := Token{ID: string(k.ID)}
		b.tokens = append(b.tokens, remembered{id: t.from(from, base), hash: k.Hash, time: k.Time})
	}
	_, err := w.commit(ctx, proposal{body: b})
	return err
}
