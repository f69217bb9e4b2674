package files

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
)

// post sends what is written as the body of a request, while it is written.
type post struct {
	place *addresses
	to    *url.URL
	body  *io.PipeWriter
	end   context.CancelFunc
	done  chan struct{}
	err   error // of the request, when it is done
}

// errAborted ends the body of a request whose rows are taken back.
var errAborted = errors.New("files: the insert was given up")

// post begins a request to the address.
func (r *Reach) post(ctx context.Context, q Request, f *format.Format, coding compress.Coding) (target, error) {
	a, err := r.addresses(q)
	if err != nil {
		return nil, err
	}
	// An answer that leads elsewhere would have the body sent again, which is gone.
	a.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	rd, w := io.Pipe()
	ctx, end := context.WithCancel(ctx)
	p := &post{place: a, to: a.urls[0], body: w, end: end, done: make(chan struct{})}
	req, err := a.request(ctx, http.MethodPost, p.to, rd)
	if err != nil {
		end()
		return nil, errors.Join(err, a.close())
	}
	req.Header.Set("Content-Type", f.ContentType)
	if coding != compress.Identity {
		req.Header.Set("Content-Encoding", string(coding))
	}
	go func() {
		defer close(p.done)
		p.err = p.send(ctx, req)
		rd.CloseWithError(p.err) // ends writers to a server that answers without reading on
	}()
	return p, nil
}

// send makes the request and reads the answer.
func (p *post) send(ctx context.Context, req *http.Request) error {
	res, err := p.place.client.Do(req)
	if err != nil {
		return failedURL(ctx, err, p.to)
	}
	if res.StatusCode/100 != 2 {
		return refusedBy(res, p.to)
	}
	return res.Body.Close()
}

// Write implements io.Writer.
func (p *post) Write(b []byte) (int, error) {
	n, err := p.body.Write(b)
	if errors.Is(err, io.ErrClosedPipe) { // the request ended before its body did
		if <-p.done; p.err != nil {
			return n, p.err
		}
		err = sqlerr.New(sqlerr.NetworkError, "Address %s answered before it had read what was sent", shownURL(p.to))
	}
	return n, err
}

func (p *post) commit() error {
	err := p.body.Close()
	<-p.done
	p.end()
	return errors.Join(err, p.err, p.place.close())
}

func (p *post) abort() error {
	p.end()
	err := p.body.CloseWithError(errAborted)
	<-p.done // what became of the request, which was to fail
	return errors.Join(err, p.place.close())
}
