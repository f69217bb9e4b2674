package query

import (
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/virtual"
)

// lookup finds a system table.
func (x *statement) lookup(db, name string) plan.Table { return virtual.Lookup(x.src, db, name) }

func (x *statement) explain(r *Result, s *ast.Explain) error {
	switch s.Kind {
	case ast.ExplainAST:
		return x.explainText(r, s, define.Tree(s.Statement))
	case ast.ExplainSyntax:
		if flag(s.Settings, "oneline") {
			return x.explainText(r, s, ast.Shown(s.Statement))
		}
		return x.explainText(r, s, syntax(s.Statement))
	case ast.ExplainPlan, ast.ExplainQueryTree, ast.ExplainPipeline, ast.ExplainEstimate, ast.ExplainAnalyze:
	default:
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "EXPLAIN %s is not implemented", s.Kind)
	}
	q := explained(s.Statement)
	if q == nil {
		return sqlerr.At(s.Start, sqlerr.IncorrectQuery, "Only SELECT and INSERT SELECT can be explained")
	}
	if s.Kind == ast.ExplainQueryTree {
		n, err := x.planned(q)
		if err != nil {
			return err
		}
		return x.explainText(r, s, plan.String(n))
	}
	n, err := x.analyzed(q)
	if err != nil {
		return err
	}
	if s.Kind == ast.ExplainPlan && !flag(s.Settings, "indexes") {
		if n, _, err = x.cut(n); err != nil {
			return err
		}
		return x.explainText(r, s, plan.String(n))
	}
	p, err := x.pipeline(n, false)
	if err != nil {
		return err
	}
	if s.Kind == ast.ExplainAnalyze {
		return x.explainAnalyze(r, s, p)
	}
	defer p.Close()
	if s.Kind == ast.ExplainPipeline {
		return x.explainText(r, s, strings.Join(p.Explain(), "\n"))
	}
	if err := p.Plan(x.ctx); err != nil {
		return err
	}
	if s.Kind == ast.ExplainEstimate {
		return x.estimate(r, s, p)
	}
	return x.explainText(r, s, strings.Join(p.Explain(), "\n"))
}

// explained is the query that a statement runs.
func explained(s ast.Statement) *ast.SelectUnion {
	switch s := s.(type) {
	case *ast.SelectUnion:
		return s
	case *ast.Insert:
		return s.Select
	}
	return nil
}

func syntax(s ast.Statement) string {
	if q, ok := s.(*ast.SelectUnion); ok {
		return define.Lines(q)
	}
	return ast.Shown(s)
}

// flag reads a setting of an EXPLAIN.
func flag(list []ast.Setting, name string) bool {
	for _, s := range list {
		if l, ok := s.Value.(*ast.Literal); ok && s.Name == name {
			return l.Uint != 0 || l.Bool
		}
	}
	return false
}

// explainText yields a text line by line.
func (x *statement) explainText(r *Result, s *ast.Explain, text string) error {
	v := column.NewStrings()
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		v.AppendString(line)
	}
	r.rows(column.Schema{{Name: "explain", Type: types.TString}}, column.NewBlock(v), s.Output)
	return nil
}

// explainAnalyze runs the query, forgets its rows, and tells what each operator did.
func (x *statement) explainAnalyze(r *Result, s *ast.Explain, p *exec.Pipeline) error {
	rows := 0
	err := p.Run(x.ctx, func(b *column.Block) error {
		rows += b.N
		return nil
	})
	if err != nil {
		return err
	}
	read, bytes := p.Read()
	text := fmt.Sprintf("%s\nResult: %d rows; read %d rows, %d bytes; peak memory %d bytes; %d threads",
		strings.Join(p.Explain(), "\n"), rows, read, bytes, x.q.budget.Peak(), threads(x.set))
	return x.explainText(r, s, text)
}

// estimate tells per table how many parts, rows and marks would be read.
func (x *statement) estimate(r *Result, s *ast.Explain, p *exec.Pipeline) error {
	db, table := column.NewStrings(), column.NewStrings()
	parts, rows, marks := column.NewNum[uint64](types.TUInt64, nil), column.NewNum[uint64](types.TUInt64, nil), column.NewNum[uint64](types.TUInt64, nil)
	var walk func(exec.Operator)
	walk = func(op exec.Operator) {
		if sc, ok := op.(*exec.Scan); ok {
			if t := sc.Request().Table.Catalog(); t != nil {
				st := sc.ScanStats()
				db.AppendString(t.Database)
				table.AppendString(t.Name)
				parts.Data = append(parts.Data, uint64(st.Segments))
				rows.Data = append(rows.Data, uint64(st.Rows))
				marks.Data = append(marks.Data, uint64(st.Granules))
			}
		}
		for _, in := range op.Inputs() {
			walk(in)
		}
	}
	walk(p.Root)
	u64, text := types.TUInt64, types.TString
	r.rows(column.Schema{{Name: "database", Type: text}, {Name: "table", Type: text}, {Name: "parts", Type: u64}, {Name: "rows", Type: u64}, {Name: "marks", Type: u64}},
		column.NewBlock(db, table, parts, rows, marks), s.Output)
	return nil
}
