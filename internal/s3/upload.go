package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/minio/minio-go/v7"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Memory is what an upload's buffer is held against.
type Memory interface {
	Reserve(n int64) error
	Release(n int64)
}

// Upload writes one object, in parts if it is large. For one goroutine, which calls Commit or Abort at the end, once.
type Upload struct {
	ctx   context.Context
	b     *Bucket
	key   string
	mem   Memory
	buf   []byte // of the next part
	id    string // of the upload of parts; empty: none was begun
	parts []minio.CompletePart
}

// Create begins to write an object; one of the key that is there is replaced by Commit.
func (b *Bucket) Create(ctx context.Context, key string, m Memory) *Upload {
	return &Upload{ctx: ctx, b: b, key: key, mem: m}
}

// Write implements io.Writer.
func (u *Upload) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(u.buf) == partBytes {
			if err := u.part(); err != nil {
				return n - len(p), err
			}
		}
		if err := u.grow(len(p)); err != nil {
			return n - len(p), err
		}
		k := min(len(p), cap(u.buf)-len(u.buf))
		u.buf, p = append(u.buf, p[:k]...), p[k:]
	}
	return n, nil
}

// grow makes room for n bytes, or for some of them.
func (u *Upload) grow(n int) error {
	if len(u.buf) < cap(u.buf) {
		return nil
	}
	size := min(max(2*cap(u.buf), cap(u.buf)+n, firstBuffer), partBytes)
	if err := u.mem.Reserve(int64(size)); err != nil {
		return err
	}
	old := u.buf
	u.buf = append(make([]byte, 0, size), old...)
	u.mem.Release(int64(cap(old)))
	return nil
}

// part sends the buffer as the next part.
func (u *Upload) part() error {
	var err error
	if u.id == "" {
		if u.id, err = u.b.client.NewMultipartUpload(u.ctx, u.b.name, u.key, minio.PutObjectOptions{ContentType: contentType}); err != nil {
			return u.b.failed(u.ctx, err, u.key)
		}
	}
	n := len(u.parts) + 1
	if n > maxParts {
		return sqlerr.New(sqlerr.TooManyBytes, "S3 key %s: an object has at most %d bytes", u.key, int64(maxParts)*partBytes)
	}
	sum := sha256.Sum256(u.buf) // one for all, rather than one for each chunk, which not all stores understand
	o := minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(sum[:]), DisableContentSha256: true}
	p, err := u.b.client.PutObjectPart(u.ctx, u.b.name, u.key, u.id, n, bytes.NewReader(u.buf), int64(len(u.buf)), o)
	if err != nil {
		return u.b.failed(u.ctx, err, u.key)
	}
	u.parts = append(u.parts, minio.CompletePart{PartNumber: n, ETag: p.ETag})
	u.buf = u.buf[:0]
	return nil
}

// Commit makes the object of what was written. After an error there is none of it.
func (u *Upload) Commit() error {
	if u.id == "" {
		err := u.b.Put(u.ctx, u.key, int64(len(u.buf)), bytes.NewReader(u.buf))
		u.free()
		return err
	}
	var err error
	if len(u.buf) > 0 {
		err = u.part()
	}
	if err == nil {
		_, err = u.b.client.CompleteMultipartUpload(u.ctx, u.b.name, u.key, u.id, u.parts, minio.PutObjectOptions{})
		err = u.b.failed(u.ctx, err, u.key)
	}
	if err != nil {
		return errors.Join(err, u.Abort())
	}
	u.free()
	return nil
}

// Abort gives up what was written.
func (u *Upload) Abort() error {
	u.free()
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
	defer cancel()
	return u.b.failed(ctx, u.b.client.AbortMultipartUpload(ctx, u.b.name, u.key, u.id), u.key)
}

func (u *Upload) free() {
	u.mem.Release(int64(cap(u.buf)))
	u.buf = nil
}
