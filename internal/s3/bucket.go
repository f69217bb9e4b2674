package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Keys are by what requests are signed; none: they are not.
type Keys struct {
	ID, Secret, Token string
	// Environment takes keys that are not given from AWS_ACCESS_KEY_ID and its kin in the process' environment.
	Environment bool
}

// credentials are the keys as the client wants them.
func (k Keys) credentials() *credentials.Credentials {
	if k.ID == "" && k.Environment {
		if v, err := credentials.NewEnvAWS().GetWithContext(nil); err == nil && v.AccessKeyID != "" {
			return credentials.NewStaticV4(v.AccessKeyID, v.SecretAccessKey, v.SessionToken)
		}
	}
	return credentials.NewStaticV4(k.ID, k.Secret, k.Token)
}

// Bucket is a bucket of a store. Safe for concurrent use; Close it at the end.
type Bucket struct {
	client    *minio.Core
	transport *http.Transport
	name      string
}

// Info describes an object.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time
	// ETag is the object's version, by which reads at several places are held to one; empty if the store tells none.
	ETag string
}

// Open returns the bucket of an address, if allows has no error for its host:port, and for any other that requests are sent on to. Nothing is
// connected to yet.
func Open(a Address, k Keys, allows func(address string) error) (*Bucket, error) {
	if err := allows(a.Target()); err != nil {
		return nil, err
	}
	o := &minio.Options{Creds: k.credentials(), Secure: a.Secure, BucketLookup: minio.BucketLookupPath, MaxRetries: attempts}
	if a.InHost {
		o.BucketLookup = minio.BucketLookupDNS
	}
	o.Region = s3utils.GetRegionFromURL(url.URL{Host: a.Host})
	t := transport(allows)
	o.Transport = t
	c, err := minio.NewCore(a.Host, o)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "S3 at %s", a.Host)
	}
	c.SetS3EnableDualstack(false) // other hosts than that of the address
	return &Bucket{client: c, transport: t, name: a.Bucket}, nil
}

// transport connects only to what is allowed.
func transport(allows func(address string) error) *http.Transport {
	d := &net.Dialer{Timeout: connectTimeout}
	return &http.Transport{
		ResponseHeaderTimeout: silence, TLSHandshakeTimeout: connectTimeout, IdleConnTimeout: silence, DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if err := allows(address); err != nil {
				return nil, err
			}
			return d.DialContext(ctx, network, address)
		},
	}
}

// Close ends the connections.
func (b *Bucket) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// failed gives an error of the store its code.
func (b *Bucket) failed(ctx context.Context, err error, key string) error {
	var own *sqlerr.Error
	switch r := minio.ToErrorResponse(err); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &own):
		return own
	case r.Code == minio.NoSuchKey:
		return fmt.Errorf("%w: %w", ErrNotExist, sqlerr.Wrap(err, sqlerr.S3Error, "S3 bucket %s, key %s", b.name, key))
	case r.Code == minio.PreconditionFailed:
		return sqlerr.Wrap(err, sqlerr.S3Error, "S3 bucket %s, key %s changed while it was read", b.name, key)
	}
	var inner *url.Error
	if errors.As(err, &inner) { // which shows the whole address, with its signature
		err = inner.Err
	}
	return sqlerr.Wrap(err, sqlerr.S3Error, "S3 bucket %s, key %s", b.name, key)
}

// Stat describes an object; an error that wraps ErrNotExist if there is none.
func (b *Bucket) Stat(ctx context.Context, key string) (Info, error) {
	i, err := b.client.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, b.failed(ctx, err, key)
	}
	return Info{Key: key, Size: i.Size, Modified: i.LastModified, ETag: i.ETag}, nil
}

// List hands each object whose key begins with the prefix to found, in the order of keys, until it returns an error.
func (b *Bucket) List(ctx context.Context, prefix string, found func(Info) error) error {
	owner := false
	for i := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, FetchOwner: &owner}) {
		if i.Err != nil {
			return b.failed(ctx, i.Err, prefix)
		}
		if err := found(Info{Key: i.Key, Size: i.Size, Modified: i.LastModified, ETag: i.ETag}); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// Remove removes an object; one that is not there is no error.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	err := b.failed(ctx, b.client.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}), key)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	return err
}

// Put makes an object of the size bytes of r. After an error there is none of the key.
func (b *Bucket) Put(ctx context.Context, key string, size int64, r io.Reader) error {
	o := minio.PutObjectOptions{ContentType: contentType, PartSize: partBytes}
	o.DisableContentSha256 = size == 0 // the client would send it without its length
	info, err := b.client.Client.PutObject(ctx, b.name, key, &untilDone{ctx, r}, size, o)
	if err == nil && info.Size != size {
		err = sqlerr.New(sqlerr.CannotReadAllData, "%d bytes came for an object of %d", info.Size, size)
	}
	return b.failed(ctx, err, key)
}

const contentType = "application/octet-stream"

// untilDone is a reader that ends with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (u *untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}
