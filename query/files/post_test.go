package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
)

// TestPost inserts into addresses that take what is sent, and into some that do not.
func TestPost(t *testing.T) {
	var got []string
	whole := make(chan bool, 1) // whether a body that was given up ended as one that was not
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		var in io.Reader = r.Body
		if c := r.Header.Get("Content-Encoding"); c != "" {
			rd, err := compress.NewReader(in, compress.Coding(c))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			in = rd
		}
		body, err := io.ReadAll(in)
		if r.URL.Path == "/aborted.csv" {
			whole <- err == nil
			return
		}
		got = append(got, fmt.Sprintf("%s %s %s %s %d %v", r.Method, r.URL, r.Header.Get("Content-Type"), r.Header.Get("X-My"), strings.Count(string(body), "\n"), err))
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("/refused.csv", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not you", http.StatusForbidden) })
	mux.Handle("/moved.csv", http.RedirectHandler("/x.csv", http.StatusTemporaryRedirect))
	mux.HandleFunc("/silent.csv", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then nobody sees that the client goes
		<-r.Context().Done()
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	schema, b := numbers(0, 50_000)
	send := func(ctx context.Context, path string, end func(*Sink) error) error {
		q := Request{Function: "url", Path: srv.URL + path, Headers: []Header{{"X-My", "v"}}}
		s, err := Create(ctx, only(host), q, schema, options(ctx))
		if err != nil {
			return err
		}
		if err := s.Write(b); err != nil {
			return errors.Join(err, s.Abort())
		}
		return end(s)
	}
	for _, path := range []string{"/a.csv", "/b.tsv.gz?x=1*2?", "/c.csv.zst"} {
		if err := send(t.Context(), path, (*Sink).Close); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	want := "POST /a.csv text/csv; charset=UTF-8; header=absent v 50000 <nil>; POST /b.tsv.gz?x=1*2? text/tab-separated-values; charset=UTF-8 v 50000 <nil>; POST /c.csv.zst text/csv; charset=UTF-8; header=absent v 50000 <nil>"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("sent %s, want %s", text, want)
	}
	if err := send(t.Context(), "/aborted.csv", (*Sink).Abort); err != nil || <-whole {
		t.Errorf("what was given up came whole, or %v", err)
	}
	for path, code := range map[string]sqlerr.Code{"/refused.csv": sqlerr.ReceivedErrorFromRemoteIOServer, "/moved.csv": sqlerr.ReceivedErrorFromRemoteIOServer,
		"/{a,b}.csv": sqlerr.DatabaseAccessDenied, "/x.unknown": sqlerr.CannotDetectFormat} {
		if err := send(t.Context(), path, (*Sink).Close); !sqlerr.Is(err, code) {
			t.Errorf("%s: %v, want code %d", path, err, code)
		}
	}
	if _, err := Create(t.Context(), only("127.0.0.1:1"), Request{Function: "url", Path: srv.URL + "/a.csv"}, schema, options(t.Context())); !sqlerr.Is(err, sqlerr.UnacceptableURL) {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := send(ctx, "/silent.csv", (*Sink).Close); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
