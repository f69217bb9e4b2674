package fragment

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/optimize"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

func testEnv() *function.Env {
	return &function.Env{Ctx: context.Background(), Now: time.Unix(1e9, 0), Zone: time.UTC, Database: "default"}
}

// schema is the tables that tests declare.
type schema struct{ opts analyze.Options }

func newSchema() *schema {
	return &schema{analyze.Options{Catalog: catalog.New(), Database: "default", Env: testEnv()}}
}

// declare adds a table: its columns as lines "name type".
func (s *schema) declare(name, key, columns string) error {
	entry := &catalog.Table{Database: "default", Name: name, Kind: catalog.KindTable, Engine: "MergeTree", Settings: map[string]string{"sharding_key": key}}
	for line := range strings.SplitSeq(columns, "\n") {
		col, typ, _ := strings.Cut(line, " ")
		entry.Columns = append(entry.Columns, catalog.Column{Name: col, Type: typ})
	}
	c, err := s.opts.Catalog.WithTables(entry)
	if err == nil {
		s.opts.Catalog = c
	}
	return err
}

func (s *schema) plan(sql string) (plan.Node, error) {
	stmt, err := parse.One(sql, parse.Limits{})
	if err != nil {
		return nil, err
	}
	n, err := analyze.Query(context.Background(), stmt.(*ast.SelectUnion), s.opts)
	if err != nil {
		return nil, err
	}
	return optimize.Run(n), nil
}

func (s *schema) source(broadcasts int) Source {
	return Source{Env: s.opts.Env, Broadcasts: make([]*column.Block, broadcasts), Table: func(id catalog.TableID) (plan.Table, error) {
		t := s.opts.Catalog.ByID(id)
		if t == nil {
			return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist", id)
		}
		return plan.NewTable(t)
	}}
}

// TestCut prints plans with their fragments ("cut", groups=n says that aggregates have n groups) over the tables that "table" declared, and sees that each fragment is the same when it was
// encoded and decoded.
func TestCut(t *testing.T) {
	datadriven.Walk(t, "testdata/cut", func(t *testing.T, path string) {
		s := newSchema()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "table" {
				var name, key string
				d.ScanArgs(t, "name", &name)
				d.MaybeScanArgs(t, "key", &key)
				if err := s.declare(name, key, d.Input); err != nil {
					t.Fatal(err)
				}
				return ""
			}
			n, err := s.plan(d.Input)
			if err != nil {
				return err.Error()
			}
			at := Placement{Key: (*catalog.Table).ShardingKey}
			if d.HasArg("groups") { // of every aggregate; shuffled from 1000 on
				var many int
				d.ScanArgs(t, "groups", &many)
				at.Groups = Groups{Many: 1000, Estimate: func(*plan.Aggregate) (int64, bool) { return int64(many), many > 0 }}
			}
			cut := Cut(n, at)
			for _, f := range fragments(cut) {
				s.roundTrip(t, f)
			}
			return plan.String(cut)
		})
	})
}

func (s *schema) cut(n plan.Node) plan.Node {
	return Cut(n, Placement{Key: (*catalog.Table).ShardingKey})
}

// fragments are the plans below the Exchanges of a plan, and of what is broadcast to them.
func fragments(n plan.Node) []plan.Node {
	var out []plan.Node
	if x, ok := n.(*plan.Exchange); ok {
		out = append(out, x.Input)
		for _, b := range plan.Broadcasts(x.Input) {
			out = append(out, fragments(b.Input)...)
		}
		return out
	}
	for _, in := range n.Inputs() {
		out = append(out, fragments(in)...)
	}
	for _, sub := range plan.Subqueries(n) {
		out = append(out, fragments(sub.Input)...)
	}
	return out
}

func (s *schema) roundTrip(t *testing.T, n plan.Node) {
	t.Helper()
	enc, err := Encode(nil, n)
	if err != nil {
		t.Errorf("%v in\n%s", err, plan.String(n))
		return
	}
	back, err := Decode(enc, s.source(len(plan.Broadcasts(n))))
	if err != nil {
		t.Errorf("%v in\n%s", err, plan.String(n))
		return
	}
	if got, want := shallow(back), shallow(n); got != want {
		t.Errorf("decoded\n%swant\n%s", got, want)
	}
	if again, err := Encode(nil, back); err != nil || len(plan.Broadcasts(n)) == 0 && !bytes.Equal(again, enc) {
		t.Errorf("%d bytes are %d when they are encoded again: %v", len(enc), len(again), err)
	}
	for i := range enc { // whatever is lost, it is an error, or another plan
		_, _ = Decode(enc[:i], s.source(len(plan.Broadcasts(n))))
	}
}

// shallow prints a plan without what is below its Broadcasts, which are values when they are decoded.
func shallow(n plan.Node) string {
	return plan.String(plan.Transform(n, func(n plan.Node) plan.Node {
		switch n := n.(type) {
		case *plan.Broadcast:
			return &plan.Values{Block: &column.Block{}, Fields: n.Schema()}
		case *plan.Shuffle:
			return &plan.Shuffle{Input: n.Input, Keys: n.Keys}
		}
		return plan.MapExprs(n, func(e plan.Expr) plan.Expr {
			return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
				if in, ok := e.(*plan.In); ok && in.Set.Input != nil {
					set := *in.Set
					set.Input = &plan.Values{Block: &column.Block{}, Fields: in.Set.Input.Schema()}
					return &plan.In{Args: in.Args, Set: &set, Not: in.Not, T: in.T}
				}
				return e
			})
		})
	}))
}

// seeds are encoded fragments of all kinds.
func seeds(t testing.TB) (*schema, [][]byte) {
	s := newSchema()
	if err := s.declare("t", "", "k UInt32\ns LowCardinality(String)\nv Float64\nn Nullable(Int64)\na Array(UInt8)\nm Map(String, UInt64)\nd DateTime"); err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, sql := range []string{
		"SELECT s, count(), sum(v), quantiles(0.5, 0.9)(v), uniq(DISTINCT n), count(DISTINCT k) FROM t WHERE n IN (1, 2, NULL) AND s LIKE '%x%' GROUP BY s",
		"SELECT arrayMap((x, i) -> x + i + k, a, arrayEnumerate(a)), m['q'], toStartOfHour(d) FROM t ORDER BY k DESC, s LIMIT 3",
		"SELECT DISTINCT k FROM t ARRAY JOIN a WHERE k IN (SELECT k FROM t WHERE v > 1)",
		"SELECT l.k, r.s FROM t AS l LEFT JOIN t AS r ON l.k = r.k WHERE l.v < 3 LIMIT 1 BY l.k",
		"SELECT l.s, r.v FROM t AS l FULL JOIN t AS r ON l.k = r.k AND l.s = r.s",
		"SELECT k FROM t UNION ALL SELECT k + 1 FROM t LIMIT 10",
	} {
		n, err := s.plan(sql)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fragments(s.cut(n)) {
			enc, err := Encode(nil, f)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, enc)
		}
	}
	n, err := s.plan("SELECT s, n, avg(v) AS x, uniq(k), min(s) FROM t GROUP BY s, n HAVING x > 1 ORDER BY x LIMIT 3")
	if err != nil {
		t.Fatal(err)
	}
	enc, err := Encode(nil, fragments(Cut(n, Placement{Groups: Groups{Always: true}}))[0])
	if err != nil || enc[0] != Version {
		t.Fatalf("version %d: %v", enc[0], err)
	}
	return s, append(out, enc)
}

func FuzzDecode(f *testing.F) {
	s, all := seeds(f)
	for _, b := range all {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := Decode(b, s.source(2))
		if err != nil {
			return
		}
		if text := plan.String(n); text == "" {
			t.Error("a plan of nothing")
		}
		if _, err := Encode(nil, n); err != nil {
			t.Errorf("what was decoded cannot be encoded: %v", err)
		}
	})
}

func FuzzMessages(f *testing.F) {
	req := &Request{linkKey: linkKey{"q", 3}, Catalog: 7, User: "u", Database: "d", Now: time.Unix(5, 6).UTC(), Zone: "UTC",
		Settings: map[string]string{"max_threads": "2"}, Broadcasts: 1, Columns: []bool{true, false}, Plan: []byte{1, 2, 3}}
	pin := &pinMessage{linkKey{"q", 3}, PinRequest{Shards: []uint64{1, 5}, After: []uint64{0, 9}, Strong: true, Catalog: 7, Topology: 12}}
	f.Add(req.encode())
	f.Add(pin.encode())
	f.Add(progress{1, 2, 3}.encode())
	req.Meeting = &meeting{Session: 4, Own: 1, Nodes: []string{"a", "b"}}
	f.Add(req.encode())
	f.Add((&shuffleMessage{partKey{"a", "q", 4, 1}, 2, 0}).encode())
	f.Add(encodeEnd(sqlerr.New(sqlerr.MemoryLimitExceeded, "Too much")))
	f.Add(encodeIndices([]uint64{4, 5}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := decodeRequest(b); err == nil {
			if _, err := decodeRequest(r.encode()); err != nil {
				t.Errorf("a request: %v", err)
			}
		}
		if p, err := decodePin(b); err == nil {
			if q, err := decodePin(p.encode()); err != nil || fmt.Sprint(q) != fmt.Sprint(p) {
				t.Errorf("a pin: %v", err)
			}
		}
		if m, err := decodeShuffle(b); err == nil {
			if n, err := decodeShuffle(m.encode()); err != nil || *n != *m {
				t.Errorf("a shuffle: %v", err)
			}
		}
		_, _ = decodeEnd(b)
		_, _ = decodeChosen(b, 7)
		_, _ = decodeProgress(b)
		_, _ = decodeReport(b)
		_, _ = decodeIndices(b)
		_, _, _ = decodeRows(b, 2)
		_, _ = decodeBlock(b, column.Schema{{Name: "a"}, {Name: "b"}})
	})
}

// TestMessages: a request comes as it was sent.
func TestMessages(t *testing.T) {
	req := &Request{linkKey: linkKey{"q", 3}, Catalog: 7, User: "u", Database: "d", Now: time.Unix(5, 6).UTC(), Zone: "Asia/Tokyo",
		Settings: map[string]string{"a": "1", "b": ""}, Broadcasts: 1, Columns: []bool{true, false}, Plan: []byte{1, 2, 3}}
	got, err := decodeRequest(req.encode())
	if err != nil || fmt.Sprint(got) != fmt.Sprint(req) {
		t.Errorf("%v: %v, want %v", err, got, req)
	}
	m := meeting{Session: 4, Own: 1, Nodes: []string{"a", "b"}}
	req.Meeting, req.Late = &m, true
	if got, err = decodeRequest(req.encode()); err != nil || got.Meeting == nil || fmt.Sprint(*got.Meeting) != fmt.Sprint(m) || !got.Late {
		t.Errorf("%v: %v, want %v", err, got, m)
	}
	if at, err := decodeChosen(encodeChosen([]uint32{2, 0}), 3); err != nil || fmt.Sprint(at) != "[2 0]" {
		t.Errorf("%v, %v", at, err)
	}
	if at, err := decodeChosen(encodeChosen([]uint32{3}), 3); err == nil {
		t.Errorf("row 3 of 3: %v", at)
	}
	why := sqlerr.New(sqlerr.MemoryLimitExceeded, "Too much")
	if end, err := decodeEnd(encodeEnd(why)); err != nil || !sqlerr.Is(end, sqlerr.MemoryLimitExceeded) || !strings.Contains(end.Error(), "Too much") {
		t.Errorf("%v, %v", end, err)
	}
	if end, err := decodeEnd(encodeEnd(nil)); end != nil || err != nil {
		t.Errorf("%v, %v", end, err)
	}
}
