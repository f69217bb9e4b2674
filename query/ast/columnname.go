package ast

import (
	"math"
	"strconv"
	"strings"
)

// ColumnName returns the name ClickHouse gives to the result column of e when it has no
// alias: its tree in function form, such as plus(a, 1). An alias inside of
// the expression stands for itself. Names of columns appear as they are written; see ColumnNameWith.
func ColumnName(e Expr) string { return ColumnNameWith(e, nil, nil) }

// ColumnNameWith is ColumnName with name, when it is not nil, giving the names of
// identifiers and subqueries. ClickHouse drops the qualifier of a column (tt.a is a) and numbers
// subqueries (_subquery_1): only the analyzer knows which they are. For "" the default is used. Constants that are secrets have
// numbers in the place of their values, the same for the same one; secrets, if it is not nil, keeps those for the next call.
func ColumnNameWith(e Expr, name func(Expr) string, secrets map[string]int) string {
	if secrets == nil {
		secrets = map[string]int{}
	}
	w := columnNamer{name: name, secrets: secrets}
	w.expr(e)
	return w.String()
}

type columnNamer struct {
	strings.Builder
	name    func(Expr) string
	secrets map[string]int // numbers by text
}

func (w *columnNamer) expr(e Expr) {
	switch e := e.(type) {
	case *Alias:
		w.WriteString(e.Name)
	case *Literal:
		w.WriteString(e.Value())
	case *Ident:
		w.leaf(e, joinParts(e))
	case *Subquery:
		w.leaf(e, "_subquery_1")
	case *FuncCall:
		w.call(e)
	case *Lambda:
		w.WriteString("lambda(tuple(" + strings.Join(e.Params, ", ") + "), ")
		w.expr(e.Body)
		w.WriteByte(')')
	default:
		w.WriteString(Format(e))
	}
}

func (w *columnNamer) leaf(e Expr, text string) {
	if w.name != nil {
		if s := w.name(e); s != "" {
			text = s
		}
	}
	w.WriteString(text)
}

func joinParts(e *Ident) string {
	parts := make([]string, len(e.Parts))
	for i, p := range e.Parts {
		parts[i] = p.Text
	}
	return strings.Join(parts, ".")
}

func (w *columnNamer) call(e *FuncCall) {
	switch e.Name {
	case "array":
		w.list("[", arrayElements(e.Args), "]")
		return
	case "tuple":
		w.list("(", e.Args, ")")
		return
	}
	args := e.Args
	if len(args) == 1 && strings.EqualFold(e.Name, "count") {
		if a, ok := args[0].(*Asterisk); ok && len(a.Transformers) == 0 {
			args = nil
		}
	}
	w.WriteString(e.Name)
	if e.Distinct {
		w.WriteString("Distinct")
	}
	if e.Filter != nil {
		w.WriteString("If")
		args = append(args[:len(args):len(args)], e.Filter)
	}
	if e.Params != nil {
		w.list("(", e.Params, ")")
	}
	if n := SecretFrom(e.Name); n >= 0 {
		w.keyed(args, n)
	} else {
		w.list("(", args, ")")
	}
	if e.Over != nil {
		w.over(e.Over)
	}
}

// keyed writes arguments whose constants from n on are secrets.
func (w *columnNamer) keyed(args []Expr, n int) {
	w.WriteByte('(')
	for i, a := range args {
		if i > 0 {
			w.WriteString(", ")
		}
		if i < n || !isConstant(a) {
			w.expr(a)
			continue
		}
		inner := columnNamer{name: w.name, secrets: w.secrets}
		inner.expr(a) // secrets in it are numbered before it
		text := Format(a)
		if w.secrets[text] == 0 {
			w.secrets[text] = len(w.secrets) + 1
		}
		w.WriteString("[HIDDEN id: " + strconv.Itoa(w.secrets[text]) + "]")
	}
	w.WriteByte(')')
}

// isConstant reports whether an expression has no columns and subqueries.
func isConstant(e Expr) bool {
	constant := true
	Walk(e, func(n Node) bool {
		switch n.(type) {
		case *Ident, *Subquery, *Asterisk, *QualifiedAsterisk, *ColumnsMatcher:
			constant = false
		}
		return constant
	})
	return constant
}

func (w *columnNamer) list(open string, args []Expr, end string) {
	w.WriteString(open)
	for i, a := range args {
		if i > 0 {
			w.WriteString(", ")
		}
		w.expr(a)
	}
	w.WriteString(end)
}

// arrayElements brings the literals of an array to one type, as ClickHouse does
// before it names them: [1, 1.5] is [1., 1.5] and [true] is [1].
func arrayElements(args []Expr) []Expr {
	float, boolean := false, false
	for _, a := range args {
		l, ok := a.(*Literal)
		if !ok {
			return args
		}
		float = float || l.Kind == LiteralFloat || l.Kind == LiteralBigInt
		boolean = boolean || l.Kind == LiteralBool
	}
	if !float && !boolean {
		return args
	}
	out := make([]Expr, len(args))
	for i, a := range args {
		out[i] = coerceLiteral(a.(*Literal), float)
	}
	return out
}

func coerceLiteral(l *Literal, float bool) *Literal {
	u := l.Uint
	switch {
	case l.Kind == LiteralBool && l.Bool:
		u = 1
	case l.Kind == LiteralInt && float:
		return &Literal{Kind: LiteralFloat, Float: float64(l.Int)}
	case l.Kind != LiteralBool && l.Kind != LiteralUint:
		return l
	}
	if float {
		return &Literal{Kind: LiteralFloat, Float: float64(u)}
	}
	return &Literal{Kind: LiteralUint, Uint: u}
}

func (w *columnNamer) over(o *Window) {
	w.WriteString(" OVER ")
	if o.Name != "" {
		w.WriteString(o.Name)
		return
	}
	w.WriteByte('(')
	sep := ""
	if o.Base != "" {
		w.WriteString(o.Base)
		sep = " "
	}
	if len(o.PartitionBy) > 0 {
		w.list(sep+"PARTITION BY ", o.PartitionBy, "")
		sep = " "
	}
	for i, item := range o.OrderBy {
		if i == 0 {
			w.WriteString(sep + "ORDER BY ")
		} else {
			w.WriteString(", ")
		}
		w.expr(item.Expr)
		w.WriteString(item.modifiers(true))
		sep = " "
	}
	if o.Frame != nil {
		w.WriteString(sep + unitNames[o.Frame.Unit] + " BETWEEN ")
		w.bound(o.Frame.From)
		w.WriteString(" AND ")
		w.bound(o.Frame.To)
	}
	w.WriteByte(')')
}

func (w *columnNamer) bound(b FrameBound) {
	if b.Offset != nil {
		w.expr(b.Offset)
		w.WriteByte(' ')
	}
	w.WriteString(boundNames[b.Kind])
}

var (
	unitNames  = [...]string{FrameRows: "ROWS", FrameRange: "RANGE", FrameGroups: "GROUPS"}
	boundNames = [...]string{
		UnboundedPreceding: "UNBOUNDED PRECEDING", Preceding: "PRECEDING", CurrentRow: "CURRENT ROW",
		Following: "FOLLOWING", UnboundedFollowing: "UNBOUNDED FOLLOWING",
	}
)

// modifiers returns what follows the key of an ORDER BY item.
func (o *OrderItem) modifiers(explicit bool) string {
	s := ""
	if o.Desc {
		s = " DESC"
	} else if explicit {
		s = " ASC"
	}
	switch o.Nulls {
	case NullsFirst:
		s += " NULLS FIRST"
	case NullsLast:
		s += " NULLS LAST"
	}
	if o.Collate != "" {
		s += " COLLATE " + QuoteString(o.Collate)
	}
	return s
}

// Value returns the literal as ClickHouse prints it.
func (l *Literal) Value() string {
	switch l.Kind {
	case LiteralNull:
		return "NULL"
	case LiteralBool:
		return strconv.FormatBool(l.Bool)
	case LiteralUint:
		return strconv.FormatUint(l.Uint, 10)
	case LiteralInt:
		return strconv.FormatInt(l.Int, 10)
	case LiteralString:
		return QuoteString(l.Str)
	}
	return formatFloat(l.Float)
}

// formatFloat prints a float so that it reads back as a float: 1 is "1.".
func formatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	abs := math.Abs(f)
	// ClickHouse switches to an exponent at 1e21 and below 1e-6.
	if abs != 0 && (abs >= 1e21 || abs < 1e-6) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		mantissa, exp, _ := strings.Cut(s, "e")
		sign := ""
		if exp[0] == '-' {
			sign = "-"
		}
		return mantissa + "e" + sign + strings.TrimLeft(exp[1:], "0")
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += "."
	}
	return s
}

// QuoteString returns s as a string literal.
func QuoteString(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := range len(s) {
		writeEscaped(&b, s[i], '\'')
	}
	b.WriteByte('\'')
	return b.String()
}

func writeEscaped(b *strings.Builder, c, quote byte) {
	const from, to = "\b\f\n\r\t\x00\\", `bfnrt0\`
	if i := strings.IndexByte(from, c); i >= 0 {
		b.WriteByte('\\')
		b.WriteByte(to[i])
		return
	}
	if c == quote {
		b.WriteByte('\\')
	}
	b.WriteByte(c)
}
