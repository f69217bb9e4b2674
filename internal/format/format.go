// Package format turns blocks into the bytes of ClickHouse's formats and back.
//
// Lookup finds a format by name. NewWriter streams blocks out; NewReader streams rows in, whatever
// the size of the input; Decoder reads the rows of one message (Kafka), all or none.
// Readers parse straight into column builders, directed by the schema, and take back a
// row that fails half way.
package format

import (
	"io"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// Options are the settings that formats obey. The zero value is not valid: start from Defaults.
type Options struct {
	Zone            *time.Location // of DateTime without a declared zone
	Quote64         bool           // output_format_json_quote_64bit_integers
	QuoteDenormals  bool           // output_format_json_quote_denormals
	QuoteDecimals   bool           // output_format_json_quote_decimals
	NamedTuples     bool           // output_format_json_named_tuples_as_objects
	WriteStatistics bool           // output_format_write_statistics
	DateTimeOutput  string         // date_time_output_format: simple, iso, unix_timestamp
	DateTimeInput   string         // date_time_input_format: basic, best_effort
	SkipUnknown     bool           // input_format_skip_unknown_fields
	NullAsDefault   bool           // input_format_null_as_default
	DefaultsOmitted bool           // input_format_defaults_for_omitted_fields
	AllowErrorsNum  uint64         // input_format_allow_errors_num
	AllowErrorsPart float64        // input_format_allow_errors_ratio
	CSVDelimiter    byte           // format_csv_delimiter
	PrettyRowNums   bool           // output_format_pretty_row_numbers
	PrettyMaxRows   int            // output_format_pretty_max_rows
	// Revision is the client's protocol revision, for Native: 0 leaves out what only newer clients read.
	Revision int
	// Native is how Native writes values with types of their own.
	Native NativeForm
	// Now is the present, for dates without a year.
	Now time.Time
	// Eval evaluates a SQL expression in VALUES to one value of the column's type; nil refuses expressions.
	Eval func(sql string, f column.Field) (column.Vector, error)
	// Cast converts a vector as CAST does, for formats whose files have types of their own; nil refuses all but equal types.
	Cast func(v column.Vector, t *types.Type) (column.Vector, error)
	// Spool makes an empty file that goes with its Close, for inputs that are read from their end; nil keeps them in memory.
	Spool func() (vfs.File, error)
	// ArrowCompression is output_format_arrow_compression_method: none, lz4_frame, zstd; ArrowDictionaries has LowCardinality written as
	// dictionaries (output_format_arrow_low_cardinality_as_dictionary).
	ArrowCompression  string
	ArrowDictionaries bool
	AvroCodec         string // output_format_avro_codec: null, deflate, snappy, zstd
	// Regexp is format_regexp, RegexpRule format_regexp_escaping_rule (Raw, Escaped, Quoted, CSV, JSON), RegexpSkip format_regexp_skip_unmatched.
	Regexp, RegexpRule string
	RegexpSkip         bool
	// Custom and Template are the settings of formats whose delimiters they are.
	Custom   CustomOptions
	Template TemplateOptions
	// Schema is format_schema: a file of Schemas and the message in it, or the text of a schema if SchemaSource (format_schema_source) is
	// string; SchemaMessage is format_schema_message_name. AutoSchema has the columns make the schema where there is none.
	Schema, SchemaMessage, SchemaSource string
	AutoSchema                          bool
	// Schemas is where files of schemas are; nil refuses them.
	Schemas *Schemas
	// Keep tells of a run of rows, by bounds of a column's values that are not NULL, as vectors of length 1, whether some of the rows may be wanted;
	// formats that know such bounds leave the others out. nil keeps all.
	Keep func(name string, lo, hi column.Vector) bool
	// Threads is how many goroutines may parse one input; below 2 it is parsed by its reader's caller.
	Threads int
}

// Defaults returns ClickHouse's default settings.
func Defaults() Options {
	return Options{
		Zone: time.UTC, NamedTuples: true, WriteStatistics: true, DateTimeOutput: "simple", DateTimeInput: "best_effort",
		SkipUnknown: true, NullAsDefault: true, DefaultsOmitted: true, CSVDelimiter: ',', PrettyRowNums: true, PrettyMaxRows: 1000,
		ArrowCompression: "lz4_frame", AvroCodec: "snappy", SchemaSource: "file", RegexpRule: "Raw", AutoSchema: true,
		Custom: CustomOptions{Rule: "Escaped", Field: "\t", RowAfter: "\n"}, Template: TemplateOptions{Between: "\n"},
	}
}

// Stats is what formats with statistics print behind the rows.
type Stats struct {
	Elapsed             time.Duration
	ReadRows, ReadBytes uint64
	// These are told by lines of progress only.
	WrittenRows, WrittenBytes, TotalRows uint64
	// BeforeLimit is the number of rows there would be without LIMIT; printed if HasLimit.
	BeforeLimit uint64
	HasLimit    bool
	// MissingShards are those whose rows are not in the result, which was asked for without them.
	MissingShards []string
}

// Writer streams a result. Methods are called in the order Write…, Totals, Extremes, Close, by one goroutine.
type Writer interface {
	// Write writes the rows of a block of the schema.
	Write(b *column.Block) error
	// Totals writes the row of WITH TOTALS, Extremes the rows of least and greatest values.
	Totals(b *column.Block) error
	Extremes(b *column.Block) error
	// Close writes what stands behind the rows and flushes. It does not close the io.Writer.
	Close(s Stats) error
	// Flush hands all bytes so far to the io.Writer.
	Flush() error
}

// Format is one format; its fields are nil where it goes only one way.
type Format struct {
	Name string
	// ContentType is the HTTP header's value.
	ContentType string
	out         func(w *output, schema column.Schema, o Options) Writer
	in          func(schema column.Schema, o Options) rowFormat
	// file reads a format whose input is a file, to be read from its end. It is set in place of in.
	file func(src io.Reader, schema column.Schema, o Options) Reader
}

// Output and Input report whether the format can be written, and read.
func (f *Format) Output() bool { return f.out != nil }

// Input reports whether the format can be read.
func (f *Format) Input() bool { return f.in != nil || f.file != nil }

var (
	formats = map[string]*Format{} // by lower-case name, aliases included
	listed  []*Format
)

// define adds a format under its name and aliases; called from init functions.
func define(f *Format, aliases ...string) {
	listed = append(listed, f)
	for _, n := range append(aliases, f.Name) {
		formats[strings.ToLower(n)] = f
	}
}

// All lists every format once.
func All() []*Format { return listed }

// Lookup returns the format of that name, in any case: UnknownFormat; NotImplemented if only ClickHouse knows it.
func Lookup(name string) (*Format, error) {
	if f := formats[strings.ToLower(name)]; f != nil {
		return f, nil
	}
	if elsewhere[strings.ToLower(name)] {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Format %s is not supported", name)
	}
	return nil, sqlerr.New(sqlerr.UnknownFormat, "Unknown format %s", name)
}

// elsewhere are ClickHouse's formats that are not supported, so that they are told from typing errors.
var elsewhere = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range []string{"ParquetMetadata", "ORC", "CapnProto",
		"BSONEachRow", "Npy", "MySQLDump", "MySQLWire", "ODBCDriver2", "PostgreSQLWire", "Form",
		"AvroConfluent", "HiveText", "One", "JSONAsObject", "Hash", "DWARF"} {
		m[strings.ToLower(n)] = true
	}
	return m
}()

// NewWriter starts a result of the schema; UnknownFormat if the format is for input only.
func (f *Format) NewWriter(w io.Writer, schema column.Schema, o Options) (Writer, error) {
	if f.out == nil {
		return nil, sqlerr.New(sqlerr.FormatIsNotSuitableForOutput, "Format %s is not suitable for output", f.Name)
	}
	return f.out(&output{w: w}, schema, o), nil
}

// flushSize is how many bytes a writer gathers before it hands them on: large enough for few calls, small enough for cache.
const flushSize = 64 << 10

// output is a buffer in front of an io.Writer; writers append to buf.
type output struct {
	w   io.Writer
	buf []byte
}

// spill hands the buffer on once it is large enough.
func (o *output) spill() error {
	if len(o.buf) < flushSize {
		return nil
	}
	return o.Flush()
}

// Flush implements Writer.
func (o *output) Flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	return err
}
