package parse

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/query/ast"
)

// The file holds ClickHouse's own answers, so it is not to be rewritten from ours.
func TestColumnName(t *testing.T) {
	datadriven.RunTest(t, "testdata/columnname", func(t *testing.T, d *datadriven.TestData) string {
		s, err := One("SELECT "+d.Input, Limits{})
		if err != nil {
			return err.Error() + "\n"
		}
		e, alias := ast.Unalias(s.(*ast.SelectUnion).Items[0].Select.Exprs[0])
		if alias != "" {
			return alias + "\n"
		}
		return ast.ColumnName(e) + "\n"
	})
}
