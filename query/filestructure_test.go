package query

import (
	"strings"
	"testing"
)

// TestFilesHaveTheInsertsColumns: INSERT … SELECT * FROM file() reads the columns that are inserted into; any other SELECT reads those that are inferred.
// Answers are ClickHouse's.
func TestFilesHaveTheInsertsColumns(t *testing.T) {
	h := newHarness(t)
	for _, sql := range []string{
		"INSERT INTO FUNCTION file('n.csv', 'RawBLOB', 'x String') VALUES ('a,b,c\\n007,2,zz\\n010,3,yy\\n')",
		"CREATE TABLE t (a String, b UInt8) ENGINE = MergeTree ORDER BY a",
		"CREATE TABLE u (b String, a String) ENGINE = MergeTree ORDER BY a",
		"CREATE TABLE w (a String, b String, x Int32 DEFAULT 5) ENGINE = MergeTree ORDER BY a",
	} {
		if got := h.run(Query{Text: sql}); got != "" {
			t.Fatalf("%s: %s", sql, got)
		}
	}
	for _, c := range []struct {
		into, rows, set, want string
		refused               bool // want begins the error
	}{
		{"t", "SELECT * FROM file('n.csv')", "", "007\t2\n010\t3\n", false},
		{"u", "SELECT * FROM file('n.csv')", "", "2\t007\n3\t010\n", false},
		{"t", "SELECT * FROM file('n.csv') WHERE b > 2", "", "010\t3\n", false},
		{"w (a, b)", "SELECT * FROM file('n.csv')", "", "007\t2\t5\n010\t3\t5\n", false},
		{"t", "SELECT a, b FROM file('n.csv')", "", "10\t3\n7\t2\n", false},
		{"t", "SELECT * FROM file('n.csv', 'CSVWithNames', 'b UInt8, a String')", " SETTINGS input_format_with_names_use_header = 1", "2\t7\n3\t10\n", false},
		{"u", "SELECT * FROM file('n.csv')", " SETTINGS use_structure_from_insertion_table_in_table_functions = 0",
			"Code: 20. Number of columns doesn't match (source: 3 and result: 2)", true},
	} {
		into, _, _ := strings.Cut(c.into, " ")
		got := h.run(Query{Text: "INSERT INTO " + c.into + " " + c.rows + c.set})
		if got == "" {
			got = h.run(Query{Text: "SELECT * FROM " + into + " ORDER BY ALL FORMAT TSV"})
		}
		h.run(Query{Text: "TRUNCATE TABLE " + into})
		if got != c.want && !(c.refused && strings.HasPrefix(got, c.want)) {
			t.Errorf("INSERT INTO %s %s%s: %q, want %q", c.into, c.rows, c.set, got, c.want)
		}
	}
}
