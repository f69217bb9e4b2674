package olapd

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// fake answers as a ClickHouse server does to a few statements.
func fake(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch sql := string(body); {
	case r.URL.Path == "/ping":
		_, _ = io.WriteString(w, "Ok.\n")
	case sql == "SELECT 1":
		_, _ = io.WriteString(w, r.URL.Query().Get("default_format")+" "+r.URL.Query().Get("database")+" "+r.URL.Query().Get("session_id"))
	case sql == "SELECT nosuch":
		w.Header().Set("X-ClickHouse-Exception-Code", "47")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "Code: 47. DB::Exception: ...")
	case sql == "SELECT bare":
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "Code: 62. DB::Exception: ...")
	case strings.HasPrefix(r.URL.Query().Get("query"), "INSERT"):
		_, _ = io.WriteString(w, sql)
	default:
		w.WriteHeader(http.StatusBadGateway)
	}
}

func TestSession(t *testing.T) {
	http := httptest.NewServer(http.HandlerFunc(fake))
	defer http.Close()
	s, err := Start(http.URL+"/", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	session := Session{Server: s, ID: "i", Database: "d"}
	for _, c := range []struct {
		sql, data string
		code      int
	}{
		{"SELECT 1", "TSVWithNamesAndTypes d i", 0},
		{"SELECT nosuch", "", 47},
		{"SELECT bare", "", 62},
		{"SELECT proxy", "", -1},
	} {
		a, err := session.Run(context.Background(), c.sql, "")
		if err != nil || a.Data != c.data || a.Code != c.code {
			t.Errorf("%s: %+v, %v", c.sql, a, err)
		}
	}
	a, err := session.Insert(context.Background(), "INSERT INTO t FORMAT TSV", strings.NewReader("1\n"))
	if err != nil || a.Data != "1\n" {
		t.Errorf("insert: %+v, %v", a, err)
	}
}

func TestStartFails(t *testing.T) {
	if _, err := Start("/nonexistent/olapd", t.TempDir()); err == nil {
		t.Error("no error for a binary that is not there")
	}
}

func TestDeadServer(t *testing.T) {
	http := httptest.NewServer(http.HandlerFunc(fake))
	s, err := Start(http.URL, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	http.Close()
	if _, err := (&Session{Server: s}).Run(context.Background(), "SELECT 1", ""); err == nil {
		t.Error("no error from a server that is gone")
	}
}
