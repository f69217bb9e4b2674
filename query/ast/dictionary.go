package ast

// CreateDictionary is CREATE (or ATTACH, or REPLACE) DICTIONARY.
type CreateDictionary struct {
	Range
	Attach      bool
	OrReplace   bool
	Replace     bool // REPLACE DICTIONARY
	IfNotExists bool
	Name        TableName
	UUID        string
	OnCluster   string
	Attributes  []*DictionaryAttribute
	PrimaryKey  []string
	// Source and Layout are nil when not given.
	Source   *DictionaryCall
	Layout   *DictionaryCall
	Lifetime *DictionaryLifetime
	Interval *DictionaryInterval // RANGE(MIN … MAX …)
	Settings []Setting
	Comment  string
}

// DictionaryAttribute is one column of a dictionary, which may be of its key.
type DictionaryAttribute struct {
	Range
	Name    string
	Type    *DataType
	Default Expr
	// Computed is what EXPRESSION says.
	Computed      Expr
	Hierarchical  bool
	Bidirectional bool
	Injective     bool
	IsObjectID    bool
	Comment       *Literal
}

// DictionaryCall is NAME(key value key value …): a source, a layout, or a group of values in one.
type DictionaryCall struct {
	Range
	Name   string
	Params []*DictionaryParam
}

// DictionaryParam is one key with its value, a literal, an identifier or a call, or with a group of pairs.
type DictionaryParam struct {
	Range
	Name  string
	Value Expr
	Group []*DictionaryParam
}

// DictionaryLifetime is LIFETIME(max) or LIFETIME(MIN min MAX max), in seconds.
type DictionaryLifetime struct {
	Range
	Min, Max uint64
}

// DictionaryInterval names the columns between which a row of a range layout holds.
type DictionaryInterval struct {
	Range
	Min, Max string
}

func (*CreateDictionary) statement() {}
