package ast

func (p *printer) backup(s *Backup) {
	word, place := "BACKUP ", " TO "
	if s.Restore {
		word, place = "RESTORE ", " FROM "
	}
	p.put(word)
	for i, e := range s.Elements {
		p.when(i > 0, ", ")
		p.backupElement(e)
	}
	p.onCluster(s.OnCluster)
	p.put(place)
	p.expr(s.Place)
	if s.Base != nil || len(s.Settings) > 0 {
		p.put(" SETTINGS ")
		if s.Base != nil {
			p.put("base_backup = ")
			p.expr(s.Base)
			p.when(len(s.Settings) > 0, ", ")
		}
		p.settings(s.Settings)
	}
	p.when(s.Async, " ASYNC")
	p.output(s.Output)
}

func (p *printer) backupElement(e *BackupElement) {
	switch e.Kind {
	case BackupTable:
		p.put("TABLE ", e.Name.format())
		if !e.As.Table.IsZero() {
			p.put(" AS ", e.As.format())
		}
	case BackupDatabase:
		p.put("DATABASE ", e.Name.Table.format())
		if !e.As.Table.IsZero() {
			p.put(" AS ", e.As.Table.format())
		}
	case BackupAll:
		p.put("ALL")
	}
	if e.Partitions != nil {
		p.put(" PARTITIONS ")
		p.exprs(e.Partitions)
	}
	if e.ExceptDatabases != nil {
		p.put(" EXCEPT DATABASES ")
		for i, n := range e.ExceptDatabases {
			p.when(i > 0, ", ")
			p.put(n.format())
		}
	}
	if e.ExceptTables != nil {
		p.put(" EXCEPT TABLES ")
		for i, n := range e.ExceptTables {
			p.when(i > 0, ", ")
			p.put(n.format())
		}
	}
}
