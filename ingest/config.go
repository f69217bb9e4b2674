package ingest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
)

// ErrorMode is what becomes of a message that cannot be read.
type ErrorMode uint8

const (
	// ErrorDeadLetter makes it a DeadLetter: kafka_handle_error_mode 'default' and 'dead_letter_queue'.
	ErrorDeadLetter ErrorMode = iota
	// ErrorStream makes it a row of defaults with _error and _raw_message set: 'stream'.
	ErrorStream
)

// Config is a Kafka table's engine settings. The zero value is not valid: see ParseConfig.
type Config struct {
	Brokers   []string // kafka_broker_list
	Topics    []string // kafka_topic_list
	Group     string   // kafka_group_name
	Format    string   // kafka_format
	ClientID  string   // kafka_client_id
	Consumers int      // kafka_num_consumers: partitions decoded at once; 0: one per processor

	BlockRows     int           // kafka_max_block_size
	PollRecords   int           // kafka_poll_max_batch_size
	FlushInterval time.Duration // kafka_flush_interval_ms
	PollTimeout   time.Duration // kafka_poll_timeout_ms: how long a broker may hold an empty fetch

	Errors     ErrorMode // kafka_handle_error_mode
	FromLatest bool      // kafka_auto_offset_reset = 'latest', for topics without any cursor
	SkipLoss   bool      // kafka_on_data_loss = 'skip'

	Security  string // kafka_security_protocol: plaintext, ssl, sasl_plaintext, sasl_ssl
	Mechanism string // kafka_sasl_mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
	Username  string // kafka_sasl_username
	Password  string // kafka_sasl_password

	Registry  string // format_avro_schema_registry_url
	SkipBytes int    // kafka_schema_registry_skip_bytes: an envelope in front of each message
	Decoding  format.Options
}

// required are the settings that may also stand as the engine's arguments, in this order.
var required = []string{"kafka_broker_list", "kafka_topic_list", "kafka_group_name", "kafka_format"}

// positional are all arguments ClickHouse takes.
var positional = append(slices.Clone(required), "", "kafka_schema", "kafka_num_consumers", "kafka_max_block_size",
	"kafka_skip_broken_messages", "kafka_commit_every_batch", "kafka_client_id", "kafka_poll_timeout_ms",
	"kafka_poll_max_batch_size", "kafka_flush_interval_ms")

// ParseConfig reads the arguments of ENGINE = Kafka(…) and its SETTINGS, both as plain text without quotes. Every name
// that ClickHouse has is accepted; others are UnknownSetting.
func ParseConfig(args []string, settings map[string]string) (Config, error) {
	c := Config{BlockRows: defaultBlockRows, PollRecords: pollRecords, FlushInterval: defaultFlush, PollTimeout: 500 * time.Millisecond,
		Security: "plaintext", Decoding: format.Defaults()}
	if len(args) > len(positional) {
		return c, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Storage Kafka requires %d to %d parameters, got %d", len(required), len(positional), len(args))
	}
	given := map[string]bool{}
	for i, v := range args {
		if err := c.set(positional[i], v); err != nil {
			return c, err
		}
		given[positional[i]] = true
	}
	for _, name := range sortedKeys(settings) {
		if err := c.set(name, settings[name]); err != nil {
			return c, err
		}
		given[name] = true
	}
	for _, name := range required {
		if !given[name] {
			return c, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Required parameter '%s' for storage Kafka not specified", name)
		}
	}
	return c, c.check()
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (c *Config) set(name, value string) error {
	f, ok := configSettings[name]
	if !ok {
		return sqlerr.New(sqlerr.UnknownSetting, "Unknown setting '%s': for storage Kafka", name)
	}
	if f == nil {
		return nil
	}
	return f(c, name, value)
}

// check holds together what single settings cannot.
func (c *Config) check() error {
	switch {
	case len(c.Brokers) == 0:
		return sqlerr.New(sqlerr.BadArguments, "kafka_broker_list is empty")
	case len(c.Topics) == 0:
		return sqlerr.New(sqlerr.BadArguments, "kafka_topic_list is empty")
	case c.Group == "":
		return sqlerr.New(sqlerr.BadArguments, "kafka_group_name is empty")
	case c.Mechanism != "" && c.Security == "plaintext":
		c.Security = "sasl_plaintext"
	case strings.HasPrefix(c.Security, "sasl") && c.Mechanism == "":
		return sqlerr.New(sqlerr.BadArguments, "kafka_security_protocol = '%s' needs kafka_sasl_mechanism (PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512)", c.Security)
	}
	if strings.EqualFold(c.Format, avroConfluent) {
		if c.Registry == "" {
			return sqlerr.New(sqlerr.BadArguments, "Format AvroConfluent needs format_avro_schema_registry_url")
		}
		return nil
	}
	f, err := format.Lookup(c.Format)
	if err != nil {
		return err
	}
	if !f.Input() {
		return sqlerr.New(sqlerr.FormatIsNotSuitableForInput, "Format %s is not suitable for input", f.Name)
	}
	return nil
}

type setter func(c *Config, name, value string) error

// configSettings are all names; nil: accepted because ClickHouse has it, without a meaning here (each batch is its own
// commit, broken messages are dead letters, threads and leases are not the user's business).
var configSettings = map[string]setter{
	"":                     nil, // the row delimiter of old servers
	"kafka_broker_list":    text(func(c *Config, v string) { c.Brokers = list(v) }),
	"kafka_topic_list":     text(func(c *Config, v string) { c.Topics = list(v) }),
	"kafka_group_name":     text(func(c *Config, v string) { c.Group = v }),
	"kafka_format":         text(func(c *Config, v string) { c.Format = v }),
	"kafka_client_id":      text(func(c *Config, v string) { c.ClientID = v }),
	"kafka_num_consumers":  number(1, 1024, func(c *Config, v uint64) { c.Consumers = int(v) }),
	"kafka_max_block_size": number(0, 1<<24, func(c *Config, v uint64) { c.BlockRows = or(int(v), defaultBlockRows) }),
	"kafka_poll_max_batch_size": number(0, 1<<24, func(c *Config, v uint64) {
		c.PollRecords = min(or(int(v), pollRecords), pollRecords)
	}),
	"kafka_flush_interval_ms":            number(0, 3_600_000, func(c *Config, v uint64) { c.FlushInterval = or(millis(v), defaultFlush) }),
	"kafka_poll_timeout_ms":              number(0, 60_000, func(c *Config, v uint64) { c.PollTimeout = or(millis(v), 500*time.Millisecond) }),
	"kafka_handle_error_mode":            choice(func(c *Config, i int) { c.Errors = [...]ErrorMode{0, ErrorStream, 0}[i] }, "default", "stream", "dead_letter_queue"),
	"kafka_auto_offset_reset":            choice(func(c *Config, i int) { c.FromLatest = i >= 3 }, "earliest", "smallest", "beginning", "latest", "largest", "end"),
	"kafka_on_data_loss":                 choice(func(c *Config, i int) { c.SkipLoss = i == 1 }, "halt", "skip"),
	"kafka_security_protocol":            choice(func(c *Config, i int) { c.Security = protocols[i] }, protocols...),
	"kafka_sasl_mechanism":               mechanism,
	"kafka_sasl_username":                text(func(c *Config, v string) { c.Username = v }),
	"kafka_sasl_password":                text(func(c *Config, v string) { c.Password = v }),
	"kafka_schema":                       text(func(c *Config, v string) { c.Decoding.Schema = v }),
	"kafka_keeper_path":                  nil,
	"kafka_replica_name":                 nil,
	"kafka_aws_region":                   nil,
	"kafka_schema_registry_skip_bytes":   number(0, 255, func(c *Config, v uint64) { c.SkipBytes = int(v) }),
	"kafka_autodetect_client_rack":       nil,
	"kafka_row_delimiter":                nil,
	"kafka_skip_broken_messages":         number(0, 1<<63, func(*Config, uint64) {}),
	"kafka_commit_every_batch":           boolean(func(*Config, bool) {}),
	"kafka_commit_on_select":             boolean(func(*Config, bool) {}),
	"kafka_thread_per_consumer":          boolean(func(*Config, bool) {}),
	"kafka_map_virtual_columns_on_write": boolean(func(*Config, bool) {}),
	"kafka_consumer_reschedule_ms":       number(0, 1<<32, func(*Config, uint64) {}),
	"kafka_consumer_acquire_timeout_ms":  number(0, 1<<32, func(*Config, uint64) {}),
	"kafka_max_rows_per_message":         number(0, 1<<32, func(*Config, uint64) {}),
	"kafka_compression_codec":            nil,
	"kafka_compression_level":            nil,

	"format_schema":                            text(func(c *Config, v string) { c.Decoding.Schema = v }),
	"format_schema_message_name":               text(func(c *Config, v string) { c.Decoding.SchemaMessage = v }),
	"format_avro_schema_registry_url":          text(func(c *Config, v string) { c.Registry = v }),
	"format_csv_delimiter":                     delimiter,
	"date_time_input_format":                   choice(func(c *Config, i int) { c.Decoding.DateTimeInput = [...]string{"basic", "best_effort"}[i] }, "basic", "best_effort"),
	"input_format_skip_unknown_fields":         boolean(func(c *Config, v bool) { c.Decoding.SkipUnknown = v }),
	"input_format_null_as_default":             boolean(func(c *Config, v bool) { c.Decoding.NullAsDefault = v }),
	"input_format_defaults_for_omitted_fields": boolean(func(c *Config, v bool) { c.Decoding.DefaultsOmitted = v }),
}

var protocols = []string{"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}

func text(f func(*Config, string)) setter {
	return func(c *Config, _, v string) error {
		f(c, v)
		return nil
	}
}

func number(least, most uint64, f func(*Config, uint64)) setter {
	return func(c *Config, name, v string) error {
		n, err := strconv.ParseUint(v, 10, 64)
		switch {
		case err != nil:
			return sqlerr.Wrap(err, sqlerr.CannotParseNumber, "Cannot parse the value '%s' of setting %s as a number", v, name)
		case n < least && name == "kafka_num_consumers":
			return sqlerr.New(sqlerr.BadArguments, "Number of consumers can not be lower than 1")
		case n < least || n > most:
			return sqlerr.New(sqlerr.BadArguments, "Setting %s must be between %d and %d, got %d", name, least, most, n)
		}
		f(c, n)
		return nil
	}
}

func boolean(f func(*Config, bool)) setter {
	return func(c *Config, name, v string) error {
		switch strings.ToLower(v) {
		case "1", "true":
			f(c, true)
		case "0", "false":
			f(c, false)
		default:
			return sqlerr.New(sqlerr.CannotParseBool, "Cannot parse the value '%s' of setting %s as a boolean", v, name)
		}
		return nil
	}
}

// choice calls f with the position of the value among names.
func choice(f func(*Config, int), names ...string) setter {
	return func(c *Config, name, v string) error {
		i := slices.Index(names, strings.ToLower(v))
		if i < 0 {
			return sqlerr.New(sqlerr.BadArguments, "Unexpected value of setting %s: '%s'. Must be one of ['%s']", name, v, strings.Join(names, "', '"))
		}
		f(c, i)
		return nil
	}
}

func mechanism(c *Config, name, v string) error {
	switch m := strings.ToUpper(v); m {
	case "", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
		c.Mechanism = m
		return nil
	case "GSSAPI", "OAUTHBEARER", "AWS_MSK_IAM":
		return sqlerr.New(sqlerr.NotImplemented, "%s = '%s' is not supported", name, v)
	}
	return sqlerr.New(sqlerr.BadArguments, "Unexpected value of setting %s: '%s'", name, v)
}

func delimiter(c *Config, name, v string) error {
	if len(v) != 1 {
		return sqlerr.New(sqlerr.BadArguments, "A delimiter of one byte is needed for setting %s, got '%s'", name, v)
	}
	c.Decoding.CSVDelimiter = v[0]
	return nil
}

func list(v string) []string {
	var out []string
	for _, s := range strings.Split(v, ",") {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func millis(v uint64) time.Duration { return time.Duration(v) * time.Millisecond }

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
