package query

import (
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/virtual"
)

// used are the names a statement uses, for the used_… columns of system.query_log.
func used(s ast.Statement) virtual.Used {
	if s == nil {
		return virtual.Used{}
	}
	sets := map[string]map[string]bool{}
	note := func(kind, name string) {
		if name == "" {
			return
		}
		if sets[kind] == nil {
			sets[kind] = map[string]bool{}
		}
		sets[kind][name] = true
	}
	ast.Walk(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TableFunction:
			note("table", n.Call.Name)
			for _, a := range n.Call.Args {
				if q, ok := a.(*ast.Subquery); ok {
					ast.Walk(q, func(m ast.Node) bool { return noteCall(m, note) })
				}
			}
			return false
		case *ast.Engine:
			note("storage", n.Name)
		}
		return noteCall(n, note)
	})
	switch s := s.(type) {
	case *ast.SelectUnion:
		note("format", s.Output.Format)
	case *ast.Insert:
		note("format", s.Format)
	}
	list := func(kind string) []string { return slices.Sorted(maps.Keys(sets[kind])) }
	return virtual.Used{Functions: list("function"), Aggregates: list("aggregate"), TableFunctions: list("table"), Storages: list("storage"), Formats: list("format")}
}

// noteCall notes the function that n calls.
func noteCall(n ast.Node, note func(kind, name string)) bool {
	if c, ok := n.(*ast.FuncCall); ok {
		if function.IsAggregate(c.Name) {
			note("aggregate", c.Name)
		} else {
			note("function", c.Name)
		}
	}
	return true
}

// normalizedHash is the same for statements that differ by literals, white space and comments only.
func normalizedHash(text string) uint64 {
	h := fnv.New64a()
	for t := range parse.Tokens(text) {
		word := text[t.Start:t.End]
		switch t.Kind {
		case parse.TokenNumber, parse.TokenString:
			word = "?"
		case parse.TokenWord:
			word = strings.ToLower(word)
		}
		h.Write([]byte(word + " ")) // never fails
	}
	return h.Sum64()
}

// formatted is a statement as it is printed over several lines, without secrets; only where the client asks for it, as it takes time.
func formatted(s ast.Statement) string {
	switch s := s.(type) {
	case *ast.SelectUnion:
		return define.Lines(s)
	case nil:
		return ""
	}
	return ast.Shown(s)
}

// profileEvents are what a query did, by ClickHouse's names.
func (q *running) profileEvents() map[string]uint64 {
	p := q.progress()
	m := map[string]uint64{"Query": 1, "RealTimeMicroseconds": p.ElapsedNanos / 1000}
	add := func(name string, n uint64) {
		if n > 0 {
			m[name] = n
		}
	}
	switch q.kind {
	case "Select":
		m["SelectQuery"] = 1
	case "Insert":
		m["InsertQuery"] = 1
	}
	add("SelectedRows", p.ReadRows)
	add("SelectedBytes", p.ReadBytes)
	add("InsertedRows", p.WrittenRows)
	add("InsertedBytes", p.WrittenBytes)
	add("ResultRows", p.ResultRows)
	add("ResultBytes", p.ResultBytes)
	add("NetworkSendBytes", q.netSent.Load())
	add("NetworkReceiveBytes", q.netReceived.Load())
	return m
}
