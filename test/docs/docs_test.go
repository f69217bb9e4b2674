package docs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/node"
)

// files are the documents whose examples run.
func files(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(names) == 0 {
		t.Fatal("no documents", err)
	}
	more, err := filepath.Glob("../../docs/decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(append(names, more...), "../../README.md")
}

// server is a node with its address.
type server struct{ addr string }

func start(t *testing.T) server {
	t.Helper()
	cfg := node.DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.LogLevel, cfg.Memory = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", "error", 1<<30
	n, err := node.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return server{n.HTTPAddr()}
}

// run posts a statement; code is that of the error, or empty.
func (s server) run(ctx context.Context, database, sql string) (answer, code string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr+"/?wait_end_of_query=1&session_id="+database, strings.NewReader(sql))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("X-ClickHouse-Database", database)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), res.Header.Get("X-ClickHouse-Exception-Code"), err
}

func TestExamples(t *testing.T) {
	s := start(t)
	total := 0
	for i, name := range files(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		database := fmt.Sprintf("document_%d", i)
		if _, code, err := s.run(t.Context(), "default", "CREATE DATABASE "+database); code != "" || err != nil {
			t.Fatal(code, err)
		}
		for _, b := range blocks(string(text), "sql") {
			list, err := b.statements()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, e := range list {
				total++
				s.check(t, name, database, e)
			}
		}
	}
	if total < 50 {
		t.Errorf("only %d statements were found", total)
	}
}

func (s server) check(t *testing.T, name, database string, e example) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, code, err := s.run(ctx, database, e.text)
	switch {
	case err != nil:
		t.Errorf("%s:%d: %s\n%v", name, e.line, e.text, err)
	case code != e.failed:
		t.Errorf("%s:%d: %s\nfails with code %q, want %q: %s", name, e.line, e.text, code, e.failed, got)
	case code == "" && e.given && !agrees(got, e.want):
		t.Errorf("%s:%d: %s\nanswers\n%s\nwant\n%s", name, e.line, e.text, got, e.want)
	}
}

// TestCommands runs the curl commands of the documents.
func TestCommands(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("there is no curl here: its examples did not run")
		return
	}
	s := start(t)
	for _, name := range files(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, b := range blocks(string(text), "sh") {
			for _, e := range b.commands() {
				command := strings.NewReplacer("localhost:8123", s.addr, "curl ", "curl -sS -m 20 ").Replace(e.text)
				cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				if err != nil || !agrees(string(out), e.want) {
					t.Errorf("%s:%d: %s\nprints (%v)\n%s\nwant\n%s", name, e.line, e.text, err, out, e.want)
				}
			}
		}
	}
}

func TestStatements(t *testing.T) {
	const text = "x\n```sql\n-- note\nSELECT 1;\n-- 1\n\nSELECT\n  2;  -- two\nSELECT x;\n-- error 47: no such column\n```\n```sh\n$ curl a\nb\n$ ls\nc\n```\n"
	list, err := blocks(text, "sql")[0].statements()
	if err != nil {
		t.Fatal(err)
	}
	want := []example{
		{line: 4, text: "SELECT 1;", want: "1", given: true},
		{line: 7, text: "SELECT\n  2;  -- two"},
		{line: 9, text: "SELECT x;", failed: "47"},
	}
	if fmt.Sprint(list) != fmt.Sprint(want) {
		t.Errorf("%+v", list)
	}
	if got := blocks(text, "sh")[0].commands(); len(got) != 1 || got[0].text != "curl a" || got[0].want != "b\n" {
		t.Errorf("%+v", got)
	}
	if _, err := blocks("```sql\nSELECT 1\n```", "sql")[0].statements(); err == nil {
		t.Error("a statement without an end is accepted")
	}
}

func TestAgrees(t *testing.T) {
	for _, c := range []struct {
		got, want string
		same      bool
	}{
		{"1\t2\n", "1 2", true}, {"1\n2\n", "1\n2", true}, {"1", "2", false}, {"Code: 60. x (Y)\n", "Code: 60. …(Y)", true},
		{"a b c", "a … c", true}, {"a b d", "a … c", false}, {"a b", "a", false}, {"a b", "…", true}, {"a x b y c", "a…b…c", true},
	} {
		if agrees(c.got, c.want) != c.same {
			t.Errorf("agrees(%q, %q) is %v", c.got, c.want, !c.same)
		}
	}
}
