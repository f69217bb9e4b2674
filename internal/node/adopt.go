package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

const (
	// adoptBytes is what the segments of a table and shard must have to be taken over as files: the rows of fewer go through the log.
	adoptBytes = 64 << 10
	// maxAdopted bounds the segments of one commit: the entry has some 150 bytes of each, and an edit has room for 65,535.
	maxAdopted = 16 << 10
)

// adoptOn lets the leader of a shard take over the files of a table of a backup, and reports whether it has; else nothing has happened, and the rows have to be
// written anew: the files are not what the table would write, or not all nodes know of this.
func (n *Node) adoptOn(ctx context.Context, id uint64, r *backup.Reader, from *backup.Table, into *catalog.Table, segs []backup.Segment) (bool, error) {
	bytes := uint64(0)
	for _, s := range segs {
		bytes += s.Bytes
	}
	if !n.cluster.Level().Has(feature.AdoptSegments) || bytes < adoptBytes || len(segs) > maxAdopted || !maps.Equal(from.Stored, into.StoredNames()) {
		return false, nil
	}
	q := &shardRequest{Shard: id, Op: opAdopt, Table: into.ID, Catalog: n.cluster.Meta().Catalog().Version}
	for _, s := range segs {
		as := mergetree.Segment{Partition: s.Partition, Rows: s.Rows, Bytes: s.Bytes, TTLMin: s.TTLMin, TTLMax: s.TTLMax}
		hash, err := hex.DecodeString(s.Hash)
		if err != nil || len(hash) != len(as.Hash) {
			return false, sqlerr.New(sqlerr.BackupDamaged, "The backup names a segment %q", s.Hash)
		}
		copy(as.Hash[:], hash)
		q.Segments = append(q.Segments, as)
	}
	if here := n.shards.led(id); here != nil {
		return n.adopt(ctx, here, q, func(i int, w io.Writer) error { return r.Copy(ctx, &segs[i], w) })
	}
	a, err := n.elsewhere(ctx, q, func(to rpc.Stream) error {
		for i := range segs {
			if err := r.Copy(ctx, &segs[i], pieces{to}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	return a.Adopted, nil
}

// adopt takes over files, whose bytes file writes, one after the other, and commits them all in one entry. This node leads the shard.
func (n *Node) adopt(ctx context.Context, to *cluster.Shard, q *shardRequest, file func(i int, w io.Writer) error) (bool, error) {
	c := n.cluster.Meta().Catalog()
	t := c.ByID(q.Table)
	if t == nil {
		return false, sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist any more", q.Table)
	}
	e := mergetree.Edit{Table: q.Table, Cause: mergetree.CauseInsert}
	for i, as := range q.Segments {
		seg, ok, err := to.Store().Adopt(ctx, q.Table, as, func(w io.Writer) error { return file(i, w) })
		if err != nil || !ok {
			to.Store().Discard(e.Add)
			return false, err
		}
		e.Add = append(e.Add, seg)
	}
	_, err := to.CommitSegments(ctx, cluster.EditBatch{Claims: cluster.Claims{Schema: c.Version}, Edits: []mergetree.Edit{e}})
	switch {
	case errors.Is(err, cluster.ErrUnknown):
		to.Store().Release(e.Add)
	case err != nil:
		to.Store().Discard(e.Add)
	}
	if errors.Is(err, cluster.ErrSchemaChanged) {
		err = sqlerr.New(sqlerr.Aborted, "Table %s changed while it was restored; nothing was written, try again", t.FullName())
	}
	return err == nil, err
}

// serveAdopt does opAdopt for another node.
func (n *Node) serveAdopt(ctx context.Context, r *cluster.Shard, q *shardRequest, s rpc.Stream) error {
	done, err := n.adopt(ctx, r, q, func(i int, w io.Writer) error {
		_, err := io.Copy(w, &fileStream{s: s, left: int64(q.Segments[i].Bytes)})
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(&shardAnswer{Adopted: done})
	if err != nil {
		return err
	}
	return s.Send(text)
}

// pieces sends what is written to it as messages.
type pieces struct{ to rpc.Stream }

// Write implements io.Writer.
func (p pieces) Write(b []byte) (int, error) {
	for piece := range slices.Chunk(b, backupChunk) {
		if err := p.to.Send(slices.Clone(piece)); err != nil { // the stream keeps it
			return 0, err
		}
	}
	return len(b), nil
}
