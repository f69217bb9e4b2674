package query

import (
	"context"
	"strconv"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/parse"
)

// Mover moves rows between the shards of a cluster. Safe for concurrent use.
type Mover interface {
	// MovePartition moves the rows of a partition that are committed when it begins to a shard, from all others, and returns when they have moved.
	MovePartition(ctx context.Context, t *catalog.Table, partitionID string, to uint64) error
}

// movePartitions runs MOVE PARTITION … TO SHARD.
func (x *statement) movePartitions(n ast.TableName, moves []*ast.AlterCommand) error {
	if x.e.deps.Mover == nil {
		return sqlerr.At(n.Start, sqlerr.NotImplemented, "MOVE PARTITION is not implemented here: there are no shards")
	}
	t, err := x.insertTable(n)
	if err != nil {
		return err
	}
	for _, c := range moves {
		to, err := strconv.ParseUint(c.Target, 10, 64)
		if err != nil {
			return sqlerr.At(c.Start, sqlerr.BadArguments, "A shard is a number, not '%s'", c.Target)
		}
		id, err := x.partitionID(t, c.Partition)
		if err != nil {
			return err
		}
		if err := x.e.deps.Mover.MovePartition(x.ctx, t, id, to); err != nil {
			return err
		}
	}
	return nil
}

// partitionID is the ID of a partition that a statement names by ID or by value.
func (x *statement) partitionID(t *catalog.Table, p *ast.Partition) (string, error) {
	switch {
	case p == nil || p.All:
		return "", nil
	case p.ID != "":
		return p.ID, nil
	case p.Expr == nil:
		return "", sqlerr.At(p.Start, sqlerr.NotImplemented, "PART is not implemented")
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return "", err
	}
	if t.PartitionBy == "" {
		return define.PartitionID(nil, 0), nil
	}
	schema, err := define.Stored(t)
	if err != nil {
		return "", err
	}
	e, err := parse.Expr(t.PartitionBy, parse.Limits{})
	if err != nil {
		return "", err
	}
	keys, values := define.Elements(e), define.Elements(p.Expr)
	if len(keys) != len(values) {
		return "", sqlerr.At(p.Start, sqlerr.InvalidPartitionValue, "Wrong number of fields in the partition expression: %d, must be: %d", len(values), len(keys))
	}
	typed, err := analyze.Exprs(x.ctx, keys, schema, o)
	if err != nil {
		return "", err
	}
	var vs []column.Vector
	for i, v := range values {
		c, err := analyze.Const(x.ctx, v, o)
		if err != nil {
			return "", err
		}
		cast, err := function.Cast(x.env, c.Value, typed[i].Type())
		if err != nil {
			return "", sqlerr.At(p.Start, sqlerr.TypeMismatch, "Cannot convert partition value %s to type %s: %s", ast.Format(v), typed[i].Type(), err)
		}
		vs = append(vs, column.Flatten(cast))
	}
	return define.PartitionID(vs, 0), nil
}
