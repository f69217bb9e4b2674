package format

import (
	"io"
)

// readAhead reads a range of a file in front to back, in pieces that are worth a request each. For one goroutine.
type readAhead struct {
	file io.ReaderAt
	end  int64 // of the range
	size int   // of a piece
	held []byte
	at   int64 // of held
}

// ReadAt implements io.ReaderAt.
func (r *readAhead) ReadAt(p []byte, off int64) (int, error) {
	if off >= r.end {
		return 0, io.EOF
	}
	n := 0
	if off >= r.at && off < r.at+int64(len(r.held)) {
		n = copy(p, r.held[off-r.at:])
	}
	if n == len(p) {
		return n, nil
	}
	rest, from := p[n:], off+int64(n)
	if len(rest) >= r.size || from >= r.end {
		k, err := r.file.ReadAt(rest, from)
		return n + k, err
	}
	r.held = replaced(r.held, int(min(int64(r.size), r.end-from)))
	r.at = from
	k, err := r.file.ReadAt(r.held, from)
	if err == io.EOF {
		err = nil
	}
	r.held = r.held[:k]
	k = copy(rest, r.held)
	if err == nil && k < len(rest) {
		err = io.EOF
	}
	return n + k, err
}
