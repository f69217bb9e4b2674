package ast

import (
	"strconv"
	"strings"
)

// Format prints a statement or an expression as SQL on one line. What it prints parses
// to an equal tree, apart from positions and quoting.
func Format(n Node) string {
	var p printer
	p.node(n)
	return p.String()
}

// QuoteIdent returns an identifier, in backticks when it needs them.
func QuoteIdent(s string) string {
	plain := s != "" && !isKeyword[strings.ToUpper(s)]
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c == '_' || c|32 >= 'a' && c|32 <= 'z' || i > 0 && c >= '0' && c <= '9'
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.WriteByte('`')
	for i := range len(s) {
		writeEscaped(&b, s[i], '`')
	}
	b.WriteByte('`')
	return b.String()
}

// isKeyword holds the words that are quoted when they are names, because some place
// of the grammar would take them for something else.
var isKeyword = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`ALL AND ANTI ANY ARRAY AS ASC ASCENDING ASOF ATTACH BETWEEN BY CASE CAST COLLATE COLUMNS
		CONSTRAINT CROSS DESC DESCENDING DISTINCT DIV ELSE END EXCEPT EXISTS EXTRACT FALSE FETCH FILL FINAL FIRST FOR FORMAT
		FROM FULL GLOBAL GROUP GROUPS HAVING ILIKE IN INDEX INF INNER INSERT INTERPOLATE INTERSECT INTERVAL INTO IS JOIN LEFT LIKE
		LIMIT LOCAL MOD NAN NOT NULL NULLS OFFSET ON OR ORDER OUTER OVER PASTE PREWHERE PRIMARY PROJECTION QUALIFY RANGE REGEXP RIGHT RLIKE ROWS
		SAMPLE SELECT SEMI SETTINGS STRICT THEN TO TOTALS TRUE TTL UNION USING VALUES WHEN WHERE WINDOW WITH APPLY REPLACE
		PARTITION RECURSIVE INFINITY STEP STALENESS`) {
		m[w] = true
	}
	return m
}()

type printer struct {
	strings.Builder
	// hide says that secrets are not printed; secrets are what stands for those that are expressions.
	hide    bool
	secrets map[Expr]string
}

func (p *printer) put(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

func (p *printer) node(n Node) {
	switch n := n.(type) {
	case Expr:
		p.expr(n)
	case Statement:
		p.statement(n)
	case TableExpr:
		p.table(n)
	case *Select:
		p.selectQuery(n)
	}
}

func (p *printer) exprs(list []Expr) {
	for i, e := range list {
		if text, ok := p.secrets[e]; ok && text == "" {
			continue
		}
		if i > 0 {
			p.put(", ")
		}
		p.expr(e)
	}
}

func quoteAll(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = QuoteIdent(n)
	}
	return strings.Join(out, ", ")
}

func (n Name) format() string {
	if n.Param {
		return "{" + n.Text + ":Identifier}"
	}
	return QuoteIdent(n.Text)
}

func (n TableName) format() string {
	if n.Database.IsZero() {
		return n.Table.format()
	}
	return n.Database.format() + "." + n.Table.format()
}

// String returns the name as SQL.
func (n TableName) String() string { return n.format() }

func (i *Ident) format() string {
	parts := make([]string, len(i.Parts))
	for k, n := range i.Parts {
		parts[k] = n.format()
	}
	return strings.Join(parts, ".")
}

func (p *printer) expr(e Expr) {
	if text, ok := p.secrets[e]; ok {
		p.put(QuoteString(text))
		return
	}
	switch e := e.(type) {
	case *Ident:
		p.put(e.format())
	case *Literal:
		if e.Text != "" && e.Kind != LiteralString {
			p.put(e.Text)
			return
		}
		p.put(e.Value())
	case *FuncCall:
		p.call(e)
	case *Lambda:
		params := quoteAll(e.Params)
		if len(e.Params) != 1 {
			params = "(" + params + ")"
		}
		p.put(params, " -> ")
		p.operand(e.Body)
	case *Alias:
		p.put("(")
		p.expr(e.Expr)
		p.put(" AS ", QuoteIdent(e.Name), ")")
	case *Subquery:
		p.put("(")
		p.union(e.Query)
		p.put(")")
	case *QueryParam:
		p.put("{", QuoteIdent(e.Name), ":", e.Type.Text, "}")
	case *Asterisk:
		p.put("*")
		p.transformers(e.Transformers)
	case *QualifiedAsterisk:
		p.put(e.Qualifier.format(), ".*")
		p.transformers(e.Transformers)
	case *ColumnsMatcher:
		p.columns(e)
	}
}

func (p *printer) columns(e *ColumnsMatcher) {
	if e.Qualifier != nil {
		p.put(e.Qualifier.format(), ".")
	}
	p.put("COLUMNS(")
	if e.List == nil {
		p.put(QuoteString(e.Pattern))
	}
	for i, c := range e.List {
		if i > 0 {
			p.put(", ")
		}
		p.expr(c)
	}
	p.put(")")
	p.transformers(e.Transformers)
}

func (p *printer) transformers(list []*Transformer) {
	for _, t := range list {
		strict := ""
		if t.Strict {
			strict = "STRICT "
		}
		switch t.Kind {
		case TransformApply:
			p.apply(t)
		case TransformExcept:
			if t.Columns == nil {
				p.put(" EXCEPT ", strict, "(", QuoteString(t.Pattern), ")")
				continue
			}
			p.put(" EXCEPT ", strict, "(", quoteAll(t.Columns), ")")
		case TransformReplace:
			p.put(" REPLACE ", strict, "(")
			p.aliases(t.Replace)
			p.put(")")
		}
	}
}

func (p *printer) aliases(list []*Alias) {
	for i, a := range list {
		if i > 0 {
			p.put(", ")
		}
		p.item(a)
	}
}

func (p *printer) apply(t *Transformer) {
	p.put(" APPLY(")
	if t.Lambda != nil {
		p.expr(t.Lambda)
	} else {
		p.put(QuoteIdent(t.Function))
		if t.Params != nil {
			p.put("(")
			p.exprs(t.Params)
			p.put(")")
		}
	}
	if t.Prefix != "" {
		p.put(", ", QuoteString(t.Prefix))
	}
	p.put(")")
}

// item prints an element of a list, whose alias needs no parentheses.
func (p *printer) item(e Expr) {
	a, ok := e.(*Alias)
	if !ok {
		p.expr(e)
		return
	}
	p.expr(a.Expr)
	p.put(" AS ", QuoteIdent(a.Name))
}

func (p *printer) items(list []Expr) {
	for i, e := range list {
		if i > 0 {
			p.put(", ")
		}
		p.item(e)
	}
}

// call prints a call in the form it was written: literals of arrays and tuples, operators, and functions.
func (p *printer) call(e *FuncCall) {
	switch {
	case e.Syntax == SyntaxArray:
		p.put("[")
		p.exprs(e.Args)
		p.put("]")
		return
	case e.Syntax == SyntaxTuple && len(e.Args) > 1:
		p.put("(")
		p.exprs(e.Args)
		p.put(")")
		return
	case e.hasOperatorForm():
		p.operator(e)
		return
	}
	p.put(quoteFunction(e.Name))
	if e.Params != nil {
		p.put("(")
		p.exprs(e.Params)
		p.put(")")
	}
	p.put("(")
	if e.Distinct {
		p.put("DISTINCT ")
	}
	p.arguments(e)
	p.put(")")
	switch e.Nulls {
	case RespectNulls:
		p.put(" RESPECT NULLS")
	case IgnoreNulls:
		p.put(" IGNORE NULLS")
	}
	if e.Filter != nil {
		p.put(" FILTER (WHERE ")
		p.expr(e.Filter)
		p.put(")")
	}
	if e.Over != nil {
		p.put(" OVER ")
		p.window(e.Over)
	}
}

// bareFunctions are the keywords and special forms that parse back to the same call when they stand before a
// parenthesis unquoted.
var bareFunctions = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "like": true, "ilike": true, "left": true, "right": true, "replace": true, "format": true,
	"any": true, "date": true, "timestamp": true, "values": true, "LEFT": true, "RIGHT": true, "REPLACE": true,
	"CAST": true, "exists": true, "extract": true, "substring": true, "overlay": true, "position": true, "age": true, "dateDiff": true,
}

// specialForms are the functions whose arguments have a grammar of their own.
var specialForms = map[string]bool{
	"CAST": true, "TRY_CAST": true, "COLUMNS": true, "EXISTS": true, "EXTRACT": true, "SUBSTRING": true, "OVERLAY": true, "POSITION": true,
	"TRIM": true, "LTRIM": true, "RTRIM": true, "INTERVAL": true, "AGE": true,
	"DATE_ADD": true, "DATEADD": true, "TIMESTAMP_ADD": true, "TIMESTAMPADD": true, "DATE_SUB": true, "DATESUB": true, "TIMESTAMP_SUB": true, "TIMESTAMPSUB": true,
	"DATE_DIFF": true, "DATEDIFF": true, "TIMESTAMP_DIFF": true, "TIMESTAMPDIFF": true,
}

// quoteFunction quotes a function's name where it would be taken for something else.
func quoteFunction(name string) string {
	switch {
	case bareFunctions[name]:
		return name
	case specialForms[strings.ToUpper(name)]:
		return "`" + name + "`"
	}
	return QuoteIdent(name)
}

func (p *printer) window(w *Window) {
	if w.Name != "" {
		p.put(QuoteIdent(w.Name))
		return
	}
	p.put("(")
	sep := ""
	if w.Base != "" {
		p.put(QuoteIdent(w.Base))
		sep = " "
	}
	if len(w.PartitionBy) > 0 {
		p.put(sep, "PARTITION BY ")
		p.exprs(w.PartitionBy)
		sep = " "
	}
	if len(w.OrderBy) > 0 {
		p.put(sep, "ORDER BY ")
		p.order(w.OrderBy)
		sep = " "
	}
	if w.Frame != nil {
		p.put(sep, unitNames[w.Frame.Unit], " BETWEEN ")
		p.bound(w.Frame.From)
		p.put(" AND ")
		p.bound(w.Frame.To)
	}
	p.put(")")
}

func (p *printer) bound(b FrameBound) {
	if b.Offset != nil {
		p.expr(b.Offset)
		p.put(" ")
	}
	p.put(boundNames[b.Kind])
}

func (p *printer) settings(list []Setting) {
	for i, s := range list {
		if i > 0 {
			p.put(", ")
		}
		p.put(QuoteIdent(s.Name), " = ")
		if s.Value == nil {
			p.put("DEFAULT")
			continue
		}
		p.expr(s.Value)
	}
}

func uintText(n uint64) string { return strconv.FormatUint(n, 10) }
