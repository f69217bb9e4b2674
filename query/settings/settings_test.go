package settings

import (
	"testing"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

func TestEverySettingTakesItsDefault(t *testing.T) {
	for _, s := range append(All(), MergeTree()...) {
		if s.Default == "" || s.Default == `\N` {
			continue
		}
		if _, err := s.normal(s.Default); err != nil {
			t.Errorf("%s (%s) = %q: %v", s.Name, s.Type, s.Default, err)
		}
		if s.Description == "" || s.Type == "" {
			t.Errorf("%s is not described", s.Name)
		}
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct {
		name, value, want string
		code              sqlerr.Code
	}{
		{"max_threads", "8", "8", 0},
		{"max_threads", "auto", "0", 0},
		{"max_threads", "x", "", sqlerr.CannotParseNumber},
		{"max_memory_usage", "1e9", "1000000000", 0},
		{"max_memory_usage", "-1", "", sqlerr.CannotParseNumber},
		{"max_block_size", "0", "", sqlerr.BadArguments},
		{"max_insert_block_size_rows", "5", "5", 0}, // another name of max_insert_block_size
		{"extremes", "true", "1", 0},
		{"extremes", "yes", "", sqlerr.CannotParseBool},
		{"max_execution_time", "1.5", "1.5", 0},
		{"max_execution_time", "-1", "", sqlerr.BadArguments},
		{"join_default_strictness", "ANY", "ANY", 0},
		{"join_default_strictness", "SOME", "", sqlerr.BadArguments},
		{"http_zlib_compression_level", "10", "", sqlerr.SettingConstraintViolation},
		{"session_timezone", "Europe/Berlin", "Europe/Berlin", 0},
		{"session_timezone", "Mars/Base", "", sqlerr.BadArguments},
		{"format_csv_delimiter", ";", ";", 0},
		{"format_csv_delimiter", ";;", "", sqlerr.SizeOfFixedStringDoesntMatch},
		{"alter_sync", "2", "2", 0},
		{"no_such_setting", "1", "", sqlerr.UnknownSetting},
	} {
		v := New()
		err := v.Set(c.name, c.value)
		if sqlerr.CodeOf(err) != c.code {
			t.Errorf("%s = %s: error %v, want code %d", c.name, c.value, err, c.code)
		}
		if got, _ := v.Get(c.name); err == nil && got != c.want {
			t.Errorf("%s = %s is kept as %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func TestReadonly(t *testing.T) {
	v := New()
	v.ForceReadOnly()
	if err := v.Set("limit", "3"); err != nil {
		t.Error(err)
	}
	for name, value := range map[string]string{"readonly": "0", "allow_ddl": "0"} {
		if err := v.Set(name, value); !sqlerr.Is(err, sqlerr.Readonly) {
			t.Errorf("%s = %s: %v", name, value, err)
		}
	}
	if err := v.Set("readonly", "2"); err != nil { // what it is already
		t.Error(err)
	}
	w := New()
	if err := w.SetAll(map[string]string{"readonly": "1", "limit": "7"}); err != nil {
		t.Error(err)
	}
	if err := w.Set("limit", "8"); !sqlerr.Is(err, sqlerr.Readonly) {
		t.Error(err)
	}
}

func TestTyped(t *testing.T) {
	v := New()
	if err := v.SetAll(map[string]string{"max_execution_time": "0.25", "max_rows_to_read": "18446744073709551615", "input_format_allow_errors_ratio": "0.5"}); err != nil {
		t.Fatal(err)
	}
	if MaxExecutionTime.Of(v) != 250*time.Millisecond || ProgressInterval.Of(v) != 100*time.Millisecond {
		t.Error("times are read wrongly")
	}
	if MaxRowsToRead.Of(v) != 1<<64-1 || MaxRowsToRead.Int(v) != 1<<63-1 || AllowErrorsRatio.Of(v) != 0.5 || !WriteStatistics.Of(v) {
		t.Error("numbers are read wrongly")
	}
	c := v.Clone()
	if err := c.Reset("max_execution_time"); err != nil || MaxExecutionTime.Of(c) != 0 || MaxExecutionTime.Of(v) == 0 {
		t.Error("a copy is not of its own")
	}
}

func TestTable(t *testing.T) {
	if v, err := Table("index_granularity", "1024"); v != "1024" || err != nil {
		t.Error(v, err)
	}
	if _, err := Table("index_granularty", "1"); !sqlerr.Is(err, sqlerr.UnknownSetting) {
		t.Error(err)
	}
}
