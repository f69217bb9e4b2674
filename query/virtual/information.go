package virtual

import (
	"context"
	_ "embed"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// informationText is the tables of information_schema: lines of table, column and type. A column in upper case repeats the one in lower
// case.
//
//go:embed information.tsv
var informationText string

// informationSchemas are the names of the database; its tables are found in either case too.
var informationSchemas = [...]string{"INFORMATION_SCHEMA", "information_schema"}

func isInformation(db string) bool { return db == informationSchemas[0] || db == informationSchemas[1] }

// information is the tables by their names in lower case.
var information = map[string]*definition{}

// informationRows make the rows, from those of system tables.
var informationRows map[string]func(ctx context.Context, s *Source, add func(row)) error

func init() {
	informationRows = map[string]func(ctx context.Context, s *Source, add func(row)) error{
		"schemata":         informationSchemata,
		"tables":           informationTables,
		"columns":          informationColumns,
		"views":            informationViews,
		"key_column_usage": informationKeys,
		"engines": func(ctx context.Context, s *Source, add func(row)) error {
			return fillers["table_engines"](ctx, s, func(r row) {
				support := "YES"
				if def, _ := s.Settings.Get("default_table_engine"); r["name"] == def {
					support = "DEFAULT"
				}
				add(row{"engine": r["name"], "support": support})
			})
		},
		"character_sets": func(_ context.Context, _ *Source, add func(row)) error {
			for _, n := range []string{"utf8", "utf8mb4", "ascii", "binary"} {
				add(row{"character_set_name": n})
			}
			return nil
		},
	}
}

// loadInformation reads the schemas.
func loadInformation() {
	for line := range strings.Lines(informationText) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		d := information[f[0]]
		if d == nil {
			d = &definition{database: informationSchemas[1], name: f[0], rows: informationRows[f[0]]}
			information[f[0]] = d
		}
		t, err := types.Parse(f[2])
		if err != nil {
			panic("virtual: information.tsv: " + f[0] + "." + f[1] + ": " + err.Error())
		}
		d.columns = append(d.columns, column.Field{Name: f[1], Type: t})
		d.alias = append(d.alias, strings.ToLower(f[1]))
	}
}

func informationSchemata(ctx context.Context, s *Source, add func(row)) error {
	return databases(ctx, s, func(r row) {
		add(row{"catalog_name": r["name"], "schema_name": r["name"], "schema_owner": "default"})
	})
}

func informationTables(ctx context.Context, s *Source, add func(row)) error {
	return tables(ctx, s, func(r row) {
		engine, _ := r["engine"].(string)
		kind := "BASE TABLE"
		own, _ := r["has_own_data"].(bool)
		switch {
		case strings.HasSuffix(engine, "View"):
			kind = "VIEW"
		case strings.HasPrefix(engine, "System"):
			kind = "SYSTEM VIEW"
		case !own:
			kind = "FOREIGN TABLE"
		}
		add(row{"table_catalog": r["database"], "table_schema": r["database"], "table_name": r["name"], "table_type": kind, "table_rows": r["total_rows"],
			"data_length": r["total_bytes"], "index_length": 0, "table_collation": "utf8mb4_0900_ai_ci", "table_comment": orText(r["comment"])})
	})
}

// orText is a text that may not be there.
func orText(v any) string {
	s, _ := v.(string)
	return s
}

// generated says how a column gets its value, in the words of information_schema.
var generated = map[string]string{"DEFAULT": "DEFAULT_GENERATED", "MATERIALIZED": "STORED GENERATED", "ALIAS": "VIRTUAL GENERATED"}

func informationColumns(ctx context.Context, s *Source, add func(row)) error {
	return columns(ctx, s, func(r row) {
		typ := orText(r["type"])
		nullable := "0"
		if strings.HasPrefix(typ, "Nullable(") {
			nullable = "1"
		}
		add(row{"table_catalog": r["database"], "table_schema": r["database"], "table_name": r["table"], "column_name": r["name"], "ordinal_position": r["position"],
			"column_default": orText(r["default_expression"]), "is_nullable": nullable, "data_type": typ, "column_type": typ, "extra": generated[orText(r["default_kind"])],
			"character_maximum_length": r["character_octet_length"], "character_octet_length": r["character_octet_length"], "numeric_precision": r["numeric_precision"],
			"numeric_precision_radix": r["numeric_precision_radix"], "numeric_scale": r["numeric_scale"], "datetime_precision": r["datetime_precision"],
			"column_comment": orText(r["comment"])})
	})
}

func informationViews(ctx context.Context, s *Source, add func(row)) error {
	return tables(ctx, s, func(r row) {
		engine, _ := r["engine"].(string)
		if !strings.HasSuffix(engine, "View") {
			return
		}
		insertable := "NO"
		if engine == "MaterializedView" {
			insertable = "YES"
		}
		add(row{"table_catalog": r["database"], "table_schema": r["database"], "table_name": r["name"], "view_definition": orText(r["as_select"]),
			"check_option": "NONE", "is_updatable": "NO", "is_insertable_into": insertable, "is_trigger_updatable": "NO", "is_trigger_deletable": "NO",
			"is_trigger_insertable_into": "NO"})
	})
}

func informationKeys(ctx context.Context, s *Source, add func(row)) error {
	return columns(ctx, s, func(r row) {
		if primary, _ := r["is_in_primary_key"].(bool); primary {
			add(row{"constraint_catalog": "def", "constraint_schema": r["database"], "constraint_name": "PRIMARY", "table_catalog": "def",
				"table_schema": r["database"], "table_name": r["table"], "column_name": r["name"], "ordinal_position": 1})
		}
	})
}
