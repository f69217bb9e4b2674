package query

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
)

// copyPartitions runs DETACH, ATTACH, ATTACH … FROM, REPLACE, MOVE … TO TABLE and DROP DETACHED PARTITION. Each is one commit on each shard.
func (x *statement) copyPartitions(n ast.TableName, commands []*ast.AlterCommand) error {
	t, err := x.insertTable(n)
	if err == nil {
		err = notTemporary(t, "ALTER")
	}
	if err != nil {
		return err
	}
	if !partitioned(t) {
		return sqlerr.At(n.Start, sqlerr.NotImplemented, "Table engine %s doesn't support partitioning", t.Engine)
	}
	for _, c := range commands {
		p := PartitionCopy{From: t, To: t}
		if p.PartitionID, err = x.partitionID(t, c.Partition); err != nil {
			return err
		}
		switch c.Kind {
		case ast.AlterAttachPartition, ast.AlterReplacePartition:
			p.Replace = c.Kind == ast.AlterReplacePartition
			if c.FromTable == nil {
				err = x.attachPartition(t, p)
				break
			}
			if p.From, err = x.copyable(*c.FromTable, t); err == nil && (p.From.ID != t.ID || !p.Replace) {
				err = x.e.deps.Store.CopyPartition(x.ctx, p)
			}
		case ast.AlterMovePartition:
			p.Move = true
			if p.To, err = x.copyable(*c.ToTable, t); err == nil && p.To.ID != t.ID {
				err = x.e.deps.Store.CopyPartition(x.ctx, p)
			}
		case ast.AlterDropPartition:
			err = x.dropDetached(t, c, p.PartitionID)
		default:
			err = x.detachPartition(t, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// partitioned reports whether a table's engine has partitions.
func partitioned(t *catalog.Table) bool { return strings.HasSuffix(t.BaseEngine(), "MergeTree") }

// copyable finds a table that partitions of t may go to or come from.
func (x *statement) copyable(n ast.TableName, t *catalog.Table) (*catalog.Table, error) {
	o, err := x.insertTable(n)
	if err == nil {
		err = notTemporary(o, "ALTER")
	}
	switch {
	case err != nil:
		return nil, err
	case !partitioned(o):
		return nil, sqlerr.At(n.Start, sqlerr.NotImplemented, "Table engine %s doesn't support partitioning", o.Engine)
	case !slices.EqualFunc(o.Columns, t.Columns, func(a, b catalog.Column) bool {
		return a.Name == b.Name && a.Type == b.Type && define.IsStored(a.Default) == define.IsStored(b.Default)
	}):
		return nil, sqlerr.At(n.Start, sqlerr.IncompatibleColumns, "Tables have different structure")
	case !slices.Equal(o.SortKey, t.SortKey):
		return nil, sqlerr.At(n.Start, sqlerr.BadArguments, "Tables have different ordering")
	case o.PartitionBy != t.PartitionBy:
		return nil, sqlerr.At(n.Start, sqlerr.BadArguments, "Tables have different partition key")
	case !slices.Equal(o.PrimaryKey, t.PrimaryKey):
		return nil, sqlerr.At(n.Start, sqlerr.BadArguments, "Tables have different primary key")
	case o.ShardingKey() != t.ShardingKey() || t.ShardingKey() != "" && !slices.Equal(o.Spread, t.Spread):
		return nil, sqlerr.At(n.Start, sqlerr.NotImplemented, "Rows of %s and %s do not lie on the same shards: INSERT … SELECT copies them", o.FullName(), t.FullName())
	}
	return o, nil
}

// detachPartition hides rows: they move to a hidden table.
func (x *statement) detachPartition(t *catalog.Table, p PartitionCopy) error {
	hidden, err := x.hiddenPartitions(t)
	if err != nil {
		return err
	}
	p.To, p.Move = hidden, true
	return x.e.deps.Store.CopyPartition(x.ctx, p)
}

// attachPartition shows detached rows again.
func (x *statement) attachPartition(t *catalog.Table, p PartitionCopy) error {
	if define.DetachedPartitions(x.cat, t) == nil {
		return nil
	}
	hidden, err := x.hiddenPartitions(t)
	if err != nil {
		return err
	}
	p.From, p.Move = hidden, true
	return x.e.deps.Store.CopyPartition(x.ctx, p)
}

// dropDetached deletes detached rows for good.
func (x *statement) dropDetached(t *catalog.Table, c *ast.AlterCommand, id string) error {
	if allowed, _ := x.env.Setting("allow_drop_detached"); allowed != "1" && allowed != "true" {
		return sqlerr.At(c.Start, sqlerr.SupportIsDisabled, "Cannot execute query: DROP DETACHED PART is disabled (see allow_drop_detached setting)")
	}
	hidden := define.DetachedPartitions(x.cat, t)
	switch {
	case hidden == nil:
		return nil
	case id == "":
		return x.e.deps.Store.Truncate(x.ctx, hidden)
	}
	return x.e.deps.Store.DropPartition(x.ctx, hidden, id)
}

// hiddenPartitions is the hidden table for detached partitions of t, with the columns that t has now. Where rows lie by a key they have to lie as they did.
func (x *statement) hiddenPartitions(t *catalog.Table) (*catalog.Table, error) {
	if old := define.DetachedPartitions(x.cat, t); old != nil && t.ShardingKey() != "" && !slices.Equal(old.Spread, t.Spread) {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Table %s has come to lie on other shards since partitions were detached: they cannot be attached, nor others detached", t.FullName())
	}
	id := newID()
	err := x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		now := c.ByID(t.ID)
		if now == nil {
			return nil, sqlerr.New(sqlerr.UnknownTable, "Table %s does not exist any more", t.FullName())
		}
		return define.HoldingDetached(c, now, id, x.q.started.UnixNano())
	})
	if err != nil {
		return nil, err
	}
	return define.DetachedPartitions(x.e.deps.Catalog.Catalog(), t), nil
}
