package client

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// exception is an error as the server told it, with its text "Code: N. DB::Exception: …" kept as it is.
type exception struct {
	code int
	text string
}

// Error implements error.
func (e *exception) Error() string { return e.text }

// newException reads the code from the text if the server did not tell it beside.
func newException(code, text string) *exception {
	e := &exception{text: strings.TrimRight(text, "\r\n")}
	if e.code, _ = strconv.Atoi(code); e.code == 0 {
		digits, _, _ := strings.Cut(strings.TrimPrefix(e.text, "Code: "), ".")
		e.code, _ = strconv.Atoi(digits)
	}
	return e
}

// errorText is an error as it is shown: like the server's own, whoever found it.
func errorText(err error) string {
	var e *exception
	if errors.As(err, &e) {
		return e.text
	}
	code := sqlerr.CodeOf(err)
	return "Code: " + strconv.Itoa(int(code)) + ". DB::Exception: " + strings.TrimSuffix(err.Error(), ".") + ". (" + code.Name() + ")"
}

// exitCode is the process's answer to an error: its code modulo 256, and never 0.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	code := int(sqlerr.CodeOf(err))
	var e *exception
	if errors.As(err, &e) {
		code = e.code
	}
	if code %= 256; code == 0 {
		return 255
	}
	return code
}

// maxExceptionText bounds what is read of an exception: the server sends no more than 16 KiB.
const maxExceptionText = 64 << 10

// bodyReader reads an answer that may break off: with an exception behind the rows, marked by the tag that the server
// announced in a header and that no data can know, or by a cut connection. Both end in an error, never in io.EOF.
type bodyReader struct {
	r      io.Reader
	marker []byte // nil: the server announced no tag
	buf    []byte // read, not yet given out
	clean  int    // bytes of buf that are surely data
	err    error
}

func newBodyReader(r io.Reader, tag string) *bodyReader {
	b := &bodyReader{r: r}
	if tag != "" {
		b.marker = []byte("\r\n__exception__\r\n" + tag + "\r\n")
	}
	return b
}

// Read implements io.Reader.
func (b *bodyReader) Read(p []byte) (int, error) {
	for b.clean == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.fill()
	}
	n := copy(p, b.buf[:b.clean])
	b.buf, b.clean = b.buf[n:], b.clean-n
	return n, nil
}

// fill reads once and sorts what came into data and what may be the beginning of an exception.
func (b *bodyReader) fill() {
	chunk := make([]byte, 32<<10)
	n, err := b.r.Read(chunk)
	b.buf = append(b.buf, chunk[:n]...)
	if b.marker != nil {
		if at := bytes.Index(b.buf, b.marker); at >= 0 {
			b.err = b.exception(b.buf[at+len(b.marker):])
			b.buf, b.clean = b.buf[:at], at
			return
		}
	}
	if err == nil {
		b.clean = len(b.buf) - b.overlap()
		return
	}
	b.clean = len(b.buf)
	if b.err = err; !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		b.err = sqlerr.Wrap(err, sqlerr.NetworkError, "The connection was cut before the end of the answer, what came of it is incomplete")
	}
}

// overlap is how many bytes at the end of buf may be the beginning of the marker.
func (b *bodyReader) overlap() int {
	for k := min(len(b.buf), len(b.marker)-1); k > 0; k-- {
		if bytes.HasSuffix(b.buf, b.marker[:k]) {
			return k
		}
	}
	return 0
}

// exception reads the rest of an exception behind the rows: message, "\n", length, " ", tag, "\r\n__exception__\r\n".
func (b *bodyReader) exception(head []byte) error {
	rest, _ := io.ReadAll(io.LimitReader(b.r, maxExceptionText)) // the connection is cut behind it: that error says nothing
	text := string(head) + string(rest)
	tag := strings.TrimSuffix(strings.TrimPrefix(string(b.marker), "\r\n__exception__\r\n"), "\r\n")
	if end := strings.LastIndex(text, " "+tag); end >= 0 {
		text = strings.TrimRight(text[:end], "0123456789")
	}
	return newException("", text)
}
