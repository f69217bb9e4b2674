package function

import (
	"hash/crc32"
	"hash/crc64"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "CRC32IEEE", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("CRC32IEEE", types.TUInt32, isStr), Eval: checksums(func(s []byte) uint32 { return ^crc32.Update(^uint32(0), crc32.IEEETable, s) }), Family: "hash", Doc: "Returns the CRC-32 checksum with 0 to begin with, and not inverted.", Example: "CRC32IEEE('123') → 1997126336"},
		&Scalar{Name: "CRC64", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("CRC64", types.TUInt64, isStr), Eval: checksums(func(s []byte) uint64 { return ^crc64.Update(^uint64(0), crc64ECMA, s) }), Family: "hash", Doc: "Returns the CRC-64 checksum of ECMA's polynomial, not inverted.", Example: "CRC64('123') → 15770048447430073895"},
	)
}

var crc64ECMA = crc64.MakeTable(crc64.ECMA)

func checksums[T uint32 | uint64](f func([]byte) T) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, out := stringsOf(c.Args[0]), make([]T, c.Rows)
		for i := range out {
			out[i] = f(s.row(i))
		}
		return newNum(c.Result, out), nil
	}
}
