package segment

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

const (
	// leastEncoded and mostEncoded bound the mean length of strings that Encode takes. Shorter ones are copied in less time; a page of longer ones would
	// not end where it has maxPageBytes, for of coded rows only the codes are counted.
	leastEncoded, mostEncoded = 16, maxPageBytes / PageRows
	// encodedStep is the rows after which Encode looks whether too many values were new, in sixteenths: rows in no order meet more new values early than
	// later, and a Writer decides by itself what it keeps in codes.
	encodedStep, encodedShare = 1 << 15, 15
)

// Encode joins strings into codes of a dictionary that has each value once, with its hash. A Writer that gets rows sorted otherwise then looks once for
// each value, and not for each row, at bytes that lie anywhere; they are hashed here as they lie one behind the other. nil if that would gain nothing, as
// hardly any is there twice. The parts have one type.
func Encode(parts []*column.Str) *column.Dict {
	rows, text := 0, 0
	for _, p := range parts {
		rows += p.Len()
		text += int(p.Off[p.Len()] - p.Off[0])
	}
	if rows == 0 || text < leastEncoded*rows || text > mostEncoded*rows {
		return nil
	}
	d := newDictBuilder(parts[0].Typ, false)
	d.vals.Data, d.vals.Off = kernel.Dirty[byte](text)[:0], append(kernel.Dirty[uint32](rows + 1)[:0], 0)
	d.hashes = kernel.Dirty[uint64](rows)[:0]
	codes := kernel.Dirty[uint32](rows)[:0]
	for _, p := range parts {
		for r := (Run{}); r.From < p.Len(); r.From = r.To {
			r.To = min(r.From+encodedStep, p.Len())
			if codes = d.appendRun(codes, p, &r); d.full() || len(codes) >= encodedStep && d.len() > len(codes)/16*encodedShare {
				return nil
			}
		}
	}
	return &column.Dict{Codes: codes, Values: d.vals, Unique: true, Hashes: d.hashes}
}
