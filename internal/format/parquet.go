package format

import (
	"bytes"
	"fmt"
	"io"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// Parquet is read and written column by column. A file's types are its own: each column is read as the type that ClickHouse
// infers for it (its natural type), then cast to the table's.
//
//	BOOLEAN                        Bool                INT32/INT64 by width and sign   Int8 … UInt64
//	DATE                           Date32              TIME, TIMESTAMP, INT96          DateTime64(3, 6 or 9, 'UTC')
//	FLOAT, DOUBLE                  Float32, Float64    DECIMAL(p, s)                   Decimal(p, s)
//	BYTE_ARRAY                     String              FIXED_LEN_BYTE_ARRAY(n)         FixedString(n)
//	UUID                           UUID                OPTIONAL                        Nullable of a leaf
//	LIST, MAP, group               Array, Map, Tuple   REPEATED                        Array
//
// Groups that are NULL are NULL in all their leaves, lists and maps that are NULL are empty.
func init() {
	define(&Format{Name: "Parquet", ContentType: "application/octet-stream", out: newParquetWriter, file: newParquetReader})
}

// Limits on what a few bytes of Parquet may announce, for the library allocates before it reads.
const (
	// maxParquetFooter bounds the metadata: ten thousand columns in a thousand row groups take some 500 MB, and nobody has them.
	maxParquetFooter = 64 << 20
	// maxParquetPage bounds a page decompressed: the format recommends 8 KiB, ClickHouse writes 1 MiB, DuckDB a row group's column at once.
	maxParquetPage = compress.MaxBlock
	// maxParquetPageValues bounds the values of a page, of which run-length coding puts any number into a few bytes.
	maxParquetPageValues = 16 << 20
	// maxParquetMemory is how much of an input is kept in memory before it goes to a file.
	maxParquetMemory = 32 << 20
)

// badParquet says that a file is not what it should be.
func badParquet(err error) error {
	if err == nil {
		return nil
	}
	if sqlerr.CodeOf(err) != sqlerr.LogicalError {
		return err
	}
	return sqlerr.Wrap(err, sqlerr.IncorrectData, "Cannot read Parquet")
}

// safely runs a call into the library, whose answer to some broken files is to panic.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("broken file: %v", p)
		}
	}()
	return f()
}

// randomInput is an input that can be read at any place.
type randomInput struct {
	io.ReaderAt
	size  int64
	spool vfs.File // nil: in memory
	ahead int      // bytes that are worth reading at once; 0: any
}

// Sized is an input that need not be read from its beginning.
type Sized interface {
	io.ReaderAt
	Size() (int64, error)
}

// Distant is a Sized of which a request costs as much as many bytes do.
type Distant interface {
	// ReadAhead is how many bytes are worth asking for at once.
	ReadAhead() int
}

// randomAccess is src itself if it is Sized; else it is read to its end, into memory or, if it is large, a file.
func randomAccess(src io.Reader, o *Options) (*randomInput, error) {
	if at, ok := src.(Sized); ok {
		n, err := at.Size()
		in := &randomInput{ReaderAt: at, size: n}
		if d, ok := src.(Distant); ok {
			in.ahead = d.ReadAhead()
		}
		return in, err
	}
	head, err := io.ReadAll(io.LimitReader(src, maxParquetMemory+1))
	if err != nil {
		return nil, err
	}
	if len(head) <= maxParquetMemory {
		return &randomInput{ReaderAt: bytes.NewReader(head), size: int64(len(head))}, nil
	}
	if o.Spool == nil {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Parquet of more than %d bytes needs a place for temporary files", maxParquetMemory)
	}
	f, err := o.Spool()
	if err != nil {
		return nil, err
	}
	in := &randomInput{ReaderAt: f, spool: f, size: int64(len(head))}
	if _, err = f.Write(head); err == nil {
		var n int64
		n, err = io.Copy(f, src)
		in.size += n
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

func (in *randomInput) close() error {
	if in.spool == nil {
		return nil
	}
	return in.spool.Close()
}
