package format

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/test/oracle"
)

// ClickHouse reads what is written here of all types as the values that they were. It says so only where it is installed.
func TestClickHouseReadsOurs(t *testing.T) {
	ch := oracle.Start(t, oracle.ClickHouse)
	if ch == nil {
		return
	}
	all, _ := clickHouseTypes(t)
	for _, c := range []struct {
		format  string
		without []types.Kind // what ClickHouse cannot read of the format
	}{{"Arrow", nil}, {"ArrowStream", nil}, {"Parquet", nil}} {
		var s column.Schema
		var structure []string
		for _, f := range all {
			if !mentions(f.Type, c.without) {
				s = append(s, f)
				structure = append(structure, f.Name+" "+f.Type.String())
			}
		}
		for _, dictionaries := range []bool{false, true} {
			o := parquetOptions(1)
			o.ArrowDictionaries = dictionaries
			b := randomBlock(rand.New(rand.NewPCG(3, 4)), s, 300)
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, write(t, c.format, s, b, o), 0o644); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			r, err := ch.Query(ctx, fmt.Sprintf("SELECT * FROM file('%s', %s, '%s')", path, c.format, strings.ReplaceAll(strings.Join(structure, ", "), "'", `\'`)), "JSONEachRow")
			cancel()
			if err != nil {
				t.Errorf("%s: %v", c.format, err)
				continue
			}
			if want := string(write(t, "JSONEachRow", s, b, o)); string(r.Data) != want {
				t.Errorf("%s: %s", c.format, firstDifference(string(r.Data), want))
			}
		}
	}
}

// mentions reports whether a type is of one of the kinds, or has one inside.
func mentions(t *types.Type, kinds []types.Kind) bool {
	for _, k := range kinds {
		if t.Kind == k {
			return true
		}
	}
	for _, e := range t.Elems {
		if mentions(e, kinds) {
			return true
		}
	}
	return false
}
