package access

import "sync"

// implications are ClickHouse's implicit grants.
var implications = sync.OnceValue(func() *implicationSet {
	x := &implicationSet{showColumns: Of("SHOW COLUMNS"), showTables: Of("SHOW TABLES"), showDictionaries: Of("SHOW DICTIONARIES"),
		showDatabases: Of("SHOW DATABASES")}
	for _, p := range [][2]string{
		{"SHOW TABLES", "SHOW DATABASES"}, {"SHOW DICTIONARIES", "SHOW DATABASES"}, {"CREATE TABLE", "CREATE VIEW"}, {"DROP TABLE", "DROP VIEW"},
		{"ALTER TABLE", "ALTER VIEW"}, {"CREATE TABLE", "CREATE TEMPORARY TABLE"}, {"CREATE ARBITRARY TEMPORARY TABLE", "CREATE TEMPORARY TABLE"},
	} {
		x.pairs = append(x.pairs, [2]Set{Of(p[0]), Of(p[1])})
	}
	return x
})
