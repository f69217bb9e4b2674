package analyze

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// ClusterCall is a call of cluster or clusterAllReplicas.
type ClusterCall struct {
	Function                 string
	Cluster, Database, Table string
	AllReplicas              bool // clusterAllReplicas
}

// ClusterTable is what such a call yields.
type ClusterTable struct {
	// Table has the rows of several nodes' own tables; nil: it is the table of that name itself, which all shards have together.
	Table plan.Table
	// Copies is how often it is read where Table is nil: once for each replica.
	Copies int
}

// clusterFunction is cluster('name', database.table [, key]) or cluster('name', database, table [, key]), and clusterAllReplicas. The key is
// for inserts; it is not looked at.
func (s *scope) clusterFunction(t *ast.TableFunction) (*frame, error) {
	c, err := s.clusterCall(t.Call)
	if err != nil {
		return nil, err
	}
	if s.a.opts.Cluster == nil {
		return nil, sqlerr.New(sqlerr.ClusterDoesntExist, "Requested cluster '%s' not found", c.Cluster)
	}
	of, err := s.a.opts.Cluster(s.a.ctx, c)
	if err != nil {
		return nil, err
	}
	if of.Table != nil {
		f := scanFrame(of.Table, t.Alias, c.Database, c.Table)
		s.reading(f.sources[0], c.Database, c.Table)
		return f, nil
	}
	ref := &ast.TableRef{Range: t.Range, Name: ast.TableName{Range: t.Range, Database: ast.Name{Text: c.Database}, Table: ast.Name{Text: c.Table}}, Alias: t.Alias}
	f, err := s.tableRef(ref)
	if err != nil || of.Copies < 2 {
		return f, err
	}
	u := &plan.Union{All: []plan.Node{f.node}, Fields: f.node.Schema()}
	for range of.Copies - 1 {
		again, err := s.tableRef(ref)
		if err != nil {
			return nil, err
		}
		u.All = append(u.All, again.node)
	}
	f.node = u
	return f, nil
}

// clusterCall reads the arguments.
func (s *scope) clusterCall(call *ast.FuncCall) (ClusterCall, error) {
	c := ClusterCall{Function: call.Name, AllReplicas: call.Name == "clusterAllReplicas"}
	wrong := sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function '%s' takes the name of a cluster, database.table or database, table, and perhaps a sharding key", call.Name)
	if len(call.Args) == 0 || len(call.Args) > 4 {
		return c, wrong
	}
	name, err := s.nameArg(call, 0)
	if err != nil {
		return c, err
	}
	c.Cluster = strings.Join(name, ".")
	if len(call.Args) == 1 {
		c.Database, c.Table = "system", "one"
		return c, nil
	}
	path, err := s.nameArg(call, 1)
	if err != nil {
		return c, err
	}
	switch {
	case len(path) == 2 && len(call.Args) <= 3:
		c.Database, c.Table = path[0], path[1]
	case len(path) == 1 && len(call.Args) >= 3:
		c.Database = path[0]
		if path, err = s.nameArg(call, 2); err != nil {
			return c, err
		}
		c.Table = strings.Join(path, ".")
	default:
		return c, wrong
	}
	return c, nil
}

// nameArg is a name in an argument: an identifier, or a constant string, in which a dot takes database and table apart.
func (s *scope) nameArg(call *ast.FuncCall, i int) ([]string, error) {
	e := call.Args[i]
	if id, ok := e.(*ast.Ident); ok {
		return s.a.path(id)
	}
	if f, ok := e.(*ast.FuncCall); ok {
		return nil, sqlerr.At(e.Span().Start, sqlerr.NotImplemented, "Table function %s inside of %s is not implemented", f.Name, call.Name)
	}
	arg, err := s.tableArg(e)
	if err != nil {
		return nil, err
	}
	if arg.Value != nil {
		if text, ok := column.Value(arg.Value, 0).(string); ok {
			if db, name, ok := strings.Cut(text, "."); ok && i == 1 {
				return []string{db, name}, nil
			}
			return []string{text}, nil
		}
	}
	return nil, sqlerr.At(e.Span().Start, sqlerr.BadArguments, "Argument %s of table function %s must be a name or a constant string", ast.Shown(e), call.Name)
}
