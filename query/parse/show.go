package parse

import "github.com/olapd/olapd/query/ast"

// showKinds are the lists SHOW knows, by keyword.
var showKinds = []struct {
	words string
	kind  ast.ShowKind
}{
	{"DATABASES", ast.ShowDatabases}, {"SCHEMAS", ast.ShowDatabases}, {"TABLES", ast.ShowTables}, {"DICTIONARIES", ast.ShowDictionaries},
	{"VIEWS", ast.ShowViews}, {"COLUMNS", ast.ShowColumns}, {"FIELDS", ast.ShowColumns},
	{"INDEXES", ast.ShowIndexes}, {"INDICES", ast.ShowIndexes}, {"INDEX", ast.ShowIndexes}, {"KEYS", ast.ShowIndexes},
	{"PROCESSLIST", ast.ShowProcesslist}, {"FUNCTIONS", ast.ShowFunctions}, {"SETTINGS", ast.ShowSettings}, {"SETTING", ast.ShowSetting},
	{"ENGINES", ast.ShowEngines}, {"CLUSTERS", ast.ShowClusters}, {"CLUSTER", ast.ShowCluster},
	{"MERGES", ast.ShowMerges}, {"ROLLUPS", ast.ShowRollups},
}

func (p *parser) show() ast.Statement {
	if s := p.showAccess(); s != nil {
		return s
	}
	start := p.at().start
	p.needWords("SHOW")
	s := &ast.Show{}
	if p.words("CREATE") {
		return p.showCreate(s, start)
	}
	s.Extended = p.words("EXTENDED")
	s.Full = p.words("FULL")
	s.Changed = p.words("CHANGED")
	s.Temporary = p.words("TEMPORARY")
	if !p.showKind(s) {
		plain := !s.Extended && !s.Full && !s.Changed
		if plain && (p.isWords("TABLE") || p.isWords("DATABASE") || p.isWords("VIEW") || p.isWords("DICTIONARY")) {
			return p.showCreate(s, start)
		}
		if w := p.anyWords("FILESYSTEM CACHES"); w != "" {
			return p.otherFrom(start, "SHOW "+w)
		}
		p.fail()
	}
	p.showSource(s)
	s.HasLike, s.NotLike, s.ILike, s.Like = p.like()
	if p.words("WHERE") {
		s.Where = p.expr()
	}
	if p.words("LIMIT") {
		s.Limit = p.expr()
	}
	p.output(&s.Output)
	s.Range = p.from(start)
	return s
}

func (p *parser) showKind(s *ast.Show) bool {
	for _, k := range showKinds {
		if p.words(k.words) {
			s.Kind = k.kind
			return true
		}
	}
	return false
}

// showSource takes the name of a setting or cluster, or FROM and what stands there.
func (p *parser) showSource(s *ast.Show) {
	switch s.Kind {
	case ast.ShowSetting, ast.ShowCluster:
		start := p.at().start
		text := p.nonEmptyName()
		s.Name = ast.TableName{Range: p.from(start), Table: ast.Name{Text: text}}
		return
	}
	needed := s.Kind == ast.ShowColumns || s.Kind == ast.ShowIndexes
	if p.anyWords("FROM", "IN") == "" {
		if needed {
			p.fail()
		}
		return
	}
	if !needed {
		s.From = p.name()
		return
	}
	s.Name = p.tableName()
	if p.anyWords("FROM", "IN") != "" {
		s.Name.Database = p.name()
	}
}

// like takes [NOT] LIKE or ILIKE 'pattern'.
func (p *parser) like() (has, not, caseless bool, pattern string) {
	w := p.anyWords("LIKE", "ILIKE", "NOT LIKE", "NOT ILIKE")
	if w == "" {
		return false, false, false, ""
	}
	return true, w[0] == 'N', w == "ILIKE" || w == "NOT ILIKE", p.stringText()
}

// showCreate takes what follows SHOW CREATE, or SHOW TABLE.
func (p *parser) showCreate(s *ast.Show, start int) ast.Statement {
	s.Kind = ast.ShowCreate
	s.Temporary = s.Temporary || p.words("TEMPORARY")
	s.Object, _ = p.objectKind()
	s.Name = p.tableName()
	p.output(&s.Output)
	s.Range = p.from(start)
	return s
}
