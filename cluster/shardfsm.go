package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/invariants"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// storage is what a shard's entries change: *mergetree.Store. Its methods do no I/O.
type storage interface {
	ApplyCreate(spec *mergetree.Spec)
	ApplyDrop(index uint64, id catalog.TableID)
	ApplyTruncate(index uint64, id catalog.TableID) error
	CheckRows(id catalog.TableID, b *column.Block) error
	ApplyRows(index uint64, id catalog.TableID, b *column.Block) error
	CheckEdit(e mergetree.Edit) error
	ApplyEdit(index uint64, e mergetree.Edit) error
	ApplyFrozen(id catalog.TableID, segments map[string]bool)
	Publish(index uint64)
	Durable(index uint64)
}

// shardState is what a shard knows beside its rows: a function of the entries applied.
type shardState struct {
	schema  uint64 // catalog version
	tables  map[catalog.TableID]*catalog.Table
	touched map[catalog.TableID]uint64 // catalog version at which rows derived from a table last changed
	cursors cursors
	tokens  tokens
	moves   shardMoves
}

func newShardState() *shardState {
	return &shardState{tables: map[catalog.TableID]*catalog.Table{}, touched: map[catalog.TableID]uint64{}, cursors: cursors{}, tokens: tokens{}, moves: newShardMoves()}
}

// shardFSM is the state machine of a shard.
type shardFSM struct {
	machine
	state *shardState // guarded by machine.mu
	store storage
	specs SpecFunc
	// comparison is of this replica's state with its leader's.
	comparison *comparison
	moving     atomic.Bool // the state knows of moves, or has known of some
	// handover returns the rows of an entry that this process proposed, or nil.
	handover func(term, request uint64) []TableRows
}

func newShardFSM(group uint64, store storage, specs SpecFunc, f fences, handover func(term, request uint64) []TableRows) *shardFSM {
	m := &shardFSM{state: newShardState(), store: store, specs: specs, handover: handover, comparison: newComparison()}
	m.machine.init(group, f)
	m.machine.effects, m.machine.finish = m.apply, m.publish
	return m
}

// publish makes what was applied visible. What is applied is durable in the log.
func (m *shardFSM) publish(index uint64) {
	m.store.Publish(index)
	m.store.Durable(index)
}

func (m *shardFSM) apply(index uint64, e *entry) response {
	switch b := e.body.(type) {
	case *appendRows:
		return m.appendRows(index, e, b)
	case *commitSegments:
		r := m.commitSegments(index, e, b)
		m.refused(r, b.edits...)
		return r
	case *moveStep:
		return m.moveStep(index, b)
	case *dropSegments:
		return m.dropSegments(index, e, b)
	case *applySchema:
		return m.applySchema(index, e, b)
	case *dedupTrim:
		m.state.tokens.trim(b.table, b.before)
		return response{value: Result{Index: index}}
	case *stateHash:
		return m.stateHash(index, b)
	case *handTokens:
		return m.handTokens(index, b)
	case *moveSource:
		if err := m.derivable(e.schema, b.source); err != nil {
			return response{err: err}
		}
		return response{value: Result{Index: index}, err: m.state.cursors.move(b)}
	}
	return response{fatal: sqlerr.New(sqlerr.CorruptedData, "%s in the log of a shard", e.kind)}
}

// claim checks the conditions of a commit. With done the response is all there is to it; else after holds the cursors to be set.
func (m *shardFSM) claim(ranges []SourceRange, ts []Token) (after cursors, r response, done bool) {
	if !m.fences.noToken {
		if first, differs, found := m.state.tokens.find(ts); found {
			return nil, response{value: Result{Index: first.index, Duplicate: true, Differs: differs}}, true
		}
	}
	after, err := m.state.cursors.check(ranges)
	if err != nil && m.fences.noCursor {
		after, err = cursors{}, nil
		for _, r := range ranges {
			after[cursorKey{r.Source, TopicPartition{r.Topic, r.Partition}}] = Cursor{Next: r.End, TopicID: r.TopicID}
		}
	}
	return after, response{err: err}, err != nil
}

// settle records what claim has allowed.
func (m *shardFSM) settle(index uint64, e *entry, after cursors, ts []Token) response {
	m.state.cursors.set(after)
	m.state.tokens.add(ts, index, e.time, func(id catalog.TableID) int { return windowOf(m.state.tables[id]) })
	return response{value: Result{Index: index}}
}

// derivable refuses what was derived from a table under another schema than the present one.
func (m *shardFSM) derivable(schema uint64, table catalog.TableID) error {
	t := m.state.tables[table]
	switch {
	case schema == 0 || m.fences.noSchema:
		return nil
	case t == nil:
		return sqlerr.Wrap(ErrSchemaChanged, sqlerr.UnknownTable, "Table with ID %d does not exist any more", table)
	case t.Held && !m.fences.noHold:
		return sqlerr.Wrap(ErrSchemaChanged, sqlerr.Aborted, "Rows of table %s are about to be read on other shards", t.FullName())
	case m.fences.noHold && (t.Held || t.SpreadSince > 0):
		return nil
	case m.state.touched[table] > schema || schema > m.state.schema:
		return sqlerr.Wrap(ErrSchemaChanged, sqlerr.Aborted, "Table %s changed at catalog version %d, the rows were made for version %d", t.FullName(), m.state.touched[table], schema)
	}
	return nil
}

func (m *shardFSM) derivableRanges(schema uint64, ranges []SourceRange) error {
	for i := range ranges {
		if err := m.derivable(schema, ranges[i].Source); err != nil {
			return err
		}
	}
	return m.beyondStops(ranges)
}

func (m *shardFSM) appendRows(index uint64, e *entry, b *appendRows) response {
	after, r, done := m.claim(b.ranges, b.tokens)
	if done {
		return r
	}
	if err := m.derivableRanges(e.schema, b.ranges); err != nil {
		return response{err: err}
	}
	blocks, r := m.blocks(e, b)
	if blocks == nil {
		return r
	}
	for i, c := range b.coded {
		if blocks[i] == nil {
			continue
		}
		if err := m.store.ApplyRows(index, c.table, blocks[i]); err != nil {
			return response{fatal: err} // CheckRows has allowed it
		}
	}
	return m.settle(index, e, after, b.tokens)
}

// blocks returns the rows of an entry, all of which fit their tables; nil and a response if they do not.
func (m *shardFSM) blocks(e *entry, b *appendRows) ([]*column.Block, response) {
	mine := m.handover(e.term, e.request)
	out := make([]*column.Block, len(b.coded))
	for i, c := range b.coded {
		if err := m.derivable(e.schema, c.table); err != nil {
			return nil, response{err: err}
		}
		if len(c.block) == 0 {
			continue
		}
		if len(mine) == len(b.coded) {
			out[i] = mine[i].Block
			m.checkHandover(c, out[i])
		} else {
			var err error
			if out[i], err = blockcodec.Decode(c.block); err != nil {
				return nil, response{fatal: err}
			}
		}
		if err := m.store.CheckRows(c.table, out[i]); err != nil {
			return nil, response{err: err}
		}
	}
	return out, response{}
}

// checkHandover asserts that the proposer's block is what the entry holds.
func (m *shardFSM) checkHandover(c codedRows, b *column.Block) {
	if invariants.Enabled {
		again, err := blockcodec.Append(nil, b)
		invariants.Check(err == nil && bytes.Equal(again, c.block), "cluster: the block handed over for table %d differs from the entry's", c.table)
	}
}

func (m *shardFSM) commitSegments(index uint64, e *entry, b *commitSegments) response {
	after, r, done := m.claim(b.ranges, b.tokens)
	if done {
		return r
	}
	if err := m.derivableRanges(e.schema, b.ranges); err != nil {
		return response{err: err}
	}
	for i, edit := range b.edits {
		for _, before := range b.edits[:i] {
			if before.Table == edit.Table {
				return response{err: fmt.Errorf("%w: two edits of table %d", mergetree.ErrEditRejected, edit.Table)}
			}
		}
		if err := errors.Join(m.derivable(e.schema, edit.Table), m.store.CheckEdit(edit)); err != nil {
			return response{err: err}
		}
	}
	for _, edit := range b.edits {
		if err := m.store.ApplyEdit(index, edit); err != nil {
			return response{fatal: err} // CheckEdit has allowed it
		}
		if edit.Watermark > 0 {
			m.flushed.Store(true)
		}
	}
	return m.settle(index, e, after, b.tokens)
}

// dropSegments empties tables. Their tokens go too: the same rows may be inserted anew.
func (m *shardFSM) dropSegments(index uint64, e *entry, b *dropSegments) response {
	for _, id := range b.tables {
		if m.state.tables[id] == nil {
			return response{err: sqlerr.New(sqlerr.UnknownTable, "Table with ID %d does not exist any more", id)}
		}
		if m.state.moves.frozen(id) != nil {
			return response{err: sqlerr.New(sqlerr.Aborted, "Rows of table %s are being moved to another shard; try again", m.state.tables[id].FullName())}
		}
	}
	for _, id := range b.tables {
		delete(m.state.tokens, id)
		if err := m.store.ApplyTruncate(index, id); err != nil && !sqlerr.Is(err, sqlerr.UnknownTable) { // one that stores no rows
			return response{fatal: err}
		}
	}
	return response{value: Result{Index: index}}
}

// applySchema brings the shard to a catalog version; an older or equal one is done already.
func (m *shardFSM) applySchema(index uint64, e *entry, b *applySchema) response {
	s := m.state
	if e.schema <= s.schema {
		return response{value: Result{Index: index}}
	}
	specs := make([]*mergetree.Spec, len(b.tables))
	for i, t := range b.tables {
		var err error
		if specs[i], err = m.spec(t); err != nil {
			return response{fatal: err}
		}
	}
	for _, id := range b.dropped {
		s.touchReaders(s.tables[id], e.schema)
		delete(s.tables, id)
		delete(s.touched, id)
		delete(s.tokens, id)
		s.cursors.drop(id)
		s.moves.drop(id)
		m.store.ApplyDrop(index, id)
	}
	for i, t := range b.tables {
		s.touchReaders(s.tables[t.ID], e.schema)
		s.touchReaders(t, e.schema)
		s.tables[t.ID], s.touched[t.ID] = t, e.schema
		if specs[i] != nil {
			m.store.ApplyCreate(specs[i])
		}
	}
	s.schema = e.schema
	return response{value: Result{Index: index}}
}

// touchReaders notes that what is derived from the table that a rollup reads has changed.
func (s *shardState) touchReaders(t *catalog.Table, version uint64) {
	if t != nil && t.Kind == catalog.KindRollup {
		s.touched[t.Source] = version
	}
}

// spec compiles a table; nil for one without stored rows.
func (m *shardFSM) spec(t *catalog.Table) (*mergetree.Spec, error) {
	if t.Kind != catalog.KindTable {
		return nil, nil
	}
	spec, err := m.specs(t)
	if err != nil {
		return nil, fmt.Errorf("cluster: table %s: %w", t.FullName(), err)
	}
	return spec, nil
}
