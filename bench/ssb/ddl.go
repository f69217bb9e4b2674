package ssb

import _ "embed"

// CreateClickHouse is the CREATE TABLE statement for olapd and ClickHouse: the flat table of ClickHouse's documentation.
//
//go:embed create_clickhouse.sql
var CreateClickHouse string

// CreateDuckDB is the CREATE TABLE statement for DuckDB, which gets no indexes.
//
//go:embed create_duckdb.sql
var CreateDuckDB string
