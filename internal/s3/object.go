package s3

import (
	"context"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Object is an object being read, from its start or at any place. Read is for one goroutine, ReadAt for any number; requests are made when they
// are called, and end with the context of Object.
type Object struct {
	ctx  context.Context
	b    *Bucket
	info Info
	body io.ReadCloser // of Read; nil: not begun
	done int64
}

// Object reads the object that Stat or List described.
func (b *Bucket) Object(ctx context.Context, i Info) *Object { return &Object{ctx: ctx, b: b, info: i} }

// Size is the bytes of the object.
func (o *Object) Size() (int64, error) { return o.info.Size, nil }

// ReadAhead is how many bytes are worth asking for at once.
func (o *Object) ReadAhead() int { return readAhead }

// get asks for the bytes from one place to before another; a whole object if to is 0.
func (o *Object) get(from, to int64) (io.ReadCloser, error) {
	opts := minio.GetObjectOptions{}
	if o.info.ETag != "" {
		if err := opts.SetMatchETag(o.info.ETag); err != nil {
			return nil, o.b.failed(o.ctx, err, o.info.Key)
		}
	}
	if to > 0 {
		if err := opts.SetRange(from, to-1); err != nil {
			return nil, o.b.failed(o.ctx, err, o.info.Key)
		}
	}
	body, _, _, err := o.b.client.GetObject(o.ctx, o.b.name, o.info.Key, opts)
	return body, o.b.failed(o.ctx, err, o.info.Key)
}

// Read implements io.Reader.
func (o *Object) Read(p []byte) (int, error) {
	if o.body == nil {
		var err error
		if o.body, err = o.get(0, 0); err != nil {
			return 0, err
		}
	}
	n, err := o.body.Read(p)
	o.done += int64(n)
	switch {
	case err == io.EOF && o.done != o.info.Size || o.done > o.info.Size:
		return n, sqlerr.New(sqlerr.CannotReadAllData, "S3 key %s: %d bytes came of %d", o.info.Key, o.done, o.info.Size)
	case err == nil || err == io.EOF:
		return n, err
	}
	return n, o.b.failed(o.ctx, fmt.Errorf("after %d bytes: %w", o.done, err), o.info.Key)
}

// ReadAt implements io.ReaderAt.
func (o *Object) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= o.info.Size || len(p) == 0 {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), o.info.Size-off)]
	body, err := o.get(off, off+int64(len(want)))
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, want)
	if cerr := body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return n, o.b.failed(o.ctx, fmt.Errorf("%d bytes at %d of %d: %w", n, off, len(want), err), o.info.Key)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Close implements io.Closer.
func (o *Object) Close() error {
	if o.body == nil {
		return nil
	}
	return o.body.Close()
}
