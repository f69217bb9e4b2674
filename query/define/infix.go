package define

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// binary are the operators that are shown between their operands.
var binary = map[string]string{
	"plus": " + ", "minus": " - ", "multiply": " * ", "divide": " / ", "modulo": " % ",
	"equals": " = ", "notEquals": " != ", "less": " < ", "lessOrEquals": " <= ", "greater": " > ", "greaterOrEquals": " >= ",
	"like": " LIKE ", "notLike": " NOT LIKE ", "ilike": " ILIKE ", "notILike": " NOT ILIKE ",
	"in": " IN ", "notIn": " NOT IN ", "globalIn": " GLOBAL IN ", "globalNotIn": " GLOBAL NOT IN ",
}

// nary are the operators that may have more than two operands.
var nary = map[string]string{"and": " AND ", "or": " OR "}

// SQL prints an expression as SHOW CREATE and EXPLAIN SYNTAX do: operators between their operands, brackets around every operator
// that is an operand. What it prints parses to an equal tree.
func SQL(e ast.Expr) string { return infix(e, false) }

// Shown prints the SQL of an expression in that form; text that does not parse stays as it is.
func Shown(sql string) string {
	if sql == "" {
		return ""
	}
	e, err := parse.Expr(sql, parse.Limits{QuerySize: len(sql) + 1})
	if err != nil {
		return sql
	}
	return SQL(e)
}

// infix prints e; operand says that an operator must stand in brackets.
func infix(e ast.Expr, operand bool) string {
	switch e := e.(type) {
	case *ast.Ident:
		parts := make([]string, len(e.Parts))
		for i, p := range e.Parts {
			parts[i] = shownName(p)
		}
		return strings.Join(parts, ".")
	case *ast.Alias:
		text := infix(e.Expr, false) + " AS " + shownIdent(e.Name)
		if operand {
			return "(" + text + ")"
		}
		return text
	case *ast.Lambda:
		head := strings.Join(e.Params, ", ")
		if len(e.Params) != 1 {
			head = "(" + head + ")"
		}
		text := head + " -> " + infix(e.Body, true)
		if operand {
			return "(" + text + ")"
		}
		return text
	case *ast.FuncCall:
		text, operator := call(e)
		if operator && operand {
			return "(" + text + ")"
		}
		return text
	}
	return ast.Format(e)
}

// call prints a call and reports whether it is an operator.
func call(e *ast.FuncCall) (text string, operator bool) {
	if e.Over != nil || e.Filter != nil || e.Nulls != ast.NullsDefault || e.Distinct {
		return ast.Format(e), false
	}
	if e.Syntax == ast.SyntaxOperator && e.Params == nil {
		if text, ok := operatorText(e); ok {
			return text, true
		}
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = infix(a, false)
	}
	list := strings.Join(args, ", ")
	switch {
	case e.Syntax == ast.SyntaxArray:
		return "[" + list + "]", false
	case e.Syntax == ast.SyntaxTuple && len(args) > 1:
		return "(" + list + ")", false
	case e.Params != nil || len(args) == 0:
		return paramCall(e, list), false
	}
	name := ast.Format(&ast.FuncCall{Name: e.Name, Syntax: e.Syntax, Args: []ast.Expr{}})
	return strings.TrimSuffix(name, "()") + "(" + list + ")", false
}

// paramCall prints f(params)(args) and f().
func paramCall(e *ast.FuncCall, list string) string {
	head := ast.Format(&ast.FuncCall{Name: e.Name, Params: e.Params, Args: []ast.Expr{}})
	return strings.TrimSuffix(head, "()") + "(" + list + ")"
}

func operatorText(e *ast.FuncCall) (string, bool) {
	if op, ok := binary[e.Name]; ok && len(e.Args) == 2 {
		return infix(e.Args[0], true) + op + infix(e.Args[1], true), true
	}
	if op, ok := nary[e.Name]; ok && len(e.Args) > 1 {
		parts := make([]string, len(e.Args))
		for i, a := range e.Args {
			parts[i] = infix(a, true)
		}
		return strings.Join(parts, op), true
	}
	if len(e.Args) != 1 {
		return "", false
	}
	x := infix(e.Args[0], true)
	switch e.Name {
	case "not":
		return "NOT " + x, true
	case "negate":
		return "-" + x, !strings.HasPrefix(x, "-")
	case "isNull":
		return x + " IS NULL", true
	case "isNotNull":
		return x + " IS NOT NULL", true
	}
	return "", false
}

func shownName(n ast.Name) string {
	if n.Param {
		return "{" + n.Text + ":Identifier}"
	}
	return shownIdent(n.Text)
}

// bareNames are words that the printer of trees quotes to be safe and that ClickHouse shows as they are.
var bareNames = map[string]bool{"date": true, "timestamp": true, "first": true, "offset": true, "step": true, "time": true, "value": true}

func shownIdent(s string) string {
	if bareNames[strings.ToLower(s)] {
		return s
	}
	return ast.QuoteIdent(s)
}
