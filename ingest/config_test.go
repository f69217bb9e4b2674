package ingest

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

var minimal = map[string]string{"kafka_broker_list": "a:9092, b:9092", "kafka_topic_list": "t,u,t", "kafka_group_name": "g", "kafka_format": "JSONEachRow"}

func with(extra ...string) map[string]string {
	m := maps.Clone(minimal)
	for i := 0; i < len(extra); i += 2 {
		m[extra[i]] = extra[i+1]
	}
	return m
}

func TestConfig(t *testing.T) {
	c, err := ParseConfig(nil, with("kafka_max_block_size", "100", "kafka_flush_interval_ms", "50", "kafka_num_consumers", "3",
		"kafka_handle_error_mode", "stream", "kafka_auto_offset_reset", "latest", "kafka_skip_broken_messages", "10", "kafka_thread_per_consumer", "true"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Brokers, []string{"a:9092", "b:9092"}) || !slices.Equal(c.Topics, []string{"t", "u"}) || c.Group != "g" || c.BlockRows != 100 ||
		c.FlushInterval != 50*time.Millisecond || c.Consumers != 3 || c.Errors != ErrorStream || !c.FromLatest || c.SkipLoss {
		t.Errorf("%+v", c)
	}
	c, err = ParseConfig([]string{"b:1", "t", "g", "CSV", "", "", "2"}, map[string]string{"format_csv_delimiter": ";", "kafka_sasl_mechanism": "plain"})
	if err != nil || c.Format != "CSV" || c.Decoding.CSVDelimiter != ';' || c.Consumers != 2 || c.Security != "sasl_plaintext" || c.FlushInterval != defaultFlush {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestConfigErrors(t *testing.T) {
	none := map[string]string{}
	noFormat := maps.Clone(minimal)
	delete(noFormat, "kafka_format")
	for _, c := range []struct {
		args     []string
		settings map[string]string
		code     sqlerr.Code
		text     string
	}{
		{nil, none, sqlerr.NumberOfArgumentsDoesntMatch, "kafka_broker_list"},
		{nil, noFormat, sqlerr.NumberOfArgumentsDoesntMatch, "Required parameter 'kafka_format' for storage Kafka not specified"},
		{make([]string, 15), none, sqlerr.NumberOfArgumentsDoesntMatch, "15"},
		{nil, with("kafka_foo", "1"), sqlerr.UnknownSetting, "Unknown setting 'kafka_foo': for storage Kafka"},
		{nil, with("kafka_num_consumers", "0"), sqlerr.BadArguments, "Number of consumers can not be lower than 1"},
		{nil, with("kafka_num_consumers", "x"), sqlerr.CannotParseNumber, "kafka_num_consumers"},
		{nil, with("kafka_flush_interval_ms", "99999999999"), sqlerr.BadArguments, "kafka_flush_interval_ms"},
		{nil, with("kafka_handle_error_mode", "x"), sqlerr.BadArguments, "dead_letter_queue"},
		{nil, with("kafka_thread_per_consumer", "x"), sqlerr.CannotParseBool, "kafka_thread_per_consumer"},
		{nil, with("kafka_format", "Nope"), sqlerr.UnknownFormat, "Nope"},
		{nil, with("kafka_format", "Pretty"), sqlerr.FormatIsNotSuitableForInput, "Pretty"},
		{nil, with("kafka_format", "AvroConfluent"), sqlerr.BadArguments, "format_avro_schema_registry_url"},
		{nil, with("kafka_sasl_mechanism", "GSSAPI"), sqlerr.NotImplemented, "GSSAPI"},
		{nil, with("kafka_sasl_mechanism", "x"), sqlerr.BadArguments, "kafka_sasl_mechanism"},
		{nil, with("kafka_security_protocol", "sasl_ssl"), sqlerr.BadArguments, "kafka_sasl_mechanism"},
		{nil, with("kafka_topic_list", " , "), sqlerr.BadArguments, "kafka_topic_list"},
		{nil, with("format_csv_delimiter", "ab"), sqlerr.BadArguments, "format_csv_delimiter"},
	} {
		_, err := ParseConfig(c.args, c.settings)
		if !sqlerr.Is(err, c.code) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v %v: %v (%d)", c.args, c.settings, err, sqlerr.CodeOf(err))
		}
	}
}
