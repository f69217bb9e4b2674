package cluster

import (
	"strconv"

	"github.com/olapd/olapd/internal/catalog"
)

// remembered is the first commit of a token.
type remembered struct {
	id    string
	hash  [16]byte
	index uint64
	time  int64 // of the commit, Unix ns
}

// tokenWindow is the newest tokens of one table.
type tokenWindow struct {
	byID  map[string]remembered
	order []string // oldest first
}

// tokens is the part of a shard's state that knows which commits were made.
type tokens map[catalog.TableID]*tokenWindow

// find returns the first of the tokens that is known.
func (t tokens) find(ts []Token) (first remembered, differs, found bool) {
	for i := range ts {
		if w := t[ts[i].Table]; w != nil {
			if r, ok := w.byID[ts[i].ID]; ok {
				return r, r.hash != ts[i].Hash, true
			}
		}
	}
	return remembered{}, false, false
}

// add remembers a commit's tokens, and forgets the oldest beyond the tables' windows.
func (t tokens) add(ts []Token, index uint64, time int64, window func(catalog.TableID) int) {
	for i := range ts {
		t.remember(ts[i].Table, remembered{id: ts[i].ID, hash: ts[i].Hash, index: index, time: time})
		t[ts[i].Table].shrink(window(ts[i].Table))
	}
}

func (t tokens) remember(table catalog.TableID, r remembered) {
	w := t[table]
	if w == nil {
		w = &tokenWindow{byID: map[string]remembered{}}
		t[table] = w
	}
	if _, ok := w.byID[r.id]; !ok { // the same token twice in one commit
		w.order = append(w.order, r.id)
	}
	w.byID[r.id] = r
}

// shrink keeps the newest n.
func (w *tokenWindow) shrink(n int) {
	for len(w.order) > n {
		w.forgetOldest()
	}
}

func (w *tokenWindow) forgetOldest() {
	delete(w.byID, w.order[0])
	w.order = w.order[1:]
}

// trim forgets the tokens of a table that were committed before a time.
func (t tokens) trim(table catalog.TableID, before int64) {
	w := t[table]
	for w != nil && len(w.order) > 0 && w.byID[w.order[0]].time < before {
		w.forgetOldest()
	}
}

// windowOf returns how many tokens a table remembers: part of the log's meaning, and so a function of its description alone. Of one that has grown, an INSERT
// takes one for each of the ways that lead its rows to a shard.
func windowOf(t *catalog.Table) int {
	if t != nil && t.Spread != nil {
		return min(baseWindow(t)*t.Spread.Count(), maxTokenWindow)
	}
	return baseWindow(t)
}

// baseWindow is the window of a table that has not grown.
func baseWindow(t *catalog.Table) int {
	if t == nil {
		return DefaultTokenWindow
	}
	for _, name := range [...]string{"replicated_deduplication_window", "non_replicated_deduplication_window"} {
		if n, err := strconv.ParseUint(t.Settings[name], 10, 64); err == nil && n > 0 {
			return int(min(n, maxTokenWindow))
		}
	}
	return DefaultTokenWindow
}
