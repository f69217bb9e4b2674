// Package virtual holds the tables that no storage keeps: those of the database system and what table functions yield.
//
// A table is declared once, with its schema and the function that makes its rows when a query reads it. Wrap puts
// them beside a storage, so that a pipeline reads both alike.
package virtual
