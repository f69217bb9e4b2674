package protocol

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// revisions are those at which a packet gains something, and some between.
var revisions = []int{50000, 51554, 54032, 54058, 54060, 54372, 54401, 54412, 54420, 54429, 54441, 54442, 54448, 54453, 54459, Revision}

// kindOf reads the kind in front of a packet.
func kindOf(t *testing.T, r *Reader) uint64 {
	t.Helper()
	k := r.Uvarint()
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return k
}

// read returns a Reader of b that gets it a byte at a time, and checks at the end that all of it was read.
func read(t *testing.T, b []byte) *Reader {
	t.Helper()
	r := NewReader(iotest.OneByteReader(bytes.NewReader(b)))
	t.Cleanup(func() {
		if err := r.Wait(); r.Err() == nil && !errors.Is(err, io.EOF) {
			t.Errorf("bytes are left over, or %v", err)
		}
	})
	return r
}

func TestHello(t *testing.T) {
	c := Client{Name: "test", Major: 26, Minor: 7, Revision: 54460, Database: "d", User: "u", Password: "p"}
	got, err := read(t, AppendClient(nil, c)).ReadClient()
	if err != nil || got != c {
		t.Errorf("%+v, %v", got, err)
	}
	for _, rev := range revisions {
		s := Server{Name: "ClickHouse", Major: 26, Minor: 7, Patch: 2, Revision: Revision, Zone: "UTC", DisplayName: "x"}
		r := read(t, AppendServer(nil, s, rev))
		if k := kindOf(t, r); k != uint64(ServerHello) {
			t.Fatalf("kind %d", k)
		}
		got, err := r.ReadServer(rev)
		if rev < withTimeZone {
			s.Zone = ""
		}
		if rev < withDisplayName {
			s.DisplayName = ""
		}
		if rev < withPatch {
			s.Patch = Revision
		}
		if err != nil || got != s {
			t.Errorf("%d: %+v, %v", rev, got, err)
		}
	}
}

func TestQuery(t *testing.T) {
	for _, rev := range revisions {
		q := Query{
			ID: "id", Text: "SELECT {x:UInt8}", Stage: StageComplete, Compression: true,
			Settings:   []Setting{{Name: "max_threads", Value: "2", Important: true}, {Name: "c", Value: "'x'", Custom: true}},
			Parameters: []Setting{{Name: "x", Value: "'1'", Custom: true}}, Secret: "s",
			Info: ClientInfo{Kind: 1, InitialUser: "u", InitialQueryID: "q", InitialAddress: "[::1]:1", InitialMicros: -1, Interface: InterfaceTCP,
				OSUser: "o", Host: "h", Name: "n", Major: 1, Minor: 2, Revision: 3, Patch: 4, QuotaKey: "k", Depth: 5,
				Trace: &Trace{ID: [16]byte{1, 2}, Span: [8]byte{3}, State: "st", Flags: 1}},
		}
		r := read(t, AppendQuery(nil, q, rev))
		kindOf(t, r)
		got, err := r.ReadQuery(rev, nil)
		if err != nil {
			t.Fatalf("%d: %v", rev, err)
		}
		if rev < withTextSettings {
			q.Settings = nil
		}
		if rev < withParameters {
			q.Parameters = nil
		}
		if rev < withSecret {
			q.Secret = ""
		}
		trim(&q.Info, rev)
		if !reflect.DeepEqual(got, q) {
			t.Errorf("%d:\n%+v\n%+v", rev, got, q)
		}
	}
}

// trim leaves out what a revision does not know.
func trim(c *ClientInfo, rev int) {
	if rev < withClientInfo {
		*c = ClientInfo{}
		return
	}
	if rev < withStartTime {
		c.InitialMicros = 0
	}
	if rev < withQuotaKey {
		c.QuotaKey = ""
	}
	if rev < withDepth {
		c.Depth = 0
	}
	if rev < withPatch {
		c.Patch = c.Revision
	}
	if rev < withTrace {
		c.Trace = nil
	}
}

func TestQueryOverHTTP(t *testing.T) {
	q := Query{Text: "SELECT 1", Info: ClientInfo{Kind: 2, Interface: InterfaceHTTP, HTTPMethod: 2, UserAgent: "a", ForwardedFor: "f", Referer: "r"}}
	r := read(t, AppendQuery(nil, q, Revision))
	kindOf(t, r)
	if got, err := r.ReadQuery(Revision, nil); err != nil || !reflect.DeepEqual(got, q) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestOldSettings reads what clickhouse-client 18.16 sends for --max_threads=2 --distributed_product_mode=allow.
func TestOldSettings(t *testing.T) {
	kinds := func(name string) (OldKind, error) {
		switch name {
		case "max_threads":
			return OldNumber, nil
		case "distributed_product_mode":
			return OldString, nil
		}
		return 0, sqlerr.New(sqlerr.UnknownSetting, "Unknown setting %s", name)
	}
	packet := func(settings ...byte) []byte {
		b := append([]byte{0}, 0) // no id, no client info
		b = append(b, settings...)
		return append(b, 0, 2, 0, 1, '1') // the end of settings, complete, uncompressed, "1"
	}
	text := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	b := append(append(text("max_threads"), 2), append(text("distributed_product_mode"), text("allow")...)...)
	q, err := read(t, packet(b...)).ReadQuery(54412, kinds)
	want := []Setting{{Name: "max_threads", Value: "2", Important: true}, {Name: "distributed_product_mode", Value: "allow", Important: true}}
	if err != nil || q.Text != "1" || !reflect.DeepEqual(q.Settings, want) {
		t.Errorf("%+v, %v", q, err)
	}
	r := NewReader(bytes.NewReader(packet(append(text("nope"), 1)...)))
	if _, err := r.ReadQuery(54412, kinds); !sqlerr.Is(err, sqlerr.UnknownSetting) {
		t.Error(err)
	}
}

func TestPackets(t *testing.T) {
	nested := &Exception{Code: 60, Name: "DB::Exception", Text: "DB::Exception: x", Stack: "s", Nested: &Exception{Code: 1, Name: "n"}}
	r := read(t, AppendException(nil, nested))
	kindOf(t, r)
	if got, err := r.ReadException(); err != nil || !reflect.DeepEqual(got, nested) {
		t.Errorf("%+v, %v", got, err)
	}
	profile := Profile{Rows: 1, Blocks: 2, Bytes: 3, AppliedLimit: true, BeforeLimit: 4, HasBeforeLimit: true}
	r = read(t, AppendProfile(nil, profile))
	kindOf(t, r)
	if got, err := r.ReadProfile(); err != nil || got != profile {
		t.Errorf("%+v, %v", got, err)
	}
	for _, rev := range revisions {
		p := Progress{ReadRows: 1, ReadBytes: 1 << 40, TotalRows: 3, WrittenRows: 4, WrittenBytes: 5, ElapsedNanos: 6}
		r := read(t, AppendProgress(nil, p, rev))
		kindOf(t, r)
		if rev < withTotalRows {
			p.TotalRows = 0
		}
		if rev < withWrites {
			p.WrittenRows, p.WrittenBytes = 0, 0
		}
		if rev < withElapsedInProgress {
			p.ElapsedNanos = 0
		}
		if got, err := r.ReadProgress(rev); err != nil || got != p {
			t.Errorf("%d: %+v, %v", rev, got, err)
		}
	}
}

func sample() Data {
	low := types.NewLowCardinality(types.TString)
	return Data{Table: "t", Schema: column.Schema{
		{Name: "n", Type: types.TUInt32}, {Name: "s", Type: low}, {Name: "d", Type: types.NewNullable(types.TFloat64)},
	}, Block: &column.Block{N: 3, Cols: []column.Vector{
		column.NewNum(types.TUInt32, []uint32{1, 2, 3}), column.NewStrings("a", "b", "a"),
		column.NewNullable([]uint8{0, 1, 0}, column.NewNum(types.TFloat64, []float64{1, 0, 2.5})),
	}}}
}

func TestData(t *testing.T) {
	for _, rev := range revisions {
		for _, e := range []*Encoder{
			{Revision: rev}, {Revision: rev, Compress: true, Codec: compress.LZ4}, {Revision: rev, Compress: true, Codec: compress.ZSTD},
			{Revision: rev, Compress: true, Codec: compress.None},
		} {
			var b []byte
			var err error
			for range 2 { // the second block shows that the first was read to its end, and no further
				if b, err = e.AppendData(b, uint64(ClientData), sample()); err != nil {
					t.Fatal(err)
				}
			}
			if b, err = e.AppendData(b, uint64(ClientData), EndOfData()); err != nil {
				t.Fatal(err)
			}
			r := read(t, append(b, byte(ClientPing)))
			for range 2 {
				kindOf(t, r)
				d, err := r.ReadData(rev, e.Compress)
				if err != nil || d.Table != "t" || d.Block.N != 3 {
					t.Fatalf("%d: %+v, %v", rev, d, err)
				}
				if got := column.Value(d.Block.Cols[1], 2); got != "a" {
					t.Errorf("%d: %v", rev, got)
				}
				wantLow := rev >= 54405
				if isLow := d.Schema[1].Type.Kind == types.LowCardinality; isLow != wantLow {
					t.Errorf("%d: %s", rev, d.Schema[1].Type)
				}
			}
			kindOf(t, r)
			if d, err := r.ReadData(rev, e.Compress); err != nil || !d.Empty() {
				t.Errorf("%+v, %v", d, err)
			}
			if k := kindOf(t, r); k != uint64(ClientPing) {
				t.Errorf("kind %d behind the blocks", k)
			}
		}
	}
}

// TestGolden holds the bytes of packets, with what each field is.
func TestGolden(t *testing.T) {
	e := &Encoder{Revision: Revision}
	block, err := e.AppendData(nil, uint64(ServerData), Data{Schema: column.Schema{{Name: "x", Type: types.TUInt8}},
		Block: column.NewBlock(column.NewNum(types.TUInt8, []uint8{7}))})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		got    []byte
		fields []string
	}{
		{"hello", AppendServer(nil, Server{Name: "C", Major: 26, Minor: 7, Patch: 2, Revision: 54460, Zone: "UTC", DisplayName: "o"}, Revision), []string{
			"00", "0143", "1a", "07", "bca903", "03555443", "016f", "02"}}, // kind, name, major, minor, revision, zone, display name, patch
		{"data", block, []string{
			"01", "00", // kind, table
			"0100", "02ffffffff", "00", // block info: no overflows, no bucket, end
			"01", "01", "0178", "0555496e7438", "00", "07"}}, // columns, rows, name, type, ordinary serialization, value
		{"progress", AppendProgress(nil, Progress{ReadRows: 1, ReadBytes: 300, ElapsedNanos: 5}, Revision), []string{
			"03", "01", "ac02", "00", "00", "00", "05"}}, // kind, rows, bytes, total, written rows and bytes, nanoseconds
		{"exception", AppendException(nil, &Exception{Code: 62, Name: "N", Text: "T"}), []string{
			"02", "3e000000", "014e", "0154", "00", "00"}}, // kind, code, name, text, stack, no nested one
	} {
		if got, want := hex.EncodeToString(tc.got), strings.Join(tc.fields, ""); got != want {
			t.Errorf("%s:\n%s\n%s", tc.name, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}
	for name, f := range map[string]func(r *Reader) error{
		"name":  func(r *Reader) error { r.Name(); return r.Err() },
		"text":  func(r *Reader) error { r.Text(); return r.Err() },
		"count": func(r *Reader) error { r.Count(10, "things"); return r.Err() },
		"block": func(r *Reader) error { r.Block(0, false); return r.Err() },
	} {
		if err := f(NewReader(bytes.NewReader(huge))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r := NewReader(strings.NewReader("\x05ab"))
	if r.Name(); !errors.Is(r.Err(), io.ErrUnexpectedEOF) {
		t.Error(r.Err())
	}
	long := NewReader(bytes.NewReader(bytes.Repeat([]byte{0x80}, 20)))
	if long.Uvarint(); !sqlerr.Is(long.Err(), sqlerr.CannotReadAllData) {
		t.Error(long.Err())
	}
}

func FuzzClient(f *testing.F) {
	e := &Encoder{Revision: Revision, Compress: true, Codec: compress.LZ4}
	data, err := e.AppendData(nil, uint64(ClientData), sample())
	if err != nil {
		f.Fatal(err)
	}
	plain := &Encoder{Revision: Revision}
	open, err := plain.AppendData(nil, uint64(ClientData), sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(AppendClient(nil, Client{Name: "x", Revision: Revision}), 54460, false)
	f.Add(AppendQuery(nil, Query{ID: "1", Text: "SELECT 1", Settings: []Setting{{Name: "a", Value: "b"}}, Info: ClientInfo{Kind: 1, Interface: 1}}, Revision), 54460, false)
	f.Add(data, 54460, true)
	f.Add(open, 54460, false)
	f.Add(append([]byte{byte(ClientTablesStatus)}, 1, 1, 'a', 1, 'b'), 54460, false)
	f.Fuzz(func(t *testing.T, b []byte, revision int, compressed bool) {
		r := NewReader(bytes.NewReader(b))
		for r.Err() == nil && r.Wait() == nil {
			switch ClientPacket(r.Uvarint()) {
			case ClientHello:
				_, _ = NewReader(bytes.NewReader(b)).ReadClient()
			case ClientQuery:
				_, _ = r.ReadQuery(revision, func(string) (OldKind, error) { return OldString, nil })
			case ClientData:
				if d, err := r.ReadData(revision, compressed); err == nil && len(d.Schema) != len(d.Block.Cols) {
					t.Errorf("%d columns, %d vectors", len(d.Schema), len(d.Block.Cols))
				}
			case ClientTablesStatus:
				_, _ = r.ReadTables()
			default:
				return
			}
		}
	})
}

func FuzzServer(f *testing.F) {
	f.Add(AppendException(nil, &Exception{Code: 1, Nested: &Exception{}}), 54460)
	f.Add(AppendServer(nil, Server{Name: "x", Revision: Revision}, Revision), 54460)
	f.Add(AppendProfile(AppendProgress(nil, Progress{ReadRows: 5}, Revision), Profile{Rows: 3}), 54460)
	f.Fuzz(func(t *testing.T, b []byte, revision int) {
		r := NewReader(bytes.NewReader(b))
		for r.Err() == nil && r.Wait() == nil {
			switch ServerPacket(r.Uvarint()) {
			case ServerHello:
				_, _ = r.ReadServer(revision)
			case ServerException:
				_, _ = r.ReadException()
			case ServerProgress:
				_, _ = r.ReadProgress(revision)
			case ServerProfileInfo:
				_, _ = r.ReadProfile()
			case ServerData:
				_, _ = r.ReadData(revision, false)
			default:
				return
			}
		}
	})
}
