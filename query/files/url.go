package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Limits on what one address answers.
const (
	// maxRedirects is how often an address may lead to another.
	maxRedirects = 10
	// maxDownload bounds the bytes of an answer: formats that need all of it keep it on disk.
	maxDownload = 64 << 30
	// maxErrorText is how much of an answer that is an error is told.
	maxErrorText = 1000
	// connectTimeout and answerTimeout are how long a server may take to be reached, and then to begin its answer.
	connectTimeout, answerTimeout = 10 * time.Second, 60 * time.Second
)

// addresses are the answers of web servers to GET.
type addresses struct {
	urls    []*url.URL
	headers []Header
	client  *http.Client
}

// addresses takes the braces of an address apart and checks each of what it stands for. Nothing is connected to.
func (r *Reach) addresses(q Request) (*addresses, error) {
	all, err := Expand(q.Path)
	if err != nil {
		return nil, err
	}
	a := &addresses{headers: q.Headers}
	for _, one := range all {
		u, err := url.Parse(one)
		if err != nil {
			return nil, sqlerr.New(sqlerr.BadArguments, "Bad address of table function url: %v", errors.Unwrap(err))
		}
		if err := r.allowsURL(u); err != nil {
			return nil, err
		}
		a.urls = append(a.urls, u)
	}
	transport := &http.Transport{
		DialContext: (&net.Dialer{Timeout: connectTimeout}).DialContext, TLSHandshakeTimeout: connectTimeout, ResponseHeaderTimeout: answerTimeout,
		DisableCompression: true, DisableKeepAlives: true,
	}
	a.client = &http.Client{Transport: transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return sqlerr.New(sqlerr.TooManyRedirects, "Too many redirects while trying to access %s", shownURL(via[0].URL))
		}
		return r.allowsURL(req.URL)
	}}
	return a, nil
}

// allowsURL refuses an address that may not be connected to.
func (r *Reach) allowsURL(u *url.URL) error {
	port := u.Port()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return sqlerr.New(sqlerr.BadArguments, "Address %s does not begin with http:// or https://", shownURL(u))
	case u.Hostname() == "":
		return sqlerr.New(sqlerr.BadArguments, "Address %s names no host", shownURL(u))
	case u.User != nil:
		return sqlerr.New(sqlerr.NotImplemented, "User and password in the address of table function url are not implemented: they would be shown")
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	if r == nil || r.Allows == nil {
		return sqlerr.New(sqlerr.UnacceptableURL, "Address %s is not allowed: the config names no remote_hosts", shownURL(u))
	}
	return r.Allows(net.JoinHostPort(u.Hostname(), port))
}

// shownURL is an address without what may be secret in it: user, password and parameters.
func shownURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// list implements place.
func (a *addresses) list(context.Context) ([]*object, error) {
	var out []*object
	for _, u := range a.urls {
		name := u.Path
		if name == "" {
			name = "/"
		}
		out = append(out, &object{path: name, name: strings.TrimPrefix(path.Clean(name), "/"), size: -1, open: func(ctx context.Context) (io.ReadCloser, error) {
			return a.get(ctx, u)
		}})
	}
	return out, nil
}

func (a *addresses) close() error {
	a.client.CloseIdleConnections()
	return nil
}

// get asks for an address.
func (a *addresses) get(ctx context.Context, u *url.URL) (io.ReadCloser, error) {
	req, err := a.request(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	res, err := a.client.Do(req)
	if err != nil {
		return nil, failedURL(ctx, err, u)
	}
	if res.StatusCode != http.StatusOK {
		return nil, refusedBy(res, u)
	}
	return &download{ctx: ctx, body: res.Body, from: u, left: maxDownload}, nil
}

// request is a request with the headers that go with all.
func (a *addresses) request(ctx context.Context, method string, u *url.URL, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Address %s", shownURL(u))
	}
	req.Header.Set("User-Agent", "olapd")
	for _, h := range a.headers {
		req.Header.Set(h.Name, h.Value)
	}
	return req, nil
}

// refusedBy is the error that an answer is, which it closes.
func refusedBy(res *http.Response, u *url.URL) error {
	text, rerr := io.ReadAll(io.LimitReader(res.Body, maxErrorText))
	err := sqlerr.New(sqlerr.ReceivedErrorFromRemoteIOServer, "Received error from remote server %s. HTTP status code: %d '%s', body: %.1000q", u.Path, res.StatusCode,
		http.StatusText(res.StatusCode), text)
	return errors.Join(err, rerr, res.Body.Close())
}

// failedURL gives an error of the network its code; those of the checks on the way have theirs.
func failedURL(ctx context.Context, err error, u *url.URL) error {
	var own *sqlerr.Error
	switch {
	case err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return err
	case errors.As(err, &own):
		return own
	}
	var inner *url.Error
	if errors.As(err, &inner) { // which shows the whole address
		err = inner.Err
	}
	return sqlerr.Wrap(err, sqlerr.NetworkError, "Address %s", shownURL(u))
}

// download is an answer being read.
type download struct {
	ctx  context.Context
	body io.ReadCloser
	from *url.URL
	left int64
}

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	n, err := d.body.Read(p)
	if d.left -= int64(n); d.left < 0 {
		return 0, sqlerr.New(sqlerr.TooManyBytes, "The answer of %s is larger than %d bytes", shownURL(d.from), int64(maxDownload))
	}
	if err != nil && err != io.EOF {
		err = failedURL(d.ctx, fmt.Errorf("after %d bytes: %w", maxDownload-d.left, err), d.from)
	}
	return n, err
}

// Close implements io.Closer.
func (d *download) Close() error { return d.body.Close() }
