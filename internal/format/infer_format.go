package format

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// inferrers are how columns are inferred, by the format's name.
var inferrers = map[string]func(src io.Reader, o *Options) (column.Schema, error){
	"CSV":                                 linesOf(csvLine, csvGuess, false, false),
	"CSVWithNames":                        linesOf(csvLine, csvGuess, true, false),
	"CSVWithNamesAndTypes":                linesOf(csvLine, csvGuess, true, true),
	"TabSeparated":                        linesOf(tsvLine, tsvGuess, false, false),
	"TabSeparatedWithNames":               linesOf(tsvLine, tsvGuess, true, false),
	"TabSeparatedWithNamesAndTypes":       linesOf(tsvLine, tsvGuess, true, true),
	"TabSeparatedRaw":                     linesOf(rawLine, tsvGuess, false, false),
	"TabSeparatedRawWithNames":            linesOf(rawLine, tsvGuess, true, false),
	"TabSeparatedRawWithNamesAndTypes":    linesOf(rawLine, tsvGuess, true, true),
	"JSONCompactEachRow":                  linesOf(jsonLine, jsonGuessOf, false, false),
	"JSONCompactEachRowWithNames":         linesOf(jsonLine, jsonGuessOf, true, false),
	"JSONCompactEachRowWithNamesAndTypes": linesOf(jsonLine, jsonGuessOf, true, true),
	"CustomSeparated":                     customLines(false, false),
	"CustomSeparatedWithNames":            customLines(true, false),
	"CustomSeparatedWithNamesAndTypes":    customLines(true, true),
	"JSONEachRow":                         inferJSONRows,
	"JSON":                                inferJSONDoc,
	"JSONCompact":                         inferJSONMeta,
	"JSONColumnsWithMetadata":             inferJSONMeta,
	"Native":                              inferNative,
	"Parquet":                             inferParquet,
	"Avro":                                inferAvro,
	"Arrow":                               inferArrow(true),
	"ArrowStream":                         inferArrow(false),
	"LineAsString":                        oneColumn("line"),
	"JSONAsString":                        oneColumn("json"),
	"RawBLOB":                             oneColumn("raw_blob"),
}

// plainLines read the lines of formats whose names may stand in front of the rows unannounced.
var plainLines = map[string]nextLine{"CSV": csvLine, "TabSeparated": tsvLine, "TabSeparatedRaw": rawLine}

func linesOf(next nextLine, of func(cell, *Options) *types.Type, names, typed bool) func(io.Reader, *Options) (column.Schema, error) {
	return func(src io.Reader, o *Options) (column.Schema, error) {
		return inferLines(src, o, next, names, typed, of)
	}
}

// customLines infers from CustomSeparated, if its settings are those that make it TabSeparated.
func customLines(names, typed bool) func(io.Reader, *Options) (column.Schema, error) {
	lines := linesOf(tsvLine, tsvGuess, names, typed)
	return func(src io.Reader, o *Options) (column.Schema, error) {
		if o.Custom != Defaults().Custom {
			return nil, sqlerr.New(sqlerr.CannotExtractTableStructure, "The table structure cannot be extracted from CustomSeparated with delimiters or an escaping rule of its own. You can specify the structure manually")
		}
		return lines(src, o)
	}
}

func csvLine(data []byte, eof bool, o *Options) ([]cell, int, error) {
	pos := 0
	for pos < len(data) && (data[pos] == '\n' || data[pos] == '\r') {
		pos++ // empty lines
	}
	if pos == len(data) {
		return nil, 0, io.EOF
	}
	d := csvReader{o: *o}
	var out []cell
	for {
		field, quoted, n, last, err := d.next(data[pos:], eof)
		if err != nil {
			return nil, 0, err
		}
		pos += n
		out = append(out, cell{bytes.Clone(field), quoted})
		if last {
			return out, pos, nil
		}
	}
}

func csvGuess(c cell, _ *Options) *types.Type {
	if !c.quoted {
		switch string(c.text) {
		case "", `\N`, "NULL":
			return nil
		case "true", "false":
			return types.Simple(types.Bool)
		}
		if t := valuetext.GuessNumber(c.text); t != nil {
			return t
		}
	}
	return valuetext.GuessText(c.text)
}

func tsvLine(data []byte, eof bool, _ *Options) ([]cell, int, error) {
	return splitLine(data, eof, (&tsvReader{}).unescape)
}

func rawLine(data []byte, eof bool, _ *Options) ([]cell, int, error) {
	return splitLine(data, eof, func(b []byte) []byte { return b })
}

func splitLine(data []byte, eof bool, unescape func([]byte) []byte) ([]cell, int, error) {
	if len(data) == 0 {
		return nil, 0, io.EOF
	}
	n, err := skipLine(data, eof)
	if err != nil {
		return nil, 0, err
	}
	var out []cell
	for _, f := range bytes.Split(bytes.TrimRight(data[:n], "\r\n"), []byte{'\t'}) {
		if string(f) == `\N` {
			out = append(out, cell{f, true})
			continue
		}
		out = append(out, cell{bytes.Clone(unescape(f)), false})
	}
	return out, n, nil
}

// tsvGuess takes a quoted field for NULL.
func tsvGuess(c cell, _ *Options) *types.Type {
	switch {
	case c.quoted:
		return nil
	case string(c.text) == "true" || string(c.text) == "false":
		return types.Simple(types.Bool)
	}
	if t := valuetext.GuessNumber(c.text); t != nil {
		return t
	}
	return valuetext.GuessText(c.text)
}

// jsonLine reads an array; strings are quoted cells without their quotes.
func jsonLine(data []byte, eof bool, o *Options) ([]cell, int, error) {
	s := jsonScan{o: o}
	if err := s.begin(data, eof); err != nil {
		return nil, 0, err
	}
	if err := s.need('['); err != nil {
		return nil, 0, err
	}
	var out []cell
	for first := true; !s.take(']'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return nil, 0, err
			}
		}
		s.space()
		if s.pos < len(data) && data[s.pos] == '"' {
			text, err := s.str()
			if err != nil {
				return nil, 0, err
			}
			out = append(out, cell{bytes.Clone(text), true})
			continue
		}
		raw, err := s.raw()
		if err != nil {
			return nil, 0, err
		}
		out = append(out, cell{bytes.Clone(raw), false})
	}
	return out, s.pos, nil
}

func jsonGuessOf(c cell, o *Options) *types.Type {
	if c.quoted {
		return valuetext.GuessText(c.text)
	}
	s := jsonScan{o: o, data: c.text, eof: true}
	t, err := s.guess(0)
	if err != nil {
		return types.TString // inside of it are values of types that have nothing in common
	}
	return t
}

// guess is what one value tells of its type.
func (s *jsonScan) guess(depth int) (*types.Type, error) {
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepRecursion, "JSON is nested deeper than %d", maxDepth)
	}
	s.space()
	if s.pos >= len(s.data) {
		return nil, s.bad("a value")
	}
	switch s.data[s.pos] {
	case '"':
		text, err := s.str()
		return valuetext.GuessText(text), err
	case '{':
		return s.guessObject(depth)
	case '[':
		return s.guessArray(depth)
	}
	text, err := s.scalar()
	if err != nil {
		return nil, err
	}
	switch string(text) {
	case "null":
		return nil, nil
	case "true", "false":
		return types.Simple(types.Bool), nil
	}
	if t := valuetext.GuessNumber(text); t != nil {
		return t, nil
	}
	return nil, sqlerr.New(sqlerr.IncorrectData, "Cannot parse JSON value %q", text)
}

func (s *jsonScan) guessArray(depth int) (*types.Type, error) {
	var elem *types.Type
	s.pos++
	for first := true; !s.take(']'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return nil, err
			}
		}
		t, err := s.guess(depth + 1)
		if err != nil {
			return nil, err
		}
		if elem, err = mergeGuess(elem, t, false); err != nil {
			return nil, err
		}
	}
	return types.NewArray(shelved(elem)), nil
}

// maxInferFields bounds the columns of JSON: each new name is looked for in every row.
const maxInferFields = 10_000

func (s *jsonScan) guessObject(depth int) (*types.Type, error) {
	names, elems, err := s.members(depth)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	t := types.NewTuple(elems, names)
	return t, nil
}

// members reads an object: its names and what their values tell.
func (s *jsonScan) members(depth int) (names []string, elems []*types.Type, err error) {
	if err := s.need('{'); err != nil {
		return nil, nil, err
	}
	at := map[string]int{}
	for first := true; !s.take('}'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return nil, nil, err
			}
		}
		key, err := s.str()
		if err != nil {
			return nil, nil, err
		}
		name := string(key)
		if err := s.need(':'); err != nil {
			return nil, nil, err
		}
		t, err := s.guess(depth + 1)
		if err != nil {
			return nil, nil, err
		}
		if _, ok := at[name]; ok {
			continue // the first of a name counts
		}
		if len(names) == maxInferFields {
			return nil, nil, sqlerr.New(sqlerr.TooManyColumns, "A JSON object has more than %d members", maxInferFields)
		}
		at[name] = len(names)
		names, elems = append(names, name), append(elems, shelved(t))
	}
	return names, elems, nil
}

// inferJSONRows has a column for each name that a row has, in the order in which they come.
func inferJSONRows(src io.Reader, o *Options) (column.Schema, error) {
	data, whole, err := inferSample(src)
	if err != nil {
		return nil, err
	}
	s := jsonScan{o: o}
	all := types.NewTuple(nil, nil)
	for row := 0; row < maxInferRows; row++ {
		err := s.begin(data, whole)
		if err == nil {
			for s.pos < len(data) && (data[s.pos] == '[' || data[s.pos] == ']' || data[s.pos] == ',') { // an array around the rows
				s.pos++
				s.space()
			}
			if s.pos == len(data) {
				break
			}
			var names []string
			var elems []*types.Type
			if names, elems, err = s.members(0); err == nil {
				all, err = mergeTuples(all, types.NewTuple(elems, names), true)
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, errShort) && row > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(all.Names) > maxInferFields {
			return nil, sqlerr.New(sqlerr.TooManyColumns, "The rows have more than %d names", maxInferFields)
		}
		data = data[s.pos:]
	}
	out := make(column.Schema, len(all.Names))
	for i, n := range all.Names {
		out[i] = column.Field{Name: n, Type: settled(all.Elems[i])}
	}
	return out, nil
}

// inferJSONDoc takes the member meta in front of the rows, or the rows where there is no document around them.
func inferJSONDoc(src io.Reader, o *Options) (column.Schema, error) {
	data, whole, err := inferSample(src)
	if err != nil {
		return nil, err
	}
	again := io.MultiReader(bytes.NewReader(data), src)
	s := jsonScan{o: o}
	if err := s.begin(data, whole); err != nil {
		return nil, err
	}
	if ok, err := s.metaAhead(); err != nil || !ok {
		return inferJSONRows(again, o)
	}
	return inferJSONMeta(again, o)
}

// inferJSONMeta reads the member meta in front of the rows.
func inferJSONMeta(src io.Reader, o *Options) (column.Schema, error) {
	data, whole, err := inferSample(src)
	if err != nil {
		return nil, err
	}
	s := jsonScan{o: o}
	if err := s.begin(data, whole); err != nil {
		return nil, err
	}
	if ok, err := s.member("meta"); err != nil || !ok {
		return nil, errors.Join(err, sqlerr.New(sqlerr.IncorrectData, "The document has no member meta in front of its rows"))
	}
	if err := s.need('['); err != nil {
		return nil, err
	}
	var out column.Schema
	for first := true; !s.take(']'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return nil, err
			}
		}
		f, err := s.metaField()
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (s *jsonScan) metaField() (column.Field, error) {
	var f column.Field
	if err := s.need('{'); err != nil {
		return f, err
	}
	for first := true; !s.take('}'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return f, err
			}
		}
		key, err := s.str()
		if err != nil {
			return f, err
		}
		name := string(key)
		if err := s.need(':'); err != nil {
			return f, err
		}
		value, err := s.str()
		if err != nil {
			return f, err
		}
		switch name {
		case "name":
			f.Name = string(value)
		case "type":
			if f.Type, err = types.Parse(string(value)); err != nil {
				return f, err
			}
		}
	}
	if f.Type == nil {
		return f, sqlerr.New(sqlerr.IncorrectData, "Column %s has no type in meta", strconv.Quote(f.Name))
	}
	return f, nil
}

// inferNative reads the head of the first block.
func inferNative(src io.Reader, _ *Options) (column.Schema, error) {
	r := bufio.NewReader(src)
	schema, _, _, err := DecodeNativeBlock(nil, 0, func(data []byte, n int) ([]byte, error) {
		if len(data)+n > maxInferBytes {
			return nil, sqlerr.New(sqlerr.IncorrectData, "The first block has more than %d bytes", maxInferBytes)
		}
		at := len(data)
		data = append(data, make([]byte, n)...)
		_, err := io.ReadFull(r, data[at:])
		return data, err
	})
	return schema, err
}

// inferParquet reads the metadata: the types are the file's own.
func inferParquet(src io.Reader, o *Options) (schema column.Schema, err error) {
	in, err := randomAccess(src, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	err = safely(func() error {
		f, err := openParquet(in)
		if err != nil {
			return err
		}
		for _, c := range f.Root().Columns() {
			n, err := parquetNodeOf(c, 0, 0)
			if err != nil {
				return err
			}
			schema = append(schema, column.Field{Name: c.Name(), Type: n.typ})
		}
		return nil
	})
	return schema, err
}
