package ingest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// Messages of Protobuf are read by the schema that kafka_schema names, or by the one that the columns make.
func TestProtobufMessages(t *testing.T) {
	dir := t.TempDir()
	proto := `syntax = "proto3"; message M { string s = 2; int32 n = 5; }`
	if err := os.WriteFile(filepath.Join(dir, "m.proto"), []byte(proto), 0o644); err != nil {
		t.Fatal(err)
	}
	schema := column.Schema{{Name: "n", Type: types.TInt32}, {Name: "s", Type: types.TString}}
	for name, c := range map[string]struct {
		settings map[string]string
		message  string
	}{
		"named":     {map[string]string{"kafka_schema": "m:M", "kafka_format": "ProtobufSingle"}, "\x28\x07\x12\x01x"},
		"delimited": {map[string]string{"kafka_schema": "m.proto:M", "kafka_format": "Protobuf"}, "\x05\x28\x07\x12\x01x"},
		"made":      {map[string]string{"kafka_format": "ProtobufSingle"}, "\x08\x07\x12\x01x"},
	} {
		settings := map[string]string{"kafka_broker_list": "b:1", "kafka_topic_list": "t", "kafka_group_name": "g"}
		for k, v := range c.settings {
			settings[k] = v
		}
		cfg, err := ParseConfig(nil, settings)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Decoding.Schemas = &format.Schemas{FS: vfs.Disk(), Folder: dir}
		d, err := newMessageDecoder(&cfg, schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows := format.NewRows(schema)
		if err := d.decode(t.Context(), []byte(c.message), rows); err != nil || rows.N != 1 {
			t.Fatalf("%s: %d rows, %v", name, rows.N, err)
		}
		if n, s := column.Value(rows.Cols[0], 0), column.Value(rows.Cols[1], 0); n != int32(7) || s != "x" {
			t.Errorf("%s: got %v, %v", name, n, s)
		}
		if err := d.decode(t.Context(), []byte(c.message[:len(c.message)-1]), rows); err == nil || rows.N != 1 {
			t.Errorf("%s: a message cut off: %d rows, %v", name, rows.N, err)
		}
	}
}
