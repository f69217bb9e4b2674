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
		p.put(" SOURCE(", s.Source.String(), ")")
	}
	if l := s.Lifetime; l != nil {
		p.put(" LIFETIME(MIN ", uintText(l.Min), " MAX ", uintText(l.Max), ")")
	}
	if s.Layout != nil {
		p.put(" LAYOUT(", s.Layout.String(), ")")
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

// String prints the call as SHOW CREATE DICTIONARY does: keys in upper case, values as they are.
func (c *DictionaryCall) String() string {
	return strings.ToUpper(c.Name) + "(" + dictionaryParams(c.Params) + ")"
}

func dictionaryParams(list []*DictionaryParam) string {
	var parts []string
	for _, x := range list {
		if x.Group != nil {
			parts = append(parts, strings.ToUpper(x.Name)+"("+dictionaryParams(x.Group)+")")
			continue
		}
		parts = append(parts, strings.ToUpper(x.Name)+" "+Format(x.Value))
	}
	return strings.Join(parts, " ")
}

// IsDictionarySecret reports whether a value of a source must not be shown: a password, or what a header is set to, which may hold one.
func IsDictionarySecret(name string) bool {
	return strings.EqualFold(name, "password") || strings.EqualFold(name, "value")
}
