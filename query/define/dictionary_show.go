package define

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/query/ast"
)

// dictionaryText prints the statement that makes a dictionary, with its secrets.
func dictionaryText(t *catalog.Table, sep string) string {
	d := t.Dictionary
	var b strings.Builder
	b.WriteString("CREATE DICTIONARY " + shownTable(t))
	var items []string
	for _, c := range t.Columns {
		items = append(items, dictionaryColumn(c, d.Attributes[c.Name]))
	}
	if sep == "\n" {
		b.WriteString("\n(\n    " + strings.Join(items, ",\n    ") + "\n)")
	} else {
		b.WriteString(" (" + strings.Join(items, ", ") + ")")
	}
	var key []string
	for _, k := range d.Key {
		key = append(key, ast.QuoteIdent(k))
	}
	b.WriteString(sep + "PRIMARY KEY " + strings.Join(key, ", "))
	b.WriteString(sep + "SOURCE(" + dictionaryCallText(d.Source) + ")")
	if !strings.HasSuffix(d.Layout.Name, "direct") {
		b.WriteString(sep + "LIFETIME(MIN " + strconv.FormatUint(d.MinLifetime, 10) + " MAX " + strconv.FormatUint(d.MaxLifetime, 10) + ")")
	}
	b.WriteString(sep + "LAYOUT(" + dictionaryCallText(d.Layout) + ")")
	if d.RangeMin != "" {
		b.WriteString(sep + "RANGE(MIN " + ast.QuoteIdent(d.RangeMin) + " MAX " + ast.QuoteIdent(d.RangeMax) + ")")
	}
	if len(d.Settings) > 0 {
		var list []string
		for _, k := range slices.Sorted(maps.Keys(d.Settings)) {
			list = append(list, k+" = "+settingText(d.Settings[k]))
		}
		b.WriteString(sep + "SETTINGS(" + strings.Join(list, ", ") + ")")
	}
	if t.Comment != "" {
		b.WriteString(sep + "COMMENT " + ast.QuoteString(t.Comment))
	}
	return b.String()
}

func dictionaryColumn(c catalog.Column, a catalog.DictionaryAttribute) string {
	s := backtick(c.Name) + " " + c.Type
	if a.Declared != "" {
		s = backtick(c.Name) + " " + a.Declared
	}
	if a.Default != "" {
		s += " DEFAULT " + a.Default
	}
	if a.Computed != "" {
		s += " EXPRESSION " + a.Computed
	}
	switch {
	case a.Bidirectional:
		s += " BIDIRECTIONAL"
	case a.Hierarchical:
		s += " HIERARCHICAL"
	}
	if a.Injective {
		s += " INJECTIVE"
	}
	if a.IsObjectID {
		s += " IS_OBJECT_ID"
	}
	if c.Comment != "" {
		s += " COMMENT " + ast.QuoteString(c.Comment)
	}
	return s
}

func dictionaryCallText(c catalog.DictionaryCall) string {
	if !c.Parens {
		return strings.ToUpper(c.Name)
	}
	return strings.ToUpper(c.Name) + "(" + dictionaryParamsText(c.Params) + ")"
}

func dictionaryParamsText(list []catalog.DictionaryParam) string {
	var parts []string
	for _, p := range list {
		text := ast.QuoteString(p.Value)
		switch {
		case p.Group != nil:
			text = "(" + dictionaryParamsText(p.Group) + ")"
		case p.Bare:
			text = p.Value
		}
		parts = append(parts, strings.ToUpper(p.Name)+" "+text)
	}
	return strings.Join(parts, " ")
}
