package parse

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// backup takes BACKUP and RESTORE:
//
//	BACKUP element, … [ON CLUSTER c] TO engine(…) [SETTINGS …] [ASYNC | SYNC]
//	RESTORE element, … [ON CLUSTER c] FROM engine(…) [SETTINGS …] [ASYNC | SYNC]
func (p *parser) backup() ast.Statement {
	start := p.at().start
	s := &ast.Backup{Restore: p.anyWords("BACKUP", "RESTORE") == "RESTORE"}
	for {
		s.Elements = append(s.Elements, p.backupElement())
		if !p.symbol(",") {
			break
		}
	}
	s.OnCluster = p.onCluster()
	if s.Restore {
		p.needWords("FROM")
	} else {
		p.needWords("TO")
	}
	s.Place = p.backupPlace()
	if p.words("SETTINGS") {
		p.backupSettings(s)
	}
	s.Async = p.anyWords("ASYNC", "SYNC") == "ASYNC"
	p.output(&s.Output)
	s.Range = p.from(start)
	return s
}

func (p *parser) backupElement() *ast.BackupElement {
	start := p.at().start
	e := &ast.BackupElement{}
	p.count()
	switch p.anyWords("TABLE", "VIEW", "DICTIONARY", "DATABASE", "ALL") {
	case "TABLE", "VIEW", "DICTIONARY":
		e.Name = p.tableName()
		if p.anyWords("AS", "INTO") != "" {
			e.As = p.tableName()
		}
		if p.anyWords("PARTITIONS", "PARTITION") != "" {
			e.Partitions = p.backupPartitions()
		}
	case "DATABASE":
		e.Kind, e.Name.Table = ast.BackupDatabase, p.name()
		if p.anyWords("AS", "INTO") != "" {
			e.As.Table = p.name()
		}
		p.backupExcept(e)
	case "ALL":
		e.Kind = ast.BackupAll
		p.backupExcept(e)
	default:
		p.fail()
	}
	e.Range = p.from(start)
	return e
}

func (p *parser) backupPartitions() []ast.Expr {
	list := []ast.Expr{p.expr()}
	for p.isSymbol(",") && !p.backupElementAt(1) {
		p.pos++
		list = append(list, p.expr())
	}
	return list
}

// backupElementAt reports whether another element begins n tokens on.
func (p *parser) backupElementAt(n int) bool {
	for _, w := range []string{"TABLE", "VIEW", "DICTIONARY", "DATABASE", "ALL"} {
		if p.wordAt(n, w) {
			return true
		}
	}
	return false
}

func (p *parser) backupExcept(e *ast.BackupElement) {
	for p.wordAt(0, "EXCEPT") {
		p.pos++
		switch p.anyWords("DATABASES", "DATABASE", "TABLES", "TABLE") {
		case "DATABASES", "DATABASE":
			e.ExceptDatabases = append(e.ExceptDatabases, p.name())
			for p.isSymbol(",") && !p.backupElementAt(1) {
				p.pos++
				e.ExceptDatabases = append(e.ExceptDatabases, p.name())
			}
		case "TABLES", "TABLE":
			e.ExceptTables = append(e.ExceptTables, p.tableName())
			for p.isSymbol(",") && !p.backupElementAt(1) {
				p.pos++
				e.ExceptTables = append(e.ExceptTables, p.tableName())
			}
		default:
			p.fail()
		}
	}
}

// backupPlace takes an engine with its arguments.
func (p *parser) backupPlace() *ast.FuncCall {
	start := p.at().start
	c := &ast.FuncCall{Name: p.ident()}
	p.needSymbol("(")
	for !p.isSymbol(")") {
		c.Args = append(c.Args, p.expr())
		if !p.symbol(",") {
			break
		}
	}
	p.needSymbol(")")
	c.Range = p.from(start)
	return c
}

// backupSettings takes the settings, of which base_backup is a place.
func (p *parser) backupSettings(s *ast.Backup) {
	for {
		if p.at().kind == tokWord && strings.EqualFold(p.src(p.at()), "base_backup") && p.symbolAt(1, "=") {
			p.pos += 2
			s.Base = p.backupPlace()
		} else {
			s.Settings = append(s.Settings, p.setting())
		}
		if !p.symbol(",") {
			return
		}
	}
}
