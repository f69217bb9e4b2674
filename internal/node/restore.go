package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/segment"
)

// OpenBackup implements query.Backups.
func (n *Node) OpenBackup(ctx context.Context, from backup.Location) (*backup.Reader, error) {
	return n.backups.places.Open(ctx, from)
}

// Restore implements query.Backups: the rows go to the shards by the table's sharding key, or else to the shard of the number
// that they were on, round the number of shards there are, as whole segments where the table would write the same (adopt.go); one commit a shard. Rollups are left
// alone: they are restored as they were.
func (n *Node) Restore(ctx context.Context, r *backup.Reader, from *backup.Table, into *catalog.Table) error {
	pt, err := plan.NewTable(into)
	if err != nil {
		return err
	}
	spec, err := n.shards.specs.compile(into)
	if err != nil || spec == nil {
		return err
	}
	o := query.InsertOptions{Direct: true}
	count := n.shards.count()
	rows := func(segs []backup.Segment) *restoredRows {
		return &restoredRows{n: n, from: r, spec: spec, want: storedSchema(into, pt.Schema()), stored: from.Stored, into: into.StoredNames(), segs: segs}
	}
	if count > 1 && into.ShardingKey() != "" {
		in := rows(from.Segments)
		_, err := n.writer.Insert(ctx, into, in.next, o)
		return errors.Join(err, in.close())
	}
	target := map[uint64][]backup.Segment{}
	for _, s := range from.Segments {
		id := (s.Shard-1)%uint64(count) + 1
		target[id] = append(target[id], s)
	}
	for _, id := range slices.Sorted(maps.Keys(target)) {
		adopted, err := n.adoptOn(ctx, id, r, from, into, target[id])
		if err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "Shard %d", id)
		}
		if adopted {
			continue
		}
		in := rows(target[id])
		err = n.restoreOn(ctx, id, into, in, o)
		if err := errors.Join(err, in.close()); err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "Shard %d", id)
		}
	}
	return nil
}

func (n *Node) restoreOn(ctx context.Context, id uint64, into *catalog.Table, in *restoredRows, o query.InsertOptions) error {
	head := &headBlocks{next: in.next}
	whole, err := head.gather(ctx, restoreHead)
	if err == nil {
		_, err = n.writer.one(ctx, id, into, head, whole, o)
	}
	return err
}

// restoreHead is how many bytes of rows are held to see whether they are all: those go through the log, more become segments at once.
const restoreHead = 256 << 10

// restoredRows reads the rows of segments of a backup, one segment after the other, each through a file of this node. For one goroutine at a time.
type restoredRows struct {
	n    *Node
	from *backup.Reader
	spec *mergetree.Spec
	want column.Schema
	// stored are the names by which segments know columns of another name, into those by which the table does that is written.
	stored, into map[string]string
	segs         []backup.Segment // to be read

	reader *segment.Reader // nil between segments
	name   string          // of its file
	src    *source
	at     int
}

// restoreFiles numbers the files of segments being restored.
var restoreFiles atomic.Uint64

// restoreRun is the rows of a block.
const restoreRun = maxMorsel

func (x *restoredRows) next(ctx context.Context) (*column.Block, error) {
	for x.reader == nil || x.at == x.reader.Rows() {
		if err := x.close(); err != nil {
			return nil, err
		}
		if len(x.segs) == 0 {
			return nil, nil
		}
		s := x.segs[0]
		x.segs = x.segs[1:]
		if err := x.open(ctx, &s); err != nil {
			return nil, err
		}
	}
	to := min(x.at+restoreRun, x.reader.Rows())
	b, err := x.src.block(ctx, x.at, to)
	x.at = to
	return b, err
}

// open copies a segment's file here, and checks it: first the bytes, then what it says of itself.
func (x *restoredRows) open(ctx context.Context, s *backup.Segment) error {
	fsys := x.n.cfg.FS
	x.name = filepath.Join(x.n.cfg.Data, scratchDir, "restore-"+strconv.FormatUint(restoreFiles.Add(1), 10))
	f, err := fsys.Create(x.name)
	if err != nil {
		return err
	}
	if err := errors.Join(x.from.Copy(ctx, s, f), f.Close()); err != nil {
		return noSpace(err, "segment %s of the backup", s.Hash)
	}
	r, err := segment.Open(fsys, x.name, nil)
	if err != nil {
		return fmt.Errorf("segment %s of the backup: %w", s.Hash, err)
	}
	x.reader, x.at = r, 0
	if r.Meta().Hash != s.Hash || uint64(r.Rows()) != s.Rows {
		return sqlerr.New(sqlerr.BackupDamaged, "Segment %s of the backup has %d rows and calls itself %s; %d rows are wanted", s.Hash, r.Rows(), r.Meta().Hash, s.Rows)
	}
	x.src = newSource(x.spec, x.want, x.named(r.Schema()))
	x.src.reader = r
	return nil
}

// named is the schema of a segment with the stored names that its columns have in the table that is written; those that were dropped have one that
// no column has.
func (x *restoredRows) named(have column.Schema) column.Schema {
	if x.stored == nil && x.into == nil {
		return have
	}
	names := map[string]string{}
	for name, stored := range x.stored {
		names[stored] = name
	}
	out := slices.Clone(have)
	for i, f := range out {
		name, ok := names[f.Name]
		if _, other := x.stored[f.Name]; !ok && other {
			name = "#" + f.Name
		} else if !ok {
			name = f.Name
		}
		if stored, ok := x.into[name]; ok {
			name = stored
		} else if slices.Contains(slices.Collect(maps.Values(x.into)), name) {
			name = "#" + name
		}
		out[i].Name = name
	}
	return out
}

// close gives up the segment being read.
func (x *restoredRows) close() error {
	var errs []error
	if x.reader != nil {
		errs = append(errs, x.reader.Release())
		x.reader = nil
	}
	if x.name != "" {
		errs = append(errs, x.n.cfg.FS.RemoveAll(x.name))
		x.name = ""
	}
	return errors.Join(errs...)
}

// CountRows implements query.Backups.
func (n *Node) CountRows(ctx context.Context, t *catalog.Table) (uint64, error) {
	var rows atomic.Uint64
	version := n.cluster.Topology().Version
	err := n.shards.each(func(id uint64) error {
		a, err := n.do(ctx, &shardRequest{Shard: id, Op: opCount, Table: t.ID, Catalog: n.cluster.Meta().Catalog().Version, Topology: version})
		if err == nil {
			rows.Add(a.Rows)
		}
		return err
	})
	return rows.Load(), err
}

// noSpace gives the error of a full disk the code that clients know.
func noSpace(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if vfs.IsNoSpace(err) {
		return sqlerr.Wrap(err, sqlerr.NotEnoughSpace, "No space for %s", what)
	}
	return fmt.Errorf("%s: %w", what, err)
}
