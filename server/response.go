package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/settings"
)

// Buffering of answers.
const (
	// holdBack is how much of an answer waits for the first error: until then an error gets its own status.
	holdBack = 1 << 20
	// maxWait bounds an answer that wait_end_of_query holds in memory.
	maxWait = 256 << 20
	// maxException bounds an exception behind the rows, as clients expect.
	maxException = 16 << 10
)

// response writes one answer: format → ClickHouse's frames → Content-Encoding → held back → connection.
type response struct {
	s   *Server
	w   http.ResponseWriter
	r   *http.Request
	q   *request
	res *query.Result
	tag string

	quiet  func()     // ends headers of progress; nil: there are none
	mu     sync.Mutex // held while something is written, if the format has progress between the rows
	held   []byte     // of the encoded body, until it is sent
	limit  int
	eager  bool // send each block as it comes: the client wants less held back than one takes
	wait   bool // hold the whole answer back
	sent   bool // the status line has gone
	coding compress.Coding
	coder  compress.WriteFlushCloser // Content-Encoding, or nil
	frames *compress.FrameWriter
	top    io.Writer // where the format writes
}

// exceptionTag is what marks an exception behind the rows of this answer: nothing in the data can know it.
func exceptionTag() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its contract
	for i, x := range b {
		b[i] = letters[int(x)%len(letters)]
	}
	return string(b[:])
}

// open sets the headers that depend on the format and builds the chain of encodings.
func (out *response) open(f *format.Format) error {
	h, set := out.w.Header(), out.res.Settings
	h.Set("Content-Type", f.ContentType)
	h.Set("X-ClickHouse-Format", f.Name)
	if settings.CORSHeader.Of(set) && out.r.Header.Get("Origin") != "" {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	out.wait = out.q.wait || settings.HTTPWaitEnd.Of(set)
	out.limit = holdBack
	if n := max(uint64(max(out.q.bufferSize, 0)), settings.HTTPBuffer.Of(set)); n > 0 {
		out.limit = int(min(n, maxWait))
		out.eager = n < flushOut
	}
	if out.wait {
		out.limit = maxWait
	}
	out.top = sink{out}
	if settings.HTTPCompression.Of(set) {
		if c, ok := negotiate(out.r.Header.Get("Accept-Encoding")); ok {
			w, err := compress.NewWriter(out.top, c)
			if err != nil {
				return err
			}
			h.Set("Content-Encoding", string(c))
			out.coder, out.top = w, w
		}
	}
	if out.q.compress {
		out.frames = compress.NewFrameWriter(out.top, compress.LZ4)
		out.top = out.frames
	}
	return nil
}

// Write implements io.Writer for the format.
func (out *response) Write(b []byte) (int, error) { return out.top.Write(b) }

// sink is the end of the chain: it holds bytes back, then sends them.
type sink struct{ out *response }

// Write implements io.Writer.
func (k sink) Write(b []byte) (int, error) {
	out := k.out
	if !out.sent && len(out.held)+len(b) <= out.limit {
		out.held = append(out.held, b...)
		return len(b), nil
	}
	if out.wait && !out.sent {
		return 0, sqlerr.New(sqlerr.TooManyRowsOrBytes, "The answer is larger than the %d bytes that wait_end_of_query can hold", maxWait)
	}
	if err := out.send(); err != nil {
		return 0, err
	}
	return out.w.Write(b)
}

// send sends the status line and what was held back.
func (out *response) send() error {
	if out.sent {
		return nil
	}
	out.sent = true
	out.endProgress()
	out.summary("")
	out.w.WriteHeader(http.StatusOK)
	held := out.held
	out.held = nil
	if out.r.Method == http.MethodHead {
		return nil
	}
	_, err := out.w.Write(held)
	return err
}

// summary sets the header that counts the work; all values are strings, as ClickHouse has them. With http.TrailerPrefix
// as the prefix it becomes a trailer: of a long answer the header went before the counts were final.
func (out *response) summary(prefix string) {
	if out.res == nil {
		return
	}
	if missing := out.res.MissingShards(); len(missing) > 0 {
		out.w.Header().Set(prefix+"X-Olapd-Missing-Shards", strings.Join(missing, ","))
	}
	out.w.Header().Set(prefix+"X-ClickHouse-Summary", counts(out.res.Progress()))
}

// finish ends a good answer.
func (out *response) finish() error {
	if err := out.endEncodings(); err != nil {
		return err
	}
	if out.sent {
		out.summary(http.TrailerPrefix)
	} else if out.coder == nil {
		out.w.Header().Set("Content-Length", strconv.Itoa(len(out.held)))
	}
	return out.send()
}

func (out *response) endEncodings() error {
	var errs []error
	if out.frames != nil {
		errs = append(errs, out.frames.Close())
		out.frames = nil
	}
	if out.coder != nil {
		errs = append(errs, out.coder.Close())
		out.coder = nil
	}
	return errors.Join(errs...)
}

// discard lets go of what the encodings hold.
func (out *response) discard() {
	out.limit = 0
	out.endProgress()
	if out.coder != nil {
		out.top = io.Discard
		_ = out.coder.Close() // its bytes go nowhere: the answer has failed already
		out.coder = nil
	}
}

// endProgress ends headers of progress, before the head of the answer is written or given up.
func (out *response) endProgress() {
	if out.quiet != nil {
		out.quiet()
	}
}

// live writes progress between the rows, and sends on what was written, every so often until stop returns.
func (out *response) live(w format.ProgressWriter) (stop func()) {
	var last query.Progress
	return out.s.every(pulseEvery, func() error {
		out.mu.Lock()
		defer out.mu.Unlock()
		if now := worked(out.res.Progress()); now != last {
			last = now
			if err := w.Progress(out.res.Stats()); err != nil {
				return err
			}
		}
		return errors.Join(w.Flush(), out.flush())
	})
}

// flush sends all that was written to the client.
func (out *response) flush() error {
	if out.frames != nil {
		if err := out.frames.Flush(); err != nil {
			return err
		}
	}
	if out.coder != nil {
		if err := out.coder.Flush(); err != nil {
			return err
		}
	}
	if err := out.send(); err != nil {
		return err
	}
	return http.NewResponseController(out.w).Flush()
}

// fail tells the client of an error: by status if nothing was sent, else behind the rows, and by cutting the connection.
func (out *response) fail(err error) {
	if out.r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	if !out.sent {
		out.held, out.sent = nil, true
		out.endProgress()
		out.coder, out.frames = nil, nil
		out.summary("")
		out.s.fail(out.w, out.r, err)
		return
	}
	text := out.s.message(err)
	if len(text) > maxException {
		text = text[:maxException]
	}
	_, _ = fmt.Fprintf(out.top, "\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", out.tag, text, len(text)+1, out.tag)
	_ = out.endEncodings() // best effort: the connection is cut either way
	if f, ok := out.w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}
