package files

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// site serves a few answers at 127.0.0.1, and what leads elsewhere.
func site(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/year=2024/a.jsonl", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"x":1,"y":"a"} {"x":2,"y":"b"}`) })
	mux.HandleFunc("/year=2025/a.jsonl", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"x":3,"y":"c"}`) })
	mux.HandleFunc("/broken.jsonl", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "it is gone", http.StatusGone) })
	mux.HandleFunc("/moved.jsonl", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/year=2025/a.jsonl", http.StatusFound)
	})
	mux.HandleFunc("/away.jsonl", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	})
	mux.HandleFunc("/file.jsonl", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/ring.jsonl", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ring.jsonl", http.StatusFound) })
	mux.HandleFunc("/cut.jsonl", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"x":1}`)
	})
	mux.HandleFunc("/slow.jsonl", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// only allows one address.
func only(address string) *Reach {
	return &Reach{Allows: func(a string) error {
		if a == address {
			return nil
		}
		return sqlerr.New(sqlerr.UnacceptableURL, "Address %s is not allowed", a)
	}}
}

// fetch reads the rows of an address as text, with what its path says.
func fetch(ctx context.Context, r *Reach, address string) (rows int, columns string, err error) {
	o := Options{Hive: true}
	o.Format.Cast = func(v column.Vector, t *types.Type) (column.Vector, error) {
		return function.Cast(&function.Env{Ctx: ctx}, v, t)
	}
	d, err := Open(ctx, r, Request{Function: "url", Path: address}, o)
	if err != nil {
		return 0, "", err
	}
	for _, f := range d.Schema()[:len(d.Schema())-d.Hidden()] {
		columns += f.Name + " " + f.Type.String() + ", "
	}
	s, err := d.Scan(ctx, []int{0}, Wanted{})
	if err != nil {
		return 0, columns, err
	}
	defer s.Close()
	for {
		m, err := s.Next(ctx)
		if err != nil || m == nil {
			return rows, columns, err
		}
		rows += m.Rows()
	}
}

func TestURL(t *testing.T) {
	s := site(t)
	host := strings.TrimPrefix(s.URL, "http://")
	for _, c := range []struct {
		path    string
		rows    int
		columns string
		code    sqlerr.Code
	}{
		{path: "/year={2024,2025}/a.jsonl", rows: 3, columns: "x Nullable(Int64), y Nullable(String), year Int64, "},
		{path: "/year=202{4..5}/a.jsonl?key=secret", rows: 3, columns: "x Nullable(Int64), y Nullable(String), year Int64, "},
		{path: "/moved.jsonl", rows: 1, columns: "x Nullable(Int64), y Nullable(String), "},
		{path: "/broken.jsonl", code: sqlerr.ReceivedErrorFromRemoteIOServer},
		{path: "/nothing.jsonl", code: sqlerr.ReceivedErrorFromRemoteIOServer},
		{path: "/away.jsonl", code: sqlerr.UnacceptableURL},
		{path: "/file.jsonl", code: sqlerr.BadArguments},
		{path: "/ring.jsonl", code: sqlerr.TooManyRedirects},
		{path: "/cut.jsonl", code: sqlerr.CannotExtractTableStructure},
		{path: "/nothing", code: sqlerr.CannotDetectFormat},
	} {
		rows, columns, err := fetch(t.Context(), only(host), s.URL+c.path)
		if rows != c.rows || columns != c.columns && c.code == 0 || c.code != 0 && !sqlerr.Is(err, c.code) || c.code == 0 && err != nil {
			t.Errorf("%s: %d rows of %s, %v", c.path, rows, columns, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: parameters are told: %v", c.path, err)
		}
	}
	for address, code := range map[string]sqlerr.Code{
		"http://127.0.0.2" + host[strings.LastIndexByte(host, ':'):] + "/a.jsonl": sqlerr.UnacceptableURL, "ftp://" + host + "/a.jsonl": sqlerr.BadArguments, "/etc/passwd": sqlerr.BadArguments,
		"http://user:secret@" + host + "/a.jsonl": sqlerr.NotImplemented, "http:///a.jsonl": sqlerr.BadArguments, "http://[::1/a.jsonl": sqlerr.BadArguments, "http://" + host + "/{1..5000}.csv": sqlerr.BadArguments,
	} {
		if _, _, err := fetch(t.Context(), only(host), address); !sqlerr.Is(err, code) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, _, err := fetch(t.Context(), &Reach{}, s.URL+"/moved.jsonl"); !sqlerr.Is(err, sqlerr.UnacceptableURL) {
		t.Errorf("without a list of hosts: %v", err)
	}
	s.Close()
	if _, _, err := fetch(t.Context(), only(host), s.URL+"/moved.jsonl?key=secret"); !sqlerr.Is(err, sqlerr.NetworkError) || strings.Contains(err.Error(), "secret") {
		t.Errorf("of a server that is down: %v", err)
	}
}

// TestURLEndsWithItsQuery has a server that does not answer.
func TestURLEndsWithItsQuery(t *testing.T) {
	s := site(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := fetch(ctx, only(strings.TrimPrefix(s.URL, "http://")), s.URL+"/slow.jsonl"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestDownloadIsBounded reads more than an answer may have.
func TestDownloadIsBounded(t *testing.T) {
	d := &download{ctx: t.Context(), body: http.NoBody, from: &url.URL{Host: "h"}, left: 2}
	d.body = struct {
		*strings.Reader
		nopClose
	}{strings.NewReader("abc"), nopClose{}}
	if _, err := d.Read(make([]byte, 3)); !sqlerr.Is(err, sqlerr.TooManyBytes) {
		t.Error(err)
	}
}

type nopClose struct{}

func (nopClose) Close() error { return nil }
