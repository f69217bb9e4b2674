package torturecluster

import "strings"

// steadySchema makes tables that stay as they are.
func steadySchema() []string {
	return []string{
		`CREATE TABLE facts (k UInt64, g LowCardinality(String), v Int64, wide String) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'`,
		`CREATE TABLE names (k UInt64, name String) ENGINE = MergeTree ORDER BY k`,
		`INSERT INTO facts SELECT number, concat('g', toString(number % 100)), number * 7 % 1009, repeat(toString(number), 20) FROM numbers(20000)`,
		`INSERT INTO names SELECT number * 3, concat('n', toString(number)) FROM numbers(5000)`,
		`CREATE TABLE whole (a UInt64, s String) ENGINE = MergeTree ORDER BY a`,
		`INSERT INTO whole SELECT cityHash64(number), hex(cityHash64(number)) FROM numbers(20000)`,
		`SYSTEM FLUSH TABLE whole`, `SYSTEM FLUSH TABLE facts`, `SYSTEM FLUSH TABLE names`,
	}
}

// steady are statements of all the forms in which nodes work together; each gives the same on every node, whatever builds the others are of.
var steady = []string{
	`SELECT count(), sum(v), min(v), max(v), uniqExact(v), round(avg(v), 6), quantileExact(0.9)(v) FROM facts`,
	`SELECT g, count(), sum(v), uniq(v), groupArraySorted(3)(v) FROM facts GROUP BY g HAVING sum(v) > 100 ORDER BY g`,
	`SELECT v % 500 AS m, count() FROM facts GROUP BY m ORDER BY m LIMIT 20`,
	`SELECT k, v, wide FROM facts ORDER BY v DESC, k LIMIT 10`,
	`SELECT k, count() AS n, sum(v), uniq(v) FROM facts GROUP BY k HAVING n > 0 ORDER BY k DESC LIMIT 5 SETTINGS group_by_two_level_threshold = 100`,
	`SELECT count(), sum(n) FROM (SELECT wide, count() AS n FROM facts GROUP BY wide) SETTINGS group_by_two_level_threshold = 100`,
	`SELECT DISTINCT g FROM facts ORDER BY g`,
	`SELECT g, v FROM facts ORDER BY g, v, k LIMIT 2 BY g LIMIT 50`,
	`SELECT g, count() FROM facts GROUP BY g WITH TOTALS ORDER BY g LIMIT 5`,
	`SELECT g, v % 2 AS odd, count() FROM facts GROUP BY ROLLUP(g, odd) ORDER BY g, odd LIMIT 30`,
	`SELECT k, row_number() OVER (PARTITION BY g ORDER BY v, k) AS n FROM facts ORDER BY k LIMIT 10`,
	`SELECT n.name, sum(f.v) FROM facts AS f JOIN names AS n ON f.k = n.k GROUP BY n.name ORDER BY n.name LIMIT 20`,
	`SELECT count(), sum(f.v) FROM facts AS f JOIN names AS n ON f.k = n.k SETTINGS distributed_join = 'shuffle'`,
	`SELECT count(), sum(a.v) + sum(b.v) FROM facts AS a LEFT JOIN facts AS b ON toUInt64(a.v) = b.k SETTINGS distributed_join = 'shuffle'`,
	`SELECT count() FROM facts WHERE k IN (SELECT k FROM names WHERE name LIKE 'n1%')`,
	`SELECT count() FROM facts WHERE k GLOBAL IN (SELECT k FROM names)`,
	`SELECT count(), sum(x) FROM (SELECT v AS x FROM facts UNION ALL SELECT toInt64(k) FROM names)`,
	`SELECT count(), sum(x) FROM facts ARRAY JOIN [v, v + 1] AS x`,
	`SELECT v FROM facts WHERE k = 777`,
	`SELECT countDistinct(name) FROM (SELECT name FROM names ORDER BY name LIMIT 100)`,
	`SELECT count() FROM clusterAllReplicas('default', system.one)`,
	`SELECT name, engine FROM system.tables WHERE database = 'default' AND name IN ('facts', 'names') ORDER BY name`,
}

// changing are statements that change something of their own, and leave nothing behind; %s is a name that no other has.
var changing = []string{
	`CREATE TABLE %s (a UInt64, b String) ENGINE = MergeTree ORDER BY a SETTINGS sharding_key = 'a'`,
	`CREATE MATERIALIZED VIEW %s_sums ENGINE = SummingMergeTree ORDER BY b AS SELECT b, sum(a) AS total FROM %s GROUP BY b`,
	`INSERT INTO %s SELECT number, toString(number % 3) FROM numbers(1000)`,
	`ALTER TABLE %s ADD COLUMN c UInt8 DEFAULT 7`,
	`ALTER TABLE %s UPDATE b = 'x' WHERE a < 10 SETTINGS mutations_sync = 2`,
	`OPTIMIZE TABLE %s FINAL`,
	`SELECT throwIf(count() != 1000 OR sum(c) != 7000 OR countIf(b = 'x') != 10) FROM %s SETTINGS select_sequential_consistency = 1`,
	`SELECT throwIf(sum(total) != 499500) FROM %s_sums SETTINGS select_sequential_consistency = 1`,
	`BACKUP TABLE %s TO File('%s')`,
	`RESTORE TABLE %s AS %s_again FROM File('%s')`,
	`SELECT throwIf(count() != 1000 OR sum(a) != 499500) FROM %s_again SETTINGS select_sequential_consistency = 1`,
	`DROP TABLE %s_again SYNC`,
	`DROP VIEW %s_sums SYNC`,
	`DROP TABLE %s SYNC`,
}

// restoring is a restore under a name. The last statement gives 1 where the files of its segments are those of the table that was backed up, on all replicas.
var restoring = []string{
	`BACKUP TABLE whole TO File('%s')`,
	`RESTORE TABLE whole AS %s FROM File('%s')`,
	`SELECT throwIf(count() != 20000) FROM %s SETTINGS select_sequential_consistency = 1`,
	`SYSTEM FLUSH TABLE %s`,
	`SELECT uniqExact(hash_of_all_files) FROM clusterAllReplicas('default', system.parts) WHERE table IN ('whole', '%s') AND hash_of_all_files != ''`,
}

// named are statements with a name put in.
func named(name string, sqls []string) []string {
	var out []string
	for _, sql := range sqls {
		out = append(out, strings.ReplaceAll(sql, "%s", name))
	}
	return out
}
