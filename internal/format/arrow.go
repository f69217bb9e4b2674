package format

import (
	"io"

	"github.com/olapd/olapd/internal/column"
)

// Arrow is read and written a record batch at a time, which is a block. ArrowStream is the messages one behind the other; Arrow, the file, has
// them between its magic and a footer that says where each is. Files are read like streams, from front to back: so are they written.
//
//	+------------+--------------+---------------------+------+-----------------------------+
//	| 0xFFFFFFFF | length, u32  | Message, FlatBuffer | body | … | 0xFFFFFFFF 0: end       |
//	+------------+--------------+---------------------+------+-----------------------------+
//
// A message is the schema, a dictionary or a record batch. The body of the latter two is buffers, each maybe compressed (LZ4 frames or
// Zstandard, behind the raw length): of each array in depth-first order its validity bitmap, its offsets and its values. Columns are read as the
// types that ClickHouse infers for Arrow's, then cast to the table's.
//
//	bool, int, float, decimal      the same               utf8, binary and large ones    String
//	date32, date64                 Date32, DateTime64(3)  timestamp                      DateTime64 with its zone
//	time32, time64                 Time, Time64           fixed_size_binary(n)           FixedString(n)
//	list, large, of fixed size     Array                  struct, map                    Tuple, Map
//	dictionary                     LowCardinality         null                           Nullable(Nothing)
//	arrow.uuid                     UUID                   duration                       Interval of its unit
//
// Structs that are NULL are NULL in their fields, lists and maps that are NULL are empty.
func init() {
	define(&Format{Name: "Arrow", ContentType: "application/octet-stream",
		out:  func(w *output, s column.Schema, o Options) Writer { return newArrowWriter(w, s, o, true) },
		file: func(src io.Reader, s column.Schema, o Options) Reader { return newArrowReader(src, s, o, true) }})
	define(&Format{Name: "ArrowStream", ContentType: "application/octet-stream",
		out:  func(w *output, s column.Schema, o Options) Writer { return newArrowWriter(w, s, o, false) },
		file: func(src io.Reader, s column.Schema, o Options) Reader { return newArrowReader(src, s, o, false) }})
}

// arrowMagic begins and ends a file; at its beginning it is padded to 8 bytes.
const arrowMagic = "ARROW1"

// Limits on what a few bytes of Arrow may announce.
const (
	// maxArrowMetadata bounds one message without its body: ten thousand columns take some 2 MB.
	maxArrowMetadata = 64 << 20
	// maxArrowBatch bounds the body of a batch, as it is and decompressed: tables of pandas come in one batch.
	maxArrowBatch = 1 << 30
	// maxArrowFields bounds the fields of a schema, nested ones included: a FlatBuffer may refer to one table many times.
	maxArrowFields = 1 << 16
	// maxArrowRows bounds a batch, of which no column may be asked for; maxArrowNothing arrays that take no bytes for each of their values.
	maxArrowRows    = maxNativeRows
	maxArrowNothing = 1 << 24
	// maxArrowDictionary bounds the distinct values of a column that is written as a dictionary, which are kept until the end.
	maxArrowDictionary = 1 << 20
)

// The kinds of messages.
const (
	arrowSchemaMessage     = 1
	arrowDictionaryMessage = 2
	arrowBatchMessage      = 3
)

// arrowVersion is V5 of the metadata.
const arrowVersion = 4

// The codecs of buffers.
const (
	arrowPlain = -1
	arrowLZ4   = 0
	arrowZSTD  = 1
)

// The numbers of types in a schema.
const (
	arrowNull         = 1
	arrowInt          = 2
	arrowFloat        = 3
	arrowBinary       = 4
	arrowUtf8         = 5
	arrowBool         = 6
	arrowDecimal      = 7
	arrowDate         = 8
	arrowTime         = 9
	arrowTimestamp    = 10
	arrowList         = 12
	arrowStruct       = 13
	arrowFixedBinary  = 15
	arrowFixedList    = 16
	arrowMap          = 17
	arrowDuration     = 18
	arrowLargeBinary  = 19
	arrowLargeUtf8    = 20
	arrowLargeList    = 21
	arrowUnits        = 4 // seconds, milli-, micro-, nanoseconds
	arrowMilliseconds = 1
)

// arrowField is a column, or a part of one.
type arrowField struct {
	name     string
	nullable bool
	typ      arrowType
	dict     *arrowDict // of dictionary-coded values, which typ is the type of
	kids     []*arrowField
	uuid     bool // 16 bytes, the highest first, that say so in their metadata
}

// arrowType is a type and its parameters, as far as it has them.
type arrowType struct {
	kind      int
	bits      int // Int, Float, Decimal, Time: the width
	signed    bool
	precision int
	scale     int
	unit      int // Date: 0 for days; Time, Timestamp: one of arrowUnits
	zone      string
	size      int // FixedBinary: bytes; FixedList: elements
}

// What the metadata of a field says of UUIDs.
const (
	arrowExtension = "ARROW:extension:name"
	arrowUUID      = "arrow.uuid"
)

// arrowDict is how values are coded.
type arrowDict struct {
	id    int64
	index arrowType
}
