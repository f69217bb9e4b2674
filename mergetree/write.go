package mergetree

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment"
)

// output is one segment file being written.
type output struct {
	s    *Store
	spec *Spec
	seg  Segment
	w    *segment.Writer
	// full is the blocks that rows came from lately, with their expressions.
	full map[*column.Block]*column.Block
}

// maxFull bounds output.full: the blocks that a merge stands in.
const maxFull = 2 * maxFanIn

// newOutput creates the file of a segment whose ID, hash and sizes are still to come.
// Its columns are encoded by so many workers; whole is segment.Options.Whole.
func (s *Store) newOutput(spec *Spec, seg Segment, partition []segment.Value, workers int, whole bool) (*output, error) {
	seg.ID, seg.Created = s.newID(), s.clk.Now().Unix()
	o := &output{s: s, spec: spec, seg: seg, full: map[*column.Block]*column.Block{}}
	var err error
	form := s.form(spec)
	form.ID, form.Level, form.PartitionID, form.Partition = seg.ID, int(seg.Level), seg.Partition, partition
	form.Budget, form.Workers, form.Whole = s.opts.Budget, workers, whole
	form.MinIndex, form.MaxIndex = seg.First.Index(), seg.Last.Index()
	o.w, err = segment.NewWriter(s.fs, s.pathOf(seg.ID), form)
	if err != nil {
		s.files.gone(seg.ID)
		return nil, err
	}
	o.seg.TTLMin, o.seg.TTLMax = NoTTL, 0
	return o, nil
}

// form is what all files of the table have in common.
func (spec *Spec) form() segment.Options {
	return segment.Options{Schema: spec.Columns, Exprs: spec.Exprs, SortKey: spec.SortKey, PrimaryLen: spec.PrimaryKey, Granularity: spec.Granularity,
		Indexes: slices.Clone(spec.Indexes)}
}

// form is what the store's files of a table have in common.
func (s *Store) form(spec *Spec) segment.Options {
	form := spec.form()
	form.Paths = s.opts.Paths == nil || s.opts.Paths()
	return form
}

// append writes sorted rows of all columns.
func (o *output) append(b *column.Block) error {
	return o.appendRun(segment.Run{Block: b, To: b.N})
}

// appendRun writes rows of a block of all columns, every row of which is written sooner or later.
func (o *output) appendRun(r segment.Run) error {
	if r.From == r.To {
		return nil
	}
	full := o.full[r.Block]
	if full == nil {
		var err error
		if full, err = o.complete(r.Block); err != nil {
			return err
		}
		if len(o.full) == maxFull {
			clear(o.full)
		}
		o.full[r.Block] = full
	}
	r.Block = full
	return o.w.AppendRun(r)
}

// complete notes when the rows of a block expire, and adds the expressions.
func (o *output) complete(b *column.Block) (*column.Block, error) {
	if o.spec.TTL != nil {
		ttl, err := o.spec.TTL(b)
		if err != nil {
			return nil, fmt.Errorf("mergetree: TTL of %s: %w", o.spec.Name, err)
		}
		o.seg.TTLMin, o.seg.TTLMax = min(o.seg.TTLMin, slices.Min(ttl)), max(o.seg.TTLMax, slices.Max(ttl))
	}
	return o.spec.withExprs(b)
}

// finish makes the file durable. A segment without rows is nil, its file gone.
func (o *output) finish(ctx context.Context) (*Segment, error) {
	if o.w.Rows() == 0 {
		return nil, o.abort()
	}
	m, err := o.w.Finish(ctx)
	if err != nil {
		return nil, errors.Join(err, o.abort())
	}
	hash, err := hex.DecodeString(m.Hash)
	if err != nil || len(hash) != len(o.seg.Hash) {
		return nil, fmt.Errorf("mergetree: hash %q of segment %s: %w", m.Hash, m.ID, err)
	}
	copy(o.seg.Hash[:], hash)
	o.seg.Rows, o.seg.Bytes, o.seg.RawBytes = uint64(m.Rows), uint64(m.Bytes), uint64(m.RawBytes)
	if o.spec.TTL == nil {
		o.seg.TTLMin, o.seg.TTLMax = NoTTL, NoTTL
	}
	o.s.files.complete(o.seg.ID, 0)
	return &o.seg, nil
}

// abort removes the file; it may be called after an error of any method, also twice.
func (o *output) abort() error {
	err := o.w.Abort()
	if rerr := o.s.fs.Remove(o.s.pathOf(o.seg.ID)); rerr != nil && !vfs.IsNotExist(rerr) {
		err = errors.Join(err, rerr)
	}
	o.s.files.gone(o.seg.ID)
	return err
}

// removeFiles deletes the files of segments that no edit will name. What cannot be deleted is left to CleanOrphans.
func (s *Store) removeFiles(segs []Segment) {
	for _, seg := range segs {
		if s.files.isKnown(seg.ID) { // a commit that was thought lost, and came through
			continue
		}
		if err := s.fs.Remove(s.pathOf(seg.ID)); err != nil && !vfs.IsNotExist(err) {
			s.log.Warn("deleting a segment that was not committed", "segment", seg.ID, "error", err)
			s.files.settled(seg.ID)
			continue
		}
		s.files.gone(seg.ID)
	}
}

// partitionRows is the rows of a block that belong to one partition.
type partitionRows struct {
	id    string
	value []segment.Value
	rows  []uint32 // nil: all
}

// allPartition is the ID of the partition of a table without PARTITION BY, as in ClickHouse.
const allPartition = "all"

// split groups the rows of a block by partition, the partitions in order of their IDs.
func (spec *Spec) split(b *column.Block) ([]partitionRows, error) {
	if spec.Partition == nil {
		return []partitionRows{{id: allPartition}}, nil
	}
	key, err := spec.Partition(b)
	if err != nil {
		return nil, fmt.Errorf("mergetree: partition of %s: %w", spec.Name, err)
	}
	for i := range key {
		key[i] = column.Flatten(key[i])
	}
	at := map[string]int{}
	var parts []partitionRows
	last := -1
	for i := range b.N {
		if last < 0 || !equalRows(key, i-1, i) {
			id := spec.PartitionID(key, i)
			k, ok := at[id]
			if !ok {
				k = len(parts)
				at[id] = k
				parts = append(parts, partitionRows{id: id, value: valuesAt(key, i)})
			}
			last = k
		}
		parts[last].rows = append(parts[last].rows, uint32(i))
	}
	if len(parts) == 1 {
		parts[0].rows = nil
	}
	slices.SortFunc(parts, func(a, b partitionRows) int { return strings.Compare(a.id, b.id) })
	return parts, nil
}

func valuesAt(key []column.Vector, i int) []segment.Value {
	out := make([]segment.Value, len(key))
	for k, v := range key {
		out[k] = segment.ValueAt(v, i)
	}
	return out
}

// writeSorted turns rows in order of commit into one segment per partition: split, sorted and collapsed. The template
// has the level and the sequence numbers. On error nothing is left.
func (s *Store) writeSorted(ctx context.Context, spec *Spec, b *column.Block, template Segment) ([]Segment, error) {
	parts, err := spec.split(b)
	if err != nil {
		return nil, err
	}
	var out []Segment
	for _, p := range parts {
		seg, err := s.writePartition(ctx, spec, b, p, template)
		if err != nil {
			s.removeFiles(out)
			return nil, err
		}
		if seg != nil {
			out = append(out, *seg)
		}
	}
	return out, nil
}

func (s *Store) writePartition(ctx context.Context, spec *Spec, b *column.Block, p partitionRows, template Segment) (*Segment, error) {
	if p.rows != nil {
		b = b.Gather(p.rows)
	}
	keys, err := spec.keys(b)
	if err != nil {
		return nil, err
	}
	sel := sortRows(keys, b.N)
	if spec.Mode != Plain && !spec.Settings.KeepUncollapsed {
		if sel != nil {
			b, sel = b.Gather(sel), nil
		}
		if b, err = collapseSorted(spec, b); err != nil {
			return nil, err
		}
	}
	template.Partition = p.id
	o, err := s.newOutput(spec, template, p.value, runtime.GOMAXPROCS(0), false)
	if err != nil {
		return nil, err
	}
	for from := 0; from < b.N; from += segment.PageRows {
		run := segment.Run{Block: b, Sel: sel, From: from, To: min(from+segment.PageRows, b.N)}
		if err := errors.Join(ctx.Err(), o.appendRun(run)); err != nil {
			return nil, errors.Join(err, o.abort())
		}
	}
	return o.finish(ctx)
}
