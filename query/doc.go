// Package query is the front of the SQL engine: an Engine, and Sessions in which statements are executed. It holds no
// algorithm: texts go to parse, trees to analyze, optimize and build, schema changes to define, rows to insert.
//
// # A statement
//
// Execute takes one statement as text and, behind it, a stream: the rest of the text, the data of an INSERT. It is parsed, its
// SETTINGS join those of the request and the session, and it is entered in the list of running queries, from where KILL QUERY, a deadline or the
// caller's context cancel it. A SELECT reads one snapshot of all tables, pinned until the Result is closed.
//
// # Errors
//
// Every error carries a ClickHouse code. Errors of parsing and analysis carry the position in the text.
package query
