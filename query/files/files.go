// Package files reads and writes data outside of tables, for the table functions file, url and s3.
//
// # What may be reached
//
// Reach is the config's: one folder, out of which no name and no symbolic link leads, and the hosts that are connected to. Everything else is
// refused before it is touched: files with DatabaseAccessDenied, hosts with UnacceptableURL.
//
// # A path
//
// A path may stand for many files: * and ? for characters but the slash, ** for any folders, {a,b} for either, {1..9} and {01..12} for
// numbers. Parts of a path such as year=2024 are columns, named and typed by them (hive partitioning), unless the setting
// use_hive_partitioning says otherwise. Format and compression are known by the end of the name, if they are not given; columns are
// inferred from the first file that tells.
//
// # Columns
//
// Behind the columns of the data stand those of the path, and the virtual ones: _path, _file, _size, _time. The columns of the path hide those
// of the same name in the data.
package files

import (
	"context"
	"io"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/s3"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// Limits on what one call reaches.
const (
	// maxFiles bounds the files of a call, which are listed before the first is read.
	maxFiles = 100_000
	// maxListed bounds the names looked at for them.
	maxListed = 1_000_000
	// maxDepth bounds the folders that ** goes down: symbolic links may form a ring.
	maxDepth = 64
	// maxAlternatives bounds what braces expand to: ClickHouse's glob_expansion_max_elements.
	maxAlternatives = 1000
	// headBytes is how much of a file is looked at for a line of names.
	headBytes = 64 << 10
)

// Reach is what queries may reach. Immutable.
type Reach struct {
	FS     vfs.FS
	Folder string // of file(); empty: nothing
	// Allows refuses an address, host:port, that url() and s3() may not connect to; nil refuses all. Safe for concurrent use.
	Allows func(address string) error
	// Environment lets s3() sign requests by keys of the process' environment, where none are given.
	Environment bool
}

// Request is a call of one of the functions.
type Request struct {
	Function string // file, url or s3
	Path     string
	// Keys sign the requests of s3.
	Keys s3.Keys
	// Headers go with the requests of url.
	Headers []Header
	// Format is the name of the files' format; empty or auto: by their names.
	Format string
	// Structure are the columns; nil: inferred.
	Structure column.Schema
	// Compression is that of the files; empty or auto: by their names.
	Compression string
}

// Header is one header of requests.
type Header struct{ Name, Value string }

// Options is how files are read and written.
type Options struct {
	Format format.Options
	// Hive makes columns of the parts of paths.
	Hive bool
	// Truncate has Create empty a file that is there, instead of adding to it.
	Truncate bool
	// ReplaceObject and NumberObject say what Create does with an object of S3 that is there: replace it, or make another whose name has a
	// number; else it is an error.
	ReplaceObject, NumberObject bool
	// Memory is what buffers are held against; nil: nothing.
	Memory *mem.Budget
}

// object is one file.
type object struct {
	path     string // as _path shows it
	name     string // the path as it is looked for
	size     int64  // -1: unknown
	modified time.Time
	open     func(ctx context.Context) (io.ReadCloser, error)
}

// place is where the files of a request are.
type place interface {
	// list returns the files that the request's path means, in order. FileDoesntExist if it names one that is not there; none if
	// its pattern matches nothing.
	list(ctx context.Context) ([]*object, error)
	close() error
}

// place opens where a request's files are.
func (r *Reach) place(q Request) (place, error) {
	switch q.Function {
	case "file":
		return r.local(q.Path)
	case "url":
		return r.addresses(q)
	case "s3":
		return r.stored(q)
	}
	return nil, sqlerr.New(sqlerr.UnknownFunction, "Unknown table function %s", q.Function)
}

// formatOf is the format of a request's files of which name is one.
func (q *Request) formatOf(name string) (*format.Format, error) {
	if q.Format != "" && q.Format != "auto" {
		return format.Lookup(q.Format)
	}
	bare, _ := cutCompression(name)
	if f := format.OfFile(bare); f != nil {
		return f, nil
	}
	return nil, sqlerr.New(sqlerr.CannotDetectFormat, "The format of %s is not known by its name. You can specify the format manually", name)
}

// suffixes are the compressions of files by the end of their name.
var suffixes = map[string]compress.Coding{"gz": compress.Gzip, "gzip": compress.Gzip, "zst": compress.Zstd, "zstd": compress.Zstd,
	"lz4": compress.Lz4Frame, "deflate": compress.Deflate}

// unsupported are compressions of ClickHouse that are refused rather than read as they are.
var unsupported = map[string]bool{"br": true, "xz": true, "bz2": true, "snappy": true, "lzma": true, "brotli": true}

// cutCompression cuts the suffix of a compression off a name.
func cutCompression(name string) (bare, suffix string) {
	for i := len(name) - 1; i >= 0 && name[i] != '/'; i-- {
		if name[i] == '.' {
			if s := name[i+1:]; suffixes[s] != "" || unsupported[s] {
				return name[:i], s
			}
			break
		}
	}
	return name, ""
}

// coding is the compression of a file.
func (q *Request) coding(name string) (compress.Coding, error) {
	method := q.Compression
	if method == "" || method == "auto" {
		_, method = cutCompression(name)
	}
	switch {
	case method == "" || method == "none":
		return compress.Identity, nil
	case unsupported[method]:
		return "", sqlerr.New(sqlerr.NotImplemented, "Compression method %s of files is not supported", method)
	case suffixes[method] == "":
		return "", sqlerr.New(sqlerr.NotImplemented, "Unknown compression method '%s'", method)
	}
	return suffixes[method], nil
}

// virtualColumns stand behind all others.
var virtualColumns = column.Schema{
	{Name: "_path", Type: types.NewLowCardinality(types.TString)}, {Name: "_file", Type: types.NewLowCardinality(types.TString)},
	{Name: "_size", Type: types.NewNullable(types.TUInt64)}, {Name: "_time", Type: types.NewNullable(types.TDateTime)},
}
