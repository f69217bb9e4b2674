// Package materialized derives what rollups store from the rows that are about to be committed.
//
// A rollup is a SELECT over its source table whose rows go to its target. For a block of new rows of the source the SELECT is run
// with the block in the source's place; what comes out is a block of the target, which may be the source of
// further rollups. All of it goes into the same commit as the block.
//
// Plans are compiled once per rollup and catalog version and kept.
package materialized

import (
	"context"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
)

// Rows are new rows of a table.
type Rows struct {
	Table *catalog.Table
	// Schema names and types the block's columns: the stored columns of the table in order; of a Kafka table
	// its columns and the virtual ones.
	Schema column.Schema
	Block  *column.Block
	// Keep, unless nil, selects those of the rows that the table's own rollups make that belong here; nil: none do. What further rollups make
	// of them belongs where they do.
	Keep func(t *catalog.Table, schema column.Schema, b *column.Block) (*column.Block, error)
}

// Options are what a Deriver works with.
type Options struct {
	// Snapshot opens the other tables that a rollup's SELECT reads (joins, IN); nil refuses them.
	Snapshot func(ctx context.Context) (exec.Storage, error)
	Clock    clock.Clock    // nil: the system's
	Zone     *time.Location // of the server; nil: UTC
	Server   function.Server
	// Dictionaries are those of a catalog, for SELECTs that call dictGet; nil: there are none.
	Dictionaries func(ctx context.Context, c *catalog.Catalog) function.Dictionaries
	Budget       *mem.Budget // of what derivation holds; nil: no limit
	Threads      int         // of one derivation; 0: 1
}

// Deriver derives rows. It is safe for concurrent use.
type Deriver struct {
	o  Options
	mu struct {
		sync.Mutex
		plans map[catalog.TableID]*compiled
	}
}

// New returns a deriver.
func New(o Options) *Deriver {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	d := &Deriver{o: o}
	d.mu.plans = map[catalog.TableID]*compiled{}
	return d
}

// maxCascade bounds rollups over rollups: longer chains are a circle or a mistake.
const maxCascade = 16

// Derive returns the rows that all rollups over in.Table, directly and through one another, make of the rows: per rollup, in order, those of its
// target. Tables without rows of their own (Null) are passed through and left out. The blocks have the targets' stored columns, flat.
// An error names the rollup; nothing may then be committed.
func (d *Deriver) Derive(ctx context.Context, c *catalog.Catalog, in Rows) ([]Rows, error) {
	if in.Block.N == 0 || len(c.RollupsOf(in.Table.ID)) == 0 {
		return nil, nil
	}
	env := &function.Env{Ctx: ctx, Now: d.o.Clock.Now(), Zone: d.o.Zone, Database: "default", User: "default", Server: d.o.Server}
	if d.o.Dictionaries != nil {
		env.Dictionaries = d.o.Dictionaries(ctx, c)
	}
	return d.derive(ctx, c, env, in, 0)
}

func (d *Deriver) derive(ctx context.Context, c *catalog.Catalog, env *function.Env, in Rows, depth int) ([]Rows, error) {
	if depth > maxCascade {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "Materialized views over %s depend on each other more than %d deep", in.Table.FullName(), maxCascade)
	}
	var out []Rows
	for _, rollup := range c.RollupsOf(in.Table.ID) {
		rows, err := d.one(ctx, c, env, rollup, in)
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "While pushing to materialized view %s", rollup.FullName())
		}
		if rows.Block != nil && in.Keep != nil {
			if rows.Block, err = in.Keep(rows.Table, rows.Schema, rows.Block); err != nil {
				return nil, err
			}
		}
		if rows.Block == nil {
			continue
		}
		if rows.Table.BaseEngine() != "Null" {
			out = append(out, rows)
		}
		more, err := d.derive(ctx, c, env, rows, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// one derives the rows of one rollup; without any, their Block is nil.
func (d *Deriver) one(ctx context.Context, c *catalog.Catalog, env *function.Env, rollup *catalog.Table, in Rows) (Rows, error) {
	p, err := d.plan(ctx, c, env, rollup, in)
	if err != nil {
		return Rows{}, err
	}
	block, err := d.run(ctx, env, p, in.Block)
	return Rows{Table: c.ByID(rollup.Target), Schema: p.fields, Block: block}, err
}
