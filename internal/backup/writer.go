package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Writer writes a backup. For one goroutine.
type Writer struct {
	st      Storage
	bases   []Location
	have    map[string]Segment // by hash: what the backup or its bases have
	written []string           // files
	// Written is what was written; what a base has is not in it.
	Written Moved
}

// Moved counts segments, and the bytes of their files.
type Moved struct{ Segments, Bytes uint64 }

// Create begins a backup, incremental on base unless that is nil. BackupAlreadyExists if there is a complete one.
func (p *Places) Create(ctx context.Context, at Location, base *Location) (*Writer, error) {
	st, err := p.Storage(at)
	if err != nil {
		return nil, err
	}
	switch _, err := load(ctx, st); {
	case err == nil, sqlerr.Is(err, sqlerr.BackupDamaged), sqlerr.Is(err, sqlerr.BackupVersionNotSupported):
		return nil, sqlerr.New(sqlerr.BackupAlreadyExists, "Backup %s already exists.", at)
	case !errors.Is(err, errNotExist):
		return nil, err
	}
	w := &Writer{st: st, have: map[string]Segment{}}
	if base == nil {
		return w, nil
	}
	r, err := p.Open(ctx, *base)
	if err != nil {
		return nil, err
	}
	w.bases = append([]Location{base.public()}, r.Manifest.Bases...)
	if len(w.bases) > maxBases {
		return nil, sqlerr.New(sqlerr.BadArguments, "Backup %s has %d bases behind it already, the limit is %d", base, len(r.Manifest.Bases), maxBases-1)
	}
	for _, t := range r.Manifest.Tables {
		for _, s := range t.Segments {
			s.Base++ // the base's own are in Bases[0], those of its bases one further on
			w.have[s.Hash] = s
		}
	}
	return w, nil
}

// Known returns what to put into the manifest for a segment whose file the backup or a base has already.
func (w *Writer) Known(s Segment) (Segment, bool) {
	old, ok := w.have[s.Hash]
	if !ok || old.Bytes != s.Bytes {
		return s, false
	}
	s.SHA256, s.Base = old.SHA256, old.Base
	return s, true
}

// Put writes a segment's file and returns what to put into the manifest.
func (w *Writer) Put(ctx context.Context, s Segment, r io.Reader) (Segment, error) {
	h := sha256.New()
	if err := w.st.Put(ctx, s.file(), int64(s.Bytes), io.TeeReader(r, h)); err != nil {
		return s, err
	}
	w.written = append(w.written, s.file())
	s.SHA256, s.Base = hex.EncodeToString(h.Sum(nil)), 0
	w.have[s.Hash] = s
	w.Written.Segments++
	w.Written.Bytes += s.Bytes
	return s, nil
}

// Finish makes the backup complete.
func (w *Writer) Finish(ctx context.Context, m *Manifest) error {
	m.Bases = w.bases
	b, err := m.encode()
	if err != nil {
		return err
	}
	return w.st.Put(ctx, manifestName, int64(len(b)), bytes.NewReader(b))
}

// Abandon removes what was written of a backup that was not finished.
func (w *Writer) Abandon(ctx context.Context) error {
	var errs []error
	for _, name := range w.written {
		errs = append(errs, w.st.Remove(ctx, name))
	}
	return errors.Join(errs...)
}
