package oracle

import (
	"context"
	"errors"
	"testing"
	"time"
)

func query(t *testing.T, o *Oracle, sql string) string {
	t.Helper()
	r, err := o.Query(context.Background(), sql, "")
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return string(r.Data)
}

func TestClickHouse(t *testing.T) {
	o := Start(t, ClickHouse)
	if o == nil {
		return
	}
	query(t, o, "CREATE DATABASE d")
	query(t, o, "USE d")
	query(t, o, "CREATE TABLE t (a UInt8, b Nullable(String)) ENGINE = MergeTree ORDER BY a")
	query(t, o, "INSERT INTO t VALUES (1, 'x\\ty'), (2, NULL)")
	if got, want := query(t, o, "SELECT * FROM t ORDER BY a"), "a\tb\nUInt8\tNullable(String)\n1\tx\\ty\n2\t\\N\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := query(t, o, "SELECT unhex('ff00') AS s"), "s\nString\n\xff\\0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err := o.Query(context.Background(), "SELECT nosuch", "")
	var e *Error
	if !errors.As(err, &e) || e.Code != 47 {
		t.Errorf("got %v, want code 47", err)
	}
}

func TestDuckDB(t *testing.T) {
	o := Start(t, DuckDB)
	if o == nil {
		return
	}
	query(t, o, "CREATE TABLE t (a INTEGER, b TEXT)")
	query(t, o, "INSERT INTO t VALUES (1, 'x'), (2, NULL)")
	if got, want := query(t, o, "SELECT a, b, a / 2 AS c FROM t ORDER BY a"), "a\tb\tc\nINTEGER\tVARCHAR\tDOUBLE\n1\tx\t0.5\n2\t\\N\t1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTimeoutKills(t *testing.T) {
	o := Start(t, ClickHouse)
	if o == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := o.Query(ctx, "SELECT sleepEachRow(1) FROM numbers(3)", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestNotAvailable(t *testing.T) {
	t.Setenv(PythonVariable, "/nonexistent/python")
	if _, err := Open(Config{Engine: ClickHouse, Dir: t.TempDir()}); !errors.Is(err, ErrNotAvailable) {
		t.Errorf("got %v", err)
	}
}
