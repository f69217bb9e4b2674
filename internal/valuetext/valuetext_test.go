package valuetext

import (
	"strconv"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func mustType(t testing.TB, s string) *types.Type {
	t.Helper()
	typ, err := types.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// Texts, types and what they read as: the value's own text, or the code of the error. ClickHouse's answers.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		typ, in, out string
		code         sqlerr.Code
	}{
		{"Int32", "12a", "", 6}, {"Int32", "", "", 32}, {"Int32", "abc", "", 6}, {"UInt8", "300", "44", 0}, {"Int8", "-129", "127", 0},
		{"UInt8", "-1", "", 72}, {"Int64", "99999999999999999999", "7766279631452241919", 0}, {"Int32", " 1", "", 6}, {"Int32", "1 ", "", 6},
		{"Int32", "+1", "1", 0}, {"Int32", "1.5", "", 6}, {"Int64", "-9223372036854775808", "-9223372036854775808", 0},
		{"UInt64", "18446744073709551615", "18446744073709551615", 0}, {"Int128", "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728", 0},
		{"Int256", "-57896044618658097711785492504343953926634992332820282019728792003956564819968", "-57896044618658097711785492504343953926634992332820282019728792003956564819968", 0},
		{"UInt256", "115792089237316195423570985008687907853269984665640564039457584007913129639936", "0", 0}, {"UInt256", "-1", "", 72}, {"Int256", "", "", 32}, {"Int256", "zz", "", 6},
		{"Decimal(76, 10)", "-1234567890123456789012345678901234567890.5", "-1234567890123456789012345678901234567890.5", 0}, {"Decimal(76, 70)", "1234567", "", 69}, {"BFloat16", "1.1", "1.09375", 0},
		{"Time", "100:01:02", "100:01:02", 0}, {"Time", "-0:00:01", "-00:00:01", 0}, {"Time", "1:23", "00:01:23", 0}, {"Time", "59", "00:00:59", 0}, {"Time", "99:99:99", "100:40:39", 0},
		{"Time", "123", "", 6}, {"Time", "1:2:3", "", 6}, {"Time", "12:34:", "", 6}, {"Time", "12:34:56.7", "", 6}, {"Time", "", "", 41}, {"Time", "-", "", 41}, {"Time", "+1:00", "", 41}, {"Time", "999:99:99", "999:59:59", 0},
		{"Time64(3)", "-0.5", "-00:00:00.500", 0}, {"Time64(3)", "-999:59:59.9999", "-999:59:59.999", 0}, {"Time64(9)", "999:99:99.5", "999:59:59.000000000", 0}, {"Time64(0)", "1:00.9", "00:01:00", 0},
		{"Float64", "1.5x", "", 6}, {"Float64", "", "", 72}, {"Float64", "abc", "", 72}, {"Float64", "inf", "inf", 0}, {"Float64", "nan", "nan", 0},
		{"Float64", "-Infinity", "-inf", 0}, {"Float64", "1e5", "100000", 0}, {"Float64", "1e", "", 6}, {"Float64", ".5", "0.5", 0},
		{"Float64", "5.", "5", 0}, {"Float64", "0x10", "", 6}, {"Float64", "+1.5", "1.5", 0}, {"Float64", "1e400", "inf", 0},
		{"Float64", "1e21", "1e21", 0}, {"Float64", "1e20", "100000000000000000000", 0}, {"Float64", "0.000001", "0.000001", 0},
		{"Float64", "0.0000001", "1e-7", 0}, {"Float64", "-0.0", "-0", 0}, {"Float32", "0.1", "0.1", 0}, {"Float64", "1.5e-300", "1.5e-300", 0},
		{"Date", "2020-01-01", "2020-01-01", 0}, {"Date", "2020-1-1", "2020-01-01", 0}, {"Date", "20200101", "2020-01-01", 0},
		{"Date", "2020-13-01", "1970-01-01", 0}, {"Date", "2020-02-30", "2020-03-01", 0}, {"Date", "abc", "", 38}, {"Date", "", "", 38},
		{"Date", "2020-01-01 10:00:00", "2020-01-01", 0}, {"Date", "2020-01-01x", "", 6}, {"Date", "1900-01-01", "1970-01-01", 0},
		{"Date", "2200-01-01", "2149-06-06", 0},
		{"DateTime", "2020-01-01", "2020-01-01 00:00:00", 0}, {"DateTime", "2020-01-01T10:11:12", "2020-01-01 10:11:12", 0},
		{"DateTime", "2020-01-01 10:11:12.5", "2020-01-01 10:11:12", 0}, {"DateTime", "2020-01-01 10:11", "2020-01-01 10:11:00", 0},
		{"DateTime", "1577873472", "2020-01-01 10:11:12", 0}, {"DateTime", "abc", "", 41}, {"DateTime", "", "", 41},
		{"DateTime", "2020-13-01 10:11:12", "", 41}, {"DateTime", "2020-01-01 25:11:12", "2020-01-02 01:11:12", 0},
		{"DateTime", "1969-01-01 00:00:00", "1970-01-01 00:00:00", 0}, {"DateTime", "2200-01-01 00:00:00", "2106-02-07 06:28:15", 0},
		{"DateTime('Europe/Berlin')", "2020-07-01 10:11:12", "2020-07-01 10:11:12", 0},
		{"DateTime64(3)", "2020-01-01 10:11:12.123456", "2020-01-01 10:11:12.123", 0}, {"DateTime64(3)", "1577873472.123", "2020-01-01 10:11:12.123", 0},
		{"DateTime64(3)", "2020-01-01 10:11:12.1x", "", 41}, {"DateTime64(9)", "2020-01-01 10:11:12.123456789012", "2020-01-01 10:11:12.123456789", 0},
		{"DateTime64(3)", "1950-01-01 10:11:12.5", "1950-01-01 10:11:12.500", 0},
		{"Decimal(9, 2)", "1.234", "1.23", 0}, {"Decimal(9, 2)", "1.235", "1.23", 0}, {"Decimal(9, 2)", "abc", "", 6}, {"Decimal(9, 2)", "", "", 32},
		{"Decimal(9, 2)", "12345678901", "", 69}, {"Decimal(9, 2)", "1e3", "1000", 0}, {"Decimal(9, 2)", "1.2x", "", 6}, {"Decimal(9, 4)", "-0.005", "-0.005", 0},
		{"Decimal(38, 10)", "1234567890123456789012345678.5", "1234567890123456789012345678.5", 0},
		{"UUID", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", 0},
		{"UUID", "61f0c4045cb311e7907ba6006ad3dba0", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", 0}, {"UUID", "abc", "", 376},
		{"IPv4", "1.2.3.4", "1.2.3.4", 0}, {"IPv4", "1.2.3", "", 675}, {"IPv6", "::1", "::1", 0}, {"IPv6", "1.2.3.4", "::ffff:1.2.3.4", 0},
		{"IPv6", "x", "", 676}, {"IPv6", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", 0}, {"IPv6", "1:0:0:2:0:0:0:3", "1:0:0:2::3", 0}, {"IPv6", "::1.2.3.4", "::1.2.3.4", 0},
		{"Bool", "TRUE", "true", 0}, {"Bool", "on", "true", 0}, {"Bool", "2", "", 467}, {"Bool", "", "", 467},
		{"Enum8('a'=1,'b'=2)", "a", "a", 0}, {"Enum8('a'=1,'b'=2)", "x", "", 691}, {"Enum8('a'=1,'b'=2)", "2", "b", 0},
		{"Array(UInt8)", "[1, 2 ]", "[1,2]", 0}, {"Array(UInt8)", "[1,x]", "", 130}, {"Array(String)", "['a','b\\'c\\n']", `['a','b\'c\n']`, 0},
		{"Array(String)", "[a]", "", 26}, {"Array(String)", "", "", 130}, {"Array(Nullable(UInt8))", "[NULL,1]", "[NULL,1]", 0},
		{"Tuple(UInt8,String)", "(1,'a')", "(1,'a')", 0}, {"Map(String,UInt8)", "{'a':1, 'b':2}", "{'a':1,'b':2}", 0},
		{"Array(Array(Date))", "[['2020-01-02'],[]]", "[['2020-01-02'],[]]", 0},
		{"FixedString(2)", "abc", "", 131}, {"FixedString(3)", "ab", "ab\x00", 0}, {"Nullable(Int32)", "NULL", "NULL", 0}, {"Nullable(Int32)", `\N`, "NULL", 0},
		{"Nullable(Int32)", "12", "12", 0},
	} {
		typ := mustType(t, c.typ)
		b := column.New(typ, 1)
		err := ParseInto(b, typ, []byte(c.in), time.UTC)
		if sqlerr.CodeOf(err) != c.code {
			t.Errorf("%s %q: error %v, want code %d", c.typ, c.in, err, c.code)
			continue
		}
		if err != nil {
			if b.Len() != 0 {
				t.Errorf("%s %q: %d values left after an error", c.typ, c.in, b.Len())
			}
			continue
		}
		if got := string(AppendText(nil, b, 0, time.UTC)); got != c.out {
			t.Errorf("%s %q reads as %q, want %q", c.typ, c.in, got, c.out)
		}
	}
}

func TestBestEffort(t *testing.T) {
	now := time.Date(2024, 5, 20, 0, 0, 0, 0, time.UTC)
	p := Parser{BestEffort: true}
	typ := mustType(t, "DateTime64(3)")
	for in, want := range map[string]string{
		"23/10/2018 12:12:57":           "2018-10-23 12:12:57.000",
		"Sat, 18 Aug 2018 07:22:16 GMT": "2018-08-18 07:22:16.000",
		"1284101485":                    "2010-09-10 06:51:25.000",
		"1284101485123":                 "2010-09-10 06:51:25.123",
		"2018-10-23 10:12:12.5":         "2018-10-23 10:12:12.500",
		"20200102030405":                "2020-01-02 03:04:05.000",
		"2020-01-02T03:04:05Z":          "2020-01-02 03:04:05.000",
		"2020-01-02T03:04:05.123+03:00": "2020-01-02 00:04:05.123",
		"2020-01-02 03:04:05 -0100":     "2020-01-02 04:04:05.000",
		"Dec 15, 2021":                  "2021-12-15 00:00:00.000",
		"1 Jan 2020 1:02:03 PM":         "2020-01-01 13:02:03.000",
		"20200102":                      "2020-01-02 00:00:00.000",
		"2020":                          "2020-01-01 00:00:00.000",
	} {
		b := column.New(typ, 1)
		if err := p.Into(b, typ, []byte(in)); err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got := string(AppendText(nil, b, 0, nil)); got != want {
			t.Errorf("%q reads as %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "abc", "2020-13-45", "25:00", "x2020", "2020-02-30"} {
		if _, _, err := BestEffort([]byte(in), zoneOf(typ, nil), now); !sqlerr.Is(err, sqlerr.CannotParseDatetime) {
			t.Errorf("%q: %v, want code 41", in, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	names := []string{"Int8", "UInt64", "Int128", "Float32", "Decimal(38, 5)", "Int256", "UInt256", "Decimal(76, 30)", "BFloat16", "Time", "Time64(3)", "Date", "DateTime64(6)", "UUID", "IPv6", "Bool", "Enum8('a' = 1)",
		"Array(Array(Nullable(String)))", "Tuple(UInt8, Array(Date))", "Map(String, Tuple(Int8))", "FixedString(3)"}
	for i := range names {
		for _, s := range []string{"", "1", "-1e99", "2020-01-01 10:00:00", "[['a',NULL]]", "(1,[])", "{'a':(1)}", "\x00", "::1"} {
			f.Add(i, s)
		}
	}
	f.Fuzz(func(t *testing.T, k int, s string) {
		typ := mustType(t, names[uint(k)%uint(len(names))])
		for _, p := range []Parser{{}, {BestEffort: true}} {
			b := column.New(typ, 1)
			if err := p.Into(b, typ, []byte(s)); err != nil {
				if b.Len() != 0 || sqlerr.CodeOf(err) == sqlerr.LogicalError {
					t.Fatalf("%s %q: %d values after %v", typ, s, b.Len(), err)
				}
				continue
			}
			text := AppendText(nil, b, 0, nil)
			again := column.New(typ, 1)
			if err := ParseInto(again, typ, text, nil); err != nil {
				t.Fatalf("%s %q: own text %q: %v", typ, s, text, err)
			}
			if got := AppendText(nil, again, 0, nil); string(got) != string(text) {
				t.Fatalf("%s %s reads as %s", typ, strconv.Quote(string(text)), strconv.Quote(string(got)))
			}
		}
	})
}
