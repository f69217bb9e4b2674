package settings

import (
	"strconv"
	"strings"
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

func TestCustom(t *testing.T) {
	v := New()
	if err := v.Set("SQL_a", "1"); !sqlerr.Is(err, sqlerr.UnknownSetting) {
		t.Error(err)
	}
	v.AllowCustom([]string{"SQL_", "max_"})
	if err := v.SetAll(map[string]string{"SQL_a": "5", "max_threads": "3"}); err != nil {
		t.Fatal(err)
	}
	if err := v.SetNumber("SQL_b", "7"); err != nil {
		t.Fatal(err)
	}
	if x, ok := v.Get("SQL_a"); x != "5" || !ok || !v.IsText("SQL_a") || v.IsText("SQL_b") || v.IsCustom("max_threads") {
		t.Error("a custom setting is not what it was set to")
	}
	if _, ok := v.Get("SQL_none"); ok {
		t.Error("a custom setting that nobody has set")
	}
	if d := v.Declared(); len(d) != 1 || d["max_threads"] != "3" || len(v.Changed()) != 3 {
		t.Error(d, v.Changed())
	}
	c := v.Clone()
	if err := c.Set("SQL_b", "7"); err != nil || !c.IsText("SQL_b") || v.IsText("SQL_b") {
		t.Error("a copy is not of its own", err)
	}
	if err := c.Reset("SQL_a"); err != nil {
		t.Error(err)
	}
	if _, ok := c.Get("SQL_a"); ok {
		t.Error("a custom setting is there after it was reset")
	}
	if err := c.Set("SQL_long", strings.Repeat("x", maxCustomBytes)); !sqlerr.Is(err, sqlerr.BadArguments) {
		t.Error(err)
	}
	for i := 0; ; i++ {
		if err := c.Set("SQL_"+strconv.Itoa(i), "x"); err != nil {
			if !sqlerr.Is(err, sqlerr.BadArguments) || i < maxCustom-2 {
				t.Error(i, err)
			}
			break
		}
	}
	if err := v.Set("readonly", "1"); err != nil {
		t.Error(err)
	}
	if err := v.Set("SQL_a", "6"); !sqlerr.Is(err, sqlerr.Readonly) {
		t.Error(err)
	}
}
