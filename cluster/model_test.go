package cluster

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// rowStore is a storage that keeps the keys of each table's rows, and nothing else.
type rowStore struct{ keys map[catalog.TableID][]uint64 }

func (s *rowStore) ApplyCreate(spec *mergetree.Spec) {
	s.keys[spec.ID] = append([]uint64{}, s.keys[spec.ID]...)
}
func (s *rowStore) ApplyDrop(_ uint64, id catalog.TableID)           { delete(s.keys, id) }
func (s *rowStore) ApplyTruncate(_ uint64, id catalog.TableID) error { s.keys[id] = nil; return nil }
func (s *rowStore) CheckRows(id catalog.TableID, _ *column.Block) error {
	if s.keys[id] == nil {
		return sqlerr.New(sqlerr.UnknownTable, "no table %d", id)
	}
	return nil
}

func (s *rowStore) ApplyRows(_ uint64, id catalog.TableID, b *column.Block) error {
	s.keys[id] = append(s.keys[id], keyColumn(b)...)
	return nil
}
func (s *rowStore) CheckEdit(mergetree.Edit) error               { return nil }
func (s *rowStore) ApplyEdit(uint64, mergetree.Edit) error       { return nil }
func (s *rowStore) ApplyFrozen(catalog.TableID, map[string]bool) {}
func (s *rowStore) Publish(uint64)                               {}
func (s *rowStore) Durable(uint64)                               {}

// The tables of the simulation: base, its rollup's target, the rollup, the Kafka table.
const (
	simBase catalog.TableID = iota + 1
	simTarget
	simRollup
	simKafka
)

// simulation is a log as two leaders, two consumers and some clients may write it: what they knew when they proposed is often
// out of date when their entry is applied.
type simulation struct {
	rnd   *rand.Rand
	fsm   *shardFSM
	store *rowStore
	index uint64
	term  uint64
	// stale are the keys of rows that came with entries of ended terms, tokens the keys written under each token.
	stale  map[uint64]bool
	tokens map[string][]uint64
	key    uint64
	views  []view // of proposers that will propose later
}

// view is what a proposer believes.
type view struct {
	term   uint64
	schema uint64
	rollup bool
	next   int64
}

func newSimulation(seed uint64, f fences) *simulation {
	s := &simulation{rnd: rand.New(rand.NewPCG(seed, 1)), store: &rowStore{keys: map[catalog.TableID][]uint64{}},
		stale: map[uint64]bool{}, tokens: map[string][]uint64{}}
	s.fsm = newShardFSM(1, s.store, testSpecs, f, func(uint64, uint64) []TableRows { return nil })
	s.newTerm()
	s.schema(testTableID("base", simBase), testTableID("target", simTarget), testTableID("kafka", simKafka))
	return s
}

func testTableID(name string, id catalog.TableID) *catalog.Table {
	t := testTable(name)
	t.ID = id
	return t
}

// apply puts an entry, made in a term, into the log.
func (s *simulation) apply(h header, b body) response {
	h.kind, h.group = b.kind(), 1
	data, err := b.append(appendHeader(nil, h))
	if err != nil {
		panic(err)
	}
	s.index++
	return s.fsm.Apply(&raft.Log{Index: s.index, Term: s.term, Type: raft.LogCommand, Data: data}).(response)
}

func (s *simulation) newTerm() {
	s.term++
	s.apply(header{term: s.term}, &beginTerm{node: "n"})
}

func (s *simulation) schema(ts ...*catalog.Table) {
	s.apply(header{term: s.term, schema: s.fsm.state.schema + 1}, &applySchema{tables: ts})
}

// look returns the present state as a proposer sees it.
func (s *simulation) look() view {
	v := view{term: s.term, schema: s.fsm.state.schema, rollup: s.fsm.state.tables[simRollup] != nil}
	v.next = s.fsm.state.cursors[cursorKey{simKafka, TopicPartition{"t", 0}}].Next
	return v
}

// propose makes an entry from a view, perhaps an old one.
func (s *simulation) propose(v view) {
	s.key++
	b := &appendRows{rows: []TableRows{{simBase, testBlock(s.key)}}}
	if v.rollup {
		b.rows = append(b.rows, TableRows{simTarget, testBlock(s.key)})
	}
	switch s.rnd.IntN(3) {
	case 0: // records, whose keys are 1 million and their offset
		key := uint64(1_000_000 + v.next)
		for i := range b.rows {
			b.rows[i].Block = testBlock(key)
		}
		b.ranges = []SourceRange{{Source: simKafka, Topic: "t", Start: v.next, End: v.next + 1, First: v.next, Last: v.next}}
	case 1: // a client that tries again now and then
		token := fmt.Sprint("t", s.rnd.IntN(40))
		b.tokens = []Token{{Table: simBase, ID: token}}
		s.tokens[token] = append(s.tokens[token], s.key)
	}
	if v.term != s.term {
		s.stale[keyColumn(b.rows[0].Block)[0]] = true
	}
	s.apply(header{term: v.term, schema: v.schema}, b)
}

func (s *simulation) step() {
	switch n := s.rnd.IntN(40); {
	case n == 0:
		s.newTerm()
	case n == 1 && s.fsm.state.tables[simRollup] == nil:
		mv := testTableID("mv", simRollup)
		mv.Kind, mv.Source, mv.Target = catalog.KindRollup, simBase, simTarget
		s.schema(mv)
		s.store.keys[simTarget] = slices.Clone(s.store.keys[simBase]) // backfilled
	case n < 10:
		s.views = append(s.views, s.look())
	case n < 20 && len(s.views) > 0:
		i := s.rnd.IntN(len(s.views))
		s.propose(s.views[i])
		s.views = slices.Delete(s.views, i, i+1)
	default:
		s.propose(s.look())
	}
}

// violation returns which invariant does not hold.
func (s *simulation) violation() error {
	base := s.store.keys[simBase]
	count := map[uint64]int{}
	for _, k := range base {
		count[k]++
	}
	next := uint64(s.look().next)
	for i := range next {
		if n := count[1_000_000+i]; n != 1 {
			return fmt.Errorf("record %d is there %d times", i, n)
		}
	}
	for k := range count {
		if k >= 1_000_000+next {
			return fmt.Errorf("record %d is behind the cursor %d", k, next)
		}
		if s.stale[k] && k < 1_000_000 {
			return fmt.Errorf("row %d of an ended term is there", k)
		}
	}
	for token, keys := range s.tokens {
		n := 0
		for _, k := range keys {
			n += count[k]
		}
		if n > 1 {
			return fmt.Errorf("token %s took effect %d times", token, n)
		}
	}
	if s.fsm.state.tables[simRollup] != nil {
		a, b := slices.Sorted(slices.Values(base)), slices.Sorted(slices.Values(s.store.keys[simTarget]))
		if !slices.Equal(a, b) {
			return fmt.Errorf("the rollup has %d rows, its base %d", len(b), len(a))
		}
	}
	return s.fsm.err()
}

func simulate(seed uint64, f fences) error {
	s := newSimulation(seed, f)
	for range 300 {
		s.step()
	}
	return s.violation()
}

// TestInvariants: with all fences no history breaks an invariant; without any one of them some do.
func TestInvariants(t *testing.T) {
	const seeds = 200
	for seed := range uint64(seeds) {
		if err := simulate(seed, fences{}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	for name, f := range map[string]fences{"term": {noTerm: true}, "cursor": {noCursor: true}, "token": {noToken: true}, "schema": {noSchema: true}} {
		broken := map[string]int{}
		for seed := range uint64(20) {
			if err := simulate(seed, f); err != nil {
				broken[err.Error()]++
			}
		}
		if len(broken) == 0 {
			t.Errorf("without the %s fence nothing was noticed", name)
		}
		t.Logf("without the %s fence: %v", name, slices.Sorted(maps.Keys(broken))[:min(3, len(broken))])
	}
}
