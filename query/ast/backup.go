package ast

// Backup is BACKUP or RESTORE.
type Backup struct {
	Range
	Restore  bool
	Elements []*BackupElement
	// Place is TO or FROM: an engine such as File with its arguments, literals.
	Place     *FuncCall
	OnCluster string
	// Base is the setting base_backup; nil without it.
	Base     *FuncCall
	Settings []Setting
	Async    bool
	Output
}

// BackupKind is what an element of BACKUP names.
type BackupKind uint8

// The kinds.
const (
	BackupTable BackupKind = iota
	BackupDatabase
	BackupAll
)

// BackupElement is TABLE, DATABASE or ALL.
type BackupElement struct {
	Range
	Kind BackupKind
	// Name is the table, or in Table the database; As is what it is restored as, zero without AS.
	Name, As TableName
	// Partitions are those of a table; nil: all.
	Partitions []Expr
	// ExceptTables and ExceptDatabases stay out of DATABASE and ALL.
	ExceptTables    []TableName
	ExceptDatabases []Name
}

func (*Backup) statement() {}
