package ast

import "strings"

func (p *printer) createDictionary(s *CreateDictionary) {
	if s.Replace {
		p.put("REPLACE ")
	} else {
		p.put(createVerb(s.Attach))
	}
	p.when(s.OrReplace, "OR REPLACE ")
	p.put("DICTIONARY ")
	p.when(s.IfNotExists, "IF NOT EXISTS ")
	p.put(s.Name.format())
	if s.UUID != "" {
		p.put(" UUID ", QuoteString(s.UUID))
	}
	p.onCluster(s.OnCluster)
	for i, a := range s.Attributes {
		p.put([]string{" (", ", "}[min(i, 1)])
		p.dictionaryAttribute(a)
	}
	p.when(len(s.Attributes) > 0, ")")
	for i, k := range s.PrimaryKey {
		p.put([]string{" PRIMARY KEY ", ", "}[min(i, 1)], QuoteIdent(k))
	}
	if s.Source != nil {
		p.put(" SOURCE(")
		p.dictionaryCall(s.Source)
		p.put(")")
	}
	if l := s.Lifetime; l != nil {
		p.put(" LIFETIME(MIN ", uintText(l.Min), " MAX ", uintText(l.Max), ")")
	}
	if s.Layout != nil {
		p.put(" LAYOUT(")
		p.dictionaryCall(s.Layout)
		p.put(")")
	}
	if r := s.Interval; r != nil {
		p.put(" RANGE(MIN ", QuoteIdent(r.Min), " MAX ", QuoteIdent(r.Max), ")")
	}
	if len(s.Settings) > 0 {
		p.put(" SETTINGS(")
		p.settings(s.Settings)
		p.put(")")
	}
	p.comment(s.Comment)
}

func (p *printer) dictionaryAttribute(a *DictionaryAttribute) {
	p.put(QuoteIdent(a.Name), " ", a.Type.Text)
	p.clause(" DEFAULT ", a.Default)
	p.clause(" EXPRESSION ", a.Computed)
	p.when(a.Bidirectional, " BIDIRECTIONAL")
	p.when(a.Hierarchical && !a.Bidirectional, " HIERARCHICAL")
	p.when(a.Injective, " INJECTIVE")
	p.when(a.IsObjectID, " IS_OBJECT_ID")
	if a.Comment != nil {
		p.put(" COMMENT ", QuoteString(a.Comment.Str))
	}
}

// dictionaryCall prints a source or layout as SHOW CREATE DICTIONARY does: keys in upper case, values as they are.
func (p *printer) dictionaryCall(c *DictionaryCall) {
	p.put(strings.ToUpper(c.Name), "(")
	p.dictionaryParams(c.Params)
	p.put(")")
}

func (p *printer) dictionaryParams(list []*DictionaryParam) {
	for i, x := range list {
		p.when(i > 0, " ")
		p.put(strings.ToUpper(x.Name))
		if x.Group != nil {
			p.put("(")
			p.dictionaryParams(x.Group)
			p.put(")")
			continue
		}
		p.put(" ")
		p.expr(x.Value)
	}
}
