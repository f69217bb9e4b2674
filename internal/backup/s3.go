package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/s3"
	"github.com/olapd/olapd/internal/sqlerr"
)

// bucket is a Storage below a key of an S3 bucket.
type bucket struct {
	b      *s3.Bucket
	prefix string
}

// inBucket opens args: address, key, secret.
func (p *Places) inBucket(args []string) (Storage, error) {
	a, err := s3.ParseAddress(args[0])
	if err != nil {
		return nil, err
	}
	path := strings.Trim(a.Key, "/")
	if path == "" {
		return nil, sqlerr.New(sqlerr.BadArguments, "Bad URL of S3: it must be like https://host/bucket/path, with a path below the bucket")
	}
	var keys s3.Keys
	if len(args) == 3 {
		keys.ID, keys.Secret = args[1], args[2]
	}
	b, err := s3.Open(a, keys, p.allowsS3)
	if err != nil {
		return nil, err
	}
	return &bucket{b, path + "/"}, nil
}

// allowsS3 refuses an address, host:port, that the config does not name.
func (p *Places) allowsS3(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return sqlerr.New(sqlerr.BadArguments, "Bad address %s of S3", address)
	}
	if !slices.Contains(p.S3Hosts, address) && !slices.Contains(p.S3Hosts, host) {
		return sqlerr.New(sqlerr.UnacceptableURL, "Address %s is not allowed in configuration file: s3_hosts does not name it", address)
	}
	return nil
}

// missing marks the error of an object that is not there.
func missing(err error, name string) error {
	if errors.Is(err, s3.ErrNotExist) {
		return fmt.Errorf("%w: %s: %w", errNotExist, name, err)
	}
	return err
}

// Put implements Storage. A part of an upload that failed is no object, and is given up at once.
func (b *bucket) Put(ctx context.Context, name string, size int64, r io.Reader) error {
	return b.b.Put(ctx, b.prefix+name, size, r)
}

// Open implements Storage.
func (b *bucket) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	info, err := b.b.Stat(ctx, b.prefix+name)
	if err != nil {
		return nil, missing(err, name)
	}
	return b.b.Object(ctx, info), nil
}

// Remove implements Storage.
func (b *bucket) Remove(ctx context.Context, name string) error {
	return b.b.Remove(ctx, b.prefix+name)
}
