// Package ssb generates the flat table of the Star Schema Benchmark: one row per order line,
// joined with its customer, supplier and part, deterministic from a seed.
//
// Domains and their sizes follow the benchmark's description (O'Neil, O'Neil, Chen: "Star Schema Benchmark",
// 2009). With scale factor 1, which is 6,000,000 rows:
//
//   - 30,000 customers, 2,000 suppliers and 200,000 parts, uniformly drawn by each line; customers and suppliers grow
//     with the rows, parts with their logarithm, and there are never fewer than of scale factor 1;
//   - orders of 1 to 7 lines with one date, uniform over 1992-01-01 to 1998-08-02;
//   - 5 regions of 5 nations of 10 cities; 5 manufacturers of 5 categories of 40 brands;
//   - quantity 1 to 50, discount 0 to 10, tax 0 to 8; a line costs quantity × the part's price, in cents.
//
// Rows come in the order of their order keys, as the benchmark's own generator writes them: a
// table ordered by date has to sort.
//
// No string holds a tab, a line break or a backslash.
package ssb

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/olapd/olapd/bench/random"
)

// ScaleRows is the number of rows of scale factor 1.
const ScaleRows = 6_000_000

// Generator produces the rows of one table. It is not safe for concurrent use.
type Generator struct {
	random random.Stream
	rows   int64 // still to come
	*dimensions

	key         uint64 // of the order
	date        int    // of the order, in days since the first
	customer    int
	priority    int
	lines       [maxLines]line
	line, count int // of lines: the next one, and how many
	total       uint64
}

const maxLines = 7

// line is what differs between the lines of an order.
type line struct{ part, supplier, quantity, price, discount, tax, commit, ship uint64 }

// New returns a generator of rows order lines.
func New(seed uint64, rows int64) *Generator {
	return &Generator{random: random.New(random.Mix(seed + random.Golden)), rows: rows, dimensions: newDimensions(rows)}
}

// AppendRow appends the next row as a line of TSV; ok is false after the last.
func (g *Generator) AppendRow(dst []byte) (_ []byte, ok bool) {
	if g.rows == 0 {
		return dst, false
	}
	g.rows--
	if g.line == g.count {
		g.nextOrder()
	}
	l := &g.lines[g.line]
	g.line++
	number := func(n uint64) { dst = append(strconv.AppendUint(dst, n, 10), '\t') }
	text := func(s string) { dst = append(append(dst, s...), '\t') }
	number(g.key)
	number(uint64(g.line))
	number(uint64(g.customer + 1))
	number(l.part + 1)
	number(l.supplier + 1)
	text(g.dates[g.date])
	text(priorities[g.priority])
	number(0) // ship priority
	number(l.quantity)
	number(l.price)
	number(g.total)
	number(l.discount)
	number(l.price * (100 - l.discount) / 100)
	number(partPrice(l.part) * 6 / 10)
	number(l.tax)
	text(g.dates[g.date+int(l.commit)])
	text(shipModes[l.ship])
	text(g.customers[g.customer])
	text(g.suppliers[l.supplier])
	dst = append(dst, g.parts[l.part]...)
	return append(dst, '\n'), true
}

func (g *Generator) nextOrder() {
	r := &g.random
	g.key++
	g.line, g.count = 0, 1+int(r.Below(maxLines))
	g.date = int(r.Below(orderDays))
	g.customer = int(r.Below(uint32(len(g.customers))))
	g.priority = int(r.Below(uint32(len(priorities))))
	g.total = 0
	for i := range g.count {
		l := line{
			part: uint64(r.Below(uint32(len(g.parts)))), supplier: uint64(r.Below(uint32(len(g.suppliers)))),
			quantity: uint64(1 + r.Below(50)), discount: uint64(r.Below(11)), tax: uint64(r.Below(9)),
			commit: uint64(30 + r.Below(61)), ship: uint64(r.Below(uint32(len(shipModes)))),
		}
		l.price = l.quantity * partPrice(l.part)
		g.total += l.price * (100 - l.discount) / 100 * (100 + l.tax) / 100
		g.lines[i] = l
	}
}

// partPrice is what one piece of a part costs, in cents: 900 to 2,099 dollars.
func partPrice(part uint64) uint64 { return 90_000 + (part/10)%20_001 + 100*(part%1_000) }

const (
	orderDays = 2406 // 1992-01-01 to 1998-08-02
	allDays   = orderDays + 91
)

func dateTexts() (d [allDays]string) {
	first := time.Date(1992, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range d {
		d[i] = first.AddDate(0, 0, i).Format(time.DateOnly)
	}
	return d
}

// writeChunk is how many bytes are gathered before a write.
const writeChunk = 1 << 18

// Write writes all remaining rows of g to w, as TSV.
func Write(w io.Writer, g *Generator) error {
	buf := make([]byte, 0, writeChunk+1<<10)
	for ok := true; ok; {
		if buf, ok = g.AppendRow(buf); ok && len(buf) < writeChunk {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("ssb: write: %w", err)
		}
		buf = buf[:0]
	}
	return nil
}
