package parse

import "github.com/olapd/olapd/query/ast"

// createDictionary takes what follows CREATE DICTIONARY.
func (p *parser) createDictionary(t *ast.CreateTable, start int) ast.Statement {
	s := &ast.CreateDictionary{Attach: t.Attach, OrReplace: t.OrReplace, Replace: t.Replace, IfNotExists: p.words("IF NOT EXISTS"), Name: p.tableName()}
	if p.words("UUID") {
		s.UUID = p.stringText()
	}
	s.OnCluster = p.onCluster()
	if end := p.at(); s.Attach && (end.kind == tokEnd || p.symbolAt(0, ";")) {
		return &ast.Attach{Range: p.from(start), Kind: ast.ObjectDictionary, IfNotExists: s.IfNotExists, Name: s.Name, OnCluster: s.OnCluster}
	}
	if p.symbol("(") {
		for again := true; again; again = p.symbol(",") {
			s.Attributes = append(s.Attributes, p.dictionaryAttribute())
		}
		p.needSymbol(")")
	}
	for p.dictionaryClause(s) {
	}
	if p.words("COMMENT") {
		s.Comment = p.stringText()
	}
	s.Range = p.from(start)
	return s
}

// dictionaryClause takes one clause behind the attributes; each may come once, in any order.
func (p *parser) dictionaryClause(s *ast.CreateDictionary) bool {
	switch {
	case s.PrimaryKey == nil && p.words("PRIMARY KEY"):
		s.PrimaryKey = p.dictionaryKey()
	case s.Source == nil && p.words("SOURCE"):
		s.Source = p.dictionaryCall()
	case s.Layout == nil && p.words("LAYOUT"):
		s.Layout = p.dictionaryCall()
	case s.Lifetime == nil && p.words("LIFETIME"):
		s.Lifetime = p.dictionaryLifetime()
	case s.Interval == nil && p.isWords("RANGE") && p.symbolAt(1, "("):
		p.pos++
		s.Interval = p.dictionaryInterval()
	case s.Settings == nil && p.words("SETTINGS"):
		p.needSymbol("(")
		s.Settings = p.settings()
		p.needSymbol(")")
	default:
		return false
	}
	return true
}

func (p *parser) dictionaryAttribute() *ast.DictionaryAttribute {
	start := p.at().start
	p.count()
	a := &ast.DictionaryAttribute{Name: p.ident()}
	t := p.dataType()
	a.Type = &t
	for {
		switch p.anyWords("DEFAULT", "EXPRESSION", "HIERARCHICAL", "BIDIRECTIONAL", "INJECTIVE", "IS_OBJECT_ID", "COMMENT") {
		case "DEFAULT":
			a.Default = p.expr()
		case "EXPRESSION":
			a.Computed = p.expr()
		case "HIERARCHICAL":
			a.Hierarchical = true
		case "BIDIRECTIONAL":
			a.Hierarchical, a.Bidirectional = true, true
		case "INJECTIVE":
			a.Injective = true
		case "IS_OBJECT_ID":
			a.IsObjectID = true
		case "COMMENT":
			a.Comment = p.stringLiteral()
		default:
			a.Range = p.from(start)
			return a
		}
	}
}

// dictionaryKey takes the names of a key, in brackets or not.
func (p *parser) dictionaryKey() []string {
	bracket := p.symbol("(")
	names := []string{p.ident()}
	for p.symbol(",") {
		names = append(names, p.ident())
	}
	if bracket {
		p.needSymbol(")")
	}
	return names
}

// dictionaryCall takes (NAME(key value …)), or (NAME) with nothing to say.
func (p *parser) dictionaryCall() *ast.DictionaryCall {
	p.needSymbol("(")
	start := p.at().start
	c := &ast.DictionaryCall{Name: p.ident()}
	if p.symbolAt(0, "(") {
		c.Params = p.dictionaryParams()
	}
	c.Range = p.from(start)
	p.needSymbol(")")
	return c
}

// dictionaryParams takes pairs in brackets; commas between them are not needed.
func (p *parser) dictionaryParams() []*ast.DictionaryParam {
	p.enter()
	defer p.leave()
	p.needSymbol("(")
	list := []*ast.DictionaryParam{}
	for !p.symbol(")") {
		p.count()
		start := p.at().start
		x := &ast.DictionaryParam{Name: p.ident()}
		if p.symbolAt(0, "(") {
			x.Group = p.dictionaryParams()
		} else {
			x.Value = p.dictionaryValue()
		}
		x.Range = p.from(start)
		list = append(list, x)
	}
	return list
}

// dictionaryValue takes a literal, an identifier or a call.
func (p *parser) dictionaryValue() ast.Expr { return p.binding(bindAdd) }

func (p *parser) dictionaryLifetime() *ast.DictionaryLifetime {
	p.needSymbol("(")
	start := p.at().start
	l := &ast.DictionaryLifetime{}
	if t := p.at(); t.kind != tokWord {
		l.Max = p.uint()
	} else {
		minMax(p, p.uint, &l.Min, &l.Max)
	}
	l.Range = p.from(start)
	p.needSymbol(")")
	return l
}

func (p *parser) dictionaryInterval() *ast.DictionaryInterval {
	p.needSymbol("(")
	start := p.at().start
	r := &ast.DictionaryInterval{}
	minMax(p, p.ident, &r.Min, &r.Max)
	r.Range = p.from(start)
	p.needSymbol(")")
	return r
}

// minMax parses MIN and MAX with their values, in any order, as often as they stand there.
func minMax[T any](p *parser, value func() T, least, most *T) {
	for {
		switch p.anyWords("MIN", "MAX") {
		case "MIN":
			*least = value()
		case "MAX":
			*most = value()
		default:
			return
		}
	}
}
