package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/s3"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// store is an S3 store in this process, with what it was asked for.
type store struct {
	*httptest.Server
	host  string
	bytes atomic.Int64 // of answers to GET
	reads atomic.Int64 // GETs of objects
	lists atomic.Int64
}

func newStore(t *testing.T) *store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	inner := gofakes3.New(backend).Server()
	s := &store{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Query().Has("list-type") {
			s.lists.Add(1)
		} else if r.Method == http.MethodGet && !r.URL.Query().Has("location") {
			s.reads.Add(1)
			w = &counted{w, &s.bytes}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	s.host = strings.TrimPrefix(s.URL, "http://")
	return s
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}

func (s *store) request(key string) Request {
	return Request{Function: "s3", Path: s.URL + "/bucket/" + key, Keys: s3.Keys{ID: "key", Secret: "secret"}}
}

func options(ctx context.Context) Options {
	o := Options{Hive: true, Memory: mem.NewBudget("test", 1<<30)}
	o.Format.Cast = func(v column.Vector, t *types.Type) (column.Vector, error) {
		return function.Cast(&function.Env{Ctx: ctx}, v, t)
	}
	return o
}

// numbers is a block of n rows of x, from one on, with long texts beside them.
func numbers(from, n int) (column.Schema, *column.Block) {
	x, y := column.New(types.TInt64, n), column.New(types.TString, n)
	for i := range n {
		column.AppendValue(x, int64(from+i))
		column.AppendValue(y, fmt.Sprintf("%d-%x", i, bytes.Repeat([]byte{byte(i), byte(i >> 8), byte(i * 7)}, 40)))
	}
	return column.Schema{{Name: "x", Type: types.TInt64}, {Name: "y", Type: types.TString}}, &column.Block{N: n, Cols: []column.Vector{x, y}}
}

func (s *store) put(t *testing.T, key string, from, n int) {
	t.Helper()
	schema, b := numbers(from, n)
	o := options(t.Context())
	sink, err := Create(t.Context(), only(s.host), s.request(key), schema, o)
	if err == nil {
		err = sink.Write(b)
	}
	if err == nil {
		err = sink.Close()
	}
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	if o.Memory.Used() != 0 {
		t.Errorf("%s: %d bytes of memory are left", key, o.Memory.Used())
	}
}

// sum reads the column x of what a key means, and the columns of its path.
func (s *store) sum(t *testing.T, q Request, want Wanted) (sum int64, rows int, columns string, err error) {
	t.Helper()
	d, err := Open(t.Context(), only(s.host), q, options(t.Context()))
	if err != nil {
		return 0, 0, "", err
	}
	for _, f := range d.Schema()[:len(d.Schema())-d.Hidden()] {
		columns += f.Name + " " + f.Type.String() + ", "
	}
	scan, err := d.Scan(t.Context(), []int{d.Schema().Index("x")}, want)
	if err != nil {
		return 0, 0, columns, err
	}
	defer scan.Close()
	for {
		m, err := scan.Next(t.Context())
		if err != nil || m == nil {
			return sum, rows, columns, err
		}
		v, err := m.Column(t.Context(), 0, nil)
		if err != nil {
			return sum, rows, columns, err
		}
		for i := range m.Rows() {
			if !column.IsNull(v, i) {
				sum += column.Value(v, i).(int64)
			}
		}
		rows += m.Rows()
	}
}

func TestS3(t *testing.T) {
	s := newStore(t)
	for i, key := range []string{"y/year=2024/month=1/a.jsonl", "y/year=2024/month=2/b.jsonl.gz", "y/year=2025/month=1/c.jsonl", "p/1.parquet", "p/deep/2.parquet", "p/3.jsonl.zst", "odd %3F%23%25+.jsonl"} {
		s.put(t, key, 100*i, 2)
	}
	for _, c := range []struct {
		key     string
		sum     int64
		rows    int
		columns string
		code    sqlerr.Code
	}{
		{key: "p/1.parquet", sum: 601, rows: 2, columns: "x Int64, y String, "},
		{key: "p/*.parquet", sum: 601, rows: 2, columns: "x Int64, y String, "},
		{key: "p/**/*.parquet", sum: 1402, rows: 4, columns: "x Int64, y String, "},
		{key: "p/**.parquet", sum: 1402, rows: 4, columns: "x Int64, y String, "},
		{key: "p/{1,deep/2}.parquet", sum: 1402, rows: 4, columns: "x Int64, y String, "},
		{key: "p/?.{jsonl.zst,nothing*}", sum: 1001, rows: 2, columns: "x Nullable(Int64), y Nullable(String), "},
		{key: "y/**/*.jsonl*", sum: 603, rows: 6, columns: "x Nullable(Int64), y Nullable(String), month Int64, year Int64, "},
		{key: "y/year=2024/*/*", sum: 202, rows: 4, columns: "x Nullable(Int64), y Nullable(String), month Int64, year Int64, "},
		{key: "odd %3F%23%25+.jsonl", sum: 1201, rows: 2, columns: "x Nullable(Int64), y Nullable(String), "},
		{key: "odd*", sum: 1201, rows: 2, columns: "x Nullable(Int64), y Nullable(String), "},
		{key: "p/{1..1}.parquet", sum: 601, rows: 2, columns: "x Int64, y String, "},
		{key: "p/nothing*.parquet", code: sqlerr.CannotExtractTableStructure},
		{key: "p/nothing.parquet", code: sqlerr.S3Error},
		{key: "p/{1,9}.parquet", code: sqlerr.S3Error},
		{key: "", code: sqlerr.BadArguments},
	} {
		sum, rows, columns, err := s.sum(t, s.request(c.key), Wanted{})
		if rows != c.rows || sum != c.sum || columns != c.columns && c.code == 0 || c.code != 0 && !sqlerr.Is(err, c.code) || c.code == 0 && err != nil {
			t.Errorf("%s: %d rows, %d, of %s, %v", c.key, rows, sum, columns, err)
		}
	}
}

// TestS3IsReadInRanges reads one of two columns of a Parquet object, and skips objects by their paths.
func TestS3IsReadInRanges(t *testing.T) {
	s := newStore(t)
	s.put(t, "big.parquet", 0, 300_000)
	s.bytes.Store(0)
	sum, rows, _, err := s.sum(t, s.request("big.parquet"), Wanted{})
	if err != nil || rows != 300_000 || sum != 300_000*299_999/2 {
		t.Errorf("%d rows, %d, %v", rows, sum, err)
	}
	if n := s.bytes.Load(); n > 4<<20 {
		t.Errorf("%d bytes were read for a column of integers", n)
	}
	for i := range 3 {
		s.put(t, fmt.Sprintf("k=%d/x.jsonl", i), 10*i, 1)
	}
	s.reads.Store(0)
	sum, rows, _, err = s.sum(t, s.request("k=*/*"), Wanted{File: func(schema column.Schema, values []column.Vector) bool {
		return column.Value(values[schema.Index("k")], 0) == int64(2)
	}})
	if n := s.reads.Load(); err != nil || rows != 1 || sum != 20 || n != 2 { // one of them to find the columns
		t.Errorf("%d rows, %d, of %d reads, %v", rows, sum, n, err)
	}
	if s.lists.Load() == 0 {
		t.Error("nothing was listed")
	}
}

func TestS3Writes(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	s.put(t, "a.b.jsonl", 1, 1)
	schema, b := numbers(2, 1)
	o := options(ctx)
	if _, err := Create(ctx, only(s.host), s.request("a.b.jsonl"), schema, o); !sqlerr.Is(err, sqlerr.BadArguments) {
		t.Errorf("an object that is there: %v", err)
	}
	for _, key := range []string{"*.jsonl", "{a,b}.jsonl", "a?.jsonl"} {
		if _, err := Create(ctx, only(s.host), s.request(key), schema, o); !sqlerr.Is(err, sqlerr.DatabaseAccessDenied) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, err := Create(ctx, &Reach{}, s.request("x.jsonl"), schema, o); !sqlerr.Is(err, sqlerr.UnacceptableURL) {
		t.Errorf("without a list of hosts: %v", err)
	}
	write := func(key string, o Options, end func(*Sink) error) {
		t.Helper()
		sink, err := Create(ctx, only(s.host), s.request(key), schema, o)
		if err == nil {
			err = sink.Write(b)
		}
		if err == nil {
			err = end(sink)
		}
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	write("gone.jsonl", o, (*Sink).Abort)
	if _, _, _, err := s.sum(t, s.request("gone.jsonl"), Wanted{}); !sqlerr.Is(err, sqlerr.S3Error) {
		t.Errorf("what was taken back: %v", err)
	}
	o.NumberObject = true
	write("a.b.jsonl", o, (*Sink).Close)
	write("a.b.jsonl", o, (*Sink).Close)
	for key, want := range map[string]int64{"a.b.jsonl": 1, "a.1.b.jsonl": 2, "a.2.b.jsonl": 2} {
		if sum, rows, _, err := s.sum(t, s.request(key), Wanted{}); err != nil || rows != 1 || sum != want {
			t.Errorf("%s: %d rows, %d, %v", key, rows, sum, err)
		}
	}
	o.ReplaceObject = true
	write("a.b.jsonl", o, (*Sink).Close)
	if sum, rows, _, err := s.sum(t, s.request("a.b.jsonl"), Wanted{}); err != nil || rows != 1 || sum != 2 {
		t.Errorf("replaced: %d rows, %d, %v", rows, sum, err)
	}
}

func TestPartitions(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	schema, b := numbers(0, 4)
	by := column.New(types.TString, 4)
	for _, v := range []string{"a/b", "c%d #", "a/b", ""} {
		column.AppendValue(by, v)
	}
	if _, err := CreatePartitioned(ctx, only(s.host), s.request("p/x.jsonl"), schema, options(ctx)); !sqlerr.Is(err, sqlerr.BadArguments) {
		t.Errorf("without a place for the value: %v", err)
	}
	for _, end := range []func(*Partitions) error{(*Partitions).Abort, (*Partitions).Close} {
		if _, _, _, err := s.sum(t, s.request("p/**"), Wanted{}); !sqlerr.Is(err, sqlerr.CannotExtractTableStructure) {
			t.Errorf("what is there before: %v", err)
		}
		p, err := CreatePartitioned(ctx, only(s.host), s.request("p/{_partition_id}.jsonl"), schema, options(ctx))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(p.Write(b, by), p.Write(b, by), end(p)); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]int64{"p/a/b.jsonl": 4, "p/c%25d %23.jsonl": 2, "p/.jsonl": 6, "p/**": 12} {
		if sum, _, _, err := s.sum(t, s.request(key), Wanted{}); err != nil || sum != want {
			t.Errorf("%s: %d, %v", key, sum, err)
		}
	}
	p, err := CreatePartitioned(ctx, only(s.host), s.request("q/{_partition_id}.jsonl"), schema, options(ctx))
	if err != nil {
		t.Fatal(err)
	}
	bad := column.New(types.TString, 1)
	column.AppendValue(bad, "a*")
	_, one := numbers(0, 1)
	if err := p.Write(one, bad); !sqlerr.Is(err, sqlerr.CannotParseText) {
		t.Error(err)
	}
	many := column.New(types.TString, maxPartitions+1)
	for i := range maxPartitions + 1 {
		column.AppendValue(many, fmt.Sprint(i))
	}
	_, rows := numbers(0, maxPartitions+1)
	if err := p.Write(rows, many); !sqlerr.Is(err, sqlerr.TooManyParts) {
		t.Error(err)
	}
	if err := p.Abort(); err != nil {
		t.Error(err)
	}
}
