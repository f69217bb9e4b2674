package node

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/segment"
	"github.com/zeebo/xxh3"
)

// specs compiles tables for storage. What it makes of a table depends on the table alone.
type specs struct {
	env  *function.Env
	opts analyze.Options
}

// newSpecs returns a compiler whose DateTime without a time zone is in zone: the server's, fixed for ever.
func newSpecs(zone *time.Location) *specs {
	env := &function.Env{Ctx: context.Background(), Zone: zone, Now: time.Unix(0, 0).UTC()}
	return &specs{env: env, opts: analyze.Options{Catalog: catalog.New(), Database: "default", Env: env}}
}

// compile implements cluster.SpecFunc.
func (s *specs) compile(t *catalog.Table) (*mergetree.Spec, error) {
	if t.Kind != catalog.KindTable || t.BaseEngine() == "Null" {
		return nil, nil
	}
	pt, err := plan.NewTable(t)
	if err != nil {
		return nil, err
	}
	b := &specBuilder{specs: s, t: t, names: t.StoredNames(), spec: &mergetree.Spec{ID: t.ID, Name: t.FullName(), Columns: storedSchema(t, pt.Schema())}}
	for _, step := range []func() error{b.mode, b.sortKey, b.partition, b.ttl, b.indexes, b.settings} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.FullName(), err)
		}
	}
	if t.ShardingKey() != "" {
		if _, err := s.sharding(t, pt.Schema()); err != nil {
			return nil, fmt.Errorf("table %s: sharding_key: %w", t.FullName(), err)
		}
	}
	b.states()
	b.finish()
	return b.spec, nil
}

// sharding compiles the hash of a table's sharding key over its stored columns.
func (s *specs) sharding(t *catalog.Table, schema column.Schema) (*eval.Program, error) {
	e, err := s.over("cityHash64("+t.ShardingKey()+")", schema)
	if err != nil {
		return nil, err
	}
	if !e.Type().Equal(types.TUInt64) {
		return nil, sqlerr.New(sqlerr.BadArguments, "Expression %s cannot be a sharding key: its hash is of type %s", t.ShardingKey(), e.Type())
	}
	return s.program(e)
}

type specBuilder struct {
	*specs
	t     *catalog.Table
	spec  *mergetree.Spec
	names map[string]string // stored names of columns, where they have another
	exprs []plan.Expr       // behind spec.Exprs
	keys  map[int]bool
}

// storedSchema is a schema of columns of a table under their stored names, by which storage knows them.
func storedSchema(t *catalog.Table, schema column.Schema) column.Schema {
	names := t.StoredNames()
	if names == nil {
		return schema
	}
	out := slices.Clone(schema)
	for i, f := range out {
		if stored, ok := names[f.Name]; ok {
			out[i].Name = stored
		}
	}
	return out
}

// analyzed resolves SQL over the table's stored columns, by their stored names.
func (b *specBuilder) analyzed(sql string) (plan.Expr, error) {
	sql, err := define.Renamed(sql, b.names)
	if err != nil {
		return nil, err
	}
	return b.over(sql, b.spec.Columns)
}

func (s *specs) over(sql string, schema column.Schema) (plan.Expr, error) {
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return nil, err
	}
	plain, _ := ast.Unalias(e)
	return analyze.Expr(context.Background(), plain, schema, s.opts)
}

// program compiles expressions for evaluation on blocks.
func (s *specs) program(exprs ...plan.Expr) (*eval.Program, error) {
	return eval.Compile(s.env, exprs, eval.NewSets(s.env, false))
}

// engines are the modes of ClickHouse's engines that store rows.
var engines = map[string]mergetree.Mode{
	"MergeTree": mergetree.Plain, "Log": mergetree.Plain, "TinyLog": mergetree.Plain, "StripeLog": mergetree.Plain,
	"ReplacingMergeTree": mergetree.Replacing, "SummingMergeTree": mergetree.Summing,
	"AggregatingMergeTree": mergetree.Aggregating, "Memory": mergetree.Memory,
}

func (b *specBuilder) mode() error {
	engine := b.t.BaseEngine()
	mode, ok := engines[engine]
	if !ok {
		return sqlerr.New(sqlerr.NotImplemented, "Table engine %s is not supported", b.t.Engine)
	}
	b.spec.Mode = mode
	args := b.t.EngineArgs
	if engine != b.t.Engine && len(args) >= 2 && strings.HasPrefix(args[0], "'") { // Replicated…('/path', '{replica}', …): ours to place
		args = args[2:]
	}
	switch mode {
	case mergetree.Replacing:
		if len(args) > 2 {
			return sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "ReplacingMergeTree takes at most a version column and an is_deleted column")
		}
		for i, a := range args {
			name, err := b.columnArg(a)
			if err != nil {
				return err
			}
			if i == 0 {
				b.spec.Version = name
			} else {
				b.spec.IsDeleted = name
			}
		}
	case mergetree.Summing:
		for _, a := range args {
			if err := b.sumColumns(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// columnArg reads an engine argument that names a column.
func (b *specBuilder) columnArg(sql string) (string, error) {
	e, err := b.analyzed(sql)
	if err != nil {
		return "", err
	}
	c, ok := e.(*plan.Col)
	if !ok {
		return "", sqlerr.New(sqlerr.BadArguments, "Engine argument %s must be a column", sql)
	}
	return c.Name, nil
}

// sumColumns reads SummingMergeTree's argument: a column or a tuple of columns.
func (b *specBuilder) sumColumns(sql string) error {
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return err
	}
	for _, one := range tupleItems(e) {
		name, err := b.columnArg(ast.Format(one))
		if err != nil {
			return err
		}
		b.spec.Sum = append(b.spec.Sum, name)
	}
	return nil
}

// tupleItems returns the elements of (a, b), or the expression alone.
func tupleItems(e ast.Expr) []ast.Expr {
	if c, ok := e.(*ast.FuncCall); ok && c.Name == "tuple" {
		return c.Args
	}
	return []ast.Expr{e}
}

// element returns the name of a key element: a column's, or that of an expression kept in Exprs.
func (b *specBuilder) element(sql string, key bool) (string, error) {
	e, err := b.analyzed(sql)
	if err != nil {
		return "", err
	}
	if key {
		b.markKey(e)
	}
	if c, ok := e.(*plan.Col); ok {
		return c.Name, nil
	}
	name := e.String()
	if b.spec.Exprs.Index(name) < 0 {
		b.spec.Exprs = append(b.spec.Exprs, column.Field{Name: name, Type: e.Type()})
		b.exprs = append(b.exprs, e)
	}
	return name, nil
}

// markKey notes the columns that a key reads.
func (b *specBuilder) markKey(e plan.Expr) {
	if b.keys == nil {
		b.keys = map[int]bool{}
	}
	plan.Columns(e, b.keys)
}

func (b *specBuilder) sortKey() error {
	for _, sql := range b.t.SortKey {
		name, err := b.element(sql, true)
		if err != nil {
			return err
		}
		b.spec.SortKey = append(b.spec.SortKey, name)
	}
	b.spec.PrimaryKey = len(b.t.PrimaryKey)
	return nil
}

func (b *specBuilder) partition() error {
	if b.t.PartitionBy == "" {
		return nil
	}
	e, err := parse.Expr(b.t.PartitionBy, parse.Limits{})
	if err != nil {
		return err
	}
	var exprs []plan.Expr
	for _, item := range tupleItems(e) {
		x, err := b.analyzed(ast.Format(item))
		if err != nil {
			return err
		}
		b.markKey(x)
		exprs = append(exprs, x)
	}
	if len(exprs) == 0 { // PARTITION BY tuple()
		return nil
	}
	p, err := b.program(exprs...)
	if err != nil {
		return err
	}
	b.spec.Partition = p.Run
	b.spec.PartitionID = partitionID
	return nil
}

// partitionID renders a partition's ID: integers and dates as their digits joined by dashes, anything else as a hash of the text.
func partitionID(key []column.Vector, i int) string {
	var parts []string
	for _, v := range key {
		s, ok := partitionPart(v, i)
		if !ok {
			return hashedID(key, i)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "-")
}

func partitionPart(v column.Vector, i int) (string, bool) {
	t := v.Type()
	text := string(valuetext.AppendText(nil, v, i, time.UTC))
	switch {
	case t.IsInteger() && t.Width() <= 8:
		if t.Kind == types.Bool {
			return map[string]string{"true": "1", "false": "0"}[text], true
		}
		return text, true
	case t.IsDate():
		return strings.ReplaceAll(text, "-", ""), true
	case t.Kind == types.DateTime:
		return fmt.Sprint(column.Value(v, i)), true
	}
	return "", false
}

func hashedID(key []column.Vector, i int) string {
	var text []byte
	for _, v := range key {
		one := valuetext.AppendText(nil, v, i, time.UTC)
		text = append(strconv.AppendInt(text, int64(len(one)), 10), ':')
		text = append(text, one...)
	}
	h := xxh3.Hash128(text).Bytes()
	return hex.EncodeToString(h[:])
}

func (b *specBuilder) ttl() error {
	if len(b.t.TTLs) == 0 {
		return nil
	}
	var exprs []plan.Expr
	for _, r := range b.t.TTLs {
		e, err := b.analyzed(r.Expr)
		if err != nil {
			return err
		}
		if in := e.Type().Inner(); !in.IsDateOrTime() {
			return sqlerr.New(sqlerr.BadTTLExpression, "TTL expression result column should have DateTime or Date type, but has %s", e.Type())
		}
		where := plan.Expr(&plan.Const{Value: column.NewBools([]uint8{1}), T: types.TUInt8})
		if r.Where != "" {
			if where, err = b.analyzed(r.Where); err != nil {
				return err
			}
		}
		exprs = append(exprs, e, where)
	}
	p, err := b.program(exprs...)
	if err != nil {
		return err
	}
	zone := b.env.Zone
	b.spec.TTL = func(in *column.Block) ([]int64, error) { return expiry(p, in, zone) }
	return nil
}

// expiry is when each row expires by the earliest of the table's rules.
func expiry(p *eval.Program, in *column.Block, zone *time.Location) ([]int64, error) {
	out, err := p.Run(in)
	if err != nil {
		return nil, err
	}
	when := make([]int64, in.N)
	for i := range when {
		when[i] = mergetree.NoTTL
	}
	for r := 0; r < len(out); r += 2 {
		times, holds := column.Flatten(out[r]), eval.Truth(out[r+1], in.N)
		for i := range when {
			if holds[i] == 0 || column.IsNull(times, i) {
				continue
			}
			if at := unixOf(times, i, zone); at != 0 { // an expression that yields 0 keeps the row, as in ClickHouse
				when[i] = min(when[i], at)
			}
		}
	}
	return when, nil
}

// unixOf is a date's or time's instant; a date is its midnight in the zone.
func unixOf(v column.Vector, i int, zone *time.Location) int64 {
	if n, ok := v.(*column.Nullable); ok {
		v = n.Inner
	}
	t := v.Type()
	switch x := v.(type) {
	case *column.Num[uint16]:
		return civil.ZoneOf(zone).Unix(int64(x.Data[i]) * civil.Day)
	case *column.Num[int32]:
		return civil.ZoneOf(zone).Unix(int64(x.Data[i]) * civil.Day)
	case *column.Num[uint32]:
		return int64(x.Data[i])
	case *column.Num[int64]:
		ticks := x.Data[i]
		for range t.Scale {
			ticks /= 10
		}
		return ticks
	}
	return 0
}

func (b *specBuilder) indexes() error {
	for _, x := range b.t.Indexes {
		name, err := b.element(x.Expr, false)
		if err != nil {
			return err
		}
		typ, params, err := segment.ParseIndexType(x.Type)
		if err != nil {
			return err
		}
		b.spec.Indexes = append(b.spec.Indexes, segment.Index{Name: x.Name, Column: name, Type: typ, Params: params, Granularity: max(1, x.Granularity)})
	}
	return nil
}

func (b *specBuilder) settings() error {
	for name, text := range b.t.Settings {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case name == "index_granularity" && err == nil && n > 0:
			b.spec.Granularity = int(n)
		case name == "ttl_only_drop_parts":
			b.spec.Settings.TTLDropOnly = n != 0
		case name == "optimize_on_insert":
			b.spec.Settings.KeepUncollapsed = err == nil && n == 0
		case name == "max_bytes_to_merge_at_max_space_in_pool" && err == nil:
			b.spec.Settings.MaxMergeBytes = n
		}
	}
	return nil
}

// states binds how the values of aggregate columns merge.
func (b *specBuilder) states() {
	fns := map[string]function.Aggregate{}
	for i, f := range b.spec.Columns {
		if f.Type.Kind != types.AggregateFunction && f.Type.Kind != types.SimpleAggregateFunction || b.keys[i] {
			continue
		}
		if fn, err := function.BindState(f.Type); err == nil {
			fns[f.Name] = fn
		}
	}
	if len(fns) > 0 {
		b.spec.States = func(name string) function.Aggregate { return fns[name] }
	}
}

// finish sets what follows from the rest.
func (b *specBuilder) finish() {
	for i, f := range b.spec.Columns {
		if b.keys[i] {
			b.spec.KeyColumns = append(b.spec.KeyColumns, f.Name)
		}
	}
	exprs := b.exprs
	if len(exprs) > 0 {
		b.spec.Eval = func(in *column.Block, want []int) ([]column.Vector, error) {
			list := make([]plan.Expr, len(want))
			for i, w := range want {
				list[i] = exprs[w]
			}
			p, err := b.program(list...)
			if err != nil {
				return nil, err
			}
			return p.Run(in)
		}
	}
	b.spec.Missing = b.missing
}

// column is the column with a stored name.
func (b *specBuilder) column(stored string) catalog.Column {
	for _, c := range b.t.Columns {
		if c.StoredName() == stored && define.IsStored(c.Default) {
			return c
		}
	}
	return catalog.Column{Name: stored}
}

// missing computes the columns that rows of an older schema lack, as their DEFAULT over what there is, else the type's default, and those
// that they have with another type.
func (b *specBuilder) missing(want []int, have column.Schema, in *column.Block) ([]column.Vector, error) {
	out := make([]column.Vector, len(want))
	var err error
	for i, w := range want {
		f := b.spec.Columns[w]
		out[i] = column.NewDefaults(f.Type, in.N)
		at, text := have.Index(f.Name), ""
		stored := at >= 0
		c := b.column(f.Name)
		if c.Expr, err = define.Renamed(c.Expr, b.names); err != nil {
			return nil, err
		}
		if text = c.Expr; stored {
			text = define.Conversion(catalog.Column{Name: f.Name, Type: have[at].Type.String()}, c)
		}
		if text == "" {
			continue
		}
		var e plan.Expr
		e, err = b.over("CAST("+text+", "+types.QuoteString(f.Type.WithoutLowCardinality().String())+")", have)
		if err != nil && stored {
			return nil, err
		}
		if err != nil {
			continue // the default reads columns that these rows lack as well
		}
		p, err := b.program(e)
		if err != nil {
			return nil, err
		}
		if out[i], err = p.Run1(in); err != nil {
			return nil, err
		}
	}
	return out, nil
}
