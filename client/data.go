package client

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// dataError is a failure to read what was to be sent, as opposed to one of the network.
type dataError struct{ err error }

// Error implements error.
func (e *dataError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *dataError) Unwrap() error { return e.err }

// source is data on its way to the server.
type source struct {
	r    io.Reader
	sent func(n int) // told of every read
}

// Read implements io.Reader; its errors are *dataError.
func (s source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sent(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &dataError{err}
	}
	return n, err
}

// codings are the compressions of files by the end of their name.
var codings = map[string]compress.Coding{
	".gz": compress.Gzip, ".gzip": compress.Gzip, ".zst": compress.Zstd, ".zstd": compress.Zstd, ".lz4": compress.Lz4Frame, ".deflate": compress.Deflate,
}

// fileCoding is the compression of a file: the one asked for, or by its name.
func fileCoding(path, asked string) (compress.Coding, error) {
	switch asked = strings.ToLower(asked); asked {
	case "", "auto":
		return codings[strings.ToLower(filepath.Ext(path))], nil
	case "none":
		return compress.Identity, nil
	}
	if c, ok := codings["."+asked]; ok {
		return c, nil
	}
	return "", sqlerr.New(sqlerr.NotImplemented, "Compression %q of files is not supported", asked)
}

// fileFormats are the formats of files by the end of their name.
var fileFormats = map[string]string{
	".csv": "CSV", ".tsv": "TabSeparated", ".json": "JSON", ".jsonl": "JSONEachRow", ".ndjson": "JSONEachRow", ".jsoneachrow": "JSONEachRow",
	".jsoncompacteachrow": "JSONCompactEachRow", ".native": "Native", ".parquet": "Parquet", ".avro": "Avro", ".arrow": "Arrow", ".msgpack": "MsgPack", ".rowbinary": "RowBinary", ".bin": "RowBinary",
	".xml": "XML", ".md": "Markdown", ".values": "Values", ".csvwithnames": "CSVWithNames", ".tsvwithnames": "TabSeparatedWithNames",
}

// fileFormat guesses a format by a file's name, "" if it says nothing.
func fileFormat(path string) string {
	path = strings.ToLower(path)
	if ext := filepath.Ext(path); codings[ext] != "" {
		path = strings.TrimSuffix(path, ext)
	}
	return fileFormats[filepath.Ext(path)]
}

// clause is a part of a statement that the client carries out itself: the text without it, and the file it names.
type clause struct {
	without     string
	path        string
	compression string
	words       []string // other words in it, in capitals
}

// takeClause takes "word1 word2 'path' …" out of a text, outside brackets. Behind the path may stand words of extras, in any
// order; COMPRESSION has a string behind it and LEVEL a number.
func takeClause(text, word1, word2 string, extras ...string) (clause, bool) {
	toks := slices.Collect(parse.Tokens(text))
	word := func(i int) string {
		if i >= len(toks) || toks[i].Kind != parse.TokenWord {
			return ""
		}
		return strings.ToUpper(text[toks[i].Start:toks[i].End])
	}
	literal := func(i int) (string, bool) {
		if i >= len(toks) || toks[i].Kind != parse.TokenString {
			return "", false
		}
		e, err := parse.Expr(text[toks[i].Start:toks[i].End], parse.Limits{})
		lit, ok := e.(*ast.Literal)
		return litText(lit), err == nil && ok
	}
	for i, level := 0, 0; i < len(toks); i++ {
		switch text[toks[i].Start:toks[i].End] {
		case "(":
			level++
		case ")":
			level--
		}
		path, ok := literal(i + 2)
		if level != 0 || word(i) != word1 || word(i+1) != word2 || !ok {
			continue
		}
		c := clause{path: path}
		end := i + 3
		for ; slices.Contains(extras, word(end)); end++ {
			switch w := word(end); w {
			case "COMPRESSION":
				if c.compression, ok = literal(end + 1); ok {
					end++
				}
			case "LEVEL":
				end++
			default:
				c.words = append(c.words, w)
			}
		}
		c.without = strings.TrimRight(text[:toks[i].Start], " \t\r\n")
		if end < len(toks) {
			c.without += " " + text[toks[end].Start:]
		}
		return c, true
	}
	return clause{}, false
}

func litText(l *ast.Literal) string {
	if l == nil {
		return ""
	}
	return l.Str
}

// openInfile opens a file whose rows are to be inserted, decompressed.
func openInfile(path, compression string) (io.ReadCloser, error) {
	coding, err := fileCoding(path, compression)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CannotOpenFile, "Cannot open the input file")
	}
	if coding == compress.Identity {
		return f, nil
	}
	r, err := compress.NewReader(f, coding)
	if err != nil {
		_ = f.Close() // the first error counts
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{r, closers{r, f}}, nil
}

// infiles are the files a path with * and ? means.
func infiles(path string) ([]string, error) {
	if !strings.ContainsAny(path, "*?[") {
		return []string{path}, nil
	}
	list, err := filepath.Glob(path)
	if err != nil || len(list) == 0 {
		return nil, sqlerr.New(sqlerr.CannotOpenFile, "No file matches %s", path)
	}
	return list, nil
}

// outfile is a file that takes a result.
type outfile struct {
	io.Writer
	closers
	path    string
	created bool
}

// openOutfile opens the file of INTO OUTFILE. Without APPEND or TRUNCATE it must not exist.
func openOutfile(c clause) (*outfile, error) {
	coding, err := fileCoding(c.path, c.compression)
	if err != nil {
		return nil, err
	}
	o := &outfile{path: c.path}
	mode := os.O_EXCL
	switch {
	case slices.Contains(c.words, "APPEND"):
		mode = os.O_APPEND
	case slices.Contains(c.words, "TRUNCATE"):
		mode = os.O_TRUNC
	default:
		o.created = true
	}
	f, err := os.OpenFile(c.path, os.O_WRONLY|os.O_CREATE|mode, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, sqlerr.New(sqlerr.CannotOpenFile, "File %s exists, consider using APPEND or TRUNCATE", c.path)
	}
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CannotOpenFile, "Cannot open the output file")
	}
	o.Writer, o.closers = f, closers{f}
	if coding == compress.Identity {
		return o, nil
	}
	w, err := compress.NewWriter(f, coding)
	if err != nil {
		o.abandon()
		return nil, err
	}
	o.Writer, o.closers = w, closers{w, f}
	return o, nil
}

// abandon closes the file of a result that failed, and removes it if it was new: half a result must not look like one.
func (o *outfile) abandon() {
	_ = o.Close() // the first error counts
	if o.created {
		_ = os.Remove(o.path) // as above
	}
}

// closers closes several things, in order.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var errs []error
	for _, x := range c {
		errs = append(errs, x.Close())
	}
	return errors.Join(errs...)
}
