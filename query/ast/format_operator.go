package ast

import "strings"

// Operators are printed as ClickHouse prints them: a + (b * c). An operand that is an operator itself stands in
// parentheses, whatever binds tighter, so no printer or reader of SQL needs the table of precedences.

// binaryOperators are the functions with an operator between two operands. concat and intDiv have none: ClickHouse
// prints || and DIV as calls.
var binaryOperators = map[string]string{
	"plus": " + ", "minus": " - ", "multiply": " * ", "divide": " / ", "modulo": " % ",
	"equals": " = ", "notEquals": " != ", "less": " < ", "greater": " > ", "lessOrEquals": " <= ", "greaterOrEquals": " >= ",
	"like": " LIKE ", "notLike": " NOT LIKE ", "ilike": " ILIKE ", "notILike": " NOT ILIKE ",
	"isNotDistinctFrom": " <=> ", "isDistinctFrom": " IS DISTINCT FROM ",
}

// chainOperators are those that join two or more operands.
var chainOperators = map[string]string{"and": " AND ", "or": " OR "}

// postfixOperators stand behind their operand.
var postfixOperators = map[string]string{"isNull": " IS NULL", "isNotNull": " IS NOT NULL"}

var inOperators = map[string]string{
	"in": " IN ", "notIn": " NOT IN ", "globalIn": " GLOBAL IN ", "globalNotIn": " GLOBAL NOT IN ",
}

// hasOperatorForm reports whether e is printed with an operator and not as a call.
func (e *FuncCall) hasOperatorForm() bool {
	if e.Syntax != SyntaxOperator {
		return false
	}
	switch len(e.Args) {
	case 1:
		return e.Name == "not" || e.Name == "negate" || postfixOperators[e.Name] != ""
	case 2:
		return binaryOperators[e.Name] != "" || chainOperators[e.Name] != "" || e.isIn() || e.Name == "arrayElement" || e.isNumberedElement()
	}
	return chainOperators[e.Name] != "" && len(e.Args) > 2
}

func (e *FuncCall) isIn() bool { return inOperators[e.Name] != "" && len(e.Args) == 2 }

// isNumberedElement reports whether e is t.1: an element by name would read as a compound identifier.
func (e *FuncCall) isNumberedElement() bool {
	if e.Name != "tupleElement" {
		return false
	}
	l, ok := e.Args[1].(*Literal)
	return ok && l.Kind == LiteralUint
}

// operator prints a call that hasOperatorForm.
func (p *printer) operator(e *FuncCall) {
	switch {
	case e.Name == "not":
		p.put("NOT ")
		p.operand(e.Args[0])
	case e.Name == "negate":
		p.put("-")
		p.base(e.Args[0])
	case postfixOperators[e.Name] != "":
		p.operand(e.Args[0])
		p.put(postfixOperators[e.Name])
	case e.isIn():
		p.operand(e.Args[0])
		p.put(inOperators[e.Name])
		p.inSet(e.Args[1])
	case e.Name == "arrayElement":
		p.base(e.Args[0])
		p.put("[")
		p.expr(e.Args[1])
		p.put("]")
	case e.Name == "tupleElement":
		p.tupleBase(e.Args[0])
		p.put(".")
		p.expr(e.Args[1])
	default:
		word := binaryOperators[e.Name]
		if word == "" {
			word = chainOperators[e.Name]
		}
		for i, a := range e.Args {
			if i > 0 {
				p.put(word)
			}
			p.operand(a)
		}
	}
}

// operand prints an operand, in parentheses if it is not a unit by itself.
func (p *printer) operand(e Expr) {
	switch x := e.(type) {
	case *FuncCall:
		if x.hasOperatorForm() {
			p.parenthesised(e)
			return
		}
	case *Lambda:
		p.parenthesised(e)
		return
	}
	p.expr(e)
}

func (p *printer) parenthesised(e Expr) {
	p.put("(")
	p.expr(e)
	p.put(")")
}

// base prints what an index or a minus is applied to: a literal would take the minus, or be misread as a part of a number.
func (p *printer) base(e Expr) {
	if _, ok := e.(*Literal); ok {
		p.parenthesised(e)
		return
	}
	p.operand(e)
}

// tupleBase prints the tuple of t.1; only a name or a tuple in parentheses needs no more of them.
func (p *printer) tupleBase(e Expr) {
	switch x := e.(type) {
	case *Ident:
		p.expr(e)
		return
	case *FuncCall:
		if x.Syntax == SyntaxTuple && len(x.Args) > 1 {
			p.expr(e)
			return
		}
	}
	p.parenthesised(e)
}

// inSet prints the right side of IN, which always stands in parentheses.
func (p *printer) inSet(e Expr) {
	switch x := e.(type) {
	case *Subquery:
		p.expr(e)
		return
	case *FuncCall:
		if x.Syntax == SyntaxTuple && len(x.Args) > 1 {
			p.expr(e)
			return
		}
	case *Alias:
		p.expr(e)
		return
	}
	p.parenthesised(e)
}

// arguments prints the arguments of a call. ClickHouse puts IN in parentheses there, and the operators that a cast or
// an INTERVAL is made of.
func (p *printer) arguments(c *FuncCall) {
	units := c.Syntax == SyntaxCast || c.Syntax == SyntaxSpecial && strings.HasPrefix(c.Name, "toInterval")
	for i, e := range c.Args {
		if text, ok := p.secrets[e]; ok && text == "" {
			continue
		}
		if i > 0 {
			p.put(", ")
		}
		if call, ok := e.(*FuncCall); ok && (units || call.Syntax == SyntaxOperator && call.isIn()) {
			p.operand(e)
			continue
		}
		p.expr(e)
	}
}
