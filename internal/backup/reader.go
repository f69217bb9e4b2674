package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Reader is a complete backup. Safe for concurrent use.
type Reader struct {
	Manifest *Manifest
	places   *Places
	at       Location
	mu       struct {
		sync.Mutex
		storages map[int]Storage // 0: its own; others: of bases
	}
}

// Open opens a complete backup. BackupNotFound if there is none, BackupDamaged if it cannot be read.
func (p *Places) Open(ctx context.Context, at Location) (*Reader, error) {
	st, err := p.Storage(at)
	if err != nil {
		return nil, err
	}
	m, err := load(ctx, st)
	if errors.Is(err, errNotExist) {
		return nil, sqlerr.Wrap(err, sqlerr.BackupNotFound, "Backup %s not found.", at)
	}
	if err != nil {
		return nil, err
	}
	r := &Reader{Manifest: m, places: p, at: at}
	r.mu.storages = map[int]Storage{0: st}
	return r, nil
}

// storage is where a segment's file is.
func (r *Reader) storage(base int) (Storage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if st := r.mu.storages[base]; st != nil {
		return st, nil
	}
	st, err := r.places.Storage(r.Manifest.Bases[base-1].withKeysOf(r.at))
	if err == nil {
		r.mu.storages[base] = st
	}
	return st, err
}

// Copy writes a segment's file to w. It fails with BackupDamaged, after some bytes perhaps, unless all of them are as they were.
func (r *Reader) Copy(ctx context.Context, s *Segment, w io.Writer) error {
	st, err := r.storage(s.Base)
	if err != nil {
		return err
	}
	f, err := st.Open(ctx, s.file())
	if errors.Is(err, errNotExist) {
		return sqlerr.Wrap(err, sqlerr.BackupDamaged, "Segment %s is missing in backup %s", s.Hash, r.of(s))
	}
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.CopyBuffer(io.MultiWriter(onlyWriter{w}, h), io.LimitReader(&untilDone{ctx, f}, int64(s.Bytes)+1), make([]byte, copyBuffer))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if n != int64(s.Bytes) || hex.EncodeToString(h.Sum(nil)) != s.SHA256 {
		return sqlerr.New(sqlerr.BackupDamaged, "Segment %s in backup %s is damaged: %d bytes were read of %d, or their checksum does not match", s.Hash, r.of(s), n, s.Bytes)
	}
	return nil
}

// of is the backup that has a segment's file.
func (r *Reader) of(s *Segment) Location {
	if s.Base > 0 {
		return r.Manifest.Bases[s.Base-1]
	}
	return r.at
}
