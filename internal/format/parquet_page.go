package format

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/parquet-go/parquet-go"
	pqformat "github.com/parquet-go/parquet-go/format"
)

// parquetPage is a data page of a leaf. Its values are good until the leaf reads its next page.
type parquetPage struct {
	entries int
	defs    []byte       // definition level of each entry; nil: all are the leaf's highest, every value is there
	reps    []byte       // repetition level of each entry; nil if no group around the leaf is repeated
	coded   bool         // the values are codes
	codes   []uint32     // into the row group's dictionary
	values  parquetBytes // if they are not coded
}

// nextPage reads the leaf's next data page, and the dictionary if it comes in front of it. io.EOF behind the last.
func (l *parquetLeaf) nextPage() error {
	for {
		h, body, err := l.pages.next()
		if err != nil {
			return err
		}
		switch v1, v2 := &h.DataPageHeader, &h.DataPageHeaderV2; {
		case h.Type == pqformat.DictionaryPage && h.DictionaryPageHeader.Valid:
			err = l.readDictionary(&h.DictionaryPageHeader.V, body)
		case h.Type == pqformat.DataPage && v1.Valid:
			return l.readPage(&v1.V, body)
		case h.Type == pqformat.DataPageV2 && v2.Valid:
			return l.readPageV2(&v2.V, body)
		case h.Type != pqformat.IndexPage:
			err = fmt.Errorf("a page of type %s without its header", h.Type)
		}
		if err != nil {
			return err
		}
	}
}

// readDictionary reads the row group's dictionary.
func (l *parquetLeaf) readDictionary(h *pqformat.DictionaryPageHeader, body []byte) error {
	if l.dict != nil {
		return fmt.Errorf("a second dictionary")
	}
	if h.Encoding != pqformat.Plain && h.Encoding != pqformat.PlainDictionary {
		return fmt.Errorf("a dictionary in the encoding %s", h.Encoding)
	}
	n := int(h.NumValues)
	v, err := l.decodeValues(pqformat.Plain, body, n)
	if err != nil {
		return err
	}
	dict := column.New(l.typ, 0)
	if err := l.read(dict, &v, 0, n); err != nil {
		return err
	}
	l.dict = dict
	return nil
}

// readPage makes a page of version 1 the one at hand: levels with their lengths, then values.
func (l *parquetLeaf) readPage(h *pqformat.DataPageHeader, body []byte) (err error) {
	p := &parquetPage{entries: int(h.NumValues)}
	if l.repeated {
		if p.reps, body, err = cutLevels(body, h.RepetitionLevelEncoding, p.entries, l.maxRep); err != nil {
			return fmt.Errorf("repetition levels: %w", err)
		}
	}
	if l.maxDef > 0 {
		if p.defs, body, err = cutLevels(body, h.DefinitionLevelEncoding, p.entries, l.maxDef); err != nil {
			return fmt.Errorf("definition levels: %w", err)
		}
	}
	return l.openPage(p, h.Encoding, body)
}

// cutLevels reads the levels that stand behind their length at the front of a page.
func cutLevels(body []byte, enc pqformat.Encoding, n int, most byte) (levels, rest []byte, err error) {
	if enc != pqformat.RLE {
		return nil, nil, sqlerr.New(sqlerr.NotImplemented, "Levels in the encoding %s of Parquet are not supported", enc)
	}
	if len(body) < 4 {
		return nil, nil, io.ErrUnexpectedEOF
	}
	size := uint64(binary.LittleEndian.Uint32(body))
	if body = body[4:]; size > uint64(len(body)) {
		return nil, nil, io.ErrUnexpectedEOF
	}
	levels, err = parquetLevels(body[:size], n, most)
	return levels, body[size:], err
}

// readPageV2 makes a page of version 2 the one at hand: its header has the lengths of the levels.
func (l *parquetLeaf) readPageV2(h *pqformat.DataPageHeaderV2, body []byte) (err error) {
	p := &parquetPage{entries: int(h.NumValues)}
	reps, defs := int(h.RepetitionLevelsByteLength), int(h.DefinitionLevelsByteLength)
	if reps < 0 || defs < 0 || reps+defs > len(body) {
		return fmt.Errorf("a page of %d bytes with %d and %d of levels", len(body), reps, defs)
	}
	if l.repeated {
		if p.reps, err = parquetLevels(body[:reps], p.entries, l.maxRep); err != nil {
			return fmt.Errorf("repetition levels: %w", err)
		}
	}
	if l.maxDef > 0 {
		if p.defs, err = parquetLevels(body[reps:reps+defs], p.entries, l.maxDef); err != nil {
			return fmt.Errorf("definition levels: %w", err)
		}
	}
	return l.openPage(p, h.Encoding, body[reps+defs:])
}

// openPage makes p, whose levels were read, the page at hand.
func (l *parquetLeaf) openPage(p *parquetPage, enc pqformat.Encoding, body []byte) (err error) {
	if l.repeated { // the first levels of a page need not be the highest, nor all the same
		p.reps, p.defs = allLevels(p.reps, p.entries, l.maxRep), allLevels(p.defs, p.entries, l.maxDef)
	}
	n := p.present(l.maxDef, 0, p.entries)
	if p.coded = enc == pqformat.PlainDictionary || enc == pqformat.RLEDictionary; !p.coded {
		p.values, err = l.decodeValues(enc, body, n)
	} else if l.dict == nil {
		err = fmt.Errorf("a page of codes without a dictionary in front of it")
	} else {
		p.codes, err = parquetCodes(body, n, l.dict.Len())
	}
	if err != nil {
		return err
	}
	l.page, l.entry, l.value = p, 0, 0
	return nil
}

// allLevels returns the levels that nil stands for.
func allLevels(levels []byte, n int, most byte) []byte {
	if levels == nil {
		levels = make([]byte, n)
		kernel.Fill(levels, most)
	}
	return levels
}

// present is how many of entries [from, to) have a value.
func (p *parquetPage) present(most byte, from, to int) int {
	if p.defs == nil {
		return to - from
	}
	n := 0
	for _, d := range p.defs[from:to] {
		if d == most {
			n++
		}
	}
	return n
}

// decodeValues opens the n values of a page. Of the common encoding nothing is copied, the others are the library's.
func (l *parquetLeaf) decodeValues(enc pqformat.Encoding, body []byte, n int) (parquetBytes, error) {
	text := l.kind.Kind() == parquet.ByteArray
	if enc == pqformat.Plain && (!text || l.text()) {
		return parquetBytes{data: body, behind: text, left: n}, nil
	}
	var off []uint32
	if text {
		off = make([]uint32, 0, n+1)
	}
	v, err := l.kind.Decode(l.kind.NewValues(nil, off), body, parquet.LookupEncoding(enc))
	if err != nil {
		return parquetBytes{}, err
	}
	data, off := v.Data()
	return parquetBytes{data: data, off: off}, nil
}

// parquetLevels decodes n levels of at most most, which are few runs most often; nil if all are that.
func parquetLevels(src []byte, n int, most byte) ([]byte, error) {
	width := bits.Len8(most)
	if head, k := binary.Uvarint(src); k > 0 && head&1 == 0 && head>>1 >= uint64(n) && len(src) > k && src[k] == most {
		return nil, nil
	}
	levels := make([]byte, n)
	return levels, readHybrid(levels, src, width)
}

// parquetCodes decodes n codes into a dictionary of so many entries, behind a byte that says how wide they are.
func parquetCodes(src []byte, n, entries int) ([]uint32, error) {
	if n == 0 {
		return nil, nil
	}
	if len(src) == 0 || src[0] > 32 {
		return nil, fmt.Errorf("%d bytes of codes, of bad width", len(src))
	}
	codes := kernel.Dirty[uint32](n)
	if err := readHybrid(codes, src[1:], int(src[0])); err != nil {
		return nil, fmt.Errorf("codes: %w", err)
	}
	if _, most := kernel.MinMaxInt(codes); int(most) >= entries {
		return nil, fmt.Errorf("a code %d in a dictionary of %d", most, entries)
	}
	return codes, nil
}

// readHybrid fills dst with numbers of width bits from runs: of one number many times, or of packed ones by the eight. More than
// dst takes may follow.
func readHybrid[T uint8 | uint32](dst []T, src []byte, width int) error {
	for len(dst) > 0 {
		head, k := binary.Uvarint(src)
		if k <= 0 {
			return io.ErrUnexpectedEOF
		}
		src = src[k:]
		if head&1 == 0 {
			if len(src) < (width+7)/8 {
				return io.ErrUnexpectedEOF
			}
			var word [4]byte
			src = src[copy(word[:(width+7)/8], src):]
			n := int(min(head>>1, uint64(len(dst))))
			kernel.Fill(dst[:n], T(binary.LittleEndian.Uint32(word[:])))
			dst = dst[n:]
			continue
		}
		groups := int(min(head>>1, uint64(len(dst)+7)/8))
		n := min(8*groups, len(dst))
		if kernel.PackedLen(n, width) > len(src) {
			return io.ErrUnexpectedEOF
		}
		kernel.Unpack(dst[:n], src, 0, width, 0)
		dst, src = dst[n:], src[min(groups*width, len(src)):]
	}
	return nil
}
