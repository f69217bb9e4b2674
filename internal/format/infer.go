package format

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Limits on what columns are inferred from. ClickHouse looks at 25,000 rows or 32 MiB; a quarter of the bytes holds as many rows
// of 300 bytes, and is held in memory for a query that has no budget yet.
const (
	maxInferRows  = 25_000
	maxInferBytes = 8 << 20
)

// Infer returns the columns that an input in the format has, as ClickHouse infers them: of text they are Nullable, since any value may be
// missing. It reads some of src. CannotExtractTableStructure if the format or the input does not tell.
func (f *Format) Infer(src io.Reader, o Options) (column.Schema, error) {
	infer := inferrers[f.Name]
	if infer == nil {
		return nil, sqlerr.New(sqlerr.CannotExtractTableStructure, "The table structure cannot be extracted from data of format %s. You can specify the structure manually", f.Name)
	}
	schema, err := infer(src, &o)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CannotExtractTableStructure, "The table structure cannot be extracted from a %s format file. You can specify the structure manually", f.Name)
	}
	seen := map[string]bool{}
	for _, c := range schema {
		if seen[c.Name] {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "Column %s is in the %s input twice", c.Name, f.Name)
		}
		seen[c.Name] = true
	}
	if len(schema) == 0 {
		return nil, sqlerr.New(sqlerr.CannotExtractTableStructure, "The table structure cannot be extracted from a %s format file: it has no rows. You can specify the structure manually", f.Name)
	}
	return schema, nil
}

// Headed is the format to read an input with of which head is the beginning, or the whole: for CSV and TabSeparated that of names, or of names and types, if
// the first line holds names of the schema only, or all of them; else f.
func (f *Format) Headed(head []byte, whole bool, schema column.Schema, o Options) *Format {
	lines := plainLines[f.Name]
	if lines == nil {
		return f
	}
	names, n, err := lines(head, whole, &o)
	if err != nil {
		return f
	}
	known := map[string]bool{}
	for _, name := range names {
		if schema.Index(string(name.text)) >= 0 {
			known[string(name.text)] = true
		}
	}
	if len(known) < len(names) && len(known) < len(schema) {
		return f
	}
	if second, _, err := lines(head[n:], whole, &o); err == nil && areTypes(second) {
		return formats[strings.ToLower(f.Name+"WithNamesAndTypes")]
	}
	return formats[strings.ToLower(f.Name+"WithNames")]
}

// Named reports whether the columns of an input are found by name: some may be left out, and they have no order.
func (f *Format) Named() bool {
	n := f.Name
	return n == "Parquet" || n == "Avro" || n == "Arrow" || n == "ArrowStream" || n == "JSONEachRow" || (strings.HasSuffix(n, "WithNames") || strings.HasSuffix(n, "WithNamesAndTypes")) && !strings.HasPrefix(n, "RowBinary")
}

// Appendable reports whether more rows may be written behind what was written before: as they are, or, if headless, in that format.
func (f *Format) Appendable() (headless *Format, ok bool) {
	for _, suffix := range []string{"WithNamesAndTypes", "WithNames"} {
		if bare, found := strings.CutSuffix(f.Name, suffix); found && formats[strings.ToLower(bare)] != nil {
			return formats[strings.ToLower(bare)], true
		}
	}
	switch f.Name {
	case "CSV", "TabSeparated", "TabSeparatedRaw", "TSKV", "JSONEachRow", "JSONStringsEachRow", "JSONCompactEachRow", "JSONCompactStringsEachRow", "RowBinary",
		"Native", "LineAsString", "RawBLOB", "Values", "SQLInsert", "MsgPack":
		return f, true
	}
	return nil, false
}

// fileSuffixes are the formats of files by the end of their name, in small letters.
var fileSuffixes = map[string]string{
	"csv": "CSV", "tsv": "TabSeparated", "tab": "TabSeparated", "json": "JSON", "jsonl": "JSONEachRow", "ndjson": "JSONEachRow", "parquet": "Parquet", "pq": "Parquet",
	"avro": "Avro", "arrow": "Arrow", "native": "Native", "bin": "RowBinary", "md": "Markdown", "txt": "TabSeparatedRaw", "msgpack": "MsgPack", "xml": "XML", "values": "Values",
}

// OfFile is the format of a file by the end of its name, without that of a compression; nil if it says nothing.
func OfFile(name string) *Format {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return nil
	}
	ext := strings.ToLower(name[i+1:])
	if known, ok := fileSuffixes[ext]; ok {
		return formats[strings.ToLower(known)]
	}
	return formats[ext]
}

// inferSample reads what columns are inferred from; whole says that it is all there is.
func inferSample(src io.Reader) (data []byte, whole bool, err error) {
	data, err = io.ReadAll(io.LimitReader(src, maxInferBytes+1))
	if len(data) > maxInferBytes {
		return data[:maxInferBytes], false, err
	}
	return data, true, err
}

// cell is a field of a line of text.
type cell struct {
	text   []byte
	quoted bool
}

// nextLine reads the fields of one line; errShort where it goes on behind data, io.EOF at the end. The fields are copies.
type nextLine func(data []byte, eof bool, o *Options) ([]cell, int, error)

func areTypes(cells []cell) bool {
	for _, c := range cells {
		if _, err := types.Parse(string(c.text)); err != nil {
			return false
		}
	}
	return len(cells) > 0
}

// inferLines infers the columns of lines of fields: of is what a field tells of its column's type, nil if that is nothing. Columns have the
// names of the first line if names says so, or if it has but texts and other lines do not, else c1, c2, ….
func inferLines(src io.Reader, o *Options, next nextLine, names, typed bool, of func(cell, *Options) *types.Type) (column.Schema, error) {
	data, whole, err := inferSample(src)
	if err != nil {
		return nil, err
	}
	var first []cell
	var guess, firstTypes []*types.Type
	for row := 0; row < maxInferRows; row++ {
		cells, n, err := next(data, whole, o)
		if errors.Is(err, io.EOF) || errors.Is(err, errShort) && row > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		data = data[n:]
		if row == 0 {
			first = cells
			guess = make([]*types.Type, len(cells))
			if !names {
				firstTypes = rowTypes(cells, o, of)
			}
			continue
		}
		if row == 1 && (typed || !names && areTypes(cells) && allText(firstTypes)) {
			return typedSchema(first, cells)
		}
		if len(cells) != len(first) {
			return nil, sqlerr.New(sqlerr.IncorrectData, "Rows have different amount of values: %d and %d", len(first), len(cells))
		}
		for i, t := range rowTypes(cells, o, of) {
			if guess[i], err = mergeGuess(guess[i], t, true); err != nil {
				return nil, err
			}
		}
	}
	if !names && !(allText(firstTypes) && distinct(first) && anyOther(guess)) {
		return numbered(firstTypes, guess)
	}
	out := make(column.Schema, len(first))
	for i, c := range first {
		out[i] = column.Field{Name: string(c.text), Type: settled(guess[i])}
	}
	return out, nil
}

func rowTypes(cells []cell, o *Options, of func(cell, *Options) *types.Type) []*types.Type {
	out := make([]*types.Type, len(cells))
	for i, c := range cells {
		out[i] = of(c, o)
	}
	return out
}

// numbered are the columns c1, c2, … of a first row and the others.
func numbered(first, rest []*types.Type) (column.Schema, error) {
	out := make(column.Schema, len(first))
	for i := range first {
		t, err := mergeGuess(first[i], rest[i], true)
		if err != nil {
			return nil, err
		}
		out[i] = column.Field{Name: "c" + strconv.Itoa(i+1), Type: settled(t)}
	}
	return out, nil
}

func typedSchema(names, typeNames []cell) (column.Schema, error) {
	if len(names) != len(typeNames) {
		return nil, sqlerr.New(sqlerr.IncorrectData, "There are %d names and %d types", len(names), len(typeNames))
	}
	out := make(column.Schema, len(names))
	for i := range names {
		t, err := types.Parse(string(typeNames[i].text))
		if err != nil {
			return nil, err
		}
		out[i] = column.Field{Name: string(names[i].text), Type: t}
	}
	return out, nil
}

func allText(list []*types.Type) bool {
	for _, t := range list {
		if t == nil || t.Kind != types.String {
			return false
		}
	}
	return len(list) > 0
}

func anyOther(list []*types.Type) bool {
	for _, t := range list {
		if t != nil && t.Kind != types.String {
			return true
		}
	}
	return false
}

func distinct(cells []cell) bool {
	seen := map[string]bool{}
	for _, c := range cells {
		if seen[string(c.text)] {
			return false
		}
		seen[string(c.text)] = true
	}
	return true
}

// oneColumn infers the column of a format that has no more than one.
func oneColumn(name string) func(io.Reader, *Options) (column.Schema, error) {
	return func(io.Reader, *Options) (column.Schema, error) {
		return column.Schema{{Name: name, Type: types.TString}}, nil
	}
}
