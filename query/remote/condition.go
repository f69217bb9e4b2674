package remote

import (
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/segment"
)

// maxValues bounds the values of one IN that travel in the text of a query.
const maxValues = 1000

var operators = map[kernel.Op]string{kernel.Eq: "=", kernel.Ne: "!=", kernel.Lt: "<", kernel.Le: "<=", kernel.Gt: ">", kernel.Ge: ">="}

// conditionText is a condition in SQL, without what cannot be said: rows that pass may be too many, as the query filters again. Empty: all pass.
func conditionText(c *segment.Condition, schema column.Schema) string {
	if c == nil {
		return ""
	}
	var parts []string
	for _, t := range c.Terms {
		if text := termText(t, schema); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " AND ")
}

func termText(t segment.Term, schema column.Schema) string {
	switch t.Kind {
	case segment.AnyOf:
		var any []string
		for _, c := range t.Any {
			text := conditionText(&c, schema)
			if text == "" {
				return ""
			}
			any = append(any, "("+text+")")
		}
		if len(any) == 0 {
			return ""
		}
		return "(" + strings.Join(any, " OR ") + ")"
	case segment.Compare:
		if values := literals(t, schema); len(values) > 0 && operators[t.Op] != "" {
			return ast.QuoteIdent(t.Column) + " " + operators[t.Op] + " " + values[0]
		}
	case segment.In:
		if values := literals(t, schema); len(values) > 0 {
			return ast.QuoteIdent(t.Column) + " IN (" + strings.Join(values, ", ") + ")"
		}
	}
	return ""
}

// literals are the values of a term; nil if its column is not one of integers or strings, or one of them is NULL.
func literals(t segment.Term, schema column.Schema) []string {
	at := schema.Index(t.Column)
	if at < 0 || t.Values == nil || t.Values.Len() > maxValues {
		return nil
	}
	typ := schema[at].Type.WithoutLowCardinality()
	if typ.IsNullable() {
		typ = typ.Elem()
	}
	if !typ.IsInteger() && typ.Kind != types.String {
		return nil
	}
	var out []string
	for i := range t.Values.Len() {
		if column.IsNull(t.Values, i) {
			return nil
		}
		switch v := column.Value(t.Values, i).(type) {
		case string:
			out = append(out, types.QuoteString(v))
		case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
			out = append(out, fmt.Sprint(v))
		default:
			return nil
		}
	}
	return out
}
