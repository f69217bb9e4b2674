// Package keys generates a table of keys with many distinct values, uniformly drawn, which neither dictionaries nor caches
// help with, deterministic from a seed. ClickBench's strings repeat; those of sessions, addresses and tokens do not:
//
//   - user, a number, and session, a string of about 20 bytes: a third as many as rows;
//   - url, of about 70 bytes: a fifth as many as rows;
//   - token, of 16 bytes: one a row;
//   - city, of about 10 bytes: 100,000.
//
// No string holds a tab, a line break or a backslash.
package keys

import (
	_ "embed"
	"fmt"
	"io"
	"strconv"

	"github.com/olapd/olapd/bench/random"
)

// CreateClickHouse is the CREATE TABLE statement for olapd and ClickHouse.
//
//go:embed create_clickhouse.sql
var CreateClickHouse string

// CreateDuckDB is the CREATE TABLE statement for DuckDB.
//
//go:embed create_duckdb.sql
var CreateDuckDB string

const (
	cities = 100_000
	// rowsPerUser and rowsPerURL are the rows of one value, on average.
	rowsPerUser, rowsPerURL = 3, 5
	maxAmount               = 10_000
)

// writeChunk is how many bytes are gathered before a write.
const writeChunk = 1 << 18

// Write writes the rows as TSV.
func Write(w io.Writer, seed uint64, rows int64) error {
	r := random.New(random.Mix(seed + random.Golden))
	users, urls := uint32(max(rows/rowsPerUser, 1)), uint32(max(rows/rowsPerURL, 1))
	buf := make([]byte, 0, writeChunk+1<<10)
	for id := range rows {
		buf = append(strconv.AppendInt(buf, id, 10), '\t')
		buf = append(strconv.AppendUint(buf, random.Mix(uint64(r.Below(users))), 10), '\t')
		buf = append(strconv.AppendUint(append(buf, "city-"...), uint64(r.Below(cities)), 10), '\t')
		buf = append(appendHex(append(buf, "sid-"...), random.Mix(uint64(r.Below(users))+1)), '\t')
		buf = append(appendHex(append(buf, "https://shop.example.com/catalogue/item?ref=newsletter&id="...), random.Mix(uint64(r.Below(urls))+2)), '\t')
		buf = append(appendHex(buf, random.Mix(uint64(id)+seed)), '\t')
		buf = append(strconv.AppendUint(buf, uint64(r.Below(maxAmount)), 10), '\n')
		if len(buf) < writeChunk && id < rows-1 {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("keys: write: %w", err)
		}
		buf = buf[:0]
	}
	return nil
}

// appendHex appends x as 16 digits.
func appendHex(dst []byte, x uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[x>>shift&15])
	}
	return dst
}
