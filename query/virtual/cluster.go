package virtual

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/settings"
)

// clusterName is the name of the one cluster there is, in system.clusters and as an argument of cluster.
const clusterName = "default"

// nodeColumn is behind the columns of tables that are read on several nodes: the name of the node that a row is of.
const nodeColumn = "_node"

// Cluster says what a call of cluster or clusterAllReplicas yields. Tables that are not stored tell of the node that reads them: they are read on
// one replica of each shard, or on all nodes, but on none twice. Those that are stored are of all shards anyway. ClusterDoesntExist.
func Cluster(s *Source, call analyze.ClusterCall) (analyze.ClusterTable, error) {
	shards := list(s.Shards)
	if call.Cluster != clusterName || len(shards) == 0 {
		return analyze.ClusterTable{}, sqlerr.New(sqlerr.ClusterDoesntExist, "Requested cluster '%s' not found", call.Cluster)
	}
	if t, ok := Lookup(s, call.Database, call.Table).(*Table); ok {
		return analyze.ClusterTable{Table: onNodes(s, t, call)}, nil
	}
	out := analyze.ClusterTable{Copies: 1}
	if call.AllReplicas {
		out.Copies = len(shards[0].Replicas)
		if slices.ContainsFunc(shards, func(p ClusterShard) bool { return len(p.Replicas) != out.Copies }) {
			return out, sqlerr.New(sqlerr.NotImplemented, "clusterAllReplicas of a table is not implemented while shards have different numbers of replicas")
		}
	}
	return out, nil
}

// onNodes is a table as several nodes have it, each its own.
func onNodes(s *Source, t *Table, call analyze.ClusterCall) *Table {
	schema := slices.Insert(slices.Clone(t.schema), len(t.schema), column.Field{Name: nodeColumn, Type: types.TString})
	return &Table{name: t.name, schema: schema, hidden: t.hidden + 1, scan: func(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error) {
		nodes, err := nodesToRead(ctx, s, call.AllReplicas)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(ctx)
		n := &nodesScanner{cancel: cancel, schema: schema, cols: req.Columns}
		if err := n.open(ctx, s, t, nodes); err != nil {
			cancel()
			return nil, err
		}
		return n, nil
	}}
}

// nodesToRead are all nodes of the cluster, or, of each shard, this node or the first that answers.
func nodesToRead(ctx context.Context, s *Source, all bool) ([]ClusterNode, error) {
	nodes, err := gathered(ctx, s.Nodes)
	if err != nil || all {
		return nodes, err
	}
	var names []string
	for _, p := range list(s.Shards) {
		best, score := "", -1
		for _, name := range p.Replicas {
			for _, n := range nodes {
				if n.Name != name {
					continue
				}
				k := 0
				switch {
				case n.Local:
					k = 2
				case n.Reachable:
					k = 1
				}
				if k > score {
					best, score = name, k
				}
			}
		}
		if !slices.Contains(names, best) {
			names = append(names, best)
		}
	}
	return slices.DeleteFunc(nodes, func(n ClusterNode) bool { return !slices.Contains(names, n.Name) }), nil
}

// nodesScanner reads one node after the other; the others prepare their rows meanwhile.
type nodesScanner struct {
	cancel context.CancelFunc
	schema column.Schema // with nodeColumn
	cols   []int
	mu     struct {
		sync.Mutex
		parts []*nodePart
	}
}

// nodePart is the rows of one node: of a scanner here, or asked of another node.
type nodePart struct {
	node string
	here exec.Scanner
	next func() (*column.Block, error)
	skip bool // it may be left out if it cannot be reached
}

func (n *nodesScanner) open(ctx context.Context, s *Source, t *Table, nodes []ClusterNode) error {
	var names []string
	var own []int
	for _, c := range n.cols {
		if c < len(t.schema) {
			names, own = append(names, ast.QuoteIdent(t.schema[c].Name)), append(own, c)
		}
	}
	if len(names) == 0 {
		names = []string{"1"} // rows are counted
	}
	db, name, _ := strings.Cut(t.name, ".")
	q := Question{Text: "SELECT " + strings.Join(names, ", ") + " FROM " + ast.QuoteIdent(db) + "." + ast.QuoteIdent(name), User: s.User, Database: s.Database, Settings: s.Settings.Changed()}
	if s.Access != nil {
		q.Roles = s.Access.Current
	}
	parts := make([]*nodePart, len(nodes))
	errs := make([]error, len(nodes))
	var work sync.WaitGroup
	for i, node := range nodes {
		p := &nodePart{node: node.Name, skip: settings.SkipUnavailable.Of(s.Settings)}
		parts[i] = p
		work.Go(func() {
			switch {
			case node.Local:
				p.here, errs[i] = t.open(ctx, own)
			case s.Ask == nil:
				errs[i] = sqlerr.New(sqlerr.NetworkError, "Node %s cannot be asked", node.Name)
			default:
				p.next, errs[i] = s.Ask(ctx, node.Name, q)
			}
		})
	}
	work.Wait()
	for i, p := range parts {
		switch err := p.failed(errs[i]); {
		case err != nil:
			for _, p := range parts {
				p.close()
			}
			return err
		case errs[i] == nil:
			n.mu.parts = append(n.mu.parts, p)
		}
	}
	return nil
}

// failed gives an error of a node its code, or takes it away if the node may be left out.
func (p *nodePart) failed(err error) error {
	switch {
	case err == nil || p.skip && sqlerr.Is(err, sqlerr.NetworkError):
		return nil
	case sqlerr.Is(err, sqlerr.NetworkError):
		return sqlerr.Wrap(err, sqlerr.AllConnectionTriesFailed, "Node %s", p.node)
	}
	return sqlerr.Wrap(err, sqlerr.CodeOf(err), "On node %s", p.node)
}

func (p *nodePart) close() {
	if p.here != nil {
		_ = p.here.Close() // rows of memory: nothing is lost
		p.here = nil
	}
}

// Next implements exec.Scanner.
func (n *nodesScanner) Next(ctx context.Context) (exec.Morsel, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.mu.parts) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := n.mu.parts[0]
		if p.here != nil {
			m, err := p.here.Next(ctx)
			if err != nil {
				return nil, err
			}
			if m != nil {
				return &nodeMorsel{Morsel: m, at: n.places(), node: p.node}, nil
			}
		} else {
			b, err := p.next()
			if err == nil && b != nil {
				if err = n.check(b); err == nil {
					p.skip = false
					return &nodeMorsel{Morsel: &blockMorsel{b, 0, b.N}, at: n.places(), node: p.node}, nil
				}
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err = p.failed(err); err != nil {
				return nil, err
			}
		}
		p.close()
		n.mu.parts = n.mu.parts[1:]
	}
	return nil, nil
}

// places is, for each column that is asked for, where it is in what a node yields; -1: it is nodeColumn.
func (n *nodesScanner) places() []int {
	out, next := make([]int, len(n.cols)), 0
	for i, c := range n.cols {
		if out[i] = -1; c < len(n.schema)-1 {
			out[i] = next
			next++
		}
	}
	return out
}

// check holds another node's block to the columns that it was asked for.
func (n *nodesScanner) check(b *column.Block) error {
	for i, at := range n.places() {
		if at < 0 {
			continue
		}
		want := n.schema[n.cols[i]]
		if at >= len(b.Cols) || !b.Cols[at].Type().WithoutLowCardinality().Equal(want.Type.WithoutLowCardinality()) {
			return sqlerr.New(sqlerr.CorruptedData, "The answer has not the columns that were asked for: %s %s", want.Name, want.Type)
		}
	}
	return nil
}

// Stats implements exec.Scanner.
func (n *nodesScanner) Stats() exec.ScanStats { return exec.ScanStats{} }

// Close implements exec.Scanner: it ends what other nodes still do.
func (n *nodesScanner) Close() error {
	n.cancel()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.mu.parts {
		p.close()
	}
	n.mu.parts = nil
	return nil
}

// nodeMorsel is rows of a node beside its name.
type nodeMorsel struct {
	exec.Morsel
	at   []int
	node string
}

// Column implements exec.Morsel.
func (m *nodeMorsel) Column(ctx context.Context, i int, sel []uint32) (column.Vector, error) {
	if m.at[i] >= 0 {
		return m.Morsel.Column(ctx, m.at[i], sel)
	}
	name := column.New(types.TString, 1)
	column.AppendValue(name, m.node)
	n := m.Rows()
	if sel != nil {
		n = len(sel)
	}
	return &column.Const{Value: name, N: n}, nil
}
