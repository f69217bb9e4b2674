package virtual

import (
	"os"
	"strings"
	"testing"

	"github.com/olapd/olapd/query/settings"
)

func TestEveryFillerHasASchema(t *testing.T) {
	loaded.Do(load)
	for n := range fillers {
		if system[n] == nil {
			t.Errorf("system.%s has rows and no schema", n)
		}
	}
	for n := range informationRows {
		if information[n] == nil {
			t.Errorf("information_schema.%s has rows and no schema", n)
		}
	}
}

// TestColumnsAreClickHouses compares names, types and order of columns with what ClickHouse 26.7 says of itself:
//
//	SELECT database, table, name, type FROM system.columns WHERE database IN ('system', 'information_schema') ORDER BY database, table, position
//
// Tables may have columns of their own behind ClickHouse's.
func TestColumnsAreClickHouses(t *testing.T) {
	text, err := os.ReadFile("testdata/clickhouse_columns.tsv")
	if err != nil {
		t.Fatal(err)
	}
	s := &Source{Settings: settings.New()}
	position := map[string]int{}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		name := f[0] + "." + f[1]
		table := Lookup(s, f[0], f[1])
		if table == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		schema, i := table.Schema(), position[name]
		position[name]++
		if name == "system.kafka_consumers" || name == "system.clusters" && f[2] == "name" { // its own columns stand among ClickHouse's, or before those that an asterisk leaves out
			i = schema.Index(f[2])
		}
		switch {
		case i < 0 || i >= len(schema) || schema[i].Name != f[2]:
			t.Errorf("column %d of %s is not %s", i+1, name, f[2])
		case schema[i].Type.String() != f[3]:
			t.Errorf("%s.%s is %s, not %s", name, f[2], schema[i].Type, f[3])
		}
	}
}
