package types

import (
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

// The canonical names are ClickHouse's; each type is also read again from its binary form.
func TestOwnTypes(t *testing.T) {
	for in, want := range map[string]string{
		"Variant(String, Int64, Int64, Array(Int8))": "Variant(Array(Int8), Int64, String)",
		"Variant(String, Int64, )":                   "Variant(Int64, String)",
		"Dynamic":                                    "Dynamic",
		"Dynamic(max_types = 32)":                    "Dynamic",
		"Dynamic(max_types=3)":                       "Dynamic(max_types=3)",
		"json":                                       "JSON",
		"JSON(max_dynamic_paths=2, max_dynamic_types=5, a.b Int64, SKIP c, SKIP d.e, SKIP REGEXP 'x.*')": "JSON(max_dynamic_types=5, max_dynamic_paths=2, `a.b` Int64, SKIP c, SKIP `d.e`, SKIP REGEXP 'x.*')",
		"JSON(SKIP a, `b c` Int64, \"d\" String)":                                                        "JSON(`b c` Int64, d String, SKIP a)",
		"JSON(`skip` Int64)":               "JSON(`skip` Int64)",
		"Array(JSON(max_dynamic_paths=0))": "Array(JSON(max_dynamic_paths=0))",
		"Nullable(JSON)":                   "Nullable(JSON)",
	} {
		typ, err := Parse(in)
		if err != nil || typ.String() != want {
			t.Errorf("%s: %v, %v; want %s", in, typ, err, want)
			continue
		}
		if again, err := Parse(want); err != nil || !again.Equal(typ) {
			t.Errorf("%s read again: %v, %v", want, again, err)
		}
	}
	for in, code := range map[string]sqlerr.Code{
		"Variant()": sqlerr.BadArguments, "Variant(Nullable(Int8))": sqlerr.BadArguments, "Variant(Dynamic)": sqlerr.BadArguments,
		"Nullable(Dynamic)": sqlerr.IllegalTypeOfArgument, "Nullable(Variant(Int8))": sqlerr.IllegalTypeOfArgument,
		"Dynamic(max_types=255)": sqlerr.UnexpectedASTStructure, "Dynamic(max=1)": sqlerr.UnexpectedASTStructure, "Dynamic(5)": sqlerr.UnexpectedASTStructure,
		"JSON(max_dynamic_paths=10001)": sqlerr.UnexpectedASTStructure, "JSON(a Int64, a String)": sqlerr.BadArguments,
		"JSON(SKIP REGEXP '(')": sqlerr.CannotCompileRegexp, "JSON(SKIP a, a.b Int8)": sqlerr.BadArguments, "JSON(": sqlerr.SyntaxError, "JSON(SKIP": sqlerr.SyntaxError,
	} {
		if _, err := Parse(in); sqlerr.CodeOf(err) != code {
			t.Errorf("%s: %v, want code %d", in, err, code)
		}
	}
}

func TestSimilar(t *testing.T) {
	for name, want := range map[string]bool{
		"Variant(Int8, UInt8)": true, "Variant(Date, DateTime64(3))": true, "Array(Variant(Int64, UInt32))": true, "Variant(Array(Bool), Array(Int64))": true,
		"Variant(Bool, Int64)": false, "Variant(Bool, Float32, String)": false, "Variant(Int8, String)": false, "Tuple(Int8, UInt8)": false,
	} {
		typ, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if a, _ := typ.Similar(); (a != nil) != want {
			t.Errorf("%s: similar are %v", name, a)
		}
	}
}

var binaryNames = []string{
	"UInt8", "Bool", "Nullable(Int64)", "LowCardinality(String)", "FixedString(300)", "DateTime", "DateTime('Europe/Berlin')", "DateTime64(3)", "DateTime64(6, 'UTC')",
	"Time64(2)", "Decimal(9, 2)", "Decimal(76, 3)", "Enum8('a' = -1, 'b' = 2)", "Enum16('a' = 1000)", "IntervalDay", "IntervalYear", "Array(Array(String))",
	"Map(String, Date)", "Tuple(UInt8, String)", "Tuple(a UInt8, `b c` String)", "Variant(Int64, String)", "Dynamic", "Dynamic(max_types=3)", "JSON", "Point",
	"JSON(max_dynamic_types=5, max_dynamic_paths=2, `a.b` Int64, SKIP c, SKIP REGEXP 'x.*')", "AggregateFunction(sum, UInt64)",
}

func TestBinaryTypes(t *testing.T) {
	for _, name := range binaryNames {
		typ, err := Parse(name)
		if err != nil {
			t.Fatal(name, err)
		}
		b := typ.AppendBinary(nil)
		again, err := DecodeBinary(sourceOf(b))
		if err != nil || again.String() != name {
			t.Errorf("%s: %v, %v", name, again, err)
		}
		for n := range b {
			if _, err := DecodeBinary(sourceOf(b[:n])); err == nil {
				t.Errorf("%s: %d of %d bytes are no error", name, n, len(b))
			}
		}
	}
}

func sourceOf(b []byte) BinarySource {
	return func(n int) ([]byte, error) {
		if n > len(b) {
			return nil, sqlerr.New(sqlerr.CannotReadAllData, "%d bytes wanted, %d left", n, len(b))
		}
		out := b[:n]
		b = b[n:]
		return out, nil
	}
}

func FuzzDecodeBinary(f *testing.F) {
	for _, name := range binaryNames {
		typ, _ := Parse(name)
		f.Add(typ.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if typ, err := DecodeBinary(sourceOf(b)); err == nil {
			if again, err := DecodeBinary(sourceOf(typ.AppendBinary(nil))); err != nil || !again.Equal(typ) {
				t.Errorf("%s: %v, %v", typ, again, err)
			}
		}
	})
}
