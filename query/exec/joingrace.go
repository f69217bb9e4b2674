package exec

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/exec/spill"
)

// A join whose side in memory takes too much of it goes on by parts: both sides are written to temporary files, dealt out by the hash of their
// keys, and the parts are joined one by one, as joins of their own. Partners have equal keys, and so are in the same part.

const (
	// gracePartBits is the parts of a join, as a power of two: of each side one file of each is open at a time.
	gracePartBits = 5
	graceParts    = 1 << gracePartBits
	// maxGraceDepth is how often parts that are too large themselves are parted again: more would only help against keys that are the same.
	maxGraceDepth = 3
	// tableRowBytes is about what a key takes in the table of a join.
	tableRowBytes = 32
)

// joinNeed is the memory that rows take to be joined with: their blocks, these joined, and what finds them.
func joinNeed(rows, bytes int64) int64 { return 2*bytes + (indexBytes+tableRowBytes)*rows }

// grace is a join that goes on by parts.
type grace struct {
	built, streamed *partFiles // sides
	next            atomic.Int64
}

// partFiles deals rows out to files by the hash of their keys. Safe for concurrent use.
type partFiles struct {
	j     *Join
	keys  *eval.Program
	depth int
	parts [graceParts]partFile
}

type partFile struct {
	mu   sync.Mutex
	w    *spill.Writer
	file *spill.File
}

// mayPart reports whether the join can go on by parts: it has keys that differ from row to row, and somewhere to write to.
func (g *joining) mayPart() bool {
	j := g.j
	return g.r.opts.Temp != nil && g.most > 0 && g.depth < maxGraceDepth && j.equalities() > 0 &&
		len(j.LeftKeys.Columns()) > 0 && len(j.RightKeys.Columns()) > 0
}

func (g *joining) newPartFiles(keys *eval.Program) (*partFiles, error) {
	f := &partFiles{j: g.j, keys: keys, depth: g.depth}
	for i := range f.parts {
		w, err := g.r.opts.Temp.Create()
		if err != nil {
			return nil, errors.Join(err, f.abort())
		}
		f.parts[i].w = w
	}
	g.r.atEnd(f.abort)
	return f, nil
}

// abort removes what is not finished.
func (f *partFiles) abort() error {
	var errs []error
	for i := range f.parts {
		if w := f.parts[i].w; w != nil {
			f.parts[i].w = nil
			errs = append(errs, w.Abort())
		}
	}
	return errors.Join(errs...)
}

// add writes the rows of a block to their parts.
func (f *partFiles) add(b *column.Block) error {
	keys, _, err := f.j.keys(f.keys, b)
	if err != nil {
		return err
	}
	sel := f.deal(keys[:f.j.equalities()], b.N)
	for k, rows := range sel {
		if len(rows) == 0 {
			continue
		}
		if err := f.parts[k].write(gatherBlock(b, rows)); err != nil {
			return err
		}
	}
	return nil
}

// deal returns the rows of each part. Parts of parts are by other bits of the hash.
func (f *partFiles) deal(keys []column.Vector, n int) (sel [graceParts][]uint32) {
	hashes, next := make([]uint64, n), make([]uint64, n)
	column.Hash(keys[0], hashes)
	for _, k := range keys[1:] {
		column.Hash(k, next)
		for i := range hashes {
			hashes[i] = column.Combine(hashes[i], next[i])
		}
	}
	shift := 64 - gracePartBits*(f.depth+1)
	for i, h := range hashes {
		k := column.Mix(h) >> shift & (graceParts - 1)
		sel[k] = append(sel[k], uint32(i))
	}
	return sel
}

func (p *partFile) write(b *column.Block) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.w.Write(b)
}

// finish ends the files, which can be read then.
func (f *partFiles) finish() error {
	for i := range f.parts {
		p := &f.parts[i]
		w := p.w
		p.w = nil
		var err error
		if p.file, err = w.Finish(); err != nil {
			return err
		}
	}
	return nil
}

// part writes the side being read for memory, so far blocks, to files from now on.
func (g *joining) part(blocks []*column.Block) error {
	built, err := g.newPartFiles(g.j.builtKeys(g.swapped))
	if err != nil {
		return err
	}
	g.grace = &grace{built: built}
	for _, b := range blocks {
		if err := built.add(b); err != nil {
			return err
		}
	}
	return nil
}

// partStreamed writes the other side, and makes both ready to be joined.
func (g *joining) partStreamed(ctx context.Context) error {
	if err := g.grace.built.finish(); err != nil {
		return err
	}
	var err error
	if g.grace.streamed, err = g.newPartFiles(g.j.builtKeys(!g.swapped)); err != nil {
		return err
	}
	err = g.r.parallel(ctx, len(g.left), func(ctx context.Context, i int) error {
		return drain(ctx, g.left[i], g.grace.streamed.add)
	})
	if err != nil {
		return err
	}
	return g.grace.streamed.finish()
}

// partJoin is a part being joined.
type partJoin struct {
	g     *joining
	out   *joinStream
	files [2]*fileStream
}

// nextPart begins with the next part that has rows; nil at the end.
func (g *joining) nextPart() (*partJoin, error) {
	for k := int(g.grace.next.Add(1)) - 1; k < graceParts; k = int(g.grace.next.Add(1)) - 1 {
		built, streamed := g.grace.built.parts[k].file, g.grace.streamed.parts[k].file
		if built.Rows() == 0 && streamed.Rows() == 0 {
			continue
		}
		p := &partJoin{files: [2]*fileStream{{file: built}, {file: streamed}}}
		p.g = &joining{once: newOnce(), j: g.j, r: g.r, right: []Stream{p.files[0]}, left: []Stream{p.files[1]}, swapped: g.swapped, first: g.first, all: g.all,
			most: g.most / int64(g.r.opts.Threads), depth: g.depth + 1}
		p.g.active.Store(1)
		for _, f := range p.files {
			g.r.atEnd(f.close)
		}
		p.out = &joinStream{g: p.g, in: p.files[1]}
		return p, nil
	}
	return nil, nil
}

// close gives back what the part holds.
func (p *partJoin) close() error {
	for _, h := range p.g.held {
		h.release()
	}
	var errs []error
	for _, f := range p.files {
		errs = append(errs, f.close(), f.file.Remove())
	}
	return errors.Join(errs...)
}

// partNext yields the rows of part after part.
func (s *joinStream) partNext(ctx context.Context) (*column.Block, error) {
	for {
		if s.part == nil {
			var err error
			if s.part, err = s.g.nextPart(); s.part == nil || err != nil {
				return nil, err
			}
		}
		b, err := s.part.out.Next(ctx)
		if err != nil {
			return nil, errors.Join(err, s.part.close())
		}
		if b != nil {
			return b, nil
		}
		if err := s.part.close(); err != nil {
			return nil, err
		}
		s.part = nil
	}
}

// fileStream yields what was written to a file. It opens the file when it is asked for the first rows.
type fileStream struct {
	file *spill.File
	in   *spill.Reader
}

func (f *fileStream) Next(ctx context.Context) (*column.Block, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.in == nil {
		var err error
		if f.in, err = f.file.Open(); err != nil {
			return nil, err
		}
	}
	b, err := f.in.Next()
	if err != nil || b == nil {
		return nil, err
	}
	b.Cols = slices.Clip(b.Cols) // a join appends the other side's
	return b, nil
}

func (f *fileStream) close() error {
	if f.in == nil {
		return nil
	}
	in := f.in
	f.in = nil
	return in.Close()
}
