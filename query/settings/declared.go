package settings

import "strconv"

func boolean(name string, def bool, doc string) Bool {
	d := "0"
	if def {
		d = "1"
	}
	return Bool{declare(&Setting{Name: name, Type: "Bool", Default: d, Description: doc})}
}

func count(name string, def uint64, doc string) Uint {
	return Uint{declare(&Setting{Name: name, Type: "UInt64", Default: strconv.FormatUint(def, 10), Description: doc})}
}

func countOf(typ, name string, def uint64, doc string) Uint {
	s := count(name, def, doc)
	s.Type = typ
	return s
}

func number(name, def, doc string) Float {
	return Float{declare(&Setting{Name: name, Type: "Float", Default: def, Description: doc})}
}

func text(typ, name, def, doc string, values ...string) Text {
	return Text{declare(&Setting{Name: name, Type: typ, Default: def, Description: doc, Values: values})}
}

func overflow(name, doc string) Text {
	return text("OverflowMode", name, "throw", doc+": throw an error, or break and return what there is.", "throw", "break")
}

func seconds(name, def, doc string) Duration {
	return Duration{declare(&Setting{Name: name, Type: "Seconds", Default: def, Description: doc})}
}

func millis(name, def, doc string) Duration {
	return Duration{declare(&Setting{Name: name, Type: "Milliseconds", Default: def, Description: doc})}
}

// Limits of a query. 0 is no limit.
var (
	MaxThreads       = countOf("MaxThreads", "max_threads", 0, "Workers of a query; 0 takes one per processor.")
	MaxBlockSize     = countOf("NonZeroUInt64", "max_block_size", 65409, "Rows of a block that operators hand on.")
	MaxMemoryUsage   = count("max_memory_usage", 0, "Bytes that one query may hold; 0 leaves the process's limit.")
	MaxExecutionTime = seconds("max_execution_time", "0", "Time after which a query ends.")
	TimeoutMode      = overflow("timeout_overflow_mode", "What happens at max_execution_time")
	MaxResultRows    = count("max_result_rows", 0, "Rows of a result.")
	MaxResultBytes   = count("max_result_bytes", 0, "Bytes of a result.")
	ResultMode       = overflow("result_overflow_mode", "What happens at max_result_rows and max_result_bytes")
	MaxRowsToRead    = count("max_rows_to_read", 0, "Rows that a query reads from tables.")
	MaxBytesToRead   = count("max_bytes_to_read", 0, "Bytes that a query reads from tables.")
	ReadMode         = overflow("read_overflow_mode", "What happens at max_rows_to_read and max_bytes_to_read")
	MaxRowsToGroupBy = count("max_rows_to_group_by", 0, "Groups of a GROUP BY.")
	GroupByMode      = text("OverflowModeGroupBy", "group_by_overflow_mode", "throw",
		"What happens at max_rows_to_group_by: throw an error, break, or take no new groups (any).", "throw", "break", "any")
	MaxRowsToSort      = count("max_rows_to_sort", 0, "Rows of an ORDER BY.")
	MaxBytesToSort     = count("max_bytes_to_sort", 0, "Bytes of an ORDER BY.")
	SortMode           = overflow("sort_overflow_mode", "What happens at max_rows_to_sort and max_bytes_to_sort")
	MaxRowsInDistinct  = count("max_rows_in_distinct", 0, "Distinct rows of a DISTINCT.")
	MaxBytesInDistinct = count("max_bytes_in_distinct", 0, "Bytes of a DISTINCT.")
	DistinctMode       = overflow("distinct_overflow_mode", "What happens at max_rows_in_distinct and max_bytes_in_distinct")
	MaxRowsInSet       = count("max_rows_in_set", 0, "Rows of the right side of IN.")
	MaxBytesInSet      = count("max_bytes_in_set", 0, "Bytes of the right side of IN.")
	SetMode            = overflow("set_overflow_mode", "What happens at max_rows_in_set and max_bytes_in_set")
	MaxRowsInJoin      = count("max_rows_in_join", 0, "Rows of a join's right side.")
	MaxBytesInJoin     = count("max_bytes_in_join", 0, "Bytes of a join's right side.")
	JoinMode           = overflow("join_overflow_mode", "What happens at max_rows_in_join and max_bytes_in_join")
	SortSpillBytes     = count("max_bytes_before_external_sort", 0, "Bytes of memory from which an ORDER BY goes on in temporary files; 0: only the ratio counts.")
	SortSpillRatio     = number("max_bytes_ratio_before_external_sort", "0.5", "Share of the memory a query may have from which an ORDER BY goes on in temporary files; 0: never.")
	GroupSpillBytes    = count("max_bytes_before_external_group_by", 0, "Bytes of memory from which a GROUP BY goes on in temporary files; 0: only the ratio counts.")
	GroupSpillRatio    = number("max_bytes_ratio_before_external_group_by", "0.5", "Share of the memory a query may have from which a GROUP BY goes on in temporary files; 0: never.")
	MaxTempQuery       = count("max_temporary_data_on_disk_size_for_query", 0, "Bytes of temporary files of a query.")
	MaxQuerySize       = count("max_query_size", 262144, "Bytes of a statement's text, inline data left out.")
	MaxParserDepth     = count("max_parser_depth", 1000, "Nesting of a statement.")
	MaxASTElements     = count("max_ast_elements", 50000, "Elements of a statement's syntax tree.")
	HivePartitioning   = boolean("use_hive_partitioning", true, "Parts name=value of the paths of file, url and s3 are columns.")
	FileStructure      = countOf("UInt64", "use_structure_from_insertion_table_in_table_functions", 2, "INSERT … SELECT * FROM file, url or s3 without a structure reads the columns that are inserted into; 0: those that are inferred.")
	FileTruncate       = boolean("engine_file_truncate_on_insert", false, "INSERT INTO FUNCTION file empties a file that is there, instead of adding to it.")
	S3Truncate         = boolean("s3_truncate_on_insert", false, "INSERT INTO FUNCTION s3 replaces an object that is there.")
	S3CreateNew        = boolean("s3_create_new_file_on_insert", false, "INSERT INTO FUNCTION s3 writes an object with a number in its name where one is there.")
	LogFormatted       = boolean("log_formatted_queries", false, "Keep statements in system.query_log as they are formatted, too.")
	MaxConcurrentUser  = count("max_concurrent_queries_for_user", 0, "Queries of one user that run at once.")
	MaxConcurrentAll   = count("max_concurrent_queries_for_all_users", 0, "Queries of all users at which this one is refused.")
	MaxSubqueryDepth   = count("max_subquery_depth", 100, "Nesting of subqueries.")
	MaxExpanded        = count("max_expanded_ast_elements", 500000, "Elements of a syntax tree after aliases are expanded.")
)

// Rights.
var (
	Readonly = countOf("UInt64", "readonly", 0, "0: all statements; 1: reads only; 2: reads, and changes of settings.")
	AllowDDL = boolean("allow_ddl", true, "Allow statements that change schemas.")
)

// The result.
var (
	Limit          = count("limit", 0, "Rows of the result, after the query's own LIMIT; 0: all.")
	Offset         = count("offset", 0, "Rows of the result to leave out first.")
	Extremes       = boolean("extremes", false, "Return the least and the greatest value of each column too.")
	DescribeShort  = boolean("describe_compact_output", false, "DESCRIBE returns names and types only.")
	DescribeSub    = boolean("describe_include_subcolumns", false, "DESCRIBE lists the parts of compound columns too; no column has any.")
	LogQueries     = boolean("log_queries", true, "Record queries in system.query_log.")
	LogComment     = text("String", "log_comment", "", "Text recorded with the query in system.query_log.")
	ReplaceRunning = boolean("replace_running_query", false, "Cancel a running query of the same query_id and take its place.")
	TableFilters   = text("Map", "additional_table_filters", "{}", "Conditions that hold for reads of tables, as a map from table to condition.")
	ResultFilter   = text("String", "additional_result_filter", "", "Condition that rows of the result satisfy.")
	MaxInsertBlock = countOf("NonZeroUInt64", "max_insert_block_size", 1048449, "Rows of a block that an INSERT makes of its data.")
	TrivialCount   = boolean("optimize_trivial_count_query", true, "Answer count() of a whole table without reading it.")
	ImplicitBounds = boolean("optimize_use_implicit_projections", true, "Answer min and max of columns of a whole table without reading it.")
	LateColumns    = boolean("query_plan_optimize_lazy_materialization", true, "Read the columns that ORDER BY with LIMIT does not sort by of the result's rows only.")
	ReadInOrder    = boolean("optimize_read_in_order", true, "ORDER BY a prefix of the table's sort key reads the rows in that order rather than sort them.")
	GroupInOrder   = boolean("optimize_aggregation_in_order", false, "GROUP BY a prefix of the table's sort key yields groups as they end: it holds few, and a LIMIT leaves the rest unread.")
	ConditionCache = boolean("use_query_condition_cache", true, "Remember in which granules a filter found no row, and leave them out when it comes again.")
	LengthsOnly    = boolean("optimize_functions_to_subcolumns", true, "Read of strings only their lengths, and of JSON only sub-columns, where nothing else is asked.")
	ExactBefore    = boolean("exact_rows_before_limit", false, "Count the rows before LIMIT exactly: then ORDER BY with LIMIT reads all.")
	SessionZone    = text("Timezone", "session_timezone", "", "Time zone of DateTime columns that declare none; empty: the server's.")
)

// Semantics of queries, read by the analyzer.
var (
	JoinUseNulls       = boolean("join_use_nulls", false, "Columns of rows without a partner are NULL rather than defaults.")
	GroupByUseNulls    = boolean("group_by_use_nulls", false, "Keys that a grouping set leaves out are NULL rather than defaults.")
	GroupingStandard   = boolean("force_grouping_standard_compatibility", true, "grouping() is 1 for keys that are left out, rather than for those that are not.")
	RecursionDepth     = count("max_recursive_cte_evaluation_depth", 1000, "Steps that a recursive CTE may take.")
	TransformNullIn    = boolean("transform_null_in", false, "NULL IN (NULL) is true.")
	Final              = boolean("final", false, "Read every table whose engine merges rows with FINAL.")
	CountDistinct      = text("String", "count_distinct_implementation", "uniqExact", "The aggregate function that count(DISTINCT x) is.", "uniq", "uniqCombined", "uniqCombined64", "uniqHLL12", "uniqExact")
	JoinStrictness     = text("JoinStrictness", "join_default_strictness", "ALL", "The strictness of a JOIN that names none.", "ALL", "ANY", "")
	AnyJoinDistinct    = boolean("any_join_distinct_right_table_keys", false, "ANY INNER JOIN keeps every left row that has a partner.")
	UnionMode          = text("SetOperationMode", "union_default_mode", "", "What UNION without ALL or DISTINCT is.", "", "ALL", "DISTINCT")
	IntersectMode      = text("SetOperationMode", "intersect_default_mode", "ALL", "What INTERSECT without ALL or DISTINCT is.", "", "ALL", "DISTINCT")
	ExceptMode         = text("SetOperationMode", "except_default_mode", "ALL", "What EXCEPT without ALL or DISTINCT is.", "", "ALL", "DISTINCT")
	PositionalArgs     = boolean("enable_positional_arguments", true, "Numbers in GROUP BY, ORDER BY and LIMIT BY are positions.")
	PreferColumnAlias  = boolean("prefer_column_name_to_alias", false, "A name means the column rather than an alias of it.")
	CastKeepNullable   = boolean("cast_keep_nullable", false, "CAST keeps Nullable.")
	_                  = boolean("allow_suspicious_variant_types", false, "Columns of Variant may have types one of which could stand for another.")
	_                  = boolean("allow_suspicious_types_in_group_by", false, "Group by values of Variant and Dynamic.")
	_                  = boolean("allow_suspicious_types_in_order_by", false, "Order by values of Variant and Dynamic.")
	AggregateEmptyNull = boolean("aggregate_functions_null_for_empty", false, "Aggregates of no rows are NULL.")
)

// Writing.
var (
	InsertDeduplicate  = boolean("insert_deduplicate", false, "An INSERT whose data equals that of a recent one takes no effect.")
	DedupToken         = text("String", "insert_deduplication_token", "", "Repeats of an INSERT with the same token take no effect.")
	DefaultsForOmitted = boolean("input_format_defaults_for_omitted_fields", true, "Columns that a row of input leaves out get their DEFAULT.")
	InsertNullDefault  = boolean("insert_null_as_default", true, "INSERT SELECT writes a column's default in place of NULL where the column is not Nullable.")
)

// Formats.
var (
	DateTimeInput    = text("DateTimeInputFormat", "date_time_input_format", "best_effort", "How DateTime is read from text.", "basic", "best_effort", "best_effort_us")
	DateTimeOutput   = text("DateTimeOutputFormat", "date_time_output_format", "simple", "How DateTime is written as text.", "simple", "iso", "unix_timestamp")
	JSONQuote64      = boolean("output_format_json_quote_64bit_integers", false, "Write 64-bit integers in JSON as strings.")
	JSONQuoteDenorm  = boolean("output_format_json_quote_denormals", false, "Write nan and inf in JSON as strings rather than null.")
	JSONQuoteDecimal = boolean("output_format_json_quote_decimals", false, "Write decimals in JSON as strings.")
	JSONNamedTuples  = boolean("output_format_json_named_tuples_as_objects", true, "Write named tuples in JSON as objects.")
	NativeFlat       = boolean("output_format_native_use_flattened_dynamic_and_json_serialization", false, "Write Dynamic and JSON in Native with a column for every type and path.")
	NativeJSONText   = boolean("output_format_native_write_json_as_string", false, "Write JSON in Native as strings.")
	WriteStatistics  = boolean("output_format_write_statistics", true, "Write elapsed time, rows and bytes read behind JSON results.")
	SkipUnknown      = boolean("input_format_skip_unknown_fields", true, "Skip names of the input that the table does not have.")
	NullAsDefault    = boolean("input_format_null_as_default", true, "NULL in the input is the column's default where the column is not Nullable.")
	AllowErrorsNum   = count("input_format_allow_errors_num", 0, "Rows that cannot be read and are left out.")
	AllowErrorsRatio = number("input_format_allow_errors_ratio", "0", "Share of rows that cannot be read and are left out.")
	CSVDelimiter     = text("Char", "format_csv_delimiter", ",", "The character between values in CSV.")
	PrettyRowNumbers = boolean("output_format_pretty_row_numbers", true, "Number the rows in Pretty formats.")
	PrettyMaxRows    = count("output_format_pretty_max_rows", 1000, "Rows that Pretty formats print.")
	ArrowCompression = text("ArrowCompression", "output_format_arrow_compression_method", "lz4_frame", "How the buffers of Arrow are compressed.", "none", "lz4_frame", "zstd")
	RegexpPattern    = text("String", "format_regexp", "", "The pattern of the lines of the format Regexp.")
	RegexpRule       = text("EscapingRule", "format_regexp_escaping_rule", "Raw", "The form of the values in the groups of format_regexp.", "None", "Escaped", "Quoted", "CSV", "JSON", "XML", "Raw")
	RegexpSkip       = boolean("format_regexp_skip_unmatched", false, "Leave out lines that format_regexp does not match.")
	CustomRule       = text("EscapingRule", "format_custom_escaping_rule", "Escaped", "The form of the values of CustomSeparated.", "Escaped", "Quoted", "CSV", "JSON", "XML", "Raw")
	CustomField      = text("String", "format_custom_field_delimiter", "\t", "What stands between the values of CustomSeparated.")
	CustomRowBefore  = text("String", "format_custom_row_before_delimiter", "", "What stands in front of a row of CustomSeparated.")
	CustomRowAfter   = text("String", "format_custom_row_after_delimiter", "\n", "What stands behind a row of CustomSeparated.")
	CustomRowBetween = text("String", "format_custom_row_between_delimiter", "", "What stands between two rows of CustomSeparated.")
	CustomBefore     = text("String", "format_custom_result_before_delimiter", "", "What stands in front of all rows of CustomSeparated.")
	CustomAfter      = text("String", "format_custom_result_after_delimiter", "", "What stands behind all rows of CustomSeparated.")
	TemplateRow      = text("String", "format_template_row", "", "The file, in the folder of schemas, of the template of a row.")
	TemplateRowText  = text("String", "format_template_row_format", "", "The template of a row: text with fields such as ${name:CSV}.")
	TemplateResult   = text("String", "format_template_resultset", "", "The file, in the folder of schemas, of the template of a result.")
	TemplateAllText  = text("String", "format_template_resultset_format", "", "The template of a result; ${data} is its rows.")
	TemplateBetween  = text("String", "format_template_rows_between_delimiter", "\n", "What stands between two rows of Template.")
	FormatSchema     = text("String", "format_schema", "", "The schema of formats that need one: a file of the folder of schemas and the message in it, as file:Message.")
	SchemaMessage    = text("String", "format_schema_message_name", "", "The message of format_schema, if that does not name it.")
	SchemaSource     = text("FormatSchemaSource", "format_schema_source", "file", "Whether format_schema is the name of a file, or the schema itself.", "file", "string")
	ProtobufAuto     = boolean("format_protobuf_use_autogenerated_schema", true, "Make the schema of Protobuf of the columns where format_schema is empty.")
	AvroCodec        = text("String", "output_format_avro_codec", "", "How the blocks of Avro are compressed; empty: snappy.", "", "null", "deflate", "snappy", "zstd")
	ArrowDictionary  = boolean("output_format_arrow_low_cardinality_as_dictionary", false, "Write LowCardinality in Arrow as dictionaries.")
)

// HTTP, read by the server.
var (
	SendProgressHeaders = boolean("send_progress_in_http_headers", false, "Send X-ClickHouse-Progress headers while a query runs.")
	ProgressInterval    = millis("http_headers_progress_interval_ms", "100", "The least time between progress headers.")
	HTTPCompression     = boolean("enable_http_compression", true, "Compress answers if the client accepts it.")
	HTTPZlibLevel       = Uint{declare(&Setting{Name: "http_zlib_compression_level", Type: "Int64", Default: "3", Min: "0", Max: "9", Description: "Level of gzip and deflate."})}
	HTTPBuffer          = count("http_response_buffer_size", 0, "Bytes of an answer to hold back before its status is sent.")
	HTTPWaitEnd         = boolean("http_wait_end_of_query", false, "Send an answer only once it is complete.")
	HTTPExceptionInBody = boolean("http_write_exception_in_output_format", false, "Write an error in the output format, where it can be.")
	CORSHeader          = boolean("add_http_cors_header", false, "Send Access-Control-Allow-Origin.")
	CancelOnClose       = boolean("cancel_http_readonly_queries_on_client_close", true, "Cancel a read whose client has gone. olapd always does.")
)

// These are known by name and type, and change nothing yet: system.settings and the documents say so.
func init() {
	for _, s := range []*Setting{
		HTTPZlibLevel.Setting, HTTPExceptionInBody.Setting, DescribeSub.Setting,
		PreferColumnAlias.Setting, CastKeepNullable.Setting, AggregateEmptyNull.Setting, AnyJoinDistinct.Setting,
	} {
		s.NoEffect, s.Description = true, noEffect
	}
}
