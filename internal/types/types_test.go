package types

import (
	"math/big"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

func TestParseNames(t *testing.T) {
	for in, want := range map[string]string{
		"BIGINT": "Int64", "VARCHAR(255)": "String", "INT(11) UNSIGNED": "", "int unsigned": "UInt32", "DOUBLE PRECISION": "Float64", "Decimal(10,2)": "Decimal(10, 2)",
		"Decimal64(4)": "Decimal(18, 4)", "Decimal256(5)": "Decimal(76, 5)", "Array(Point)": "Array(Point)", "Nested(a BIGINT, b Nested(c String))": "Nested(a Int64, b Nested(c String))", "MultiPolygon": "MultiPolygon", "Enum('a','b'=5)": "Enum8('a' = 1, 'b' = 5)", "Tuple(a Int8, b Array(String))": "Tuple(a Int8, b Array(String))",
		"DateTime64(3,'UTC')": "DateTime64(3, 'UTC')", "LowCardinality(Nullable(String))": "LowCardinality(Nullable(String))", "Map(String,Array(Tuple(UInt8)))": "Map(String, Array(Tuple(UInt8)))",
		"AggregateFunction(quantile(0.5), Float64)": "AggregateFunction(quantile(0.5), Float64)", "TIMESTAMP": "DateTime", "FixedString(16)": "FixedString(16)",
	} {
		got, err := Parse(in)
		if want == "" {
			continue
		}
		if err != nil || got.String() != want {
			t.Errorf("Parse(%q) = %v, %v; want %s", in, got, err, want)
			continue
		}
		if again, err := Parse(got.String()); err != nil || !again.Equal(got) {
			t.Errorf("Parse(%q): own name reads as %v, %v", got, again, err)
		}
	}
	for in, code := range map[string]sqlerr.Code{
		"Bogus": sqlerr.UnknownType, "FixedString(0)": sqlerr.ArgumentOutOfBound, "Nullable(Array(Int8))": sqlerr.IllegalTypeOfArgument, "DateTime64(10)": sqlerr.ArgumentOutOfBound,
		"Decimal(77)": sqlerr.ArgumentOutOfBound, "Array(": sqlerr.SyntaxError, "Nested()": sqlerr.EmptyDataPassed, "Nested(UInt8)": sqlerr.SyntaxError, "Nested(a UInt8, a Int8)": sqlerr.DuplicateColumn, "Nullable(Nested(a UInt8))": sqlerr.IllegalTypeOfArgument, "Enum8('a'=1,'a'=2)": sqlerr.SyntaxError,
	} {
		if _, err := Parse(in); !sqlerr.Is(err, code) {
			t.Errorf("Parse(%q): %v, want code %d", in, err, code)
		}
	}
}

func TestSupertype(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"UInt8", "Int8", "Int16"}, {"UInt32", "Int8", "Int64"}, {"UInt8", "Float32", "Float32"}, {"Int32", "Float32", "Float64"}, {"Date", "DateTime", "DateTime"},
		{"Nullable(Nothing)", "Int8", "Nullable(Int8)"}, {"String", "FixedString(3)", "String"}, {"Array(UInt8)", "Array(Int8)", "Array(Int16)"}, {"UInt64", "Int64", ""}, {"UInt128", "Int8", "Int256"}, {"UInt256", "Int8", ""}, {"UInt64", "Int128", "Int128"}, {"Decimal(10, 2)", "Decimal(20, 3)", "Decimal(38, 3)"},
		{"Decimal(76, 2)", "Int8", "Decimal(76, 2)"}, {"Decimal(10, 2)", "Int128", ""}, {"BFloat16", "Int8", "BFloat16"}, {"BFloat16", "UInt16", "Float32"}, {"BFloat16", "Int32", "Float64"},
		{"Point", "Tuple(Float64, Float64)", "Point"}, {"Ring", "LineString", "Ring"}, {"String", "Int8", ""},
	} {
		a, _ := Parse(c.a)
		b, _ := Parse(c.b)
		got, err := Supertype(a, b)
		if c.want == "" {
			if !sqlerr.Is(err, sqlerr.NoCommonType) {
				t.Errorf("Supertype(%s, %s) = %v, %v; want NoCommonType", a, b, got, err)
			}
			continue
		}
		if err != nil || got.String() != c.want {
			t.Errorf("Supertype(%s, %s) = %v, %v; want %s", a, b, got, err, c.want)
		}
	}
}

func TestInt128(t *testing.T) {
	for _, x := range []int64{0, 1, -1, 1 << 62, -1 << 63, 12345} {
		for _, y := range []int64{0, 1, -1, 7, -1 << 63} {
			a, b := I128From(x), I128From(y)
			sum, _ := I128FromBig(a.Big().Add(a.Big(), b.Big()))
			product, _ := I128FromBig(a.Big().Mul(a.Big(), b.Big()))
			if a.Add(b) != sum || a.Mul(b) != product || a.Sub(b).Add(b) != a || a.Cmp(b) != a.Big().Cmp(b.Big()) {
				t.Errorf("%d and %d: 128-bit arithmetic differs from big integers", x, y)
			}
		}
	}
}

func TestInt256(t *testing.T) {
	var values []I256
	for _, x := range []int64{0, 1, -1, 7, -10, 1 << 62, -1 << 63} {
		v := I256From(x)
		values = append(values, v, v.Lsh(64), v.Lsh(130).Add(I256From(x)), v.Lsh(200).Sub(I256From(3)))
	}
	values = append(values, I256{0, 0, 0, 1 << 63}, I256{^uint64(0), ^uint64(0), ^uint64(0), 1<<63 - 1})
	for _, a := range values {
		if again, fits := I256FromBig(a.Big()); !fits || again != a {
			t.Errorf("%v reads as %v", a, again)
		}
		if again, fits := U256FromBig(U256(a).Big()); !fits || again != U256(a) {
			t.Errorf("%v unsigned reads as %v", a, again)
		}
		for _, n := range []uint{0, 1, 63, 64, 65, 128, 200, 255} {
			left, _ := I256FromBig(new(big.Int).Lsh(a.Big(), n))
			right, _ := I256FromBig(new(big.Int).Rsh(a.Big(), n))
			if a.Lsh(n) != left || a.Rsh(n) != right {
				t.Errorf("%v shifted by %d: %v, %v; want %v, %v", a, n, a.Lsh(n), a.Rsh(n), left, right)
			}
		}
		for _, b := range values {
			x, y := a.Big(), b.Big()
			sum, _ := I256FromBig(new(big.Int).Add(x, y))
			product, _ := I256FromBig(new(big.Int).Mul(x, y))
			if a.Add(b) != sum || a.Mul(b) != product || a.Sub(b).Add(b) != a || a.Cmp(b) != x.Cmp(y) || U256(a).Cmp(U256(b)) != U256(a).Big().Cmp(U256(b).Big()) {
				t.Errorf("%v and %v: 256-bit arithmetic differs from big integers", a, b)
			}
		}
	}
	if _, fits := I256FromBig(new(big.Int).Lsh(big.NewInt(1), 255)); fits {
		t.Error("2^255 fits")
	}
}
