package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/olapd/olapd/internal/sqlerr"
)

// bucket is a Storage below a key of an S3 bucket.
type bucket struct {
	client       *minio.Client
	name, prefix string
}

// s3Silence is how long an S3 server may take to begin an answer.
const s3Silence = time.Minute

// inBucket opens args: url, key, secret. The URL is http(s)://host/bucket/path.
func (p *Places) inBucket(args []string) (Storage, error) {
	u, err := url.Parse(args[0])
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, sqlerr.New(sqlerr.BadArguments, "Bad URL of S3: it must be like https://host/bucket/path")
	}
	name, path, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if name == "" || path == "" || u.RawQuery != "" {
		return nil, sqlerr.New(sqlerr.BadArguments, "Bad URL of S3: it must be like https://host/bucket/path, with a path below the bucket")
	}
	if !slices.Contains(p.S3Hosts, u.Host) && !slices.Contains(p.S3Hosts, u.Hostname()) {
		return nil, sqlerr.New(sqlerr.UnacceptableURL, "URL \"%s\" is not allowed in configuration file: s3_hosts does not name %s", u.Redacted(), u.Host)
	}
	creds := credentials.NewStaticV4("", "", "")
	if len(args) == 3 {
		creds = credentials.NewStaticV4(args[1], args[2], "")
	}
	c, err := minio.New(u.Host, &minio.Options{Creds: creds, Secure: u.Scheme == "https", BucketLookup: minio.BucketLookupPath, Transport: transportTo(u)})
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "S3 at %s", u.Host)
	}
	return &bucket{client: c, name: name, prefix: path + "/"}, nil
}

// transportTo connects to the URL's host only, wherever the server would send the client.
func transportTo(u *url.URL) http.RoundTripper {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	only := net.JoinHostPort(u.Hostname(), port)
	d := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		ResponseHeaderTimeout: s3Silence, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: s3Silence, DisableCompression: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != only {
				return nil, sqlerr.New(sqlerr.UnacceptableURL, "The S3 server at %s refers to %s, which is not connected to", only, addr)
			}
			return d.DialContext(ctx, network, addr)
		},
	}
}

// failed gives an error of S3 its code.
func (b *bucket) failed(err error, name string) error {
	var own *sqlerr.Error
	switch r := minio.ToErrorResponse(err); {
	case err == nil:
		return nil
	case r.Code == minio.NoSuchKey:
		return fmt.Errorf("%w: %s: %w", errNotExist, name, err)
	case errors.As(err, &own):
		return err
	default:
		return sqlerr.Wrap(err, sqlerr.S3Error, "S3 bucket %s, key %s", b.name, b.prefix+name)
	}
}

// Put implements Storage. A part of an upload that failed is no object, and is given up at once.
func (b *bucket) Put(ctx context.Context, name string, size int64, r io.Reader) error {
	info, err := b.client.PutObject(ctx, b.name, b.prefix+name, &untilDone{ctx, r}, size, minio.PutObjectOptions{ContentType: "application/octet-stream", PartSize: partBytes})
	if err == nil && info.Size != size {
		err = sqlerr.New(sqlerr.CannotReadAllData, "%d bytes came for a file of %d in a backup", info.Size, size)
	}
	return b.failed(err, name)
}

// Open implements Storage.
func (b *bucket) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	o, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, b.failed(err, name)
	}
	if _, err := o.Stat(); err != nil { // GetObject asks nothing yet
		return nil, errors.Join(b.failed(err, name), o.Close())
	}
	return o, nil
}

// Remove implements Storage.
func (b *bucket) Remove(ctx context.Context, name string) error {
	err := b.failed(b.client.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{}), name)
	if errors.Is(err, errNotExist) {
		return nil
	}
	return err
}
