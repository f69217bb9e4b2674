package files

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// Sink writes rows into one file. One goroutine uses it, and calls Close or Abort at the end.
type Sink struct {
	out   target
	coder io.WriteCloser // nil: not compressed
	w     format.Writer
}

// target is where the bytes of a Sink go.
type target interface {
	io.Writer
	// commit makes what was written durable; abort takes it back; a file that was to be emptied stays empty. Either is called once.
	commit() error
	abort() error
}

// Create opens the file of a request for rows of the schema: a new one, or the end of one that is there, if its format can be added to.
func Create(ctx context.Context, r *Reach, q Request, schema column.Schema, o Options) (*Sink, error) {
	if err := q.writable(); err != nil {
		return nil, err
	}
	name := q.name()
	f, err := q.formatOf(name)
	if err != nil {
		return nil, err
	}
	coding, err := q.coding(name)
	if err != nil {
		return nil, err
	}
	s := &Sink{}
	if s.out, f, err = r.target(ctx, q, f, coding, o); err != nil {
		return nil, err
	}
	var w io.Writer = s.out
	if coding != compress.Identity {
		if s.coder, err = compress.NewWriter(s.out, coding); err != nil {
			return nil, errors.Join(err, s.out.abort())
		}
		w = s.coder
	}
	if s.w, err = f.NewWriter(w, schema, o.Format); err != nil {
		return nil, errors.Join(err, s.out.abort())
	}
	return s, nil
}

// Write appends the rows of a block of the schema.
func (s *Sink) Write(b *column.Block) error { return s.w.Write(b) }

// Close makes the rows durable; after an error there are none of them.
func (s *Sink) Close() error {
	err := s.w.Close(format.Stats{})
	if s.coder != nil {
		err = errors.Join(err, s.coder.Close())
	}
	if err != nil {
		return errors.Join(err, s.out.abort())
	}
	return s.out.commit()
}

// Abort takes back what was written.
func (s *Sink) Abort() error { return s.out.abort() }

// writable refuses a path that stands for many files.
func (q *Request) writable() error {
	wild := "*?{"
	if q.Function == "url" {
		wild = "{" // a question mark stands before the parameters, and an asterisk for itself
	}
	if strings.ContainsAny(q.Path, wild) {
		return sqlerr.New(sqlerr.DatabaseAccessDenied, "The path of table function %s stands for many files: it cannot write to them", q.Function)
	}
	return nil
}

// name is the path by whose end format and compression are known.
func (q *Request) name() string {
	if q.Function != "url" {
		return q.Path
	}
	bare, _, _ := strings.Cut(q.Path, "?")
	return bare
}

// target opens where the bytes go; the format may lose its header.
func (r *Reach) target(ctx context.Context, q Request, f *format.Format, coding compress.Coding, o Options) (target, *format.Format, error) {
	switch q.Function {
	case "url":
		t, err := r.post(ctx, q, f, coding)
		return t, f, err
	case "s3":
		t, err := r.storedTarget(ctx, q, o)
		return t, f, err
	}
	return r.localTarget(q, f, coding, o)
}

// localTarget opens a file in the folder.
func (r *Reach) localTarget(q Request, f *format.Format, coding compress.Coding, o Options) (target, *format.Format, error) {
	if r != nil && r.Folder != "" {
		if err := r.FS.MkdirAll(r.Folder); err != nil {
			return nil, nil, sqlerr.Wrap(err, sqlerr.CannotOpenFile, "Folder of user files")
		}
	}
	l, err := r.local(q.Path)
	if err != nil {
		return nil, nil, err
	}
	t := &localTarget{l: l}
	info, err := l.folder.Stat(l.name)
	switch {
	case vfs.IsNotExist(err):
		t.fresh = true
	case err != nil:
		return nil, nil, errors.Join(l.failed(err, l.name), l.close())
	case info.Size > 0 && !o.Truncate:
		headless, ok := f.Appendable()
		if !ok || coding != compress.Identity {
			err := sqlerr.New(sqlerr.CannotAppendToFile, "File %s already exists and data cannot be appended to this file as the %s format doesn't support appends, or it is compressed. You can enable truncate on insertion with the engine_file_truncate_on_insert setting", l.shown(l.name), f.Name)
			return nil, nil, errors.Join(err, l.close())
		}
		f, t.before = headless, info.Size
	}
	open := l.folder.Create
	if t.before > 0 {
		open = l.folder.OpenAppend
	}
	if t.f, err = open(l.name); err != nil {
		return nil, nil, errors.Join(l.failed(err, l.name), l.close())
	}
	return t, f, nil
}

// localTarget is a file in the folder.
type localTarget struct {
	l      *local
	f      vfs.File
	before int64 // bytes that were there
	fresh  bool  // there was no such file
}

// Write implements io.Writer.
func (t *localTarget) Write(b []byte) (int, error) {
	n, err := t.f.Write(b)
	return n, t.l.failed(err, t.l.name)
}

func (t *localTarget) commit() error {
	err := t.f.Sync()
	if err != nil {
		return errors.Join(t.l.failed(err, t.l.name), t.abort())
	}
	return errors.Join(t.l.failed(t.f.Close(), t.l.name), t.l.close())
}

func (t *localTarget) abort() error {
	err := t.f.Truncate(t.before)
	err = errors.Join(err, t.f.Close())
	if t.fresh {
		err = errors.Join(err, t.l.folder.Remove(t.l.name))
	}
	return errors.Join(t.l.failed(err, t.l.name), t.l.close())
}
