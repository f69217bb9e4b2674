package sqlerr

// Code is a ClickHouse error code, as listed in its system.errors.
type Code int32

// The codes olapd uses, with ClickHouse's numbers.
const (
	OK                                           Code = 0
	UnsupportedMethod                            Code = 1
	UnsupportedParameter                         Code = 2
	CannotParseText                              Code = 6
	IncorrectNumberOfColumns                     Code = 7
	ThereIsNoColumn                              Code = 8
	SizesOfColumnsDoesntMatch                    Code = 9
	NotFoundColumnInBlock                        Code = 10
	ParameterOutOfBound                          Code = 12
	DuplicateColumn                              Code = 15
	NoSuchColumnInTable                          Code = 16
	SizeOfFixedStringDoesntMatch                 Code = 19
	NumberOfColumnsDoesntMatch                   Code = 20
	CannotParseEscapeSequence                    Code = 25
	CannotParseQuotedString                      Code = 26
	CannotParseInputAssertionFailed              Code = 27
	AttemptToReadAfterEof                        Code = 32
	CannotReadAllData                            Code = 33
	TooManyArgumentsForFunction                  Code = 34
	TooFewArgumentsForFunction                   Code = 35
	BadArguments                                 Code = 36
	CannotParseDate                              Code = 38
	TooLargeSizeCompressed                       Code = 39
	ChecksumDoesntMatch                          Code = 40
	CannotParseDatetime                          Code = 41
	NumberOfArgumentsDoesntMatch                 Code = 42
	IllegalTypeOfArgument                        Code = 43
	IllegalColumn                                Code = 44
	UnknownFunction                              Code = 46
	UnknownIdentifier                            Code = 47
	NotImplemented                               Code = 48
	LogicalError                                 Code = 49
	UnknownType                                  Code = 50
	EmptyListOfColumnsQueried                    Code = 51
	ColumnQueriedMoreThanOnce                    Code = 52
	TypeMismatch                                 Code = 53
	UnknownStorage                               Code = 56
	TableAlreadyExists                           Code = 57
	IllegalTypeOfColumnForFilter                 Code = 59
	UnknownTable                                 Code = 60
	SyntaxError                                  Code = 62
	UnknownAggregateFunction                     Code = 63
	ArgumentOutOfBound                           Code = 69
	CannotConvertType                            Code = 70
	CannotParseNumber                            Code = 72
	UnknownFormat                                Code = 73
	CannotReadFromFile                           Code = 74
	CannotWriteToFile                            Code = 75
	CannotOpenFile                               Code = 76
	UnknownTypeOfQuery                           Code = 78
	IncorrectQuery                               Code = 80
	UnknownDatabase                              Code = 81
	DatabaseAlreadyExists                        Code = 82
	FormatIsNotSuitableForInput                  Code = 85
	ReceivedErrorFromRemoteIOServer              Code = 86
	UnsupportedCollationLocale                   Code = 186
	FormatIsNotSuitableForOutput                 Code = 399
	UnknownElementInConfig                       Code = 137
	InfiniteLoop                                 Code = 269
	DictionaryAlreadyExists                      Code = 387
	IncorrectDictionaryDefinition                Code = 489
	CannotDetachDictionaryAsTable                Code = 520
	UnsupportedTypeOfASTNode                     Code = 88
	EmptyListOfColumnsPassed                     Code = 90
	NoFileInDataPart                             Code = 91
	EmptyDataPassed                              Code = 92
	UnknownPacketFromClient                      Code = 99
	UnknownPacketFromServer                      Code = 100
	UnexpectedPacketFromClient                   Code = 101
	FileDoesntExist                              Code = 107
	NoDataToInsert                               Code = 108
	UnknownSetting                               Code = 115
	IncorrectData                                Code = 117
	EngineRequired                               Code = 119
	UnsupportedJoinKeys                          Code = 121
	IncompatibleColumns                          Code = 122
	IncorrectElementOfSet                        Code = 124
	IncorrectResultOfScalarSubquery              Code = 125
	TooLargeArraySize                            Code = 128
	CannotReadArrayFromText                      Code = 130
	TooLargeStringSize                           Code = 131
	AggregateFunctionDoesntAllowParameters       Code = 133
	ParametersToAggregateFunctionsMustBeLiterals Code = 134
	ZeroArrayOrTupleIndex                        Code = 135
	SamplingNotSupported                         Code = 141
	IllegalDivision                              Code = 153
	TooManyRows                                  Code = 158
	TimeoutExceeded                              Code = 159
	TooSlow                                      Code = 160
	TooManyColumns                               Code = 161
	TooDeepSubqueries                            Code = 162
	Readonly                                     Code = 164
	TooDeepAST                                   Code = 167
	TooBigAST                                    Code = 168
	BadTypeOfField                               Code = 169
	BadGet                                       Code = 170
	CannotAllocateMemory                         Code = 173
	CyclicAliases                                Code = 174
	MultipleExpressionsForAlias                  Code = 179
	ThereIsNoProfile                             Code = 180
	IllegalFinal                                 Code = 181
	IllegalPrewhere                              Code = 182
	IllegalAggregation                           Code = 184
	SizesOfArraysDontMatch                       Code = 190
	SetSizeLimitExceeded                         Code = 191
	UnknownUser                                  Code = 192
	WrongPassword                                Code = 193
	RequiredPassword                             Code = 194
	IPAddressNotAllowed                          Code = 195
	DNSError                                     Code = 198
	UnknownQuota                                 Code = 199
	QuotaExceeded                                Code = 201
	TooManySimultaneousQueries                   Code = 202
	AliasRequired                                Code = 206
	AmbiguousIdentifier                          Code = 207
	SocketTimeout                                Code = 209
	NetworkError                                 Code = 210
	EmptyQuery                                   Code = 211
	NotAnAggregate                               Code = 215
	QueryWithSameIDIsAlreadyRunning              Code = 216
	TableIsDropped                               Code = 218
	DatabaseNotEmpty                             Code = 219
	UnexpectedASTStructure                       Code = 223
	QueryIsTooLarge                              Code = 229
	UnexpectedExpression                         Code = 230
	NoSuchDataPart                               Code = 232
	Aborted                                      Code = 236
	MemoryLimitExceeded                          Code = 241
	TableIsReadOnly                              Code = 242
	NotEnoughSpace                               Code = 243
	CorruptedData                                Code = 246
	InvalidPartitionValue                        Code = 248
	TooManyParts                                 Code = 252
	UnionAllResultStructuresMismatch             Code = 258
	BadCollation                                 Code = 262
	InvalidJoinKind                              Code = 270
	CannotDecompress                             Code = 271
	AllConnectionTriesFailed                     Code = 279
	LimitExceeded                                Code = 290
	DatabaseAccessDenied                         Code = 291
	TooDeepRecursion                             Code = 306
	TooManyBytes                                 Code = 307
	UnknownStatusOfInsert                        Code = 319
	ValueIsOutOfRangeOfDataType                  Code = 321
	AlreadyExists                                Code = 327
	Unfinished                                   Code = 341
	SupportIsDisabled                            Code = 344
	CannotInsertNullInOrdinaryColumn             Code = 349
	AmbiguousColumnName                          Code = 352
	IndexOfPositionalArgumentIsOutOfRange        Code = 353
	TableSizeExceedsMaxDropSizeLimit             Code = 359
	CannotCreateIOBuffer                         Code = 363
	TooFewLiveReplicas                           Code = 366
	SessionNotFound                              Code = 372
	SessionIsLocked                              Code = 373
	InvalidSessionTimeout                        Code = 374
	CannotParseUUID                              Code = 376
	IllegalSyntaxForDataType                     Code = 377
	DataTypeCannotHaveArguments                  Code = 378
	HTTPLengthRequired                           Code = 381
	NoCommonType                                 Code = 386
	CannotGetCreateTableQuery                    Code = 390
	QueryIsProhibited                            Code = 392
	QueryWasCancelled                            Code = 394
	FunctionThrowIfValueIsNonZero                Code = 395
	TooManyRowsOrBytes                           Code = 396
	CannotStat                                   Code = 400
	InvalidJoinOnExpression                      Code = 403
	DecimalOverflow                              Code = 407
	CannotUpdateColumn                           Code = 420
	CannotCompileRegexp                          Code = 427
	UnknownCodec                                 Code = 432
	IllegalCodecParameter                        Code = 433
	CannotScheduleTask                           Code = 439
	InvalidLimitExpression                       Code = 440
	CannotParseDomainValueFromString             Code = 441
	BadDatabaseForTemporaryTable                 Code = 442
	BadTTLExpression                             Code = 450
	SettingConstraintViolation                   Code = 452
	UnknownQueryParameter                        Code = 456
	BadQueryParameter                            Code = 457
	CannotUnlink                                 Code = 458
	CannotParseBool                              Code = 467
	ViolatedConstraint                           Code = 469
	ReadonlySetting                              Code = 472
	DeadlockAvoided                              Code = 473
	InvalidTemplateFormat                        Code = 474
	InvalidWithFillExpression                    Code = 475
	WithTiesWithoutOrderBy                       Code = 476
	InvalidUsageOfInput                          Code = 477
	TooManyRedirects                             Code = 483
	UnacceptableURL                              Code = 491
	AccessEntityNotFound                         Code = 492
	AccessEntityAlreadyExists                    Code = 493
	AccessStorageReadonly                        Code = 495
	AccessDenied                                 Code = 497
	S3Error                                      Code = 499
	InvalidGrant                                 Code = 509
	UnknownRole                                  Code = 511
	SetNonGrantedRole                            Code = 512
	AuthenticationFailed                         Code = 516
	NoRemoteShardAvailable                       Code = 519
	UnknownRowPolicy                             Code = 523
	AlterOfColumnIsForbidden                     Code = 524
	NotALeader                                   Code = 529
	DataTypeCannotBeUsedInKey                    Code = 549
	ExpectedAllOrDistinct                        Code = 558
	NoSuchProjectionInTable                      Code = 582
	IntersectOrExceptResultStructuresMismatch    Code = 596
	BackupAlreadyExists                          Code = 598
	BackupNotFound                               Code = 599
	BackupVersionNotSupported                    Code = 600
	BackupDamaged                                Code = 601
	BackupEntryNotFound                          Code = 605
	CannotRestoreTable                           Code = 608
	FunctionAlreadyExists                        Code = 609
	BackupEngineNotFound                         Code = 627
	CannotExtractTableStructure                  Code = 636
	CannotAppendToFile                           Code = 641
	CannotExtractSchema                          Code = 645
	ProtobufBadCast                              Code = 436
	DataTypeIncompatibleWithProtobufField        Code = 570
	NoColumnsSerializedToProtobufFields          Code = 443
	ProtobufFieldNotRepeated                     Code = 437
	CannotParseProtobufSchema                    Code = 434
	OpenSSLError                                 Code = 454
	NoRowDelimiter                               Code = 546
	UnexpectedDataAfterParsedValue               Code = 632
	CannotParseIPv4                              Code = 675
	CannotParseIPv6                              Code = 676
	UnknownElementOfEnum                         Code = 691
	ClusterDoesntExist                           Code = 701
	CannotDetectFormat                           Code = 715
	DeprecatedFunction                           Code = 721
	TooManyTables                                Code = 724
	RefreshFailed                                Code = 730
)

var names = map[Code]string{
	OK:                                           "OK",
	UnsupportedMethod:                            "UNSUPPORTED_METHOD",
	UnsupportedParameter:                         "UNSUPPORTED_PARAMETER",
	CannotParseText:                              "CANNOT_PARSE_TEXT",
	IncorrectNumberOfColumns:                     "INCORRECT_NUMBER_OF_COLUMNS",
	ThereIsNoColumn:                              "THERE_IS_NO_COLUMN",
	SizesOfColumnsDoesntMatch:                    "SIZES_OF_COLUMNS_DOESNT_MATCH",
	NotFoundColumnInBlock:                        "NOT_FOUND_COLUMN_IN_BLOCK",
	ParameterOutOfBound:                          "PARAMETER_OUT_OF_BOUND",
	DuplicateColumn:                              "DUPLICATE_COLUMN",
	NoSuchColumnInTable:                          "NO_SUCH_COLUMN_IN_TABLE",
	SizeOfFixedStringDoesntMatch:                 "SIZE_OF_FIXED_STRING_DOESNT_MATCH",
	NumberOfColumnsDoesntMatch:                   "NUMBER_OF_COLUMNS_DOESNT_MATCH",
	CannotParseEscapeSequence:                    "CANNOT_PARSE_ESCAPE_SEQUENCE",
	CannotParseQuotedString:                      "CANNOT_PARSE_QUOTED_STRING",
	CannotParseInputAssertionFailed:              "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
	AttemptToReadAfterEof:                        "ATTEMPT_TO_READ_AFTER_EOF",
	CannotReadAllData:                            "CANNOT_READ_ALL_DATA",
	TooManyArgumentsForFunction:                  "TOO_MANY_ARGUMENTS_FOR_FUNCTION",
	TooFewArgumentsForFunction:                   "TOO_FEW_ARGUMENTS_FOR_FUNCTION",
	BadArguments:                                 "BAD_ARGUMENTS",
	CannotParseDate:                              "CANNOT_PARSE_DATE",
	TooLargeSizeCompressed:                       "TOO_LARGE_SIZE_COMPRESSED",
	ChecksumDoesntMatch:                          "CHECKSUM_DOESNT_MATCH",
	CannotParseDatetime:                          "CANNOT_PARSE_DATETIME",
	NumberOfArgumentsDoesntMatch:                 "NUMBER_OF_ARGUMENTS_DOESNT_MATCH",
	IllegalTypeOfArgument:                        "ILLEGAL_TYPE_OF_ARGUMENT",
	IllegalColumn:                                "ILLEGAL_COLUMN",
	UnknownFunction:                              "UNKNOWN_FUNCTION",
	UnknownIdentifier:                            "UNKNOWN_IDENTIFIER",
	NotImplemented:                               "NOT_IMPLEMENTED",
	LogicalError:                                 "LOGICAL_ERROR",
	UnknownElementInConfig:                       "UNKNOWN_ELEMENT_IN_CONFIG",
	InfiniteLoop:                                 "INFINITE_LOOP",
	DictionaryAlreadyExists:                      "DICTIONARY_ALREADY_EXISTS",
	IncorrectDictionaryDefinition:                "INCORRECT_DICTIONARY_DEFINITION",
	CannotDetachDictionaryAsTable:                "CANNOT_DETACH_DICTIONARY_AS_TABLE",
	UnknownType:                                  "UNKNOWN_TYPE",
	EmptyListOfColumnsQueried:                    "EMPTY_LIST_OF_COLUMNS_QUERIED",
	ColumnQueriedMoreThanOnce:                    "COLUMN_QUERIED_MORE_THAN_ONCE",
	FileDoesntExist:                              "FILE_DOESNT_EXIST",
	CannotStat:                                   "CANNOT_STAT",
	CannotAppendToFile:                           "CANNOT_APPEND_TO_FILE",
	InvalidUsageOfInput:                          "INVALID_USAGE_OF_INPUT",
	ClusterDoesntExist:                           "CLUSTER_DOESNT_EXIST",
	TooManyRedirects:                             "TOO_MANY_REDIRECTS",
	OpenSSLError:                                 "OPENSSL_ERROR",
	UnexpectedDataAfterParsedValue:               "UNEXPECTED_DATA_AFTER_PARSED_VALUE",
	NoRemoteShardAvailable:                       "NO_REMOTE_SHARD_AVAILABLE",
	ReceivedErrorFromRemoteIOServer:              "RECEIVED_ERROR_FROM_REMOTE_IO_SERVER",
	TypeMismatch:                                 "TYPE_MISMATCH",
	UnknownStorage:                               "UNKNOWN_STORAGE",
	TableAlreadyExists:                           "TABLE_ALREADY_EXISTS",
	IllegalTypeOfColumnForFilter:                 "ILLEGAL_TYPE_OF_COLUMN_FOR_FILTER",
	UnknownTable:                                 "UNKNOWN_TABLE",
	SyntaxError:                                  "SYNTAX_ERROR",
	UnknownAggregateFunction:                     "UNKNOWN_AGGREGATE_FUNCTION",
	ArgumentOutOfBound:                           "ARGUMENT_OUT_OF_BOUND",
	CannotConvertType:                            "CANNOT_CONVERT_TYPE",
	CannotParseNumber:                            "CANNOT_PARSE_NUMBER",
	UnknownFormat:                                "UNKNOWN_FORMAT",
	CannotReadFromFile:                           "CANNOT_READ_FROM_FILE_DESCRIPTOR",
	CannotWriteToFile:                            "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
	CannotOpenFile:                               "CANNOT_OPEN_FILE",
	UnknownTypeOfQuery:                           "UNKNOWN_TYPE_OF_QUERY",
	UnknownDatabase:                              "UNKNOWN_DATABASE",
	DatabaseAlreadyExists:                        "DATABASE_ALREADY_EXISTS",
	FormatIsNotSuitableForInput:                  "FORMAT_IS_NOT_SUITABLE_FOR_INPUT",
	UnsupportedCollationLocale:                   "UNSUPPORTED_COLLATION_LOCALE",
	FormatIsNotSuitableForOutput:                 "FORMAT_IS_NOT_SUITABLE_FOR_OUTPUT",
	UnsupportedTypeOfASTNode:                     "UNSUPPORTED_TYPE_OF_AST_NODE",
	NoFileInDataPart:                             "NO_FILE_IN_DATA_PART",
	EmptyDataPassed:                              "EMPTY_DATA_PASSED",
	UnknownPacketFromClient:                      "UNKNOWN_PACKET_FROM_CLIENT",
	UnknownPacketFromServer:                      "UNKNOWN_PACKET_FROM_SERVER",
	NoDataToInsert:                               "NO_DATA_TO_INSERT",
	UnexpectedPacketFromClient:                   "UNEXPECTED_PACKET_FROM_CLIENT",
	UnknownSetting:                               "UNKNOWN_SETTING",
	IncorrectData:                                "INCORRECT_DATA",
	EngineRequired:                               "ENGINE_REQUIRED",
	UnsupportedJoinKeys:                          "UNSUPPORTED_JOIN_KEYS",
	IncompatibleColumns:                          "INCOMPATIBLE_COLUMNS",
	IncorrectElementOfSet:                        "INCORRECT_ELEMENT_OF_SET",
	IncorrectResultOfScalarSubquery:              "INCORRECT_RESULT_OF_SCALAR_SUBQUERY",
	TooLargeArraySize:                            "TOO_LARGE_ARRAY_SIZE",
	CannotReadArrayFromText:                      "CANNOT_READ_ARRAY_FROM_TEXT",
	TooLargeStringSize:                           "TOO_LARGE_STRING_SIZE",
	AggregateFunctionDoesntAllowParameters:       "AGGREGATE_FUNCTION_DOESNT_ALLOW_PARAMETERS",
	ParametersToAggregateFunctionsMustBeLiterals: "PARAMETERS_TO_AGGREGATE_FUNCTIONS_MUST_BE_LITERALS",
	ZeroArrayOrTupleIndex:                        "ZERO_ARRAY_OR_TUPLE_INDEX",
	SamplingNotSupported:                         "SAMPLING_NOT_SUPPORTED",
	IllegalDivision:                              "ILLEGAL_DIVISION",
	TooManyRows:                                  "TOO_MANY_ROWS",
	TimeoutExceeded:                              "TIMEOUT_EXCEEDED",
	TooSlow:                                      "TOO_SLOW",
	TooManyColumns:                               "TOO_MANY_COLUMNS",
	TooDeepSubqueries:                            "TOO_DEEP_SUBQUERIES",
	Readonly:                                     "READONLY",
	TooDeepAST:                                   "TOO_DEEP_AST",
	TooBigAST:                                    "TOO_BIG_AST",
	BadTypeOfField:                               "BAD_TYPE_OF_FIELD",
	BadGet:                                       "BAD_GET",
	CannotAllocateMemory:                         "CANNOT_ALLOCATE_MEMORY",
	CyclicAliases:                                "CYCLIC_ALIASES",
	MultipleExpressionsForAlias:                  "MULTIPLE_EXPRESSIONS_FOR_ALIAS",
	ThereIsNoProfile:                             "THERE_IS_NO_PROFILE",
	IllegalFinal:                                 "ILLEGAL_FINAL",
	IllegalPrewhere:                              "ILLEGAL_PREWHERE",
	IllegalAggregation:                           "ILLEGAL_AGGREGATION",
	SizesOfArraysDontMatch:                       "SIZES_OF_ARRAYS_DONT_MATCH",
	SetSizeLimitExceeded:                         "SET_SIZE_LIMIT_EXCEEDED",
	LimitExceeded:                                "LIMIT_EXCEEDED",
	DataTypeCannotBeUsedInKey:                    "DATA_TYPE_CANNOT_BE_USED_IN_KEY",
	UnknownUser:                                  "UNKNOWN_USER",
	WrongPassword:                                "WRONG_PASSWORD",
	RequiredPassword:                             "REQUIRED_PASSWORD",
	IPAddressNotAllowed:                          "IP_ADDRESS_NOT_ALLOWED",
	DNSError:                                     "DNS_ERROR",
	QuotaExceeded:                                "QUOTA_EXCEEDED",
	TooManySimultaneousQueries:                   "TOO_MANY_SIMULTANEOUS_QUERIES",
	AliasRequired:                                "ALIAS_REQUIRED",
	AmbiguousIdentifier:                          "AMBIGUOUS_IDENTIFIER",
	SocketTimeout:                                "SOCKET_TIMEOUT",
	NetworkError:                                 "NETWORK_ERROR",
	EmptyQuery:                                   "EMPTY_QUERY",
	NotAnAggregate:                               "NOT_AN_AGGREGATE",
	QueryWithSameIDIsAlreadyRunning:              "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
	TableIsDropped:                               "TABLE_IS_DROPPED",
	DatabaseNotEmpty:                             "DATABASE_NOT_EMPTY",
	QueryIsTooLarge:                              "QUERY_IS_TOO_LARGE",
	UnexpectedASTStructure:                       "UNEXPECTED_AST_STRUCTURE",
	UnexpectedExpression:                         "UNEXPECTED_EXPRESSION",
	NoSuchDataPart:                               "NO_SUCH_DATA_PART",
	Aborted:                                      "ABORTED",
	MemoryLimitExceeded:                          "MEMORY_LIMIT_EXCEEDED",
	TableIsReadOnly:                              "TABLE_IS_READ_ONLY",
	NotEnoughSpace:                               "NOT_ENOUGH_SPACE",
	CorruptedData:                                "CORRUPTED_DATA",
	IncorrectQuery:                               "INCORRECT_QUERY",
	InvalidPartitionValue:                        "INVALID_PARTITION_VALUE",
	TooManyParts:                                 "TOO_MANY_PARTS",
	UnionAllResultStructuresMismatch:             "UNION_ALL_RESULT_STRUCTURES_MISMATCH",
	IntersectOrExceptResultStructuresMismatch:    "INTERSECT_OR_EXCEPT_RESULT_STRUCTURES_MISMATCH",
	BadCollation:                                 "BAD_COLLATION",
	InvalidJoinKind:                              "INVALID_JOIN_KIND",
	CannotDecompress:                             "CANNOT_DECOMPRESS",
	AllConnectionTriesFailed:                     "ALL_CONNECTION_TRIES_FAILED",
	DatabaseAccessDenied:                         "DATABASE_ACCESS_DENIED",
	TooDeepRecursion:                             "TOO_DEEP_RECURSION",
	TooManyBytes:                                 "TOO_MANY_BYTES",
	UnknownStatusOfInsert:                        "UNKNOWN_STATUS_OF_INSERT",
	ValueIsOutOfRangeOfDataType:                  "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
	AlreadyExists:                                "ALREADY_EXISTS",
	Unfinished:                                   "UNFINISHED",
	SupportIsDisabled:                            "SUPPORT_IS_DISABLED",
	CannotInsertNullInOrdinaryColumn:             "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
	AmbiguousColumnName:                          "AMBIGUOUS_COLUMN_NAME",
	IndexOfPositionalArgumentIsOutOfRange:        "INDEX_OF_POSITIONAL_ARGUMENT_IS_OUT_OF_RANGE",
	TableSizeExceedsMaxDropSizeLimit:             "TABLE_SIZE_EXCEEDS_MAX_DROP_SIZE_LIMIT",
	CannotCreateIOBuffer:                         "CANNOT_CREATE_IO_BUFFER",
	TooFewLiveReplicas:                           "TOO_FEW_LIVE_REPLICAS",
	SessionNotFound:                              "SESSION_NOT_FOUND",
	SessionIsLocked:                              "SESSION_IS_LOCKED",
	InvalidSessionTimeout:                        "INVALID_SESSION_TIMEOUT",
	CannotParseUUID:                              "CANNOT_PARSE_UUID",
	IllegalSyntaxForDataType:                     "ILLEGAL_SYNTAX_FOR_DATA_TYPE",
	DataTypeCannotHaveArguments:                  "DATA_TYPE_CANNOT_HAVE_ARGUMENTS",
	HTTPLengthRequired:                           "HTTP_LENGTH_REQUIRED",
	NoCommonType:                                 "NO_COMMON_TYPE",
	CannotGetCreateTableQuery:                    "CANNOT_GET_CREATE_TABLE_QUERY",
	QueryWasCancelled:                            "QUERY_WAS_CANCELLED",
	FunctionThrowIfValueIsNonZero:                "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO",
	TooManyRowsOrBytes:                           "TOO_MANY_ROWS_OR_BYTES",
	InvalidJoinOnExpression:                      "INVALID_JOIN_ON_EXPRESSION",
	DecimalOverflow:                              "DECIMAL_OVERFLOW",
	CannotCompileRegexp:                          "CANNOT_COMPILE_REGEXP",
	UnknownCodec:                                 "UNKNOWN_CODEC",
	IllegalCodecParameter:                        "ILLEGAL_CODEC_PARAMETER",
	CannotScheduleTask:                           "CANNOT_SCHEDULE_TASK",
	InvalidLimitExpression:                       "INVALID_LIMIT_EXPRESSION",
	CannotParseDomainValueFromString:             "CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING",
	BadTTLExpression:                             "BAD_TTL_EXPRESSION",
	SettingConstraintViolation:                   "SETTING_CONSTRAINT_VIOLATION",
	UnknownQueryParameter:                        "UNKNOWN_QUERY_PARAMETER",
	BadQueryParameter:                            "BAD_QUERY_PARAMETER",
	CannotUnlink:                                 "CANNOT_UNLINK",
	CannotParseBool:                              "CANNOT_PARSE_BOOL",
	DeadlockAvoided:                              "DEADLOCK_AVOIDED",
	InvalidTemplateFormat:                        "INVALID_TEMPLATE_FORMAT",
	WithTiesWithoutOrderBy:                       "WITH_TIES_WITHOUT_ORDER_BY",
	InvalidWithFillExpression:                    "INVALID_WITH_FILL_EXPRESSION",
	AccessDenied:                                 "ACCESS_DENIED",
	S3Error:                                      "S3_ERROR",
	UnknownRole:                                  "UNKNOWN_ROLE",
	SetNonGrantedRole:                            "SET_NON_GRANTED_ROLE",
	AuthenticationFailed:                         "AUTHENTICATION_FAILED",
	CannotUpdateColumn:                           "CANNOT_UPDATE_COLUMN",
	AlterOfColumnIsForbidden:                     "ALTER_OF_COLUMN_IS_FORBIDDEN",
	NotALeader:                                   "NOT_A_LEADER",
	ExpectedAllOrDistinct:                        "EXPECTED_ALL_OR_DISTINCT",
	NoSuchProjectionInTable:                      "NO_SUCH_PROJECTION_IN_TABLE",
	ViolatedConstraint:                           "VIOLATED_CONSTRAINT",
	ReadonlySetting:                              "READONLY_SETTING",
	QueryIsProhibited:                            "QUERY_IS_PROHIBITED",
	EmptyListOfColumnsPassed:                     "EMPTY_LIST_OF_COLUMNS_PASSED",
	BadDatabaseForTemporaryTable:                 "BAD_DATABASE_FOR_TEMPORARY_TABLE",
	TooManyTables:                                "TOO_MANY_TABLES",
	BackupAlreadyExists:                          "BACKUP_ALREADY_EXISTS",
	BackupNotFound:                               "BACKUP_NOT_FOUND",
	BackupVersionNotSupported:                    "BACKUP_VERSION_NOT_SUPPORTED",
	BackupDamaged:                                "BACKUP_DAMAGED",
	BackupEntryNotFound:                          "BACKUP_ENTRY_NOT_FOUND",
	CannotRestoreTable:                           "CANNOT_RESTORE_TABLE",
	BackupEngineNotFound:                         "BACKUP_ENGINE_NOT_FOUND",
	UnacceptableURL:                              "UNACCEPTABLE_URL",
	FunctionAlreadyExists:                        "FUNCTION_ALREADY_EXISTS",
	CannotExtractTableStructure:                  "CANNOT_EXTRACT_TABLE_STRUCTURE",
	CannotExtractSchema:                          "CANNOT_EXTRACT_SCHEMA",
	ProtobufBadCast:                              "PROTOBUF_BAD_CAST",
	CannotParseProtobufSchema:                    "CANNOT_PARSE_PROTOBUF_SCHEMA",
	ProtobufFieldNotRepeated:                     "PROTOBUF_FIELD_NOT_REPEATED",
	DataTypeIncompatibleWithProtobufField:        "DATA_TYPE_INCOMPATIBLE_WITH_PROTOBUF_FIELD",
	NoColumnsSerializedToProtobufFields:          "NO_COLUMNS_SERIALIZED_TO_PROTOBUF_FIELDS",
	NoRowDelimiter:                               "NO_ROW_DELIMITER",
	CannotParseIPv4:                              "CANNOT_PARSE_IPV4",
	CannotParseIPv6:                              "CANNOT_PARSE_IPV6",
	UnknownElementOfEnum:                         "UNKNOWN_ELEMENT_OF_ENUM",
	CannotDetectFormat:                           "CANNOT_DETECT_FORMAT",
	UnknownQuota:                                 "UNKNOWN_QUOTA",
	AccessEntityNotFound:                         "ACCESS_ENTITY_NOT_FOUND",
	AccessEntityAlreadyExists:                    "ACCESS_ENTITY_ALREADY_EXISTS",
	AccessStorageReadonly:                        "ACCESS_STORAGE_READONLY",
	InvalidGrant:                                 "INVALID_GRANT",
	UnknownRowPolicy:                             "UNKNOWN_ROW_POLICY",
	DeprecatedFunction:                           "DEPRECATED_FUNCTION",
	RefreshFailed:                                "REFRESH_FAILED",
}

// Name returns ClickHouse's name of the code, such as UNKNOWN_TABLE.
func (c Code) Name() string {
	if n, ok := names[c]; ok {
		return n
	}
	return "UNKNOWN_EXCEPTION"
}

// All returns every code olapd knows with its name; the caller owns the map.
func All() map[Code]string {
	out := make(map[Code]string, len(names))
	for c, n := range names {
		out[c] = n
	}
	return out
}
