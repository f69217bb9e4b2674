package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
)

// store is a store in this process with a bucket, and what it was asked.
type store struct {
	*httptest.Server
	backend *s3mem.Backend
	signed  atomic.Int64 // requests with a signature
	keys    atomic.Value // of the last of them
}

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{backend: s3mem.New()}
	if err := s.backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	inner := gofakes3.New(s.backend).Server()
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("Authorization"); a != "" {
			s.signed.Add(1)
			s.keys.Store(a)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *store) address(key string) string { return s.URL + "/bucket/" + key }

// open opens the bucket of an address at which everything but hosts named forbidden is allowed.
func open(t *testing.T, address string, k Keys) *Bucket {
	t.Helper()
	a, err := ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(a, k, func(at string) error {
		if !strings.HasPrefix(at, "127.0.0.1:") {
			return sqlerr.New(sqlerr.UnacceptableURL, "Address %s is not allowed", at)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"http://localhost:9000/bucket/a/b.csv":             "localhost:9000 bucket/a/b.csv",
		"https://minio/bucket/a?b#c*{1..3}":                "minio:443 bucket/a?b#c*{1..3}",
		"http://[::1]:9/bucket/x":                          "[::1]:9 bucket/x",
		"http://[::1]/bucket/x":                            "[::1]:80 bucket/x",
		"https://data.s3.eu-west-1.amazonaws.com/year=1/x": "data.s3.eu-west-1.amazonaws.com:443 data/year=1/x",
		"https://s3.eu-west-1.amazonaws.com/data/x":        "s3.eu-west-1.amazonaws.com:443 data/x",
		"https://a.b.s3.amazonaws.com/x":                   "a.b.s3.amazonaws.com:443 a.b/x",
		"s3://data/x/y":                                    "data.s3.amazonaws.com:443 data/x/y",
		"gs://data/x":                                      "storage.googleapis.com:443 data/x",
		"http://host/bucket/a%20b%3F":                      "host:80 bucket/a b?",
		"http://host/bucket":                               "host:80 bucket/",
		"http://host":                                      "",
		"http:///bucket/x":                                 "",
		"http://user:secret@host/bucket/x":                 "",
		"http://host/buck*et/x":                            "",
		"ftp://host/bucket/x":                              "",
		"http://host/bucket/%zz":                           "",
		"bucket/x":                                         "",
		"s3://":                                            "",
		"https://data.s3.eu-west-1.amazonaws.com:444/secret key": "data.s3.eu-west-1.amazonaws.com:444 data/secret key",
	} {
		a, err := ParseAddress(text)
		switch {
		case want == "" && (!sqlerr.Is(err, sqlerr.BadArguments) || strings.Contains(err.Error(), "secret")):
			t.Errorf("%s: %v, %v", text, a, err)
		case want != "" && (err != nil || a.Target()+" "+a.String() != want):
			t.Errorf("%s: %s %s, %v; want %s", text, a.Target(), a, err, want)
		}
	}
}

func TestObjects(t *testing.T) {
	s := newStore(t)
	b := open(t, s.address("x"), Keys{ID: "key", Secret: "secret"})
	ctx := t.Context()
	if _, err := b.Stat(ctx, "a/1"); !errors.Is(err, ErrNotExist) || !sqlerr.Is(err, sqlerr.S3Error) {
		t.Fatalf("of an object that is not there: %v", err)
	}
	for _, key := range []string{"a/2", "a/1", "b/1", "a/x y?#%"} {
		if err := b.Put(ctx, key, 10, strings.NewReader("0123456789")); err != nil {
			t.Fatal(err)
		}
	}
	var listed []string
	if err := b.List(ctx, "a/", func(i Info) error {
		listed = append(listed, i.Key)
		return nil
	}); err != nil || strings.Join(listed, " ") != "a/1 a/2 a/x y?#%" {
		t.Errorf("listed %q, %v", listed, err)
	}
	stop := errors.New("enough")
	if err := b.List(ctx, "", func(Info) error { return stop }); err != stop {
		t.Error(err)
	}
	info, err := b.Stat(ctx, "a/x y?#%")
	if err != nil || info.Size != 10 || info.ETag == "" || time.Since(info.Modified) > time.Hour {
		t.Fatalf("%+v, %v", info, err)
	}
	o := b.Object(ctx, info)
	defer o.Close()
	if all, err := io.ReadAll(o); err != nil || string(all) != "0123456789" {
		t.Errorf("%q, %v", all, err)
	}
	for _, c := range []struct {
		off  int64
		n    int
		want string
		err  error
	}{{0, 3, "012", nil}, {7, 3, "789", nil}, {8, 5, "89", io.EOF}, {10, 1, "", io.EOF}, {-1, 1, "", io.EOF}} {
		p := make([]byte, c.n)
		if n, err := o.ReadAt(p, c.off); string(p[:n]) != c.want || err != c.err {
			t.Errorf("%d bytes at %d: %q, %v", c.n, c.off, p[:n], err)
		}
	}
	if err := b.Remove(ctx, "a/1"); err != nil {
		t.Error(err)
	}
	if err := b.Remove(ctx, "a/1"); err != nil {
		t.Errorf("again: %v", err)
	}
	if s.signed.Load() == 0 {
		t.Error("nothing was signed")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := b.Stat(ended, "a/2"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := b.List(ended, "", func(Info) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestShorterThanItWas reads an object of which there is less than was said.
func TestShorterThanItWas(t *testing.T) {
	s := newStore(t)
	b := open(t, s.address("x"), Keys{})
	if err := b.Put(t.Context(), "x", 3, strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	o := b.Object(t.Context(), Info{Key: "x", Size: 10})
	defer o.Close()
	if got, err := io.ReadAll(o); !sqlerr.Is(err, sqlerr.CannotReadAllData) {
		t.Errorf("%q, %v", got, err)
	}
	if n, err := o.ReadAt(make([]byte, 5), 2); err == nil || err == io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestUpload(t *testing.T) {
	s := newStore(t)
	b := open(t, s.address("x"), Keys{ID: "key", Secret: "secret"})
	for _, size := range []int{0, 1, partBytes, partBytes + 1, 2*partBytes + 5} {
		m := mem.NewBudget("test", 1<<30)
		want := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
		for _, commit := range []bool{false, true} {
			u := b.Create(t.Context(), "x", m)
			for rest := want; len(rest) > 0; {
				n := min(len(rest), 1_000_003)
				if k, err := u.Write(rest[:n]); err != nil || k != n {
					t.Fatal(k, err)
				}
				rest = rest[n:]
			}
			end := u.Abort
			if commit {
				end = u.Commit
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if m.Used() != 0 {
				t.Errorf("%d bytes: %d of memory are left", size, m.Used())
			}
			info, err := b.Stat(t.Context(), "x")
			if commit != (err == nil) {
				t.Fatalf("%d bytes, committed %v: %v", size, commit, err)
			}
			if !commit {
				continue
			}
			got, err := io.ReadAll(b.Object(t.Context(), info))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes became %d, %v", size, len(got), err)
			}
		}
		if err := b.Remove(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	left, err := b.client.ListMultipartUploads(t.Context(), "bucket", "", "", "", "", 10)
	if err != nil || len(left.Uploads) > 0 {
		t.Errorf("%d uploads are left, %v", len(left.Uploads), err)
	}
}

func TestUploadIsAccounted(t *testing.T) {
	s := newStore(t)
	m := mem.NewBudget("test", 1<<20)
	u := open(t, s.address("x"), Keys{}).Create(t.Context(), "x", m)
	if _, err := u.Write(make([]byte, 2<<20)); !sqlerr.Is(err, sqlerr.MemoryLimitExceeded) {
		t.Error(err)
	}
	if err := u.Abort(); err != nil || m.Used() != 0 {
		t.Errorf("%v, %d bytes are left", err, m.Used())
	}
}

// TestReach has stores that are not allowed, and one that sends its client elsewhere.
func TestReach(t *testing.T) {
	a, err := ParseAddress("http://169.254.169.254/bucket/x")
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(at string) error { return sqlerr.New(sqlerr.UnacceptableURL, "Address %s is not allowed", at) }
	if _, err := Open(a, Keys{}, refuse); !sqlerr.Is(err, sqlerr.UnacceptableURL) {
		t.Error(err)
	}
	away := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect))
	defer away.Close()
	b := open(t, away.URL+"/bucket/x", Keys{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.Stat(ctx, "x"); err == nil || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
}

func TestKeysOfTheEnvironment(t *testing.T) {
	s := newStore(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for _, c := range []struct {
		k    Keys
		want string
	}{{Keys{}, ""}, {Keys{Environment: true}, "of-the-environment"}, {Keys{ID: "own", Secret: "x", Environment: true}, "own"}} {
		s.signed.Store(0)
		s.keys.Store("")
		b := open(t, s.address("x"), c.k)
		if err := b.Put(t.Context(), "x", 1, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if got := s.keys.Load().(string); (c.want == "") != (s.signed.Load() == 0) || !strings.Contains(got, c.want) {
			t.Errorf("%+v: signed %d times, %s", c.k, s.signed.Load(), got)
		}
	}
}
