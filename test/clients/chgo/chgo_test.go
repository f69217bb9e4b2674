// Package chgo runs the Go clients against the server that OLAPD_NATIVE_PORT and OLAPD_HTTP_PORT name: ch-go, which has a codec of
// the protocol of its own, and clickhouse-go over both protocols.
package chgo

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

func address(t *testing.T, variable string) string {
	t.Helper()
	port := os.Getenv(variable)
	if port == "" {
		t.Fatalf("%s is not set: run make test-clients", variable)
	}
	return "127.0.0.1:" + port
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestChGo(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, compression := range []ch.Compression{ch.CompressionDisabled, ch.CompressionLZ4, ch.CompressionZSTD, ch.CompressionNone} {
		c, err := ch.Dial(ctx, ch.Options{Address: address(t, "OLAPD_NATIVE_PORT"), Compression: compression})
		check(t, err)
		check(t, c.Ping(ctx))
		check(t, c.Do(ctx, ch.Query{Body: "DROP TABLE IF EXISTS chgo"}))
		check(t, c.Do(ctx, ch.Query{Body: `CREATE TABLE chgo (k UInt64, s LowCardinality(String), n Nullable(Float64), a Array(String),
			d DateTime64(3), m Map(String, UInt8), u UUID, e Enum8('x' = 1, 'y' = 2)) ENGINE = MergeTree ORDER BY k`}))
		insert(ctx, t, c)
		read(ctx, t, c)
		var ex *ch.Exception
		if err := c.Do(ctx, ch.Query{Body: "SELECT * FROM nowhere"}); !errors.As(err, &ex) || ex.Code != proto.ErrUnknownTable {
			t.Errorf("%v", err)
		}
		check(t, c.Do(ctx, ch.Query{Body: "DROP TABLE chgo"}))
		check(t, c.Close())
	}
}

// insert streams three blocks of 1,000 rows.
func insert(ctx context.Context, t *testing.T, c *ch.Client) {
	var k proto.ColUInt64
	s := new(proto.ColStr).LowCardinality()
	n := new(proto.ColFloat64).Nullable()
	a := new(proto.ColStr).Array()
	d := new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)
	m := proto.NewMap(new(proto.ColStr), new(proto.ColUInt8))
	var u proto.ColUUID
	var e proto.ColEnum
	in := proto.Input{{Name: "k", Data: &k}, {Name: "s", Data: s}, {Name: "n", Data: n}, {Name: "a", Data: a}, {Name: "d", Data: d},
		{Name: "m", Data: m}, {Name: "u", Data: &u}, {Name: "e", Data: &e}}
	blocks := 0
	next := func(context.Context) error {
		in.Reset()
		if blocks++; blocks > 3 {
			return io.EOF
		}
		for i := range 1000 {
			k.Append(uint64((blocks-1)*1000 + i))
			s.Append([]string{"p", "q", "r"}[i%3])
			n.Append(proto.Nullable[float64]{Set: i%2 == 0, Value: 0.5})
			a.Append([]string{"x", "y"})
			d.Append(time.Date(2024, 1, 2, 3, 4, 5, 6e6, time.UTC))
			m.Append(map[string]uint8{"k": 1})
			u.Append([16]byte{15: byte(i)})
			e.Append("y")
		}
		return nil
	}
	check(t, next(ctx))
	check(t, c.Do(ctx, ch.Query{Body: in.Into("chgo"), Input: in, OnInput: next}))
}

func read(ctx context.Context, t *testing.T, c *ch.Client) {
	var k proto.ColUInt64
	s := new(proto.ColStr).LowCardinality()
	n := new(proto.ColFloat64).Nullable()
	rows, nulls, progress := 0, 0, uint64(0)
	check(t, c.Do(ctx, ch.Query{
		Body: "SELECT k, s, n FROM chgo WHERE k >= {from:UInt64} ORDER BY k SETTINGS max_block_size = 500", Parameters: ch.Parameters(map[string]any{"from": 1000}),
		Result: proto.Results{{Name: "k", Data: &k}, {Name: "s", Data: s}, {Name: "n", Data: n}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range k.Rows() {
				if want := uint64(1000 + rows); k.Row(i) != want || s.Row(i) != []string{"p", "q", "r"}[(want%1000)%3] {
					t.Errorf("row %d: %d, %s", rows, k.Row(i), s.Row(i))
				}
				if !n.Row(i).Set {
					nulls++
				}
				rows++
			}
			return nil
		},
		OnProgress: func(_ context.Context, p proto.Progress) error { progress += p.Rows; return nil },
	}))
	if rows != 2000 || nulls != 1000 || progress < 2000 {
		t.Errorf("%d rows, %d NULLs, progress of %d rows", rows, nulls, progress)
	}
}

func TestClickHouseGo(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for protocol, variable := range map[clickhouse.Protocol]string{clickhouse.Native: "OLAPD_NATIVE_PORT", clickhouse.HTTP: "OLAPD_HTTP_PORT"} {
		for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD} {
			c, err := clickhouse.Open(&clickhouse.Options{Addr: []string{address(t, variable)}, Protocol: protocol,
				Compression: &clickhouse.Compression{Method: method}, Settings: clickhouse.Settings{"max_execution_time": 60}})
			check(t, err)
			check(t, c.Ping(ctx))
			check(t, c.Exec(ctx, "DROP TABLE IF EXISTS chgo2"))
			check(t, c.Exec(ctx, "CREATE TABLE chgo2 (k UInt32, s String, a Array(Nullable(Int64)), f DEFAULT k * 2) ENGINE = MergeTree ORDER BY k"))
			batch, err := c.PrepareBatch(ctx, "INSERT INTO chgo2 (k, s, a)")
			check(t, err)
			x := int64(7)
			for i := range uint32(1000) {
				check(t, batch.Append(i, "it's", []*int64{&x, nil}))
			}
			check(t, batch.Send())
			var rows, sum uint64
			check(t, c.QueryRow(ctx, "SELECT count(), sum(f) FROM chgo2 WHERE s = ?", "it's").Scan(&rows, &sum))
			if rows != 1000 || sum != 999000 {
				t.Errorf("%v: %d rows, sum %d", protocol, rows, sum)
			}
			var ex *clickhouse.Exception
			if err := c.Exec(ctx, "SELECT * FROM nowhere"); !errors.As(err, &ex) || ex.Code != 60 {
				t.Errorf("%v: %v", protocol, err)
			}
			check(t, c.Exec(ctx, "DROP TABLE chgo2"))
			check(t, c.Close())
		}
	}
}
