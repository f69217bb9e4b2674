package define

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/dictionary"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// dictionaryLayout is what the name of a layout stands for.
type dictionaryLayout struct {
	layout  dictionary.Layout
	complex bool   // the key is a tuple of columns of any type
	shown   string // in system.dictionaries
}

// dictionaryLayouts are by name. Layouts that differ by how ClickHouse lays out a table in memory are one here, and those of a cache hold all rows.
var dictionaryLayouts = map[string]dictionaryLayout{
	"flat": {dictionary.Flat, false, "Flat"}, "hashed": {dictionary.Hashed, false, "Hashed"}, "sparse_hashed": {dictionary.Hashed, false, "SparseHashed"},
	"hashed_array": {dictionary.Hashed, false, "HashedArray"}, "cache": {dictionary.Hashed, false, "Cache"}, "direct": {dictionary.Direct, false, "Direct"},
	"complex_key_hashed": {dictionary.Hashed, true, "ComplexKeyHashed"}, "complex_key_sparse_hashed": {dictionary.Hashed, true, "ComplexKeySparseHashed"},
	"complex_key_hashed_array": {dictionary.Hashed, true, "ComplexHashedArray"}, "complex_key_cache": {dictionary.Hashed, true, "ComplexKeyCache"},
	"complex_key_direct": {dictionary.Direct, true, "ComplexKeyDirect"},
	"range_hashed":       {dictionary.RangeHashed, false, "RangeHashed"}, "complex_key_range_hashed": {dictionary.RangeHashed, true, "ComplexKeyRangeHashed"},
	"ip_trie": {dictionary.IPTrie, true, "Trie"},
}

// lackingLayouts and lackingSources are those of ClickHouse that olapd does not have.
var (
	lackingLayouts = []string{"ssd_cache", "complex_key_ssd_cache", "polygon", "polygon_simple", "polygon_index_each", "polygon_index_cell", "regexp_tree"}
	lackingSources = []string{"http", "mysql", "postgresql", "mongodb", "redis", "cassandra", "odbc", "jdbc", "executable", "executable_pool", "library", "yamlregexptree", "ytsaurus"}
)

// dictionarySources are the values that sources take, by name.
var dictionarySources = map[string][]string{
	"clickhouse": {"host", "port", "user", "password", "secure", "db", "table", "query", "where", "invalidate_query", "update_field", "update_lag"},
	"file":       {"path", "format"},
	"null":       {},
}

// LayoutName is the type of a dictionary in system.dictionaries.
func LayoutName(d *catalog.Dictionary) string { return dictionaryLayouts[d.Layout.Name].shown }

func badDefinition(s *ast.CreateDictionary, format string, args ...any) error {
	return sqlerr.At(s.Start, sqlerr.IncorrectDictionaryDefinition, format, args...)
}

// Dictionary defines a dictionary.
func Dictionary(ctx context.Context, s *ast.CreateDictionary, o Options) (*Change, error) {
	db, name, err := o.table(s.Name)
	if err != nil {
		return nil, err
	}
	if s.Attach {
		return nil, sqlerr.At(s.Start, sqlerr.NotImplemented, "ATTACH DICTIONARY with a definition is not implemented")
	}
	if o.catalog().Database(db) == nil {
		return nil, sqlerr.At(s.Name.Start, sqlerr.UnknownDatabase, "Database %s does not exist", db)
	}
	ch := &Change{}
	switch old := o.catalog().Table(db, name); {
	case old == nil && s.Replace:
		return nil, sqlerr.At(s.Name.Start, sqlerr.UnknownTable, "Table `%s`.`%s` doesn't exist", db, name)
	case old == nil:
	case s.IfNotExists:
		return &Change{Table: old}, nil
	case old.Kind != catalog.KindDictionary:
		return nil, sqlerr.At(s.Name.Start, sqlerr.TableAlreadyExists, "Table %s.%s already exists", db, name)
	case !s.OrReplace && !s.Replace:
		return nil, sqlerr.At(s.Name.Start, sqlerr.DictionaryAlreadyExists, "Dictionary %s.%s already exists", db, name)
	default:
		ch.Drop = append(ch.Drop, old.ID)
	}
	t := &catalog.Table{UUID: o.UUID, Database: db, Name: name, Kind: catalog.KindDictionary, Engine: "Dictionary", Created: o.Now, Comment: s.Comment}
	if t.Dictionary, err = dictionaryOf(s); err != nil {
		return nil, err
	}
	if err := dictionaryColumns(t, s); err != nil {
		return nil, err
	}
	if _, err := DictionaryShape(ctx, t, o.Analyze); err != nil {
		return nil, err
	}
	ch.Table, ch.Add = t, []*catalog.Table{t}
	return ch, nil
}

// dictionaryOf is what a definition says beyond columns.
func dictionaryOf(s *ast.CreateDictionary) (*catalog.Dictionary, error) {
	switch {
	case s.PrimaryKey == nil:
		return nil, badDefinition(s, "Cannot create dictionary without primary key")
	case s.Source == nil:
		return nil, badDefinition(s, "Cannot create dictionary with empty source")
	case s.Layout == nil:
		return nil, badDefinition(s, "Cannot create dictionary with empty layout")
	case s.Lifetime != nil && s.Lifetime.Min > s.Lifetime.Max:
		return nil, sqlerr.At(s.Lifetime.Start, sqlerr.BadArguments, "Dictionary lifetime parameter 'MIN' must be less than or equal to 'MAX'.")
	case s.Lifetime != nil && s.Lifetime.Max > maxLifetime:
		return nil, sqlerr.At(s.Lifetime.Start, sqlerr.BadArguments, "A dictionary's lifetime is at most %d seconds", maxLifetime)
	}
	d := &catalog.Dictionary{Key: s.PrimaryKey, Settings: map[string]string{}}
	var err error
	if d.Source, err = dictionaryCall(s.Source); err != nil {
		return nil, err
	}
	if d.Layout, err = dictionaryCall(s.Layout); err != nil {
		return nil, err
	}
	l, ok := dictionaryLayouts[d.Layout.Name]
	switch {
	case slices.Contains(lackingLayouts, d.Layout.Name):
		return nil, sqlerr.At(s.Layout.Start, sqlerr.NotImplemented, "Dictionary layout %s is not implemented", d.Layout.Name)
	case !ok:
		return nil, sqlerr.At(s.Layout.Start, sqlerr.UnknownElementInConfig, "Unknown dictionary layout type: %s", d.Layout.Name)
	case l.layout == dictionary.Direct && s.Lifetime != nil:
		return nil, sqlerr.At(s.Lifetime.Start, sqlerr.BadArguments, "'lifetime' parameter is redundant for the dictionary' of layout '%s'.", d.Layout.Name)
	case l.layout != dictionary.Direct && s.Lifetime == nil:
		return nil, badDefinition(s, "Cannot create dictionary with empty lifetime")
	}
	if s.Lifetime != nil {
		d.MinLifetime, d.MaxLifetime = s.Lifetime.Min, s.Lifetime.Max
	}
	if s.Interval != nil {
		d.RangeMin, d.RangeMax = s.Interval.Min, s.Interval.Max
	}
	for _, x := range s.Settings {
		if x.Value == nil {
			continue
		}
		v, ok := x.Value.(*ast.Literal)
		if !ok {
			return nil, sqlerr.New(sqlerr.BadArguments, "Setting %s of a dictionary must be a literal", x.Name)
		}
		d.Settings[x.Name] = v.SettingText()
	}
	return d, checkSource(s, &d.Source)
}

// maxLifetime is the longest lifetime, about 31 years.
const maxLifetime = 1_000_000_000

// checkSource refuses sources that cannot be read, and values that they do not take.
func checkSource(s *ast.CreateDictionary, c *catalog.DictionaryCall) error {
	takes, ok := dictionarySources[c.Name]
	switch {
	case slices.Contains(lackingSources, c.Name):
		return sqlerr.At(s.Source.Start, sqlerr.NotImplemented, "Dictionary source %s is not implemented", c.Name)
	case !ok:
		return sqlerr.At(s.Source.Start, sqlerr.UnknownElementInConfig, "%s: unknown dictionary source type: %s", s.Name, c.Name)
	}
	for _, p := range c.Params {
		if p.Group != nil || !slices.Contains(takes, p.Name) {
			return sqlerr.At(s.Source.Start, sqlerr.BadArguments, "Dictionary source %s does not take %s", c.Name, p.Name)
		}
	}
	return nil
}

// ownPort is what tcpPort() is in a definition: the usual port of the native protocol, by which a source means the server that reads it.
const ownPort = "9000"

// dictionaryCall is what a source or a layout is given.
func dictionaryCall(c *ast.DictionaryCall) (catalog.DictionaryCall, error) {
	params, err := dictionaryParams(c.Params)
	return catalog.DictionaryCall{Name: strings.ToLower(c.Name), Params: params, Parens: c.Params != nil}, err
}

func dictionaryParams(list []*ast.DictionaryParam) ([]catalog.DictionaryParam, error) {
	var out []catalog.DictionaryParam
	for _, x := range list {
		p := catalog.DictionaryParam{Name: strings.ToLower(x.Name)}
		var err error
		switch v := x.Value.(type) {
		case nil:
			p.Group, err = dictionaryParams(x.Group)
		case *ast.Ident:
			p.Value, p.Bare = ast.Format(v), true
		case *ast.Literal:
			p.Value, p.Bare = v.SettingText(), v.Kind != ast.LiteralString
		case *ast.FuncCall:
			if v.Name != "tcpPort" || len(v.Args) > 0 {
				return nil, sqlerr.At(v.Start, sqlerr.NotImplemented, "Function %s in a definition of a dictionary is not implemented", v.Name)
			}
			p.Value, p.Bare = ownPort, true
		default:
			err = sqlerr.At(x.Start, sqlerr.BadArguments, "%s of a dictionary is not a literal: %s", x.Name, ast.Shown(x.Value))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// dictionaryColumns sets the columns, in the order in which they are declared.
func dictionaryColumns(t *catalog.Table, s *ast.CreateDictionary) error {
	d := t.Dictionary
	d.Attributes = map[string]catalog.DictionaryAttribute{}
	parents := 0
	for _, a := range s.Attributes {
		if t.Column(a.Name) != nil {
			return sqlerr.At(a.Start, sqlerr.BadArguments, "Dictionary attributes names must be unique. Attribute name %s is not unique", a.Name)
		}
		typ, err := types.Parse(a.Type.Text)
		if err != nil {
			return positioned(err, a.Type)
		}
		c := catalog.Column{Name: a.Name, Type: typ.String()}
		more := catalog.DictionaryAttribute{Hierarchical: a.Hierarchical, Bidirectional: a.Bidirectional, Injective: a.Injective, IsObjectID: a.IsObjectID}
		if a.Default != nil {
			if err := literalDefault(a.Default); err != nil {
				return err
			}
			more.Default = ast.Format(a.Default)
		}
		if a.Computed != nil {
			more.Computed = ast.Format(a.Computed)
		}
		if a.Comment != nil {
			c.Comment = a.Comment.Str
		}
		if a.Hierarchical {
			parents++
		}
		if simpleKey(d, typ) && d.Key[0] == a.Name {
			more.Declared, c.Type = c.Type, types.TUInt64.String()
		}
		t.Columns, d.Attributes[a.Name] = append(t.Columns, c), more
	}
	if parents > 1 {
		return sqlerr.At(s.Start, sqlerr.BadArguments, "Only one hierarchical attribute supported")
	}
	return nil
}

// literalDefault refuses a default that is not written out: it has to be the same whenever it is looked at.
func literalDefault(e ast.Expr) error {
	var err error
	ast.Walk(e, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.Literal:
			return true
		case *ast.FuncCall:
			if slices.Contains([]string{"array", "map", "tuple", "negate"}, x.Name) {
				return true
			}
		}
		err = sqlerr.At(n.Span().Start, sqlerr.SyntaxError, "Syntax error: the DEFAULT of a dictionary's attribute must be a literal, not %s", ast.Shown(e))
		return false
	})
	return err
}

// simpleKey reports whether a key of a type is one UInt64: numbers are, where the layout does not want a tuple.
func simpleKey(d *catalog.Dictionary, t *types.Type) bool {
	if len(d.Key) != 1 || dictionaryLayouts[d.Layout.Name].complex {
		return false
	}
	return d.Layout.Name == "flat" || (t.IsInteger() || t.IsFloat() || t.Kind == types.Bool) && t.Width() <= 8
}

// DictionaryShape is what a dictionary's definition says of its columns. o evaluates the defaults.
func DictionaryShape(ctx context.Context, t *catalog.Table, o analyze.Options) (*dictionary.Shape, error) {
	d := t.Dictionary
	s := &dictionary.Shape{Name: t.FullName(), Layout: dictionaryLayouts[d.Layout.Name].layout, Parent: -1, MaxArray: defaultMaxArray}
	if text, ok := d.Layout.Param("max_array_size"); ok {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, sqlerr.New(sqlerr.BadArguments, "MAX_ARRAY_SIZE of dictionary %s is not a number below 2^32: %s", s.Name, text)
		}
		s.MaxArray = n
	}
	if strategy, ok := d.Layout.Param("range_lookup_strategy"); ok {
		if strategy != "min" && strategy != "max" {
			return nil, sqlerr.New(sqlerr.BadArguments, "RANGE_LOOKUP_STRATEGY of dictionary %s is neither 'min' nor 'max': %s", s.Name, strategy)
		}
		s.Latest = strategy == "max"
	}
	if err := shapeKey(s, t); err != nil {
		return nil, err
	}
	if err := shapeRange(s, t); err != nil {
		return nil, err
	}
	access, _ := d.Layout.Param("access_to_key_from_attributes")
	for _, c := range t.Columns {
		key := slices.Contains(d.Key, c.Name)
		if key || c.Name == d.RangeMin || c.Name == d.RangeMax {
			if key && s.Layout == dictionary.IPTrie && access == "1" {
				s.KeyAttribute = true
			}
			continue
		}
		if err := shapeAttribute(ctx, s, t, c, o); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// defaultMaxArray is max_array_size of a flat layout: ClickHouse's.
const defaultMaxArray = 500_000

func shapeKey(s *dictionary.Shape, t *catalog.Table) error {
	for _, name := range t.Dictionary.Key {
		c := t.Column(name)
		if c == nil {
			return sqlerr.New(sqlerr.IncorrectDictionaryDefinition, "Unknown key attribute '%s'", name)
		}
		typ, err := types.Parse(c.Type)
		if err == nil {
			err = holdable(typ)
		}
		switch {
		case err != nil:
			return err
		case typ.IsNullable():
			return sqlerr.New(sqlerr.NotImplemented, "A Nullable key of a dictionary is not implemented: %s", name)
		case s.Layout == dictionary.IPTrie && (!typ.IsString() || len(t.Dictionary.Key) > 1):
			return sqlerr.New(sqlerr.TypeMismatch, "Key of a dictionary of layout ip_trie must be one column of type String")
		}
		s.Key = append(s.Key, column.Field{Name: name, Type: typ})
	}
	s.Simple = simpleKey(t.Dictionary, s.Key[0].Type)
	if s.Layout == dictionary.Flat && !s.Simple {
		return sqlerr.New(sqlerr.UnsupportedMethod, "A key of several columns is not supported for a dictionary of layout 'flat'")
	}
	return nil
}

// shapeRange sets the interval of a range layout.
func shapeRange(s *dictionary.Shape, t *catalog.Table) error {
	d := t.Dictionary
	if s.Layout != dictionary.RangeHashed {
		if d.RangeMin != "" || d.RangeMax != "" {
			return sqlerr.New(sqlerr.BadArguments, "%s: RANGE should be defined only for a dictionary of layout 'range_hashed'", s.Name)
		}
		return nil
	}
	if d.RangeMin == "" || d.RangeMax == "" {
		return sqlerr.New(sqlerr.BadArguments, "%s: dictionary of layout '%s' requires RANGE(MIN … MAX …)", s.Name, d.Layout.Name)
	}
	for _, end := range []struct{ word, name string }{{"MIN", d.RangeMin}, {"MAX", d.RangeMax}} {
		c := t.Column(end.name)
		if c == nil {
			return sqlerr.New(sqlerr.IncorrectDictionaryDefinition, "%s %s attribute is not defined in the dictionary attributes", end.word, end.name)
		}
		typ, err := types.Parse(c.Type)
		if err != nil {
			return err
		}
		s.Range = append(s.Range, column.Field{Name: end.name, Type: typ})
	}
	lo, hi := s.Range[0].Type.WithoutNullable(), s.Range[1].Type.WithoutNullable()
	switch {
	case !lo.Equal(hi):
		return sqlerr.New(sqlerr.BadArguments, "Dictionary structure 'range_min' and 'range_max' should have same type, 'range_min' type: %s,'range_max' type: %s", lo, hi)
	case lo.IsString() || !lo.IsOrdered() || lo.Phys() >= types.PBytes:
		return sqlerr.New(sqlerr.BadArguments, "Dictionary structure type of 'range_min' and 'range_max' should be an Integer, Float, Decimal, Date, Date32, DateTime DateTime64, or Enum. Actual 'range_min' and 'range_max' type is %s", lo)
	case lo.Width() > 8:
		return sqlerr.New(sqlerr.NotImplemented, "Ranges of type %s are not implemented", lo)
	}
	s.Point = lo
	return nil
}

func shapeAttribute(ctx context.Context, s *dictionary.Shape, t *catalog.Table, c catalog.Column, o analyze.Options) error {
	typ, err := types.Parse(c.Type)
	if err == nil {
		err = holdable(typ)
	}
	if err != nil {
		return err
	}
	more := t.Dictionary.Attributes[c.Name]
	a := dictionary.Attribute{Name: c.Name, Type: typ, Default: column.Flatten(column.NewDefaults(typ, 1))}
	if more.Default != "" {
		if a.Default, err = dictionaryDefault(ctx, more.Default, typ, o); err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "While parsing null_value for attribute with name %s in dictionary %s", c.Name, t.Name)
		}
	}
	if more.Hierarchical {
		if s.Simple && typ.WithoutNullable().Kind != types.UInt64 {
			return sqlerr.New(sqlerr.TypeMismatch, "Hierarchical attribute type for dictionary with simple key must be UInt64. Actual %s", typ)
		}
		if !s.Simple || s.Layout == dictionary.RangeHashed {
			return sqlerr.New(sqlerr.NotImplemented, "A hierarchy of keys that are not one UInt64 is not implemented")
		}
		s.Parent = len(s.Attributes)
	}
	s.Attributes = append(s.Attributes, a)
	return nil
}

// dictionaryDefault is one value of a type.
func dictionaryDefault(ctx context.Context, sql string, t *types.Type, o analyze.Options) (column.Vector, error) {
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return nil, err
	}
	c, err := analyze.Const(ctx, e, o)
	if err != nil {
		return nil, err
	}
	v, err := function.Cast(o.Env, column.Flatten(c.Value), t)
	if err != nil {
		return nil, err
	}
	return column.Flatten(v), nil
}

// holdable refuses the types that dictionaries do not have.
func holdable(t *types.Type) error {
	switch in := t.WithoutNullable(); {
	case in.Kind == types.LowCardinality, in.Kind == types.Tuple, in.IsEnum(), in.Kind == types.FixedString, in.Kind == types.AggregateFunction, in.Kind == types.Nothing:
		return sqlerr.New(sqlerr.UnknownType, "Unknown type %s for dictionary attribute", t)
	}
	return nil
}
